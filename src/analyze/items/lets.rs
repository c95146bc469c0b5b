//! `let` at the top: a constant, or a read that is made once, at first use.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::typed::{FrozenWhy, Reads, Typed};
use crate::diagnostics::Diagnostic;
use crate::plan::Let;
use crate::plan::expr::Expr;
use crate::resolve::messages;
use crate::resolve::names::{Decl, DeclId, Names, What};
use crate::resolve::walk;
use crate::syntax::ast;
use crate::syntax::ast::Ident;

/// What a `let` stands for, and what has to be read for it.
pub struct Lowered {
    pub typed: Typed,
    pub read: Option<Let>,
}

/// `index` is its place among those that are read, if it is read.
pub fn lower(cx: &mut Cx<'_, '_>, it: &ast::Let, index: u32) -> Lowered {
    let typed = expr::infer(cx, &Env::default(), &it.value);
    if typed.is_unknown() || typed.value().is_some() {
        return Lowered { typed, read: None };
    }
    let name = it.name.name.clone();
    let read = Let {
        name: name.clone(),
        value: typed.expr,
        loc: cx.loc(it.name.span),
    };
    let reads = Reads::frozen(it.name.span, FrozenWhy::Let(name));
    Lowered {
        typed: Typed::new(Expr::Let(index), typed.ty, reads, it.name.span),
        read: Some(read),
    }
}

/// All `let`s of a plan, those first that others are made of. One that leads back to itself is left out.
pub fn in_order<'a>(names: &Names<'a>) -> (Vec<Decl<'a>>, Vec<Diagnostic>) {
    let mut sorter = Sorter {
        names,
        done: Vec::new(),
        open: Vec::new(),
        broken: Vec::new(),
        found: Vec::new(),
    };
    for decl in names.iter() {
        visit(&mut sorter, decl);
    }
    let done = sorter.done.iter().filter(|id| !sorter.broken.contains(id));
    let decls = done.filter_map(|id| names.get(*id).cloned()).collect();
    (decls, sorter.found)
}

struct Sorter<'n, 'a> {
    names: &'n Names<'a>,
    done: Vec<DeclId>,
    open: Vec<DeclId>,
    broken: Vec<DeclId>,
    found: Vec<Diagnostic>,
}

fn visit<'a>(sorter: &mut Sorter<'_, 'a>, decl: &Decl<'a>) {
    let What::Let(it) = decl.what else { return };
    if sorter.done.contains(&decl.id) || sorter.open.contains(&decl.id) {
        return;
    }
    sorter.open.push(decl.id);
    let mut used: Vec<Ident> = Vec::new();
    walk::each_name(&it.value, &mut |name, span| {
        used.push(Ident {
            name: name.to_owned(),
            span,
        });
    });
    for name in used {
        let Some(other) = sorter.names.find(&name.name).cloned() else {
            continue;
        };
        if sorter.open.contains(&other.id) {
            sorter.broken.push(decl.id);
            sorter
                .found
                .push(messages::recursive(&name, other.span, "let"));
            continue;
        }
        visit(sorter, &other);
    }
    sorter.open.retain(|id| *id != decl.id);
    sorter.done.push(decl.id);
}
