//! Statements as text.

use crate::syntax::ast::clause::{Clause, ClauseKind};
use crate::syntax::ast::policy::{NoData, Rule};
use crate::syntax::ast::scenario::At;
use crate::syntax::ast::settings::{Concurrent, ConcurrentHow, Freeze};
use crate::syntax::ast::{
    Approve, Check, CheckBody, Comment, Every, Expect, Expr, For, Head, Hold, Let, Setting, Stage,
    Step, StmtKind,
};
use crate::syntax::print::clause::{actions, clauses, head, notify, policy, title_and_refs, word};
use crate::syntax::print::doc::{Doc, WIDTH, render, text};
use crate::syntax::print::expr::expr;
use crate::syntax::print::lines::{Lines, Shape};
use crate::syntax::print::scenario;

/// Prints a statement; `trailing` are the comments behind it, or behind the `{` of its block.
pub fn print(lines: &mut Lines, kind: &StmtKind, trailing: &[Comment]) {
    let (parts, block, shape) = match kind {
        StmtKind::Section(section) => (
            headed("section", &section.head, &section.options),
            &section.body,
            Shape::Lines,
        ),
        StmtKind::Canary(canary) => {
            let mut parts = vec![text(format!("canary {}", canary.target.name))];
            parts.extend(head(&canary.head));
            parts.extend(clauses(&canary.options));
            (parts, &canary.body, Shape::Lines)
        }
        StmtKind::Stage(stage) => (self::stage(stage), &stage.body, Shape::Lines),
        StmtKind::Check(check) => return print_check(lines, "check", check, trailing),
        StmtKind::Verify(check) => return print_check(lines, "verify", check, trailing),
        StmtKind::Step(step) => return print_step(lines, step, trailing),
        StmtKind::Confirm(confirm) => {
            let parts = headed("confirm", &confirm.head, &confirm.options);
            match &confirm.lines {
                Some(block) => (parts, block, Shape::Lines),
                None => return print_line(lines, parts, trailing),
            }
        }
        StmtKind::Every(every) => (self::every(every), &every.body, Shape::OneLine),
        StmtKind::When(when) => (
            vec![word("when", &when.condition)],
            &when.body,
            Shape::OneLine,
        ),
        StmtKind::Parallel(block) => (vec![text("parallel")], block, Shape::OneLine),
        StmtKind::For(each) => (for_head(each), &each.body, Shape::OneLine),
        StmtKind::At(at) => (at_head(at), &at.body, Shape::OneLine),
        _ => return print_line(lines, line(kind), trailing),
    };
    lines.add_block(parts, block, shape, trailing);
}

/// A statement without a block, where it is short enough to stand in a block of one line.
pub fn short(kind: &StmtKind) -> Option<String> {
    let parts = line(kind);
    if parts.is_empty() {
        return None;
    }
    let line = render(&Doc::Fill(parts), 0);
    (!line.contains('\n') && line.chars().count() <= WIDTH).then_some(line)
}

/// The parts of a statement that has no block; nothing for those that have one.
fn line(kind: &StmtKind) -> Vec<Doc> {
    match kind {
        StmtKind::Approve(Approve { head, options }) => headed("approve", head, options),
        StmtKind::Line(head) => title_and_refs(head),
        StmtKind::Hold(hold) => self::hold(hold),
        StmtKind::Notify(message) => notify(message),
        StmtKind::Let(bound) => let_line(bound),
        StmtKind::Expect(expect) => self::expect(expect),
        StmtKind::Call(value) | StmtKind::Bound(value) => vec![expr(value)],
        StmtKind::Policy(action) => vec![policy(action)],
        StmtKind::Setting(setting) => vec![self::setting(setting)],
        StmtKind::Concurrent(concurrent) => self::concurrent(concurrent),
        StmtKind::Freeze(freeze) => self::freeze(freeze),
        StmtKind::Rule(rule) => self::rule(rule),
        StmtKind::NoData(no_data) => self::no_data(no_data),
        StmtKind::Assign(said) => scenario::assign(said),
        StmtKind::Answer(said) => scenario::answer(said),
        StmtKind::Trouble(said) => scenario::trouble(said),
        StmtKind::Kill(said) => scenario::kill(said),
        StmtKind::Promise(said) => scenario::promise(said),
        _ => Vec::new(),
    }
}

pub fn print_line(lines: &mut Lines, parts: Vec<Doc>, trailing: &[Comment]) {
    lines.add_doc(&Doc::Fill(parts));
    lines.behind(trailing);
}

pub fn let_line(bound: &Let) -> Vec<Doc> {
    let name = text(format!("let {} = ", bound.name.name));
    vec![Doc::Concat(vec![name, expr(&bound.value)])]
}

/// The word, name, title and references, then the clauses.
fn headed(word: &'static str, item: &Head, options: &[Clause]) -> Vec<Doc> {
    let mut parts = vec![text(word)];
    parts.extend(head(item));
    parts.extend(clauses(options));
    first_two(parts)
}

/// The word of a statement never stands alone on its line.
fn first_two(mut parts: Vec<Doc>) -> Vec<Doc> {
    if parts.len() < 2 {
        return parts;
    }
    let rest = parts.split_off(2);
    let mut start = Vec::new();
    for part in parts {
        if !start.is_empty() {
            start.push(text(" "));
        }
        start.push(part);
    }
    std::iter::once(Doc::Concat(start)).chain(rest).collect()
}

fn print_check(lines: &mut Lines, word: &'static str, check: &Check, trailing: &[Comment]) {
    let mut parts = headed(word, &check.head, &check.options);
    match &check.body {
        CheckBody::Expect(body) => parts.extend(expect(body)),
        CheckBody::Call(call) => parts.push(calls(call)),
        CheckBody::Block(block) => return lines.add_block(parts, block, Shape::OneLine, trailing),
    }
    print_line(lines, parts, trailing);
}

fn print_step(lines: &mut Lines, step: &Step, trailing: &[Comment]) {
    let mut parts = headed("step", &step.head, &[]);
    parts.push(calls(&step.call));
    parts.extend(clauses(&step.options));
    match &step.body {
        Some(block) => lines.add_block(parts, block, Shape::Lines, trailing),
        None => print_line(lines, parts, trailing),
    }
}

fn calls(call: &Expr) -> Doc {
    Doc::Concat(vec![text("= "), expr(call)])
}

fn expect(expect: &Expect) -> Vec<Doc> {
    let mut parts = vec![word("expect", &expect.condition)];
    parts.extend(
        expect
            .scope
            .as_ref()
            .map(|scope| text(format!("on {}", scope.name))),
    );
    parts.extend(expect.duration.as_ref().map(|time| word("for", time)));
    parts
}

/// Title and references come last, as the weight and the pods read like one thing; but not behind an `undo`, which would take them.
fn stage(stage: &Stage) -> Vec<Doc> {
    let mut parts = vec![word("stage", &stage.weight)];
    parts.extend(
        stage
            .tolerance
            .as_ref()
            .map(|tolerance| word("±", tolerance)),
    );
    parts.extend(stage.head.name.as_ref().map(|name| text(name.name.clone())));
    let has_undo = stage
        .options
        .iter()
        .any(|option| matches!(option.kind, ClauseKind::Undo(_)));
    let title = title_and_refs(&stage.head);
    let options = clauses(&stage.options);
    match has_undo {
        true => parts.extend(title.into_iter().chain(options)),
        false => parts.extend(options.into_iter().chain(title)),
    }
    parts
}

fn hold(hold: &Hold) -> Vec<Doc> {
    let mut parts = vec![word("hold", &hold.duration)];
    parts.extend(head(&hold.head));
    parts
}

fn every(every: &Every) -> Vec<Doc> {
    let mut parts = vec![word("every", &every.period)];
    parts.extend(every.total.as_ref().map(|total| word("for", total)));
    parts.extend(head(&every.head));
    parts
}

fn for_head(each: &For) -> Vec<Doc> {
    let mut parts = vec![word(&format!("for {} in", each.name.name), &each.list)];
    parts.extend(each.up_to.as_ref().map(|most| word("up to", most)));
    parts
}

fn at_head(at: &At) -> Vec<Doc> {
    let mut parts = vec![match &at.moment {
        Some(moment) => word("at", moment),
        None => text("always"),
    }];
    parts.extend(at.duration.as_ref().map(|time| word("for", time)));
    parts
}

fn setting(setting: &Setting) -> Doc {
    match setting.word.name.as_str() {
        "sample" => word("sample every", &setting.value),
        name => word(name, &setting.value),
    }
}

fn concurrent(concurrent: &Concurrent) -> Vec<Doc> {
    let (said, up_to) = match &concurrent.how {
        ConcurrentHow::Reject => ("concurrent runs reject", None),
        ConcurrentHow::Queue { up_to } => ("concurrent runs queue", up_to.as_ref()),
        ConcurrentHow::Replace { up_to } => ("concurrent runs replace", up_to.as_ref()),
    };
    let mut parts = vec![text(said)];
    parts.extend(up_to.map(|most| word("up to", most)));
    parts
}

fn freeze(freeze: &Freeze) -> Vec<Doc> {
    let mut parts = vec![word("freeze", &freeze.window)];
    parts.extend(title_and_refs(&freeze.head));
    parts
}

fn rule(rule: &Rule) -> Vec<Doc> {
    let mut parts = head(&rule.head);
    parts.push(word("when", &rule.condition));
    parts.extend(rule.duration.as_ref().map(|time| word("for", time)));
    parts.push(actions(&rule.actions));
    parts
}

fn no_data(no_data: &NoData) -> Vec<Doc> {
    vec![
        word("no data for", &no_data.duration),
        actions(&no_data.actions),
    ]
}
