//! `deployc explain CODE`: the page of a diagnostic.

use crate::commands::cli::Explain;
use crate::commands::exit::Exit;
use crate::commands::terminal;
use crate::diagnostics::codes;
use crate::diagnostics::render::severity_word;

pub fn explain(args: &Explain) -> Exit {
    let Some(asked) = &args.code else {
        list();
        return Exit::Succeeded;
    };
    match codes::find(asked) {
        Some(code) => {
            terminal::println!(
                "{}[{}] {}\n",
                severity_word(code.severity),
                code.id,
                code.name
            );
            terminal::println!("{}", code.page.trim_end());
            Exit::Succeeded
        }
        None => {
            terminal::eprintln!(
                "error: no diagnostic is called `{asked}`; `deployc explain` lists all"
            );
            Exit::Usage
        }
    }
}

fn list() {
    for code in codes::all() {
        terminal::println!(
            "{}  {:<8} {}",
            code.id,
            severity_word(code.severity),
            code.name
        );
    }
}
