//! A scenario whose world is open, played: `verify` writes such when a promise is broken.

use crate::commands::cli::{Output, Simulate};
use crate::commands::exit::Exit;
use crate::commands::scenarios::Rehearsal;
use crate::commands::show::verified;
use crate::commands::terminal::{self, Stream};
use crate::commands::verify;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::render::human;
use crate::engine::step;
use crate::plan::Plan;
use crate::simulate::compile::messages;
use crate::simulate::compile::value::plain_text;
use crate::syntax::ast::scenario::Scenario;
use crate::values::fields::Fields;
use crate::verify::scenario::play::{Played, play};
use crate::verify::scenario::read;
use crate::verify::subject::{Subject, subject};
use crate::verify::words;

/// # Errors
/// All that is wrong with it.
pub fn check(plan: &Plan, tree: &Scenario) -> Result<(), Vec<Diagnostic>> {
    match subject(plan, &Fields::new()) {
        Some(subject) => read::read(&subject, tree).map(|_| ()),
        // A plan with a cycle is refused anyway.
        None => Ok(()),
    }
}

pub fn simulate(args: &Simulate, rehearsal: &Rehearsal, plan: &Plan, tree: &Scenario) -> Exit {
    for (set, name) in [
        (args.seed.is_some(), "--seed"),
        (args.speed.is_some(), "--speed"),
        (args.journal.is_some(), "--journal"),
    ] {
        if set {
            terminal::eprintln!("error: `{name}` has no meaning in an open world");
            return Exit::Usage;
        }
    }
    let mut given = match verify::given(plan, &args.inputs.set) {
        Ok(given) => given,
        Err(exit) => return exit,
    };
    let Some(open) = subject(plan, &given) else {
        return Exit::Invalid;
    };
    let read = match read::read(&open, tree) {
        Ok(read) => read,
        Err(found) => {
            let style = terminal::style(Stream::Stderr);
            for diagnostic in &found {
                let sources = &rehearsal.compiled.sources;
                terminal::eprintln!("{}", human::render(diagnostic, sources, style));
            }
            return Exit::Invalid;
        }
    };
    given.fill_in(read.inputs.iter());
    let Some(open) = subject(plan, &given) else {
        return Exit::Invalid;
    };
    let open = open.claiming(&rehearsal.compiled.invariants);
    let played = play(&open, &step, &read.faults);
    show(args, rehearsal, plan, tree, &open, &played);
    match (&played.branch.violation, played.branch.outcome) {
        (Some(_), _) => Exit::Invalid,
        (None, Some(outcome)) => Exit::of_run(outcome),
        (None, None) => Exit::Waiting,
    }
}

fn show(
    args: &Simulate,
    rehearsal: &Rehearsal,
    plan: &Plan,
    tree: &Scenario,
    open: &Subject,
    played: &Played,
) {
    let compiled = &rehearsal.compiled;
    if args.output.output == Output::Json {
        let object = verified::played(plan, open, &played.choices, &played.branch);
        terminal::println!("{object}");
        return;
    }
    let title = tree.title.as_ref().and_then(plain_text);
    if let Some(title) = title {
        terminal::println!("{title}\n");
    }
    let branch = &played.branch;
    terminal::print!("{}", verified::story(compiled, plan, open, branch));
    let style = terminal::style(Stream::Stdout);
    let diagnosis = verified::diagnosis(compiled, open, &played.choices, branch, style);
    terminal::print!("\n{diagnosis}");
    for missed in &played.missed {
        let what = words::fault(open, &missed.fault);
        terminal::eprintln!("warning: this never came to be: {what}");
    }
}

/// Its world has no values, so nothing of it can be expected.
pub fn in_a_test(tree: &Scenario) -> Vec<Diagnostic> {
    let place = tree.body.stmts.first().map(|stmt| stmt.span);
    place.map(messages::open_in_a_test).into_iter().collect()
}
