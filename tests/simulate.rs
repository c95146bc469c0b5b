//! The example plan, rehearsed. What became of the system is read from the world's own account and its objects, never
//! from the run's log.

use deployc::commands::scenarios::{Rehearsal, load};
use deployc::engine::protocol::RunOutcome;
use deployc::plan::Plan;
use deployc::plan::digest::digest;
use deployc::plan::node::NodeKind;
use deployc::simulate::drive::{Drive, Identity, Progress};
use deployc::simulate::history::{Change, What};
use deployc::simulate::kubernetes::object::Name;
use deployc::simulate::scenario::{Moment, Scenario};
use deployc::simulate::setup;
use deployc::simulate::world::World;
use deployc::values::Instant;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const SECOND_NS: i64 = 1_000_000_000;
const MINUTE_NS: i64 = 60 * SECOND_NS;

const NEW: &str = "registry.local/x0tta6bl4-api:v1.20";
const OLD: &str = "registry.local/x0tta6bl4-api:v1.19";

struct Example {
    plan: Plan,
    scenario: Scenario,
}

fn example(scenario: &str) -> Example {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/x0tta6bl4");
    let rehearsal: Rehearsal = load(&folder, None).unwrap();
    assert!(
        rehearsal.compiled.diagnostics.is_empty(),
        "{:#?}",
        rehearsal.compiled.diagnostics
    );
    let plan = rehearsal.compiled.plan.as_ref().unwrap();
    let tree = rehearsal.find(scenario).unwrap();
    let scenario = rehearsal.resolve(plan, tree).unwrap();
    Example {
        plan: setup::scripted(plan, &scenario),
        scenario,
    }
}

impl Example {
    fn begin(&self) -> Drive<'_> {
        let start = setup::start(&self.plan, &self.scenario);
        let world = setup::world(&self.plan, start);
        let mut drive = Drive::new(&self.plan, &self.scenario, world);
        drive.start(Identity {
            run: "rehearsal".to_owned(),
            digest: digest(&self.plan),
            inputs: self.scenario.inputs.clone(),
        });
        drive
    }

    fn played(&self) -> (Drive<'_>, RunOutcome) {
        let mut drive = self.begin();
        let outcome = finish(&mut drive);
        (drive, outcome)
    }
}

fn finish(drive: &mut Drive) -> RunOutcome {
    let outcome = loop {
        match drive.advance() {
            Progress::Event(_) => {}
            Progress::Ended(outcome) => break outcome,
            Progress::Stuck => panic!("it waits for ever: {:#?}", drive.journal.last()),
        }
    };
    settle(&mut drive.world);
    outcome
}

/// Pods that drain get the time to go.
fn settle(world: &mut World) {
    let later = world.now.plus(MINUTE_NS);
    while world.now < later {
        world.advance(later);
    }
}

fn name(kind: &str, name: &str) -> Name {
    Name::new(kind, "x0tta6bl4", name)
}

/// The images of the pods that take traffic.
fn serving(world: &World) -> Vec<&str> {
    let pods = world.cluster.endpoints(&name("service", "x0tta6bl4-api"));
    pods.iter().map(|pod| pod.images[0].as_str()).collect()
}

/// What the manifests ask for, as it is now; without what a run leaves in annotations.
fn specs(world: &World) -> Vec<(String, serde_json::Value)> {
    let objects = world.cluster.store.objects.iter();
    objects
        .map(|(name, object)| {
            let mut body = object.body.clone();
            body.as_object_mut().unwrap().shift_remove("metadata");
            (name.to_string(), body)
        })
        .collect()
}

fn is_new(object: &str) -> bool {
    object.starts_with("pod/x0tta6bl4/x0tta6bl4-api-canary-")
}

fn first(history: &[Change], is: impl Fn(&Change) -> bool) -> &Change {
    history.iter().find(|change| is(change)).unwrap()
}

#[test]
fn a_good_day_ends_with_the_new_version_alone_and_never_too_few_pods() {
    let example = example("good-day");
    let (drive, outcome) = example.played();
    assert_eq!(outcome, RunOutcome::Succeeded);
    assert_eq!(serving(&drive.world), [NEW; 9]);
    assert_eq!(drive.world.cluster.pods.len(), 9);
    assert!(
        drive
            .world
            .cluster
            .store
            .get(&name("deployment", "x0tta6bl4-api-canary"))
            .is_err()
    );
    let service = drive
        .world
        .cluster
        .store
        .get(&name("service", "x0tta6bl4-api"))
        .unwrap();
    assert_eq!(
        service.body["spec"]["selector"],
        serde_json::json!({"app": "x0tta6bl4-api"})
    );
    assert!(fewest_ready(&drive.world.history()) >= 9);
    assert!(
        drive.world.script.silent.is_empty(),
        "{:?}",
        drive.world.script.silent
    );
    assert!(drive.unanswered.is_empty());
    stages_last_as_long_as_they_say(&drive);
    the_day_is_as_long_as_a_day(&drive);
}

/// By readiness alone, over the whole run: pods that were there before it count from its start.
fn fewest_ready(history: &[Change]) -> i64 {
    let mut ready = 9;
    let mut fewest = ready;
    for change in history {
        match change.what {
            What::Ready => ready += 1,
            What::Unready => ready -= 1,
            _ => {}
        }
        fewest = fewest.min(ready);
    }
    fewest
}

fn stages_last_as_long_as_they_say(drive: &Drive) {
    let history = drive.world.history();
    let opened: Vec<Instant> = history
        .iter()
        .filter(|change| is_new(&change.object) && change.what == What::Ready)
        .map(|change| change.at)
        .collect();
    assert_eq!(
        opened.len(),
        9,
        "one pod at 10%, eight more at 50%, none at 100%"
    );
    let half = opened[1].since(opened[0]);
    assert!((5 * MINUTE_NS..7 * MINUTE_NS).contains(&half), "{half}");
    let narrowed = first(&history, |change| change.object.starts_with("service/"));
    let all = narrowed.at.since(opened[8]);
    assert!((10 * MINUTE_NS..12 * MINUTE_NS).contains(&all), "{all}");
    let promoted = first(&history, |change| {
        change.object == "deployment/x0tta6bl4/x0tta6bl4-api"
    });
    let held = promoted.at.since(narrowed.at);
    assert!((30 * MINUTE_NS..32 * MINUTE_NS).contains(&held), "{held}");
}

fn the_day_is_as_long_as_a_day(drive: &Drive) {
    let first = drive.journal.first().unwrap().at;
    let last = drive.journal.last().unwrap().at;
    let hours = last.since(first) / (60 * MINUTE_NS);
    assert!((39..44).contains(&hours), "{hours} hours");
}

#[test]
fn errors_at_half_traffic_take_the_new_version_back_and_everything_is_as_before() {
    let example = example("errors-at-half-traffic");
    let before = specs(&example.begin().world);
    let (drive, outcome) = example.played();
    assert_eq!(outcome, RunOutcome::RolledBack);
    assert_eq!(specs(&drive.world), before);
    assert_eq!(serving(&drive.world), [OLD; 9]);
    assert_eq!(drive.world.cluster.pods.len(), 9);
    assert!(fewest_ready(&drive.world.history()) >= 9);
    bad_pods_are_out_soon(&example, &drive);
    let ended = drive.journal.last().unwrap().at;
    let rollback = ended.since(drive.rollback_started.unwrap());
    assert!(rollback < 15 * MINUTE_NS, "{rollback}");
}

/// From the moment at which the scenario makes the new pods bad to the one at which none of them takes traffic.
fn bad_pods_are_out_soon(example: &Example, drive: &Drive) {
    let half =
        example.plan.nodes.iter().find(
            |node| matches!(&node.kind, NodeKind::Stage(stage) if stage.weight.as_f64() == 0.5),
        );
    let half = half.unwrap().id;
    let worst = example
        .scenario
        .blocks
        .iter()
        .filter(|block| block.moment == Moment::Node(half));
    let after_ns = worst.map(|block| block.after_ns).max().unwrap();
    let started = drive.state.nodes[half.0 as usize].started.unwrap();
    let history = drive.world.history();
    let shut: Vec<Instant> = history
        .iter()
        .filter(|change| is_new(&change.object) && change.what == What::Unready)
        .map(|change| change.at)
        .collect();
    assert_eq!(shut.len(), 9);
    let noticed = shut.iter().max().unwrap().since(started.plus(after_ns));
    assert!(
        (0..16 * SECOND_NS).contains(&noticed),
        "{noticed} ns of bad answers"
    );
}

#[test]
fn the_same_day_twice_gives_the_same_events_byte_for_byte() {
    let example = example("errors-at-half-traffic");
    let journal = || serde_json::to_string(&example.played().0.journal).unwrap();
    assert_eq!(journal(), journal());
}

#[test]
fn a_crash_anywhere_in_the_rehearsal_ends_in_the_same_world() {
    let example = example("errors-at-half-traffic");
    let (whole, outcome) = example.played();
    let wanted = (outcome, specs(&whole.world), serving(&whole.world).len());
    // Each event of the small plan is tried where the driver is; here some that lie far apart.
    for crash_at in (20..whole.journal.len()).step_by(41) {
        let mut drive = example.begin();
        while drive.journal.len() < crash_at {
            drive.advance();
        }
        drive.crash();
        drive.resume();
        let outcome = finish(&mut drive);
        let found = (outcome, specs(&drive.world), serving(&drive.world).len());
        assert_eq!(found, wanted, "crash after event {crash_at}");
    }
}

#[test]
fn the_example_answers_at_least_60_items_of_its_list_each_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/x0tta6bl4");
    let text = std::fs::read_to_string(folder.join("x0tta6bl4.deploy")).unwrap();
    let ids: Vec<&str> = text
        .match_indices("ref X0-")
        .map(|(at, _)| &text[at + 4..at + 10])
        .collect();
    let different: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), different.len(), "an id stands twice");
    assert!(ids.len() >= 60, "{}", ids.len());
}

fn deployc(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deployc"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let errors = [
        "simulate",
        "examples/x0tta6bl4",
        "--scenario",
        "errors-at-half-traffic",
    ];
    let (code, out, err) = deployc(&errors);
    assert_eq!((code, err.as_str()), (3, ""));
    assert!(out.starts_with("Errors at half traffic"), "{out}");
    assert!(out.contains("rolling back"), "{out}");
    let last = out.lines().rev().take(8).collect::<Vec<_>>().join("\n");
    assert!(last.contains("rolled back after"), "{last}");
    assert!(last.contains(OLD), "{last}");
}

#[test]
fn programs_get_an_object_for_each_event_and_one_for_the_end() {
    let path = "examples/x0tta6bl4/scenarios/errors-at-half-traffic.deploy";
    let (code, out, _) = deployc(&[
        "simulate",
        "examples/x0tta6bl4",
        "--scenario",
        path,
        "--output",
        "json",
    ]);
    assert_eq!(code, 3);
    let objects: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let summary = &objects.last().unwrap()["summary"];
    assert_eq!(summary["outcome"], "rolled back");
    assert_eq!(summary["no_data"], serde_json::json!([]));
}

#[test]
fn what_cannot_be_rehearsed_is_said() {
    let (code, _, err) = deployc(&["simulate", "examples/x0tta6bl4", "--scenario", "bad-day"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("`bad-day`") && err.contains("`good-day`"),
        "{err}"
    );
    let (code, _, err) = deployc(&["simulate", "examples/x0tta6bl4", "--set", "version=newest"]);
    assert_eq!(code, 2);
    assert!(err.contains("version"), "{err}");
    let (code, _, err) = deployc(&["simulate", "examples/nowhere"]);
    assert_eq!(code, 1);
    assert!(err.contains("examples/nowhere"), "{err}");
}
