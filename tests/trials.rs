//! `deployc test`, as a person runs it: what passes, what fails and how that is told, and what can be expected at all.

use crate::program::Folder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;

const PLAN: &str = include_str!("shown/demo/demo.deploy");
const MANIFESTS: &str = include_str!("shown/demo/k8s/demo.yaml");
const GOOD_DAY: &str = include_str!("shown/demo/scenarios/good-day.deploy");

fn folder(name: &str, tests: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("demo.deploy", PLAN);
    folder.file("k8s/demo.yaml", MANIFESTS);
    folder.file("scenarios/good-day.deploy", GOOD_DAY);
    folder.file("demo_test.deploy", format!("deploy 1\n\n{tests}"));
    folder
}

/// One test that is like the good day, but for these lines.
fn day(lines: &str) -> String {
    format!("test \"A day\" {{\n  like \"good-day\"\n{lines}\n}}\n")
}

#[track_caller]
fn passes(name: &str, lines: &str) {
    let said = folder(name, &day(lines)).said(&["test", "."]);
    assert!(said.ends_with("exit 0\n"), "{lines}\n{said}");
}

/// The labels under the text, of what was not as expected.
#[track_caller]
fn fails(name: &str, lines: &str, found: &[&str]) {
    let said = folder(name, &day(lines)).said(&["test", "."]);
    assert!(said.ends_with("exit 1\n"), "{lines}\n{said}");
    for found in found {
        assert!(said.contains(found), "{lines}\n`{found}` is not in\n{said}");
    }
}

#[track_caller]
fn refused(name: &str, lines: &str, words: &str) {
    let said = folder(name, &day(lines)).said(&["check", "."]);
    assert!(said.ends_with("exit 1\n"), "{lines}\n{said}");
    let flat: Vec<&str> = said.split_whitespace().collect();
    assert!(flat.join(" ").contains(words), "{lines}\n{said}");
}

const BAD: &str = "  at rollout.stage(50%) + 1m { canary.error_rate = 12% }\n";

#[test]
fn what_failed_is_told_on_the_source_with_the_story_before_it() {
    let tests = format!(
        "{}\n{}",
        day("  expect outcome == success"),
        day(&format!(
            "{BAD}  expect outcome == success\n  expect rollback.took < 1ms and rollback.order == [release]"
        ))
    );
    let said = folder("trial-told", &tests).said(&["test", "."]);
    insta::assert_snapshot!(said);
}

#[test]
fn what_a_test_can_expect_of_a_bad_day() {
    passes(
        "trial-bad",
        &format!(
            "{BAD}
  expect outcome == rolled_back and outcome != success
  expect rollback.order == [rollout, release]
  expect rollback.took < 1m and rollback.started > start + 1m
  expect rollback.started within 15s of rollout.stage(50%) + 1m
  expect not rollback.started within 15s of rollout.stage(50%)
  expect release before rollout.stage(50%)
  expect not rollout.stage(50%) before release
  expect verdict(DEMO-7) == cancelled and fired(DEMO-10) and verdict(\"DEMO-3\") == pass
  expect release.verdict == pass
  expect not go_live.started and not rollout.stage(100%).started
  expect rollback.ended - rollback.started < 1m
  expect world == world at start
  expect kept == []
  expect told(room) == 1 and told(room, \"canary.error_rate is 12%\") == 1
  expect cause != \"\" and rollback.cause == cause
  expect cluster.deployment(\"demo\").image == \"registry.example.com/demo:1.4.2\"
  expect always cluster.deployment(\"demo\").available >= 4
  at rollout.stage(50%) + 30s {{ expect not rollback.started and outcome == running }}
  at rollback + 10h {{ expect outcome == rolled_back }}"
        ),
    );
}

#[test]
fn a_wrong_expectation_says_what_was_there_instead() {
    fails(
        "trial-wrong",
        &format!(
            "{BAD}
  expect outcome == stopped
  expect rollback.order == [release, rollout]
  expect rollback.took > 1h
  expect go_live before release
  expect verdict(DEMO-7) == pass
  expect told(room) == 0
  expect not fired(DEMO-10) or paused
  expect not (cause == \"x\") and not rollback.started
  expect always cluster.deployment(\"demo\").available >= 99
  at go_live {{ expect outcome == running }}"
        ),
        &[
            "is `rolled_back` at",
            "is [rollout, release] at",
            "this never was at",
            "is cancelled at",
            "is 1 at",
            "it fired at",
            "is false",
            "is 4 at",
            "but this moment never came",
        ],
    );
}

#[test]
fn what_is_left_behind_is_no_world_at_start() {
    fails(
        "trial-left",
        &format!(
            "{BAD}  at start {{ undo release fails before applying for 99h }}
  expect outcome == success
  expect world == world at start"
        ),
        &["is `rollback_incomplete`", "demo-canary", "was not there"],
    );
}

#[test]
fn a_good_day_changes_the_world() {
    fails(
        "trial-good-world",
        "  expect world == world at start",
        &["registry.example.com/demo:2.0.0"],
    );
}

#[test]
fn series_are_stepped_in_virtual_time() {
    passes(
        "trial-series",
        "  at rollout.stage(50%) {
    canary.error_rate = `0.1x1 20` in % every 1m
  }
  expect rollback.started within 15s of rollout.stage(50%) + 2m",
    );
    passes(
        "trial-series-end",
        "  at rollout.stage(50%) {
    canary.error_rate = `0.1 stale _x20` in % every 1m
  }
  at rollout.stage(50%) + 1m + 20s { expect paused }
  expect outcome == rolled_back",
    );
    passes(
        "trial-for",
        "  at rollout.stage(50%) + 1m { canary.error_rate = absent for 1m }
  at rollout.stage(50%) + 1m + 30s { expect paused }
  expect outcome == success",
    );
}

#[test]
fn a_provider_that_is_down_is_no_health_and_a_role_that_is_silent_no_answer() {
    passes(
        "trial-down",
        "  at rollout.stage(50%) + 1m { prom is down for 1m }
  at rollout.stage(50%) + 1m + 30s { expect paused }
  expect outcome == success",
    );
    passes(
        "trial-silent",
        "  at rollout { manager is silent }
  expect outcome == rolled_back and go_live.verdict != pass",
    );
}

#[test]
fn a_process_that_is_killed_is_taken_over_and_the_end_is_the_same() {
    for at in ["release + 1s", "rollout.stage(50%) + 2m", "go_live + 1s"] {
        passes(
            &format!("trial-kill-{}", at.len()),
            &format!(
                "  at {at} {{ kill for 30s }}
  expect outcome == success
  expect cluster.deployment(\"demo\").image == \"registry.example.com/demo:2.0.0\""
            ),
        );
    }
}

#[test]
fn a_change_that_fails_leaves_nothing() {
    for when in ["before", "after"] {
        passes(
            &format!("trial-fails-{when}"),
            &format!(
                "  at start {{ release fails {when} applying }}
  expect release.verdict != pass and outcome != success
  expect world == world at start"
            ),
        );
    }
}

#[test]
fn a_change_of_which_nobody_knows_is_looked_at_and_finished() {
    for when in ["before", "after"] {
        passes(
            &format!("trial-unknown-{when}"),
            &format!(
                "  at start {{ release is unknown {when} applying }}
  at start {{ rollout.stage(50%) is unknown {when} applying }}
  expect outcome == success"
            ),
        );
    }
}

#[test]
fn one_that_says_no_stops_the_plan() {
    passes(
        "trial-no",
        "  manager rejects go_live after 1m
  expect go_live.verdict == fail and outcome == rolled_back",
    );
}

#[test]
fn stories_are_kept_only_when_they_are_blessed() {
    let folder = folder(
        "trial-stories",
        &day("  expect story == snapshot(\"a day\")"),
    );
    let said = folder.said(&["test", "."]);
    assert!(
        said.contains("no story is kept") && said.ends_with("exit 1\n"),
        "{said}"
    );
    let said = folder.said(&["test", ".", "--bless"]);
    assert!(said.ends_with("exit 0\n"), "{said}");
    let path = folder.0.join("snapshots/a-day.story");
    let story = fs::read_to_string(&path).unwrap();
    assert!(
        story.contains("deploy/release \"Release without traffic\": pass"),
        "{story}"
    );
    assert!(folder.said(&["test", "."]).ends_with("exit 0\n"));
    fs::write(&path, story.replace(": pass", ": fail")).unwrap();
    let said = folder.said(&["test", "."]);
    assert!(
        said.contains("--bless keeps the new story") && said.ends_with("exit 1\n"),
        "{said}"
    );
}

#[test]
fn tests_are_chosen_by_their_titles_and_none_is_an_error() {
    let tests = "test \"A\" {\n  like \"good-day\"\n  expect outcome == success\n}\n
test \"B\" {\n  like \"good-day\"\n  expect outcome == stopped\n}\n";
    let folder = folder("trial-filter", tests);
    let said = folder.said(&["test", ".", "--filter", "A"]);
    assert!(
        said.contains("1 test: all passed") && said.ends_with("exit 0\n"),
        "{said}"
    );
    let said = folder.said(&["test", ".", "--filter", "B"]);
    assert!(said.ends_with("exit 1\n"), "{said}");
    let said = folder.said(&["test", ".", "--filter", "C"]);
    assert!(
        said.contains("no test has `C`") && said.ends_with("exit 2\n"),
        "{said}"
    );
    fs::remove_file(folder.0.join("demo_test.deploy")).unwrap();
    let said = folder.said(&["test", "."]);
    assert!(
        said.contains("nothing passes on nothing") && said.ends_with("exit 1\n"),
        "{said}"
    );
}

#[test]
fn machines_read_json_and_junit_in_the_order_of_the_text() {
    let tests = "test \"A & B\" {\n  like \"good-day\"\n  expect outcome == success\n}\n
test \"C\" {\n  like \"good-day\"\n  expect outcome == stopped\n}\n";
    let folder = folder("trial-formats", tests);
    let output = folder.run(&["test", ".", "--format", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    assert_eq!(lines[0]["test"]["title"], "A & B");
    assert_eq!(lines[0]["test"]["passed"], true);
    let failure = &lines[1]["test"]["failures"][0];
    assert_eq!(failure["diagnostic"]["code"], "D1106");
    assert_eq!(lines[2]["summary"]["failed"], 1);
    let output = folder.run(&["test", ".", "--format", "junit"]);
    assert_eq!(output.status.code(), Some(1));
    let xml = String::from_utf8(output.stdout).unwrap();
    for part in [
        "tests=\"2\"",
        "failures=\"1\"",
        "name=\"A &amp; B\"",
        "<failure message=\"expected `outcome == stopped`\"",
        "line=\"8\"",
    ] {
        assert!(xml.contains(part), "{part}\n{xml}");
    }
}

#[test]
fn a_test_stands_in_the_file_of_the_plan_too_and_changes_nothing_of_it() {
    let folder = Folder::new("trial-inside");
    folder.file("k8s/demo.yaml", MANIFESTS);
    folder.file("demo.deploy", PLAN);
    let digest = folder.said(&["plan", "demo.deploy", "--format", "digest"]);
    let test = "\ntest \"Nobody is there\" {\n  hosts = []\n  expect not release.started\n}\n";
    folder.file("demo.deploy", format!("{PLAN}{test}"));
    let again = folder.said(&["plan", "demo.deploy", "--format", "digest"]);
    assert_eq!(again, digest);
    let said = folder.said(&["test", "demo.deploy"]);
    assert!(said.contains("1 test: all passed"), "{said}");
}

#[test]
fn what_is_wrong_with_a_test_does_not_keep_the_plan_from_being_carried_out() {
    let folder = folder("trial-broken", "test \"A\" { expect }\n");
    assert!(folder.said(&["check", "."]).ends_with("exit 1\n"));
    assert!(folder.said(&["plan", "."]).ends_with("exit 0\n"));
}

#[test]
fn expectations_that_make_no_sense_are_refused_with_their_place() {
    let wrong = [
        ("", "this test expects nothing, so it cannot fail"),
        ("  expect rollback.took", "this is neither true nor false"),
        (
            "  expect rollback.took < 15",
            "a duration is compared with a count",
        ),
        (
            "  expect outcome == rolledback",
            "`rolledback` is none of these words",
        ),
        (
            "  expect outcome > success",
            "none of two outcomes comes before the other",
        ),
        (
            "  expect verdict(DEMO-99) == pass",
            "the plan has no item `DEMO-99`",
        ),
        (
            "  expect releas.took < 1m",
            "there is nothing to expect of `releas`",
        ),
        ("  expect release.tok < 1m", "has no `tok`"),
        ("  expect fired(DEMO-7)", "this is no rule of a watch"),
        ("  expect told(rom) == 1", "the plan has no such provider"),
        (
            "  expect error_rate < 1%",
            "there is nothing to expect of `error_rate`",
        ),
        (
            "  expect release at start",
            "only the world is compared with how it was",
        ),
        (
            "  expect story == \"x\"",
            "the story of a run is compared with one that is kept",
        ),
        (
            "  at start { expect always paused }",
            "this is either always or at this moment",
        ),
        (
            "  expect cluster.deployment(\"demo\").imag == \"x\"",
            "has no `imag`",
        ),
        (
            "  expect paused for 5m",
            "what a test expects is so at one moment, or always",
        ),
        (
            "  deploy fails before applying\n  expect paused",
            "the plan changes nothing by this name",
        ),
        (
            "  undo prom is down\n  expect paused",
            "only a change has an undo that can fail",
        ),
        (
            "  hosts is down\n  expect paused",
            "the plan has no such provider",
        ),
        (
            "  nobody is silent\n  expect paused",
            "the plan has no role `nobody`",
        ),
        (
            "  p95 = `1 2`\n  expect paused",
            "these samples have no unit",
        ),
        ("  p95 = `1 2` in %\n  expect paused", "`p95` is a duration"),
        ("  p95 = `1 two` in s\n  expect paused", "this is no sample"),
        (
            "  hosts = [] every 5m\n  expect paused",
            "only a metric has samples",
        ),
    ];
    for (index, (lines, words)) in wrong.into_iter().enumerate() {
        refused(&format!("trial-refused-{index}"), lines, words);
    }
}

#[test]
fn a_scenario_expects_nothing_and_only_tests_may() {
    let tests = "scenario \"A\" {\n  expect outcome == success\n}\n";
    let said = folder("trial-scenario", tests).said(&["check", "."]);
    assert!(said.contains("a scenario expects nothing"), "{said}");
    let plan = PLAN.replace(
        "    hold 5m\n",
        "    expect paused before paused\n    hold 5m\n",
    );
    assert_ne!(plan, PLAN);
    let folder = folder("trial-in-plan", &day("  expect paused"));
    folder.file("demo.deploy", plan);
    let said = folder.said(&["check", "."]);
    assert!(said.contains("a line of a test"), "{said}");
}

#[test]
fn a_test_is_like_a_scenario_that_stands_beside_it() {
    let tests = "scenario \"Bad at once\" {\n  like \"good-day\"
  at rollout { canary.error_rate = 50% }\n}\n
test \"A\" {\n  like \"Bad at once\"\n  expect outcome == rolled_back\n}\n";
    let said = folder("trial-like", tests).said(&["test", "."]);
    assert!(said.ends_with("exit 0\n"), "{said}");
}

#[test]
fn what_no_test_has_seen_is_named_with_its_place() {
    let lines = format!("{BAD}  expect outcome == rolled_back");
    let folder = folder("trial-coverage", &day(&lines));
    let said = folder.said(&["test", ".", "--coverage"]);
    for part in [
        "phases entered: 3 of 4\n    not \"Done\"  [demo.deploy:47]",
        "rules that fired: 1 of 3",
        "ways back taken: 2 of 2",
        "gates given: 2 of 3\n    not \"The new version stays\"  [demo.deploy:48]",
        "gates refused: 0 of 3",
        "gates expired: 0 of 3",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
    assert!(said.ends_with("exit 0\n"), "{said}");
    let said = folder.said(&["test", ".", "--min", "90"]);
    assert!(
        said.contains("and 90% are wanted") && said.ends_with("exit 1\n"),
        "{said}"
    );
    let said = folder.said(&["test", ".", "--min", "20"]);
    assert!(
        said.contains("coverage: ") && said.ends_with("exit 0\n"),
        "{said}"
    );
}

#[test]
fn coverage_knows_each_answer_of_a_gate_and_rules_that_stay_quiet() {
    let tests = format!(
        "{}{}{}",
        day("  expect outcome == success"),
        day("  manager rejects go_live\n  expect outcome == rolled_back"),
        day("  manager is silent\n  engineer is silent\n  expect outcome == stopped")
    );
    let said = folder("trial-gates", &tests).said(&["test", ".", "--coverage"]);
    for part in [
        "phases entered: 4 of 4",
        "rules that fired: 0 of 3",
        "rules that stayed quiet: 3 of 3",
        "gates given: 3 of 3",
        "gates refused: 1 of 3",
        "gates expired: 1 of 3",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
}

/// The events of a rehearsal as they stand in its journal.
fn journal(folder: &Folder, seed: &str) -> String {
    let args = ["simulate", ".", "--seed", seed, "--journal", "a.jsonl"];
    let said = folder.said(&args);
    assert!(said.ends_with("exit 0\n"), "{said}");
    let text = fs::read_to_string(folder.0.join("a.jsonl")).unwrap();
    let records = text.lines().filter_map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        Some(format!("{}\n", record.get("event")?))
    });
    records.collect()
}

/// A digest that is not the one of the snapshot on some machine means that something there depends on the machine.
#[test]
fn the_same_seed_gives_the_same_journal_byte_for_byte() {
    let folder = folder("trial-seed", &day("  expect outcome == success"));
    let first = journal(&folder, "7");
    assert!(first.lines().count() > 100, "{first}");
    assert_eq!(first, journal(&folder, "7"));
    assert_ne!(first, journal(&folder, "8"));
    let digest = Sha256::digest(first.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    insta::assert_snapshot!(digest);
}

#[test]
fn a_rehearsal_may_take_its_time() {
    let folder = folder("trial-speed", &day("  expect outcome == success"));
    let started = std::time::Instant::now();
    let said = folder.said(&["simulate", ".", "--speed", "900"]);
    // A quarter of an hour of virtual time.
    assert!(started.elapsed().as_millis() >= 900, "{said}");
    assert!(said.ends_with("exit 0\n"), "{said}");
}

/// What neither `check` nor `verify` can decide.
#[test]
fn each_test_judges_what_an_invariant_claims_of_the_world() {
    let judged = |name: &str, available: u32| {
        let folder = folder(name, &day("  expect outcome == success"));
        let claim = format!("cluster.deployment(\"demo\").available >= {available}");
        folder.file(
            "demo.deploy",
            format!("{PLAN}\ninvariant \"Somebody serves\" {{\n  {claim}\n}}\n"),
        );
        folder.said(&["test", "."])
    };
    let held = judged("trial-invariant-held", 1);
    assert!(held.ends_with("exit 0\n"), "{held}");
    let broken = judged("trial-invariant-broken", 1000);
    assert!(broken.ends_with("exit 1\n"), "{broken}");
    assert!(broken.contains("available >= 1000"), "{broken}");
}
