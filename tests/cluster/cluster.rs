//! The cluster that all tests of this binary share, and the means to disturb it.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use crate::wait::until;

/// How to reach a cluster, and, where it is our own, the process that holds it up.
pub struct Cluster {
    pub kubeconfig: PathBuf,
    pub prometheus: String,
    kubectl: PathBuf,
    supervisor: Option<Mutex<Supervisor>>,
}

/// A running `tests/cluster/up`. It takes the cluster down when its input closes: at the latest when
/// this process ends, however it ends.
pub struct Supervisor {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    folder: PathBuf,
}

/// A program of the cluster that a test can take away and give back.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    ApiServer,
    Prometheus,
}

/// The cluster, for a test that others may run beside.
pub fn shared() -> (&'static Cluster, RwLockReadGuard<'static, ()>) {
    let guard = SIDE_BY_SIDE.read().unwrap_or_else(PoisonError::into_inner);
    (the_cluster(), guard)
}

/// The cluster, for a test that measures time or takes something away: no other runs meanwhile.
pub fn alone() -> (&'static Cluster, RwLockWriteGuard<'static, ()>) {
    let guard = SIDE_BY_SIDE.write().unwrap_or_else(PoisonError::into_inner);
    (the_cluster(), guard)
}

static SIDE_BY_SIDE: RwLock<()> = RwLock::new(());

fn the_cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        existing().unwrap_or_else(|| Supervisor::start(&own_folder("cluster")).into_cluster())
    })
}

fn existing() -> Option<Cluster> {
    let kubeconfig = env::var_os("DEPLOYC_TEST_KUBECONFIG")?;
    let prometheus = env::var("DEPLOYC_TEST_PROMETHEUS")
        .expect("DEPLOYC_TEST_KUBECONFIG without DEPLOYC_TEST_PROMETHEUS");
    Some(Cluster {
        kubeconfig: kubeconfig.into(),
        prometheus,
        kubectl: env::var_os("DEPLOYC_TEST_KUBECTL").map_or("kubectl".into(), Into::into),
        supervisor: None,
    })
}

/// A folder below the build's own, which no other run uses at the same time. Those of earlier runs,
/// kept for a look at their logs, go.
pub fn own_folder(name: &str) -> PathBuf {
    let folders = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for folder in fs::read_dir(folders).unwrap().filter_map(Result::ok) {
        let folder_name = folder.file_name().to_string_lossy().into_owned();
        let run = folder_name.rsplit('-').next().unwrap_or_default();
        if !Path::new("/proc").join(run).exists() {
            drop(fs::remove_dir_all(folder.path()));
        }
    }
    folders.join(format!("{name}-{}", process::id()))
}

impl Cluster {
    /// A kubectl with all rights. It is the tests' own eye: it shares no code with what they test.
    pub fn kubectl(&self) -> Command {
        self.kubectl_as(&self.kubeconfig)
    }

    /// The same with the rights of another kubeconfig.
    pub fn kubectl_as(&self, kubeconfig: &Path) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.arg("--kubeconfig").arg(kubeconfig);
        command.stdin(Stdio::null());
        command
    }

    /// Stops a program where it stands, as a machine that hangs would.
    pub fn pause(&self, program: Program) {
        self.command(&format!("pause {}", program.name()));
    }

    pub fn resume(&self, program: Program) {
        self.command(&format!("continue {}", program.name()));
    }

    /// Ends a program at once, as a crash would.
    pub fn kill(&self, program: Program) {
        self.command(&format!("kill {}", program.name()));
    }

    /// Starts a killed program again, with the data that it had.
    pub fn restart(&self, program: Program) {
        self.command(&format!("start {}", program.name()));
    }

    /// Makes the node forget the connections that have been: one of them may have a new one's port,
    /// and the new one would be sent after it, to a pod that is gone. On a cluster that is not ours
    /// their time has to do it.
    pub fn forget_connections(&self) {
        if self.supervisor.is_some() {
            self.command("forget");
        }
    }

    fn command(&self, line: &str) {
        let supervisor = self
            .supervisor
            .as_ref()
            .unwrap_or_else(|| panic!("`{line}` needs a cluster of our own"));
        supervisor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .command(line);
    }
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::ApiServer => "kube-apiserver",
            Self::Prometheus => "prometheus",
        }
    }
}

impl Supervisor {
    pub fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let mut process = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/up"))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/cluster/up does not start");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().unwrap());
        let folder = folder.to_owned();
        let mut supervisor = Self {
            process,
            input,
            output,
            folder,
        };
        assert_eq!(supervisor.line(), "ready", "the cluster did not come up");
        supervisor
    }

    pub fn into_cluster(self) -> Cluster {
        let text = fs::read_to_string(self.folder.join("env")).unwrap();
        let mut environment: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .collect();
        let mut value = |name| environment.remove(name).expect(name).to_owned();
        Cluster {
            kubeconfig: value("DEPLOYC_TEST_KUBECONFIG").into(),
            prometheus: value("DEPLOYC_TEST_PROMETHEUS"),
            kubectl: value("DEPLOYC_TEST_KUBECTL").into(),
            supervisor: Some(Mutex::new(self)),
        }
    }

    /// The process number that this system knows a program of the cluster by; "first" is process 1
    /// of the cluster's namespaces.
    pub fn pid(&self, name: &str) -> u32 {
        let text = fs::read_to_string(self.folder.join("pids").join(name)).unwrap();
        text.trim().parse().unwrap()
    }

    pub fn own_pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends the cluster as the end of this process would, and waits for it.
    pub fn stop(mut self) {
        drop(self.input.take());
        let (status, _) = until("the supervisor ends", Duration::from_secs(30), || {
            self.process.try_wait().unwrap()
        });
        assert!(status.success(), "the supervisor ended with {status}");
    }

    /// Ends the supervisor without a chance to clean up.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn command(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").expect("the supervisor has ended");
        let answer = self.line();
        assert_eq!(answer, "ok", "the supervisor's answer to `{line}`");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}
