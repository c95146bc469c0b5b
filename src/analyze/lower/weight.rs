//! Whether the pods that a release has can make the weights of its canary.

use crate::analyze::context::Cx;
use crate::analyze::manifest;
use crate::analyze::messages::structure as say;
use crate::providers::kubernetes::canary::{achieved, canary_pods, fits};
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, ExprKind, Step, StringPart};
use crate::units::amount::{NANO, Nano};

/// The weight that a stage asks for, by replicas.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub weight: Nano,
    pub tolerance: Nano,
    /// `pods N`, and where.
    pub pods: Option<(u32, Span)>,
    pub span: Span,
}

/// Says so where a weight takes no whole number of pods beside the old ones.
pub fn check(cx: &mut Cx<'_, '_>, wanted: Wanted, replicas: Option<u32>) {
    let Some(stable) = replicas.filter(|stable| *stable > 0) else {
        return;
    };
    if wanted.weight.0 <= 0 || wanted.weight.0 >= NANO {
        return;
    }
    match wanted.pods {
        Some((pods, span)) => {
            if !fits(pods, stable, wanted.weight, wanted.tolerance) {
                let makes = achieved(pods, stable);
                cx.report(say::pods_of_other_weight(
                    span,
                    pods,
                    stable,
                    makes,
                    wanted.span,
                ));
            }
        }
        None => {
            if let Err(why) = canary_pods(stable, wanted.weight, wanted.tolerance) {
                cx.report(say::inexpressible_weight(wanted.span, wanted.weight, &why));
            }
        }
    }
}

/// How many pods the released Deployment has, where its manifests say so and leave no choice.
pub fn replicas(cx: &Cx<'_, '_>, step: &Step) -> Option<u32> {
    let path = path_of(&step.call)?;
    let objects = manifest::objects(cx, &path);
    let mut deployments = objects.iter().filter(|object| object.kind == "Deployment");
    let only = deployments.next()?;
    match deployments.next() {
        Some(_) => None,
        None => only.replicas,
    }
}

/// The path of a call whose first parameter is one, where it is written out.
fn path_of(call: &Expr) -> Option<String> {
    let ExprKind::Call(_, args) = &call.kind else {
        return None;
    };
    let named = |arg: &&Arg| arg.label.as_ref().is_some_and(|label| label.name == "path");
    let first = args.first().filter(|arg| arg.label.is_none());
    let path = args.iter().find(named).or(first)?;
    match &path.value.kind {
        ExprKind::String(string) => match string.parts.as_slice() {
            [StringPart::Text(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}
