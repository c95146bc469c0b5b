//! All items of a plan, one after the other: first what others refer to, then what is carried out.

use crate::analyze::context::{CanaryInfo, Cx, Fragment, Globals, MetricInfo};
use crate::analyze::extent::Room;
use crate::analyze::files::Files;
use crate::analyze::invariant;
use crate::analyze::items::{handler, input, lets, metric, order, provider, role};
use crate::analyze::link::{Piece, Product};
use crate::analyze::lower::{define, phase, rollback, threshold, watch};
use crate::analyze::messages::{extent, structure as say};
use crate::analyze::plan_item;
use crate::analyze::plan_item::PlanSettings;
use crate::diagnostics::Diagnostic;
use crate::plan;
use crate::plan::Plan;
use crate::resolve;
use crate::resolve::messages;
use crate::resolve::names::{DeclId, What};
use crate::resolve::{names, references, walk};
use crate::source::{FileId, Sources, Span};
use crate::syntax::ast::{File, Ident, Item, ItemKind, PlanItem, StmtKind, StringPart};
use crate::syntax::scan::DEPTH_MAX;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Everything that is known before the pieces are put together.
pub struct Analysis {
    /// The plan but for its pieces; `None` without a `plan` item.
    pub plan: Option<Plan>,
    pub pieces: Vec<Piece>,
    pub found: Vec<Diagnostic>,
}

pub fn analysis<'a>(sources: &'a Sources, parsed: &'a [File], files: &'a dyn Files) -> Analysis {
    let items: Vec<&'a Item> = parsed.iter().flat_map(|file| &file.items).collect();
    let (names, mut found) = names::declare(items.iter().copied());
    let (order, more) = resolve::order::place(items.iter().copied(), &names);
    found.extend(more);
    found.extend(references::check(items.iter().copied()));
    let plan = the_plan(&items, parsed, &mut found);
    one_rollback(&items, &mut found);
    let mut g = Globals {
        sources,
        files,
        names,
        order,
        plan: PlanSettings {
            zone: plan.and_then(plan_item::zone),
            ..PlanSettings::default()
        },
        metrics: HashMap::new(),
        lets: HashMap::new(),
        canaries: Vec::new(),
        room: Room::default(),
    };
    let mut pieces = Vec::new();
    if let Some(plan) = plan {
        let mut cx = Cx::new(&g);
        let settings = plan_item::read(&mut cx, plan);
        plan_item::policies(&mut cx, Some(plan));
        found.append(&mut cx.out.found);
        g.plan = settings;
    }
    g.canaries = canaries(&items, &g);
    metrics(&mut g, &mut pieces, &mut found);
    lets(&mut g, &mut pieces, &mut found);
    let without_room = |piece: &Piece| piece.fragment.too_large.is_some();
    let too_deep = pieces.iter().any(without_room);
    let taken = g.room.taken();
    let rest = items.par_iter().map(|item| piece(&g, item, plan));
    let rest: Vec<Option<Piece>> = rest.collect();
    if too_deep || g.room.is_full() {
        g.room.back_to(taken);
        found.extend(crowded(&g, pieces, &items, plan));
        return Analysis {
            plan: None,
            pieces: Vec::new(),
            found,
        };
    }
    pieces.extend(rest.into_iter().flatten());
    found.extend(unused(&g, &pieces));
    Analysis {
        plan: plan.map(|plan| header(plan, &g.plan)),
        pieces,
        found,
    }
}

/// Which item finds no room depends on which come before it: here those before it in the text. What is behind it is not
/// looked at.
fn crowded(
    g: &Globals<'_>,
    pieces: Vec<Piece>,
    items: &[&Item],
    plan: Option<&PlanItem>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let rest = items.iter().filter_map(|item| piece(g, item, plan));
    for piece in pieces.into_iter().chain(rest) {
        if let Some(too_large) = piece.fragment.too_large {
            found.push(too_large);
            break;
        }
        found.extend(piece.fragment.found);
    }
    found
}

/// One item by itself; metrics and `let`s have been read before, because others depend on them.
pub fn piece(g: &Globals<'_>, item: &Item, plan: Option<&PlanItem>) -> Option<Piece> {
    let mut cx = Cx::new(g);
    let product = match &item.kind {
        ItemKind::Input(it) => Product::Input(input::input(&mut cx, it)),
        ItemKind::Role(it) => Product::Role(role::role(&mut cx, it)),
        ItemKind::Provider(it) => Product::Provider(provider::provider(&mut cx, it)),
        ItemKind::Order(it) => {
            let phases = g.order.phases_of(it);
            match order::order(&mut cx, it, &phases, item.span) {
                Some(order) => Product::Order(order),
                None => Product::Nothing,
            }
        }
        ItemKind::Phase(it) => {
            let policies = plan_item::policies(&mut cx, plan);
            phase::phase(&mut cx, it, &policies, item.span);
            Product::Nothing
        }
        ItemKind::Watch(it) => match watch::watch(&mut cx, it, item.span) {
            Some(watch) => Product::Watch(watch),
            None => Product::Nothing,
        },
        ItemKind::Rollback(it) => {
            match rollback::rollback(&mut cx, it, keyword(item, "rollback")) {
                Some(rollback) => Product::Rollback(rollback),
                None => Product::Nothing,
            }
        }
        ItemKind::On(it) => match handler::handler(&mut cx, it) {
            Some(handler) => Product::Handler(handler),
            None => Product::Nothing,
        },
        ItemKind::Define(it) => {
            define::check(&mut cx, it);
            cx.out.used.clear();
            Product::Nothing
        }
        ItemKind::Threshold(it) => {
            threshold::check(&mut cx, it);
            cx.out.used.clear();
            Product::Nothing
        }
        ItemKind::Scenario(_) => {
            cx.report(say::scenario_in_plan(keyword(item, "scenario")));
            Product::Nothing
        }
        ItemKind::Invariant(it) => {
            invariant::check(&mut cx, it, keyword(item, "invariant"));
            Product::Nothing
        }
        // Tests are no part of the plan: they are tried on it.
        ItemKind::Plan(_)
        | ItemKind::Metric(_)
        | ItemKind::Let(_)
        | ItemKind::Test(_)
        | ItemKind::Junk => return None,
    };
    Some(Piece {
        fragment: cx.out,
        product,
    })
}

/// The word with which an item begins.
fn keyword(item: &Item, word: &str) -> Span {
    let length = u32::try_from(word.len()).unwrap_or(0);
    Span {
        end: item.span.start.saturating_add(length),
        ..item.span
    }
}

fn the_plan<'a>(
    items: &[&'a Item],
    parsed: &[File],
    found: &mut Vec<Diagnostic>,
) -> Option<&'a PlanItem> {
    let mut plans = items.iter().filter_map(|item| match &item.kind {
        ItemKind::Plan(plan) => Some(plan),
        _ => None,
    });
    let first = plans.next();
    for again in plans {
        if let Some(first) = first {
            found.push(say::item_twice("plan", again.name.span, first.name.span));
        }
    }
    let broken = items.iter().any(|item| item.kind == ItemKind::Junk);
    if first.is_none() && !broken {
        let version = parsed.iter().find_map(|file| file.version.as_ref());
        let at = version.map_or(Span::new(FileId(0), 0, 0), |version| version.span);
        found.push(say::no_plan(at));
    }
    let is_phase = |item: &&Item| matches!(item.kind, ItemKind::Phase(_));
    if let Some(plan) = first
        && !broken
        && !items.iter().any(is_phase)
    {
        let hint = "a `phase` with what is to be done";
        found.push(say::nothing_in("the plan", plan.name.span, hint));
    }
    first
}

fn one_rollback(items: &[&Item], found: &mut Vec<Diagnostic>) {
    let rollbacks = items
        .iter()
        .filter(|item| matches!(item.kind, ItemKind::Rollback(_)));
    let spans: Vec<Span> = rollbacks.map(|item| keyword(item, "rollback")).collect();
    if let [first, others @ ..] = spans.as_slice() {
        for again in others {
            found.push(say::item_twice("rollback", *again, *first));
        }
    }
}

fn canaries(items: &[&Item], g: &Globals<'_>) -> Vec<CanaryInfo> {
    let mut canaries = Vec::new();
    for item in items {
        let ItemKind::Phase(phase) = &item.kind else {
            continue;
        };
        let name = phase.head.name.as_ref();
        let Some(phase_id) = name
            .and_then(|name| g.names.find(&name.name))
            .map(|decl| decl.id)
        else {
            continue;
        };
        walk::each_stmt(&phase.body, &mut |stmt| {
            if let StmtKind::Canary(canary) = &stmt.kind
                && let Some(step) = g.names.find(&canary.target.name)
                && matches!(step.what, What::Step(_))
            {
                canaries.push(CanaryInfo {
                    step: step.id,
                    phase: phase_id,
                });
            }
        });
    }
    canaries
}

fn metrics(g: &mut Globals<'_>, pieces: &mut Vec<Piece>, found: &mut Vec<Diagnostic>) {
    let declared: Vec<_> = g
        .names
        .iter()
        .filter_map(|decl| match decl.what {
            What::Metric(metric) => Some((decl.id, metric)),
            _ => None,
        })
        .collect();
    for (index, (id, metric)) in declared.iter().enumerate() {
        g.metrics
            .insert(*id, metric::signature(metric, number(index)));
    }
    let ids: Vec<DeclId> = declared.iter().map(|(id, _)| *id).collect();
    let mut known: Vec<(DeclId, MetricInfo)> = Vec::new();
    for (index, (id, metric)) in declared.iter().enumerate() {
        let mut cx = Cx::new(g);
        let (lowered, info) = metric::metric(&mut cx, metric, number(index), &ids);
        known.push((*id, info));
        pieces.push(Piece {
            fragment: cx.out,
            product: lowered.map_or(Product::Nothing, Product::Metric),
        });
    }
    g.metrics.extend(known);
    let endless = metric::inherit(&mut g.metrics);
    let named = |id: &DeclId| {
        let decl = g.names.get(*id)?;
        Some(Ident {
            name: decl.name.to_owned(),
            span: decl.span,
        })
    };
    for name in endless.circular.iter().filter_map(named) {
        found.push(messages::recursive(&name, name.span, "metric"));
    }
    // One is enough.
    for name in endless.too_deep.iter().filter_map(named).take(1) {
        let mut fragment = Fragment::default();
        fragment.too_large = Some(extent::metric_too_deep(&name, DEPTH_MAX));
        pieces.push(Piece {
            fragment,
            product: Product::Nothing,
        });
    }
}

fn lets(g: &mut Globals<'_>, pieces: &mut Vec<Piece>, found: &mut Vec<Diagnostic>) {
    let (declared, circular) = lets::in_order(&g.names);
    found.extend(circular);
    let mut read = 0;
    for decl in declared {
        let What::Let(it) = decl.what else { continue };
        let mut cx = Cx::new(g);
        let lowered = lets::lower(&mut cx, it, read);
        let product = match lowered.read {
            Some(own) => {
                read += 1;
                Product::Let(own)
            }
            None => Product::Nothing,
        };
        pieces.push(Piece {
            fragment: cx.out,
            product,
        });
        g.lets.insert(decl.id, lowered.typed);
    }
}

/// What is declared and never used. A name that only itself uses is reported as circular.
fn unused(g: &Globals<'_>, pieces: &[Piece]) -> Vec<Diagnostic> {
    let used: BTreeSet<DeclId> = pieces
        .iter()
        .flat_map(|piece| &piece.fragment.used)
        .copied()
        .collect();
    g.names
        .iter()
        .filter(|decl| !used.contains(&decl.id))
        .filter(|decl| {
            matches!(
                decl.what,
                What::Input(_)
                    | What::Define(_)
                    | What::Threshold(_)
                    | What::Metric(_)
                    | What::Let(_)
                    | What::Role(_)
                    | What::Provider(_)
            )
        })
        .map(|decl| say::unused(decl.what.noun(), decl.name, decl.span))
        .collect()
}

fn header(plan: &PlanItem, settings: &PlanSettings) -> Plan {
    let title = plan.title.as_ref().map(|title| {
        let texts = title.parts.iter().filter_map(|part| match part {
            StringPart::Text(text) => Some(text.as_str()),
            StringPart::Interpolation(_) => None,
        });
        texts.collect::<String>()
    });
    Plan {
        semantics: plan::SEMANTICS,
        language: 1,
        name: plan.name.name.clone(),
        title: title.unwrap_or_else(|| plan.name.name.clone()),
        window: settings.window,
        freezes: settings.freezes.clone(),
        deadline_ns: settings.deadline_ns,
        concurrent: settings.concurrent,
        sample_ns: settings.sample_ns,
        inputs: Vec::new(),
        providers: Vec::new(),
        roles: Vec::new(),
        metrics: Vec::new(),
        lets: Vec::new(),
        nodes: Vec::new(),
        orders: Vec::new(),
        watches: Vec::new(),
        rollback: None,
        handlers: Vec::new(),
        files: BTreeMap::new(),
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
