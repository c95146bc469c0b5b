//! `deployc why`: the chain of causes of a small plan on bad days, as a person reads it.
//!
//! A journal that ends early is that of a process that was killed: time stands still for a rehearsal, so the words are the
//! same at every hour.

use crate::program::Folder;
use deployc::engine::protocol::{Actor, Event, EventKind};
use deployc::journal::lines::{decode, encode};
use deployc::journal::record::Record;
use deployc::plan::Plan;
use deployc::values::Instant;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

static PLAYED: AtomicU32 = AtomicU32::new(0);

pub struct Day {
    pub folder: Folder,
}

impl Day {
    /// The day is played, and its journal kept.
    pub fn played(scenario: &str) -> Day {
        // Several tests play the same day at once.
        let number = PLAYED.fetch_add(1, Ordering::Relaxed);
        let folder = Folder::new(&format!("why-{scenario}-{number}"));
        copy(&root().join("tests/why/shop"), &folder.0.join("shop"));
        let args = [
            "simulate",
            "shop",
            "--scenario",
            scenario,
            "--journal",
            JOURNAL,
        ];
        let output = folder.run(&args);
        assert!(
            output
                .status
                .code()
                .is_some_and(|code| code != 1 && code != 2),
            "{output:?}"
        );
        Day { folder }
    }

    /// Only what had happened by then, in seconds of the run; then these events.
    pub fn until(self, seconds: i64, more: impl FnOnce(&Plan) -> Vec<EventKind>) -> Day {
        self.changed(|created, plan, events| {
            let end = created.plus(seconds * 1_000_000_000);
            events.retain(|event| event.at <= end);
            let more = more(plan).into_iter();
            events.extend(more.map(|kind| Event { at: end, kind }));
        })
    }

    /// Other events, in a journal whose links hold.
    pub fn changed(self, change: impl FnOnce(Instant, &Plan, &mut Vec<Event>)) -> Day {
        let path = self.folder.0.join(JOURNAL);
        let (header, records) = decode(&fs::read_to_string(&path).unwrap()).unwrap();
        let events = records.iter().map(|record| record.decode().unwrap());
        let mut events: Vec<Event> = events.collect();
        change(
            header.created,
            &serde_json::from_str(&header.plan).unwrap(),
            &mut events,
        );
        let mut previous = header.hash().unwrap();
        let records = events.iter().zip(1..).map(|(event, seq)| {
            let record = Record::new(seq, 1, event, previous).unwrap();
            previous = record.hash;
            record
        });
        let records: Vec<Record> = records.collect();
        fs::write(path, encode(&header, &records).unwrap()).unwrap();
        self
    }

    pub fn why(&self, more: &[&str]) -> String {
        self.folder.said(&[&["why", JOURNAL], more].concat())
    }
}

pub const JOURNAL: &str = "day.jsonl";

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(fs::copy(&path, target).unwrap()),
        }
    }
}

fn nothing(_: &Plan) -> Vec<EventKind> {
    Vec::new()
}

#[test]
fn a_rule_that_fired() {
    let day = Day::played("errors");
    insta::assert_snapshot!(day.why(&[]));
    // What the end of the run cut short says so, and why it ended.
    let cut = day.why(&["few"]);
    assert!(cut.contains("is cancelled"), "{cut}");
    assert!(
        cut.contains("because the run went back at 00:06:02"),
        "{cut}"
    );
    assert!(cut.contains("because critical \"Many errors\""), "{cut}");
    let never = day.why(&["done"]);
    assert!(never.contains("was never reached"), "{never}");
    assert!(
        never.contains("00:06:02  true  canary.error_rate = 12%"),
        "{never}"
    );
}

#[test]
fn a_rule_that_paused_the_run_first() {
    let day = Day::played("slow");
    insta::assert_snapshot!(day.why(&[]));
}

#[test]
fn a_run_that_is_paused_says_until_when_and_how_to_go_on() {
    let day = Day::played("slow").until(400, nothing);
    insta::assert_snapshot!(day.why(&[]));
}

#[test]
fn a_watch_without_data() {
    insta::assert_snapshot!(Day::played("silent").why(&[]));
}

#[test]
fn a_check_that_failed_and_an_end_after_its_pause() {
    insta::assert_snapshot!(Day::played("queue").why(&[]));
}

#[test]
fn a_person_who_stopped_it() {
    let day = Day::played("aborted");
    insta::assert_snapshot!(day.why(&[]));
}

#[test]
fn nobody_answered() {
    insta::assert_snapshot!(Day::played("nobody").why(&["team"]));
}

#[test]
fn an_item_that_a_person_went_past() {
    let day = Day::played("queue").until(300, |plan| {
        let mut nodes = plan.nodes.iter();
        let queue = nodes.find(|node| node.name.as_deref() == Some("queue"));
        let by = Actor {
            user: "ana".to_owned(),
            host: "laptop".to_owned(),
        };
        vec![EventKind::Continued {
            node: queue.unwrap().id,
            by,
            reason: "it is the nightly import".to_owned(),
        }]
    });
    insta::assert_snapshot!(day.why(&["queue"]));
}

#[test]
fn what_a_run_waits_for() {
    let waits = Day::played("good").until(60, nothing);
    insta::assert_snapshot!("for_a_person", waits.why(&[]));
    let item = waits.why(&["few"]);
    assert!(item.contains("because it comes after"), "{item}");
    assert!(item.contains("it waits for engineer"), "{item}");
    let holds = Day::played("good").until(300, nothing);
    insta::assert_snapshot!("for_a_time", holds.why(&[]));
}

#[test]
fn a_condition_that_was_false_and_signatures() {
    let day = Day::played("good");
    insta::assert_snapshot!("not_applicable", day.why(&["Quiet"]));
    insta::assert_snapshot!("signed", day.why(&["done"]));
}

#[test]
fn for_programs_it_is_one_object_with_the_same_links() {
    let said = Day::played("errors").why(&["--format", "json"]);
    let object: serde_json::Value = serde_json::from_str(said.lines().nth(1).unwrap()).unwrap();
    let link = &object["why"]["because"][0];
    assert_eq!(link["place"]["file"], "shop/shop.deploy");
    assert!(
        link["place"]["text"]
            .as_str()
            .unwrap()
            .starts_with("critical \"Many errors\"")
    );
    let evidence = link["evidence"].as_array().unwrap();
    let question = evidence.iter().find_map(|one| one.get("question")).unwrap();
    assert_eq!(question["call"]["args"]["scope"]["string"], "canary");
    let samples = evidence.iter().filter_map(|one| one.get("sample"));
    let last = samples.collect::<Vec<_>>().pop().unwrap();
    assert_eq!(
        (&last["verdict"], &last["at"]),
        (&"fail".into(), &"2026-01-01T00:06:02Z".into())
    );
    assert_eq!(last["measured"][0]["text"], "12%");
}

#[test]
fn names_that_mean_nothing_or_two_things() {
    let day = Day::played("errors");
    insta::assert_snapshot!(
        [
            day.why(&["nonsense"]),
            day.why(&["Few errors"]),
            day.why(&["errors"]),
        ]
        .concat()
    );
}

#[test]
fn a_file_that_was_changed_is_refused() {
    let day = Day::played("nobody");
    let path = day.folder.0.join(JOURNAL);
    let text = fs::read_to_string(&path).unwrap();
    let changed = text.replacen("\"tick\"", "\"tick \"", 1);
    assert_ne!(changed, text);
    fs::write(&path, changed).unwrap();
    let said = day.why(&[]);
    assert!(
        said.contains("was changed: its hash is not that of its content"),
        "{said}"
    );
    let missing = day.folder.said(&["why", "other.jsonl"]);
    assert!(missing.contains("there is no such file"), "{missing}");
}

/// A real run: `why` finds it in the state directory, `export` gives the same journal to take away.
#[test]
fn a_run_of_the_store_and_its_export() {
    let folder = Folder::new("why-store");
    let plan = "deploy 1\n\nplan demo \"Demo\" { deadline 1h }\n\ninput limit: duration = 1s\n\n\
                phase a at start {\n  when limit > 1m { hold 1m \"Long\" }\n  hold 1s \"Short\"\n}\n";
    folder.file("demo.deploy", plan);
    let ran = folder.said(&["run", "demo.deploy"]);
    assert!(ran.ends_with("exit 0\n"), "{ran}");
    let why = folder.said(&["why", "demo", "Long"]);
    assert!(why.contains("its condition did not hold"), "{why}");
    let exported = folder.run(&["export", "demo"]);
    assert!(exported.status.success());
    folder.file("demo.jsonl", &exported.stdout);
    let tail = |said: String| said.split_once('\n').unwrap().1.to_owned();
    assert_eq!(tail(folder.said(&["why", "demo.jsonl", "Long"])), tail(why));
    let (header, records) = decode(std::str::from_utf8(&exported.stdout).unwrap()).unwrap();
    assert_eq!(Some(header.created).map(|at| at > Instant(0)), Some(true));
    assert!(records.len() >= 2);
}
