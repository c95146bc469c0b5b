//! What holds for the compiler as a whole, whatever the text.

use crate::analyze::compile::{Compiled, SourceText, compile};
use crate::analyze::files::InMemory;
use crate::plan::Plan;
use crate::plan::digest::digest;
use crate::plan::expr::{Expr, TemplatePart};
use crate::plan::node::{CheckMode, NodeKind};
use crate::plan::walk;
use proptest::prelude::*;
use std::collections::BTreeSet;

mod constants;
mod lowering;

const MANIFEST: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: demo }\nspec:\n  replicas: 4\n  \
    selector: { matchLabels: { app: demo } }\n  template:\n    metadata: { labels: { app: demo } }\n    spec:\n      \
    containers: [{ name: demo, image: 'example.com/demo:1.2' }]\n";

const PLAN: &str = r#"deploy 1

plan demo "Demo" {
  deadline 1d
  samples 4
  on fail rollback
  on error, inconclusive pause up to 5m then rollback
}

order deploy -> rollout

phase deploy {
  let before = cluster.deployment("demo").image
  check "Not yet" ref A-1 expect before != "example.com/demo:1.3"
  step release "Release" = cluster.apply("demo.yaml", traffic: 0%) timeout 5m undo timeout 2m
}

phase rollout {
  canary release undo timeout 2m {
    stage 50% "Half" {
      check "Healthy" expect canary.pods.healthy == 4 for 2m
      expect slo on canary
      hold 5m
    }
    stage 100% "All" {
      expect slo on canary
      hold 5m
    }
  }
  for path in ["/a", "/b"] { check "Answers: ${path}" expect api.up(path) }
}

watch "Errors" during rollout {
  no data for 2m => pause up to 10m then rollback
  critical when canary.error_rate > 10% => rollback
}

rollback within 30m {
  verify "Old image" expect cluster.deployment("demo").image == release.before.image
}

threshold slo {
  error_rate < 1%
  samples 8
  on no data for 1m stop
}

provider cluster = kubernetes { namespace: "demo" }
provider api = http { base: "https://api.example.com" }
provider prom = prometheus { url: "https://prometheus.example.com" }
metric error_rate: ratio = failed / requests
metric failed: rate<count> = prom.query(`sum(rate(f[1m]))`) in 1/s absent as 0/s
metric requests: rate<count> = prom.query(`sum(rate(r[1m]))`) in 1/s
"#;

fn compiled(text: &str) -> Compiled {
    let mut files = InMemory::default();
    files
        .files
        .insert("demo.yaml".to_owned(), MANIFEST.as_bytes().to_vec());
    let source = SourceText {
        name: "demo.deploy".to_owned(),
        text: text.to_owned(),
    };
    compile(vec![source], &files)
}

/// The plan of a text without errors.
fn planned(text: &str) -> Plan {
    let Compiled {
        plan, diagnostics, ..
    } = compiled(text);
    plan.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

#[test]
fn paths_are_unique_and_follow_the_text() {
    let plan = compiled(PLAN).plan.unwrap();
    let paths: Vec<&str> = plan.nodes.iter().map(|node| node.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "deploy",
            "deploy/A-1",
            "deploy/release",
            "rollout",
            "rollout/canary",
            "rollout/canary/stage-50",
            "rollout/canary/stage-50/check-1",
            "rollout/canary/stage-50/check-2",
            "rollout/canary/stage-100",
            "rollout/canary/stage-100/check-1",
            "rollout/check-1",
            "rollout/check-2",
            "rollback/verify-1",
        ]
    );
    for (index, node) in plan.nodes.iter().enumerate() {
        assert_eq!(node.id.0 as usize, index);
        for child in &node.children {
            assert_eq!(plan.node(*child).unwrap().parent, Some(node.id));
        }
    }
}

#[test]
fn every_id_in_a_plan_is_of_this_plan() {
    let compiled = compiled(PLAN);
    let plan = compiled.plan.as_ref().unwrap();
    let nodes = u32::try_from(plan.nodes.len()).unwrap();
    let lets = u32::try_from(plan.lets.len()).unwrap();
    for node in &plan.nodes {
        assert!((node.loc.0 as usize) < compiled.source_map().places.len());
        assert!(
            node.after.iter().all(|edge| edge.from.0 < nodes),
            "{}",
            node.path
        );
        for expr in walk::of_node(node) {
            walk::each(expr, &mut |part| match part {
                Expr::Node { node, .. } => assert!(node.0 < nodes),
                Expr::Let(index) => assert!(*index < lets),
                Expr::Metric { metric, .. } => assert!((*metric as usize) < plan.metrics.len()),
                _ => {}
            });
        }
    }
}

/// Of a plan, and of a phase: a `let` that is read once is another one than the next.
#[test]
fn each_let_is_read_by_itself() {
    let text = PLAN.replace(
        "  let before =",
        "  let now = cluster.deployment(\"demo\").replicas\n  let before =",
    );
    let text = text.replace(
        "before != \"example.com/demo:1.3\"",
        "now < some and some < more and before != \"x\"",
    );
    let text = format!(
        "{text}\nlet some = cluster.deployment(\"demo\").available\nlet more = cluster.nodes.ready\n"
    );
    let plan = planned(&text);
    let mut read = Vec::new();
    for expr in plan.nodes.iter().flat_map(walk::of_node) {
        walk::each(expr, &mut |part| {
            if let Expr::Let(index) = part {
                read.push(plan.lets[*index as usize].name.as_str());
            }
        });
    }
    assert_eq!(
        read,
        ["deploy/now", "some", "some", "more", "deploy/before"]
    );
}

/// Those of a threshold are one family, which shares its confidence; what stands by itself is one of its own.
#[test]
fn comparisons_share_the_confidence_of_their_threshold_alone() {
    const BOUNDS: [&str; 2] = [
        "error_rate no worse than stable.error_rate by 0.5pp",
        "requests near stable.requests by 30%",
    ];
    let families = |check: &str| -> Vec<u32> {
        let text = PLAN
            .replacen("      expect slo on canary\n", check, 1)
            .replace("failed / requests", "failed / requests lower is better");
        let plan = planned(&format!(
            "{text}\nthreshold same {{\n{}\n}}\n",
            BOUNDS.join("\n")
        ));
        let path = "rollout/canary/stage-50/check-2";
        let node = plan.nodes.iter().find(|node| node.path == path).unwrap();
        let NodeKind::Check(check) = &node.kind else {
            panic!("{node:?}")
        };
        let comparisons = walk::comparisons(&check.body).into_iter();
        comparisons.map(|one| one.family).collect()
    };
    let own = BOUNDS
        .map(|bound| format!("        expect canary.{bound}\n"))
        .concat();
    assert_eq!(families("      expect same on canary\n"), [1, 1]);
    assert_eq!(
        families(&format!("      check {{\n{own}      }}\n")),
        [1, 2]
    );
}

/// A define that only judges is one check, wherever it is called.
#[test]
fn a_call_of_a_define_by_itself_is_judged() {
    let text = PLAN.replace(
        "  for path in [",
        "  healthy(\"/c\")\n  check \"D\" = healthy(\"/d\")\n  for path in [",
    );
    let define = "define healthy(path: string) { expect api.up(path) }";
    let plan = planned(&format!("{text}\n{define}\n"));
    let bodies = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Check(check) if node.path.starts_with("rollout/check") => Some(&check.body),
        _ => None,
    });
    let clauses: Vec<usize> = bodies.map(|body| walk::clauses(body).len()).collect();
    assert_eq!(clauses, [1, 1, 1, 1]);
}

/// A text and a file are two lines; a file by itself is what it holds.
#[test]
fn a_message_says_its_text_and_then_its_file() {
    let text = format!(
        "{PLAN}\nprovider room = slack {{ webhook: secret(env \"ROOM\") }}\n\
         on success notify room \"Done\" ref A-9 \"Text\" file \"demo.yaml\"\n\
         on rolled_back notify room file \"demo.yaml\"\n"
    );
    let plan = planned(&text);
    let texts: Vec<String> = plan
        .handlers
        .iter()
        .map(|on| {
            let parts = on.notice.text.parts.iter().map(|part| match part {
                TemplatePart::Text(text) => text.as_str(),
                TemplatePart::Expr(_) => "?",
            });
            parts.collect()
        })
        .collect();
    let content = MANIFEST.trim_end();
    assert_eq!(texts, [format!("Text\n{content}"), content.to_owned()]);
}

#[test]
fn a_threshold_gives_its_samples_and_its_policy_to_the_check() {
    let plan = compiled(PLAN).plan.unwrap();
    let node = |path: &str| plan.nodes.iter().find(|node| node.path == path).unwrap();
    let slo = node("rollout/canary/stage-50/check-2");
    let NodeKind::Check(check) = &slo.kind else {
        panic!("{slo:?}")
    };
    assert_eq!(check.samples, 8);
    assert!(slo.policies.no_data.is_some());
    let healthy = node("rollout/canary/stage-50/check-1");
    let NodeKind::Check(check) = &healthy.kind else {
        panic!("{healthy:?}")
    };
    assert_eq!(check.samples, 1);
    assert_eq!(
        check.mode,
        CheckMode::Stage {
            for_ns: 120_000_000_000
        }
    );
    assert!(healthy.policies.no_data.is_none());
}

#[test]
fn moving_text_changes_no_digest_and_changing_a_bound_does() {
    let plan = |text: &str| digest(&compiled(text).plan.unwrap());
    let moved = PLAN.replace("phase rollout {", "// A comment.\n\n\nphase rollout   {");
    assert_eq!(plan(PLAN), plan(&moved));
    let changed = PLAN.replace("error_rate < 1%", "error_rate < 2%");
    assert_ne!(plan(PLAN), plan(&changed));
}

#[test]
fn one_policy_has_one_place_wherever_it_is_inherited() {
    let plan = compiled(PLAN).plan.unwrap();
    let places: BTreeSet<String> = plan
        .nodes
        .iter()
        .filter(|node| node.parent.is_some())
        .map(|node| format!("{:?}", node.policies.error))
        .collect();
    assert_eq!(places.len(), 1, "{places:?}");
}

#[test]
fn what_stands_where_nobody_could_read_it_is_not_said_to_be_unused() {
    let unused = |text: &str| {
        let codes = compiled(text).diagnostics.into_iter();
        codes.filter(|found| found.code.id == "D0208").count()
    };
    let with = |line: &str| format!("{PLAN}\nlet more = 1 + 1\n{line}\n");
    assert_eq!(unused(&with("")), 1);
    assert_eq!(unused(&with("metric late: count is more")), 0);
}

#[test]
fn a_plan_with_errors_is_drawn_and_not_carried_out() {
    let compiled = compiled(&PLAN.replace("error_rate < 1%", "error_rate < 1"));
    assert!(compiled.plan.is_none());
    assert!(compiled.draft.is_some_and(|draft| draft.nodes.len() > 10));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A piece cut out, or put where it does not belong: diagnostics, never a panic, and a plan only without errors.
    #[test]
    fn damaged_plans_are_told_about(from in 0usize..1_800, length in 0usize..60, to in 0usize..1_800) {
        let mut from = from.min(PLAN.len());
        let mut end = (from + length).min(PLAN.len());
        let mut to = to.min(PLAN.len());
        while !PLAN.is_char_boundary(from) { from -= 1; }
        while !PLAN.is_char_boundary(end) { end -= 1; }
        while !PLAN.is_char_boundary(to) { to -= 1; }
        let cut = format!("{}{}", &PLAN[..from], &PLAN[end.max(from)..]);
        let moved = format!("{}{}{}", &PLAN[..to], &PLAN[from..end.max(from)], &PLAN[to..]);
        for text in [cut, moved] {
            let compiled = compiled(&text);
            prop_assert_eq!(compiled.plan.is_some(), !compiled.has_errors());
        }
    }
}
