//! Whole runs of a small plan, judged by what the world says of them; with a crash at every event.

use crate::engine::protocol::RunOutcome;
use crate::plan::Plan;
use crate::simulate::drive::{Drive, Identity, Progress};
use crate::simulate::history::{Change, What};
use crate::simulate::kubernetes::object::Name;
use crate::simulate::scenario::{Asked, Block, Moment, Reply, Says, Scenario};
use crate::simulate::script::Line;
use crate::simulate::setup;
use crate::simulate::tests::plan::{HALF, SECOND_NS, plan};
use crate::simulate::world::World;
use crate::values::fields::Fields;

fn errors(scope: Option<&str>, percent: f64) -> Line {
    Line::Metric {
        metric: "error_rate".to_owned(),
        scope: scope.map(str::to_owned),
        raw: Some(percent / 100.0),
    }
}

fn block(moment: Moment, after_ns: i64, lines: Vec<Line>) -> Block {
    Block {
        moment,
        after_ns,
        for_ns: None,
        lines,
        deeds: Vec::new(),
        kills_ns: Vec::new(),
        looks: Vec::new(),
    }
}

fn good() -> Scenario {
    Scenario {
        blocks: vec![block(Moment::Start, 0, vec![errors(None, 0.1)])],
        replies: vec![Reply {
            role: "engineer".to_owned(),
            to: Asked::Confirm,
            node: None,
            says: Says::Yes,
            after_ns: 20 * SECOND_NS,
        }],
        ..Scenario::default()
    }
}

fn bad() -> Scenario {
    let mut scenario = good();
    let worse = vec![errors(Some("canary"), 20.0)];
    scenario
        .blocks
        .push(block(Moment::Node(HALF), 60 * SECOND_NS, worse));
    scenario
}

fn identity() -> Identity {
    Identity {
        run: "simulated".to_owned(),
        digest: "0123456789abcdef".to_owned(),
        inputs: Fields::new(),
    }
}

fn begin<'p>(plan: &'p Plan, scenario: &'p Scenario) -> Drive<'p> {
    let start = setup::start(plan, scenario);
    let mut drive = Drive::new(plan, scenario, setup::world(plan, start));
    drive.start(identity());
    drive
}

fn finish(drive: &mut Drive) -> RunOutcome {
    for _ in 0..100_000 {
        match drive.advance() {
            Progress::Event(_) => {}
            Progress::Ended(outcome) => return outcome,
            Progress::Stuck => panic!("nothing will ever happen: {:#?}", drive.journal.last()),
        }
    }
    panic!("no end: {:#?}", drive.journal.last());
}

/// What is left, once pods have had time to go.
#[derive(Debug, PartialEq)]
struct Left {
    outcome: RunOutcome,
    serving: Vec<String>,
    pods: usize,
    canary: bool,
    /// Without annotations: a key stays on what a run has changed.
    specs: Vec<(String, serde_json::Value)>,
}

fn left(drive: &mut Drive, outcome: RunOutcome) -> Left {
    let world = &mut drive.world;
    let later = world.now.plus(60 * SECOND_NS);
    while world.now < later {
        world.advance(later);
    }
    let mut serving: Vec<String> = world
        .cluster
        .endpoints(&Name::new("service", "shop", "api"))
        .iter()
        .map(|pod| pod.images[0].clone())
        .collect();
    serving.sort();
    let objects = world.cluster.store.objects.iter();
    Left {
        outcome,
        serving,
        pods: world.cluster.pods.len(),
        canary: world
            .cluster
            .store
            .get(&Name::new("deployment", "shop", "api-canary"))
            .is_ok(),
        specs: objects
            .map(|(name, object)| (name.to_string(), object.body["spec"].clone()))
            .collect(),
    }
}

/// Writes under the keys of the plan: who could have been written twice.
fn writes(world: &World) -> Vec<(String, String)> {
    let keyed = |change: Change| {
        let key = change.key.as_ref()?.0.clone();
        let written = change.what.writes() || matches!(change.what, What::Ran(_));
        written.then(|| (key, format!("{} {:?}", change.object, change.what)))
    };
    let mut all: Vec<(String, String)> = world.history().into_iter().filter_map(keyed).collect();
    all.sort();
    all
}

#[test]
fn a_good_version_becomes_the_only_one() {
    let (plan, scenario) = (plan(), good());
    let mut drive = begin(&plan, &scenario);
    let outcome = finish(&mut drive);
    let left = left(&mut drive, outcome);
    assert_eq!(left.outcome, RunOutcome::Succeeded);
    assert_eq!(left.serving, ["api:2", "api:2", "api:2"]);
    assert_eq!((left.pods, left.canary), (3, false));
}

#[test]
fn a_bad_version_is_taken_back_and_everything_is_as_before() {
    let (plan, scenario) = (plan(), bad());
    let before = {
        let mut drive = begin(&plan, &scenario);
        left(&mut drive, RunOutcome::RolledBack)
    };
    let mut drive = begin(&plan, &scenario);
    let outcome = finish(&mut drive);
    assert_eq!(left(&mut drive, outcome), before);
}

#[test]
fn the_same_day_twice_is_the_same_journal_byte_for_byte() {
    let (plan, scenario) = (plan(), bad());
    let journal = || {
        let mut drive = begin(&plan, &scenario);
        finish(&mut drive);
        serde_json::to_string(&drive.journal).unwrap()
    };
    assert_eq!(journal(), journal());
}

#[test]
fn a_crash_at_any_event_and_a_resume_end_in_the_same_world() {
    for scenario in [good(), bad()] {
        let plan = plan();
        let (whole, events, written) = {
            let mut drive = begin(&plan, &scenario);
            let outcome = finish(&mut drive);
            let left = left(&mut drive, outcome);
            (left, drive.journal.len(), writes(&drive.world))
        };
        for crash_at in 1..events {
            let mut drive = begin(&plan, &scenario);
            while drive.journal.len() < crash_at {
                assert!(!matches!(drive.advance(), Progress::Stuck));
            }
            drive.crash();
            drive.resume();
            let outcome = finish(&mut drive);
            assert_eq!(
                left(&mut drive, outcome),
                whole,
                "crash after event {crash_at}"
            );
            assert_eq!(
                writes(&drive.world),
                written,
                "crash after event {crash_at}"
            );
        }
    }
}

#[test]
fn a_question_that_nobody_answers_is_named_and_nothing_is_changed() {
    let (plan, scenario) = (plan(), Scenario::default());
    let mut drive = begin(&plan, &scenario);
    let outcome = finish(&mut drive);
    assert_eq!(outcome, RunOutcome::Stopped);
    assert_eq!(drive.unanswered.len(), 1);
    assert!(
        drive
            .world
            .history()
            .iter()
            .all(|change| change.key.is_none())
    );
}
