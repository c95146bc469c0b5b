//! `deployc graph PATH`: what waits for what, as text that other tools draw. Also of a plan with errors.

use crate::commands::check::complain;
use crate::commands::cli::{Graph, GraphFormat};
use crate::commands::compile::compiled;
use crate::commands::exit::Exit;
use crate::commands::runs::report;
use crate::commands::terminal;
use crate::diagnostics::Severity;
use crate::plan::graph::{dot::dot, json::json, mermaid::mermaid};

pub fn graph(args: &Graph) -> Exit {
    let compiled = match compiled(&args.path) {
        Ok(compiled) => compiled,
        Err(error) => return report(&error),
    };
    complain(&compiled, |found| found.severity == Severity::Error);
    let Some(plan) = compiled.plan.as_ref().or(compiled.draft.as_ref()) else {
        terminal::eprintln!("error: too little of the plan could be understood to draw it");
        return Exit::Invalid;
    };
    match args.format {
        GraphFormat::Dot => terminal::print!("{}", dot(&plan.title, &plan.nodes)),
        GraphFormat::Mermaid => terminal::print!("{}", mermaid(&plan.nodes)),
        GraphFormat::Json => terminal::println!("{:#}", json(&plan.nodes)),
    }
    match compiled.plan {
        Some(_) => Exit::Succeeded,
        None => Exit::Invalid,
    }
}
