//! The one name space of a plan.

use crate::diagnostics::Diagnostic;
use crate::resolve::{messages, near, walk};
use crate::source::Span;
use crate::syntax::ast::{
    Block, Define, Ident, Input, Item, ItemKind, Let, Metric, Order, Phase, Provider, Role, Step,
    Stmt, StmtKind, Threshold,
};
use std::collections::HashMap;

/// Words that mean something by themselves in an expression.
pub const RESERVED: &[&str] = &["canary", "stable", "all", "plan", "run", "cause"];

/// Which declaration, by its place in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeclId(pub u32);

#[derive(Clone, Debug)]
pub struct Decl<'a> {
    pub id: DeclId,
    pub name: &'a str,
    pub span: Span,
    pub what: What<'a>,
    /// The phase in which it stands.
    pub phase: Option<DeclId>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    Input(&'a Input),
    Order(&'a Order),
    Phase(&'a Phase),
    Define(&'a Define),
    Threshold(&'a Threshold),
    Metric(&'a Metric),
    Let(&'a Let),
    Role(&'a Role),
    Provider(&'a Provider),
    Step(&'a Step),
    /// Anything else with a name inside a phase.
    Node(&'a Stmt),
}

impl What<'_> {
    /// For messages: `a metric`, `an input`.
    pub fn noun(&self) -> &'static str {
        match self {
            What::Input(_) => "an input",
            What::Order(_) => "an order",
            What::Phase(_) => "a phase",
            What::Define(_) => "a define",
            What::Threshold(_) => "a threshold",
            What::Metric(_) => "a metric",
            What::Let(_) => "a let",
            What::Role(_) => "a role",
            What::Provider(_) => "a provider",
            What::Step(_) => "a step",
            What::Node(stmt) => match &stmt.kind {
                StmtKind::Section(_) => "a section",
                StmtKind::Check(_) | StmtKind::Verify(_) => "a check",
                StmtKind::Canary(_) => "a canary",
                StmtKind::Stage(_) => "a stage",
                StmtKind::Confirm(_) => "a confirmation",
                StmtKind::Approve(_) => "an approval",
                StmtKind::Hold(_) => "a hold",
                StmtKind::Every(_) => "a repetition",
                StmtKind::Notify(_) => "a message",
                _ => "an item",
            },
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Names<'a> {
    decls: Vec<Decl<'a>>,
    by_name: HashMap<&'a str, DeclId>,
}

impl<'a> Names<'a> {
    pub fn find(&self, name: &str) -> Option<&Decl<'a>> {
        self.get(*self.by_name.get(name)?)
    }

    pub fn get(&self, id: DeclId) -> Option<&Decl<'a>> {
        self.decls.get(id.0 as usize)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Decl<'a>> {
        self.decls.iter()
    }

    /// The nearest name for which `fits` holds.
    pub fn nearest(&self, name: &str, fits: impl Fn(&What<'a>) -> bool) -> Option<&Decl<'a>> {
        let known = self.decls.iter().filter(|decl| fits(&decl.what));
        let near = near::nearest(name, known.map(|decl| decl.name))?;
        self.find(near)
    }
}

/// Declares everything; what stands in the text first keeps the name.
pub fn declare<'a>(items: impl Iterator<Item = &'a Item>) -> (Names<'a>, Vec<Diagnostic>) {
    let mut collector = Collector::default();
    for item in items {
        declare_item(&mut collector, item);
    }
    let mut found = collector.found;
    found.extend(near_names(&collector.names));
    (collector.names, found)
}

#[derive(Default)]
struct Collector<'a> {
    names: Names<'a>,
    found: Vec<Diagnostic>,
}

fn declare_item<'a>(collector: &mut Collector<'a>, item: &'a Item) {
    match &item.kind {
        ItemKind::Input(input) => add(collector, &input.name, What::Input(input), None),
        ItemKind::Order(order) => match &order.head.name {
            Some(name) => add(collector, name, What::Order(order), None),
            None => None,
        },
        ItemKind::Phase(phase) => {
            let name = phase.head.name.as_ref();
            let own = name.and_then(|name| add(collector, name, What::Phase(phase), None));
            declare_block(collector, &phase.body, own);
            own
        }
        ItemKind::Define(define) => {
            refuse_names(collector, &define.body, "define");
            add(collector, &define.name, What::Define(define), None)
        }
        ItemKind::Threshold(it) => add(collector, &it.name, What::Threshold(it), None),
        ItemKind::Metric(metric) => add(collector, &metric.name, What::Metric(metric), None),
        ItemKind::Let(it) => add(collector, &it.name, What::Let(it), None),
        ItemKind::Role(role) => add(collector, &role.name, What::Role(role), None),
        ItemKind::Provider(it) => add(collector, &it.name, What::Provider(it), None),
        ItemKind::Rollback(rollback) => {
            declare_block(collector, &rollback.body, None);
            None
        }
        _ => None,
    };
}

fn declare_block<'a>(collector: &mut Collector<'a>, block: &'a Block, phase: Option<DeclId>) {
    for stmt in &block.stmts {
        if let StmtKind::For(each) = &stmt.kind {
            refuse_names(collector, &each.body, "for");
            continue;
        }
        if let Some(name) = own_name(stmt) {
            let what = match &stmt.kind {
                StmtKind::Step(step) => What::Step(step),
                _ => What::Node(stmt),
            };
            add(collector, name, what, phase);
        }
        if let Some(inner) = walk::block(stmt) {
            declare_block(collector, inner, phase);
        }
    }
}

/// The name that a statement declares.
fn own_name(stmt: &Stmt) -> Option<&Ident> {
    match &stmt.kind {
        StmtKind::Rule(_) | StmtKind::Line(_) => None,
        _ => walk::head(stmt)?.name.as_ref(),
    }
}

/// What is copied cannot carry a name: it would stand for each copy.
fn refuse_names<'a>(collector: &mut Collector<'a>, block: &'a Block, word: &str) {
    walk::each_stmt(block, &mut |stmt| {
        if let Some(name) = own_name(stmt) {
            collector.found.push(messages::name_in_copies(name, word));
        }
    });
}

fn add<'a>(
    collector: &mut Collector<'a>,
    name: &'a Ident,
    what: What<'a>,
    phase: Option<DeclId>,
) -> Option<DeclId> {
    if RESERVED.contains(&name.name.as_str()) {
        collector.found.push(messages::reserved_name(name));
        return None;
    }
    if let Some(first) = collector.names.find(&name.name) {
        let message = messages::duplicate_name(name, first);
        collector.found.push(message);
        return None;
    }
    let id = DeclId(u32::try_from(collector.names.decls.len()).unwrap_or(u32::MAX));
    collector.names.by_name.insert(&name.name, id);
    collector.names.decls.push(Decl {
        id,
        name: &name.name,
        span: name.span,
        what,
        phase,
    });
    Some(id)
}

/// Pairs that a reader may take for one another. Names that fold to the same text, or have one slip between them,
/// share either their start or their end, so that only neighbours have to be compared.
fn near_names(names: &Names<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut from_start: Vec<&Decl<'_>> = names.iter().collect();
    from_start.sort_by_key(|decl| decl.name.to_lowercase().replace('_', ""));
    let mut from_end = from_start.clone();
    from_end.sort_by_key(|decl| decl.name.chars().rev().collect::<String>());
    let mut seen = Vec::new();
    for sorted in [&from_start, &from_end] {
        for pair in sorted.windows(2) {
            let [a, b] = pair else { continue };
            let (first, second) = if a.id < b.id { (a, b) } else { (b, a) };
            let known = seen.contains(&(first.id, second.id));
            if !known && near::confusable(first.name, second.name) {
                seen.push((first.id, second.id));
                found.push(messages::names_too_near(first, second));
            }
        }
    }
    found
}
