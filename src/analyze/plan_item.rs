//! The `plan` item: what holds for everything in it.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr::{constant, instant};
use crate::analyze::lower::policy;
use crate::analyze::messages::structure as say;
use crate::plan::{Policies, Window};
use crate::syntax::ast::{ExprKind, PlanItem, Setting, StmtKind};
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
    pub deadline_ns: Option<i64>,
}

impl Default for PlanSettings {
    fn default() -> PlanSettings {
        PlanSettings {
            zone: None,
            sample_ns: SAMPLE_NS,
            samples: 1,
            window: None,
            deadline_ns: None,
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
    for stmt in &plan.body.stmts {
        if !matches!(
            stmt.kind,
            StmtKind::Setting(_) | StmtKind::Policy(_) | StmtKind::Junk
        ) {
            cx.report(say::misplaced(
                stmt,
                "in `plan`, which holds settings and policies",
            ));
        }
    }
    read
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
            [crate::syntax::ast::StringPart::Text(text)] => instant::read_offset(text),
            _ => None,
        },
        _ => None,
    }
}
