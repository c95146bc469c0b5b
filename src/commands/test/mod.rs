//! `deployc test PATH`: the tests of a plan, side by side, told in the order of the text.

pub mod coverage;
pub mod human;
pub mod json;
pub mod junit;
pub mod report;
pub mod stories;

use crate::commands::check;
use crate::commands::cli::{Test, TestFormat};
use crate::commands::exit::Exit;
use crate::commands::runs::report;
use crate::commands::scenarios::{self, Rehearsal};
use crate::commands::terminal::{self, Stream};
use crate::commands::test::report::Report;
use crate::commands::test::stories::{Purpose, Stories};
use crate::diagnostics::render::human::render;
use crate::diagnostics::{Diagnostic, Severity};
use crate::plan::digest::digest;
use crate::plan::{Plan, elements};
use crate::simulate::drive::Identity;
use crate::simulate::scenario::Scenario;
use crate::simulate::world::World;
use crate::simulate::{setup, trial};
use crate::source::Span;
use rayon::prelude::*;

pub fn test(args: &Test) -> Exit {
    let rehearsal = match scenarios::load(&args.path, None) {
        Ok(rehearsal) => rehearsal,
        Err(error) => return report(&error),
    };
    check::complain(&rehearsal.compiled, |found| {
        found.severity != Severity::Note
    });
    let Some(plan) = &rehearsal.compiled.plan else {
        return Exit::Invalid;
    };
    let tests = match tests(&rehearsal, plan, args.filter.as_deref()) {
        Ok(tests) => tests,
        Err(exit) => return exit,
    };
    let mut prepared = Vec::new();
    for (span, scenario) in tests {
        match scenarios::inputs(plan, &scenario, &args.inputs.set) {
            Ok(inputs) => prepared.push((span, scenario, inputs)),
            Err(exit) => return exit,
        }
    }
    let purpose = match args.bless {
        true => Purpose::Bless,
        false => Purpose::Compare,
    };
    let stories = Stories::beside(&rehearsal.folder, purpose);
    let digest = digest(plan);
    let carried_out = prepared.into_par_iter().map(|(span, scenario, inputs)| {
        let titled = elements::with_titles(plan.clone(), &inputs);
        let scripted = setup::scripted(&titled, &scenario);
        let identity = Identity {
            run: format!("{}-test", plan.name),
            digest: digest.clone(),
            inputs,
        };
        let mut world = setup::world(&scripted, setup::start(&scripted, &scenario));
        if let Some(seed) = args.seed {
            world.seed(seed);
        }
        one(
            &rehearsal,
            &scripted,
            span,
            &scenario,
            (world, identity),
            &stories,
        )
    });
    let reports: Vec<Report> = carried_out.collect();
    if let Err(error) = stories.keep() {
        return report(&error);
    }
    print(&rehearsal, &reports, args.format);
    let seen = covered(args, plan, &rehearsal, &reports);
    match reports.iter().all(Report::passed) {
        true => seen,
        false => Exit::Invalid,
    }
}

/// Says how much the tests have seen, where that was asked for, and whether it is enough.
fn covered(args: &Test, plan: &Plan, rehearsal: &Rehearsal, reports: &[Report]) -> Exit {
    let wanted = args.coverage || args.min.is_some();
    if !wanted {
        return Exit::Succeeded;
    }
    let coverage = coverage::coverage(plan, rehearsal.compiled.source_map(), reports);
    match args.format {
        TestFormat::Human => terminal::print!("{}", coverage.text()),
        TestFormat::Json => terminal::println!("{}", coverage.object()),
        TestFormat::Junit => {}
    }
    let percent = coverage.percent();
    match args.min {
        Some(least) if percent < f64::from(least) => {
            let tell = "of what they could see of the plan, and";
            terminal::eprintln!("error: the tests see {percent:.1}% {tell} {least}% are wanted");
            Exit::Invalid
        }
        _ => Exit::Succeeded,
    }
}

fn one(
    rehearsal: &Rehearsal,
    plan: &Plan,
    span: Span,
    scenario: &Scenario,
    (world, identity): (World, Identity),
    stories: &Stories,
) -> Report {
    let map = rehearsal.compiled.source_map();
    let story = |name: &str, trace: &_| stories.compare(name, &stories::text(plan, map, trace));
    let tried = trial::tried(plan, scenario, world, identity, &story);
    report::report(&rehearsal.compiled, plan, span, scenario, &tried)
}

/// Those that were asked for, resolved; all that is wrong with them has been said.
fn tests(
    rehearsal: &Rehearsal,
    plan: &Plan,
    filter: Option<&str>,
) -> Result<Vec<(Span, Scenario)>, Exit> {
    let mut found = Vec::new();
    let mut wrong: Vec<Diagnostic> = Vec::new();
    for test in &rehearsal.compiled.tests {
        match rehearsal.resolve_test(plan, &test.tree) {
            Ok(scenario) => found.push((test.span, scenario)),
            Err(problems) => wrong.extend(problems),
        }
    }
    if !wrong.is_empty() {
        let style = terminal::style(Stream::Stderr);
        for problem in &wrong {
            terminal::eprintln!("{}", render(problem, &rehearsal.compiled.sources, style));
        }
        return Err(Exit::Invalid);
    }
    if found.is_empty() {
        terminal::eprintln!("error: the plan has no `test`, and nothing passes on nothing");
        return Err(Exit::Invalid);
    }
    if let Some(part) = filter {
        found.retain(|(_, scenario)| scenario.title.contains(part));
        if found.is_empty() {
            terminal::eprintln!("error: no test has `{part}` in its title");
            return Err(Exit::Usage);
        }
    }
    Ok(found)
}

fn print(rehearsal: &Rehearsal, reports: &[Report], format: TestFormat) {
    let sources = &rehearsal.compiled.sources;
    match format {
        TestFormat::Human => {
            let style = terminal::style(Stream::Stdout);
            terminal::print!("{}", human::text(reports, sources, style));
        }
        TestFormat::Json => terminal::print!("{}", json::lines(reports, sources)),
        TestFormat::Junit => match junit::xml(reports, sources) {
            Ok(xml) => terminal::println!("{xml}"),
            Err(error) => terminal::eprintln!("error: {error}"),
        },
    }
}
