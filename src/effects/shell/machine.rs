//! What can be seen of the machine of the runner without running anything.
#![allow(
    clippy::disallowed_methods,
    reason = "what the system says stands in files"
)]

use crate::providers::request::{Failure, FailureKind};
use crate::units::Dim;
use crate::units::amount::{NANO, Quantity};
use crate::values::Value;
use std::io;
use std::path::Path;

pub async fn exists(path: &Path) -> Result<Value, Failure> {
    match tokio::fs::metadata(path).await {
        Ok(_) => Ok(Value::Bool(true)),
        Err(why)
            if matches!(
                why.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Value::Bool(false))
        }
        Err(why) => Err(Failure::new(
            match why.kind() {
                io::ErrorKind::PermissionDenied => FailureKind::Denied,
                _ => FailureKind::Malformed,
            },
            format!("`{}` cannot be looked at: {why}", path.display()),
        )),
    }
}

/// With the share that a container may use.
pub fn cores() -> Result<Value, Failure> {
    match std::thread::available_parallelism() {
        Ok(cores) => {
            let nano = i128::try_from(cores.get()).unwrap_or(0) * NANO;
            Ok(Value::Quantity(Quantity::exact(Dim::Cores, nano)))
        }
        Err(why) => Err(unknown(format!("the number of cores is not known: {why}"))),
    }
}

/// What the kernel holds available, or what is left of the limit of a container if that is less.
pub async fn free_memory() -> Result<Value, Failure> {
    let Ok(meminfo) = tokio::fs::read_to_string("/proc/meminfo").await else {
        return Err(unknown("free memory can only be read on Linux".to_owned()));
    };
    let Some(available) = available_bytes(&meminfo) else {
        return Err(unknown(
            "`/proc/meminfo` does not say how much is available".to_owned(),
        ));
    };
    let bytes = available.min(left_of_limit_bytes().await.unwrap_or(u64::MAX));
    let quantity = Quantity::exact(Dim::Bytes, i128::from(bytes) * NANO);
    Ok(Value::Quantity(quantity))
}

/// `MemAvailable:   12345 kB`
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Of the control group of this process (version 2); `None` where there is no limit.
async fn left_of_limit_bytes() -> Option<u64> {
    let groups = tokio::fs::read_to_string("/proc/self/cgroup").await.ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let folder = Path::new("/sys/fs/cgroup").join(own.trim_start_matches('/'));
    let max = tokio::fs::read_to_string(folder.join("memory.max"))
        .await
        .ok()?;
    let current = tokio::fs::read_to_string(folder.join("memory.current"))
        .await
        .ok()?;
    let max: u64 = max.trim().parse().ok()?;
    let current: u64 = current.trim().parse().ok()?;
    Some(max.saturating_sub(current))
}

fn unknown(message: String) -> Failure {
    Failure::new(FailureKind::NotFound, message)
}

#[cfg(test)]
mod tests {
    use crate::effects::shell::machine::available_bytes;

    #[test]
    fn available_memory_is_read_from_what_the_kernel_says() {
        let meminfo = "MemTotal:       8000000 kB\nMemFree: 1 kB\nMemAvailable:    6000000 kB\n";
        assert_eq!(available_bytes(meminfo), Some(6_000_000 * 1024));
        assert_eq!(available_bytes("MemTotal: 1 kB\n"), None);
    }
}
