//! The house rules that a machine can keep: layers, lengths, module docs, names, one page and one fixture for each code.

use std::fs;
use std::path::{Path, PathBuf};

/// A module uses only those before it in this list (and itself).
const LAYERS: &[&str] = &[
    "source",
    "units",
    "statistics",
    "values",
    "diagnostics",
    "providers",
    "syntax",
    "plan",
    "resolve",
    "analyze",
    "engine",
    "journal",
    "causes",
    "rerun",
    "simulate",
    "verify",
    "effects",
    "commands",
    "main",
];

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn modules_use_only_those_above_them() {
    let mut breaches = Vec::new();
    for file in sources() {
        let own = layer_of(&file.path);
        for (number, line) in code_lines(&file.text) {
            for used in line.split("crate::").skip(1) {
                let name: String = used
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let Some(used_layer) = LAYERS.iter().position(|layer| *layer == name) else {
                    continue;
                };
                if used_layer > own {
                    breaches.push(format!(
                        "{}:{number}: {} uses {name}",
                        file.path.display(),
                        LAYERS[own]
                    ));
                }
            }
        }
    }
    assert!(
        breaches.is_empty(),
        "a module may use only those above it:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn tokio_and_network_libraries_stay_in_effects() {
    let mut breaches = Vec::new();
    for file in sources() {
        if layer_of(&file.path) >= layer("effects") {
            continue;
        }
        for (number, line) in code_lines(&file.text) {
            for library in [
                "tokio::",
                "kube::",
                "reqwest::",
                "rusqlite::",
                "std::net::",
                "std::process::",
            ] {
                let at = line.find(library);
                let whole = at.is_some_and(|at| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                });
                if whole {
                    breaches.push(format!("{}:{number}: {library}", file.path.display()));
                }
            }
        }
    }
    assert!(
        breaches.is_empty(),
        "the compiler and the engine touch no world:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn petgraph_lives_in_plan_only() {
    for file in sources() {
        let uses = code_lines(&file.text).any(|(_, line)| line.contains("petgraph::"));
        assert!(
            !uses || layer_of(&file.path) == layer("plan"),
            "{} uses petgraph",
            file.path.display()
        );
    }
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    for file in sources_and_tools() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            long.push(format!("{}: {lines} lines", file.path.display()));
        }
        for function in functions(&shipped(&file)) {
            if function.lines > FUNCTION_LINES_MAX && !function.is_flat_match {
                long.push(format!(
                    "{}:{}: {} lines",
                    file.path.display(),
                    function.line,
                    function.lines
                ));
            }
        }
    }
    assert!(
        long.is_empty(),
        "longer than {FILE_LINES_MAX} lines a file or {FUNCTION_LINES_MAX} a function:\n{}",
        long.join("\n")
    );
}

#[test]
fn each_module_says_what_it_is_for() {
    let silent: Vec<String> = sources_and_tools()
        .into_iter()
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| file.path.display().to_string())
        .collect();
    assert!(
        silent.is_empty(),
        "without module docs:\n{}",
        silent.join("\n")
    );
}

#[test]
fn no_drawer_modules() {
    for file in sources_and_tools() {
        let name = file
            .path
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        assert!(
            !["utils", "util", "helpers", "helper", "common", "misc"].contains(&name.as_str()),
            "{} says nothing about what is in it",
            file.path.display()
        );
        assert!(
            !file.text.contains("use super::*;\n") || file.text.contains("#[cfg(test)]"),
            "{}: glob import",
            file.path.display()
        );
    }
}

#[test]
fn codes_are_unique_sorted_and_explained() {
    let codes: Vec<_> = deployc::diagnostics::codes::all().collect();
    for pair in codes.iter().zip(codes.iter().skip(1)) {
        assert_ne!(pair.0.id, pair.1.id);
    }
    for code in &codes {
        let same = codes
            .iter()
            .filter(|other| other.id == code.id || other.name == code.name)
            .count();
        assert_eq!(same, 1, "{} {} stands twice", code.id, code.name);
        assert!(
            code.page.contains("```deploy wrong") || code.page.contains("```text"),
            "{}: its page has no example that raises it",
            code.name
        );
        assert!(
            code.page.lines().count() >= 8,
            "{}: its page is too short to help",
            code.name
        );
    }
    let pages = fs::read_dir(root().join("src/diagnostics/explain"))
        .map(|dir| dir.count())
        .unwrap_or(0);
    assert_eq!(
        pages,
        codes.len(),
        "a page without a code, or the other way round"
    );
}

#[test]
fn each_code_has_a_fixture_that_raises_it() {
    let fixtures: String = files_under(&root().join("tests/ui"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "deploy"))
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect();
    let missing: Vec<&str> = deployc::diagnostics::codes::all()
        .filter(|code| {
            !code.page.contains("```text") && !fixtures.contains(&format!("//~ {}", code.id))
        })
        .map(|code| code.name)
        .collect();
    assert!(
        missing.is_empty(),
        "codes that no fixture in tests/ui raises: {missing:?}"
    );
}

struct SourceText {
    path: PathBuf,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<SourceText> {
    code_under("src")
}

/// With the programs that are there for the project's own tests.
fn sources_and_tools() -> Vec<SourceText> {
    let mut files = sources();
    files.extend(code_under("tests/mutants/src"));
    files
}

fn code_under(folder: &str) -> Vec<SourceText> {
    files_under(&root().join(folder))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(|path| SourceText {
            text: fs::read_to_string(&path).unwrap(),
            path: path.strip_prefix(root()).unwrap().to_owned(),
        })
        .collect()
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn layer(name: &str) -> usize {
    LAYERS.iter().position(|layer| *layer == name).unwrap()
}

/// `src/effects/http.rs` → effects. `lib.rs` stands above all: it only names modules.
fn layer_of(path: &Path) -> usize {
    let first = path.iter().nth(1).unwrap().to_string_lossy().into_owned();
    let name = first.trim_end_matches(".rs");
    if name == "lib" {
        return LAYERS.len() - 1;
    }
    LAYERS
        .iter()
        .position(|layer| *layer == name)
        .unwrap_or_else(|| panic!("{} is in no layer: name it in LAYERS", path.display()))
}

/// Lines with their numbers, without comments and without the tests at the end of a file.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The text of a file without its tests: those may be as long as their story.
fn shipped(file: &SourceText) -> String {
    let name = file
        .path
        .file_stem()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    let folder = file.path.parent().unwrap();
    let parents = [folder.join("mod.rs"), folder.with_extension("rs")];
    let declared = |line: &str| {
        [format!("mod {name};"), format!("pub mod {name};")].contains(&line.to_owned())
    };
    let only_tests = parents
        .iter()
        .filter_map(|path| fs::read_to_string(root().join(path)).ok())
        .any(|parent| {
            let lines: Vec<&str> = parent.lines().collect();
            lines
                .windows(2)
                .any(|pair| pair[0] == "#[cfg(test)]" && declared(pair[1]))
        });
    if only_tests || folder.iter().any(|part| part == "tests") {
        return String::new();
    }
    let code = file
        .text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]");
    code.collect::<Vec<&str>>().join("\n")
}

struct Function {
    line: usize,
    lines: usize,
    is_flat_match: bool,
}

/// Functions by their shape after `rustfmt`: from the `fn` line to a `}` at the same depth.
fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words = code
            .trim_start_matches("pub ")
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("const ")
            .trim_start_matches("async ");
        if !words.starts_with("fn ") || words.ends_with(';') {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        let Some(length) = lines[start..].iter().position(|line| *line == end) else {
            continue;
        };
        let body = &lines[start..start + length];
        found.push(Function {
            line: start + 1,
            lines: length + 1,
            is_flat_match: is_flat_match(body, line.len() - code.len()),
        });
    }
    found
}

/// Whether the body is one `match` and at most a few lines before it.
fn is_flat_match(body: &[&str], indent: usize) -> bool {
    let inner = " ".repeat(indent + 4);
    let at = body.iter().position(|line| {
        line.starts_with(&format!("{inner}match "))
            || line.starts_with(&format!("{inner}Some(match "))
            || line.starts_with(&format!("{inner}let kind = match "))
    });
    at.is_some_and(|at| at < 12)
}
