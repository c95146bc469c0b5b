//! The compiler, from texts to a plan. It touches no disk: texts come in, and files that the plan names by [`Files`].

use crate::analyze::analysis::{Analysis, analysis};
use crate::analyze::bounded;
use crate::analyze::check_plan;
use crate::analyze::files::Files;
use crate::analyze::invariant;
use crate::analyze::link;
use crate::analyze::manifest::FileProblem;
use crate::analyze::messages::files as say;
use crate::analyze::places::Places;
use crate::diagnostics::codes::order::{DEPENDENCY_CYCLE, STEP_WITHOUT_UNDO};
use crate::diagnostics::codes::structure::{MISSING_TIME, NOTHING_INSIDE, RECURSIVE, UNUSED};
use crate::diagnostics::codes::syntax;
use crate::diagnostics::{Diagnostic, Severity};
use crate::plan::invariant::Invariant;
use crate::plan::{Loc, Plan, SourceMap};
use crate::source::{FileId, SourceFile, Sources, Span};
use crate::syntax::ast::scenario::Scenario;
use crate::syntax::ast::{Expr, File, Item, ItemKind, StmtKind};
use crate::syntax::decode::{self, Undecodable};
use crate::syntax::parse;
use crate::syntax::parse::words::OF_HEADS;
use std::sync::OnceLock;

/// One `.deploy` file: its name as it is shown, and its text.
#[derive(Clone, Debug)]
pub struct SourceText {
    pub name: String,
    pub text: String,
}

/// One `.deploy` file as it lies on the disk.
#[derive(Clone, Debug)]
pub struct SourceBytes {
    pub name: String,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    Bytes(Vec<u8>),
    /// Of so many bytes none was read.
    TooLarge(u64),
}

#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// Only of a plan without errors.
    pub plan: Option<Plan>,
    /// Of a plan with errors: as far as it can be drawn. It must not be carried out.
    pub draft: Option<Plan>,
    /// Most who compile ask for no places.
    source_map: OnceLock<SourceMap>,
    pub places: Places,
    /// The texts, and the manifests that diagnostics point into.
    pub sources: Sources,
    /// Files whose first item is a `scenario`: they are tried on the plan, and are no part of it.
    pub scenarios: Vec<(FileId, File)>,
    /// From all files, in the order of the text; no part of the plan either.
    pub tests: Vec<Test>,
    /// Of a plan without errors.
    pub invariants: Vec<Invariant>,
    /// What they claim of the world.
    pub of_world: Vec<Expr>,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// A `test`, and where it stands.
#[derive(Clone, Debug)]
pub struct Test {
    pub span: Span,
    pub tree: Scenario,
}

impl Compiled {
    pub fn has_errors(&self) -> bool {
        has_errors(&self.diagnostics)
    }

    /// Where everything in the plan stands.
    pub fn source_map(&self) -> &SourceMap {
        let made = || source_map(&self.places, &self.sources);
        self.source_map.get_or_init(made)
    }
}

/// Compiles one plan: a file, or all files of a folder.
pub fn compile(texts: Vec<SourceText>, files: &dyn Files) -> Compiled {
    let bytes = |SourceText { name, text }| SourceBytes {
        name,
        content: Content::Bytes(text.into_bytes()),
    };
    compile_bytes(texts.into_iter().map(bytes).collect(), files)
}

/// As [`compile`]; what is no text has its diagnostics, too.
pub fn compile_bytes(found: Vec<SourceBytes>, files: &dyn Files) -> Compiled {
    let mut compiled = Compiled::default();
    let mut of_plan = Vec::new();
    let mut unreadable = false;
    for SourceBytes { name, content } in found {
        let Some((id, text)) = decoded(&mut compiled, name, &content) else {
            unreadable = true;
            continue;
        };
        let parsed = parse::parse(id, &text);
        compiled.diagnostics.extend(parsed.diagnostics);
        compiled.tests.extend(tests(&parsed.file));
        if stands_beside(&parsed.file) {
            compiled.scenarios.push((id, parsed.file));
        } else {
            of_plan.push(parsed.file);
        }
    }
    // What stands in a file that cannot be read is not known, so nothing can be said to be missing.
    let unread = unreadable || of_plan.iter().all(|file| file.items.is_empty());
    if unread && has_errors(&compiled.diagnostics) {
        return compiled;
    }
    let analysis = analysis(&compiled.sources, &of_plan, files);
    finish(&mut compiled, analysis, of_plan);
    compiled
}

fn tests(file: &File) -> impl Iterator<Item = Test> {
    file.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Test(tree) => Some(Test {
            span: item.span,
            tree: tree.clone(),
        }),
        _ => None,
    })
}

/// Whether a file is no part of the plan: it begins with a scenario, or holds only scenarios and tests.
fn stands_beside(file: &File) -> bool {
    let tried = |item: &Item| matches!(item.kind, ItemKind::Scenario(_) | ItemKind::Test(_));
    let first = file.items.first();
    let scenario = first.is_some_and(|item| matches!(item.kind, ItemKind::Scenario(_)));
    scenario || first.is_some() && file.items.iter().all(tried)
}

/// The text of a file, with its id; `None` has been reported.
fn decoded(compiled: &mut Compiled, name: String, content: &Content) -> Option<(FileId, String)> {
    let id = compiled.sources.next();
    let undecodable = match content {
        Content::Bytes(bytes) => match decode::decode(id, bytes) {
            Ok(text) => {
                compiled.sources.add(SourceFile::new(name, text.as_str()));
                return Some((id, text));
            }
            Err(undecodable) => undecodable,
        },
        Content::TooLarge(bytes) => Undecodable {
            text: String::new(),
            diagnostics: vec![decode::too_large(
                id,
                usize::try_from(*bytes).unwrap_or(usize::MAX),
            )],
        },
    };
    compiled
        .sources
        .add(SourceFile::new(name, undecodable.text));
    compiled.diagnostics.extend(undecodable.diagnostics);
    None
}

fn finish(compiled: &mut Compiled, analysis: Analysis, of_plan: Vec<File>) {
    let Analysis {
        plan,
        mut pieces,
        found,
    } = analysis;
    compiled.diagnostics.extend(found);
    let mut problems = Vec::new();
    let mut bounds = Vec::new();
    for piece in &mut pieces {
        bounds.append(&mut piece.fragment.bounds);
        compiled.diagnostics.append(&mut piece.fragment.found);
        problems.append(&mut piece.fragment.file_problems);
    }
    // The trees are as large as the plan.
    let (still_needed, trees) = parted(of_plan);
    let linked = || plan.map(|plan| link::link(plan, pieces));
    let (linked, ()) = rayon::join(linked, || drop(trees));
    let (mut plan, mut places) = match linked {
        Some((mut plan, places)) => {
            compiled
                .diagnostics
                .extend(bounded::apply(&mut plan, &bounds));
            (Some(plan), places)
        }
        None => (None, Places::default()),
    };
    mark_settings(&mut places, &still_needed);
    point_into_files(compiled, problems);
    if let Some(plan) = &mut plan {
        let found = match has_errors(&compiled.diagnostics) {
            true => check_plan::draft(plan, &places),
            false => check_plan::analyze(plan, &places),
        };
        compiled.diagnostics.extend(found);
    }
    if let Some(plan) = plan.as_ref().filter(|_| !has_errors(&compiled.diagnostics)) {
        let found = invariant::compile(plan, &still_needed, &compiled.sources);
        compiled.invariants = found.invariants;
        compiled.of_world = found.of_world;
        compiled.diagnostics.extend(found.found);
    }
    drop_echoes(&mut compiled.diagnostics, &compiled.sources);
    sort(&mut compiled.diagnostics);
    compiled.places = places;
    if has_errors(&compiled.diagnostics) {
        compiled.draft = plan;
    } else {
        compiled.plan = plan;
    }
}

/// Items that are looked at once more when there is a plan, and all others.
fn parted(of_plan: Vec<File>) -> (Vec<Item>, Vec<Item>) {
    let items = of_plan.into_iter().flat_map(|file| file.items);
    items.partition(|item| matches!(item.kind, ItemKind::Plan(_) | ItemKind::Invariant(_)))
}

/// Settings of the plan are values in it, without places of their own.
fn mark_settings(places: &mut Places, items: &[Item]) {
    for item in items {
        let ItemKind::Plan(plan) = &item.kind else {
            continue;
        };
        for stmt in &plan.body.stmts {
            if let StmtKind::Setting(setting) = &stmt.kind {
                places.add_setting(&setting.word.name, stmt.span);
            }
        }
    }
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|found| found.severity == Severity::Error)
}

/// What did not parse is said once: not again as what is not there, or not used, because nobody could read it. So is an
/// order that names itself, which is a cycle, too.
fn drop_echoes(diagnostics: &mut Vec<Diagnostic>, sources: &Sources) {
    if diagnostics.iter().any(|found| found.code == &RECURSIVE) {
        diagnostics.retain(|found| found.code != &DEPENDENCY_CYCLE);
    }
    let unparsed = diagnostics
        .iter()
        .filter(|found| syntax::ALL.contains(&found.code));
    let unparsed: Vec<Span> = unparsed.map(|found| found.primary.span).collect();
    if unparsed.is_empty() {
        return;
    }
    diagnostics.retain(|found| {
        let span = found.primary.span;
        let mut beside = unparsed.iter().filter(|at| at.file == span.file);
        match found.code {
            code if code == &UNUSED => false,
            code if code == &NOTHING_INSIDE => beside.next().is_none(),
            code if code == &MISSING_TIME || code == &STEP_WITHOUT_UNDO => {
                !beside.any(|at| is_cut(sources, span, *at))
            }
            _ => true,
        }
    });
}

/// Whether what did not parse stands in it, or behind it on its line, where its clauses are; or a clause in its block.
fn is_cut(sources: &Sources, span: Span, unparsed: Span) -> bool {
    let text = sources.get(span.file).map_or("", |file| &file.text);
    let Some(between) = text.get(span.end as usize..unparsed.start as usize) else {
        return span.start <= unparsed.start;
    };
    let word = text.get(unparsed.range()).unwrap_or("");
    !between.contains('\n') || OF_HEADS.contains(&word) && is_block_begun(between)
}

/// Whether a block begins on the first line and nothing but what is in it follows.
fn is_block_begun(text: &str) -> bool {
    let line = text.find('\n').unwrap_or(text.len());
    let mut depth = 0_usize;
    for (at, sign) in text.match_indices(['{', '}', '\n']) {
        match sign {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && at >= line {
            return false;
        }
    }
    depth > 0
}

/// By their places; what was found in several copies is said once.
fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        let place = |found: &Diagnostic| (found.primary.span, found.code.id);
        place(a)
            .cmp(&place(b))
            .then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup_by(|a, b| {
        a.code == b.code && a.primary.span == b.primary.span && a.message == b.message
    });
}

/// Problems in manifests point into the manifests.
fn point_into_files(compiled: &mut Compiled, problems: Vec<FileProblem>) {
    for FileProblem {
        problem,
        text,
        call,
    } in problems
    {
        let name = problem.place.file.clone();
        let known = compiled.sources.iter().find(|(_, file)| file.name == name);
        let known = known.map(|(id, _)| id);
        let id =
            known.unwrap_or_else(|| compiled.sources.add(SourceFile::new(name, text.as_str())));
        let span = line_span(id, &text, problem.place.line, problem.place.column);
        compiled
            .diagnostics
            .push(say::invalid_manifest(&problem, span, call));
    }
}

/// From a line and a column to the end of that line.
fn line_span(file: FileId, text: &str, line: u32, column: u32) -> Span {
    let before = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1) as usize);
    let start: usize = before.map(str::len).sum();
    let rest = text.get(start..).unwrap_or("");
    let line = rest.lines().next().unwrap_or("");
    let skipped = line.chars().take(column.saturating_sub(1) as usize);
    let inside: usize = skipped.map(char::len_utf8).sum();
    Span::new(
        file,
        start + inside,
        start + line.trim_end().len().max(inside),
    )
}

fn source_map(places: &Places, sources: &Sources) -> SourceMap {
    let place = |span: Span| {
        let (file, at) = match sources.locate(span) {
            Some((file, at)) => (file.to_owned(), at),
            None => (
                String::new(),
                crate::source::Position { line: 1, column: 1 },
            ),
        };
        Loc {
            file,
            line: at.line,
            column: at.column,
            start: span.start,
            end: span.end,
        }
    };
    SourceMap {
        places: places.iter().map(place).collect(),
    }
}
