//! What ended a run, or made it stand still.

use crate::causes::chain::{Evidence, Link, words};
use crate::causes::trace::Trace;
use crate::causes::{item, rule};
use crate::engine::ending::{By, Ending};
use crate::engine::pause::{Cause, Holds};
use crate::engine::protocol::{Actor, EventKind};

use crate::plan::print::watched::policy;
use crate::units::show::duration_ns;
use crate::values::{Instant, Verdict, show};

pub fn why(trace: &Trace, ending: &Ending) -> Link {
    let since = ending.since;
    match &ending.by {
        By::Trouble(cause) => after_pause(trace, *cause, since),
        By::Abort(by) => asked(trace, by, "stopped", since),
        By::Request(by) => asked(trace, by, "asked for the rollback of", since),
        By::Deadline => {
            let deadline = trace.plan.deadline_ns.map(duration_ns).unwrap_or_default();
            let started = trace.state.run.as_ref().map(|run| trace.time(run.started));
            let what = format!("the deadline of the plan, {deadline}, was over");
            let started = words(format!(
                "the run started at {}",
                started.unwrap_or_default()
            ));
            let link = Link::new(what).at(Some(since)).with([started]);
            link.from(item::interrupted(trace, since))
        }
        By::Window => {
            let end = trace.plan.window.map(|window| show::instant(window.to));
            let what = format!(
                "the window of the plan ended at {}",
                end.unwrap_or_default()
            );
            let link = Link::new(what).at(Some(since));
            link.from(item::interrupted(trace, since))
        }
        By::Nothing => Link::new("nothing in the plan could go on").at(Some(since)),
    }
}

/// The trouble itself, without the pauses that it led to.
pub fn trouble(trace: &Trace, cause: Cause, by: Instant) -> Link {
    match cause {
        Cause::Node(id) => item::trouble(trace, id),
        Cause::Rule { watch, rule } => rule::fired(trace, watch, rule, by),
        Cause::Blind { watch } => rule::blind(trace, watch, by),
    }
}

/// A pause that goes on: for what, until when, and what ends it.
pub fn standing(trace: &Trace, cause: Cause) -> Option<Link> {
    let pausing = trace.pause_of(cause, trace.now)?;
    let pause = &pausing.pause;
    let what = match (pause.holds, cause) {
        (Holds::Run, _) => "the run stands still: a pause began".to_owned(),
        (Holds::Item, Cause::Node(id)) => {
            let name = trace.plan.node(id).map(item::name).unwrap_or_default();
            format!("{name} has more time")
        }
        (Holds::Item, _) => "it has more time".to_owned(),
    };
    let until = crate::engine::pause::until(&trace.state, pause);
    let left = duration_ns(whole_seconds(until.since(trace.now).max(0)));
    let then = format!(
        "until {}, in {left}; then {}",
        trace.time(until),
        policy(&pause.then)
    );
    let link = Link::new(what).at(Some(pause.since)).with([words(then)]);
    Some(
        link.with(go_on(trace, cause))
            .from([trouble(trace, cause, trace.now)]),
    )
}

fn go_on(trace: &Trace, cause: Cause) -> Option<Evidence> {
    let id = match cause {
        Cause::Node(id) => id,
        Cause::Rule { watch, .. } | Cause::Blind { watch } => {
            trace.plan.watches.get(watch as usize)?.from
        }
    };
    let address = crate::engine::view::address(trace.plan.node(id)?);
    let run = trace.run();
    Some(Evidence::Command(format!(
        "deployc continue {run} {address} --reason WHY"
    )))
}

/// What led to an end may have been paused for first.
fn after_pause(trace: &Trace, cause: Cause, at: Instant) -> Link {
    let found = trouble(trace, cause, at).with(policy_words(trace, cause));
    let over = trace.pause_of(cause, at).filter(|old| old.over == Some(at));
    let Some(old) = over else {
        return found;
    };
    let pause = &old.pause;
    // One that ended early was taken back for something worse, which the trouble says.
    if old.until > at {
        return found;
    }
    let took = duration_ns(whole_seconds(at.since(pause.since)));
    let what = format!("a pause was over after {took}, and its cause had not passed");
    let words = words(format!(
        "paused from {} to {}: {}; then {}",
        trace.time(pause.since),
        trace.time(at),
        pause.reason,
        policy(&pause.then)
    ));
    Link::new(what).at(Some(at)).with([words]).from([found])
}

/// What the plan says to do about an item, for the verdict that it has.
fn policy_words(trace: &Trace, cause: Cause) -> Option<Evidence> {
    let Cause::Node(id) = cause else {
        return None;
    };
    let (node, state) = item::find(trace, id)?;
    let (word, written) = match state.verdict? {
        Verdict::Fail => ("fail", &node.policies.fail),
        Verdict::Error => ("error", &node.policies.error),
        Verdict::Inconclusive => ("inconclusive", &node.policies.inconclusive),
        _ => return None,
    };
    let written = written.as_ref().map(policy)?;
    Some(words(format!("the plan says: on {word} {written}")))
}

fn asked(trace: &Trace, by: &Actor, verb: &str, at: Instant) -> Link {
    let event = trace.events.iter().find(|event| {
        event.at == at
            && matches!(
                event.kind,
                EventKind::Aborted { .. } | EventKind::RollbackAsked { .. }
            )
    });
    let reason = event.map(|event| match &event.kind {
        EventKind::Aborted { reason, .. } | EventKind::RollbackAsked { reason, .. } => {
            reason.as_str()
        }
        _ => "",
    });
    let what = format!("{} {verb} the run", by.user);
    let said = Evidence::Moment {
        at,
        words: format!(
            "{} on {}: {}",
            by.user,
            by.host,
            reason.unwrap_or("no reason was given")
        ),
    };
    Link::new(what).at(Some(at)).with([said])
}

/// For people: no fractions.
pub fn whole_seconds(ns: i64) -> i64 {
    const SECOND_NS: i64 = 1_000_000_000;
    match ns >= SECOND_NS {
        true => ns / SECOND_NS * SECOND_NS,
        false => ns,
    }
}
