//! What there is to say of a scenario that does not fit its plan.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::scenario::{
    SCENARIO_MOMENT, SCENARIO_NAME, SCENARIO_STATEMENT, SCENARIO_VALUE, TEST_EXPECTATION,
};
use crate::resolve::near;
use crate::simulate::series::Malformed;
use crate::source::Span;

pub fn no_place_in_a_scenario(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_STATEMENT, span, "this has no meaning in a scenario")
        .help("say what is so (`error_rate = 1%`), when (`at rollout + 5m { … }`), and what people do (`engineer confirms after 2m`)")
}

pub fn input_in_the_middle(span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_STATEMENT,
        span,
        "an input has one value for the whole run",
    )
    .help("move it out of the `at`")
}

pub fn only_in_an_open_world(span: Span) -> Diagnostic {
    let message = "only an open world knows this";
    Diagnostic::new(&SCENARIO_STATEMENT, span, message)
        .help("`world = open` makes it one: measurements pass, people agree, changes work, but for what is said")
}

pub fn not_in_an_open_world(span: Span) -> Diagnostic {
    let message = "in an open world nothing has values, and nobody has to answer";
    Diagnostic::new(&SCENARIO_STATEMENT, span, message)
        .help("say what goes wrong, as `at release + 1s { release is unknown after applying }`")
}

pub fn open_for_a_time(span: Span) -> Diagnostic {
    let message = "what goes wrong in an open world goes wrong once, or from then on";
    Diagnostic::new(&SCENARIO_STATEMENT, span, message)
        .help("`is` is about the next time, `stays` about all times from then on")
}

pub fn no_such_trouble(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_STATEMENT, span, "this cannot go wrong in this way").help(
        "checks are `unmet`, `blind`, `nonsense` or `unreachable`; changes `unreachable`, `refused`, `unknown` or `late`; gates \
         `refused`, `silent`, `late`, `forged` or `doubled`",
    )
}

pub fn open_in_a_test(span: Span) -> Diagnostic {
    let message = "a test needs a world with values";
    Diagnostic::new(&SCENARIO_STATEMENT, span, message)
        .help("`deployc simulate` plays scenarios with `world = open`, and judges the promises of `verify` in them")
}

pub fn no_deed(span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_STATEMENT,
        span,
        "an answer belongs to a question, not to a moment",
    )
    .help("move it out of the `at`, and say with `after` how long it takes")
}

pub fn no_such_scenario(span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_NAME,
        span,
        "there is no such scenario beside this one",
    )
    .help("`like` takes the stem of a file, as `like \"good-day\"`")
}

pub fn no_such_role<'a>(
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_NAME,
        span,
        format!("the plan has no role `{name}`"),
    )
    .help(listed("its roles are", name, known))
}

pub fn no_such_question(id: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_NAME,
        span,
        format!("the plan asks nobody for `{id}`"),
    )
    .help("name a `confirm` or an `approve` by its name or its `ref`")
}

pub fn no_such_place<'a>(
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let message = format!("the plan has no input, metric or provider `{name}`");
    Diagnostic::new(&SCENARIO_NAME, span, message).help(listed("it has", name, known))
}

pub fn no_such_member<'a>(
    of: &str,
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    Diagnostic::new(&SCENARIO_NAME, span, format!("`{of}` has no `{name}`"))
        .help(listed("it has", name, known))
}

pub fn no_place(span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_NAME,
        span,
        "this is nothing that a scenario can set",
    )
    .help(
        "set an input, a metric, or an answer of a provider, such as `api.get(\"/health\").status`",
    )
}

pub fn no_value(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_VALUE, span, "a scenario gives plain values")
        .help("write a literal, a list, a map, or `absent`")
}

pub fn wrong_number(text: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_VALUE, span, format!("`{text}` is no amount"))
        .help("units are written as in a plan: `180ms`, `12%`, `64MiB`, `240/s`")
}

pub fn wrong_type(what: &str, wanted: &str, found: &str, span: Span) -> Diagnostic {
    let message = format!("`{what}` is a {wanted}, and this is a {found}");
    Diagnostic::new(&SCENARIO_VALUE, span, message)
}

pub fn wrong_json(error: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_VALUE, span, format!("this is no JSON: {error}"))
        .help("JSON can be written as a map: `{ status: \"ok\" }`")
}

pub fn no_such_provider<'a>(span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    Diagnostic::new(&SCENARIO_NAME, span, "the plan has no such provider").help(listed(
        "its providers are",
        "",
        known,
    ))
}

pub fn no_change(span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_NAME,
        span,
        "the plan changes nothing by this name",
    )
    .help("name a step, or a stage of a canary: `rollout.stage(50%)`")
}

pub fn no_undo_of_that(span: Span) -> Diagnostic {
    let message = "only a change has an undo that can fail";
    Diagnostic::new(&SCENARIO_STATEMENT, span, message)
        .help("write `undo NAME fails before applying`, or leave out the `undo`")
}

pub fn no_series(problem: &Malformed, span: Span) -> Diagnostic {
    let message = format!("`{}`: {}", problem.word, problem.why);
    Diagnostic::new(&SCENARIO_VALUE, span, message).help(
        "samples stand side by side: `1+0.5x10 _ _x4 stale NaN`, as in rule tests of Prometheus",
    )
}

pub fn series_of_something_else(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_VALUE, span, "only a metric has samples")
        .help("write its one value, and say with `for` how long it holds")
}

pub fn series_without_unit(metric: &str, dim: &str, span: Span) -> Diagnostic {
    let message = format!("`{metric}` is a {dim}, and these samples have no unit");
    Diagnostic::new(&SCENARIO_VALUE, span, message)
        .help("write it behind the series: `80+5x10` in ms")
}

pub fn expected_in_a_scenario(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_STATEMENT, span, "a scenario expects nothing")
        .help("write a `test` instead; it may be `like` this scenario")
}

pub fn expects_nothing(span: Span) -> Diagnostic {
    Diagnostic::new(
        &TEST_EXPECTATION,
        span,
        "this test expects nothing, so it cannot fail",
    )
    .help("say how it ends: `expect outcome == rolled_back`")
}

pub fn no_expectation(span: Span) -> Diagnostic {
    Diagnostic::new(&TEST_EXPECTATION, span, "this is neither true nor false")
        .help("compare it with something: `rollback.took < 15m`")
}

pub fn no_time_in_an_expectation(span: Span) -> Diagnostic {
    let message = "what a test expects is so at one moment, or always";
    Diagnostic::new(&TEST_EXPECTATION, span, message)
        .help("write `expect always`, or put the `expect` into an `at`")
}

pub fn no_scope_in_an_expectation(span: Span) -> Diagnostic {
    Diagnostic::new(&TEST_EXPECTATION, span, "a test expects nothing of metrics")
        .help("the test itself says what they are")
}

pub fn always_at_a_moment(span: Span) -> Diagnostic {
    Diagnostic::new(
        &TEST_EXPECTATION,
        span,
        "this is either always or at this moment",
    )
    .help("move it out of the `at`, or leave out the `always`")
}

pub fn only_the_world_at_start(span: Span) -> Diagnostic {
    Diagnostic::new(
        &TEST_EXPECTATION,
        span,
        "only the world is compared with how it was",
    )
    .help("write `expect world == world at start`")
}

pub fn no_such_word<'a>(
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_NAME,
        span,
        format!("`{name}` is none of these words"),
    )
    .help(listed("they are", name, known))
}

pub fn nothing_expected<'a>(
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let message = format!("there is nothing to expect of `{name}`");
    Diagnostic::new(&SCENARIO_NAME, span, message).help(listed("there are", name, known))
}

pub fn no_such_item(id: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_NAME, span, format!("the plan has no item `{id}`"))
        .help("an item has a name, a `ref` or a title; a rule of a watch a `ref` or a title")
}

pub fn no_rule(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_NAME, span, "this is no rule of a watch")
        .help("only rules fire; of other items ask for the `verdict`")
}

pub fn not_comparable(left: &str, right: &str, span: Span) -> Diagnostic {
    let message = format!("a {left} is compared with a {right}");
    Diagnostic::new(&TEST_EXPECTATION, span, message)
        .help("compare things of one kind, such as `rollback.took < 15m`")
}

pub fn no_order(what: &str, span: Span) -> Diagnostic {
    let message = format!("none of two {what}s comes before the other");
    Diagnostic::new(&TEST_EXPECTATION, span, message).help("write `==` or `!=`")
}

pub fn no_sum(span: Span) -> Diagnostic {
    let message = "only moments and times are added and subtracted here";
    Diagnostic::new(&TEST_EXPECTATION, span, message)
        .help("write `flip + 30h`, `a.ended - b.started`")
}

pub fn no_snapshot(span: Span) -> Diagnostic {
    let message = "the story of a run is compared with one that is kept";
    Diagnostic::new(&TEST_EXPECTATION, span, message)
        .help("write `expect story == snapshot(\"NAME\")`")
}

pub fn no_moment(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_MOMENT, span, "the plan has no such moment")
        .help("a moment is a name of the plan, `NAME.stage(50%)`, `start`, `rollback`, or an instant; then `+ 2m`")
}

pub fn before_its_moment(span: Span) -> Diagnostic {
    let message = "when this moment comes, nobody knows it beforehand";
    Diagnostic::new(&SCENARIO_MOMENT, span, message).help("count from something that comes earlier")
}

pub fn no_such_stage<'a>(span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    Diagnostic::new(&SCENARIO_MOMENT, span, "there is no stage of this weight").help(listed(
        "its stages are",
        "",
        known,
    ))
}

pub fn no_duration(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_VALUE, span, "this is no time")
        .help("write it with its unit: `90s`, `2m`")
}

/// The one that was meant, where there is one; else all, or the first of them.
fn listed<'a>(intro: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    if let Some(near) = near::nearest(name, known.iter().copied()) {
        return format!("a name near to it is `{near}`");
    }
    let names: Vec<String> = known
        .iter()
        .take(12)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.as_slice() {
        [] => "it has none".to_owned(),
        names => format!("{intro} {}", names.join(", ")),
    }
}
