//! The reference of the language: each block in it is what it says.
//!
//! A fence `deploy` holds a whole file, `deploy item` items, `deploy stmt` statements of a phase.

use deployc::analyze::compile::{SourceText, compile};
use deployc::analyze::files::InMemory;
use deployc::diagnostics::Diagnostic;
use deployc::source::{FileId, SourceFile};
use deployc::syntax::ast::{File, ItemKind};
use deployc::syntax::parse::{self, Parsed};
use deployc::syntax::print;
use std::collections::BTreeMap;

const REFERENCE: &str = include_str!("../grammar/LANGUAGE.md");

pub struct Block {
    pub line: usize,
    pub text: String,
}

#[test]
fn each_block_of_the_reference_parses() {
    let mut wrong = Vec::new();
    let blocks = blocks();
    assert!(blocks.len() > 25, "only {} blocks were found", blocks.len());
    for block in &blocks {
        for found in parsed(block).diagnostics {
            wrong.push(shown(block, &found));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the whole plan of the reference releases.
const SHOP: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  replicas: 10
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      containers:
        - name: shop
          image: registry.example.com/shop:v1
          readinessProbe: { httpGet: { path: /health, port: 8080 } }
---
apiVersion: v1
kind: Service
metadata: { name: shop }
spec:
  selector: { app: shop }
  ports: [{ port: 80, targetPort: 8080 }]
"#;

#[test]
fn the_whole_plan_of_the_reference_compiles() {
    let text = blocks().swap_remove(0).text;
    let name = "shop.deploy".to_owned();
    let files = BTreeMap::from([("k8s/shop.yaml".to_owned(), SHOP.as_bytes().to_vec())]);
    let compiled = compile(vec![SourceText { name, text }], &InMemory { files });
    let found: Vec<String> = compiled
        .diagnostics
        .iter()
        .map(|found| format!("{} {}", found.code.id, found.message))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn each_block_of_the_reference_prints_back() {
    for block in blocks() {
        let first = print::file(&parsed(&block).file);
        let again = parse::parse(FileId(0), &first);
        assert!(
            again.diagnostics.is_empty(),
            "line {}:\n{first}",
            block.line
        );
        assert_eq!(print::file(&again.file), first, "line {}", block.line);
    }
}

#[test]
fn the_reference_shows_every_kind_of_item() {
    let shown: String = blocks()
        .iter()
        .map(|block| format!("{:?}", kinds(&parsed(block).file)))
        .collect();
    for item in [
        "Plan",
        "Input",
        "Order",
        "Phase",
        "Watch",
        "Rollback",
        "On",
        "Define",
        "Threshold",
        "Metric",
        "Let",
        "Role",
        "Provider",
        "Scenario",
        "Test",
        "Invariant",
    ] {
        assert!(shown.contains(item), "no block with {item}");
    }
}

#[test]
fn the_units_of_the_reference_are_those_of_the_language() {
    for (unit, ..) in deployc::units::literal::PLAIN {
        assert!(
            REFERENCE.contains(&format!("`{unit}`")),
            "{unit} is not in the table of units"
        );
    }
}

#[test]
fn the_kinds_of_providers_of_the_reference_are_those_of_the_catalogue() {
    let kinds: Vec<String> = deployc::providers::catalog::all()
        .iter()
        .map(|kind| format!("`{}`", kind.name))
        .collect();
    let sentence = format!("Kinds: {}.", kinds.join(", "));
    assert!(REFERENCE.contains(&sentence), "{sentence}");
}

fn kinds(file: &File) -> Vec<&'static str> {
    let kind = |kind: &ItemKind| match kind {
        ItemKind::Plan(_) => "Plan",
        ItemKind::Input(_) => "Input",
        ItemKind::Order(_) => "Order",
        ItemKind::Phase(_) => "Phase",
        ItemKind::Watch(_) => "Watch",
        ItemKind::Rollback(_) => "Rollback",
        ItemKind::On(_) => "On",
        ItemKind::Define(_) => "Define",
        ItemKind::Threshold(_) => "Threshold",
        ItemKind::Metric(_) => "Metric",
        ItemKind::Let(_) => "Let",
        ItemKind::Role(_) => "Role",
        ItemKind::Provider(_) => "Provider",
        ItemKind::Scenario(_) => "Scenario",
        ItemKind::Test(_) => "Test",
        ItemKind::Invariant(_) => "Invariant",
        ItemKind::Junk => "Junk",
    };
    file.items.iter().map(|item| kind(&item.kind)).collect()
}

pub fn blocks() -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = REFERENCE.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else {
            continue;
        };
        let body: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .collect();
        let body = body.join("\n");
        let text = match fence {
            "deploy" => format!("{body}\n"),
            "deploy item" => format!("deploy 1\n{body}\n"),
            "deploy stmt" => format!("deploy 1\nphase p at start {{\n{body}\n}}\n"),
            other => panic!("line {}: unknown fence {other}", index + 1),
        };
        found.push(Block {
            line: index + 1,
            text,
        });
    }
    found
}

fn parsed(block: &Block) -> Parsed {
    parse::parse(FileId(0), &block.text)
}

fn shown(block: &Block, found: &Diagnostic) -> String {
    let file = SourceFile::new("LANGUAGE.md", block.text.as_str());
    let at = file.position(found.primary.span.start);
    let line = block.text.lines().nth(at.line as usize - 1).unwrap_or("");
    format!("block of line {}: {}\n  {line}", block.line, found.message)
}
