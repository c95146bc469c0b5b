//! A process of the program: its lines with the time at which each came, its end, its sudden end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wait::until;

/// A started process. Dropped before its end, it is killed.
pub struct Running {
    process: Child,
    lines: Arc<Mutex<Vec<Line>>>,
    readers: Vec<JoinHandle<String>>,
}

/// One line of `--output json`.
#[derive(Clone, Debug)]
pub struct Line {
    pub at: Instant,
    pub object: Value,
}

/// What a process left.
pub struct Ended {
    /// `None` where a signal ended it.
    pub code: Option<i32>,
    pub lines: Vec<Line>,
    pub errors: String,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let output = process.stdout.take().unwrap();
        let mut errors = process.stderr.take().unwrap();
        let reader = thread::spawn({
            let lines = Arc::clone(&lines);
            move || {
                for text in BufReader::new(output).lines().map_while(Result::ok) {
                    let at = Instant::now();
                    let object = serde_json::from_str(&text)
                        .unwrap_or_else(|error| panic!("no line of JSON ({error}): {text}"));
                    locked(&lines).push(Line { at, object });
                }
                String::new()
            }
        });
        let error_reader = thread::spawn(move || {
            let mut text = String::new();
            drop(errors.read_to_string(&mut text));
            text
        });
        Self {
            process,
            lines,
            readers: vec![reader, error_reader],
        }
    }

    pub fn lines(&self) -> Vec<Line> {
        locked(&self.lines).clone()
    }

    /// Waits until a line is as wanted.
    pub fn await_line(
        &mut self,
        what: &str,
        within: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Line {
        let (line, _) = until(what, within, || {
            let found = self.lines().into_iter().find(|line| wanted(&line.object));
            assert!(
                found.is_some() || self.process.try_wait().unwrap().is_none(),
                "the program ended before this: {what}\n{}",
                texts(&self.lines())
            );
            found
        });
        line
    }

    /// Waits until the process ends by itself.
    pub fn wait(mut self, within: Duration) -> Ended {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(
                begun.elapsed() < within,
                "the program did not end within {within:?}:\n{}",
                texts(&self.lines())
            );
            thread::sleep(Duration::from_millis(50));
        };
        self.ended(status.code())
    }

    /// Stops the process where it stands, or lets it go on.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.process.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// As Ctrl-C on a terminal does.
    pub fn interrupt(&self) {
        self.signal(rustix::process::Signal::INT);
    }

    /// Ends the process where it stands, as a machine that loses its power would.
    pub fn kill(mut self) -> Ended {
        self.process.kill().unwrap();
        let status = self.process.wait().unwrap();
        self.ended(status.code())
    }

    fn ended(&mut self, code: Option<i32>) -> Ended {
        let mut texts = self.readers.drain(..).map(|reader| reader.join().unwrap());
        let errors = texts.by_ref().last().unwrap();
        drop(texts);
        Ended {
            code,
            lines: self.lines(),
            errors,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Ended {
    /// All that was said, for people to read.
    pub fn text(&self) -> String {
        format!("{}\n{}", texts(&self.lines), self.errors)
    }

    pub fn assert_code(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{}", self.text());
    }

    /// Asserts that a person who reads what was said finds each of these.
    pub fn assert_says(&self, words: &[&str]) {
        let text = self.text();
        for word in words {
            assert!(text.contains(word), "not a word of `{word}` in:\n{text}");
        }
    }

    /// When a line came that is as wanted.
    pub fn when(&self, wanted: impl Fn(&Value) -> bool) -> Option<Instant> {
        let mut lines = self.lines.iter();
        lines.find(|line| wanted(&line.object)).map(|line| line.at)
    }
}

fn texts(lines: &[Line]) -> String {
    let words = |line: &Line| match line.object["text"].as_str() {
        Some(text) => text.to_owned(),
        None => line.object.to_string(),
    };
    lines.iter().map(words).collect::<Vec<_>>().join("\n")
}

fn locked(lines: &Mutex<Vec<Line>>) -> MutexGuard<'_, Vec<Line>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
