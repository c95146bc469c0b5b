//! The `plan` item: what holds for everything in it.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr::{constant, instant, text};
use crate::analyze::lower::{nodes, policy};
use crate::analyze::messages::structure as say;
use crate::plan::{Concurrent, Freeze, Policies, Window};
use crate::source::Span;
use crate::syntax::ast::settings::{self, ConcurrentHow};
use crate::syntax::ast::{self, ExprKind, PlanItem, Setting, StmtKind};
use jiff::tz::Offset;

const SECOND_NS: i64 = 1_000_000_000;

/// How often metrics are looked at where the plan does not say.
const SAMPLE_NS: i64 = 15 * SECOND_NS;

/// What items take from the plan. The policies' places belong to the fragment of whoever uses them, so the tree is kept.
#[derive(Clone, Debug)]
pub struct PlanSettings {
    pub zone: Option<Offset>,
    pub sample_ns: i64,
    /// Valid samples that a pass on a metric needs.
    pub samples: u32,
    pub window: Option<Window>,
    pub freezes: Vec<Freeze>,
    pub deadline_ns: Option<i64>,
    pub concurrent: Concurrent,
}

impl Default for PlanSettings {
    fn default() -> PlanSettings {
        PlanSettings {
            zone: None,
            sample_ns: SAMPLE_NS,
            samples: 1,
            window: None,
            freezes: Vec::new(),
            deadline_ns: None,
            concurrent: Concurrent::Reject,
        }
    }
}

/// The zone decides how all other moments are read, so it is found before anything else.
pub fn zone(plan: &PlanItem) -> Option<Offset> {
    let settings = settings(plan);
    let zone = settings
        .into_iter()
        .find(|setting| setting.word.name == "zone")?;
    zone_of(zone)
}

/// Everything but the policies.
pub fn read(cx: &mut Cx<'_, '_>, plan: &PlanItem) -> PlanSettings {
    let env = Env::default();
    let mut read = PlanSettings {
        zone: zone(plan),
        ..PlanSettings::default()
    };
    let mut seen: Vec<&Setting> = Vec::new();
    for setting in settings(plan) {
        if let Some(first) = seen
            .iter()
            .find(|first| first.word.name == setting.word.name)
        {
            cx.report(say::doubled(
                &setting.word.name,
                setting.word.span,
                first.word.span,
            ));
            continue;
        }
        seen.push(setting);
        let value = &setting.value;
        match setting.word.name.as_str() {
            "zone" if read.zone.is_none() => cx.report(say::unknown_zone(value.span)),
            "zone" => {}
            "window" => {
                let window = constant::interval(cx, &env, value, "the plan's window");
                read.window = window.map(|(from, to)| Window { from, to });
            }
            "deadline" => {
                read.deadline_ns = constant::duration_ns(cx, &env, value, "the plan's deadline");
            }
            "sample" => {
                let every = constant::duration_ns(cx, &env, value, "the time between two samples");
                read.sample_ns = every.unwrap_or(SAMPLE_NS);
            }
            "samples" => {
                let samples = constant::count(cx, &env, value, "the number of samples");
                read.samples = samples.unwrap_or(1);
            }
            _ => {
                let known = ["zone", "window", "deadline", "sample every", "samples"];
                cx.report(say::unknown_setting(&setting.word, "a plan", &known));
            }
        }
    }
    let mut first: Option<Span> = None;
    for stmt in &plan.body.stmts {
        match &stmt.kind {
            StmtKind::Setting(_) | StmtKind::Policy(_) | StmtKind::Junk => {}
            StmtKind::Freeze(freeze) => read.freezes.extend(self::freeze(cx, freeze)),
            StmtKind::Concurrent(written) => match first {
                Some(first) => cx.report(say::doubled("concurrent runs", stmt.span, first)),
                None => {
                    first = Some(stmt.span);
                    read.concurrent = concurrent(cx, written, stmt.span);
                }
            },
            _ => cx.report(say::misplaced(
                stmt,
                "in `plan`, which holds settings and policies",
            )),
        }
    }
    read
}

fn freeze(cx: &mut Cx<'_, '_>, freeze: &settings::Freeze) -> Option<Freeze> {
    let env = Env::default();
    let head = &freeze.head;
    let title = head.title.as_ref();
    let title = title.and_then(|title| text::title(cx, &env, title));
    let (from, to) = constant::interval(cx, &env, &freeze.window, "a freeze")?;
    Some(Freeze {
        title,
        refs: nodes::refs(head),
        window: Window { from, to },
    })
}

fn concurrent(cx: &mut Cx<'_, '_>, written: &settings::Concurrent, span: Span) -> Concurrent {
    let (word, up_to) = match &written.how {
        ConcurrentHow::Reject => return Concurrent::Reject,
        ConcurrentHow::Queue { up_to } => ("queue", up_to),
        ConcurrentHow::Replace { up_to } => ("replace", up_to),
    };
    let Some(up_to) = up_to else {
        cx.report(say::missing_time(
            span,
            "it is not said how long a run waits for the other one",
            &format!("write `concurrent runs {word} up to T`"),
        ));
        return Concurrent::Reject;
    };
    let what = "the time that a run waits for another one";
    let up_to_ns = constant::duration_ns(cx, &Env::default(), up_to, what);
    match (up_to_ns, &written.how) {
        (None, _) => Concurrent::Reject,
        (Some(up_to_ns), ConcurrentHow::Replace { .. }) => Concurrent::Replace { up_to_ns },
        (Some(up_to_ns), _) => Concurrent::Queue { up_to_ns },
    }
}

/// The policies that hold wherever nothing nearer is written.
pub fn policies(cx: &mut Cx<'_, '_>, plan: Option<&PlanItem>) -> Policies {
    let none = policy::none();
    match plan {
        Some(plan) => policy::of_block(cx, &Env::default(), &plan.body, &none),
        None => none,
    }
}

fn settings(plan: &PlanItem) -> Vec<&Setting> {
    plan.body
        .stmts
        .iter()
        .filter_map(|stmt| match &stmt.kind {
            StmtKind::Setting(setting) => Some(setting),
            _ => None,
        })
        .collect()
}

/// `UTC`, or an offset as a string. Names of places would depend on the tables of the machine.
fn zone_of(setting: &Setting) -> Option<Offset> {
    match &setting.value.kind {
        ExprKind::Name(name) => instant::read_offset(name),
        ExprKind::String(string) => match string.parts.as_slice() {
            [ast::StringPart::Text(text)] => instant::read_offset(text),
            _ => None,
        },
        _ => None,
    }
}
