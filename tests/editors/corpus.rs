//! The trees that the tree-sitter grammar makes, in the format of `tree-sitter test`.
//!
//! With `DEPLOYC_GENERATE` set, they are written anew, to be looked at.

use super::texts::root;
use super::tree::TreeSitter;
use std::fs;

struct Case<'a> {
    title: &'a str,
    text: &'a str,
    tree: &'a str,
}

const RULE: &str = "==================";

#[test]
fn trees_are_as_they_were() {
    let tree_sitter = TreeSitter::new();
    let generate = std::env::var_os("DEPLOYC_GENERATE").is_some();
    let mut count = 0;
    for entry in fs::read_dir(root().join("editors/tree-sitter-deploy/test/corpus")).unwrap() {
        let path = entry.unwrap().path();
        let file = fs::read_to_string(&path).unwrap();
        let cases = cases(&file);
        count += cases.len();
        if generate {
            let again: Vec<String> = cases
                .iter()
                .map(|case| written(case, &tree_sitter))
                .collect();
            fs::write(&path, again.join("\n")).unwrap();
            continue;
        }
        for case in cases {
            let tree = tree_sitter.parse(case.text).root_node().to_sexp();
            assert_eq!(
                laid_out(&tree),
                laid_out(case.tree),
                "{} in {}",
                case.title,
                path.display()
            );
        }
    }
    assert!(count > 5, "only {count} cases were found");
}

fn cases(file: &str) -> Vec<Case<'_>> {
    let pieces: Vec<&str> = file.split(RULE).skip(1).collect();
    pieces
        .chunks_exact(2)
        .map(|pair| {
            let (text, tree) = pair[1].split_once("\n---\n").unwrap();
            Case {
                title: pair[0].trim(),
                text: text.trim_start_matches('\n'),
                tree,
            }
        })
        .collect()
}

fn written(case: &Case<'_>, tree_sitter: &TreeSitter) -> String {
    let tree = laid_out(&tree_sitter.parse(case.text).root_node().to_sexp());
    format!(
        "{RULE}\n{}\n{RULE}\n\n{}\n---\n\n{tree}\n",
        case.title, case.text
    )
}

/// Each node on a line of its own, as deep as it stands.
fn laid_out(tree: &str) -> String {
    let mut out = String::new();
    let mut depth = 0;
    for word in tree.split_whitespace() {
        let node = word.starts_with('(');
        let of_field = out.ends_with(": ");
        if !out.is_empty() && !of_field {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        }
        out.push_str(word);
        if word.ends_with(':') {
            out.push(' ');
        }
        depth += usize::from(node);
        depth -= word.matches(')').count();
    }
    out
}
