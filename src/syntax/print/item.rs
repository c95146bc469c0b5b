//! Items as text.

use crate::syntax::ast::scenario::Scenario;
use crate::syntax::ast::{
    Better, Block, Comment, Define, Handler, Ident, Input, Item, ItemKind, Metric, Order, Phase,
    Provider, Role, Rollback, StringLit, Watch,
};
use crate::syntax::print::clause::{during, head, names, notify, title_and_refs, word};
use crate::syntax::print::doc::{Doc, WIDTH, render, text};
use crate::syntax::print::expr::{entry, expr, quoted, type_name};
use crate::syntax::print::lines::{Lines, Shape};
use crate::syntax::print::stmt::{let_line, print_line};

pub fn print(lines: &mut Lines, item: &Item) {
    let trailing = &item.comments.trailing;
    match &item.kind {
        ItemKind::Plan(plan) => {
            named_block(
                lines,
                "plan",
                &plan.name,
                plan.title.as_ref(),
                &plan.body,
                trailing,
            );
        }
        ItemKind::Threshold(bounds) => {
            named_block(
                lines,
                "threshold",
                &bounds.name,
                None,
                &bounds.body,
                trailing,
            );
        }
        ItemKind::Scenario(scenario) => print_scenario(lines, "scenario", scenario, trailing),
        ItemKind::Test(test) => print_scenario(lines, "test", test, trailing),
        ItemKind::Invariant(it) => {
            let mut parts = vec![text("invariant")];
            parts.extend(title_and_refs(&it.head));
            lines.add_block(parts, &it.body, Shape::Lines, trailing);
        }
        ItemKind::Phase(phase) => {
            lines.add_block(self::phase(phase), &phase.body, Shape::Lines, trailing);
        }
        ItemKind::Watch(watch) => {
            lines.add_block(self::watch(watch), &watch.body, Shape::Lines, trailing);
        }
        ItemKind::Rollback(rollback) => {
            lines.add_block(
                rollback_head(rollback),
                &rollback.body,
                Shape::Lines,
                trailing,
            );
        }
        ItemKind::Define(define) => {
            lines.add_block(
                vec![define_head(define)],
                &define.body,
                Shape::Lines,
                trailing,
            );
        }
        ItemKind::Provider(provider) => self::provider(lines, provider, trailing),
        ItemKind::Input(input) => print_line(lines, self::input(input), trailing),
        ItemKind::Order(order) => print_line(lines, self::order(order), trailing),
        ItemKind::On(handler) => print_line(lines, self::handler(handler), trailing),
        ItemKind::Metric(metric) => print_line(lines, self::metric(metric), trailing),
        ItemKind::Let(bound) => print_line(lines, let_line(bound), trailing),
        ItemKind::Role(role) => print_line(lines, self::role(role), trailing),
        ItemKind::Junk => {}
    }
}

fn named_block(
    lines: &mut Lines,
    word: &str,
    name: &Ident,
    title: Option<&StringLit>,
    block: &Block,
    trailing: &[Comment],
) {
    let mut parts = vec![text(format!("{word} {}", name.name))];
    parts.extend(title.map(|title| text(quoted(title))));
    lines.add_block(parts, block, Shape::Lines, trailing);
}

fn print_scenario(lines: &mut Lines, word: &'static str, it: &Scenario, trailing: &[Comment]) {
    let mut parts = vec![text(word)];
    parts.extend(it.title.as_ref().map(|title| text(quoted(title))));
    lines.add_block(parts, &it.body, Shape::Lines, trailing);
}

fn phase(phase: &Phase) -> Vec<Doc> {
    let name = phase
        .head
        .name
        .as_ref()
        .map_or("", |name| name.name.as_str());
    let mut parts = vec![text(format!("phase {name}"))];
    parts.extend(title_and_refs(&phase.head));
    if !phase.place.after.is_empty() {
        parts.push(text(format!("after {}", names(&phase.place.after))));
    }
    parts.extend(phase.place.at_start.map(|_| text("at start")));
    parts
}

fn watch(watch: &Watch) -> Vec<Doc> {
    let mut parts = vec![text("watch")];
    parts.extend(head(&watch.head));
    parts.push(text(during(&watch.during)));
    parts
}

fn rollback_head(rollback: &Rollback) -> Vec<Doc> {
    let mut parts = vec![text("rollback")];
    parts.extend(rollback.during.as_ref().map(|range| text(during(range))));
    parts.extend(rollback.within.as_ref().map(|time| word("within", time)));
    parts
}

fn define_head(define: &Define) -> Doc {
    let params = define.params.iter();
    let params: Vec<String> = params
        .map(|p| format!("{}: {}", p.name.name, type_name(&p.ty)))
        .collect();
    text(format!(
        "define {}({})",
        define.name.name,
        params.join(", ")
    ))
}

fn input(input: &Input) -> Vec<Doc> {
    let mut parts = vec![text(format!(
        "input {}: {}",
        input.name.name,
        type_name(&input.ty)
    ))];
    parts.extend(input.default.as_ref().map(|value| word("=", value)));
    parts.extend(input.place.map(|_| text("place")));
    parts
}

fn order(order: &Order) -> Vec<Doc> {
    let mut parts = vec![text("order")];
    parts.extend(head(&order.head));
    let named = parts.len() > 1;
    for (index, group) in order.chain.iter().enumerate() {
        let group = match group.as_slice() {
            [one] => one.name.clone(),
            several => format!("[{}]", names(several)),
        };
        parts.push(match index {
            0 if named => text(format!("= {group}")),
            0 => text(group),
            _ => text(format!("-> {group}")),
        });
    }
    parts
}

fn handler(handler: &Handler) -> Vec<Doc> {
    let mut parts = vec![text(format!("on {}", handler.event.name))];
    parts.extend(notify(&handler.notify));
    parts
}

fn metric(metric: &Metric) -> Vec<Doc> {
    let name = format!("metric {}: {} = ", metric.name.name, type_name(&metric.ty));
    let unit = metric
        .unit
        .as_ref()
        .map_or_else(String::new, |unit| format!(" in {}", unit.name));
    let mut parts = vec![Doc::Concat(vec![
        text(name),
        expr(&metric.value),
        text(unit),
    ])];
    parts.extend(metric.absent.as_ref().map(|value| word("absent as", value)));
    parts.extend(metric.better.map(|(better, _)| match better {
        Better::Lower => text("lower is better"),
        Better::Higher => text("higher is better"),
    }));
    parts
}

fn role(role: &Role) -> Vec<Doc> {
    let mut parts = vec![text(format!("role {}", role.name.name))];
    parts.extend(role.title.as_ref().map(|title| text(quoted(title))));
    parts.extend(role.members.as_ref().map(|members| word("=", members)));
    parts
}

/// On one line, or each setting on its own: for comments, empty lines, and where one line is too long.
fn provider(lines: &mut Lines, provider: &Provider, trailing: &[Comment]) {
    let start = format!("provider {} = {} ", provider.name.name, provider.kind.name);
    let commented = |e: &crate::syntax::ast::Entry| {
        let comments = &e.comments;
        !comments.leading.is_empty() || !comments.trailing.is_empty() || comments.blank_before
    };
    let plain = provider.trailing.is_empty() && !provider.settings.iter().any(commented);
    if plain && let Some(line) = provider_line(&start, provider) {
        lines.add(&line);
        return lines.behind(trailing);
    }
    lines.add(&format!("{start}{{"));
    lines.indented(|lines| {
        for setting in &provider.settings {
            lines.leading(&setting.comments);
            lines.add_doc(&entry(setting));
            lines.behind(&setting.comments.trailing);
        }
        lines.comments(&provider.trailing);
    });
    lines.add("}");
    lines.behind(trailing);
}

fn provider_line(start: &str, provider: &Provider) -> Option<String> {
    if provider.settings.is_empty() {
        return Some(format!("{start}{{}}"));
    }
    let settings: Vec<String> = provider
        .settings
        .iter()
        .map(|s| render(&entry(s), 0))
        .collect();
    let line = format!("{start}{{ {} }}", settings.join(", "));
    (!line.contains('\n') && line.chars().count() <= WIDTH).then_some(line)
}
