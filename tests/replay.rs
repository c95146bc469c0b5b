//! `deployc replay`: a journal decided once more, by the same plan and by another one.
//!
//! `tests/replay` has journals that earlier builds wrote: rehearsals (`deployc simulate --journal`), and runs of real
//! processes that were killed and resumed (`DEPLOYC_TEST_JOURNALS=DIR cargo test crash` writes some). Each build has to come
//! to the same events, to the byte, and to the same verdicts. One that decides differently on purpose raises
//! `plan::SEMANTICS`, and its journals take the place of these.

use crate::why::{Day, JOURNAL, root};
use deployc::engine::protocol::{Event, EventKind};
use std::fs;

/// The plan of the day with other words in it.
fn with(day: &Day, changes: &[(&str, &str)]) -> String {
    let path = day.folder.0.join("shop/shop.deploy");
    let mut text = fs::read_to_string(&path).unwrap();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    fs::write(path, text).unwrap();
    let said = day.folder.said(&["replay", JOURNAL, "--with", "shop"]);
    assert!(said.ends_with("exit 0\n"), "{said}");
    said
}

#[test]
fn journals_of_earlier_builds_give_the_same_events_and_verdicts() {
    let mut seen = 0;
    for entry in fs::read_dir(root().join("tests/replay")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let folder = crate::program::Folder::new(&format!("replay-{name}"));
        fs::copy(&path, folder.0.join(JOURNAL)).unwrap();
        let said = folder.said(&["replay", JOURNAL]);
        assert!(
            said.contains("events came out, byte for byte"),
            "{name}: {said}"
        );
        assert!(said.ends_with("exit 0\n"), "{name}: {said}");
        insta::assert_snapshot!(name, folder.said(&["log", JOURNAL]));
        seen += 1;
    }
    assert!(seen >= 6, "{seen} journals");
}

/// What somebody did to the events of a journal.
type Change<'c> = &'c dyn Fn(&mut Vec<Event>);

/// What the engine would not have asked, or not then, is not taken for an answer.
#[test]
fn a_journal_that_this_engine_would_not_have_written_is_found() {
    let is_tick = |event: &Event| matches!(event.kind, EventKind::Tick);
    let is_read = |event: &Event| matches!(event.kind, EventKind::Read { .. });
    let change: [(&str, Change); 4] = [
        ("a tick less", &|events| {
            let at = events.iter().rposition(is_tick).unwrap();
            events.remove(at);
        }),
        (
            "an answer less, and one that was not asked for",
            &|events| {
                let at = events.iter().position(is_read).unwrap();
                let EventKind::Read { id, .. } = &mut events[at].kind else {
                    unreachable!()
                };
                id.0 += 1000;
            },
        ),
        ("an answer of the other side", &|events| {
            let is_commit = |event: &&mut Event| matches!(event.kind, EventKind::Committed { .. });
            let commit = events.iter_mut().find(is_commit).unwrap();
            let EventKind::Committed { key, .. } = &mut commit.kind else {
                unreachable!()
            };
            key.0.push('x');
        }),
        ("nothing after the start", &|events| {
            events.drain(1..2);
        }),
    ];
    for (what, change) in change {
        let day = Day::played("errors").changed(|_, _, events| change(events));
        let said = day.folder.said(&["replay", JOURNAL]);
        assert!(
            said.contains("did not come out as it stands"),
            "{what}: {said}"
        );
        assert!(said.ends_with("exit 1\n"), "{what}: {said}");
    }
}

#[test]
fn with_a_higher_threshold_it_would_have_gone_on() {
    let day = Day::played("errors");
    let changes = [
        (
            "canary.error_rate > 10% for 1m",
            "canary.error_rate > 15% for 1m",
        ),
        ("canary.error_rate < 10%", "canary.error_rate < 15%"),
    ];
    insta::assert_snapshot!(with(&day, &changes));
}

#[test]
fn with_a_lower_threshold_it_would_have_gone_back_earlier() {
    let day = Day::played("slow");
    let change = (
        "canary.p95 > 500ms => pause up to 3m then rollback",
        "canary.p95 > 300ms => rollback",
    );
    insta::assert_snapshot!(with(&day, &[change]));
}

/// `absent as 0` is what the metric says of an empty answer, not of a question that was never asked.
#[test]
fn what_was_never_measured_has_no_data_whatever_the_metric_says() {
    let day = Day::played("good");
    let changes = [
        ("expect queue_length < 100", "expect workers < 100"),
        (
            "metric queue_length",
            "metric workers: count = prom.query(`sum(workers)`) in 1 absent as 0 lower is better\nmetric queue_length",
        ),
    ];
    insta::assert_snapshot!(with(&day, &changes));
}

#[test]
fn where_the_other_plan_waits_longer_the_journal_says_nothing_of_it() {
    let day = Day::played("good");
    insta::assert_snapshot!(with(&day, &[("hold 10m", "hold 12m")]));
}

#[test]
fn another_change_is_another_world() {
    let day = Day::played("good");
    let said = with(&day, &[("registry.local/api:2", "registry.local/api:3")]);
    assert!(
        said.contains("that plan would have made something else of deploy/release"),
        "{said}"
    );
}

#[test]
fn what_makes_no_difference_is_said_to_make_none() {
    let day = Day::played("good");
    let said = with(
        &day,
        &[(
            "canary.error_rate > 10% for 1m",
            "canary.error_rate > 11% for 2m",
        )],
    );
    assert!(said.contains("nothing would have been different"), "{said}");
    assert!(said.contains("it ends: succeeded"), "{said}");
}

#[test]
fn people_are_heard_where_the_plan_has_what_they_answered() {
    let day = Day::played("good");
    let said = with(
        &day,
        &[(
            "approve done \"It is done\"",
            "approve finished \"It is done\"",
        )],
    );
    assert!(said.contains("`after/done` was left out"), "{said}");
    assert!(
        said.contains("waits for 2 more of engineer, manager"),
        "{said}"
    );
}

#[test]
fn for_programs_it_is_one_object() {
    let day = Day::played("errors");
    let said = day.folder.said(&["replay", JOURNAL, "--format", "json"]);
    let object = |said: &str| -> serde_json::Value {
        serde_json::from_str(said.lines().find(|line| line.starts_with('{')).unwrap()).unwrap()
    };
    assert_eq!(object(&said)["identical"], true);
    let path = day.folder.0.join("shop/shop.deploy");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace("10%", "15%")).unwrap();
    let said = day
        .folder
        .said(&["replay", JOURNAL, "--with", "shop", "--format", "json"]);
    let object = object(&said);
    assert_eq!(object["first_difference"]["at"], "2026-01-01T00:06:02Z");
    assert_eq!(object["end"]["other_world_from"], "2026-01-01T00:06:02Z");
    assert_ne!(object["with"]["digest"], object["recorded"]["digest"]);
    assert_eq!(object["verdicts"][0]["recorded"]["verdict"], "cancelled");
}
