//! Whole plans, each with the days that the verdict vectors speak of: what a run says of each item, how it ends, and its
//! story as `deployc simulate` tells it. (`tests/run` is the script that runs all tests, so the folder is `tests/runs`.)

use deployc::commands::scenarios::{Rehearsal, load};
use deployc::diagnostics::Severity;
use deployc::engine::protocol::{Actor, Answer, EventKind, RunOutcome};
use deployc::engine::state::NodeState;
use deployc::engine::subject::subject;
use deployc::plan::Plan;
use deployc::plan::digest::digest;
use deployc::plan::node::NodeId;
use deployc::simulate::drive::{Drive, Identity, Progress};
use deployc::simulate::history::What;
use deployc::simulate::scenario::Scenario;
use deployc::simulate::setup;
use deployc::values::{Instant, Verdict};
use std::path::PathBuf;
use std::process::Command;

const SECOND_NS: i64 = 1_000_000_000;
const MINUTE_NS: i64 = 60 * SECOND_NS;

/// A day that is played without anybody from outside.
struct Day {
    plan: &'static str,
    scenario: &'static str,
    outcome: RunOutcome,
    /// By `ref`; `None` of what never came to one.
    verdicts: &'static [(&'static str, Option<Verdict>)],
    /// Of each watch, in the order of the plan.
    watches: &'static [Verdict],
    /// The story has this line, but for its time.
    says: &'static str,
}

use Verdict::{Cancelled, Error, Fail, Inconclusive, Pass};

const DAYS: &[Day] = &[
    Day {
        plan: "gate",
        scenario: "v01-not-a-number",
        outcome: RunOutcome::Succeeded,
        verdicts: &[
            ("BELOW", Some(Inconclusive)),
            ("AT_LEAST", Some(Inconclusive)),
            ("ALL", Some(Inconclusive)),
        ],
        watches: &[],
        says: "NaN is no number",
    },
    Day {
        plan: "gate",
        scenario: "v11-infinite",
        outcome: RunOutcome::Succeeded,
        verdicts: &[
            ("BELOW", Some(Inconclusive)),
            ("AT_LEAST", Some(Inconclusive)),
        ],
        watches: &[],
        says: "inf is no number",
    },
    Day {
        plan: "rollout",
        scenario: "v19-not-a-number",
        outcome: RunOutcome::RolledBack,
        verdicts: &[("ERRORS", Some(Cancelled)), ("FEW", None)],
        watches: &[Inconclusive],
        says: "rolling back: no data for 2m: `canary.block_age > 5s`: NaN is no number",
    },
    Day {
        plan: "rollout",
        scenario: "v20-infinite",
        outcome: RunOutcome::RolledBack,
        verdicts: &[("ERRORS", Some(Cancelled)), ("FEW", None)],
        watches: &[Fail],
        says: "canary.block_age is inf",
    },
    Day {
        plan: "gate",
        scenario: "v02-empty",
        outcome: RunOutcome::Succeeded,
        verdicts: &[
            ("BELOW", Some(Inconclusive)),
            ("AT_LEAST", Some(Inconclusive)),
            ("ALL", Some(Inconclusive)),
        ],
        watches: &[],
        says: "`error_rate < 5%` (error_rate is no data): no data",
    },
    Day {
        plan: "gate",
        scenario: "v03-two-series",
        outcome: RunOutcome::Succeeded,
        verdicts: &[("BELOW", Some(Error)), ("ALL", Some(Fail))],
        watches: &[],
        says: "`error_rate` gives 2 series: say how to combine them",
    },
    Day {
        plan: "gate",
        scenario: "v08-the-bound",
        outcome: RunOutcome::Succeeded,
        verdicts: &[
            ("BELOW", Some(Fail)),
            ("AT_MOST", Some(Pass)),
            ("ALL", Some(Fail)),
        ],
        watches: &[],
        says: "gates/BELOW \"Below\": fail",
    },
    Day {
        plan: "gate",
        scenario: "v18-a-ratio",
        outcome: RunOutcome::Succeeded,
        verdicts: &[("BELOW", Some(Pass)), ("AT_MOST", Some(Pass))],
        watches: &[],
        says: "gates/BELOW \"Below\": pass",
    },
    Day {
        plan: "gate",
        scenario: "v21-nothing",
        outcome: RunOutcome::Succeeded,
        verdicts: &[
            ("READY", Some(Inconclusive)),
            ("ALL", Some(Inconclusive)),
            ("EACH", Some(Inconclusive)),
        ],
        watches: &[],
        says: "cluster.nodes.total is 0): 0 of 0",
    },
    Day {
        plan: "counting",
        scenario: "v07-every-other",
        outcome: RunOutcome::Succeeded,
        verdicts: &[
            ("ROW", Some(Pass)),
            ("TOTAL", Some(Fail)),
            ("LAST", Some(Fail)),
            ("ONCE", Some(Fail)),
        ],
        watches: &[],
        says: "watching/parallel-1/ROW \"In a row\": pass",
    },
    // V12 too: what stands before the first change waits for no window.
    Day {
        plan: "rollout",
        scenario: "good-day",
        outcome: RunOutcome::Succeeded,
        verdicts: &[
            ("BEFORE", Some(Pass)),
            ("ERRORS", Some(Pass)),
            ("STILL", Some(Pass)),
        ],
        watches: &[Pass],
        says: "in 10 windows on each side",
    },
    Day {
        plan: "rollout",
        scenario: "v04-never-seen",
        outcome: RunOutcome::RolledBack,
        verdicts: &[("ERRORS", Some(Error)), ("FEW", None), ("STILL", None)],
        watches: &[Inconclusive],
        says: "\"Guard\" has no data",
    },
    Day {
        plan: "rollout",
        scenario: "v05-cancelled",
        outcome: RunOutcome::RolledBack,
        verdicts: &[("ERRORS", Some(Cancelled)), ("FEW", None)],
        watches: &[Fail],
        says: "traffic/canary/HALF/ERRORS \"Errors as before\": cancelled, which is inconclusive",
    },
    Day {
        plan: "rollout",
        scenario: "v06-away-for-a-minute",
        outcome: RunOutcome::Succeeded,
        verdicts: &[("ERRORS", Some(Pass)), ("FEW", Some(Pass))],
        watches: &[Pass],
        says: "`prom` refuses the connection",
    },
    Day {
        plan: "rollout",
        scenario: "v09-zero-baseline",
        outcome: RunOutcome::RolledBack,
        verdicts: &[("ERRORS", Some(Fail)), ("BACK", Some(Pass))],
        watches: &[Pass],
        says: "+5pp (+0pp to +5pp, each bound at 95%) in 10 windows on each side, effect size 0.85",
    },
    Day {
        plan: "rollout",
        scenario: "v10-no-baseline",
        outcome: RunOutcome::RolledBack,
        verdicts: &[("ERRORS", Some(Inconclusive)), ("FEW", None)],
        watches: &[Pass],
        says: "by 0.5pp on canary`: no data",
    },
    Day {
        plan: "rollout",
        scenario: "v19-blind-watch",
        outcome: RunOutcome::RolledBack,
        verdicts: &[("ERRORS", Some(Cancelled)), ("FEW", None)],
        watches: &[Inconclusive],
        says: "rolling back: no data for 2m: `canary.block_age > 5s`: no data",
    },
    Day {
        plan: "frozen",
        scenario: "v17-half-way",
        outcome: RunOutcome::Succeeded,
        verdicts: &[
            ("FEW", Some(Pass)),
            ("STILL", Some(Pass)),
            ("MORE", Some(Pass)),
        ],
        watches: &[Pass],
        says: "it waits: changes are frozen until 2026-01-21 08:00:00Z (\"The sale\")",
    },
    Day {
        plan: "frozen",
        scenario: "v17-back-in-the-freeze",
        outcome: RunOutcome::RolledBack,
        verdicts: &[("FEW", Some(Pass)), ("STILL", None), ("BACK", Some(Pass))],
        watches: &[Fail],
        says: "rolling back: critical \"Errors\"",
    },
    Day {
        plan: "frozen",
        scenario: "v17-aborted-in-the-freeze",
        outcome: RunOutcome::RolledBack,
        verdicts: &[("FEW", Some(Pass)), ("STILL", None), ("BACK", Some(Pass))],
        watches: &[Pass],
        says: "rolling back: aborted by",
    },
    Day {
        plan: "kept",
        scenario: "v23-back-while-it-runs",
        outcome: RunOutcome::RolledBack,
        verdicts: &[
            ("WARM", Some(Cancelled)),
            ("RELEASE", Some(Pass)),
            ("BACK", Some(Pass)),
        ],
        watches: &[Fail],
        says: "change/parallel-1/release \"Release\": undone",
    },
];

#[test]
fn each_day_ends_as_its_vector_says() {
    for day in DAYS {
        let name = day.scenario;
        let run = Run::of(day.plan, name);
        let mut drive = run.begin();
        assert_eq!(finish(&mut drive), day.outcome, "{name}");
        for (reference, verdict) in day.verdicts {
            let found = run.node(&drive, reference).verdict;
            assert_eq!(found, *verdict, "{name}: {reference}");
        }
        let watches: Vec<Verdict> = drive
            .state
            .watches
            .iter()
            .filter_map(|w| w.verdict)
            .collect();
        assert_eq!(watches, day.watches, "{name}: watches");
        let story = story(day.plan, name);
        assert!(
            story.contains(day.says),
            "{name} says nowhere {:?}:\n{story}",
            day.says
        );
        insta::with_settings!({ snapshot_path => "runs/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{}-{name}", day.plan), story);
        });
    }
}

#[test]
fn every_scenario_of_the_folder_is_played() {
    for plan in ["gate", "counting", "rollout", "frozen", "approved", "kept"] {
        let folder = folder(plan).join("scenarios");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let stem = name.trim_end_matches(".deploy");
            let alone = [
                "base",
                "v14-abort-while-promoting",
                "v15-version-a",
                "v15-version-b",
                "v16-old-is-unhealthy",
                "v24-nobody-hears",
            ];
            let played = DAYS.iter().any(|day| day.scenario == stem) || alone.contains(&stem);
            assert!(played, "{plan}/{name}");
        }
    }
}

/// V12: nothing was changed yet, so nothing has to be waited for; V25: after a switch, one window of the metric.
#[test]
fn a_gate_counts_from_one_window_after_the_last_change() {
    let run = Run::of("rollout", "good-day");
    let mut drive = run.begin();
    finish(&mut drive);
    let took = |reference| {
        let node = run.node(&drive, reference);
        node.ended.unwrap().since(node.started.unwrap())
    };
    assert!(took("BEFORE") < SECOND_NS);
    assert!((MINUTE_NS..MINUTE_NS + SECOND_NS).contains(&took("STILL")));
}

/// V13: the process ends when the new version has its traffic, and the outcome of that is not written.
#[test]
fn what_happened_before_a_crash_is_looked_at_and_not_done_again() {
    let run = Run::of("rollout", "good-day");
    let mut without = run.begin();
    finish(&mut without);
    let mut drive = run.begin();
    let half = run.id("HALF");
    let is_asked_for = |drive: &Drive| {
        let mut writes = drive.state.writes.values();
        writes.any(|write| write.node == half && write.intent.is_some())
    };
    while !is_asked_for(&drive) {
        assert!(matches!(drive.advance(), Progress::Event(_)));
    }
    let has_traffic = |drive: &Drive| {
        let history = drive.world.history();
        history
            .iter()
            .filter(|change| change.what == What::Ready && change.object.contains("canary"))
            .count()
            == 4
    };
    // What answers meanwhile answers to nobody.
    let latest = drive.world.now.plus(MINUTE_NS);
    while !has_traffic(&drive) {
        assert!(drive.world.now < latest, "no traffic was moved");
        let soon = drive.world.now.plus(SECOND_NS / 100);
        drive.world.advance(soon);
    }
    let before = drive.journal.len();
    drive.crash();
    drive.resume();
    assert_eq!(finish(&mut drive), RunOutcome::Succeeded);
    let words = format!("{:?}", &drive.journal[before..]);
    assert!(words.contains("Observed"), "nobody looked: {words}");
    let written = |drive: &Drive| {
        let history = drive.world.history();
        let changes = history.iter().filter(|change| change.key.is_some());
        let mut changes: Vec<String> = changes
            .filter(|change| change.what.writes())
            .map(|change| format!("{} {:?}", change.object, change.key))
            .collect();
        changes.sort();
        changes
    };
    assert_eq!(written(&drive), written(&without));
    assert_eq!(run.node(&drive, "STILL").verdict, Some(Pass));
}

/// V14: accepted, and never fewer pods in service than before.
#[test]
fn an_abort_while_the_new_version_is_promoted_gives_the_capacity_back_first() {
    let run = Run::of("rollout", "v14-abort-while-promoting");
    let mut drive = run.begin();
    assert_eq!(finish(&mut drive), RunOutcome::RolledBack);
    let written = |what: &str| {
        let history = drive.world.history();
        history
            .iter()
            .any(|change| change.object == what && change.what.writes())
    };
    assert!(written("deployment/demo/demo"), "it was not being promoted");
    let (mut ready, mut fewest) = (4, 4);
    for change in drive.world.history() {
        match change.what {
            What::Ready => ready += 1,
            What::Unready => ready -= 1,
            _ => {}
        }
        fewest = fewest.min(ready);
    }
    assert!(fewest >= 4, "{fewest} pods in service");
    assert_eq!(run.node(&drive, "BACK").verdict, Some(Pass));
}

/// V15: somebody has looked at version A and signs; the run is about version B.
#[test]
fn a_signature_for_another_version_is_void_and_is_asked_for_again() {
    let looked_at = Run::of("approved", "v15-version-a");
    let seen = looked_at.about(&looked_at.asked());
    let run = Run::of("approved", "v15-version-b");
    let mut drive = run.asked();
    let own = run.about(&drive);
    assert_ne!(own, seen);
    let sign = |about: &String| EventKind::Signed {
        node: run.id("GO"),
        by: Actor {
            user: "ana".to_owned(),
            host: "laptop".to_owned(),
        },
        role: "engineer".to_owned(),
        answer: Answer::Yes { note: None },
        subject: Some(about.clone()),
    };
    let notes = format!("{:?}", drive.hear(sign(&seen)));
    let words = format!("it is about {}, and this is {}", &seen[7..19], &own[7..19]);
    assert!(notes.contains(&words), "{notes}");
    assert!(notes.contains("it is asked again"), "{notes}");
    assert_eq!(run.node(&drive, "GO").verdict, None);
    assert!(run.node(&drive, "RELEASE").started.is_none());
    drive.hear(sign(&own));
    assert_eq!(finish(&mut drive), RunOutcome::Succeeded);
    // What was said is in the journal, with what it was about.
    let journal = serde_json::to_string(&drive.journal).unwrap();
    assert!(
        journal.contains(&seen) && journal.contains(&own),
        "{journal}"
    );
}

/// V16 and V22: a version without a healthy pod gets no traffic back; the other one is the healthiest there is.
#[test]
fn traffic_is_not_given_back_to_a_version_that_is_not_healthy() {
    let run = Run::of("rollout", "v16-old-is-unhealthy");
    let mut drive = run.begin();
    let ill = |drive: &mut Drive| {
        for (name, pod) in &mut drive.world.cluster.pods {
            pod.containers_ready &= name.to_string().contains("canary");
        }
    };
    while run.node(&drive, "FEW").started.is_none() {
        assert!(matches!(drive.advance(), Progress::Event(_)));
    }
    ill(&mut drive);
    assert_eq!(finish(&mut drive), RunOutcome::RollbackIncomplete);
    let service = deployc::simulate::kubernetes::object::Name::new("service", "demo", "demo");
    let serving = drive.world.cluster.endpoints(&service);
    assert_eq!(serving.len(), 4);
    assert!(
        serving
            .iter()
            .all(|pod| pod.name.to_string().contains("canary"))
    );
    let told = drive.world.history();
    let told = told.iter().filter(
        |change| matches!(&change.what, What::Told(text) if text.contains("A person is needed")),
    );
    assert_eq!(told.count(), 1);
}

/// V17: the time for changes ends while no process carries the run out; the way back has no window.
#[test]
fn when_its_window_has_closed_nothing_goes_forward_and_everything_may_go_back() {
    let run = Run::of("rollout", "good-day");
    let mut drive = run.begin();
    while run.node(&drive, "ERRORS").started.is_none() {
        assert!(matches!(drive.advance(), Progress::Event(_)));
    }
    drive.crash();
    let later = drive.world.now.plus(60 * MINUTE_NS);
    while drive.world.now < later {
        drive.world.advance(later);
    }
    drive.resume();
    assert_eq!(finish(&mut drive), RunOutcome::RolledBack);
    assert_eq!(run.node(&drive, "FEW").verdict, None);
    assert_eq!(run.node(&drive, "HALF").verdict, Some(Cancelled));
    assert_eq!(run.node(&drive, "BACK").verdict, Some(Pass));
}

/// V17: what is written is written before the freeze, or after it.
#[test]
fn in_a_freeze_nothing_goes_forward() {
    let run = Run::of("frozen", "v17-half-way");
    let mut drive = run.begin();
    let start = drive.world.now;
    finish(&mut drive);
    let history = drive.world.history();
    let written = history
        .iter()
        .filter(|change| change.key.is_some() && change.what.writes());
    let times: Vec<i64> = written
        .map(|change| change.at.since(start) / MINUTE_NS)
        .collect();
    assert!(times.iter().any(|at| *at < 5), "{times:?}");
    assert!(times.iter().any(|at| *at >= 120), "{times:?}");
    assert!(!times.iter().any(|at| (5..120).contains(at)), "{times:?}");
}

#[test]
fn a_freeze_holds_up_no_way_back() {
    for scenario in ["v17-back-in-the-freeze", "v17-aborted-in-the-freeze"] {
        let run = Run::of("frozen", scenario);
        let mut drive = run.begin();
        let start = drive.world.now;
        assert_eq!(finish(&mut drive), RunOutcome::RolledBack);
        let began = drive.rollback_started.unwrap().since(start) / MINUTE_NS;
        let ended = drive.journal.last().unwrap().at.since(start) / MINUTE_NS;
        assert!((60..62).contains(&began), "{scenario}: {began}m");
        assert!(ended < 70, "{scenario}: {ended}m");
    }
}

/// V23: it would have taken a quarter of an hour more.
#[test]
fn a_rollback_does_not_wait_for_a_step_whose_work_is_kept() {
    let run = Run::of("kept", "v23-back-while-it-runs");
    let mut drive = run.begin();
    finish(&mut drive);
    let began = drive.rollback_started.unwrap();
    let warm = run.node(&drive, "WARM").started.unwrap();
    assert!(began.since(warm) >= 5 * MINUTE_NS, "it was not running");
    let ended = drive.journal.last().unwrap().at;
    assert!(ended.since(began) < MINUTE_NS, "{}", ended.since(began));
    let told = format!("{:?}", drive.journal);
    assert!(told.contains("/warm/"), "{told}");
}

/// V24: what is told is never waited for.
#[test]
fn a_rollback_does_not_wait_for_a_room_that_hears_nothing() {
    let length = |scenario| {
        let run = Run::of("rollout", scenario);
        let mut drive = run.begin();
        assert_eq!(finish(&mut drive), RunOutcome::RolledBack);
        let last = drive.journal.last().unwrap().at;
        last.since(drive.rollback_started.unwrap())
    };
    assert_eq!(length("v24-nobody-hears"), length("v05-cancelled"));
}

struct Run {
    plan: Plan,
    scenario: Scenario,
}

impl Run {
    fn of(plan: &str, scenario: &str) -> Run {
        let rehearsal: Rehearsal = load(&folder(plan), None).unwrap();
        let found = &rehearsal.compiled.diagnostics;
        let notes_only = found.iter().all(|found| found.severity == Severity::Note);
        assert!(notes_only, "{found:#?}");
        let compiled = rehearsal.compiled.plan.as_ref().unwrap();
        let tree = rehearsal
            .find(scenario)
            .unwrap_or_else(|| panic!("{scenario} is not there"));
        let scenario = rehearsal.resolve(compiled, tree).unwrap();
        Run {
            plan: setup::scripted(compiled, &scenario),
            scenario,
        }
    }

    /// Until somebody is asked to sign.
    fn asked(&self) -> Drive<'_> {
        let mut drive = self.begin();
        while self.node(&drive, "GO").started.is_none() {
            assert!(matches!(drive.advance(), Progress::Event(_)));
        }
        drive
    }

    fn about(&self, drive: &Drive<'_>) -> String {
        subject(&self.plan, &drive.state, self.id("GO")).unwrap()
    }

    fn begin(&self) -> Drive<'_> {
        let start: Instant = setup::start(&self.plan, &self.scenario);
        let mut drive = Drive::new(&self.plan, &self.scenario, setup::world(&self.plan, start));
        drive.start(Identity {
            run: "rehearsal".to_owned(),
            digest: digest(&self.plan),
            inputs: self.scenario.inputs.clone(),
        });
        drive
    }

    fn id(&self, reference: &str) -> NodeId {
        let has = |refs: &[String]| refs.iter().any(|own| own == reference);
        let node = self.plan.nodes.iter().find(|node| has(&node.refs));
        node.map(|node| node.id)
            .unwrap_or_else(|| panic!("nothing answers {reference}"))
    }

    fn node<'d>(&self, drive: &'d Drive, reference: &str) -> &'d NodeState {
        &drive.state.nodes[self.id(reference).0 as usize]
    }
}

fn finish(drive: &mut Drive) -> RunOutcome {
    loop {
        match drive.advance() {
            Progress::Event(_) => {}
            Progress::Ended(outcome) => return outcome,
            Progress::Stuck => panic!("it waits for ever: {:#?}", drive.journal.last()),
        }
    }
}

fn folder(plan: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/runs")
        .join(plan)
}

/// As a person sees it.
fn story(plan: &str, scenario: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deployc"));
    let path = format!("tests/runs/{plan}");
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command
        .args(["simulate", &path, "--scenario", scenario])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}
