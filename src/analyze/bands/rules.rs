//! Rules of one watch beside each other: which are dominated, which overlap.

use crate::analyze::bands::condition::{Condition, condition};
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::timing::{BANDS_OVERLAP, RULE_DOMINATED};
use crate::plan::{Action, Plan, Rule, Watch};
use crate::units::show::duration_ns;

/// Rules behind each one that it is compared with.
const COMPARED_MAX: usize = 256;

pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    plan.watches
        .iter()
        .flat_map(|watch| of_watch(plan, places, watch))
        .collect()
}

fn of_watch(plan: &Plan, places: &Places, watch: &Watch) -> Vec<Diagnostic> {
    let rules: Vec<(&Rule, Condition)> = watch
        .rules
        .iter()
        .map(|rule| (rule, condition(plan, &rule.condition)))
        .filter(|(_, condition)| !condition.is_impossible())
        .collect();
    let mut found = Vec::new();
    for (at, (rule, own)) in rules.iter().enumerate() {
        let earlier = rules.iter().take(at).rev().take(COMPARED_MAX);
        let later = rules.iter().skip(at + 1).take(COMPARED_MAX);
        let by = earlier
            .clone()
            .map(|(by, wider)| (by, wider, Place::Earlier))
            .chain(later.map(|(by, wider)| (by, wider, Place::Later)))
            .find(|(by, wider, place)| dominates(by, wider, rule, own, *place));
        if let Some((by, _, _)) = by {
            found.push(dominated(places, rule, by));
            continue;
        }
        found.extend(
            earlier
                .filter_map(|(other, condition)| overlap(places, rule, own, other, condition))
                .next(),
        );
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Earlier,
    Later,
}

/// Whether `by` has rolled back whenever `rule` could fire. Of two that are the same, the first stays.
fn dominates(by: &Rule, wider: &Condition, rule: &Rule, own: &Condition, place: Place) -> bool {
    let rolls_back = by
        .actions
        .iter()
        .any(|action| matches!(action, Action::Rollback));
    if !rolls_back || by.for_ns > rule.for_ns || !own.implies(wider) {
        return false;
    }
    // At the same moment both fire, and what a rule says is still worth saying.
    let says = rule
        .actions
        .iter()
        .any(|action| matches!(action, Action::Notify(_)));
    if by.for_ns == rule.for_ns && says {
        return false;
    }
    let same = by.for_ns == rule.for_ns && wider.implies(own);
    !same || place == Place::Earlier
}

fn dominated(places: &Places, rule: &Rule, by: &Rule) -> Diagnostic {
    let message = format!("`{}` never decides anything", shown(rule));
    Diagnostic::new(&RULE_DOMINATED, places.span(rule.loc), message)
        .label("whenever this fires …")
        .and(
            places.span(by.loc),
            format!("… `{}` has rolled back already", shown(by)),
        )
        .help("leave it out, or make it see something that the other does not")
}

fn shown(rule: &Rule) -> String {
    match rule.for_ns {
        0 => rule.text.to_string(),
        ns => format!("{} for {}", rule.text, duration_ns(ns)),
    }
}

/// Two bands, each with two ends, that share more than an end.
fn overlap(
    places: &Places,
    rule: &Rule,
    own: &Condition,
    other: &Rule,
    condition: &Condition,
) -> Option<Diagnostic> {
    let ([own], [theirs]) = (own.terms.as_slice(), condition.terms.as_slice()) else {
        return None;
    };
    let ((atom, band), (known, neighbour)) = (own.only()?, theirs.only()?);
    let both = band.and(neighbour);
    let nested = band.is_within(neighbour) || neighbour.is_within(band);
    let shares = !both.is_empty() && both.is_wide();
    let banded = band.is_two_sided() && neighbour.is_two_sided();
    if atom != known || !banded || nested || !shares || rule.for_ns != other.for_ns {
        return None;
    }
    let message = format!("two bands of `{}` overlap", atom.words);
    Some(
        Diagnostic::new(&BANDS_OVERLAP, places.span(rule.loc), message)
            .label(format!("`{}`", rule.text))
            .and(places.span(other.loc), format!("`{}`", other.text))
            .note("between them both rules fire")
            .help("let one end where the other begins"),
    )
}
