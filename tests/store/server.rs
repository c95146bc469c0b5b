//! A PostgreSQL server of its own for each test: on a free port of this machine, with its data in a folder that goes.

use deployc::effects::secret::Secret;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub const PASSWORD: &str = "hunter2-and-more";
const START_MAX: Duration = Duration::from_secs(60);

pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    pub port: u16,
    process: Mutex<Option<Child>>,
}

impl Server {
    pub fn start() -> Server {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("deployc-postgres-{}-{count}", std::process::id());
        let server = Server {
            programs: programs()
                .expect("these tests need PostgreSQL (Debian: `apt-get install postgresql`)"),
            folder: std::env::temp_dir().join(name),
            port: free_port(),
            process: Mutex::new(None),
        };
        std::fs::create_dir(&server.folder).unwrap();
        let password = server.folder.join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        if is_root() {
            let mut chown = Command::new("chown");
            let done = chown.args(["-R", "postgres"]).arg(&server.folder).status();
            assert!(done.unwrap().success());
        }
        let made = server
            .program("initdb")
            .args([
                "-U",
                "deployc",
                "-A",
                "scram-sha-256",
                "--no-sync",
                "--pwfile",
            ])
            .arg(&password)
            .arg("-D")
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        server.go();
        server
    }

    /// Starts it, again maybe, and waits until it answers.
    pub fn go(&self) {
        let process = self
            .program("postgres")
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k"])
            .arg(&self.folder)
            .arg("-D")
            .arg(self.data())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(self.folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        *self.process.lock().unwrap() = Some(process);
        let begun = Instant::now();
        while !self.answers() {
            let log = std::fs::read_to_string(self.folder.join("log"));
            assert!(begun.elapsed() < START_MAX, "it does not start: {log:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// As a crash does: no process of it says goodbye.
    pub fn kill(&self) {
        if let Some(mut process) = self.process.lock().unwrap().take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
        // The others see that their parent is gone, and go.
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            assert!(begun.elapsed() < START_MAX, "it is still there");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// From now on it is reached over TLS alone, with this certificate and its key.
    pub fn encrypt(&self, (certificate, key): &(String, String)) {
        self.kill();
        let write = |name: &str, text: &str| {
            let path = self.data().join(name);
            std::fs::write(&path, text).unwrap();
            // Its user alone may read the key.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, mode).unwrap();
            if is_root() {
                let mut chown = Command::new("chown");
                let done = chown.arg("postgres").arg(&path).status();
                assert!(done.unwrap().success());
            }
        };
        write("server.crt", certificate);
        write("server.key", key);
        write("postgresql.auto.conf", "ssl = on\n");
        write(
            "pg_hba.conf",
            "hostssl all all 127.0.0.1/32 scram-sha-256\n",
        );
        self.go();
    }

    pub fn url(&self) -> Secret {
        Secret::new(self.url_by(self.port))
    }

    pub fn url_by(&self, port: u16) -> String {
        format!("postgres://deployc:{PASSWORD}@127.0.0.1:{port}/postgres")
    }

    pub fn psql(&self, sql: &str) -> String {
        let output = self
            .client("psql")
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn answers(&self) -> bool {
        let mut client = self.client("psql");
        let client = client.args(["-X", "-q", "-c", "SELECT 1"]);
        client.output().unwrap().status.success()
    }

    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command
            .args(["-h", "127.0.0.1", "-U", "deployc", "-d", "postgres", "-p"])
            .arg(self.port.to_string())
            .env("PGPASSWORD", PASSWORD);
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// It does not run as root, and ends when this thread does.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT"]);
        if is_root() {
            command.args([
                "--reuid",
                "postgres",
                "--regid",
                "postgres",
                "--init-groups",
            ]);
        }
        command.arg(program).current_dir(&self.folder);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// The newest that is installed.
pub fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let mut found: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .map(|version| version.unwrap().path().join("bin"))
        .chain(
            std::env::var_os("PATH")
                .iter()
                .flat_map(std::env::split_paths),
        )
        .filter(|folder: &PathBuf| has_server(folder))
        .collect();
    found.sort();
    found.pop()
}

fn has_server(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"]
        .iter()
        .all(|name| folder.join(name).exists())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
