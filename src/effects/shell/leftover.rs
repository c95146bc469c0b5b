//! What a command has left behind: processes with the key of its change in their environment.
//!
//! A process that started a session of its own is in no group of ours, and one whose runner was killed has nobody that
//! waits for it. Both still carry the key. Linux only; elsewhere nothing is found.

#![allow(
    clippy::disallowed_methods,
    reason = "environments of processes are files"
)]

use crate::providers::request::Key;

/// The ids of processes of this user that carry the key.
pub fn find(key: &Key) -> Vec<u32> {
    system::find(key)
}

/// Tells them to end, and ends them after a grace.
pub async fn end(key: &Key) {
    system::end(key).await;
}

#[cfg(target_os = "linux")]
mod system {
    use crate::effects::shell::command::{GRACE, KEY_VARIABLE};
    use crate::providers::request::Key;
    use rustix::fd::OwnedFd;
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    use std::time::Duration;

    struct Found {
        pid: u32,
        /// A signal through it never meets another process with the same number.
        process: OwnedFd,
    }

    pub fn find(key: &Key) -> Vec<u32> {
        carriers(key).into_iter().map(|found| found.pid).collect()
    }

    pub async fn end(key: &Key) {
        if signal(key, Signal::TERM) == 0 {
            return;
        }
        let end = tokio::time::Instant::now() + GRACE;
        while !carriers(key).is_empty() && tokio::time::Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        signal(key, Signal::KILL);
    }

    /// To how many it was sent.
    fn signal(key: &Key, signal: Signal) -> usize {
        let found = carriers(key);
        for one in &found {
            let _ = pidfd_send_signal(&one.process, signal);
        }
        found.len()
    }

    fn carriers(key: &Key) -> Vec<Found> {
        let Ok(entries) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        let own = std::process::id();
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let wanted = format!("{KEY_VARIABLE}={}", key.0);
        pids.filter(|pid| *pid != own)
            .filter_map(|pid| carrier(pid, &wanted))
            .collect()
    }

    fn carrier(pid: u32, wanted: &str) -> Option<Found> {
        if !carries(pid, wanted) {
            return None;
        }
        let raw = Pid::from_raw(i32::try_from(pid).ok()?)?;
        let process = pidfd_open(raw, PidfdFlags::empty()).ok()?;
        // Again, of the process that a signal would now reach: the number may be another's meanwhile.
        carries(pid, wanted).then_some(Found { pid, process })
    }

    fn carries(pid: u32, wanted: &str) -> bool {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == wanted.as_bytes())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use crate::providers::request::Key;

    pub fn find(_: &Key) -> Vec<u32> {
        Vec::new()
    }

    pub async fn end(_: &Key) {}
}
