//! Phases, and the sections in them.

use crate::analyze::context::{Cx, unlinked_node};
use crate::analyze::env::Env;
use crate::analyze::expr::constant;
use crate::analyze::lower::nodes::Draft;
use crate::analyze::lower::options::Word;
use crate::analyze::lower::{Around, People, Place, nodes, options, people, policy, statement};
use crate::analyze::messages::structure as say;
use crate::plan::node::{Edge, EdgeWhy, NodeKind};
use crate::plan::{Policies, Window};
use crate::resolve::order::Why;
use crate::source::Span;
use crate::syntax::ast::{Block, Phase, Section, Setting, StmtKind};

/// A phase with all that is in it.
pub fn phase(cx: &mut Cx<'_, '_>, phase: &Phase, of_plan: &Policies, span: Span) {
    let around = Around {
        parent: None,
        path: String::new(),
        env: Env::default(),
        policies: of_plan.clone(),
        people: People::default(),
        place: Place::Phase,
        owner: None,
        expires_ns: None,
        applies: Vec::new(),
    };
    settings(cx, &phase.body, "a phase", &["window"]);
    let draft = Draft {
        head: &phase.head,
        word: "phase".to_owned(),
        policies: policy::of_block(cx, &around.env, &phase.body, of_plan),
        window: window(cx, &around.env, &phase.body),
        kind: NodeKind::Phase,
        span: phase.head.name.as_ref().map_or(span, |name| name.span),
    };
    let node = nodes::add(cx, &around, draft);
    let edges = edges(cx, phase);
    if let Some(node) = cx.out.nodes.get_mut(node.0 as usize) {
        node.after = edges;
    }
    let inside = nodes::inside(cx, &around, node);
    if phase.body.stmts.is_empty() {
        let at = phase.head.name.as_ref().map_or(span, |name| name.span);
        cx.report(say::nothing_in("a phase", at, "something to be done"));
    }
    statement::block(cx, &inside, &phase.body);
}

pub fn section(cx: &mut Cx<'_, '_>, around: &Around, section: &Section, span: Span) {
    let allowed = [
        Word::By,
        Word::Within,
        Word::Owner,
        Word::Expires,
        Word::Window,
        Word::After,
        Word::On,
    ];
    options::check(cx, &section.options, "a section", &allowed);
    let around = &options::with_own(cx, around, &section.options);
    settings(cx, &section.body, "a section", &["window"]);
    let env = &around.env;
    let policies = policy::of_block(cx, env, &section.body, &around.policies);
    let behind = options::window(cx, env, &section.options);
    let draft = Draft {
        head: &section.head,
        word: "section".to_owned(),
        policies: options::policies(cx, env, &section.options, &policies),
        window: behind.or_else(|| window(cx, env, &section.body)),
        kind: NodeKind::Section,
        span,
    };
    let node = nodes::add(cx, around, draft);
    options::wait(cx, node, &section.options);
    let mut inside = nodes::inside(cx, around, node);
    inside.people = people::people(cx, around, &section.options);
    if section.body.stmts.is_empty() {
        cx.report(say::nothing_in("a section", span, "something to be done"));
    }
    statement::block(cx, &inside, &section.body);
}

/// Reports settings that a block does not take, and those that stand twice.
pub fn settings(cx: &mut Cx<'_, '_>, block: &Block, noun: &str, allowed: &[&str]) {
    let mut seen: Vec<&Setting> = Vec::new();
    for stmt in &block.stmts {
        let StmtKind::Setting(setting) = &stmt.kind else {
            continue;
        };
        if !allowed.contains(&setting.word.name.as_str()) {
            cx.report(say::unknown_setting(&setting.word, noun, allowed));
            continue;
        }
        match seen
            .iter()
            .find(|first| first.word.name == setting.word.name)
        {
            Some(first) => {
                cx.report(say::doubled(
                    &setting.word.name,
                    setting.word.span,
                    first.word.span,
                ));
            }
            None => seen.push(setting),
        }
    }
}

fn window(cx: &mut Cx<'_, '_>, env: &Env, block: &Block) -> Option<Window> {
    let written = block.stmts.iter().find_map(|stmt| match &stmt.kind {
        StmtKind::Setting(setting) if setting.word.name == "window" => Some(&setting.value),
        _ => None,
    })?;
    let (from, to) = constant::interval(cx, env, written, "a window")?;
    Some(Window { from, to })
}

/// What the phase waits for, by `order` and by its own `after`.
fn edges(cx: &mut Cx<'_, '_>, phase: &Phase) -> Vec<Edge> {
    let Some(name) = &phase.head.name else {
        return Vec::new();
    };
    let Some(own) = cx.g.names.find(&name.name).map(|decl| decl.id) else {
        return Vec::new();
    };
    let order = &cx.g.order;
    let waits: Vec<_> = order
        .edges
        .iter()
        .filter(|edge| edge.to == own)
        .copied()
        .collect();
    let mut edges: Vec<Edge> = Vec::new();
    for wait in waits {
        let from = unlinked_node(wait.from);
        if edges.iter().any(|edge| edge.from == from) {
            continue;
        }
        edges.push(Edge {
            from,
            why: match wait.why {
                Why::Order => EdgeWhy::Order,
                Why::After => EdgeWhy::After,
            },
            loc: cx.loc(wait.span),
        });
    }
    edges
}
