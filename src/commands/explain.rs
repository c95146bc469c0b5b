//! `deployc explain CODE`: the page of a diagnostic.

use crate::commands::cli::Explain;
use crate::commands::exit::Exit;
use crate::diagnostics::codes;
use crate::diagnostics::render::severity_word;

pub fn explain(args: &Explain) -> Exit {
    let Some(asked) = &args.code else {
        list();
        return Exit::Succeeded;
    };
    match codes::find(asked) {
        Some(code) => {
            anstream::println!(
                "{}[{}] {}\n",
                severity_word(code.severity),
                code.id,
                code.name
            );
            anstream::println!("{}", code.page.trim_end());
            Exit::Succeeded
        }
        None => {
            anstream::eprintln!(
                "error: no diagnostic is called `{asked}`; `deployc explain` lists all"
            );
            Exit::Usage
        }
    }
}

fn list() {
    for code in codes::all() {
        anstream::println!(
            "{}  {:<8} {}",
            code.id,
            severity_word(code.severity),
            code.name
        );
    }
}
