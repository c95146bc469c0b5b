//! What is known of a plan before it is carried out.

use crate::analyze::coverage::{coverage, no_return};
use crate::analyze::timing::line::Line;
use crate::analyze::timing::{rollback, samples};
use crate::plan::Plan;
use crate::plan::facts::Facts;
use crate::plan::graph::Graph;

/// Of a plan whose edges are filled in; `None` where there is a cycle.
pub fn facts(plan: &Plan) -> Option<Facts> {
    let graph = Graph::of(&plan.nodes);
    let line = Line::new(plan, &graph)?;
    Some(Facts {
        times: line.times(),
        rollback: rollback::longest(plan, &graph),
        coverage: coverage(plan),
        no_return: no_return(plan, &graph),
        samples: samples::counts(plan),
    })
}

#[cfg(test)]
mod tests {
    use crate::analyze::facts::facts;
    use crate::analyze::order::fill;
    use crate::analyze::timing::morning::morning;
    use crate::plan::draft::{Draft, HOUR_NS, MINUTE_NS, compare, metric, notice, ratio, rule};
    use crate::plan::expr::Scope;
    use crate::plan::node::{NodeId, NodeKind, UndoPlan};
    use crate::plan::print::print;
    use crate::plan::{Action, Loc, NoData, SourceMap, Window};
    use crate::syntax::ast::CompareOp;
    use crate::values::Instant;

    fn find(draft: &Draft, path: &str) -> NodeId {
        let node = draft.plan.nodes.iter().find(|node| node.path == path);
        node.unwrap().id
    }

    /// The titles and ids of the list that the day comes from.
    fn entitle(draft: &mut Draft) {
        let titles = [
            ("preflight", "Phase 1: Pre-Deployment"),
            ("preflight/online", "All team members online"),
            ("deploy/release", "Deployment started"),
            ("deploy/starting", "Pods starting: Monitor events"),
            ("rollout/canary/stage-10", "10% Traffic (First pod)"),
            ("rollout/canary/stage-10/errors", "Error rate normal"),
            ("declare/go_live", "Team confident"),
            ("first_day/all/hourly", "Continue hourly checks"),
        ];
        for (at, (path, title)) in titles.iter().enumerate() {
            let id = find(draft, path);
            draft.node(id).title = Some((*title).to_owned());
            draft.node(id).refs = vec![format!("X0-0{}", 84 + at)];
        }
    }

    #[test]
    fn the_printed_plan_of_a_deployment_day() {
        let mut draft = morning();
        entitle(&mut draft);
        let (deploy, rollout) = (find(&draft, "deploy"), find(&draft, "rollout"));
        let first_day = find(&draft, "first_day");
        let space = draft.step(deploy, "space", "x0tta6bl4");
        draft.edit_step(space).undo = UndoPlan::Keep {
            why: "a namespace is never deleted".to_owned(),
        };
        draft.notify(deploy, "Maintenance in Progress");
        let tick = find(&draft, "first_day/all/hourly");
        let worse = compare(metric(0, Scope::None), CompareOp::Ge, ratio(1));
        let when = draft.add(Some(tick), "when", NodeKind::When(worse));
        draft.notify(when, "Degraded");
        let over = compare(metric(0, Scope::Canary), CompareOp::Gt, ratio(100));
        let mut critical = rule(over.clone(), 0, vec![Action::Rollback]);
        critical.label = Some("critical".to_owned());
        critical.text = "canary.error_rate > 10%".into();
        let mut medium = rule(over, 5 * MINUTE_NS, vec![Action::Notify(notice("look"))]);
        medium.label = Some("medium".to_owned());
        medium.text = "1% <= canary.error_rate <= 5%".into();
        let watch = draft.watch(rollout, first_day, vec![critical, medium]);
        watch.title = "Rollback Decision Criteria".to_owned();
        watch.no_data = Some(NoData {
            after_ns: 2 * MINUTE_NS,
            actions: vec![Action::Notify(notice("blind"))],
            loc: crate::plan::LocId(0),
        });
        draft.role("engineer", &["ana", "ben"]);
        draft.role("manager", &[]);
        draft.plan.title = "x0tta6bl4 go-live".to_owned();
        draft.plan.deadline_ns = Some(30 * HOUR_NS);
        draft.plan.window = Some(Window {
            from: Instant(0),
            to: Instant(31 * HOUR_NS),
        });
        fill(&mut draft.plan);
        let place = |line| Loc {
            file: "x0tta6bl4.deploy".to_owned(),
            line,
            column: 1,
            start: 0,
            end: 0,
        };
        let map = SourceMap {
            places: (0..200).map(place).collect(),
        };
        let text = print(&draft.plan, &facts(&draft.plan).unwrap(), &map);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        insta::assert_snapshot!(text);
    }
}
