//! Scenarios as text, against the small plan.

use crate::diagnostics::Diagnostic;
use crate::simulate::compile::scenario;
use crate::simulate::scenario::{Asked, Moment, Says, Scenario};
use crate::simulate::script::Line;
use crate::simulate::tests::plan::{HALF, SECOND_NS, TEAM, plan};
use crate::source::FileId;
use crate::syntax::ast::ItemKind;
use crate::syntax::ast::scenario as ast;
use crate::syntax::parse::parse;
use crate::values::{Instant, Value};

fn tree(body: &str) -> ast::Scenario {
    let text = format!("deploy 1\n\nscenario \"A day\" {{\n{body}\n}}\n");
    let parsed = parse(FileId(0), &text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let mut scenarios = parsed
        .file
        .items
        .into_iter()
        .filter_map(|item| match item.kind {
            ItemKind::Scenario(scenario) => Some(scenario),
            _ => None,
        });
    scenarios.next().unwrap()
}

fn compiled(body: &str) -> Result<Scenario, Vec<Diagnostic>> {
    let others = |name: &str| (name == "base").then(|| tree("error_rate = 1%\nengineer confirms"));
    scenario(&plan(), &tree(body), &others)
}

fn good(body: &str) -> Scenario {
    compiled(body).unwrap()
}

fn refused(body: &str, code: &str, words: &str) {
    let found = compiled(body).unwrap_err();
    assert_eq!(found.len(), 1, "{body}: {found:?}");
    assert_eq!(found[0].code.name, code, "{body}");
    let text = format!(
        "{} {}",
        found[0].message,
        found[0].help.clone().unwrap_or_default()
    );
    assert!(text.contains(words), "{body}: {text}");
}

fn raw(line: &Line) -> (Option<&str>, Option<f64>) {
    match line {
        Line::Metric { scope, raw, .. } => (scope.as_deref(), *raw),
        other => panic!("{other:?}"),
    }
}

#[test]
fn metrics_are_set_for_all_scopes_or_for_one() {
    let day = good("error_rate = 0.5%\ncanary.error_rate = 12%\nstable.error_rate = absent");
    let lines: Vec<_> = day.blocks[0].lines.iter().map(raw).collect();
    assert_eq!(
        lines,
        [
            (None, Some(0.005)),
            (Some("canary"), Some(0.12)),
            (Some("stable"), None)
        ]
    );
    assert_eq!(day.title, "A day");
}

#[test]
fn answers_are_set_whole_or_by_field_with_the_arguments_that_were_written() {
    let day =
        good("prom.targets.down = 2\nprom.firing(\"Watchdog\") = true\ncanary.pods.healthy = 0");
    let about: Vec<String> = day.blocks[0]
        .lines
        .iter()
        .map(|line| match line {
            Line::Answer { to, .. } => format!(
                "{}.{} {} {:?}",
                to.provider,
                to.function,
                to.args.len(),
                to.path
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        about,
        [
            "prom.targets 0 [\"down\"]",
            "prom.firing 1 []",
            "cluster.revision_pods 1 [\"healthy\"]"
        ]
    );
}

#[test]
fn a_moment_is_a_name_a_stage_an_instant_or_the_rollback() {
    let day = good(
        "at release + 30s { error_rate = 1% }\n\
         at rollout.stage(50%) + 1m for 5m { error_rate = 1% }\n\
         at 2026-01-21T06:00Z { prom.down = true }\n\
         at rollback { engineer aborts after 2s }",
    );
    let moments: Vec<_> = day.blocks[1..]
        .iter()
        .map(|block| (block.moment, block.after_ns))
        .collect();
    assert_eq!(moments[1], (Moment::Node(HALF), 60 * SECOND_NS));
    assert_eq!(moments[0].1, 30 * SECOND_NS);
    assert_eq!(
        moments[2],
        (Moment::At(Instant(1_768_975_200 * SECOND_NS)), 0)
    );
    assert_eq!(moments[3], (Moment::Rollback, 0));
    assert_eq!(day.blocks[2].for_ns, Some(300 * SECOND_NS));
    assert_eq!(day.blocks[4].deeds[0].after_ns, 2 * SECOND_NS);
}

#[test]
fn people_answer_one_question_or_all_of_a_role() {
    let day = good("engineer confirms after 2m\nengineer declines team after 1m");
    let reply = day.reply("engineer", Asked::Confirm, TEAM).unwrap();
    assert_eq!((reply.says, reply.after_ns), (Says::No, 60 * SECOND_NS));
    let other = day.reply("engineer", Asked::Confirm, HALF).unwrap();
    assert_eq!(other.says, Says::Yes);
    assert!(day.reply("engineer", Asked::Approve, HALF).is_none());
}

#[test]
fn a_scenario_that_is_like_another_adds_to_it_and_has_the_last_word() {
    let day = good("like \"base\"\nerror_rate = 3%");
    let values: Vec<_> = day
        .blocks
        .iter()
        .flat_map(|block| block.lines.iter().map(raw))
        .collect();
    assert_eq!(values, [(None, Some(0.01)), (None, Some(0.03))]);
    assert_eq!(day.replies.len(), 1);
    refused("like \"none\"", "scenario-unknown-name", "no such scenario");
}

#[test]
fn json_is_written_as_a_map_or_as_text() {
    let mut plan = plan();
    let mut site = plan.providers[1].clone();
    site.name = "site".to_owned();
    site.kind = "http".to_owned();
    plan.providers.push(site);
    let json = |body: &str| {
        let day = scenario(&plan, &tree(body), &|_| None)?;
        match day.blocks[0].lines[0].clone() {
            Line::Answer {
                value: Value::Json(json),
                ..
            } => Ok::<_, Vec<Diagnostic>>(json.to_string()),
            other => panic!("{other:?}"),
        }
    };
    let wanted = r#"{"checks":[{"name":"db","up":true}],"n":3}"#;
    let map = "site.get(\"/health\").json = { checks: [{ name: \"db\", up: true }], n: 3 }";
    assert_eq!(json(map).unwrap(), wanted);
    let text = format!("site.get(\"/health\").json = `{wanted}`");
    assert_eq!(json(&text).unwrap(), wanted);
    assert_eq!(
        json("site.get(\"/\").json = \"{\"").unwrap_err()[0]
            .code
            .name,
        "scenario-wrong-value"
    );
}

#[test]
fn names_that_the_plan_does_not_have_are_named() {
    refused("eror_rate = 1%", "scenario-unknown-name", "`error_rate`");
    refused(
        "canary.eror_rate = 1%",
        "scenario-unknown-name",
        "`error_rate`",
    );
    refused(
        "prom.tragets.down = 1",
        "scenario-unknown-name",
        "`targets`",
    );
    refused("prom.targets.dwon = 1", "scenario-unknown-name", "`down`");
    refused(
        "canary.pods.heathy = 1",
        "scenario-unknown-name",
        "`healthy`",
    );
    refused("operator confirms", "scenario-unknown-name", "`engineer`");
    refused("engineer confirms X-9", "scenario-unknown-name", "X-9");
    refused(
        "error_rate + 1% = 2%",
        "scenario-unknown-name",
        "nothing that a scenario can set",
    );
}

#[test]
fn values_have_the_type_and_dimension_that_is_declared() {
    refused("error_rate = 5", "scenario-wrong-value", "ratio");
    refused("error_rate = 5ms", "scenario-wrong-value", "duration");
    refused("prom.ready = 1", "scenario-wrong-value", "bool");
    refused(
        "error_rate = stable.error_rate",
        "scenario-wrong-value",
        "literal",
    );
    refused("prom.down = 1", "scenario-wrong-value", "true");
    refused("error_rate = 5parsec", "scenario-wrong-value", "5parsec");
    refused("engineer confirms after 5%", "scenario-wrong-value", "time");
}

#[test]
fn moments_and_statements_that_make_no_sense_are_refused() {
    refused(
        "at nowhere { error_rate = 1% }",
        "scenario-wrong-moment",
        "no such moment",
    );
    refused(
        "at rollout.stage(40%) { error_rate = 1% }",
        "scenario-wrong-moment",
        "`50%`, `100%`",
    );
    refused(
        "check \"a\" expect error_rate < 1%",
        "scenario-wrong-statement",
        "no meaning",
    );
    refused(
        "at release { engineer confirms }",
        "scenario-wrong-statement",
        "belongs to a question",
    );
}
