//! Rules of watches: why one fired, or has not.

use crate::causes::chain::{Evidence, Link, Tie, words};
use crate::causes::sampled::{questions, samples};
use crate::causes::trace::{Of, Shot, Trace};
use crate::engine::state::Life;
use crate::engine::watch::{Range, RuleState};
use crate::plan::walk::reads;
use crate::plan::{Rule, Watch};
use crate::units::show::duration_ns;
use crate::values::{Instant, Verdict, show};

pub fn why(trace: &Trace, watch: u32, rule: u32) -> Link {
    let Some((of_watch, of_plan, state)) = find(trace, watch, rule) else {
        return Link::new("there is no such rule");
    };
    let name = format!("{} of the watch \"{}\"", name(of_plan), of_watch.title);
    let shots = trace.shots_of(Of::Rule { watch, rule });
    if state.fires > 0 {
        return fired(trace, watch, rule, trace.now);
    }
    let link = Link::new(format!("{name} did not fire")).loc(Some(of_plan.loc));
    let link = link.with(samples(&shots)).with(bound(of_plan));
    let link = link.with(newest_questions(trace, of_plan, &shots));
    match (state.range, shots.last()) {
        (Range::Outside, None) => link.with([words("it was never there to be asked")]),
        (_, None) => link.with([words("it was never judged")]),
        (_, Some(last)) => link.at(Some(last.sampled.at)),
    }
}

/// Of a watch: each of its rules that fired or is blind; all of them where none is.
pub fn why_watch(trace: &Trace, watch: u32) -> Link {
    let plan = trace.plan.watches.get(watch as usize);
    let state = trace.state.watches.get(watch as usize);
    let Some((plan, state)) = plan.zip(state) else {
        return Link::new("it has not begun");
    };
    let stand = match (state.life, state.verdict) {
        (Life::Waiting, _) => "has not begun".to_owned(),
        (Life::Running, _) => "is running".to_owned(),
        (Life::Ended, verdict) => format!("ended: {}", verdict.map_or("no verdict", show::word)),
    };
    let told = |rule: &RuleState| rule.fires > 0 || rule.blind_since.is_some();
    let some = state.rules.iter().any(told);
    let rules = (0u32..).zip(&state.rules);
    let rules = rules.filter(|(_, rule)| told(rule) || !some);
    let rules = rules.map(|(rule, state)| match told(state) {
        true => why(trace, watch, rule),
        false => quiet(trace, watch, rule),
    });
    let rules: Vec<Link> = rules.collect();
    let link = Link::new(format!("the watch \"{}\" {stand}", plan.title));
    link.loc(Some(plan.loc)).from(rules)
}

/// One that did not fire, in short.
fn quiet(trace: &Trace, watch: u32, rule: u32) -> Link {
    let name = find(trace, watch, rule).map(|(_, rule, _)| name(rule));
    let link = Link::new(format!("{} did not fire", name.unwrap_or_default()));
    let shots = trace.shots_of(Of::Rule { watch, rule });
    let newest = shots
        .last()
        .map(|shot| Evidence::Sample(shot.sampled.clone()));
    link.tied(Tie::Part).with(newest)
}

/// Why it fired, as it was known by then.
pub fn fired(trace: &Trace, watch: u32, rule: u32, by: Instant) -> Link {
    let Some((of_watch, of_plan, _)) = find(trace, watch, rule) else {
        return Link::new("a rule fired");
    };
    let shots = trace.shots_of(Of::Rule { watch, rule });
    let shots: Vec<&Shot> = shots
        .into_iter()
        .filter(|shot| shot.sampled.at <= by)
        .collect();
    let last = shots
        .iter()
        .rposition(|shot| shot.sampled.verdict == Verdict::Fail);
    let shots = shots.get(..=last.unwrap_or(0)).unwrap_or(&[]);
    let is_it =
        |(at, of, number): &&(Instant, u32, u32)| (*of, *number) == (watch, rule) && *at <= by;
    let newest = trace.fired.iter().rev().find(is_it);
    let what = format!(
        "{} of the watch \"{}\" fired",
        name(of_plan),
        of_watch.title
    );
    Link::new(what)
        .at(newest.map(|(at, ..)| *at))
        .loc(Some(of_plan.loc))
        .with(samples(shots))
        .with(held(trace, of_plan, shots))
        .with(newest_questions(trace, of_plan, shots))
}

/// Why a watch is blind, or was by then.
pub fn blind(trace: &Trace, watch: u32, by: Instant) -> Link {
    let plan = trace.plan.watches.get(watch as usize);
    let title = plan.map_or("", |plan| plan.title.as_str());
    let link = Link::new(format!("the watch \"{title}\" had no data"));
    let Some(plan) = plan else {
        return link;
    };
    let after = plan.no_data.as_ref();
    let link = link
        .loc(after.map(|no_data| no_data.loc))
        .with(after.map(|no_data| {
            words(format!(
                "no data for {} was tolerated",
                duration_ns(no_data.after_ns)
            ))
        }));
    let blind = (0u32..).zip(&plan.rules).filter_map(|(rule, of_plan)| {
        let shots = trace.shots_of(Of::Rule { watch, rule });
        let shots: Vec<&Shot> = shots
            .into_iter()
            .filter(|shot| shot.sampled.at <= by)
            .collect();
        let seen = [Verdict::Pass, Verdict::Fail];
        let last = shots
            .last()
            .filter(|shot| !seen.contains(&shot.sampled.verdict))?;
        let since = shots
            .iter()
            .rev()
            .take_while(|shot| !seen.contains(&shot.sampled.verdict));
        let since = since.last().map(|shot| shot.sampled.at);
        let since = since.map(|since| words(format!("without sight since {}", trace.time(since))));
        let link = Link::new(format!("{} could not be judged", name(of_plan)));
        let link = link.at(Some(last.sampled.at)).loc(Some(of_plan.loc));
        let link = link.with(samples(&shots)).with(since);
        Some(link.with(newest_questions(trace, of_plan, &shots)))
    });
    let blind = blind.collect::<Vec<_>>();
    link.from(blind)
}

/// `high "Error rate >5%"`
pub fn name(rule: &Rule) -> String {
    match (&rule.label, &rule.title) {
        (Some(label), Some(title)) => format!("{label} \"{title}\""),
        (None, Some(title)) => format!("the rule \"{title}\""),
        (label, None) => {
            let label = label.as_deref().unwrap_or("the rule");
            format!("{label} `{}`", rule.text)
        }
    }
}

fn find<'t>(
    trace: &'t Trace,
    watch: u32,
    rule: u32,
) -> Option<(&'t Watch, &'t Rule, &'t RuleState)> {
    let plan = trace.plan.watches.get(watch as usize)?;
    let state = trace.state.watches.get(watch as usize)?;
    let rule = rule as usize;
    Some((plan, plan.rules.get(rule)?, state.rules.get(rule)?))
}

fn bound(rule: &Rule) -> Option<Evidence> {
    let wanted = (rule.for_ns > 0).then(|| duration_ns(rule.for_ns));
    wanted.map(|wanted| words(format!("it has to be true for {wanted} without a break")))
}

/// From when to when it was true, against what the plan asks.
fn held(trace: &Trace, rule: &Rule, shots: &[&Shot]) -> Option<Evidence> {
    let row = shots.iter().rev();
    // Time without sight takes nothing back, and counts for nothing.
    let row: Vec<_> = row
        .take_while(|shot| shot.sampled.verdict != Verdict::Pass)
        .collect();
    let from = row
        .iter()
        .rev()
        .find(|shot| shot.sampled.verdict == Verdict::Fail)?;
    let (from, to) = (from.sampled.at, row.first()?.sampled.at);
    let wanted = match rule.for_ns {
        0 => "it fires at once".to_owned(),
        ns => format!("it fires after {}", duration_ns(ns)),
    };
    Some(words(match from == to {
        true => format!("true at {}; {wanted}", trace.time(from)),
        false => format!(
            "true from {} to {}; {wanted}",
            trace.time(from),
            trace.time(to)
        ),
    }))
}

fn newest_questions(trace: &Trace, rule: &Rule, shots: &[&Shot]) -> Vec<Evidence> {
    let Some(last) = shots.last() else {
        return Vec::new();
    };
    let reads = reads(trace.plan, [&rule.condition]);
    questions(trace, &reads, last.sampled.at)
}
