//! Every plan and every piece of one that there is: examples, fixtures, the blocks of the reference and of the pages.

use std::fs;
use std::path::{Path, PathBuf};

pub struct Text {
    pub name: String,
    pub text: String,
}

pub fn texts() -> Vec<Text> {
    let mut texts: Vec<Text> = [
        "examples",
        "tests/ui",
        "tests/cluster/plans",
        "tests/editors",
    ]
    .into_iter()
    .flat_map(files_under)
    .filter(|path| path.extension().is_some_and(|end| end == "deploy"))
    .map(|path| Text {
        name: shown(&path),
        text: fs::read_to_string(&path).unwrap(),
    })
    .collect();
    texts.extend(crate::docs::blocks().into_iter().map(|block| Text {
        name: format!("grammar/LANGUAGE.md, block of line {}", block.line),
        text: block.text,
    }));
    texts.extend(
        files_under("src/diagnostics/explain")
            .iter()
            .flat_map(|page| blocks(page)),
    );
    texts
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn blocks(page: &Path) -> Vec<Text> {
    let mut found = Vec::new();
    let text = fs::read_to_string(page).unwrap();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if !line.starts_with("```") {
            continue;
        }
        let body: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .collect();
        if line.starts_with("```deploy") {
            found.push(Text {
                name: format!("{}, block of line {}", shown(page), index + 1),
                text: whole(&body.join("\n")),
            });
        }
    }
    found
}

/// Most pages show a part of a plan.
fn whole(block: &str) -> String {
    match block.contains("deploy 1") {
        true => format!("{block}\n"),
        false => format!("deploy 1\n\n{block}\n"),
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

fn files_under(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}
