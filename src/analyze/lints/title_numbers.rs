//! A number in a title that its body does not have: `"P95 latency <200ms"` over `p95 < 300ms`.
//!
//! Titles come from the list that a plan replaces, so a bound that differs is a mistake in one of them. Only numbers that
//! a title states as a bound are compared, and only where the body has a number of the same dimension.

use crate::analyze::order::check::name;
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::timing::TITLE_NUMBER;
use crate::plan::expr::{Comparison, Expr};
use crate::plan::node::{CheckMode, Node, NodeKind, Stage};
use crate::plan::walk::{comparisons, each, of_node};
use crate::plan::{Plan, Rule};
use crate::units::Dim;
use crate::units::amount::{Amount, Quantity};
use crate::units::literal;
use crate::units::show::quantity;
use crate::values::Value;
use regex::{Captures, Regex};
use std::sync::LazyLock;

pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &plan.nodes {
        if let Some((written, has)) = of_item(node) {
            found.push(differs(places.span(node.loc), &name(node), written, &has));
        }
    }
    for rule in plan.watches.iter().flat_map(|watch| &watch.rules) {
        let title = rule.title.as_deref().unwrap_or("");
        let body = of_rule(rule);
        if let Some((written, has)) = compare(title, &body) {
            let name = format!("\"{title}\"");
            found.push(differs(places.span(rule.loc), &name, written, &has));
        }
    }
    found
}

/// What the title says, and what the body has instead.
type Difference = (Quantity, Vec<Quantity>);

fn of_item(node: &Node) -> Option<Difference> {
    let title = node.title.as_deref()?;
    match &node.kind {
        NodeKind::Check(check) => {
            let mut body = of_exprs(of_node(node));
            body.extend(comparisons(&check.body).into_iter().flat_map(of_margin));
            body.extend(match check.mode {
                CheckMode::Within { ns } | CheckMode::For { ns } => Some(time(ns)),
                CheckMode::Stage { for_ns } if for_ns > 0 => Some(time(for_ns)),
                CheckMode::Once | CheckMode::Stage { .. } => None,
            });
            compare(title, &body)
        }
        NodeKind::Stage(stage) => of_stage(title, stage),
        NodeKind::Hold { ns } => spans_of_time(title, &[time(*ns)]),
        _ => None,
    }
}

/// A stage is named for its weight, its hold for its time.
fn of_stage(title: &str, stage: &Stage) -> Option<Difference> {
    let weight = Quantity::exact(Dim::Ratio, stage.weight.0);
    let first = title.split_whitespace().next().unwrap_or("");
    let named = first
        .strip_suffix('%')
        .and_then(|digits| literal::parse(digits, Some("%")).ok());
    let wrong = named.filter(|named| !same(&named.quantity, &weight));
    let hold = stage.hold_title.as_deref().unwrap_or("");
    wrong
        .map(|named| (named.quantity, vec![weight]))
        .or_else(|| spans_of_time(hold, &[time(stage.hold_ns)]))
}

fn of_rule(rule: &Rule) -> Vec<Quantity> {
    let mut body = of_exprs(vec![&rule.condition]);
    if rule.for_ns > 0 {
        body.push(time(rule.for_ns));
    }
    body
}

/// The first bound of the title whose dimension the body has, and whose amount it has not.
fn compare(title: &str, body: &[Quantity]) -> Option<Difference> {
    if body.is_empty() {
        return None;
    }
    bounds(title).into_iter().find_map(|written| {
        let same_dim: Vec<Quantity> = body
            .iter()
            .filter(|has| has.dim == written.dim)
            .copied()
            .collect();
        let missing = !same_dim.is_empty() && !same_dim.iter().any(|has| same(has, &written));
        missing.then_some((written, same_dim))
    })
}

/// `Hold for 5 minutes` says its time without any sign.
fn spans_of_time(title: &str, body: &[Quantity]) -> Option<Difference> {
    let times = captures(&PLAIN, title).filter_map(|found| {
        let unit = found.get(2)?.as_str();
        quantity_of(found.get(1)?.as_str(), unit).filter(|known| known.dim == Dim::Duration)
    });
    let mut times = times;
    let written = times.find(|written| !body.iter().any(|has| same(has, written)))?;
    Some((written, body.to_vec()))
}

/// Every amount that a title states as a bound.
fn bounds(title: &str) -> Vec<Quantity> {
    let mut found = Vec::new();
    if !title.contains(|c: char| c.is_ascii_digit()) {
        return found;
    }
    let signed = title.contains(['<', '>', '≤', '≥']).then(|| &*SIGNED);
    let plus = title.contains('+').then(|| &*PLUS);
    let worded = may_be_worded(title).then(|| &*WORDED);
    for pattern in [signed, plus, worded].into_iter().flatten() {
        for written in captures(pattern, title) {
            let text = |at: usize| written.get(at).map_or("", |found| found.as_str());
            found.extend(quantity_of(text(1), text(2)));
        }
    }
    if !title.contains(['-', '–']) {
        return found;
    }
    for written in captures(&RANGE, title) {
        let text = |at: usize| written.get(at).map_or("", |found| found.as_str());
        // Without a unit it may be a date, a version, a part of a list.
        if !text(3).is_empty() {
            found.extend(quantity_of(text(1), text(3)));
            found.extend(quantity_of(text(2), text(3)));
        }
    }
    found
}

/// Whether the pattern is worth being asked: it costs more than all else that is done for a title.
fn may_be_worded(title: &str) -> bool {
    const WORDS: [&str; 9] = [
        "minimum", "maximum", "min", "max", "at", "under", "over", "below", "above",
    ];
    let mut words = title.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let known = |word: &str| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
    !title.is_ascii() || words.any(known)
}

static SIGNED: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"[<>≤≥]=?\s*(NUMBER)\s*(UNIT)?"));
static PLUS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\b(NUMBER)\+\s*(UNIT)?"));
static WORDED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:minimum|maximum|min\.?|max\.?|at least|at most|under|over|below|above)\s+(NUMBER)\s*(UNIT)?",
    )
});
static RANGE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"\b(NUMBER)\s*[-–]\s*(NUMBER)\s*(UNIT)"));
static PLAIN: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\b(NUMBER)\s*(UNIT)"));

/// With the shapes of numbers and units put in; `None` for text that is no pattern, which a test rules out.
fn pattern(text: &str) -> Option<Regex> {
    let text = text
        .replace("NUMBER", r"\d[\d,]*(?:\.\d+)?")
        .replace("UNIT", r"%|[A-Za-z]+(?:/[a-z]+)?");
    Regex::new(&text).ok()
}

fn captures<'a>(pattern: &'a Option<Regex>, title: &'a str) -> impl Iterator<Item = Captures<'a>> {
    pattern
        .iter()
        .flat_map(move |pattern| pattern.captures_iter(title))
}

fn quantity_of(digits: &str, unit: &str) -> Option<Quantity> {
    let digits = digits.replace(',', "");
    let known = match unit {
        "sec" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hour" | "hours" | "hr" | "hrs" => "h",
        "day" | "days" => "d",
        "MB" | "GB" | "KB" | "KiB" | "MiB" | "GiB" | "%" | "ms" | "s" | "m" | "h" | "d" => unit,
        unit if unit.contains('/') => unit,
        // A word after a number: lines, nodes, pods.
        _ => "",
    };
    let unit = (!known.is_empty()).then_some(known);
    literal::parse(&digits, unit)
        .ok()
        .map(|literal| literal.quantity)
}

fn of_exprs(exprs: Vec<&Expr>) -> Vec<Quantity> {
    let mut found = Vec::new();
    for expr in exprs {
        each(expr, &mut |inner| match inner {
            Expr::Literal(Value::Quantity(quantity)) => found.push(*quantity),
            // `1.20+`: a number that is compared part by part.
            Expr::Literal(Value::Version(version)) => {
                let digits = version.text.trim_start_matches('v');
                found.extend(quantity_of(digits, ""));
            }
            _ => {}
        });
    }
    found
}

/// `within 10% of the old version`: a part of the baseline is written as a share.
fn of_margin(comparison: &Comparison) -> Vec<Quantity> {
    let share = Quantity::exact(Dim::Ratio, comparison.relative.0);
    let amount = Quantity::exact(comparison.dim, comparison.absolute.0);
    let is_some = |margin: &Quantity| margin.amount.as_f64() > 0.0;
    [share, amount].into_iter().filter(is_some).collect()
}

fn time(ns: i64) -> Quantity {
    Quantity::exact(Dim::Duration, i128::from(ns))
}

fn same(a: &Quantity, b: &Quantity) -> bool {
    match (a.amount, b.amount) {
        // `-20%` and a fall of 20% are one number in a title.
        (Amount::Exact(a), Amount::Exact(b)) => a.0.abs() == b.0.abs(),
        _ => false,
    }
}

fn differs(
    here: crate::source::Span,
    name: &str,
    written: Quantity,
    has: &[Quantity],
) -> Diagnostic {
    let mut shown: Vec<String> = has.iter().map(|has| quantity(*has)).collect();
    shown.sort();
    shown.dedup();
    let message = format!(
        "the title of {name} says {}, and its body {}",
        quantity(written),
        shown.join(", ")
    );
    Diagnostic::new(&TITLE_NUMBER, here, message)
        .help("one of them is wrong: write the bound that is meant in both")
}

#[cfg(test)]
mod tests {
    use crate::analyze::lints::title_numbers::{PLAIN, PLUS, RANGE, SIGNED, WORDED, bounds, check};
    use crate::analyze::places::Places;
    use crate::plan::draft::{Draft, MINUTE_NS, compare, metric, quantity, ratio, rule};
    use crate::plan::expr::{Expr, Scope};
    use crate::plan::node::{CheckMode, NodeKind};
    use crate::syntax::ast::CompareOp;
    use crate::units::Dim;
    use crate::units::amount::NANO;
    use crate::values::{Value, Version};

    fn shown(title: &str) -> Vec<String> {
        let found = bounds(title).into_iter();
        found.map(crate::units::show::quantity).collect()
    }

    #[test]
    fn all_patterns_are_patterns() {
        for pattern in [&SIGNED, &PLUS, &WORDED, &RANGE, &PLAIN] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn bounds_of_titles() {
        assert_eq!(shown("P95 latency <200ms"), ["200ms"]);
        assert_eq!(shown("Error rate <0.1% (first hour)"), ["0.1%"]);
        assert_eq!(shown("CPU usage 10-20%"), ["10%", "20%"]);
        assert_eq!(shown("P95 latency 200-500ms"), ["200ms", "500ms"]);
        assert_eq!(shown("25+ hours continuous operation"), ["1d 1h"]);
        assert_eq!(shown("Documentation complete (2,500+ lines)"), ["2500"]);
        assert_eq!(shown("Nodes ready: Minimum 3 nodes"), ["3"]);
        assert_eq!(
            shown("Rollback time measured (target: <15 minutes)"),
            ["15m"]
        );
        assert_eq!(shown("High CPU (>80%)"), ["80%"]);
        for plain in [
            "All 7 services operational",
            "Quick validation suite: 6/6 passed",
            "10% Traffic (First pod)",
            "Log level set to INFO",
            "Deployment planned for Jan 21 at 6:30 AM",
            "ISO 27001-2022",
            "First 24 Hours",
        ] {
            assert_eq!(shown(plain), Vec::<String>::new(), "{plain}");
        }
    }

    fn found(title: &str, mode: CheckMode, body: Expr) -> Vec<String> {
        let mut draft = Draft::blank();
        draft.metric("p95", Dim::Duration);
        let phase = draft.phase("verify");
        let check = draft.check_of(phase, "check", mode, body);
        draft.node(check).title = Some(title.to_owned());
        check_messages(&draft)
    }

    fn check_messages(draft: &Draft) -> Vec<String> {
        let found = check(&draft.plan, &Places::default()).into_iter();
        found.map(|found| found.message).collect()
    }

    fn p95(ms: i128) -> Expr {
        let bound = quantity(Dim::Duration, ms * NANO / 1000);
        compare(metric(0, Scope::None), CompareOp::Lt, bound)
    }

    #[test]
    fn a_title_and_its_body_have_the_same_bound() {
        let once = CheckMode::Once;
        assert_eq!(
            found("P95 latency <200ms", once, p95(200)),
            Vec::<String>::new()
        );
        assert_eq!(
            found("P95 latency <0.2s", once, p95(200)),
            Vec::<String>::new()
        );
        let wrong = found("P95 latency <200ms", once, p95(300));
        insta::assert_snapshot!(wrong[0], @"the title of `check` says 200ms, and its body 300ms");
        // Another dimension says nothing about this one.
        assert_eq!(
            found("Error rate <1%", once, p95(300)),
            Vec::<String>::new()
        );
        let held = CheckMode::For { ns: 2 * MINUTE_NS };
        assert_eq!(
            found("Pod healthy (2+ minutes)", held, p95(1)),
            Vec::<String>::new()
        );
        assert_eq!(found("Pod healthy (3+ minutes)", held, p95(1)).len(), 1);
    }

    #[test]
    fn a_version_is_compared_as_it_is_written() {
        let version = |text: &str| {
            Expr::Literal(Value::version(Version {
                numbers: Vec::new(),
                pre: None,
                text: text.to_owned(),
            }))
        };
        let at_least = |text| compare(metric(0, Scope::None), CompareOp::Ge, version(text));
        let title = "Cluster version: 1.20+";
        assert_eq!(
            found(title, CheckMode::Once, at_least("v1.20")),
            Vec::<String>::new()
        );
        assert_eq!(found(title, CheckMode::Once, at_least("v1.21")).len(), 1);
        assert_eq!(
            found(title, CheckMode::Once, at_least("v1.20.3")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_stage_is_named_for_its_weight_and_its_hold() {
        let staged = |title: &str, hold: &str| {
            let mut draft = Draft::blank();
            let phase = draft.phase("rollout");
            let step = draft.step(phase, "release", "api");
            let canary = draft.canary(phase, "canary", step);
            let stage = draft.stage(canary, 50, 10 * MINUTE_NS);
            draft.node(stage).title = Some(title.to_owned());
            if let NodeKind::Stage(stage) = &mut draft.node(stage).kind {
                stage.hold_title = Some(hold.to_owned());
            }
            check_messages(&draft).len()
        };
        assert_eq!(staged("50% Traffic (Three pods)", "Hold for 10 minutes"), 0);
        assert_eq!(staged("10% Traffic", "Hold"), 1);
        assert_eq!(staged("Half of the traffic", "Hold for 5 minutes"), 1);
    }

    #[test]
    fn a_rule_too() {
        let mut draft = Draft::blank();
        draft.metric("error_rate", Dim::Ratio);
        let phase = draft.phase("rollout");
        let over = compare(metric(0, Scope::All), CompareOp::Gt, ratio(50));
        let mut high = rule(over, 0, Vec::new());
        high.title = Some("Error rate >5%".to_owned());
        draft.watch(phase, phase, vec![high.clone()]);
        assert_eq!(check_messages(&draft), Vec::<String>::new());
        high.title = Some("Error rate >10%".to_owned());
        draft.watch(phase, phase, vec![high]);
        assert_eq!(check_messages(&draft).len(), 1);
    }
}
