//! A state directory that cannot be used: a clear message, and nothing lost.

use deployc::commands::compile::compiled;
use deployc::effects::store::lock::{self, Holder};
use deployc::effects::store::sqlite::SqliteStore;
use deployc::engine::protocol::{Actor, Event, EventKind};
use deployc::journal::record::Header;
use deployc::journal::store::Store;
use deployc::journal::writer::{read, take_over};
use deployc::plan::digest::{digest, json};
use deployc::values::Instant;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RUN: &str = "shop-20260121-063000-000";
/// Nobody listens there: whatever gets as far as asking the world has gone too far.
const WORLD: &str = "127.0.0.1:1";
const TARGET: &str = "plan shop, simulated world 127.0.0.1:1";

/// A state directory with a run that was begun; it goes when it is dropped.
struct State(PathBuf);

impl State {
    fn new(name: &str) -> State {
        let state = State::none(name);
        fs::create_dir_all(&state.0).unwrap();
        let mut store = SqliteStore::open(&state.0).unwrap();
        let header = header();
        store.create(&header).unwrap();
        let journal = read(&store, RUN).unwrap();
        let mut writer = take_over(&mut store, &journal).unwrap();
        let started = EventKind::Started {
            run: RUN.to_owned(),
            digest: header.digest,
            inputs: Default::default(),
            by: header.by,
        };
        let asked = EventKind::RollbackAsked {
            by: Actor::default(),
            reason: "for the love of it".to_owned(),
        };
        for (at, kind) in (1..).zip([started, EventKind::Tick, asked]) {
            let at = Instant(at);
            writer
                .append(&mut store, &Event { at, kind }, None)
                .unwrap();
        }
        state
    }

    fn none(name: &str) -> State {
        let name = format!("deployc-state-{name}-{}", std::process::id());
        State(std::env::temp_dir().join(name))
    }

    fn file(&self) -> PathBuf {
        self.0.join("runs.db")
    }

    /// Each of these refuses it in the same words, and the file stays as it is.
    fn is_refused(&self, commands: &[&str], words: &str) {
        let before = fs::read(self.file()).ok();
        for command in commands {
            let (code, said) = self.deployc(command);
            assert_eq!((code, said.as_str()), (Some(1), words), "{command}");
            assert_eq!(fs::read(self.file()).ok(), before, "{command}");
        }
    }

    /// The exit code and what is said to people.
    fn deployc(&self, command: &str) -> (Option<i32>, String) {
        self.spoken(Command::new(env!("CARGO_BIN_EXE_deployc")), command)
    }

    fn spoken(&self, mut program: Command, command: &str) -> (Option<i32>, String) {
        program.current_dir(env!("CARGO_MANIFEST_DIR"));
        program.args(command.split(' ')).arg("--state").arg(&self.0);
        let output = program.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let said = said.replace(&self.0.display().to_string(), "STATE");
        let lines = said.lines().filter(|line| !line.starts_with("note: "));
        (output.status.code(), lines.collect::<Vec<_>>().join("\n"))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

const READ: [&str; 3] = ["status", "list", "log shop"];
const WRITE: [&str; 4] = [
    "resume shop",
    "abort shop",
    "confirm shop worker",
    "run tests/crash/plan --world 127.0.0.1:1",
];

fn all() -> Vec<&'static str> {
    READ.into_iter().chain(WRITE).collect()
}

fn header() -> Header {
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/plan");
    let compiled = compiled(&plan).unwrap();
    let plan = compiled.plan.clone().unwrap();
    Header {
        run: RUN.to_owned(),
        digest: digest(&plan),
        target: TARGET.to_owned(),
        world: Some(WORLD.to_owned()),
        created: Instant(1),
        by: Actor {
            user: "ana".to_owned(),
            host: "laptop".to_owned(),
        },
        plan: json(&plan),
        source_map: serde_json::to_string(compiled.source_map()).unwrap(),
        sources: Default::default(),
    }
}

/// Changes one letter in the file, where this text stands.
fn misspell(file: &Path, text: &str) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.windows(text.len());
    let at = at.into_iter().position(|part| part == text.as_bytes());
    bytes[at.unwrap()] = b'X';
    fs::write(file, bytes).unwrap();
}

#[test]
fn one_that_is_in_order_is_read() {
    let state = State::new("in-order");
    assert_eq!(state.deployc("list"), (Some(0), String::new()));
    assert_eq!(state.deployc("log shop"), (Some(0), String::new()));
    assert_eq!(state.deployc("status"), (Some(5), String::new()));
}

#[test]
fn where_nothing_was_run_that_is_said() {
    let state = State::none("missing");
    let words = "error: cannot use the state directory STATE: there is no runs.db in it, so nothing was run here";
    state.is_refused(&["status", "list", "log x", "resume x"], words);
    assert!(!state.0.exists());
    fs::create_dir(&state.0).unwrap();
    fs::write(state.file(), "").unwrap();
    state.is_refused(
        &["status", "list", "log x", "resume x"],
        "error: cannot use the state directory STATE: runs.db in it is empty, so nothing was run here",
    );
    drop(SqliteStore::open(&state.0).unwrap());
    state.is_refused(&["status"], "error: nothing was run here yet");
}

#[test]
fn a_file_in_its_place_is_named() {
    let state = State::none("file");
    fs::write(&state.0, "mine").unwrap();
    let words = "error: cannot use the state directory STATE: it is a file, and not a folder";
    state.is_refused(&all(), words);
    assert_eq!(fs::read_to_string(&state.0).unwrap(), "mine");
    fs::remove_file(&state.0).unwrap();
}

#[test]
fn what_is_no_database_is_left_alone() {
    let state = State::new("garbage");
    fs::write(state.file(), "notes ".repeat(100)).unwrap();
    state.is_refused(
        &all(),
        "error: STATE/runs.db is damaged: file is not a database; nothing was changed. Keep a copy of the file before anything else",
    );
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let state = State::none("another");
    fs::create_dir(&state.0).unwrap();
    let connection = rusqlite::Connection::open(state.file()).unwrap();
    connection.execute("CREATE TABLE mine (x)", []).unwrap();
    connection.close().unwrap();
    state.is_refused(
        &all(),
        "error: cannot use the state directory STATE: runs.db in it is the database of another program",
    );
}

#[test]
fn one_that_was_cut_off_is_left_alone() {
    let state = State::new("cut");
    let length = fs::metadata(state.file()).unwrap().len();
    for kept in [length / 2, 4096, 50] {
        let file = fs::OpenOptions::new().write(true).open(state.file());
        file.unwrap().set_len(kept).unwrap();
        state.is_refused(
            &all(),
            "error: STATE/runs.db is damaged: database disk image is malformed; nothing was changed. Keep a copy of the file before anything else",
        );
    }
}

#[test]
fn a_changed_byte_is_found_and_nobody_goes_on() {
    let state = State::new("record");
    misspell(&state.file(), "for the love of it");
    let words = format!(
        "error: the journal of run `{RUN}` is damaged: record 3 was changed: its hash is not that of its content; nothing was changed"
    );
    let commands = ["status", "log shop", "resume shop", "abort shop"];
    state.is_refused(&commands, &words);

    let state = State::new("header");
    misspell(&state.file(), "A shop in a simulated world");
    let words = format!(
        "error: the journal of run `{RUN}` is damaged: the first record does not follow the header: the plan or who began it was changed; nothing was changed"
    );
    state.is_refused(&commands, &words);
}

#[test]
fn one_of_a_later_version_is_refused() {
    let state = State::new("later");
    let connection = rusqlite::Connection::open(state.file()).unwrap();
    connection.pragma_update(None, "user_version", 7).unwrap();
    connection.close().unwrap();
    state.is_refused(
        &all(),
        "error: cannot use the state directory STATE: runs.db in it was written by another version of deployc (schema 7, this one knows 2)",
    );
}

#[test]
fn a_live_run_keeps_it_and_is_named() {
    let state = State::new("live");
    let holder = Holder {
        run: RUN.to_owned(),
        user: "ana".to_owned(),
        host: "laptop".to_owned(),
        process: 7,
        since: "06:30".to_owned(),
        head: None,
    };
    let (held, _) = lock::acquire(&state.0, TARGET, &holder).unwrap();
    let words =
        format!("error: {TARGET} is in use by run `{RUN}`: ana on laptop, process 7, since 06:30");
    state.is_refused(&["resume shop", WRITE[3]], &words);
    // Whoever only looks is not in its way.
    assert_eq!(state.deployc("status"), (Some(5), String::new()));
    drop(held);
    let words = format!(
        "error: run `{RUN}` of {TARGET} is not ended: `deployc resume {RUN}` or `deployc rollback {RUN}` first"
    );
    state.is_refused(&[WRITE[3]], &words);
}

#[cfg(unix)]
mod read_only {
    use super::{State, WRITE, all};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::Command;

    /// The program as somebody for whom permissions count: for root they do only without these capabilities.
    fn program() -> Command {
        let program = env!("CARGO_BIN_EXE_deployc");
        if !rustix::process::getuid().is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-dac_override,-dac_read_search", program]);
        command
    }

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn is_refused(state: &State, command: &str, words: &str) {
        let found = state.spoken(program(), command);
        assert_eq!(found, (Some(1), words.to_owned()), "{command}");
    }

    #[test]
    fn one_that_may_not_be_written_is_refused() {
        let state = State::new("read-only");
        allow(&state.file(), 0o444);
        allow(&state.0, 0o555);
        for command in all() {
            is_refused(
                &state,
                command,
                "error: cannot use the state directory STATE: runs.db in it cannot be written",
            );
        }
        allow(&state.0, 0o755);
        allow(&state.file(), 0o000);
        for command in all() {
            is_refused(
                &state,
                command,
                "error: cannot use the state directory STATE: runs.db in it cannot be opened or made",
            );
        }
        allow(&state.file(), 0o644);
        assert_eq!(state.deployc("status").0, Some(5));
    }

    #[test]
    fn one_that_may_not_be_made_is_refused() {
        let state = State::none("not-made");
        fs::create_dir(&state.0).unwrap();
        allow(&state.0, 0o555);
        is_refused(
            &state,
            WRITE[3],
            "error: cannot use the state directory STATE: runs.db in it cannot be opened or made",
        );
        let inner = State(state.0.join("inner"));
        is_refused(
            &inner,
            WRITE[3],
            "error: cannot use the state directory STATE: Permission denied (os error 13)",
        );
        allow(&state.0, 0o755);
    }
}
