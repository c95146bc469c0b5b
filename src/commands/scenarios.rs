//! The scenarios beside a plan: files in its folder `scenarios`, compiled together with it.

use crate::analyze::compile::{Compiled, compile_bytes};
use crate::commands::exit::Exit;
use crate::commands::load::{self, Disk, LoadError};
use crate::commands::open;
use crate::commands::run::complain;
use crate::diagnostics::Diagnostic;
use crate::effects::inputs;
use crate::plan::Plan;
use crate::simulate::compile::value::plain_text;
use crate::simulate::compile::{self, Purpose};
use crate::simulate::scenario::Scenario;
use crate::source::FileId;
use crate::syntax::ast::scenario as ast;
use crate::syntax::ast::{Comments, Expr, ItemKind, Stmt, StmtKind};
use crate::values::fields::Fields;
use crate::verify::scenario::is_open;
use std::path::{Path, PathBuf};

const FOLDER: &str = "scenarios";

/// A plan with what can be rehearsed of it.
pub struct Rehearsal {
    pub compiled: Compiled,
    /// Stem of the file, and what is in it.
    pub scenarios: Vec<(String, ast::Scenario)>,
    /// Of the plan.
    pub folder: PathBuf,
}

/// What `--set` says; else what the scenario says; else the plan's default.
pub fn inputs(plan: &Plan, scenario: &Scenario, set: &[String]) -> Result<Fields, Exit> {
    let mut declared = plan.inputs.clone();
    for input in &mut declared {
        if let Some(value) = scenario.inputs.get(&input.name) {
            input.default = Some(value.clone());
        }
    }
    inputs::read(&declared, set).map_err(|problems| complain(&problems))
}

/// A plan and all scenarios beside it; `more` is a scenario from elsewhere.
pub fn load(path: &Path, more: Option<&Path>) -> Result<Rehearsal, LoadError> {
    let plan = load::plan_files(path)?;
    let mut found = plan.found;
    let beside = plan.folder.join(FOLDER);
    if beside.is_dir() {
        found.extend(load::plan_files(&beside)?.found);
    }
    if let Some(more) = more {
        found.extend(load::plan_files(more)?.found);
    }
    found.extend(load::test_files(path)?);
    found.dedup_by(|a, b| a.name == b.name);
    let disk = Disk {
        folder: plan.folder.clone(),
    };
    let compiled = compile_bytes(found, &disk);
    let scenarios = scenarios(&compiled);
    Ok(Rehearsal {
        compiled,
        scenarios,
        folder: plan.folder,
    })
}

impl Rehearsal {
    /// What was compiled, with all that is wrong with the scenarios.
    pub fn checked(self) -> Compiled {
        let plan = self.compiled.plan.as_ref();
        let mut found: Vec<Diagnostic> = Vec::new();
        let scenarios = self
            .scenarios
            .iter()
            .map(|(_, tree)| (tree, Purpose::Rehearsal));
        let tests = self
            .compiled
            .tests
            .iter()
            .map(|test| (&test.tree, Purpose::Test));
        for (tree, purpose) in scenarios.chain(tests) {
            let resolved = plan.map(|plan| match purpose {
                Purpose::Test => self.resolve_test(plan, tree).map(|_| ()),
                Purpose::Rehearsal if is_open(tree) => open::check(plan, tree),
                Purpose::Rehearsal => self.resolve(plan, tree).map(|_| ()),
            });
            let wrong = resolved.and_then(Result::err);
            // What one is like is resolved for both.
            let wrong = wrong
                .into_iter()
                .flatten()
                .filter(|one| !found.contains(one));
            let wrong: Vec<Diagnostic> = wrong.collect();
            found.extend(wrong);
        }
        let mut compiled = self.compiled;
        compiled.diagnostics.extend(found);
        compiled
    }

    pub fn find(&self, stem: &str) -> Option<&ast::Scenario> {
        let found = self.scenarios.iter().find(|(known, _)| known == stem);
        found.map(|(_, scenario)| scenario)
    }

    /// A scenario resolved against the plan.
    pub fn resolve(&self, plan: &Plan, tree: &ast::Scenario) -> Result<Scenario, Vec<Diagnostic>> {
        compile::scenario(plan, tree, &|stem| self.find(stem).cloned())
    }

    /// As [`Rehearsal::resolve`], with what is expected.
    pub fn resolve_test(
        &self,
        plan: &Plan,
        tree: &ast::Scenario,
    ) -> Result<Scenario, Vec<Diagnostic>> {
        if is_open(tree) {
            return Err(open::in_a_test(tree));
        }
        let others = |stem: &str| self.find(stem).cloned();
        let test = compile::test(plan, tree, &others)?;
        if self.compiled.of_world.is_empty() {
            return Ok(test);
        }
        let mut judged = tree.clone();
        let claims = self.compiled.of_world.iter().map(always);
        judged.body.stmts.extend(claims);
        compile::test(plan, &judged, &others)
    }
}

/// What an invariant claims of the world, as an expectation of each test.
fn always(claim: &Expr) -> Stmt {
    Stmt {
        kind: StmtKind::Promise(ast::Promise {
            always: Some(claim.span),
            condition: claim.clone(),
            tail: None,
            span: claim.span,
        }),
        span: claim.span,
        comments: Comments::default(),
    }
}

/// Where a scenario is that was named by a path.
pub fn elsewhere(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(name);
    let named =
        path.extension().is_some_and(|end| end == "deploy") || path.components().count() > 1;
    named.then_some(path)
}

pub fn stem(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.strip_suffix(".deploy").unwrap_or(file)
}

/// A scenario by itself has the name of its file; those that share one with others have their titles.
fn scenarios(compiled: &Compiled) -> Vec<(String, ast::Scenario)> {
    let file_name = |id: FileId| {
        let file = compiled.sources.get(id)?;
        Some(stem(&file.name).to_owned())
    };
    let mut found = Vec::new();
    for (id, file) in &compiled.scenarios {
        let trees = file.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Scenario(scenario) => Some(scenario),
            _ => None,
        });
        for tree in trees {
            let title = tree.title.as_ref().and_then(plain_text);
            let name = match file.items.as_slice() {
                [_] => file_name(*id),
                _ => title,
            };
            found.extend(name.map(|name| (name, tree.clone())));
        }
    }
    found
}
