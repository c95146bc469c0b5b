//! What is checked in for tree-sitter is what `grammar.js` makes. With `DEPLOYC_GENERATE` set, it is made anew.

use super::texts::root;
use rquickjs::{Context, Runtime};
use std::fs;
use std::path::Path;

const FOLDER: &str = "editors/tree-sitter-deploy";

/// Not the newest: older editors know this one, and the grammar needs nothing of what came later.
const ABI: usize = 14;

#[test]
fn the_parser_is_the_one_that_the_grammar_makes() {
    let folder = root().join(FOLDER);
    let grammar = folder.join("src/grammar.json");
    let made = grammar_json(&fs::read_to_string(folder.join("grammar.js")).unwrap());
    if std::env::var_os("DEPLOYC_GENERATE").is_some() {
        fs::write(&grammar, &made).unwrap();
        generate(&grammar, &folder.join("src"));
        return;
    }
    assert_same(&made, &grammar);
    let fresh = tempdir();
    generate(&grammar, &fresh);
    let files = [
        "parser.c",
        "node-types.json",
        "tree_sitter/alloc.h",
        "tree_sitter/array.h",
        "tree_sitter/parser.h",
    ];
    for file in files {
        let made = fs::read_to_string(fresh.join(file)).unwrap();
        assert_same(&made, &folder.join("src").join(file));
    }
    fs::remove_dir_all(fresh).unwrap();
}

fn assert_same(made: &str, checked_in: &Path) {
    let kept = fs::read_to_string(checked_in).unwrap();
    let differs = made.lines().zip(kept.lines()).position(|(a, b)| a != b);
    assert!(
        made == kept,
        "{} is not what grammar.js makes, from line {}: see editors/README.md",
        checked_in.display(),
        differs.map_or(0, |line| line + 1)
    );
}

fn grammar_json(grammar: &str) -> String {
    let runtime = Runtime::new().unwrap();
    let context = Context::full(&runtime).unwrap();
    let script = format!(
        "{}\n{grammar}\nJSON.stringify(module.exports, null, 2)",
        include_str!("dsl.js")
    );
    context.with(|context| {
        let json: Result<String, _> = context.eval(script);
        json.unwrap_or_else(|error| panic!("grammar.js: {error}: {:?}", context.catch()))
    })
}

fn generate(grammar: &Path, to: &Path) {
    let mut diagnostics = Vec::new();
    tree_sitter_generate::generate_parser_in_directory(
        root().join(FOLDER),
        Some(to),
        Some(grammar),
        ABI,
        None,
        None,
        true,
        tree_sitter_generate::OptLevel::default(),
        &mut diagnostics,
    )
    .unwrap();
    let said: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
}

fn tempdir() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("deployc-generated-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}
