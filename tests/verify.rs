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
use deployc::plan::invariant::Invariant;
use deployc::plan::node::NodeKind;
use deployc::providers::CANARY_WEIGHT;
use deployc::providers::request::{Direction, Observation, Outcome};
use deployc::source::FileId;
use deployc::syntax::ast::ItemKind;
use deployc::syntax::parse::parse;
use deployc::values::fields::Fields;
use deployc::values::{Instant, Value};
use deployc::verify::alternatives::alternatives;
use deployc::verify::branch::{Branch, Progress, Step};
use deployc::verify::claims;
use deployc::verify::explore::{Bounds, Choice, Found, Progressing, explore};
use deployc::verify::fault::Fault;
use deployc::verify::inject::inject;
use deployc::verify::promise::Promise;
use deployc::verify::quiet::Pace;
use deployc::verify::scenario::play::{Played, play};
use deployc::verify::scenario::{Open, is_open, read, write};
use deployc::verify::story;
use deployc::verify::subject::{Subject, subject};
use std::collections::HashSet;
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
    subject(&compiled(text), &Fields::new()).unwrap()
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

/// A step behind a canary goes back before it, and the canary before what it was built on: nobody waits in a ring.
#[test]
fn a_step_behind_a_canary_is_taken_back_before_it() {
    let behind = "phase after \"After\" {\n  step more \"More\" = cluster.scale(\"worker\", 7) timeout 2m undo timeout 2m";
    let text = text().replace("phase after \"After\" {", behind);
    assert!(text.contains("step more"));
    let found = explored(&of(&text), &good, 1);
    assert!(found.broken.is_none(), "{:?}", found.broken);
    assert!(found.ends.contains_key(&RunOutcome::RolledBack));
    assert_eq!(found.complete, Some(1));
}

/// Time that has been seen up to the newest sample counts; what the next one would have closed is lost with the process.
#[test]
fn a_sample_that_is_lost_with_its_process_makes_no_run_longer_than_its_plan_says() {
    let text = fs::read_to_string(folder().join("../runs/counting/counting.deploy")).unwrap();
    let found = explored(&of(&text), &good, 1);
    assert!(found.broken.is_none(), "{:?}", found.broken);
    assert_eq!(found.complete, Some(1));
}

/// What is asked late, about a moment before the process was there again, is evidence of that moment.
#[test]
fn a_sample_that_is_asked_for_after_a_crash_counts_from_its_own_moment() {
    let text = r#"deploy 1

plan calm "A check through a time" {
  window 2026-01-20T06:00Z .. 2026-01-20T09:00Z
  freeze 2026-01-20T06:02Z .. 2026-01-20T06:05Z
  deadline 2h
  sample every 15s
  on fail, error, inconclusive pause up to 2m then warn
}

phase look at start {
  check "Few errors" expect error_rate < 1% for 10m
}

provider prom = prometheus { url: "http://prometheus.invalid" }

metric error_rate: ratio = prom.query(`error_rate`) in 1
"#;
    let found = explored(&of(text), &good, 2);
    assert!(found.broken.is_none(), "{:?}", found.broken);
    assert_eq!(found.complete, Some(2));
}

/// As many states as a test can wait for; the plans of fewer are explored in full.
const ENOUGH_STATES: u64 = 20_000;

#[test]
fn no_plan_of_this_repository_breaks_a_promise() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut explored_in_full, mut pairs) = (0, 0);
    let mut plans = 0;
    for file in plans_under(root) {
        let source = SourceText {
            name: file.display().to_string(),
            text: fs::read_to_string(&file).unwrap(),
        };
        let folder = file.parent().unwrap().to_owned();
        let compiled = compile(vec![source], &Disk { folder });
        let Some(plan) = compiled.plan else { continue };
        plans += 1;
        let subject = subject(&plan, &Fields::new()).unwrap();
        let subject = subject.claiming(&compiled.invariants);
        let bounds = Bounds {
            faults: 2,
            states_max: ENOUGH_STATES,
        };
        let found = explore(&subject, &good, bounds, &Progressing::default());
        assert!(found.complete.is_some(), "{}", file.display());
        explored_in_full += u32::from(found.complete >= Some(1));
        pairs += u32::from(found.complete == Some(2));
        if let Some(broken) = &found.broken {
            let text = write::scenario(&subject, &good, &broken.choices, "deployc simulate");
            panic!("{}\n{text}", file.display());
        }
    }
    assert!(plans >= 9, "{plans} plans compile");
    assert!(explored_in_full >= 5, "{explored_in_full} of {plans}");
    assert!(pairs >= 3, "{pairs} of {plans} with pairs of faults");
}

/// Fixtures of the compiler are no plans that anybody would carry out.
fn plans_under(root: &Path) -> Vec<PathBuf> {
    let mut open = vec![root.join("examples"), root.join("tests")];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["ui", "scenarios", "editors", "target"].contains(&name.as_str()) {
                open.push(path);
            } else if name.ends_with(".deploy") && !name.ends_with("_test.deploy") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn fails_that_the_plan_tolerates_break_no_promise() {
    let strict = "check \"Errors, all\" expect canary.error_rate < 1%";
    let text = text().replace(strict, &format!("{strict} on fail 2 in total rollback"));
    assert!(text.contains("2 in total"));
    let found = explored(&of(&text), &good, 1);
    assert!(found.broken.is_none(), "{:?}", found.broken);
}

/// A quiet day behind the rollout.
fn quiet(watch: &str) -> String {
    let day = r#"
phase day "Day" after after {
  every 1h for 3h "Each hour" {
    check "Still answers" expect api.get("/health").status == 200 within 1m on fail warn
  }
  hold 40m
  confirm "Seen" by engineer within 50m
}

provider room = slack { webhook: secret(env "ROOM") }
"#;
    let longer = text().replace("during rollout {", "during rollout .. day {");
    assert!(longer.contains(".. day"));
    format!("{longer}{day}{watch}")
}

/// It begins later than the other one, so the two never look at the same moment.
const SLOWLY: &str = r#"
watch "Slowly" during day {
  no data for 2m => notify room
  low "Some errors" when all.error_rate > 5% for 3m => notify room
  high "Many errors" when all.error_rate > 50% for 1m => pause up to 10m then rollback
}
"#;

fn at_pace(text: &str, pace: Pace, faults: u32) -> Found {
    let mut subject = of(text);
    subject.pace = pace;
    explored(&subject, &good, faults)
}

/// A check that waits for its answer in a pause, with watches that look meanwhile, and one that is retried within its time.
const PATIENTLY: &str = r#"
phase evening "Evening" after day {
  parallel {
    check "Calm" expect all.error_rate < 1% for 5m on no data for 3m pause up to 30m then warn on fail pause up to 1h then warn
    check "Back" expect api.get("/back").status == 200 within 40m on fail warn
  }
}
"#;

#[test]
fn strides_through_quiet_stretches_find_what_each_step_finds() {
    for text in [text(), quiet(""), quiet(SLOWLY), quiet(PATIENTLY)] {
        let (strides, steps) = (
            at_pace(&text, Pace::Stride, 1),
            at_pace(&text, Pace::Step, 1),
        );
        assert!(strides.broken.is_none(), "{:?}", strides.broken);
        assert_eq!(strides.complete, Some(1));
        assert_eq!(
            (strides.classes, strides.runs, strides.faults, &strides.ends),
            (steps.classes, steps.runs, steps.faults, &steps.ends)
        );
    }
    let states = |pace, faults| at_pace(&quiet(PATIENTLY), pace, faults).states;
    assert!(4 * states(Pace::Stride, 0) < states(Pace::Step, 0));
    assert!(3 * states(Pace::Stride, 1) < states(Pace::Step, 1));
}

/// Also where runs with a fault are played again, for a second one.
#[test]
fn strides_find_what_each_step_finds_with_two_faults_at_once() {
    let file = folder().join("../runs/frozen/frozen.deploy");
    let source = SourceText {
        name: "frozen.deploy".to_owned(),
        text: fs::read_to_string(&file).unwrap(),
    };
    let folder = file.parent().unwrap().to_owned();
    let plan = compile(vec![source], &Disk { folder }).plan.unwrap();
    let found = |pace| {
        let mut subject = subject(&plan, &Fields::new()).unwrap();
        subject.pace = pace;
        explored(&subject, &good, 2)
    };
    let (strides, steps) = (found(Pace::Stride), found(Pace::Step));
    assert_eq!(strides.complete, Some(2));
    assert!(strides.states < steps.states);
    assert_eq!(
        (strides.classes, strides.runs, strides.faults, &strides.ends),
        (steps.classes, steps.runs, steps.faults, &steps.ends)
    );
}

/// A fault that lasts as long as its item does not come back with the next round of an `every`.
#[test]
fn a_lasting_fault_is_over_with_its_item() {
    let subject = of(&quiet(""));
    let mut branch = Branch::start(&subject, &good);
    let every = subject.plan.nodes.iter();
    let mut every = every.filter(|node| matches!(node.kind, NodeKind::Every { .. }));
    let check = every.next().unwrap().children[0];
    let wrong = loop {
        let wrong = |fault: &Fault| matches!(fault, Fault::Measure { .. }) && fault.lasts();
        let mut wrong = alternatives(&subject, &branch).into_iter().filter(wrong);
        if let Some(fault) = wrong.find(|fault| fault.node() == Some(check)) {
            break fault;
        }
        assert_eq!(branch.advance(&subject, &good), Progress::Event);
    };
    inject(&mut branch, &subject, &good, wrong);
    assert_eq!(branch.active, [wrong]);
    let round = |branch: &Branch| branch.state.nodes[check.0 as usize].round;
    let first = round(&branch);
    while round(&branch) == first {
        assert_eq!(branch.advance(&subject, &good), Progress::Event);
    }
    assert_eq!(branch.active, []);
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
    let (_, as_scenario) = played_as_scenario(&subject, step, &broken.choices);
    let again = as_scenario
        .branch
        .violation
        .expect("the scenario breaks the promise again");
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
                    subject: None,
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
                result: Value::Record(Fields::from([("node", Value::String(release(plan)))])),
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
    let subject = subject(&plan, &Fields::new()).unwrap();
    let broken = explored(&subject, &forgets, 1).broken.unwrap();
    let branch = story::play(&subject, &forgets, &broken.choices);
    let story = verified::story(&compiled, &plan, &subject, &branch);
    let places = verified::diagnosis(&compiled, &subject, &broken.choices, &branch, Style::PLAIN);
    insta::assert_snapshot!(format!("{story}\n{places}"));
}

/// The scenario that is written of these choices, read again and played.
fn played_as_scenario(subject: &Subject, step: &Step, choices: &[Choice]) -> (Open, Played) {
    let text = write::scenario(subject, step, choices, "deployc simulate");
    let parsed = parse(FileId(0), &text);
    assert!(
        parsed.diagnostics.is_empty(),
        "{text}\n{:#?}",
        parsed.diagnostics
    );
    let [item] = parsed.file.items.as_slice() else {
        panic!("one scenario: {text}");
    };
    let ItemKind::Scenario(tree) = &item.kind else {
        panic!("a scenario: {text}");
    };
    assert!(is_open(tree), "{text}");
    let open = read::read(subject, tree).unwrap_or_else(|found| panic!("{text}\n{found:#?}"));
    let played = play(subject, step, &open.faults);
    assert!(played.missed.is_empty(), "{text}\n{:?}", played.missed);
    (open, played)
}

/// Every kind of fault that there is, wherever it can strike on a good day and on the days with one fault before it.
#[test]
fn every_fault_is_a_line_of_a_scenario_and_strikes_again_at_its_moment() {
    let subject = of(&text());
    let mut known = HashSet::new();
    let mut branch = Branch::start(&subject, &good);
    let mut firsts = Vec::new();
    loop {
        for fault in alternatives(&subject, &branch) {
            if known.insert(fault) {
                let event = branch.events;
                firsts.push(vec![Choice { event, fault }]);
            }
        }
        if branch.advance(&subject, &good) == Progress::Ended {
            break;
        }
    }
    let seconds: Vec<Vec<Choice>> = firsts
        .iter()
        .flat_map(|first| after(&subject, first, &mut known))
        .collect();
    let kinds: HashSet<_> = known.iter().map(std::mem::discriminant).collect();
    assert_eq!(
        kinds.len(),
        14,
        "all but `Prepare` of what cannot be: {kinds:?}"
    );
    for choices in firsts.iter().chain(&seconds) {
        let before = story::play(&subject, &good, choices);
        let (open, played) = played_as_scenario(&subject, &good, choices);
        let faults: Vec<Fault> = open.faults.iter().map(|planned| planned.fault).collect();
        for (choice, fault) in choices.iter().zip(faults) {
            match (choice.fault, fault) {
                (Fault::Crash { flight, .. }, Fault::Crash { flight: again, .. }) => {
                    assert_eq!(flight, again);
                }
                (was, again) => assert_eq!(was, again),
            }
        }
        assert_eq!(played.branch.outcome, before.outcome, "{choices:?}");
        assert_eq!(played.branch.now, before.now, "{choices:?}");
    }
}

/// With one more fault that was not seen before.
fn after(subject: &Subject, first: &[Choice], known: &mut HashSet<Fault>) -> Vec<Vec<Choice>> {
    let mut branch = Branch::start(subject, &good);
    let mut found = Vec::new();
    let mut open = first.iter().peekable();
    loop {
        if let Some(choice) = open.next_if(|choice| choice.event == branch.events) {
            inject(&mut branch, subject, &good, choice.fault);
        }
        if open.peek().is_none() {
            for fault in alternatives(subject, &branch) {
                if known.insert(fault) {
                    let event = branch.events;
                    found.push(
                        first
                            .iter()
                            .copied()
                            .chain([Choice { event, fault }])
                            .collect(),
                    );
                }
            }
        }
        if branch.advance(subject, &good) == Progress::Ended {
            return found;
        }
    }
}

/// A plan whose own invariant a single fault breaks.
fn claiming(claims: &str) -> String {
    format!(
        "{}\ninvariant \"Criteria\" ref X-1 {{\n{claims}\n}}\n",
        text()
    )
}

#[test]
fn an_invariant_that_a_fault_breaks_is_found_and_simulate_comes_to_the_same_end() {
    let here = Folder::new("verify-invariant");
    here.file(
        "k8s/shop.yaml",
        fs::read(folder().join("k8s/shop.yaml")).unwrap(),
    );
    let warned = claiming("  outcome != success or passed(after)").replace(
        "status == 200 within 1m",
        "status == 200 within 1m on fail, error, inconclusive warn",
    );
    here.file("shop.deploy", warned);
    let output = here.run(&["verify", "shop.deploy"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error[D1309]"), "{said}");
    let saved = fs::read_to_string(here.0.join("shop.fault.deploy")).unwrap();
    assert!(saved.contains("world = open"), "{saved}");
    let output = here.run(&["simulate", "shop.deploy", "--scenario", "shop.fault.deploy"]);
    let again = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{again}");
    assert!(again.contains("error[D1309]"), "{again}");
    let output = here.run(&["check", "shop.deploy"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn an_invariant_that_holds_on_every_day_is_proved() {
    let text =
        claiming("  outcome != success or passed(after)\n  not passed(after) or passed(release)");
    let (plan, invariants) = compiled_with_invariants(&text);
    let subject = subject(&plan, &Fields::new())
        .unwrap()
        .claiming(&invariants);
    assert_eq!(subject.invariants.len(), 1);
    let found = explored(&subject, &good, 1);
    assert!(found.broken.is_none(), "{:?}", found.broken);
    assert!(claims::undecided(&subject).is_empty());
}

#[test]
fn an_invariant_of_a_rollback_is_told_apart_by_what_had_passed_before() {
    let text = claiming("  outcome != rolled_back or not passed(rollout)");
    let (plan, invariants) = compiled_with_invariants(&text);
    let subject = subject(&plan, &Fields::new())
        .unwrap()
        .claiming(&invariants);
    let found = explored(&subject, &good, 1);
    let broken = found
        .broken
        .expect("a failure after the rollout rolls it back");
    assert_eq!(broken.violation.promise, Promise::Invariant);
}

#[test]
fn what_only_the_world_decides_is_said_not_to_be_decided() {
    let here = Folder::new("verify-undecided");
    here.file(
        "k8s/shop.yaml",
        fs::read(folder().join("k8s/shop.yaml")).unwrap(),
    );
    here.file(
        "shop.deploy",
        claiming("  cluster.deployment(\"shop\").available >= 1\n  rollback.longest < 10h"),
    );
    let output = here.run(&["verify", "shop.deploy"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains(
            "not decided: the invariant \"Criteria\": cluster.deployment(\"shop\").available >= 1"
        ),
        "{said}"
    );
    assert!(!said.contains("rollback.longest"), "{said}");
}

fn compiled_with_invariants(text: &str) -> (Plan, Vec<Invariant>) {
    let source = SourceText {
        name: "shop.deploy".to_owned(),
        text: text.to_owned(),
    };
    let compiled = compile(vec![source], &Disk { folder: folder() });
    let plan = compiled
        .plan
        .unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
    (plan, compiled.invariants)
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
        result: Value::Record(Fields::new()),
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
