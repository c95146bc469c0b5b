//! Whole processes: stopped, killed, two at once; with runs kept in a folder and in PostgreSQL.

use super::Folder;
use super::server::{PASSWORD, Server};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const TIME_MAX: Duration = Duration::from_secs(180);

/// A plan that waits, then writes a line into a file: what the file holds is what was done.
struct Site {
    folder: Folder,
    state: String,
}

impl Site {
    fn new(name: &str, state: Option<String>, plan: &str) -> Site {
        let folder = Folder::new(name);
        let written = folder.0.join("written");
        let plan = plan.replace("WRITTEN", written.to_str().unwrap());
        std::fs::write(folder.0.join("shop.deploy"), plan).unwrap();
        let own = folder.0.join("state");
        let state = state.unwrap_or_else(|| own.to_str().unwrap().to_owned());
        Site { folder, state }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deployc"));
        command
            .args(args)
            .current_dir(&self.folder.0)
            .env("DEPLOYC_STATE", &self.state)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn start(&self, args: &[&str]) -> Process {
        Process(self.command(args).spawn().unwrap())
    }

    /// The exit code and all that was said. The password of the database is in none of it.
    fn said(&self, args: &[&str]) -> (Option<i32>, String) {
        ended(self.start(args))
    }

    fn written(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("written")).unwrap_or_default()
    }

    /// Until `status` shows this.
    fn until(&self, words: &str) {
        let begun = Instant::now();
        loop {
            let (_, said) = self.said(&["status"]);
            if said.contains(words) {
                return;
            }
            assert!(begun.elapsed() < TIME_MAX, "{said}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Killed when it is dropped before its end.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn ended(mut process: Process) -> (Option<i32>, String) {
    let child = &mut process.0;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed() < TIME_MAX, "it did not end");
        thread::sleep(Duration::from_millis(20));
    };
    let mut said = String::new();
    // They are short: a pipe holds all of it.
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut said).unwrap();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(!said.contains(PASSWORD), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    (status.code(), said)
}

fn signal(process: &Process, signal: Signal) {
    let pid = Pid::from_raw(process.0.id() as i32).unwrap();
    kill_process(pid, signal).unwrap();
}

const ASKS: &str = r#"deploy 1

plan shop "Shop" {
  deadline 1h
  on fail, error, inconclusive stop
}

role engineer "Engineer"

phase ask at start {
  hold 1s "Look"
  hold 1s "Look again"
  confirm "It looks well" ref A by engineer within 10m
  step note "Note" = tools.run("sh", "-c", "echo written >> WRITTEN") timeout 1m keep "it is a note"
}

provider tools = shell { }
"#;

const WAITS: &str = r#"deploy 1

plan shop "Shop" {
  deadline 1h
  on fail, error, inconclusive stop
}

phase wait at start {
  hold 15s "Look"
  step note "Note" = tools.run("sh", "-c", "echo written >> WRITTEN") timeout 1m keep "it is a note"
}

provider tools = shell { }
"#;

#[test]
fn every_command_works_with_a_database_and_none_shows_its_password() {
    let server = Server::start();
    let site = Site::new("postgres-commands", Some(server.url_by(server.port)), ASKS);
    let run = site.start(&["run", "shop.deploy"]);
    site.until("waiting for an answer");
    // Another run of the same plan, from anywhere, is refused at once.
    let begun = Instant::now();
    let (code, said) = site.said(&["run", "shop.deploy"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("error: the target is in use by run `shop-"),
        "{said}"
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
    let (code, said) = site.said(&["confirm", "shop", "A"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = ended(run);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(site.written(), "written\n");
    for command in ["list", "log shop", "status shop", "export shop", "why shop"] {
        let args: Vec<&str> = command.split(' ').collect();
        let (code, said) = site.said(&args);
        assert_eq!(code, Some(0), "{command}: {said}");
    }
    let (_, said) = site.said(&["list"]);
    assert!(said.contains("succeeded"), "{said}");
    // `--help` shows where a default comes from.
    site.said(&["run", "--help"]);

    let run = site.start(&["run", "shop.deploy"]);
    site.until("waiting for an answer");
    let (_, list) = site.said(&["list"]);
    let name = list.split(' ').next().unwrap().to_owned();
    assert_eq!(site.said(&["abort", &name]).0, Some(0));
    let (code, said) = ended(run);
    assert_eq!(code, Some(5), "{said}");
}

fn waiting(how: &str) -> String {
    WAITS.replace("  deadline 1h\n", &format!("  deadline 1h\n  {how}\n"))
}

/// Until the process has said this to people; what it has said until then.
fn hears(process: &mut Process, words: &str) -> String {
    let mut said = String::new();
    let stderr = process.0.stderr.as_mut().unwrap();
    let mut bytes = [0; 1024];
    while !said.contains(words) {
        let count = stderr.read(&mut bytes).unwrap();
        assert!(count > 0, "it ended, and said {said}");
        said.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    said
}

fn on_both_stores(name: &str, plan: &str, test: fn(&Site)) {
    test(&Site::new(name, None, plan));
    let server = Server::start();
    let url = server.url_by(server.port);
    test(&Site::new(&format!("postgres-{name}"), Some(url), plan));
}

/// Says for whom it waits, and goes on when that one has ended.
fn queues(site: &Site) {
    let mut first = site.start(&["run", "shop.deploy"]);
    site.until("▶ hold-1");
    let mut second = site.start(&["run", "shop.deploy"]);
    let said = hears(&mut second, "since 20");
    assert!(
        said.contains("note: waiting up to 1m for plan shop"),
        "{said}"
    );
    assert!(said.contains("which is held by run `shop-"), "{said}");
    assert!(said.contains("process "), "{said}");
    assert!(first.0.try_wait().unwrap().is_none());
    assert_eq!(site.written(), "");
    assert_eq!(ended(first).0, Some(0));
    let written = site.written();
    assert_eq!(written, "written\n", "the second one did not wait");
    let (code, said) = ended(second);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(site.written(), "written\nwritten\n");
    let (_, list) = site.said(&["list"]);
    assert_eq!(list.matches("succeeded").count(), 2, "{list}");
}

#[test]
fn a_run_that_queues_waits_for_the_end_of_the_other_one() {
    let plan = waiting("concurrent runs queue up to 1m");
    on_both_stores("queue", &plan, queues);
}

#[test]
fn what_waits_can_be_interrupted_and_leaves_nothing() {
    for asked in [Signal::INT, Signal::TERM] {
        let plan = waiting("concurrent runs queue up to 1m");
        let site = Site::new("queue-interrupted", None, &plan);
        let first = site.start(&["run", "shop.deploy"]);
        site.until("▶ hold-1");
        let mut second = site.start(&["run", "shop.deploy"]);
        hears(&mut second, "since 20");
        signal(&second, asked);
        let (code, said) = ended(second);
        assert_eq!(code, Some(130), "{said}");
        assert!(said.contains("there is nothing to resume"), "{said}");
        assert_eq!(ended(first).0, Some(0));
        assert_eq!(site.written(), "written\n");
        let (_, list) = site.said(&["list"]);
        assert_eq!(list.lines().count(), 1, "{list}");
    }
}

#[test]
fn a_run_is_refused_at_once_or_when_it_has_waited_for_long_enough() {
    let hows = [
        ("", 0),
        ("concurrent runs reject", 0),
        ("concurrent runs queue up to 2s", 2),
    ];
    for (how, waits_s) in hows {
        let site = Site::new("queue-refused", None, &waiting(how));
        let first = site.start(&["run", "shop.deploy"]);
        site.until("▶ hold-1");
        let begun = Instant::now();
        let (code, said) = site.said(&["run", "shop.deploy"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("error: plan shop is in use by run `shop-"),
            "{said}"
        );
        assert_eq!(said.contains("waiting"), waits_s > 0, "{said}");
        assert!(begun.elapsed() >= Duration::from_secs(waits_s), "{how}");
        assert_eq!(ended(first).0, Some(0));
        assert_eq!(site.written(), "written\n");
    }
}

/// Killed, it has not ended: somebody has to decide what becomes of it, and nobody waits for that.
#[test]
fn nobody_waits_for_a_run_without_a_process() {
    let plan = waiting("concurrent runs queue up to 1m");
    let site = Site::new("queue-killed", None, &plan);
    let first = site.start(&["run", "shop.deploy"]);
    site.until("▶ hold-1");
    let mut second = site.start(&["run", "shop.deploy"]);
    hears(&mut second, "since 20");
    signal(&first, Signal::KILL);
    let (code, said) = ended(second);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("`deployc resume shop-"), "{said}");
    drop(first);
    assert_eq!(site.said(&["resume", "shop"]).0, Some(0));
}

/// The other one is told to end, and is followed.
fn replaces(site: &Site) {
    let first = site.start(&["run", "shop.deploy"]);
    site.until("▶ hold-1");
    let (code, said) = site.said(&["run", "shop.deploy"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("was told to end"), "{said}");
    let (code, said) = ended(first);
    assert_eq!(code, Some(5), "{said}");
    let (_, list) = site.said(&["list"]);
    let oldest = list.lines().last().unwrap().split(' ').next().unwrap();
    let (_, why) = site.said(&["why", oldest]);
    assert!(why.contains("replaces it"), "{why}");
    // The first one would have written, too.
    assert_eq!(site.written(), "written\n");
}

#[test]
fn a_run_that_replaces_another_one_tells_it_to_end_and_comes_after_it() {
    let plan = waiting("concurrent runs replace up to 1m");
    on_both_stores("replace", &plan, replaces);
}

/// Longer than its lease: another process goes on with the run, and when the first one wakes it neither appends nor writes.
#[test]
fn a_process_that_was_stopped_for_long_wakes_up_to_do_nothing() {
    let server = Server::start();
    let site = Site::new("postgres-stopped", Some(server.url_by(server.port)), WAITS);
    let first = site.start(&["run", "shop.deploy"]);
    site.until("▶ hold-1");
    signal(&first, Signal::STOP);
    let (code, said) = site.said(&["resume", "shop"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("waiting for plan shop"), "{said}");
    assert!(
        said.contains("took the lock on the target over from run `shop-"),
        "{said}"
    );
    assert_eq!(site.written(), "written\n");
    let (_, before) = site.said(&["export", "shop"]);
    signal(&first, Signal::CONT);
    let (code, said) = ended(first);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("taken over by"), "{said}");
    assert_eq!(site.written(), "written\n");
    assert_eq!(site.said(&["export", "shop"]).1, before);
}

#[test]
fn a_database_that_does_not_come_back_ends_the_process_and_resume_goes_on() {
    let server = Server::start();
    let site = Site::new("postgres-gone", Some(server.url_by(server.port)), WAITS);
    let run = site.start(&["run", "shop.deploy"]);
    site.until("▶ hold-1");
    server.kill();
    let (code, said) = ended(run);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("gives no answer"), "{said}");
    assert!(said.contains("`deployc resume"), "{said}");
    assert_eq!(site.written(), "");
    server.go();
    let (code, said) = site.said(&["resume", "shop"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(site.written(), "written\n");
}

/// Records and head alike, so that nothing in the store itself shows it.
#[test]
fn a_tail_that_was_cut_with_its_head_is_found_by_the_lock() {
    let site = Site::new("anchor", None, ASKS);
    let run = site.start(&["run", "shop.deploy"]);
    site.until("waiting for an answer");
    signal(&run, Signal::TERM);
    let (code, said) = ended(run);
    assert_eq!(code, Some(130), "{said}");
    let file = PathBuf::from(&site.state).join("runs.db");
    let connection = rusqlite::Connection::open(file).unwrap();
    let length: u64 = connection
        .query_row("SELECT seq FROM heads", [], |row| row.get(0))
        .unwrap();
    connection
        .execute_batch(
            "DELETE FROM records WHERE seq > (SELECT seq - 1 FROM heads);
            UPDATE heads SET seq = seq - 1,
                hash = (SELECT hash FROM records WHERE records.seq = heads.seq - 1);",
        )
        .unwrap();
    let (code, said) = site.said(&["resume", "shop"]);
    assert_eq!(code, Some(1), "{said}");
    let words = format!(
        "it ends at record {}, but {length} were written: its tail was cut off",
        length - 1
    );
    assert!(said.contains(&words), "{said}");
}

/// Fails one sync, and says of each one after it that it was made.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
static int count;
static int one(int fd, long number) {
    int at = __sync_add_and_fetch(&count, 1);
    const char *fail = getenv("FAIL_SYNC"), *log = getenv("SYNC_LOG");
    int wanted = fail ? atoi(fail) : 0;
    if (wanted && at >= wanted) {
        int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
        const char *word = at == wanted ? "failed\n" : "again\n";
        if (write(out, word, strlen(word)) < 0) abort();
        close(out);
    }
    if (at == wanted) { errno = EIO; return -1; }
    return (int)syscall(number, fd);
}
int fsync(int fd) { return one(fd, SYS_fsync); }
int fdatasync(int fd) { return one(fd, SYS_fdatasync); }
"#;

#[cfg(target_os = "linux")]
#[test]
fn a_sync_that_fails_once_ends_the_process_and_is_not_tried_again() {
    let site = Site::new("sync", None, &WAITS.replace("hold 15s", "hold 1s"));
    let source = site.folder.0.join("shim.c");
    std::fs::write(&source, SHIM).unwrap();
    let shim = site.folder.0.join("shim.so");
    let mut cc = Command::new("cc");
    let made = cc
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&shim)
        .arg(&source);
    assert!(made.status().unwrap().success());
    let log = site.folder.0.join("log");
    let (mut stopped, mut unnoticed) = (0, 0);
    for at in 3..=16 {
        std::fs::remove_file(&log).ok();
        std::fs::remove_dir_all(&site.state).ok();
        let mut command = site.command(&["run", "shop.deploy"]);
        let command = command
            .env("LD_PRELOAD", &shim)
            .env("FAIL_SYNC", at.to_string())
            .env("SYNC_LOG", &log);
        let (code, said) = ended(Process(command.spawn().unwrap()));
        if code == Some(0) {
            unnoticed += 1;
            continue;
        }
        assert!(said.contains("cannot write to "), "{at}: {said}");
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "failed\n", "{at}");
        // Before its first event nothing was begun; later, it has to be resumed.
        if code == Some(130) {
            stopped += 1;
            assert!(said.contains("`deployc resume"), "{said}");
            std::fs::remove_file(site.folder.0.join("written")).ok();
            let (code, said) = site.said(&["resume", "shop"]);
            // Nobody knows whether the command ran, where its outcome was not written: then a person has to look.
            assert!(matches!(code, Some(0 | 5)), "{at}: {said}");
        }
    }
    // That of a new folder entry, which SQLite does not report, and those after the end.
    assert!(unnoticed <= 3, "{unnoticed}");
    assert!(stopped >= 3, "{stopped}");
}
