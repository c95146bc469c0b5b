//! One command, from its start until nothing of it is left.
//!
//! The command leads a process group of its own. Whatever ends it — by itself, its time limit, whoever waits for it going
//! away — the whole group is told to end, and after a grace is ended; so is what has left the group but still carries the
//! key of the change in its environment.
#![allow(clippy::disallowed_methods, reason = "processes end in time")]

use crate::effects::secret::Secrets;
use crate::effects::shell::leftover;
use crate::effects::shell::output::{Output, Recorder};
use crate::providers::request::{Failure, FailureKind, Key};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::Child;
use tokio::sync::oneshot;

/// In the environment of each command.
pub const KEY_VARIABLE: &str = "DEPLOYC_KEY";

/// Between SIGTERM and SIGKILL.
pub const GRACE: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub struct Command {
    pub argv: Vec<String>,
    pub cwd: Option<PathBuf>,
    pub variables: Vec<(String, String)>,
    pub limit: Option<Duration>,
}

#[derive(Clone, Debug)]
pub struct Ended {
    pub end: End,
    pub stdout: Output,
    pub stderr: Output,
}

#[derive(Clone, Debug)]
pub enum End {
    Exited(i32),
    /// `SIGKILL`
    Signalled(String),
    TimedOut(Duration),
    /// Certain that nothing ran.
    NotStarted(Failure),
}

impl Ended {
    /// The last line of what it complained, or of what it said.
    pub fn last_words(&self) -> String {
        const CHARACTERS_MAX: usize = 300;
        let last = |output: &Output| {
            let line = output
                .text
                .lines()
                .rev()
                .find(|line| !line.trim().is_empty());
            line.map(|line| line.replace(|c: char| c.is_control(), " "))
        };
        let line = last(&self.stderr)
            .or_else(|| last(&self.stdout))
            .unwrap_or_default();
        line.trim().chars().take(CHARACTERS_MAX).collect()
    }
}

impl Command {
    /// For messages; never the arguments, which may be long.
    pub fn name(&self) -> String {
        self.argv.first().cloned().unwrap_or_default()
    }

    /// Whether there is such a program, and a folder to run it in.
    pub fn check(&self) -> Result<(), Failure> {
        if let Some(cwd) = &self.cwd
            && !cwd.is_dir()
        {
            let message = format!(
                "there is no folder `{}` to run `{}` in",
                cwd.display(),
                self.name()
            );
            return Err(Failure::new(FailureKind::NotFound, message));
        }
        let name = self.name();
        let found = if name.contains('/') {
            is_program(&self.cwd.as_deref().unwrap_or(Path::new("")).join(&name))
        } else {
            let path = self
                .variables
                .iter()
                .find(|(variable, _)| variable == "PATH");
            let folders = path.map(|(_, path)| std::env::split_paths(path));
            folders.is_some_and(|mut folders| folders.any(|folder| is_program(&folder.join(&name))))
        };
        match found {
            true => Ok(()),
            false => Err(Failure::new(
                FailureKind::NotFound,
                format!("there is no program `{name}` that can be run"),
            )),
        }
    }

    fn spawn(&self, key: &Key) -> Result<Child, Failure> {
        let name = self.name();
        let mut command = tokio::process::Command::new(&name);
        command
            .args(self.argv.iter().skip(1))
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env(KEY_VARIABLE, &key.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        command.spawn().map_err(|why| {
            let kind = match why.kind() {
                std::io::ErrorKind::NotFound => FailureKind::NotFound,
                std::io::ErrorKind::PermissionDenied => FailureKind::Denied,
                _ => FailureKind::Refused,
            };
            Failure::new(kind, format!("`{name}` cannot be started: {why}"))
        })
    }
}

/// Dropping the future ends the command: its watcher lives in a task of its own and sees the waiter go away.
pub async fn run(command: Command, key: &Key, secrets: &Secrets) -> Ended {
    let child = match command.spawn(key) {
        Ok(child) => child,
        Err(failure) => {
            return Ended {
                end: End::NotStarted(failure),
                stdout: Output::default(),
                stderr: Output::default(),
            };
        }
    };
    let (stdout, stderr) = (Recorder::default(), Recorder::default());
    let (waiter, gone) = oneshot::channel::<()>();
    let recorders = (stdout.clone(), stderr.clone());
    let watcher = tokio::spawn(watch(child, recorders, command.limit, key.clone(), gone));
    let end = watcher
        .await
        .unwrap_or_else(|_| End::Signalled("the end of the runner".to_owned()));
    drop(waiter);
    Ended {
        end,
        stdout: stdout.take(secrets),
        stderr: stderr.take(secrets),
    }
}

async fn watch(
    mut child: Child,
    (stdout, stderr): (Recorder, Recorder),
    limit: Option<Duration>,
    key: Key,
    gone: oneshot::Receiver<()>,
) -> End {
    let group = Group::of(&child);
    let readers = [
        child
            .stdout
            .take()
            .map(|stream| tokio::spawn(stdout.record(stream))),
        child
            .stderr
            .take()
            .map(|stream| tokio::spawn(stderr.record(stream))),
    ];
    let end = tokio::select! {
        status = child.wait() => status.map_or(End::Signalled("something unseen".to_owned()), end_of),
        () = sleep(limit) => End::TimedOut(limit.unwrap_or_default()),
        _ = gone => End::Signalled("the runner".to_owned()),
    };
    group.end(&mut child).await;
    leftover::end(&key).await;
    for reader in readers.into_iter().flatten() {
        // Somebody that we may not end could hold the pipe for ever.
        let abort = reader.abort_handle();
        if tokio::time::timeout(Duration::from_secs(1), reader)
            .await
            .is_err()
        {
            abort.abort();
        }
    }
    end
}

async fn sleep(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

#[cfg(unix)]
fn end_of(status: ExitStatus) -> End {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, signal) => End::Signalled(signal_name(signal.unwrap_or(0))),
    }
}

#[cfg(not(unix))]
fn end_of(status: ExitStatus) -> End {
    End::Exited(status.code().unwrap_or(-1))
}

#[cfg(unix)]
fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        6 => "SIGABRT",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file() || path.with_extension("exe").is_file()
}

/// The process group of a command. Dropped without [`Group::end`] — the runtime goes away — it is ended at once.
#[cfg(unix)]
struct Group {
    /// `None` once nothing of it is left: its number may then be somebody else's.
    leader: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Group {
    fn of(child: &Child) -> Group {
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        Group {
            leader: pid.and_then(rustix::process::Pid::from_raw),
        }
    }

    async fn end(mut self, child: &mut Child) {
        use rustix::process::Signal;
        self.signal(Signal::TERM);
        let end = tokio::time::Instant::now() + GRACE;
        while self.leader.is_some() && tokio::time::Instant::now() < end {
            // Reaps the leader, which stands in the group until then.
            let _ = child.try_wait();
            tokio::time::sleep(Duration::from_millis(10)).await;
            self.look();
        }
        self.signal(Signal::KILL);
        self.leader = None;
        let _ = tokio::time::timeout(Duration::from_secs(1), child.wait()).await;
    }

    fn look(&mut self) {
        if let Some(leader) = self.leader
            && rustix::process::test_kill_process_group(leader) == Err(rustix::io::Errno::SRCH)
        {
            self.leader = None;
        }
    }

    fn signal(&mut self, signal: rustix::process::Signal) {
        if let Some(leader) = self.leader
            && rustix::process::kill_process_group(leader, signal) == Err(rustix::io::Errno::SRCH)
        {
            self.leader = None;
        }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        self.signal(rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
struct Group;

#[cfg(not(unix))]
impl Group {
    fn of(_: &Child) -> Group {
        Group
    }

    async fn end(self, child: &mut Child) {
        let _ = child.kill().await;
    }
}
