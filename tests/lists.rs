//! `for x in INPUT up to N`: one plan, whatever list a run is given.

use crate::program::Folder;

const PLAN: &str = r#"deploy 1

plan demo "Demo" {
  deadline 1h
  on fail, error, inconclusive stop
}

input hosts: list<string>
input pauses: list<duration> = [1s]

phase wait at start {
  for host in hosts up to 3 {
    hold 1s "Let ${host} settle"
  }
  for pause in pauses up to 2 {
    when pause < 1m { hold 1s "After ${pause}" }
  }
}
"#;

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("demo.deploy", PLAN);
    folder
}

/// The titles that a person sees, in order.
fn titles(said: &str) -> Vec<&str> {
    let lines = said.lines().filter(|line| line.ends_with(": pass"));
    lines.filter_map(|line| line.split('"').nth(1)).collect()
}

#[test]
fn a_run_does_what_is_on_its_list_and_says_what() {
    let folder = folder("lists");
    let ran = folder.said(&["run", "demo.deploy", "--set", "hosts=a.example,b.example"]);
    assert!(ran.ends_with("exit 0\n"), "{ran}");
    let expected = [
        "Let a.example settle",
        "a.example",
        "Let b.example settle",
        "b.example",
        "After 1s",
        "1s",
    ];
    assert_eq!(titles(&ran), expected, "{ran}");
    assert!(
        !ran.contains("hosts[3]") && !ran.contains("hosts-3"),
        "{ran}"
    );
    // What reads the journal sees the same.
    assert_eq!(titles(&folder.said(&["log", "demo"])), expected);
    let status = folder.said(&["status", "demo", "--output", "json"]);
    assert!(status.contains("Let b.example settle"), "{status}");
    assert!(!status.contains("hosts-3"), "{status}");
}

#[test]
fn an_empty_list_is_not_applicable_and_is_said_to_be_empty() {
    let folder = folder("empty-list");
    let ran = folder.said(&["run", "demo.deploy", "--set", "hosts="]);
    assert!(ran.ends_with("exit 0\n"), "{ran}");
    assert!(
        ran.contains("hosts-1 \"hosts[1]\": not applicable"),
        "{ran}"
    );
    assert!(!ran.contains("hosts-2"), "{ran}");
    let status = folder.said(&["status", "demo", "--output", "json"]);
    assert!(status.contains("`hosts` is empty"), "{status}");
}

#[test]
fn a_list_that_is_too_long_begins_nothing() {
    let folder = folder("long-list");
    let ran = folder.said(&["run", "demo.deploy", "--set", "hosts=a,b,c,d"]);
    assert_eq!(
        ran,
        "$ deployc run demo.deploy --set hosts=a,b,c,d\n\
         error: `hosts` has 4 elements, and the plan goes through 3 at most; \
         give it fewer, or raise `up to` in the plan\n\
         exit 2\n"
    );
    assert!(!folder.0.join(".deployc").exists());
}

#[test]
fn the_digest_and_the_times_do_not_depend_on_the_list() {
    let folder = folder("digest");
    let digest = folder.said(&["plan", "demo.deploy", "--format", "digest"]);
    let longer = PLAN
        .replace("= [1s]", "= [1s, 2s]")
        .replace("hosts: list<string>", "hosts: list<string> place");
    folder.file("demo.deploy", longer);
    let plan = folder.said(&["plan", "demo.deploy"]);
    // Three holds and two: all of them are counted.
    assert!(plan.contains("at most 5s"), "{plan}");
    assert!(plan.contains("of hosts, up to 3:"), "{plan}");
    folder.file("demo.deploy", PLAN.replace("up to 3", "up to 4"));
    let other = folder.said(&["plan", "demo.deploy", "--format", "digest"]);
    assert_ne!(digest, other);
}
