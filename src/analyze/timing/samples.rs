//! Whether there are enough samples for a pass, in the time that a check has.

use crate::analyze::order::check::name;
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::timing::{
    FOR_LONGER_THAN_HOLD, HOLD_TOO_SHORT, LOOKBACK_EXCEEDS_STAGE, NO_SLACK,
};
use crate::plan::MetricSource;
use crate::plan::Plan;
use crate::plan::expr::{Comparison, Expr};
use crate::plan::facts::SampleCount;
use crate::plan::node::{Check, CheckMode, Node, NodeKind};
use crate::plan::walk::{comparisons, of_stmts, reads, sides};
use crate::units::show::duration_ns;

/// For each check that has to hold for a time.
pub fn counts(plan: &Plan) -> Vec<SampleCount> {
    let mut found = Vec::new();
    for node in &plan.nodes {
        let NodeKind::Check(check) = &node.kind else {
            continue;
        };
        let Some((ns, lookback_ns)) = window(plan, node, check) else {
            continue;
        };
        found.push(SampleCount {
            node: node.id,
            needed: check.samples,
            possible: possible(ns, plan.sample_ns, lookback_ns),
            lookback_ns,
        });
    }
    found
}

pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for count in counts(plan) {
        let Some(node) = plan.node(count.node) else {
            continue;
        };
        let NodeKind::Check(check) = &node.kind else {
            continue;
        };
        let (ns, _) = window(plan, node, check).unwrap_or_default();
        if let CheckMode::Stage { for_ns } = check.mode
            && for_ns > ns
        {
            found.push(for_too_long(places, node, for_ns, ns));
        } else if count.lookback_ns >= ns {
            found.push(looks_too_far(places, node, count.lookback_ns, ns));
        } else if count.possible < count.needed {
            found.push(too_few(plan, places, node, &count, ns));
        } else if count.possible == count.needed && count.needed > 1 {
            found.push(no_slack(places, node, &count, ns));
        }
        let compared = comparisons(&check.body).into_iter();
        let compared = compared.filter_map(|one| too_few_windows(plan, places, one, &count, ns));
        found.extend(compared.take(1));
    }
    found
}

/// How many samples lie in a time, on a grid that begins with it, when the first may not look back before it.
pub fn possible(ns: i64, sample_ns: i64, lookback_ns: i64) -> u32 {
    let sample_ns = sample_ns.max(1);
    let first = lookback_ns / sample_ns + i64::from(lookback_ns % sample_ns > 0);
    let last = ns / sample_ns;
    u32::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(0)
}

/// The time that a check has, and how far back its answers look where that may not reach before it.
fn window(plan: &Plan, node: &Node, check: &Check) -> Option<(i64, i64)> {
    match check.mode {
        CheckMode::Once => None,
        CheckMode::Within { ns } | CheckMode::For { ns } => Some((ns, 0)),
        CheckMode::Stage { .. } => {
            let stage = stage_of(plan, node)?;
            Some((stage, lookback_ns(plan, check)))
        }
    }
}

/// How long the stage around a check is held.
fn stage_of(plan: &Plan, node: &Node) -> Option<i64> {
    let mut around = crate::analyze::order::data::parents(plan, node.id);
    around.find_map(|id| match &plan.node(id)?.kind {
        NodeKind::Stage(stage) => Some(stage.hold_ns),
        _ => None,
    })
}

fn lookback_ns(plan: &Plan, check: &Check) -> i64 {
    lookback_of(plan, of_stmts(&check.body))
}

fn lookback_of<'p>(plan: &'p Plan, exprs: impl IntoIterator<Item = &'p Expr>) -> i64 {
    let metrics = reads(plan, exprs).metrics;
    let looks = metrics.iter().filter_map(|(metric, _)| {
        match &plan.metrics.get(*metric as usize)?.source {
            MetricSource::Query { lookback_ns, .. } => Some(*lookback_ns),
            MetricSource::Derived(_) => None,
        }
    });
    looks.max().unwrap_or(0)
}

fn too_few(plan: &Plan, places: &Places, node: &Node, count: &SampleCount, ns: i64) -> Diagnostic {
    let message = format!(
        "{} needs {} samples, and {} has room for {}",
        name(node),
        count.needed,
        duration_ns(ns),
        count.possible
    );
    let mut why = format!("one sample every {}", duration_ns(plan.sample_ns));
    if count.lookback_ns > 0 {
        why.push_str(&format!(
            ", and the first counts after {}, when its answer no longer looks back before the stage",
            duration_ns(count.lookback_ns)
        ));
    }
    let needed_ns = plan
        .sample_ns
        .saturating_mul(i64::from(count.needed) - 1)
        .saturating_add(count.lookback_ns);
    Diagnostic::new(&HOLD_TOO_SHORT, places.span(node.loc), message)
        .label("can never pass")
        .help(format!(
            "make it at least {}, sample more often, or ask for fewer samples",
            duration_ns(needed_ns)
        ))
        .note(why)
}

/// The first window ends when nothing that is read looks back before the stage, and each needs its own time from then on.
fn too_few_windows(
    plan: &Plan,
    places: &Places,
    comparison: &Comparison,
    count: &SampleCount,
    ns: i64,
) -> Option<Diagnostic> {
    let sample_ns = plan.sample_ns.max(1);
    let up = |ns: i64| ns.saturating_add(sample_ns - 1) / sample_ns * sample_ns;
    let window_ns = up(lookback_of(plan, sides(comparison)).max(1));
    let room = (ns - up(count.lookback_ns)) / window_ns + 1;
    let needed = i64::from(comparison.windows);
    if ns < up(count.lookback_ns) || room >= needed {
        return None;
    }
    let needed_ns = window_ns
        .saturating_mul(needed - 1)
        .saturating_add(up(count.lookback_ns));
    let message = format!(
        "`{}` needs {needed} windows of {}, and {} has room for {room}",
        comparison.text,
        duration_ns(window_ns),
        duration_ns(ns),
    );
    let found = Diagnostic::new(&HOLD_TOO_SHORT, places.span(comparison.loc), message);
    Some(
        found
            .label("can never pass")
            .help(format!("hold it for at least {}", duration_ns(needed_ns)))
            .note(
                "windows that overlap are not independent: each is as long as the query looks back",
            ),
    )
}

fn no_slack(places: &Places, node: &Node, count: &SampleCount, ns: i64) -> Diagnostic {
    let message = format!(
        "{}: {} of {} samples in {}: no slack",
        name(node),
        count.needed,
        count.possible,
        duration_ns(ns)
    );
    Diagnostic::new(&NO_SLACK, places.span(node.loc), message)
        .note("one sample without an answer makes it inconclusive")
}

fn looks_too_far(places: &Places, node: &Node, lookback_ns: i64, hold_ns: i64) -> Diagnostic {
    let message = format!(
        "{} looks back {}, and its stage is held for {}",
        name(node),
        duration_ns(lookback_ns),
        duration_ns(hold_ns)
    );
    Diagnostic::new(&LOOKBACK_EXCEEDS_STAGE, places.span(node.loc), message)
        .label("judges what was before the stage")
        .help("hold the stage for longer, or shorten the range of the query")
}

fn for_too_long(places: &Places, node: &Node, for_ns: i64, hold_ns: i64) -> Diagnostic {
    let message = format!(
        "{} has to hold for {}, and its stage is held for {}",
        name(node),
        duration_ns(for_ns),
        duration_ns(hold_ns)
    );
    Diagnostic::new(&FOR_LONGER_THAN_HOLD, places.span(node.loc), message)
        .label("can never pass")
        .help("hold the stage for at least as long")
}
