//! The command line: what can be typed. What it means is in the file of each subcommand.

use crate::commands::exit::TABLE;
use crate::effects::store::location::Location;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Production deployments as code: check a plan in CI, rehearse it, carry it out, get back by itself
#[derive(Debug, Parser)]
#[command(name = "deployc", version, after_help = TABLE, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Refuse plans that cannot be carried out or undone
    Check(Check),
    /// Explain a diagnostic by its code or name; without one, list all
    Explain(Explain),
    /// Draw what waits for what, also of a plan that has errors
    Graph(Graph),
    /// Say what will happen in what order, what undoes it, how long it can take, who is asked
    Plan(Plan),
    /// Carry a plan out against a simulated world in virtual time: no cluster, no network, no root
    Simulate(Simulate),
    /// Carry out the tests of a plan, each against a simulated world of its own
    Test(Test),
    /// Try every single fault, in virtual time: no fault strands the plan, or here is the story of one that does
    Verify(Verify),
    /// Carry a plan out
    Run(Run),
    /// Go on with a run whose process has ended
    Resume(OfRun),
    /// Stop a run; what it has started is rolled back
    Abort(WithReason),
    /// Roll a run back: always allowed
    Rollback(WithReason),
    /// Go on past what a run is paused at; it counts as skipped, never as passed
    Continue(Continue),
    /// Where a run stands; without RUN the newest
    Status(Status),
    /// All runs
    List(List),
    /// What a run did, event by event
    Log(Log),
    /// The chain of causes: why a run ended as it did or what it waits for, or why an item of it did
    Why(Why),
    /// Decide a run once more by what its journal measured; with another plan: what would have happened?
    Replay(Replay),
    /// A run's journal as JSON lines: to keep, to send, to ask `why` of
    Export(Export),
    /// Answer a `confirm` that a run waits for
    Confirm(Confirm),
    /// Sign or refuse an `approve` that a run waits for
    Approve(Approve),
}

#[derive(Debug, Args)]
pub struct Check {
    /// Plan files, or folders with one plan each
    #[arg(default_value = ".")]
    pub paths: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = DiagnosticFormat::Human)]
    pub format: DiagnosticFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiagnosticFormat {
    /// Source, underline, reason, next action
    Human,
    /// One JSON object a line
    Json,
    /// Workflow commands of GitHub Actions
    Github,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// `D0301`, or a name such as `dimension-mismatch`
    pub code: Option<String>,
}

#[derive(Debug, Args)]
pub struct Graph {
    #[arg(default_value = ".")]
    pub path: PathBuf,
    #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
    pub format: GraphFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    Dot,
    Mermaid,
    Json,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[arg(default_value = ".")]
    pub path: PathBuf,
    #[arg(long, value_enum, default_value_t = PlanFormat::Human)]
    pub format: PlanFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    Human,
    /// The canonical form that the digest is taken of
    Json,
    /// The digest alone
    Digest,
}

#[derive(Debug, Args)]
pub struct Test {
    /// A plan, with the tests in it and in `*_test.deploy` beside it
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Only tests whose title holds this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    #[arg(long, value_enum, default_value_t = TestFormat::Human)]
    pub format: TestFormat,
    /// Keep the stories of these runs as those that are expected from now on
    #[arg(long)]
    pub bless: bool,
    /// Say what of the plan no test has seen: phases, rules that fire and that do not, ways back, answers of gates
    #[arg(long)]
    pub coverage: bool,
    /// Fail below so much coverage; implies --coverage
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min: Option<u8>,
    /// As of `simulate`
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub inputs: Inputs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    /// A line for each test; of one that failed what was expected, what was there, and how it came about
    Human,
    /// One JSON object for each test, and one for all
    Json,
    /// JUnit XML
    Junit,
}

#[derive(Debug, Args)]
pub struct Simulate {
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// A file, or the stem of one in the plan's folder `scenarios`; `good-day` where there is one
    #[arg(long)]
    pub scenario: Option<String>,
    /// Let requests and pods take longer or less long by chance: the same seed gives the same journal, byte for byte, on every machine
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// So many virtual seconds a second; as fast as it goes, or as one can watch, if it is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub speed: Option<u32>,
    /// Write the run's journal there, as `export` does: `why` and `replay` read it
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    #[command(flatten)]
    pub inputs: Inputs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct Verify {
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// How many faults at once: 1 is every single fault, 2 every pair
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub faults: u32,
    /// Threads; as many as there are cores if it is not given
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Give up after so many states; what was explored by then is said
    #[arg(long, default_value_t = 50_000_000, value_name = "N")]
    pub max_states: u64,
    /// Where a broken promise is saved as a scenario for `simulate`; PLAN.fault.deploy if it is not given
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = VerifyFormat::Human)]
    pub format: VerifyFormat,
    #[command(flatten)]
    pub inputs: Inputs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    Human,
    /// One object
    Json,
}

#[derive(Debug, Args)]
pub struct Inputs {
    /// An input of the plan; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Live tree on a terminal, else one line an event; or one JSON object an event
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub struct StateDir {
    /// Where runs are kept: a folder, or postgres://USER@HOST/NAME
    #[arg(
        long,
        env = "DEPLOYC_STATE",
        hide_env_values = true, // it may hold a password
        value_name = "WHERE",
        default_value = ".deployc"
    )]
    pub state: Location,
}

#[derive(Debug, Args)]
pub struct Run {
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// A simulated world that listens there stands in for everything the plan names: nothing real is asked or changed
    #[arg(long, value_name = "ADDRESS", hide = true, value_parser = on_this_machine)]
    pub world: Option<SocketAddr>,
    #[command(flatten)]
    pub inputs: Inputs,
    #[command(flatten)]
    pub state: StateDir,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct OfRun {
    /// The run's name, or enough of its beginning
    pub run: String,
    #[command(flatten)]
    pub state: StateDir,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct WithReason {
    pub run: String,
    /// Kept in the journal
    #[arg(long)]
    pub reason: Option<String>,
    #[command(flatten)]
    pub state: StateDir,
}

#[derive(Debug, Args)]
pub struct Continue {
    pub run: String,
    /// The item that is paused: its name, ref, or path
    pub item: String,
    #[arg(long)]
    pub reason: String,
    #[command(flatten)]
    pub state: StateDir,
}

#[derive(Debug, Args)]
pub struct Status {
    pub run: Option<String>,
    #[command(flatten)]
    pub state: StateDir,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    pub state: StateDir,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct Log {
    /// The run's name, or enough of its beginning; or a file that `export` wrote
    pub run: String,
    #[command(flatten)]
    pub state: StateDir,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct Why {
    /// The run's name, or enough of its beginning; or a file that `export` wrote
    pub run: String,
    /// An item by its name, ref, path or title; or a watch, or a rule of one, by its title or ref
    pub item: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    pub state: StateDir,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub struct Replay {
    /// The run's name, or enough of its beginning; or a file that `export` wrote
    pub run: String,
    /// The other plan: a file, or a folder with one
    #[arg(long, value_name = "PLAN")]
    pub with: Option<PathBuf>,
    #[command(flatten)]
    pub inputs: Inputs,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    pub state: StateDir,
}

#[derive(Debug, Args)]
pub struct Export {
    pub run: String,
    #[command(flatten)]
    pub state: StateDir,
}

#[derive(Debug, Args)]
pub struct Confirm {
    pub run: String,
    /// The item: its name, ref, or path
    pub item: String,
    /// The role in which it is answered, where the item names several
    #[arg(long = "as", value_name = "ROLE")]
    pub role: Option<String>,
    /// The digest of what was looked at, as `status` shows it: said of anything else, the answer is void
    #[arg(long, value_name = "DIGEST")]
    pub about: Option<String>,
    /// It is not so, and why
    #[arg(long, value_name = "WHY")]
    pub no: Option<String>,
    /// Kept in the journal
    #[arg(long)]
    pub note: Option<String>,
    #[command(flatten)]
    pub state: StateDir,
}

#[derive(Debug, Args)]
pub struct Approve {
    pub run: String,
    /// The gate: its name, ref, or path
    pub gate: String,
    /// The role in which it is signed, where the gate names several
    #[arg(long = "as", value_name = "ROLE")]
    pub role: Option<String>,
    /// The digest of what was looked at, as `status` shows it: said of anything else, the answer is void
    #[arg(long, value_name = "DIGEST")]
    pub about: Option<String>,
    /// Refuse, and why: final for this gate
    #[arg(long, value_name = "WHY")]
    pub reject: Option<String>,
    #[command(flatten)]
    pub state: StateDir,
}

/// What a world is told of a plan does not leave the machine.
fn on_this_machine(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|why| format!("{why}"))?;
    match address.ip().is_loopback() {
        true => Ok(address),
        false => Err("a simulated world listens on this machine, as at 127.0.0.1:7000".to_owned()),
    }
}
