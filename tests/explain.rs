//! The explain pages: what is called wrong there is refused with that code, and what is called right is not.

use deployc::analyze::compile::{Compiled, SourceText, compile};
use deployc::analyze::files::InMemory;
use deployc::diagnostics::codes;
use deployc::diagnostics::render::human::{Style, render};
use deployc::source::FileId;
use deployc::syntax::ast::ItemKind;
use deployc::syntax::parse::parse;

/// What the examples speak of; a page that declares one of these itself takes its own.
const WORLD: &[(&str, &str)] = &[
    (
        "demo",
        "plan demo \"Demo\" {\n  deadline 7d\n  on fail, error, inconclusive stop\n}\n",
    ),
    (
        "deploy",
        "phase deploy at start {\n  step release \"Release\" = cluster.apply(\"k8s/\", traffic: 0%)\n    \
         timeout 5m undo timeout 2m\n}\n",
    ),
    (
        "errors",
        "metric errors: ratio = prom.query(`sum(rate(e[1m])) / sum(rate(r[1m]))`) in 1\n",
    ),
    (
        "cluster",
        "provider cluster = kubernetes { namespace: \"demo\" }\n",
    ),
    (
        "prom",
        "provider prom = prometheus { url: \"https://prometheus.example.com\" }\n",
    ),
    (
        "api",
        "provider api = http { base: \"https://api.example.com\" }\n",
    ),
    (
        "room",
        "provider room = slack { webhook: secret(env \"ROOM\") }\n",
    ),
    ("tools", "provider tools = shell { }\n"),
    ("engineer", "role engineer \"Engineer\"\n"),
    ("manager", "role manager \"Manager\"\n"),
];

#[test]
fn what_is_wrong_is_refused_and_what_is_right_is_not() {
    let mut failed = Vec::new();
    for code in codes::all() {
        let wrong = blocks(code.page, "deploy wrong");
        let right = blocks(code.page, "deploy right");
        for text in &wrong {
            let compiled = compile_example(text, code.name);
            if !compiled.diagnostics.iter().any(|found| found.code == code) {
                failed.push(format!(
                    "{}: not raised by\n{text}\n{}",
                    code.name,
                    shown(&compiled)
                ));
            }
        }
        for text in &right {
            let compiled = compile_example(text, code.name);
            if compiled.has_errors() || compiled.diagnostics.iter().any(|found| found.code == code)
            {
                failed.push(format!(
                    "{}: not right:\n{text}\n{}",
                    code.name,
                    shown(&compiled)
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The fenced blocks of a page that begin with these words.
fn blocks(page: &str, fence: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.strip_prefix("```") == Some(fence) {
            let block: Vec<&str> = lines
                .by_ref()
                .take_while(|line| !line.starts_with("```"))
                .collect();
            found.push(block.join("\n") + "\n");
        }
    }
    found
}

fn compile_example(text: &str, code: &str) -> Compiled {
    // A page about the line itself shows whole files.
    let text = match text.starts_with("deploy ") || code == "missing-version" {
        true => text.to_owned(),
        false => format!("deploy 1\n\n{text}"),
    };
    let mut rest = String::from("deploy 1\n\n");
    for (name, declaration) in WORLD {
        let omitted = *name == "demo" && code == "no-plan";
        let wanted = *name == "demo" || mentions(&text, name) || mentions(&rest, name);
        if wanted && !omitted && !declares(&text, name) {
            rest.push_str(declaration);
        }
    }
    let mut files = InMemory::default();
    for (name, content) in [
        ("demo.yaml", include_str!("ui/promql/demo.yaml")),
        ("k8s/demo.yaml", include_str!("ui/promql/demo.yaml")),
        ("broken.yaml", "apiVersion: apps/v1\nkind: Deployment\n"),
    ] {
        files
            .files
            .insert(name.to_owned(), content.as_bytes().to_vec());
    }
    let source = |name: &str, text: String| SourceText {
        name: name.to_owned(),
        text,
    };
    compile(
        vec![source("example.deploy", text), source("world.deploy", rest)],
        &files,
    )
}

fn mentions(text: &str, name: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    text.split(|c: char| !letter(c)).any(|word| word == name)
}

fn declares(text: &str, name: &str) -> bool {
    let parsed = parse(FileId(0), text);
    parsed.file.items.iter().any(|item| match &item.kind {
        ItemKind::Plan(_) => name == "demo",
        ItemKind::Provider(provider) => provider.name.name == name,
        ItemKind::Role(role) => role.name.name == name,
        ItemKind::Metric(metric) => metric.name.name == name,
        ItemKind::Phase(phase) => phase.head.name.as_ref().is_some_and(|own| own.name == name),
        _ => false,
    })
}

fn shown(compiled: &Compiled) -> String {
    let one = |found| render(found, &compiled.sources, Style::PLAIN);
    compiled
        .diagnostics
        .iter()
        .filter(|found| found.code.id != "D0208")
        .map(one)
        .collect()
}
