//! `deployc verify PATH`: every single fault, tried on the engine itself.

use crate::analyze::compile::Compiled;
use crate::commands::check::complain;
use crate::commands::cli::{Verify, VerifyFormat};
use crate::commands::compile;
use crate::commands::exit::Exit;
use crate::commands::run;
use crate::commands::runs::report;
use crate::commands::show::verified::{self, Told};
use crate::commands::terminal::{self, Stream};
use crate::diagnostics::Severity;
use crate::effects::inputs;
use crate::engine::step;
use crate::plan::Plan;
use crate::plan::digest::digest;
use crate::values::Value;
use crate::verify::branch::Branch;
use crate::verify::explore::{Bounds, Choice, Found, Progressing, explore};
use crate::verify::story;
use crate::verify::subject::{Subject, subject};
use indexmap::IndexMap;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
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
    if let Some(file) = &args.replay {
        return replay(args, &compiled, plan, &subject, file);
    }
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
        let file = save(args, plan, &broken.choices);
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

fn human(told: &Told, played: Option<&(Vec<Choice>, Branch, Option<PathBuf>)>) {
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
        if let Some(file) = file {
            let file = file.display();
            terminal::println!(
                "saved as {file}; play it again with `deployc verify --replay {file}`\n"
            );
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
fn given(plan: &Plan, set: &[String]) -> Result<IndexMap<String, Value>, Exit> {
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

/// A counterexample on the disk.
#[derive(Serialize, Deserialize)]
struct Saved {
    plan: String,
    digest: String,
    choices: Vec<Choice>,
}

fn save(args: &Verify, plan: &Plan, choices: &[Choice]) -> Option<PathBuf> {
    let file = args
        .save
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.fault.json", plan.name)));
    let saved = Saved {
        plan: plan.name.clone(),
        digest: digest(plan),
        choices: choices.to_vec(),
    };
    let text = serde_json::to_string_pretty(&saved).unwrap_or_default();
    match write(&file, &text) {
        Ok(()) => Some(file),
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
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(file, format!("{text}\n"))
}

fn replay(args: &Verify, compiled: &Compiled, plan: &Plan, subject: &Subject, file: &Path) -> Exit {
    let saved = match read(file) {
        Ok(saved) => saved,
        Err(why) => {
            terminal::eprintln!("error: {}: {why}", file.display());
            return Exit::Invalid;
        }
    };
    if saved.digest != digest(plan) {
        terminal::eprintln!("warning: the plan has changed since this was saved");
    }
    let branch = story::play(subject, &step, &saved.choices);
    let style = terminal::style(Stream::Stdout);
    match args.format {
        VerifyFormat::Human => {
            terminal::print!("{}", verified::story(compiled, plan, subject, &branch));
            let text = verified::diagnosis(compiled, subject, &saved.choices, &branch, style);
            terminal::print!("\n{text}");
        }
        VerifyFormat::Json => {
            terminal::println!(
                "{}",
                verified::played(plan, subject, &saved.choices, &branch)
            );
        }
    }
    match branch.violation {
        Some(_) => Exit::Invalid,
        None => Exit::Succeeded,
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a command reads what it is given"
)]
fn read(file: &Path) -> Result<Saved, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

#[allow(clippy::disallowed_methods, reason = "how long it took is told")]
fn now() -> Instant {
    Instant::now()
}
