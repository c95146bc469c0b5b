//! `deployc plan PATH`: what will happen in what order, what undoes it, how long it can take, who is asked.

use crate::analyze::facts::facts;
use crate::commands::cli::{Plan, PlanFormat};
use crate::commands::compile::ready;
use crate::commands::exit::Exit;
use crate::commands::terminal;
use crate::plan::digest;
use crate::plan::print::print;

pub fn plan(args: &Plan) -> Exit {
    let ready = match ready(&args.path) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    match args.format {
        PlanFormat::Human => {
            // Only of a plan with a cycle nothing is known, and that one is not ready.
            let facts = facts(&ready.plan).unwrap_or_default();
            terminal::print!("{}", print(&ready.plan, &facts, &ready.map));
        }
        PlanFormat::Json => terminal::println!("{}", digest::json(&ready.plan)),
        PlanFormat::Digest => terminal::println!("{}", digest::digest(&ready.plan)),
    }
    Exit::Succeeded
}
