//! Whether the stages of a canary can be had with the replicas that there are, and have what they are compared with.

use crate::analyze::order::check::name;
use crate::analyze::order::objects::applied;
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::canary::{BASELINE_GONE, WEIGHT_INEXPRESSIBLE};
use crate::plan::Plan;
use crate::plan::expr::Scope;
use crate::plan::node::{Canary, Node, NodeKind, Stage};
use crate::plan::walk::{of_node, reads};
use crate::providers::kubernetes::canary::{achieved, canary_pods, fits};
use crate::providers::manifest::Object;
use crate::units::Dim;
use crate::units::amount::{NANO, Nano, Quantity};
use crate::units::show::quantity;

pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &plan.nodes {
        let NodeKind::Canary(canary) = &node.kind else {
            continue;
        };
        let replicas = replicas(plan, canary);
        for stage_node in node.children.iter().filter_map(|id| plan.node(*id)) {
            let NodeKind::Stage(stage) = &stage_node.kind else {
                continue;
            };
            if let Some((object, replicas)) = &replicas {
                found.extend(weight(places, stage_node, stage, object, *replicas));
            }
            if stage.weight.0 >= NANO {
                found.extend(baseline(plan, places, stage_node));
            }
        }
    }
    found
}

/// Of the one Deployment that is released dark. With several, or a number that somebody else sets, it is not known.
fn replicas(plan: &Plan, canary: &Canary) -> Option<(Object, u32)> {
    let NodeKind::Step(step) = &plan.node(canary.step)?.kind else {
        return None;
    };
    let mut deployments = applied(plan, &step.call)
        .into_iter()
        .filter(|object| object.kind == "Deployment");
    let deployment = deployments.next()?;
    let replicas = deployment.replicas?;
    deployments
        .next()
        .is_none()
        .then_some((deployment, replicas))
}

fn weight(
    places: &Places,
    node: &Node,
    stage: &Stage,
    object: &Object,
    replicas: u32,
) -> Option<Diagnostic> {
    let here = places.span(node.loc);
    let wanted = percent(stage.weight);
    let note = format!(
        "`{}` has {replicas} replicas in {}:{}; the new pods stand beside all of them",
        object.name, object.place.file, object.place.line
    );
    let (message, help) = match stage.pods {
        // At 100% the old pods take none, however many the new ones are.
        Some(_) if stage.weight.0 >= NANO => return None,
        Some(pods) if fits(pods, replicas, stage.weight, stage.tolerance) => return None,
        Some(pods) => {
            let share = achieved(pods, replicas);
            let message = format!(
                "{pods} of {} pods are {}, not {wanted}",
                u64::from(pods) + u64::from(replicas),
                percent(share)
            );
            let help = format!("write `stage {}`, or leave `pods` out", percent(share));
            (message, help)
        }
        None => {
            let refused = canary_pods(replicas, stage.weight, stage.tolerance).err()?;
            let shares = refused.nearest.iter().map(|(_, share)| *share);
            let nearest = shares.min_by_key(|share| (share.0 - stage.weight.0).abs());
            let tolerance = nearest.map(|share| points(Nano((share.0 - stage.weight.0).abs())));
            let help = match tolerance {
                Some(points) => format!("write `stage {wanted} ± {points}`, or another weight"),
                None => "write another weight".to_owned(),
            };
            (refused.to_string(), help)
        }
    };
    Some(
        Diagnostic::new(&WEIGHT_INEXPRESSIBLE, here, message)
            .help(help)
            .note(note),
    )
}

/// At 100% the old version gets no requests, so nothing can be compared with it.
fn baseline(plan: &Plan, places: &Places, stage: &Node) -> Option<Diagnostic> {
    let node = stage
        .children
        .iter()
        .filter_map(|id| plan.node(*id))
        .find(|node| {
            let reads = reads(plan, of_node(node));
            let judged = matches!(node.kind, NodeKind::Check(_));
            judged
                && reads
                    .metrics
                    .iter()
                    .any(|(_, scope)| *scope == Scope::Stable)
        })?;
    let message = format!(
        "{} compares with a version that gets no requests any more",
        name(node)
    );
    Some(
        Diagnostic::new(&BASELINE_GONE, places.span(node.loc), message)
            .label("reads `stable.`")
            .and(
                places.span(stage.loc),
                "all of the traffic is on the new version",
            )
            .help("compare in an earlier stage; here, write a bound"),
    )
}

fn percent(weight: Nano) -> String {
    quantity(Quantity::exact(Dim::Ratio, hundredths(weight)))
}

/// A tolerance that is just enough, in percentage points.
fn points(distance: Nano) -> String {
    let up = distance.0 + (STEP - distance.0.rem_euclid(STEP)) % STEP;
    let text = quantity(Quantity::exact(Dim::Ratio, up));
    format!("{}pp", text.trim_end_matches('%'))
}

/// Two decimals of a percent.
const STEP: i128 = NANO / 10_000;

/// Rounded to two decimals of a percent.
fn hundredths(part: Nano) -> i128 {
    (part.0 + STEP / 2) / STEP * STEP
}

#[cfg(test)]
mod tests {
    use crate::analyze::canary::check;
    use crate::analyze::places::Places;
    use crate::plan::draft::{Draft, MINUTE_NS, call, compare, metric, text};
    use crate::plan::expr::Scope;
    use crate::plan::node::{CheckMode, NodeId, NodeKind};
    use crate::syntax::ast::CompareOp;
    use crate::units::Dim;
    use crate::units::amount::{NANO, Nano};

    fn manifest(replicas: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  {replicas}\n  selector:\n    \
             matchLabels: {{app: api}}\n  template:\n    metadata:\n      labels: {{app: api}}\n    spec:\n      \
             containers: [{{name: api, image: \"api:1\"}}]\n"
        )
    }

    /// A canary with one stage beside so many replicas.
    fn staged(replicas: &str, percent: i128) -> (Draft, NodeId) {
        let mut draft = Draft::blank();
        draft
            .plan
            .files
            .insert("api.yaml".to_owned(), manifest(replicas));
        let phase = draft.phase("rollout");
        let step = draft.step(phase, "release", "api");
        draft.edit_step(step).call = call("cluster", "apply", &[("path", text("api.yaml"))]);
        let canary = draft.canary(phase, "canary", step);
        let stage = draft.stage(canary, percent, MINUTE_NS);
        (draft, stage)
    }

    fn messages(draft: &Draft) -> Vec<String> {
        let found = check(&draft.plan, &Places::default()).into_iter();
        found
            .map(|found| format!("{}\n{}", found.message, found.help.unwrap_or_default()))
            .collect()
    }

    fn edit(draft: &mut Draft, stage: NodeId, change: fn(&mut crate::plan::node::Stage)) {
        if let NodeKind::Stage(stage) = &mut draft.node(stage).kind {
            change(stage);
        }
    }

    #[test]
    fn a_weight_that_replicas_cannot_express_is_refused_with_what_they_can() {
        assert_eq!(messages(&staged("replicas: 9", 10).0), Vec::<String>::new());
        let (mut draft, stage) = staged("replicas: 7", 10);
        insta::assert_snapshot!(messages(&draft)[0], @r"
beside 7 old pods, 10% of the traffic takes no whole number of new ones: 1 is 12.5%; 9 replicas can express it
write `stage 10% ± 2.5pp`, or another weight
");
        edit(&mut draft, stage, |stage| {
            stage.tolerance = Nano(3 * NANO / 100)
        });
        assert_eq!(messages(&draft), Vec::<String>::new());
    }

    #[test]
    fn a_number_of_pods_makes_its_own_weight() {
        let (mut draft, stage) = staged("replicas: 7", 50);
        edit(&mut draft, stage, |stage| stage.pods = Some(7));
        assert_eq!(messages(&draft), Vec::<String>::new());
        edit(&mut draft, stage, |stage| stage.pods = Some(3));
        insta::assert_snapshot!(messages(&draft)[0], @r"
3 of 10 pods are 30%, not 50%
write `stage 30%`, or leave `pods` out
");
        edit(&mut draft, stage, |stage| stage.weight = Nano(NANO));
        assert_eq!(messages(&draft), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_known_is_not_judged() {
        // An autoscaler may own the number.
        assert_eq!(
            messages(&staged("paused: false", 10).0),
            Vec::<String>::new()
        );
        let (mut draft, _) = staged("replicas: 7", 10);
        let two = manifest("replicas: 7").replace("name: api\nspec", "name: web\nspec");
        let both = format!("{}---\n{two}", manifest("replicas: 7"));
        draft.plan.files.insert("api.yaml".to_owned(), both);
        assert_eq!(messages(&draft), Vec::<String>::new());
    }

    #[test]
    fn at_the_end_there_is_no_baseline() {
        let with = |percent, scope| {
            let (mut draft, stage) = staged("replicas: 4", percent);
            draft.metric("error_rate", Dim::Ratio);
            let worse = compare(metric(0, Scope::Canary), CompareOp::Le, metric(0, scope));
            draft.check_of(stage, "errors", CheckMode::Stage { for_ns: 0 }, worse);
            messages(&draft).len()
        };
        assert_eq!(with(50, Scope::Stable), 0);
        assert_eq!(with(100, Scope::Stable), 1);
        assert_eq!(with(100, Scope::All), 0);
    }
}
