//! What changes a digest, and what does not.

use crate::plan::digest::{digest, json, meaning};
use crate::plan::draft::{
    Draft, HOUR_NS, MINUTE_NS, compare, datum, metric, notice, pause, ratio, rule, text,
};
use crate::plan::expr::{Datum, Expr, Scope};
use crate::plan::node::{CheckMode, EdgeWhy, NodeId, NodeKind};
use crate::plan::{Action, Input, Let, LocId, Placement, Plan, Policy, Setting};
use crate::syntax::ast::CompareOp;
use crate::units::Dim;
use crate::units::amount::Quantity;
use crate::values::Value;
use proptest::prelude::*;

/// A plan with something of everything, its phases and metrics in the given order.
fn plan(phases: [usize; 3], metrics: [usize; 2]) -> Plan {
    let mut draft = Draft::blank();
    let names = ["deploy", "observe", "rollout"];
    let mut ids = [NodeId(0); 3];
    for at in phases {
        ids[at] = draft.phase(names[at]);
    }
    let [deploy, observe, rollout] = ids;
    let mut index = [0; 2];
    for at in metrics {
        index[at] = draft.metric(["error_rate", "p95"][at], Dim::Ratio);
    }
    let step = draft.step(deploy, "release", "api");
    let canary = draft.canary(rollout, "canary", step);
    let stage = draft.stage(canary, 100, MINUTE_NS);
    let below = |metric_index, scope| compare(metric(metric_index, scope), CompareOp::Lt, ratio(1));
    let check = draft.check_of(
        stage,
        "errors",
        CheckMode::Stage { for_ns: 0 },
        below(index[0], Scope::Canary),
    );
    draft.node(check).policies.error = Some(pause(MINUTE_NS, 40 + phases[0] as u32, Policy::Stop));
    draft.check_of(
        observe,
        "p95",
        CheckMode::Once,
        below(index[1], Scope::None),
    );
    draft.check_of(observe, "took", CheckMode::Once, datum(step, Datum::Took));
    draft.wait(observe, rollout, EdgeWhy::Order);
    draft.wait(rollout, deploy, EdgeWhy::Order);
    let over = compare(metric(index[0], Scope::All), CompareOp::Gt, ratio(50));
    draft.watch(
        rollout,
        observe,
        vec![rule(over, 0, vec![Action::Rollback])],
    );
    draft.verify("back", CheckMode::Once, datum(step, Datum::Before));
    draft.rollback(MINUTE_NS).notices.push(notice("back"));
    draft.rollback(MINUTE_NS).during = Some((deploy, observe));
    draft.plan
}

fn base() -> Plan {
    plan([0, 1, 2], [0, 1])
}

#[test]
fn moving_phases_and_metrics_changes_nothing() {
    let wanted = meaning(&base());
    for phases in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        for metrics in [[0, 1], [1, 0]] {
            assert_eq!(meaning(&plan(phases, metrics)), wanted);
        }
    }
    assert!(digest(&base()).starts_with("sha256:") && digest(&base()).len() == 71);
}

#[test]
fn places_in_the_text_are_no_part_of_it() {
    let mut moved = base();
    for node in &mut moved.nodes {
        node.loc = LocId(node.loc.0 + 100);
        for edge in &mut node.after {
            edge.loc = LocId(9_000);
        }
    }
    moved.watches[0].rules[0].loc = LocId(7);
    assert_eq!(digest(&moved), digest(&base()));
}

#[test]
fn which_pauses_share_their_time_is_part_of_it() {
    let with = |places: [u32; 2]| {
        let mut draft = Draft::blank();
        let phase = draft.phase("deploy");
        for (name, place) in ["a", "b"].iter().zip(places) {
            let check = draft.check(phase, name);
            draft.node(check).policies.fail = Some(pause(HOUR_NS, place, Policy::Stop));
        }
        digest(&draft.plan)
    };
    assert_eq!(with([3, 3]), with([8, 8]));
    assert_eq!(with([1, 2]), with([5, 9]));
    assert_ne!(with([3, 3]), with([3, 4]));
}

#[test]
fn what_differs_between_environments_is_no_part_of_it() {
    let mut draft = Draft { plan: base() };
    draft.set("prom", "url", Value::String("https://staging".to_owned()));
    draft.set("cluster", "namespace", Value::String("staging".to_owned()));
    let secret = Setting::SecretEnv("SLACK".to_owned());
    draft.plan.providers[3]
        .settings
        .insert("webhook".to_owned(), secret);
    assert_eq!(digest(&draft.plan), digest(&base()));
    draft.set(
        "prom",
        "timeout",
        Value::Quantity(Quantity::exact(Dim::Duration, i128::from(MINUTE_NS))),
    );
    assert_ne!(digest(&draft.plan), digest(&base()));
}

#[test]
fn the_value_of_an_input_that_is_a_place_is_no_part_of_it() {
    let with = |place, default: &str| {
        let mut plan = base();
        plan.inputs.push(Input {
            name: "host".to_owned(),
            ty: "string".to_owned(),
            default: Some(Value::String(default.to_owned())),
            most: None,
            place,
            loc: LocId(0),
        });
        digest(&plan)
    };
    assert_eq!(with(Placement::Varies, "a"), with(Placement::Varies, "b"));
    assert_ne!(with(Placement::Fixed, "a"), with(Placement::Fixed, "b"));
}

#[test]
fn what_is_done_otherwise_has_another_digest() {
    type Change = (&'static str, fn(&mut Plan));
    let changes: [Change; 9] = [
        ("title", |plan| plan.title.push('!')),
        ("bound", |plan| plan.watches[0].rules[0].for_ns = 1),
        ("sampling", |plan| plan.sample_ns += 1),
        ("budget", |plan| {
            plan.rollback.as_mut().unwrap().within_ns += 1
        }),
        ("edge", |plan| {
            let observe = plan.nodes.iter_mut().find(|node| node.path == "observe");
            observe.unwrap().after.clear();
        }),
        ("file", |plan| {
            plan.files
                .insert("k8s/api.yaml".to_owned(), "kind: Service".to_owned());
        }),
        ("name of a setting that is not declared", |plan| {
            let value = Setting::Value(Value::Bool(true));
            plan.providers[0].settings.insert("new".to_owned(), value);
        }),
        ("semantics", |plan| plan.semantics += 1),
        ("let", |plan| {
            plan.lets.push(Let {
                name: "x".to_owned(),
                value: text("x"),
                loc: LocId(0),
            });
        }),
    ];
    for (what, change) in changes {
        let mut changed = base();
        change(&mut changed);
        assert_ne!(digest(&changed), digest(&base()), "{what}");
    }
}

#[test]
fn numbers_follow_the_lets_that_they_name() {
    let with = |names: [&str; 2]| {
        let mut draft = Draft::blank();
        for name in names {
            draft.plan.lets.push(Let {
                name: name.to_owned(),
                value: text(name),
                loc: LocId(0),
            });
        }
        let at = names.iter().position(|name| *name == "a").unwrap();
        let read = Expr::Let(u32::try_from(at).unwrap());
        let phase = draft.phase("deploy");
        draft.check_of(phase, "check", CheckMode::Once, read);
        digest(&draft.plan)
    };
    assert_eq!(with(["a", "b"]), with(["b", "a"]));
}

/// A small plan of random shape.
fn any_plan() -> impl Strategy<Value = Plan> {
    let item = (0..6_u8, 0..5_usize, any::<i64>(), "[a-z\"\\\\é\u{1}]{0,8}");
    proptest::collection::vec(item, 0..24).prop_map(|items| {
        let mut draft = Draft::blank();
        let phases = draft.chain(&["a", "b", "c", "d", "e"]);
        let index = draft.metric("m", Dim::Duration);
        for (at, (kind, phase, number, word)) in items.into_iter().enumerate() {
            let phase = phases[phase];
            let name = format!("item{at}");
            let id = match kind {
                0 => draft.hold(phase, &name, number),
                1 => draft.step(phase, &name, &word),
                2 => draft.confirm(phase, &name, number),
                3 => draft.notify(phase, &name),
                4 => draft.add(Some(phase), &name, NodeKind::When(text(&word))),
                _ => {
                    let bound = Value::measured(Dim::Duration, f64::from_bits(number as u64));
                    let bound = compare(
                        metric(index, Scope::All),
                        CompareOp::Le,
                        Expr::Literal(bound),
                    );
                    draft.check_of(phase, &name, CheckMode::For { ns: number }, bound)
                }
            };
            draft.node(id).title = Some(word);
            draft.node(id).policies.fail = Some(pause(number, at as u32 % 3, Policy::Warn));
        }
        draft.plan
    })
}

/// The same JSON with its keys the other way round, and white space between them.
fn turned(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => {
            let fields = fields.iter().rev();
            serde_json::Value::Object(fields.map(|(k, v)| (k.clone(), turned(v))).collect())
        }
        serde_json::Value::Array(items) => items.iter().map(turned).collect(),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_plan_is_read_back_as_it_was(plan in any_plan()) {
        let text = json(&plan);
        let back: Plan = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(json(&back), text);
        prop_assert_eq!(format!("{back:?}"), format!("{plan:?}"));
        prop_assert_eq!(digest(&back), digest(&plan));
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_of_keys_or_on_white_space(plan in any_plan()) {
        let other = turned(&serde_json::to_value(&plan).unwrap());
        let spread = serde_json::to_string_pretty(&other).unwrap();
        prop_assert_ne!(&spread, &json(&plan));
        let back: Plan = serde_json::from_str(&spread).unwrap();
        prop_assert_eq!(digest(&back), digest(&plan));
    }
}
