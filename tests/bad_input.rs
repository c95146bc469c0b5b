//! What people hand to the program by mistake. Each time it says what is wrong, where, and what to do; it ends, with the
//! exit code that is meant for it, and it needs little memory.

use crate::program::Folder;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

const PLAN: &str = "deploy 1\n\nplan demo \"Demo\" {\n  deadline 1h\n  on fail, error, inconclusive stop\n}\n\n\
                    phase wait at start {\n  hold 1s \"A moment\"\n  hold 1s \"Another\"\n}\n";

const INPUTS: &str = "input version: version\ninput hosts: list<string> = []\n\n\
                      phase look after wait {\n  when version >= v2 { hold 1s }\n  \
                      for host in hosts up to 2 { hold 1s \"For ${host}\" }\n}\n";

const APPLIED: &str = "deploy 1\n\nplan demo \"Demo\" {\n  deadline 1h\n  on fail, error, inconclusive stop\n}\n\n\
                       phase change at start {\n  step release \"Release\" = cluster.apply(\"k8s/\") timeout 1m undo timeout 1m\n}\n\n\
                       rollback within 5m {\n  verify \"Back\" expect cluster.deployment(\"demo\").available >= 1\n}\n\n\
                       provider cluster = kubernetes { namespace: \"demo\" }\n";

#[test]
fn files_that_are_none() {
    let folder = Folder::new("none");
    fs::create_dir_all(folder.0.join("empty")).unwrap();
    fs::create_dir_all(folder.0.join("folder/x.deploy")).unwrap();
    folder.file("nothing.deploy", "");
    folder.file("words.deploy", "// only a comment\n");
    let mut said = String::new();
    for path in [
        "absent.deploy",
        "empty",
        "folder",
        "folder/x.deploy",
        "nothing.deploy",
        "words.deploy",
    ] {
        said.push_str(&folder.said(&["check", path]));
        said.push('\n');
    }
    said.push_str(&folder.said(&["plan", "absent.deploy"]));
    said.push_str(&folder.said(&["simulate", "absent.deploy"]));
    said.push_str(&folder.said(&["run", "absent.deploy"]));
    insta::assert_snapshot!(said);
}

#[cfg(unix)]
#[test]
fn devices_pipes_and_links() {
    let folder = Folder::new("devices");
    let made = Command::new("mkfifo")
        .arg(folder.0.join("pipe.deploy"))
        .status();
    assert!(made.unwrap().success());
    std::os::unix::fs::symlink("loop.deploy", folder.0.join("loop.deploy")).unwrap();
    let mut said = String::new();
    for path in ["/dev/zero", "/dev/null", "pipe.deploy", "loop.deploy", "."] {
        said.push_str(&folder.said(&["check", path]));
        said.push('\n');
    }
    insta::assert_snapshot!(said);
}

#[test]
fn bytes_that_are_no_plan() {
    let folder = Folder::new("bytes");
    let with = |name: &str, at: &str, bytes: &[u8]| {
        let (before, after) = PLAN.split_once(at).unwrap();
        let whole = [before.as_bytes(), bytes, after.as_bytes()].concat();
        folder.file(name, whole);
    };
    with("nul.deploy", "\"A moment\"", b"\"A \0moment\"");
    with("latin.deploy", "\"A moment\"", b"\"Caf\xE9\"");
    with(
        "return.deploy",
        "hold 1s \"A moment\"\n",
        b"hold 1s \"A moment\"\r",
    );
    with(
        "bidi.deploy",
        "\"A moment\"",
        "\"A \u{202E}moment\"".as_bytes(),
    );
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    folder.file("utf16.deploy", utf16(&format!("\u{FEFF}{PLAN}")));
    folder.file(
        "binary.deploy",
        b"\x7FELF\x02\x01\x01\0\0\0\0\0\xFF\xFE\xFD\0\0\x01",
    );
    folder.file("version.deploy", PLAN.replace("deploy 1", "deploy 7"));
    folder.file("deep.deploy", deep(20_000));
    File::create(folder.0.join("large.deploy"))
        .and_then(|file| file.set_len(100 * 1024 * 1024))
        .unwrap();
    let mut said = String::new();
    for name in [
        "nul", "latin", "return", "bidi", "utf16", "binary", "version", "deep", "large",
    ] {
        let path = format!("{name}.deploy");
        let shown = folder.said(&["check", &path]);
        assert!(shown.ends_with("exit 1\n"), "{shown}");
        said.push_str(&shown);
        said.push('\n');
        // Whatever needs the plan says the same, and does not begin.
        for command in ["plan", "run", "simulate", "graph"] {
            let code = folder.run(&[command, &path]).status.code();
            assert_eq!(code, Some(1), "{command} {path}");
        }
    }
    insta::assert_snapshot!(said);
}

/// A condition with so many brackets in each other.
fn deep(levels: usize) -> String {
    let (open, shut) = ("(".repeat(levels), ")".repeat(levels));
    PLAN.replace(
        "hold 1s \"Another\"",
        &format!("when {open}true{shut} {{ hold 1s }}"),
    )
}

/// There is one series, and 2^60 ways to it: whoever goes each of them comes to no end.
#[test]
fn metrics_that_double_at_each_level() {
    let folder = Folder::new("doubling");
    let mut plan = format!(
        "{PLAN}\nprovider prom = prometheus {{ url: \"http://prometheus.example.com\" }}\n\n\
         watch \"High\" during wait {{\n  no data for 5m => rollback\n  when m45 > 5% => rollback\n}}\n\n\
         metric m0: ratio = prom.query(`sum(m0)`) in % lower is better\n"
    );
    for level in 1..=45 {
        let part = level - 1;
        plan += &format!("metric m{level}: ratio = m{part} + m{part} lower is better\n");
    }
    plan += "\ntest \"It is too high\" {\n  m0 = 1%\n  expect outcome == stopped\n}\n";
    folder.file("doubling.deploy", plan);
    for command in ["check", "plan", "test", "verify"] {
        let said = folder.said(&[command, "doubling.deploy"]);
        assert!(said.ends_with("exit 0\n"), "{command}: {said}");
    }
}

/// Values of values, of which each stands twice in the next: nothing takes longer than there are.
#[test]
fn values_that_double_at_each_level() {
    let folder = Folder::new("doubling-values");
    let doubled = |indent: &str, name: &str| {
        let levels = 1..=45;
        let line = |n| format!("{indent}let {name}{n} = {name}{0} + {name}{0}\n", n - 1);
        levels.map(line).collect::<String>()
    };
    let plan = format!(
        "{PLAN}\nprovider cluster = kubernetes {{ namespace: \"demo\" }}\n\n\
         let a0 = cluster.deployment(\"a\").available\n{}\n\
         phase sums after wait {{\n  check \"Both are small\" {{\n    let b0 = cluster.deployment(\"b\").available\n{}    \
         expect a45 + b45 >= 0\n  }}\n}}\n",
        doubled("", "a"),
        doubled("    ", "b"),
    );
    folder.file("doubling.deploy", plan);
    // Nothing of the kind is there in the simulated world.
    for (command, exit) in [("check", 0), ("plan", 0), ("simulate", 5), ("verify", 0)] {
        let said = folder.said(&[command, "doubling.deploy"]);
        assert!(
            said.ends_with(&format!("exit {exit}\n")),
            "{command}: {said}"
        );
    }
}

/// Pages that stand for more than any machine holds, or than any stack does.
#[test]
fn little_that_stands_for_too_much() {
    let folder = Folder::new("too-much");
    let levels = |count: usize, line: &dyn Fn(usize, usize) -> String| {
        let lines = (0..count).map(|level| line(level, level + 1));
        lines.collect::<String>()
    };
    let judged = "expect cluster.deployment(\"a\").available > 3";
    let phase = |inside: &str| format!("\nphase look after wait {{\n{inside}\n}}\n");
    let prom = "provider prom = prometheus { url: \"http://prometheus.example.com\" }\n\
                metric m0: ratio = prom.query(`sum(m0)`) in % lower is better\n";
    let doubled = levels(40, &|at, next| {
        format!("define f{at}() {{\n f{next}()\n f{next}()\n}}\n")
    });
    let text = "An item with a long title ".repeat(40);
    let whens = "when cluster.deployment(\"a\").available > 3 {\n";
    let plans = [
        (
            "items",
            format!(
                "{doubled}define f40() {{ check \"{text}\" {judged} }}{}",
                phase("f0()")
            ),
        ),
        (
            "judged",
            format!(
                "{doubled}define f40() {{ {judged} // {text}\n }}{}",
                phase("f0()")
            ),
        ),
        (
            "rounds",
            phase(&format!(
                "{}hold 1s \"{text}\"{}",
                "for n in [1, 2, 3, 4, 5, 6, 7, 8, 9] {\n".repeat(20),
                "\n}".repeat(20)
            )),
        ),
        (
            "lists",
            format!(
                "let t0 = [\"a\"]\n{}{}",
                levels(40, &|at, next| format!("let t{next} = [t{at}, t{at}]\n")),
                phase("for t in t40 { hold 1s }")
            ),
        ),
        (
            "deep-lists",
            format!(
                "let t0 = [\"a\"]\n{}{}",
                levels(20_000, &|at, next| format!("let t{next} = [t{at}]\n")),
                phase("for t in t20000 { hold 1s }")
            ),
        ),
        (
            "arguments",
            format!(
                "{}define f40(n: count) {{ check \"x\" expect n > 3 }}{}",
                levels(40, &|at, next| format!(
                    "define f{at}(n: count) {{ f{next}(n + n) }}\n"
                )),
                phase("every 1m for 5m { f0(cluster.deployment(\"a\").available) }")
            ),
        ),
        (
            "read-anew",
            phase(&format!(
                "every 1m for 5m {{\nlet t0 = cluster.deployment(\"a\").available\n{}check \"x\" expect t40 > 3\n}}",
                levels(40, &|at, next| format!("let t{next} = t{at} + t{at}\n"))
            )),
        ),
        (
            "metrics",
            format!(
                "{prom}{}{}",
                levels(2_000, &|at, next| format!(
                    "metric m{next}: ratio = m{at} + 1% lower is better\n"
                )),
                phase("check \"x\" expect m2000 < 3%")
            ),
        ),
        (
            "calls",
            format!(
                "{}define f3() {{ hold 1s }}{}",
                levels(3, &|at, next| format!(
                    "define f{at}() {{\n{}f{next}()\n{}}}\n",
                    whens.repeat(95),
                    "}\n".repeat(95)
                )),
                phase("f0()")
            ),
        ),
        (
            "items-in-items",
            phase(&format!(
                "{}hold 1s\n{}",
                whens.repeat(70),
                "}\n".repeat(70)
            )),
        ),
    ];
    let mut said = String::new();
    for (name, text) in plans {
        let cluster = "provider cluster = kubernetes { namespace: \"demo\" }\n";
        folder.file("much.deploy", format!("{PLAN}\n{cluster}{text}"));
        let shown = folder.said(&["check", "--format", "github", "much.deploy"]);
        assert!(shown.ends_with("exit 1\n"), "{name}: {shown}");
        let first = shown.lines().find(|line| line.contains("too-large"));
        said.push_str(&format!("{name}: {}\n", first.unwrap_or(&shown)));
    }
    insta::assert_snapshot!(said);
}

/// One behind the other they may be as many as a file holds.
#[test]
fn names_in_a_long_row() {
    let folder = Folder::new("row");
    let mut text = format!("{PLAN}\nlet t0 = t1\n");
    for level in 1..20_000 {
        text += &format!("let t{level} = t{}\n", level + 1);
    }
    text += "let t20000 = 1s\nphase look after wait { hold t0 }\n";
    folder.file("row.deploy", text);
    let said = folder.said(&["check", "row.deploy"]);
    assert!(
        said.ends_with("row.deploy: no diagnostics\nexit 0\n"),
        "{said}"
    );
}

#[test]
fn text_that_other_systems_write_is_a_plan_too() {
    let folder = Folder::new("other-systems");
    folder.file("lines.deploy", PLAN.replace('\n', "\r\n"));
    folder.file("mark.deploy", format!("\u{FEFF}{PLAN}"));
    folder.file("Köln und Ærø/größer als 1.deploy", PLAN);
    let mut said = String::new();
    for path in [
        "lines.deploy",
        "mark.deploy",
        "Köln und Ærø/größer als 1.deploy",
        "Köln und Ærø",
    ] {
        said.push_str(&folder.said(&["check", path]));
        assert_eq!(folder.run(&["simulate", path]).status.code(), Some(0));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn inputs_that_do_not_fit() {
    let folder = Folder::new("inputs");
    folder.file("demo.deploy", format!("{PLAN}\n{INPUTS}"));
    let wrong: &[&[&str]] = &[
        &[],
        &["--set", "verison=v1"],
        &["--set", "version=latest"],
        &["--set", "version=v1", "--set", "version=v2"],
        &["--set", "version"],
        &["--set", "version=v1", "--set", "hosts=a,b,c"],
    ];
    let mut said = String::new();
    for set in wrong {
        let args: Vec<&str> = ["run", "demo.deploy"].iter().chain(*set).copied().collect();
        let shown = folder.said(&args);
        assert!(shown.ends_with("exit 2\n"), "{shown}");
        said.push_str(&shown);
        said.push('\n');
        let args: Vec<&str> = ["simulate", "demo.deploy"]
            .iter()
            .chain(*set)
            .copied()
            .collect();
        assert_eq!(folder.run(&args).status.code(), Some(2), "{args:?}");
    }
    assert!(!folder.0.join(".deployc").exists(), "a run was begun");
    insta::assert_snapshot!(said);
}

#[test]
fn manifests_that_are_none() {
    let folder = Folder::new("manifests");
    let mut said = String::new();
    let mut try_with = |name: &str, fill: &dyn Fn(&Path)| {
        folder.file(&format!("{name}/demo.deploy"), APPLIED);
        fill(&folder.0.join(name).join("k8s"));
        let path = format!("{name}/demo.deploy");
        let shown = folder.said(&["check", &path]);
        assert!(shown.ends_with("exit 1\n"), "{shown}");
        said.push_str(&shown);
        said.push('\n');
    };
    let yaml = |at: &Path, content: &[u8]| {
        fs::create_dir_all(at).unwrap();
        fs::write(at.join("demo.yaml"), content).unwrap();
    };
    try_with("missing", &|_| {});
    try_with("empty", &|at| fs::create_dir_all(at).unwrap());
    try_with("wrong", &|at| {
        yaml(at, b"kind: Deployment\n  name: [demo\n")
    });
    try_with("binary", &|at| yaml(at, b"\x7FELF\xFF\xFE\0\0"));
    try_with("huge", &|at| {
        yaml(at, b"");
        let file = File::options().write(true).open(at.join("demo.yaml"));
        file.and_then(|file| file.set_len(100 * 1024 * 1024))
            .unwrap();
    });
    #[cfg(unix)]
    try_with("loop", &|at| {
        fs::create_dir_all(at).unwrap();
        std::os::unix::fs::symlink("demo.yaml", at.join("demo.yaml")).unwrap();
    });
    #[cfg(unix)]
    try_with("pipe", &|at| {
        fs::create_dir_all(at).unwrap();
        let made = Command::new("mkfifo").arg(at.join("demo.yaml")).status();
        assert!(made.unwrap().success());
    });
    insta::assert_snapshot!(said);
}

/// `| head -1`: whoever reads goes away. Nothing is wrong with that, and a run goes on.
#[cfg(unix)]
#[test]
fn a_reader_who_goes_away_is_no_error() {
    let folder = Folder::new("pipe");
    folder.file("demo.deploy", PLAN);
    let unread = |args: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.command(args);
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn();
        let output = child.unwrap().wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), err)
    };
    let quiet = (Some(0), String::new());
    assert_eq!(unread(&["plan", "demo.deploy"]), quiet);
    assert_eq!(unread(&["graph", "demo.deploy"]), quiet);
    assert_eq!(unread(&["explain", "D0201"]), quiet);
    assert_eq!(unread(&["run", "demo.deploy"]), quiet);
    let list = folder.said(&["list"]);
    assert!(list.contains("succeeded"), "{list}");
    assert_eq!(unread(&["log", "demo"]), quiet);
    assert_eq!(unread(&["status", "demo"]), quiet);
    assert_eq!(unread(&["list"]), quiet);
}
