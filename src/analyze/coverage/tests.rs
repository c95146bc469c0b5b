//! What is covered by an undo, what is not, and what is said about it.

use crate::analyze::coverage::check::check;
use crate::analyze::coverage::{coverage, no_return};
use crate::analyze::order::fill;
use crate::analyze::places::Places;
use crate::diagnostics::{Diagnostic, Severity};
use crate::plan::draft::{
    Draft, MINUTE_NS, call, compare, datum, metric, pause, ratio, read, rule, stops,
};
use crate::plan::expr::{Datum, Scope};
use crate::plan::facts::{Coverage, NoReturnWhy};
use crate::plan::graph::Graph;
use crate::plan::node::{CheckMode, NodeId, UndoPlan};
use crate::plan::{Action, Policy};
use crate::syntax::ast::CompareOp;
use crate::units::Dim;

fn found(draft: &mut Draft) -> Vec<Diagnostic> {
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    check(&draft.plan, &graph, &Places::default())
}

fn codes(draft: &mut Draft) -> Vec<&'static str> {
    found(draft)
        .iter()
        .map(|diagnostic| diagnostic.code.name)
        .collect()
}

fn irreversible(draft: &mut Draft, parent: NodeId, name: &str) -> NodeId {
    let step = draft.step(parent, name, name);
    draft.edit_step(step).undo = UndoPlan::Irreversible {
        why: "mail".to_owned(),
    };
    step
}

/// A rollback whose verify compares with the state before `step`.
fn proven(draft: &mut Draft, step: NodeId) {
    draft.verify("back", CheckMode::Once, datum(step, Datum::Before));
}

#[test]
fn each_change_has_its_column() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let derived = draft.step(phase, "derived", "a");
    let kept = draft.step(phase, "kept", "b");
    draft.edit_step(kept).undo = UndoPlan::Keep { why: String::new() };
    let written = draft.step(phase, "written", "c");
    draft.edit_step(written).undo = UndoPlan::Written {
        call: call("cluster", "scale", &[]),
        timeout_ns: MINUTE_NS,
        title: None,
        refs: Vec::new(),
    };
    irreversible(&mut draft, phase, "mail");
    let missing = draft.step(phase, "missing", "d");
    draft.edit_step(missing).call = call("shell", "run", &[]);
    draft.plan.providers[0].name = "shell".to_owned();
    draft.plan.providers[0].kind = "shell".to_owned();
    draft.canary(phase, "canary", derived);
    let by: Vec<Coverage> = coverage(&draft.plan)
        .iter()
        .map(|covered| covered.by)
        .collect();
    assert_eq!(
        by,
        [
            Coverage::Derived,
            Coverage::Kept,
            Coverage::Written,
            Coverage::Irreversible,
            Coverage::Missing,
            Coverage::Derived
        ]
    );
}

#[test]
fn a_command_without_an_undo_is_refused() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let step = draft.step(phase, "migrate", "a");
    proven(&mut draft, step);
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    draft.edit_step(step).call = call("shell", "run", &[]);
    draft.plan.providers[0].name = "shell".to_owned();
    draft.plan.providers[0].kind = "shell".to_owned();
    assert_eq!(codes(&mut draft), ["step-without-undo"]);
    let note = found(&mut draft).remove(0).note;
    let why = "`shell.run` cannot be undone from the object as it was before";
    assert_eq!(note.as_deref(), Some(why));
}

#[test]
fn a_plan_that_changes_something_has_a_rollback() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    draft.check(phase, "check");
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    let step = draft.step(phase, "release", "api");
    assert_eq!(codes(&mut draft), ["no-rollback"]);
    draft.edit_step(step).undo = UndoPlan::Keep { why: String::new() };
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
}

#[test]
fn a_verify_reads_what_the_undo_changed() {
    let with = |condition| {
        let mut draft = Draft::blank();
        let phase = draft.phase("deploy");
        draft.step(phase, "release", "api");
        let index = draft.metric("error_rate", Dim::Ratio);
        assert_eq!(index, 0);
        draft.verify("up", CheckMode::Once, read("api", "up"));
        draft.verify("more", CheckMode::Once, condition);
        codes(&mut draft)
    };
    assert_eq!(with(read("api", "get")), ["verify-proves-nothing"]);
    assert_eq!(with(read("cluster", "deployment")), Vec::<&str>::new());
    assert_eq!(with(datum(NodeId(1), Datum::Before)), Vec::<&str>::new());
    let errors = compare(metric(0, Scope::All), CompareOp::Lt, ratio(1));
    assert_eq!(with(errors), Vec::<&str>::new());
}

#[test]
fn a_rollback_without_a_verify_is_only_noted() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    draft.step(phase, "release", "api");
    draft.rollback(MINUTE_NS);
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    let found = check(&draft.plan, &graph, &Places::default());
    assert_eq!(found[0].severity, Severity::Note);
}

#[test]
fn an_irreversible_step_at_the_end_of_its_risk_is_fine() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["deploy", "announce", "later"]);
    let step = draft.step(phases[0], "release", "api");
    proven(&mut draft, step);
    irreversible(&mut draft, phases[1], "mail");
    draft.check(phases[2], "check");
    // Nothing after it rolls back: all policies of a draft stop.
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
}

#[test]
fn an_irreversible_step_before_a_rollback_needs_an_approval() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["deploy", "later"]);
    irreversible(&mut draft, phases[0], "mail");
    let check = draft.check(phases[1], "check");
    draft.node(check).policies.fail = None;
    assert_eq!(codes(&mut draft), ["irreversible-unguarded"]);
    draft.node(check).policies.fail = Some(pause(MINUTE_NS, 1, Policy::Rollback));
    assert_eq!(codes(&mut draft), ["irreversible-unguarded"]);
    draft.node(check).policies = stops();
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
}

#[test]
fn an_approval_before_it_is_enough_but_what_it_crosses_is_said() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["declare", "deploy", "later"]);
    draft.approve(phases[0], "go", MINUTE_NS);
    irreversible(&mut draft, phases[1], "mail");
    let check = draft.check(phases[2], "check");
    draft.node(check).policies.fail = Some(Policy::Rollback);
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    let step = draft.step(phases[0], "release", "api");
    proven(&mut draft, step);
    assert_eq!(codes(&mut draft), ["undo-crosses-irreversible"]);
    draft.rollback(MINUTE_NS).during = Some((phases[0], phases[1]));
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
}

#[test]
fn a_watch_that_rolls_back_is_a_risk_until_it_ends() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["deploy", "announce"]);
    let step = draft.step(phases[0], "release", "api");
    proven(&mut draft, step);
    irreversible(&mut draft, phases[1], "mail");
    let index = draft.metric("error_rate", Dim::Ratio);
    let over = compare(metric(index, Scope::All), CompareOp::Gt, ratio(50));
    draft.watch(
        phases[0],
        phases[0],
        vec![rule(over, 0, vec![Action::Rollback])],
    );
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    draft.plan.watches[0].to = phases[1];
    assert_eq!(
        codes(&mut draft),
        ["irreversible-unguarded", "undo-crosses-irreversible"]
    );
}

#[test]
fn a_warning_does_not_lead_to_an_irreversible_step() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["check", "announce"]);
    let check = draft.check(phases[0], "check");
    irreversible(&mut draft, phases[1], "mail");
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    draft.node(check).policies.inconclusive = Some(pause(MINUTE_NS, 1, Policy::Warn));
    assert_eq!(codes(&mut draft), ["warn-before-irreversible"]);
}

#[test]
fn points_of_no_return_are_loud_or_quiet() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["deploy", "observe", "later"]);
    draft.step(phases[0], "release", "api");
    let mail = irreversible(&mut draft, phases[2], "mail");
    let told = draft.notify(phases[0], "told");
    draft.rollback(MINUTE_NS).during = Some((phases[0], phases[1]));
    let graph = Graph::of(&draft.plan.nodes);
    let points = no_return(&draft.plan, &graph);
    let points: Vec<_> = points.iter().map(|point| (point.node, point.why)).collect();
    assert_eq!(
        points,
        [
            (mail, NoReturnWhy::Irreversible),
            (phases[1], NoReturnWhy::RangeEnds),
            (told, NoReturnWhy::Told)
        ]
    );
}
