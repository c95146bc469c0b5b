//! Programs to measure beside: found on the path, or where `benches/peer/install` puts them. One that is missing is
//! named, and nothing is compared with it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where the program is; `None` has been said.
pub fn find(name: &str) -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    folders.extend(installed());
    let found = folders.iter().map(|folder| folder.join(name));
    let found = found.into_iter().find(|path| path.is_file());
    if found.is_none() {
        println!("{name}: not here (benches/peer/install gets it), so nothing is compared with it");
    }
    found
}

fn installed() -> Option<PathBuf> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    Some(cache.or_else(home)?.join("deployc-bench/bin"))
}

/// From its start to its end.
pub fn time(mut command: Command) -> Duration {
    let started = Instant::now();
    let status = silent(&mut command).status().unwrap();
    let took = started.elapsed();
    assert!(status.success(), "{command:?} failed");
    took
}

/// The most memory that it had at once, as the system counts it (`VmHWM`), looked at until it ends.
pub fn peak_bytes(mut command: Command) -> u64 {
    let mut child = silent(&mut command).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak_so_far(&child).unwrap_or(0).max(peak);
        std::thread::sleep(Duration::from_micros(200));
    }
    peak
}

fn peak_so_far(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024)
}

fn silent(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
}
