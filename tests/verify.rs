//! `deployc verify`: sound plans are proved, and a defect of the engine is found for each promise.
//!
//! A defect is put around `step`: the engine itself is not touched.

use crate::program::Folder;
use deployc::analyze::compile::{SourceText, compile};
use deployc::commands::load::Disk;
use deployc::commands::show::verified;
use deployc::diagnostics::render::human::Style;
use deployc::engine;
use deployc::engine::protocol::{Actor, Answer, Effect, Event, EventKind, RunOutcome};
use deployc::engine::state::State;
use deployc::plan::Plan;
use deployc::plan::node::NodeKind;
use deployc::providers::CANARY_WEIGHT;
use deployc::providers::request::{Direction, Observation, Outcome};
use deployc::values::{Instant, Value};
use deployc::verify::branch::Step;
use deployc::verify::explore::{Bounds, Found, Progressing, explore};
use deployc::verify::promise::Promise;
use deployc::verify::story;
use deployc::verify::subject::{Subject, subject};
use indexmap::IndexMap;
use std::fs;
use std::path::{Path, PathBuf};

const H_NS: i64 = 3_600_000_000_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify")
}

fn text() -> String {
    fs::read_to_string(folder().join("shop.deploy")).unwrap()
}

fn compiled(text: &str) -> Plan {
    let source = SourceText {
        name: "shop.deploy".to_owned(),
        text: text.to_owned(),
    };
    let compiled = compile(vec![source], &Disk { folder: folder() });
    compiled
        .plan
        .unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

fn of(text: &str) -> Subject {
    subject(&compiled(text), &IndexMap::new()).unwrap()
}

fn explored(subject: &Subject, step: &Step, faults: u32) -> Found {
    let bounds = Bounds {
        faults,
        states_max: 1_000_000,
    };
    explore(subject, step, bounds, &Progressing::default())
}

fn good(plan: &Plan, state: State, event: Event) -> (State, Vec<Effect>) {
    engine::step(plan, state, event)
}

#[test]
fn no_single_fault_breaks_a_promise_of_the_shop() {
    let found = explored(&of(&text()), &good, 1);
    assert!(found.broken.is_none(), "{:?}", found.broken);
    assert_eq!(found.complete, Some(1));
    assert!(
        found.faults.iter().filter(|count| **count > 0).count() >= 6,
        "{found:?}"
    );
}

#[test]
fn fails_that_the_plan_tolerates_break_no_promise() {
    let strict = "check \"Errors, all\" expect canary.error_rate < 1%";
    let text = text().replace(strict, &format!("{strict} on fail 2 in total rollback"));
    assert!(text.contains("2 in total"));
    let found = explored(&of(&text), &good, 1);
    assert!(found.broken.is_none(), "{:?}", found.broken);
}

#[test]
fn the_same_is_found_with_any_number_of_threads() {
    let subject = of(&text());
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let found = pool.install(|| explored(&subject, &good, 1));
        (found.states, found.classes, found.runs, found.faults)
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_good_day_on_which_nobody_is_heard_is_found() {
    let deaf = |plan: &Plan, state: State, event: Event| match event.kind {
        EventKind::Signed { .. } => {
            let kind = EventKind::Tick;
            engine::step(plan, state, Event { at: event.at, kind })
        }
        _ => engine::step(plan, state, event),
    };
    assert_eq!(caught(&deaf, 1), (Promise::GoodDay, 0));
}

/// The promise that a defective engine breaks, and with how many faults.
fn caught(step: &Step, faults: u32) -> (Promise, usize) {
    let subject = of(&text());
    let found = explored(&subject, step, faults);
    let broken = found.broken.expect("the defect was not found");
    let played = story::play(&subject, step, &broken.choices);
    let again = played
        .violation
        .expect("the story breaks the promise again");
    assert_eq!(again.promise, broken.violation.promise);
    assert_eq!(again.at, broken.violation.at);
    (broken.violation.promise, broken.choices.len())
}

/// Answers what it should have asked of the world, by itself; `None` asks the world.
fn made_up(
    plan: &Plan,
    state: State,
    event: Event,
    answer: &dyn Fn(&Plan, &Effect) -> Option<EventKind>,
) -> (State, Vec<Effect>) {
    let at = event.at;
    let (mut state, effects) = engine::step(plan, state, event);
    let mut kept = Vec::new();
    for effect in effects {
        match answer(plan, &effect) {
            Some(kind) => {
                let (next, more) = made_up(plan, state, Event { at, kind }, answer);
                state = next;
                kept.extend(more);
            }
            None => kept.push(effect),
        }
    }
    (state, kept)
}

#[test]
fn a_forgotten_undo_is_found() {
    assert_eq!(caught(&forgets, 1), (Promise::Restored, 1));
}

#[test]
fn a_request_that_is_sent_again_without_a_look_is_found() {
    let blind = |plan: &Plan, state: State, event: Event| {
        made_up(plan, state, event, &|_, effect| match effect {
            Effect::Observe { key, direction, .. } => Some(EventKind::Observed {
                key: key.clone(),
                direction: *direction,
                observation: Observation::NotApplied,
            }),
            _ => None,
        })
    };
    assert_eq!(caught(&blind, 1), (Promise::Once, 1));
}

#[test]
fn a_request_that_leaves_twice_is_found() {
    let doubles = |plan: &Plan, state: State, event: Event| {
        let (state, mut effects) = engine::step(plan, state, event);
        let commit = effects
            .iter()
            .find(|effect| matches!(effect, Effect::Commit { .. }));
        effects.extend(commit.cloned());
        (state, effects)
    };
    assert_eq!(caught(&doubles, 1), (Promise::Once, 0));
}

#[test]
fn a_check_that_passes_unseen_is_found() {
    let sees_all = |plan: &Plan, state: State, event: Event| {
        made_up(plan, state, event, &|_, effect| match effect {
            Effect::Read { id, call, .. } if call.function == "truth" => Some(EventKind::Read {
                id: *id,
                result: Ok(Value::Bool(true)),
            }),
            _ => None,
        })
    };
    assert_eq!(caught(&sees_all, 1), (Promise::Evidence, 0));
}

#[test]
fn a_failure_that_is_taken_for_a_pass_is_found() {
    let hopes = |plan: &Plan, state: State, mut event: Event| {
        if let EventKind::Read {
            result: result @ Ok(Value::Bool(false)),
            ..
        } = &mut event.kind
        {
            *result = Ok(Value::Bool(true));
        }
        engine::step(plan, state, event)
    };
    assert_eq!(caught(&hopes, 1), (Promise::Evidence, 1));
}

#[test]
fn silence_that_is_taken_for_a_pass_is_found() {
    let hopes = |plan: &Plan, state: State, mut event: Event| {
        if let EventKind::Read {
            result: result @ Ok(Value::Absent),
            ..
        } = &mut event.kind
        {
            *result = Ok(Value::Bool(true));
        }
        engine::step(plan, state, event)
    };
    assert_eq!(caught(&hopes, 1), (Promise::Evidence, 1));
}

#[test]
fn a_gate_that_opens_for_one_person_in_two_roles_is_found() {
    let believes = |plan: &Plan, state: State, mut event: Event| {
        if let EventKind::Signed { by, role, .. } = &mut event.kind {
            *by = Actor {
                user: if role == "manager" { "mia" } else { "ann" }.to_owned(),
                host: String::new(),
            };
        }
        engine::step(plan, state, event)
    };
    assert_eq!(caught(&believes, 1), (Promise::Approval, 1));
}

#[test]
fn a_gate_that_opens_by_itself_is_found() {
    let opens = |plan: &Plan, state: State, event: Event| {
        made_up(plan, state, event, &|plan, effect| match effect {
            Effect::Ask { node } => match plan.node(*node).map(|node| &node.kind) {
                Some(NodeKind::Confirm(_)) => Some(EventKind::Answered {
                    node: *node,
                    by: Actor {
                        user: "ann".to_owned(),
                        host: String::new(),
                    },
                    role: "engineer".to_owned(),
                    answer: Answer::Yes { note: None },
                }),
                _ => None,
            },
            _ => None,
        })
    };
    assert_eq!(caught(&opens, 1), (Promise::Approval, 0));
}

#[test]
fn a_version_that_is_taken_away_while_it_has_traffic_is_found() {
    let hurries = |plan: &Plan, state: State, event: Event| {
        made_up(plan, state, event, &|_, effect| match effect {
            Effect::Commit {
                key,
                direction: Direction::Back,
                ..
            } if key.0.contains(CANARY_WEIGHT) => Some(EventKind::Committed {
                key: key.clone(),
                direction: Direction::Back,
                outcome: applied(),
            }),
            _ => None,
        })
    };
    assert_eq!(caught(&hurries, 1), (Promise::Traffic, 1));
}

#[test]
fn traffic_to_a_version_that_never_became_ready_is_found() {
    let hopes = |plan: &Plan, state: State, mut event: Event| {
        if let EventKind::Committed { outcome, .. } = &mut event.kind
            && matches!(outcome, Outcome::Unachieved(_))
        {
            *outcome = Outcome::Applied {
                result: Value::Record(IndexMap::from([(
                    "node".to_owned(),
                    Value::String(release(plan)),
                )])),
                written: Vec::new(),
            };
        }
        engine::step(plan, state, event)
    };
    assert_eq!(caught(&hopes, 1), (Promise::Traffic, 1));
}

#[test]
fn a_run_that_oversleeps_is_found() {
    let sleeps = |plan: &Plan, state: State, event: Event| {
        let (state, mut effects) = engine::step(plan, state, event);
        for effect in &mut effects {
            if let Effect::Wake { at } = effect {
                *at = Instant(at.0 + 3 * H_NS);
            }
        }
        (state, effects)
    };
    assert_eq!(caught(&sleeps, 1), (Promise::Time, 0));
}

#[test]
fn a_rollback_that_waits_for_nothing_is_found() {
    let waits = |plan: &Plan, state: State, event: Event| {
        let (state, mut effects) = engine::step(plan, state, event);
        let back = state.ending.is_some();
        for effect in &mut effects {
            if let Effect::Wake { at } = effect
                && back
            {
                *at = Instant(at.0 + H_NS);
            }
        }
        (state, effects)
    };
    assert_eq!(caught(&waits, 1), (Promise::Time, 1));
}

#[test]
fn a_run_that_never_says_its_end_is_found() {
    let swallows = |plan: &Plan, state: State, event: Event| {
        let (state, mut effects) = engine::step(plan, state, event);
        effects.retain(|effect| !matches!(effect, Effect::Finish(RunOutcome::Stopped)));
        (state, effects)
    };
    assert_eq!(caught(&swallows, 1), (Promise::End, 1));
}

#[test]
fn a_crash_that_forgets_what_was_on_its_way_is_found() {
    let loses = |plan: &Plan, state: State, event: Event| {
        let crash = matches!(event.kind, EventKind::Resumed { .. });
        let (state, mut effects) = engine::step(plan, state, event);
        if crash {
            effects.retain(|effect| !matches!(effect, Effect::Observe { .. }));
        }
        (state, effects)
    };
    assert_eq!(caught(&loses, 1), (Promise::End, 1));
}

/// Two faults are needed for this one: a failure that makes the run go back, and a request of the way back that is lost.
#[test]
fn a_defect_that_takes_two_faults_is_found_with_two_and_not_with_one() {
    let gives_up = |plan: &Plan, state: State, mut event: Event| {
        if let EventKind::Committed {
            direction: Direction::Back,
            outcome,
            ..
        } = &mut event.kind
            && matches!(outcome, Outcome::Unknown(_))
        {
            *outcome = applied();
        }
        engine::step(plan, state, event)
    };
    let subject = of(&text());
    assert!(explored(&subject, &gives_up, 1).broken.is_none());
    let (promise, faults) = caught(&gives_up, 2);
    assert!(
        matches!(promise, Promise::Restored | Promise::Traffic),
        "{promise:?}"
    );
    assert_eq!(faults, 2);
}

#[test]
fn the_command_says_what_it_proved() {
    let shop = folder().join("shop.deploy");
    let here = Folder::new("verify-proved");
    let output = here.run(&["verify", shop.to_str().unwrap(), "--jobs", "2"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("proved: no promise is broken with any single fault"),
        "{said}"
    );
}

/// The release is not undone, and said to be.
fn forgets(plan: &Plan, state: State, event: Event) -> (State, Vec<Effect>) {
    made_up(plan, state, event, &|_, effect| match effect {
        Effect::Commit {
            key,
            direction: Direction::Back,
            ..
        } if key.0.contains("release") => Some(EventKind::Committed {
            key: key.clone(),
            direction: Direction::Back,
            outcome: applied(),
        }),
        _ => None,
    })
}

#[test]
fn a_broken_promise_is_told_as_a_story_with_lines_of_the_plan() {
    let source = SourceText {
        name: "shop.deploy".to_owned(),
        text: text(),
    };
    let compiled = compile(vec![source], &Disk { folder: folder() });
    let plan = compiled.plan.clone().unwrap();
    let subject = subject(&plan, &IndexMap::new()).unwrap();
    let broken = explored(&subject, &forgets, 1).broken.unwrap();
    let branch = story::play(&subject, &forgets, &broken.choices);
    let story = verified::story(&compiled, &plan, &subject, &branch);
    let places = verified::diagnosis(&compiled, &subject, &broken.choices, &branch, Style::PLAIN);
    insta::assert_snapshot!(format!("{story}\n{places}"));
}

#[test]
fn a_saved_story_is_played_again() {
    let here = Folder::new("verify-replay");
    here.file(
        "k8s/shop.yaml",
        fs::read(folder().join("k8s/shop.yaml")).unwrap(),
    );
    here.file("shop.deploy", text());
    let choices = r#"[{"event": 3, "fault": "aborted"}]"#;
    here.file(
        "story.json",
        format!(r#"{{"plan": "shop", "digest": "", "choices": {choices}}}"#),
    );
    let output = here.run(&["verify", "shop.deploy", "--replay", "story.json"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("FAULT  somebody aborts the run"), "{said}");
    assert!(said.contains("the run stopped"), "{said}");
    assert!(said.contains("no promise was broken"), "{said}");
}

#[test]
fn what_was_proved_is_an_object_too() {
    let shop = folder().join("shop.deploy");
    let here = Folder::new("verify-json");
    let output = here.run(&["verify", shop.to_str().unwrap(), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["broken"], serde_json::Value::Null);
    assert_eq!(object["proved_faults"], 1);
    assert_eq!(
        object["promises"].as_array().unwrap().len(),
        Promise::ALL.len()
    );
}

#[test]
fn an_exploration_that_is_cut_short_does_not_say_proved() {
    let shop = folder().join("shop.deploy");
    let here = Folder::new("verify-short");
    let output = here.run(&["verify", shop.to_str().unwrap(), "--max-states", "10"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("not finished"), "{said}");
}

fn applied() -> Outcome {
    Outcome::Applied {
        result: Value::Record(IndexMap::new()),
        written: Vec::new(),
    }
}

fn release(plan: &Plan) -> String {
    let mut nodes = plan.nodes.iter();
    let node = nodes
        .find(|node| node.name.as_deref() == Some("release"))
        .unwrap();
    node.id.0.to_string()
}
