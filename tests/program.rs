//! The program as a person runs it: the binary, in a folder of its own, with a limit on its memory and its time.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// More than any of these needs, and far less than what they could fill.
const MEMORY_KIB_MAX: u32 = 3_000_000;
const TIME_MAX: Duration = Duration::from_secs(60);

/// A folder of its own, gone afterwards.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let at = std::env::temp_dir().join(format!("deployc-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&at);
        fs::create_dir_all(&at).unwrap();
        Folder(at)
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Folder {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_deployc");
        let mut command = match cfg!(unix) {
            true => {
                let limited = format!("ulimit -v {MEMORY_KIB_MAX}; exec \"$0\" \"$@\"");
                let mut shell = Command::new("sh");
                shell.args(["-c", &limited, program]);
                shell
            }
            false => Command::new(program),
        };
        command
            .args(args)
            .current_dir(&self.0)
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        let mut command = self.command(args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        ended(child.spawn().unwrap())
    }

    /// What a person sees, with the exit code before it.
    pub fn said(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!err.contains("panicked"), "{args:?}\n{err}");
        let code = output.status.code();
        let code = code.map_or("killed".to_owned(), |code| code.to_string());
        let shown = format!("$ deployc {}\n{out}{err}exit {code}\n", args.join(" "));
        let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
        lines.join("\n") + "\n"
    }
}

/// Whatever somebody has wrapped: only what is temporary goes.
impl Drop for Folder {
    fn drop(&mut self) {
        if self.0.starts_with(std::env::temp_dir()) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// The output, read while it goes on; what does not end is ended.
fn ended(mut child: Child) -> Output {
    let mut out = child.stdout.take().unwrap();
    let mut err = child.stderr.take().unwrap();
    let out = thread::spawn(move || {
        let mut bytes = Vec::new();
        out.read_to_end(&mut bytes).map(|_| bytes)
    });
    let err = thread::spawn(move || {
        let mut bytes = Vec::new();
        err.read_to_end(&mut bytes).map(|_| bytes)
    });
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > TIME_MAX {
            child.kill().unwrap();
            panic!("it did not end");
        }
        thread::sleep(Duration::from_millis(5));
    };
    Output {
        status,
        stdout: out.join().unwrap().unwrap(),
        stderr: err.join().unwrap().unwrap(),
    }
}
