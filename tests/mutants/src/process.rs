//! Starts programs that end with this one, whatever they do: each has a group of processes of its own, which is ended as a whole.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// A mutant may ask for memory without end.
#[cfg(target_os = "linux")]
const MEMORY_BYTES_MAX: u64 = 8 << 30;

static GROUPS: Mutex<Groups> = Mutex::new(Groups {
    is_ending: false,
    running: BTreeSet::new(),
});

struct Groups {
    is_ending: bool,
    running: BTreeSet<i32>,
}

/// A program with all that it starts; ended when this goes.
pub struct Running {
    pub child: Child,
    group: Pid,
    is_over: bool,
}

/// With a bound on processor time, a run without end is over even when nobody is left to end it.
pub fn start(command: &mut Command, processor_s_max: Option<u64>) -> Result<Running> {
    let mut groups = groups();
    if groups.is_ending {
        bail!("interrupted");
    }
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command.process_group(0).spawn();
    let child = child.with_context(|| format!("cannot start `{name}`"))?;
    let id = i32::try_from(child.id())?;
    let group = Pid::from_raw(id).context("a process without a number")?;
    groups.running.insert(id);
    if let Some(seconds) = processor_s_max {
        bound(group, seconds);
    }
    Ok(Running {
        child,
        group,
        is_over: false,
    })
}

/// Ends all that runs, and starts nothing more.
pub fn end_all() {
    let mut groups = groups();
    groups.is_ending = true;
    for group in groups.running.iter().copied().filter_map(Pid::from_raw) {
        // One that has ended by itself is no longer there.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Whether what ends now may have been ended by [`end_all`].
pub fn is_ending() -> bool {
    groups().is_ending
}

impl Running {
    /// Waits for the end of the first process, and ends what it leaves behind.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait()?;
        self.end();
        Ok(status)
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        // Where all have ended by themselves nobody is left to be ended.
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait();
        groups().running.remove(&self.group.as_raw_nonzero().get());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(target_os = "linux")]
fn bound(process: Pid, seconds: u64) {
    use rustix::process::{Resource, Rlimit, prlimit};
    let at_most = |amount| Rlimit {
        current: Some(amount),
        maximum: Some(amount),
    };
    // A process that has ended needs no bounds.
    let _ = prlimit(Some(process), Resource::Cpu, at_most(seconds));
    let _ = prlimit(Some(process), Resource::As, at_most(MEMORY_BYTES_MAX));
}

#[cfg(not(target_os = "linux"))]
fn bound(_: Pid, _: u64) {}

fn groups() -> MutexGuard<'static, Groups> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}
