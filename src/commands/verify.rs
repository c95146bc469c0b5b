//! `deployc verify PATH`: every single fault, tried on the engine itself.

use crate::commands::check::complain;
use crate::commands::cli::{Verify, VerifyFormat};
use crate::commands::compile;
use crate::commands::exit::Exit;
use crate::commands::run;
use crate::commands::runs::report;
use crate::commands::show::verified::{self, Saved, Told};
use crate::commands::terminal::{self, Stream};
use crate::diagnostics::Severity;
use crate::effects::inputs;
use crate::engine::step;
use crate::plan::Plan;
use crate::values::fields::Fields;
use crate::verify::branch::Branch;
use crate::verify::explore::{Bounds, Choice, Found, Progressing, explore};
use crate::verify::scenario::write;
use crate::verify::story;
use crate::verify::subject::{Subject, subject};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub fn verify(args: &Verify) -> Exit {
    let compiled = match compile::compiled(&args.path) {
        Ok(compiled) => compiled,
        Err(error) => return report(&error),
    };
    complain(&compiled, |found| found.severity == Severity::Error);
    let Some(plan) = &compiled.plan else {
        return Exit::Invalid;
    };
    let given = match given(plan, &args.inputs.set) {
        Ok(given) => given,
        Err(exit) => return exit,
    };
    // Only a plan with a cycle has no times, and that one is not compiled.
    let Some(subject) = subject(plan, &given) else {
        return Exit::Invalid;
    };
    let subject = subject.claiming(&compiled.invariants);
    let bounds = Bounds {
        faults: args.faults,
        states_max: args.max_states,
    };
    let since = now();
    let found = match search(&subject, bounds, args) {
        Ok(found) => found,
        Err(why) => {
            terminal::eprintln!("error: {why}");
            return Exit::Usage;
        }
    };
    let played = found.broken.as_ref().map(|broken| {
        let branch = story::play(&subject, &step, &broken.choices);
        let file = save(args, &subject, &broken.choices);
        (broken.choices.clone(), branch, file)
    });
    let told = Told {
        compiled: &compiled,
        plan,
        subject: &subject,
        found: &found,
        bounds,
        took: since.elapsed(),
    };
    match args.format {
        VerifyFormat::Human => human(&told, played.as_ref()),
        VerifyFormat::Json => {
            terminal::println!("{}", verified::object(&told, played.as_ref()));
        }
    }
    match (&played, found.complete) {
        (None, Some(faults)) if faults >= args.faults => Exit::Succeeded,
        (None, _) => Exit::Waiting,
        (Some(_), _) => Exit::Invalid,
    }
}

fn human(told: &Told, played: Option<&(Vec<Choice>, Branch, Option<Saved>)>) {
    if let Some((choices, branch, file)) = played {
        let style = terminal::style(Stream::Stdout);
        terminal::print!(
            "{}",
            verified::story(told.compiled, told.plan, told.subject, branch)
        );
        terminal::print!(
            "\n{}",
            verified::diagnosis(told.compiled, told.subject, choices, branch, style)
        );
        if let Some(Saved { file, how }) = file {
            terminal::println!("saved as {}; play it with\n  {how}\n", file.display());
        }
    }
    terminal::print!("{}", verified::summary(told));
}

fn search(subject: &Subject, bounds: Bounds, args: &Verify) -> Result<Found, String> {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(jobs) = args.jobs {
        if jobs == 0 {
            return Err("`--jobs` is at least 1".to_owned());
        }
        pool = pool.num_threads(jobs);
    }
    let pool = pool.build().map_err(|error| error.to_string())?;
    let shown = Progressing::default();
    let live = terminal::is_live() && args.format == VerifyFormat::Human;
    let done = std::sync::atomic::AtomicBool::new(false);
    let found = std::thread::scope(|scope| {
        if live {
            scope.spawn(|| draw(&shown, &done));
        }
        let found = pool.install(|| explore(subject, &step, bounds, &shown));
        done.store(true, Ordering::Relaxed);
        found
    });
    Ok(found)
}

/// Looks at the numbers now and then; nothing waits for it.
#[allow(clippy::disallowed_methods, reason = "a picture for a person")]
fn draw(shown: &Progressing, done: &std::sync::atomic::AtomicBool) {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    while !done.load(Ordering::Relaxed) {
        let level = shown.level.load(Ordering::Relaxed);
        let states = shown.states.load(Ordering::Relaxed);
        bar.set_message(format!("{level} at once, {states} states"));
        bar.set_length(shown.of.load(Ordering::Relaxed));
        bar.set_position(shown.done.load(Ordering::Relaxed));
        std::thread::sleep(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

/// What `--set` says; what is missing is made up.
pub fn given(plan: &Plan, set: &[String]) -> Result<Fields, Exit> {
    let named: Vec<&str> = set
        .iter()
        .filter_map(|text| text.split('=').next())
        .collect();
    let wanted = |name: &str| named.contains(&name);
    let inputs: Vec<_> = plan
        .inputs
        .iter()
        .filter(|input| wanted(&input.name))
        .cloned()
        .collect();
    let unknown = named
        .iter()
        .find(|name| !plan.inputs.iter().any(|input| input.name == **name));
    if let Some(unknown) = unknown {
        terminal::eprintln!("error: the plan has no input `{unknown}`");
        return Err(Exit::Usage);
    }
    inputs::read(&inputs, set).map_err(|problems| run::complain(&problems))
}

/// A counterexample as a scenario that `simulate` plays.
fn save(args: &Verify, subject: &Subject, choices: &[Choice]) -> Option<Saved> {
    let file = args
        .save
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.fault.deploy", subject.plan.name)));
    let mut how = format!(
        "deployc simulate {} --scenario {}",
        args.path.display(),
        file.display()
    );
    for set in &args.inputs.set {
        how.push_str(&format!(" --set '{set}'"));
    }
    let text = write::scenario(subject, &step, choices, &how);
    match write_file(&file, &text) {
        Ok(()) => Some(Saved { file, how }),
        Err(error) => {
            terminal::eprintln!("warning: {}: {error}", file.display());
            None
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a command writes what it is asked for"
)]
fn write_file(file: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(file, text)
}

#[allow(clippy::disallowed_methods, reason = "how long it took is told")]
fn now() -> Instant {
    Instant::now()
}
