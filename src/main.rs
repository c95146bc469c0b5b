//! The binary `deployc`.

use clap::Parser;
use deployc::commands::cli::{Cli, Command};
use deployc::commands::{
    check, explain, export, graph, list, log, people, plan, replay, resume, run, simulate, status,
    terminal, test, verify, why,
};
use std::process::ExitCode;

/// A compiler makes many small things. Huge pages would be cleared for what is never used: most plans are small.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Both kube and reqwest take the process-wide provider; without it the first one that needs TLS would panic.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let cli = Cli::parse();
    terminal::choose_color(cli.color);
    let exit = match &cli.command {
        Command::Check(args) => check::check(args),
        Command::Explain(args) => explain::explain(args),
        Command::Graph(args) => graph::graph(args),
        Command::Plan(args) => plan::plan(args),
        Command::Simulate(args) => simulate::simulate(args),
        Command::Test(args) => test::test(args),
        Command::Verify(args) => verify::verify(args),
        Command::Run(args) => run::run(args),
        Command::Resume(args) => resume::resume(args),
        Command::Abort(args) => people::abort(args),
        Command::Rollback(args) => people::rollback(args),
        Command::Continue(args) => people::go_on(args),
        Command::List(args) => list::list(args),
        Command::Log(args) => log::log(args),
        Command::Status(args) => status::status(args),
        Command::Why(args) => why::why(args),
        Command::Replay(args) => replay::replay(args),
        Command::Export(args) => export::export(args),
        Command::Confirm(args) => people::confirm(args),
        Command::Approve(args) => people::approve(args),
    };
    exit.into()
}
