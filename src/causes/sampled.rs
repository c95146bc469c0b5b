//! Evidence of a judgement: its samples, and what was asked for the one that decided.

use crate::causes::chain::{Evidence, Question};
use crate::causes::trace::{Of, Shot, Trace};
use crate::engine::metric::scope_word;
use crate::plan::expr::{Expr, Scope, Stmt};
use crate::plan::node::{Node, NodeKind};
use crate::plan::walk::{Reads, clauses, each, of_stmts, reads};
use crate::plan::{LocId, Plan};
use crate::values::{Instant, Value, Verdict};

/// So many samples at each end of a row of equal ones are shown.
const ENDS: usize = 2;
/// As many rows as tell how it came about, the newest.
const ROWS_MAX: usize = 3;
const QUESTIONS_MAX: usize = 6;

/// The newest samples of one clause, in rows of equal verdicts; long rows without their middle.
pub fn samples(shots: &[&Shot]) -> Vec<Evidence> {
    let mut rows: Vec<Vec<&Shot>> = Vec::new();
    for shot in shots {
        match rows.last_mut() {
            Some(row)
                if row
                    .last()
                    .is_some_and(|last| last.sampled.verdict == shot.sampled.verdict) =>
            {
                row.push(shot);
            }
            _ => rows.push(vec![shot]),
        }
    }
    let skipped = rows.len().saturating_sub(ROWS_MAX);
    rows.iter()
        .skip(skipped)
        .flat_map(|row| shortened(row))
        .collect()
}

fn shortened(row: &[&Shot]) -> Vec<Evidence> {
    let sample = |shot: &&Shot| Evidence::Sample(shot.sampled.clone());
    let count = row.len().saturating_sub(2 * ENDS);
    if count <= 1 {
        return row.iter().map(sample).collect();
    }
    let head = row.iter().take(ENDS).map(sample);
    let tail = row.iter().skip(row.len() - ENDS).map(sample);
    head.chain([Evidence::Alike { count }])
        .chain(tail)
        .collect()
}

/// The clauses of a node that were not passed at its newest sample, each with its place.
pub fn guilty<'t>(trace: &'t Trace, node: &Node) -> Vec<(LocId, Vec<&'t Shot>)> {
    let all = of_clauses(trace, node);
    let newest = all.iter().filter_map(|(_, shots)| shots.last());
    let newest = newest.map(|shot| shot.sampled.at).max();
    let is_bad = |shots: &Vec<&Shot>| {
        let last = shots.last().map(|shot| &shot.sampled);
        last.is_some_and(|last| last.verdict != Verdict::Pass && Some(last.at) == newest)
    };
    all.into_iter().filter(|(_, shots)| is_bad(shots)).collect()
}

/// The samples of a node by its clauses. One line of the plan may stand for several, in a `for`: what they measure tells
/// them apart.
pub fn of_clauses<'t>(trace: &'t Trace, node: &Node) -> Vec<(LocId, Vec<&'t Shot>)> {
    let what = |shot: &Shot| shot.sampled.measured.first().map(|it| it.what.clone());
    let mut found: Vec<(LocId, Vec<&Shot>)> = Vec::new();
    for shot in trace.shots_of(Of::Node(node.id)) {
        let is_it = |(loc, shots): &&mut (LocId, Vec<&Shot>)| {
            *loc == shot.loc && shots.last().is_some_and(|last| what(last) == what(shot))
        };
        match found.iter_mut().find(is_it) {
            Some((_, shots)) => shots.push(shot),
            None => found.push((shot.loc, vec![shot])),
        }
    }
    found
}

/// What was asked for a condition at an instant, as it was sent.
pub fn questions(trace: &Trace, reads: &Reads, at: Instant) -> Vec<Evidence> {
    let asked = trace.questions.values();
    let asked = asked.filter(|question| question.at == at && is_among(trace.plan, reads, question));
    let asked = asked.cloned().map(Evidence::Question);
    asked.take(QUESTIONS_MAX).collect()
}

/// What the clause at this place reads. One with names of its body may read whatever the body does.
pub fn reads_at<'p>(plan: &'p Plan, node: &'p Node, loc: LocId) -> Reads<'p> {
    let body: &[Stmt] = match &node.kind {
        NodeKind::Check(check) => &check.body,
        NodeKind::Step(step) => &step.post,
        _ => &[],
    };
    let found = clauses(body);
    let clause = found.into_iter().find(|clause| clause.loc == loc);
    match clause {
        Some(clause) if !has_locals(&clause.condition) => reads(plan, [&clause.condition]),
        _ => reads(plan, of_stmts(body)),
    }
}

fn has_locals(expr: &Expr) -> bool {
    let mut found = false;
    each(expr, &mut |part| found |= matches!(part, Expr::Local(_)));
    found
}

fn is_among(plan: &Plan, reads: &Reads, question: &Question) -> bool {
    let call = &question.call;
    let says = |name: &str, wanted: &str| matches!(call.args.get(name), Some(Value::String(text)) if text == wanted);
    let is_metric = |(metric, scope): &(u32, Scope)| {
        let metric = plan.metrics.get(*metric as usize);
        metric.is_some_and(|metric| says("metric", &metric.name))
            && says("scope", scope_word(scope))
    };
    let is_call = reads
        .calls
        .iter()
        .any(|made| made.provider == call.provider && made.function == call.function);
    is_call || reads.metrics.iter().any(is_metric)
}
