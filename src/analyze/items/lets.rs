//! `let` at the top: a constant, or a read that is made once, at first use.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::extent;
use crate::analyze::typed::{FrozenWhy, Reads, Typed};
use crate::diagnostics::Diagnostic;
use crate::plan::Let;
use crate::plan::expr::Expr;
use crate::resolve::messages;
use crate::resolve::names::{Decl, DeclId, Names, What};
use crate::resolve::walk;
use crate::syntax::ast;
use crate::syntax::ast::Ident;
use std::collections::HashMap;

/// What a `let` stands for, and what has to be read for it.
pub struct Lowered {
    pub typed: Typed,
    pub read: Option<Let>,
}

/// `index` is its place among those that are read, if it is read.
pub fn lower(cx: &mut Cx<'_, '_>, it: &ast::Let, index: u32) -> Lowered {
    let typed = extent::of_let(cx, &Env::default(), it);
    if typed.is_unknown() || typed.value().is_some() {
        return Lowered { typed, read: None };
    }
    let name = it.name.name.clone();
    let depth = extent::depth(&typed);
    let read = Let {
        name: name.clone(),
        value: typed.expr,
        loc: cx.loc(it.name.span),
    };
    let reads = Reads {
        depth,
        ..Reads::frozen(it.name.span, FrozenWhy::Let(name))
    };
    Lowered {
        typed: Typed::new(Expr::Let(index), typed.ty, reads, it.name.span),
        read: Some(read),
    }
}

/// All `let`s of a plan, those first that others are made of. One that leads back to itself is left out.
pub fn in_order<'a>(names: &Names<'a>) -> (Vec<Decl<'a>>, Vec<Diagnostic>) {
    let mut sorter = Sorter {
        names,
        known: HashMap::new(),
        done: Vec::new(),
        found: Vec::new(),
    };
    for decl in names.iter() {
        sorter.visit(decl);
    }
    let sound = |id: &&DeclId| sorter.known.get(id) == Some(&Known::Sound);
    let decls = sorter.done.iter().filter(sound);
    let decls = decls.filter_map(|id| names.get(*id).cloned()).collect();
    (decls, sorter.found)
}

struct Sorter<'n, 'a> {
    names: &'n Names<'a>,
    known: HashMap<DeclId, Known>,
    done: Vec<DeclId>,
    found: Vec<Diagnostic>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// What it is made of is being looked at.
    Open,
    Sound,
    /// It leads back to itself.
    Circular,
}

/// A `let` on the way, and the names in it that were not looked at yet.
struct Visit {
    id: DeclId,
    left: std::vec::IntoIter<Ident>,
    sound: Known,
}

impl<'a> Sorter<'_, 'a> {
    /// Puts it behind all that it is made of; a way may be as long as a file.
    fn visit(&mut self, decl: &Decl<'a>) {
        let mut way: Vec<Visit> = self.begun(decl).into_iter().collect();
        while let Some(last) = way.last_mut() {
            let Some(name) = last.left.next() else {
                self.known.insert(last.id, last.sound);
                self.done.push(last.id);
                way.pop();
                continue;
            };
            let Some(other) = self.names.find(&name.name) else {
                continue;
            };
            if self.known.get(&other.id) == Some(&Known::Open) {
                last.sound = Known::Circular;
                let found = messages::recursive(&name, other.span, "let");
                self.found.push(found);
                continue;
            }
            let other = other.clone();
            way.extend(self.begun(&other));
        }
    }

    fn begun(&mut self, decl: &Decl<'a>) -> Option<Visit> {
        let What::Let(it) = decl.what else {
            return None;
        };
        if self.known.contains_key(&decl.id) {
            return None;
        }
        self.known.insert(decl.id, Known::Open);
        let mut used: Vec<Ident> = Vec::new();
        walk::each_name(&it.value, &mut |name, span| {
            used.push(Ident {
                name: name.to_owned(),
                span,
            });
        });
        Some(Visit {
            id: decl.id,
            left: used.into_iter(),
            sound: Known::Sound,
        })
    }
}
