//! One run of the program from its start to its end, through as many processes as it takes.

use super::end::{End, Kill, Stopped};
use super::moments::{Moment, Moments};
use super::shop::{Day, Left, settle, told, world, writes};
use super::witness::Watching;
use deployc::commands::compile::compiled;
use deployc::effects::store::sqlite::SqliteStore;
use deployc::effects::world::server::Server;
use deployc::engine::protocol::{Effect, Event, NoteKind};
use deployc::engine::state::State;
use deployc::engine::step;
use deployc::journal::store::Store;
use deployc::journal::writer::read;
use deployc::plan::Plan;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::runtime::Runtime;

const ERRORS: &str = "errors";
/// A folder for journals of real processes, from which those in `tests/replay` are.
const JOURNALS: &str = "DEPLOYC_TEST_JOURNALS";
const SPEED: u32 = 5;
/// What no process needs, on the slowest of machines.
const LONGEST: Duration = Duration::from_secs(100);

/// Where the journal is kept.
#[derive(Clone, Copy)]
pub enum Disk {
    Free,
    /// No file grows past so many blocks of 512 bytes.
    Full {
        blocks: u64,
    },
}

pub struct Play {
    folder: PathBuf,
    runtime: Runtime,
    server: Server<Watching>,
    day: Day,
    plan: Plan,
}

impl Play {
    /// Nobody is killed.
    pub fn whole(day: Day) -> End {
        Play::killed(day, &mut Moments::none())
    }

    /// Each process but the last is killed at the next of the moments.
    pub fn killed(day: Day, moments: &mut Moments) -> End {
        let play = Play::new(day);
        let before = Left::of(&play.server.stage().world);
        let mut kills = Vec::new();
        let mut moment = moments.first();
        let code = loop {
            let code = play.process(Disk::Free, moment);
            match (code, moment) {
                (None, Some(moment)) => {
                    moments.left -= 1;
                    let kill = play.kill(moment);
                    kills.push(kill);
                }
                _ => break code,
            }
            moment = moments.next(kills.last().map_or(0, |kill| kill.in_flight));
        };
        play.end(code, kills, before)
    }

    /// Until it stops for want of room; then there is room again.
    pub fn on_a_full_disk(day: Day, blocks: u64) -> Stopped {
        let play = Play::new(day);
        let before = Left::of(&play.server.stage().world);
        let code = play.process(Disk::Full { blocks }, None);
        let said = std::fs::read_to_string(play.folder.join(ERRORS)).unwrap();
        let run = play.newest().unwrap();
        assert_eq!(play.code(&["log", &run]), Some(0));
        let records = play.events(&run).len();
        let ended = play.process(Disk::Free, None);
        Stopped {
            code,
            said,
            records,
            end: play.end(ended, Vec::new(), before),
        }
    }

    fn new(day: Day) -> Play {
        let folder = tempdir();
        let runtime = Runtime::new().unwrap();
        let plan = compiled(&path()).unwrap().plan.unwrap();
        let watching = Watching::new(folder.clone(), plan.clone(), day);
        let server = Server::start(world(&plan, &["worker"]), SPEED, watching);
        let server = runtime.block_on(server).unwrap();
        Play {
            folder,
            runtime,
            server,
            day,
            plan,
        }
    }

    /// Starts the run, or goes on with it; gives the exit code of the process, if it was not killed.
    fn process(&self, disk: Disk, moment: Option<Moment>) -> Option<i32> {
        let mut command = self.deployc(disk);
        match self.run() {
            Some(run) => command.args(["resume", &run]),
            None => {
                let address = self.server.address.to_string();
                command.args(["run", "--world", &address]).arg(path())
            }
        };
        command.args(["--output", "json"]);
        let errors = File::options()
            .append(true)
            .create(true)
            .open(self.folder.join(ERRORS));
        command.stdout(Stdio::piped()).stderr(errors.unwrap());
        let mut output = {
            let mut stage = self.server.stage();
            let mut process = command.spawn().unwrap();
            let output = process.stdout.take().unwrap();
            let watching = &mut stage.witness;
            watching.in_flight.clear();
            watching.moment = moment;
            watching.status = None;
            watching.process = Some(process);
            output
        };
        let timer = self.runtime.spawn(kill_after(self.server.clone(), moment));
        // It ends when the process does.
        output.read_to_end(&mut Vec::new()).unwrap();
        timer.abort();
        let status = {
            let watching = &mut self.server.stage().witness;
            watching.moment = None;
            let process = watching.process.take();
            process
                .map(|mut process| process.wait().unwrap())
                .or(watching.status)
        };
        self.runtime.block_on(self.server.drained()).unwrap();
        status.unwrap().code()
    }

    /// The run that was begun, if any. It may have ended when its process was killed: to resume it does nothing then.
    fn run(&self) -> Option<String> {
        let store = SqliteStore::open_existing(&self.folder).ok()?;
        let newest = store.runs().unwrap().into_iter().next()?;
        (newest.records > 0).then_some(newest.run)
    }

    fn code(&self, args: &[&str]) -> Option<i32> {
        let output = self.deployc(Disk::Free).args(args).output();
        output.unwrap().status.code()
    }

    fn newest(&self) -> Option<String> {
        let store = SqliteStore::open_existing(&self.folder).ok()?;
        let newest = store.runs().unwrap().into_iter().next();
        newest.map(|summary| summary.run)
    }

    fn deployc(&self, disk: Disk) -> Command {
        let program = env!("CARGO_BIN_EXE_deployc");
        let mut command = match disk {
            Disk::Free => Command::new(program),
            Disk::Full { blocks } => {
                // A write past the limit fails, instead of ending the process.
                let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
                let mut shell = Command::new("sh");
                shell.args(["-c", &script, program]);
                shell
            }
        };
        command.env("DEPLOYC_STATE", &self.folder);
        command
    }

    fn kill(&self, moment: Moment) -> Kill {
        let run = self.run();
        let events = run.map_or(Vec::new(), |run| self.events(&run));
        Kill {
            day: self.day,
            moment,
            records: events.len(),
            last: events.last().map_or(String::new(), kind),
            in_flight: self.server.stage().witness.in_flight.len(),
            is_going_back: self.is_going_back(&events),
        }
    }

    fn events(&self, run: &str) -> Vec<Event> {
        let store = SqliteStore::open_existing(&self.folder).unwrap();
        read(&store, run).unwrap().events
    }

    fn is_going_back(&self, events: &[Event]) -> bool {
        let mut state = State::default();
        events.iter().any(|event| {
            let (next, effects) = step(&self.plan, std::mem::take(&mut state), event.clone());
            state = next;
            effects.iter().any(|effect| match effect {
                Effect::Show(note) => matches!(note.kind, NoteKind::RollbackStarted { .. }),
                _ => false,
            })
        })
    }

    fn end(self, code: Option<i32>, kills: Vec<Kill>, before: Left) -> End {
        let run = self.newest().unwrap();
        let kept = |command: &str| self.code(&[command, &run]);
        // The chain of its journal is whole, and the outcome stays what it was.
        assert_eq!(kept("log"), Some(0));
        if let Ok(folder) = std::env::var(JOURNALS) {
            let output = self.deployc(Disk::Free).args(["export", &run]).output();
            let name = format!("shop-{:?}-killed-{}-times.jsonl", self.day, kills.len());
            let path = Path::new(&folder).join(name.to_lowercase());
            std::fs::write(path, output.unwrap().stdout).unwrap();
        }
        // Whatever happened to its processes, the same comes out of it once more, to the byte.
        assert_eq!(kept("replay"), Some(0));
        assert_eq!((kept("status"), kept("resume")), (code, code));
        let mut stage = self.server.stage();
        settle(&mut stage.world);
        End {
            day: self.day,
            code,
            kills,
            breaches: std::mem::take(&mut stage.witness.breaches),
            before,
            left: Left::of(&stage.world),
            writes: writes(&stage.world, &run),
            told: told(&stage.world),
            said: std::fs::read_to_string(self.folder.join(ERRORS)).unwrap(),
        }
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

async fn kill_after(server: Server<Watching>, moment: Option<Moment>) {
    if let Some(Moment::After(wait)) = moment {
        tokio::time::sleep(wait).await;
        let stage = &mut *server.stage();
        stage.witness.kill(&mut stage.world);
    }
    tokio::time::sleep(LONGEST).await;
    let stage = &mut *server.stage();
    let breach = format!("a process did not end within {LONGEST:?}");
    stage.witness.breaches.push(breach);
    stage.witness.kill(&mut stage.world);
}

pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/plan")
}

/// `{"committed": …}` → `committed`
fn kind(event: &Event) -> String {
    match serde_json::to_value(&event.kind).unwrap() {
        Value::String(name) => name,
        Value::Object(named) => named.keys().next().unwrap().clone(),
        other => panic!("{other}"),
    }
}

fn tempdir() -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::SeqCst);
    let name = format!("deployc-crash-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}
