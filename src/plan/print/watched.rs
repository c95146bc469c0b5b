//! What watches the run, and what it does then.

use crate::plan::print::expr::node_name;
use crate::plan::print::happens::refs;
use crate::plan::print::layout::{column, heading, line, time};
use crate::plan::{Action, Plan, Policy, Rule, Watch};

pub fn watched(out: &mut String, plan: &Plan) {
    if plan.watches.is_empty() {
        return;
    }
    heading(out, "WHAT WATCHES", "");
    for watch in &plan.watches {
        head(out, plan, watch);
        let mut section = None;
        for rule in &watch.rules {
            if rule.section != section {
                section = rule.section;
                section_head(out, watch, section);
            }
            self::rule(out, rule);
        }
        match &watch.no_data {
            Some(no_data) => {
                let text = format!("no data for {}", time(no_data.after_ns));
                column(out, 4, "", 8, &text, &actions(&no_data.actions));
            }
            None => column(out, 4, "", 8, "no data", "nothing is said"),
        }
    }
}

fn head(out: &mut String, plan: &Plan, watch: &Watch) {
    let from = node_name(plan, watch.from);
    let to = node_name(plan, watch.to);
    let during = match from == to {
        true => from,
        false => format!("{from} .. {to}"),
    };
    let text = format!("{}{}", watch.title, refs(&watch.refs));
    line(
        out,
        2,
        &text,
        &format!("{during}, every {}", time(watch.sample_ns)),
    );
}

/// `[Immediately] A-3`, with the sections around it.
fn section_head(out: &mut String, watch: &Watch, mut section: Option<u32>) {
    let mut titles = Vec::new();
    let mut ids = Vec::new();
    while let Some(own) = section.and_then(|at| watch.sections.get(at as usize)) {
        titles.extend(own.title.clone());
        ids.splice(0..0, own.refs.iter().cloned());
        // One stands before what is inside of it, so this ends.
        section = own.inside.filter(|inside| Some(*inside) < section);
    }
    titles.reverse();
    if !titles.is_empty() {
        let text = format!("[{}]{}", titles.join(": "), refs(&ids));
        line(out, 4, &text, "");
    }
}

fn rule(out: &mut String, rule: &Rule) {
    let title = rule.title.as_ref().map(|title| format!("{title}: "));
    let mut text = format!("{}{}", title.unwrap_or_default(), rule.text);
    if rule.for_ns > 0 {
        text.push_str(&format!(" for {}", time(rule.for_ns)));
    }
    text.push_str(&refs(&rule.refs));
    let label = rule.label.as_deref().unwrap_or("");
    column(out, 4, label, 8, &text, &actions(&rule.actions));
}

fn actions(actions: &[Action]) -> String {
    let words: Vec<String> = actions
        .iter()
        .map(|action| match action {
            Action::Rollback => "-> ROLLBACK".to_owned(),
            Action::Pause { up_to_ns, then } => {
                format!("-> pause up to {} then {}", time(*up_to_ns), policy(then))
            }
            Action::Notify(notice) => format!("-> tell {}", notice.provider),
        })
        .collect();
    words.join(" ")
}

pub fn policy(policy: &Policy) -> String {
    match policy {
        Policy::Stop => "stop".to_owned(),
        Policy::Rollback => "rollback".to_owned(),
        Policy::Warn => "warn".to_owned(),
        Policy::Pause { up_to_ns, then, .. } => {
            format!(
                "pause up to {} then {}",
                time(*up_to_ns),
                self::policy(then)
            )
        }
        Policy::Extend { up_to_ns, then, .. } => {
            format!(
                "extend up to {} then {}",
                time(*up_to_ns),
                self::policy(then)
            )
        }
    }
}
