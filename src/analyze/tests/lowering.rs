//! What stands in the plan for what stands in the text.

use crate::analyze::compile::{SourceText, compile};
use crate::analyze::files::InMemory;
use crate::analyze::tests::{MANIFEST, PLAN, compiled, planned};
use crate::plan::expr::{Comparison, Expr, Stmt, Template, TemplatePart};
use crate::plan::invariant::{Atom, End, Formula};
use crate::plan::node::{Node, NodeKind};
use crate::plan::{Plan, walk};
use crate::statistics::baseline::fewest_windows;
use crate::units::amount::Nano;
use crate::values::Value;

fn node<'p>(plan: &'p Plan, path: &str) -> &'p Node {
    plan.nodes.iter().find(|node| node.path == path).unwrap()
}

/// What messages read, wherever they stand.
fn told(plan: &Plan) -> Vec<&Expr> {
    let nodes = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Notify(notice) => Some(notice),
        _ => None,
    });
    let back = plan.rollback.iter().flat_map(|back| &back.notices);
    let notices = back.chain(plan.handlers.iter().map(|on| &on.notice));
    let notices = nodes.chain(notices).flat_map(walk::of_notice);
    let watches = plan.watches.iter().flat_map(walk::of_watch);
    notices.chain(watches).collect()
}

/// Messages name items and `let`s, too: in a phase, of a rule, of a rollback, at the end.
#[test]
fn every_id_in_a_message_is_of_this_plan() {
    let text = PLAN
        .replace(
            "  for path in",
            "  notify room \"${release.took}, ${once}\"\n  for path in",
        )
        .replace(
            "10m then rollback\n",
            "10m then rollback, notify room \"${release.took}, ${once}\"\n",
        )
        .replace(
            "10% => rollback",
            "10% => rollback, notify room \"${release.took}, ${once}\"",
        )
        .replace(
            "  verify \"Old",
            "  notify room \"${release.took}, ${once}\"\n  verify \"Old",
        );
    let plan = planned(&format!(
        "{text}\nlet once = cluster.nodes.ready\nprovider room = slack {{ webhook: secret(env \"ROOM\") }}\n\
         on success notify room \"${{release.took}}, ${{once}}\"\n"
    ));
    let release = node(&plan, "deploy/release").id;
    let (mut nodes, mut lets) = (0, 0);
    for expr in told(&plan) {
        walk::each(expr, &mut |part| match part {
            Expr::Node { node, .. } => {
                assert_eq!(*node, release);
                nodes += 1;
            }
            Expr::Let(index) => {
                assert!((*index as usize) < plan.lets.len());
                lets += usize::from(plan.lets[*index as usize].name == "once");
            }
            _ => {}
        });
    }
    assert_eq!((nodes, lets), (5, 5));
}

#[test]
fn an_order_that_says_something_is_an_item() {
    let orders = |head: &str| {
        let text = PLAN.replace("order deploy", &format!("order {head}deploy"));
        planned(&text).orders.len()
    };
    assert_eq!(orders(""), 0);
    assert_eq!(orders("whole = "), 1);
    assert_eq!(orders("\"The whole\" = "), 1);
    assert_eq!(orders("ref A-7 = "), 1);
}

#[test]
fn a_phase_waits_for_each_that_is_before_it() {
    let plan = planned(
        &PLAN
            .replace("order deploy -> rollout", "order deploy -> [rollout, beside, more] -> last")
            .replace(
                "phase rollout {",
                "phase beside { hold 1m }\nphase more { hold 1m }\nphase last after beside { hold 1m }\nphase rollout {",
            ),
    );
    let waits = |path: &str| {
        let after = node(&plan, path).after.iter();
        let mut names: Vec<&str> = after
            .map(|edge| plan.node(edge.from).unwrap().path.as_str())
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(waits("last"), ["beside", "more", "rollout"]);
    assert_eq!(waits("beside"), ["deploy"]);
}

/// The comparison of a threshold that has these lines beside it.
fn compared(lines: &str) -> Comparison {
    let text = PLAN
        .replacen(
            "      expect slo on canary\n",
            "      expect same on canary\n",
            1,
        )
        .replace("failed / requests", "failed / requests lower is better")
        .replacen("hold 5m", "hold 20m", 1);
    let plan = planned(&format!(
        "{text}\nthreshold same {{\n  error_rate no worse than stable.error_rate by 0.5pp\n{lines}}}\n"
    ));
    let NodeKind::Check(check) = &node(&plan, "rollout/canary/stage-50/check-2").kind else {
        panic!("no check")
    };
    walk::comparisons(&check.body)[0].clone()
}

#[test]
fn a_threshold_says_how_sure_it_is_and_by_how_many_windows() {
    let plain = compared("");
    assert_eq!(plain.confidence, Nano(950_000_000));
    assert_eq!(plain.windows, fewest_windows(0.05, 1));
    let sure = compared("  confidence 99%\n");
    assert_eq!(sure.confidence, Nano(990_000_000));
    assert_eq!(sure.windows, fewest_windows(0.01, 1));
    assert!(sure.windows > plain.windows);
    assert_eq!(compared("  windows 9\n").windows, 9);
    // Bounds are no comparisons: they take nothing of its confidence.
    assert_eq!(
        compared("  requests > 1/s\n  failed < 1/s\n").windows,
        plain.windows
    );
}

/// In a stage each check asks by itself whether the run has its element; elsewhere a copy is a `when`.
#[test]
fn copies_for_the_elements_of_a_run() {
    let copies = "for host in hosts up to 2 { check \"${host}\" expect api.up(host) }\n";
    let text = PLAN
        .replacen("      hold 5m", &format!("      {copies}      hold 5m"), 1)
        .replace("  for path in", &format!("  {copies}  for path in"));
    let plan = planned(&format!("{text}\ninput hosts: list<string>\n"));
    let whens = |parent: &str| {
        let parent = node(&plan, parent);
        let children = parent.children.iter().map(|id| plan.node(*id).unwrap());
        children
            .filter(|child| matches!(child.kind, NodeKind::When(_)))
            .count()
    };
    assert_eq!(whens("rollout"), 2);
    assert_eq!(whens("rollout/canary/stage-50"), 0);
    let asks = plan.nodes.iter().filter(|node| {
        let mut asks = false;
        for expr in walk::of_node(node) {
            walk::each(expr, &mut |part| {
                asks |= matches!(part, Expr::HasElement { .. })
            });
        }
        asks
    });
    assert_eq!(asks.count(), 2 + 2);
}

/// What holds only sometimes is judged only then.
#[test]
fn a_when_of_a_check_stays_one() {
    let text = PLAN.replace(
        "    check \"Healthy\" expect canary.pods.healthy == 4 for 2m\n",
        "    check \"Healthy\" for 2m {\n      when api.up(\"/a\") { expect canary.pods.healthy == 4 }\n    }\n",
    );
    let plan = planned(&text);
    let NodeKind::Check(check) = &node(&plan, "rollout/canary/stage-50/check-1").kind else {
        panic!("no check")
    };
    let [Stmt::When { condition, body }] = check.body.as_slice() else {
        panic!("{:?}", check.body)
    };
    assert!(matches!(condition, Expr::Call(_)));
    assert!(matches!(body.as_slice(), [Stmt::Expect(_)]));
}

/// One string is the text, or the title of an item that has a `ref`; two are both.
#[test]
fn a_message_without_a_text_says_its_title() {
    let text = PLAN.replace(
        "  for path in",
        "  notify room \"One\" ref A-7\n  notify room \"Two\" ref A-8 \"Text\"\n  notify room \"Three\"\n  for path in",
    );
    let plan = planned(&format!(
        "{text}\nprovider room = slack {{ webhook: secret(env \"ROOM\") }}\n"
    ));
    let said = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Notify(notice) => Some((
            node.title.as_deref(),
            walk::of_notice(notice).len(),
            &notice.text,
        )),
        _ => None,
    });
    let said: Vec<(Option<&str>, usize, String)> = said
        .map(|(title, exprs, text)| (title, exprs, format!("{text:?}")))
        .collect();
    let text = |words: &str| {
        format!(
            "{:?}",
            Template {
                parts: vec![TemplatePart::Text(words.to_owned())]
            }
        )
    };
    assert_eq!(said.len(), 3);
    assert_eq!(said[0].0, Some("One"));
    assert!(said[0].2.contains("One"));
    assert_eq!(said[1], (Some("Two"), 0, text("Text")));
    assert_eq!(said[2].2, text("Three"));
}

#[test]
fn what_is_not_of_the_world_is_not_asked_of_it() {
    let of_world = |claims: &str| {
        let compiled = compiled(&format!("{PLAN}\ninvariant \"Claims\" {{\n{claims}\n}}\n"));
        assert!(!compiled.has_errors(), "{:?}", compiled.diagnostics);
        compiled.of_world.len()
    };
    assert_eq!(of_world("outcome != stopped"), 0);
    assert_eq!(of_world("run.longest < 1d"), 0);
    assert_eq!(of_world("api.up(\"/\")"), 1);
    // Whatever the world says, it holds.
    assert_eq!(of_world("run.longest < 1d or api.up(\"/\")"), 0);
}

/// A file that begins with a scenario is tried on the plan; one that only holds tests, too.
#[test]
fn files_beside_the_plan() {
    let beside = |text: &str| {
        let mut files = InMemory::default();
        files
            .files
            .insert("demo.yaml".to_owned(), MANIFEST.as_bytes().to_vec());
        let source = |name: &str, text: &str| SourceText {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let texts = vec![source("a.deploy", PLAN), source("b.deploy", text)];
        let compiled = compile(texts, &files);
        (compiled.scenarios.len(), compiled.tests.len())
    };
    let scenario = "deploy 1\nscenario \"Day\" {\n}\n";
    assert_eq!(beside(scenario), (1, 0));
    assert_eq!(beside(&format!("{scenario}let more = 1\n")), (1, 0));
    assert_eq!(beside("deploy 1\nlet more = 1\n"), (0, 0));
}

/// A rule for an element fires only where the run has it.
#[test]
fn rules_for_the_elements_of_a_run() {
    let rule = "for host in hosts up to 2 { high \"${host}\" when not api.up(host) => rollback }\n";
    let text = PLAN.replace("  critical when", &format!("  {rule}  critical when"));
    let plan = planned(&format!("{text}\ninput hosts: list<string>\n"));
    let asks = plan.watches[0].rules.iter().map(|rule| {
        let mut asks = Vec::new();
        walk::each(&rule.condition, &mut |part| {
            if let Expr::HasElement { index, .. } = part {
                asks.push(*index);
            }
        });
        asks
    });
    assert_eq!(asks.collect::<Vec<_>>(), [vec![0], vec![1], vec![]]);
}

#[test]
fn each_let_of_a_check_has_its_place() {
    let text = PLAN.replace(
        "    check \"Healthy\" expect canary.pods.healthy == 4 for 2m\n",
        "    check \"Healthy\" for 2m {\n      let one = api.get(\"/a\")\n      let two = api.get(\"/b\")\n      \
         expect one.status == 200\n      expect two.status == 200\n    }\n",
    );
    let plan = planned(&text);
    let mut locals = Vec::new();
    for expr in walk::of_node(node(&plan, "rollout/canary/stage-50/check-1")) {
        walk::each(expr, &mut |part| {
            if let Expr::Local(local) = part {
                locals.push(*local);
            }
        });
    }
    assert_eq!(locals, [0, 1]);
}

#[test]
fn a_role_keeps_its_people() {
    let plan = planned(&format!(
        "{PLAN}\nrole oncall \"On call\" = [\"ana\", \"ben\"]\nrole boss \"Boss\"\n"
    ));
    let of = |name: &str| {
        let role = plan.roles.iter().find(|role| role.name == name).unwrap();
        role.members.clone()
    };
    assert_eq!(of("oncall"), ["ana", "ben"]);
    assert!(of("boss").is_empty());
}

/// What a step does is not known, but where it stands is.
#[test]
fn a_step_that_cannot_be_read_is_drawn() {
    let compiled = compiled(&PLAN.replace("\"demo.yaml\", traffic: 0%)", "5)"));
    let draft = compiled.draft.unwrap();
    let paths: Vec<&str> = draft.nodes.iter().map(|node| node.path.as_str()).collect();
    assert!(paths.contains(&"deploy/release"), "{paths:?}");
}

/// What is known is put in; what is read is read once, where things are not judged again.
#[test]
fn a_let_of_a_phase_is_read_only_if_it_has_to_be() {
    let lets = |line: &str, used: &str| -> Vec<String> {
        let text = PLAN.replace("  let before =", &format!("  {line}\n  let before ="));
        let text = text.replace("before != \"example.com/demo:1.3\"", used);
        let plan = planned(&text);
        plan.lets.into_iter().map(|it| it.name).collect()
    };
    assert_eq!(
        lets("let old = \"example.com/demo:1.3\"", "before != old"),
        ["deploy/before"]
    );
    assert_eq!(
        lets(
            "let ready = cluster.nodes.ready",
            "before != \"x\" and ready > 2"
        ),
        ["deploy/ready", "deploy/before"]
    );
}

/// On whichever side it stands, a text beside a version is one.
#[test]
fn a_text_beside_a_version_is_read_as_one() {
    for written in [
        "\"1.20\" <= cluster.version",
        "cluster.version >= \"1.20\"",
        "\"1.20\" == cluster.version",
        "\"1.20\" <= cluster.version < v2",
    ] {
        let plan = planned(&PLAN.replace("before != \"example.com/demo:1.3\"", written));
        let mut versions = 0;
        for expr in walk::of_node(node(&plan, "deploy/A-1")) {
            walk::each(expr, &mut |part| {
                assert!(
                    !matches!(part, Expr::Literal(Value::String(_))),
                    "{written}"
                );
                versions += usize::from(matches!(part, Expr::Literal(Value::Version(_))));
            });
        }
        assert!(versions > 0, "{written}");
    }
}

#[test]
fn an_invariant_claims_how_a_run_ends() {
    let says = |claim: &str| {
        let compiled = compiled(&format!("{PLAN}\ninvariant \"It ends\" {{ {claim} }}\n"));
        assert!(!compiled.has_errors(), "{:?}", compiled.diagnostics);
        compiled.invariants[0].claims[0].says.clone()
    };
    let ended = |end| Formula::Atom(Atom::Ended(end));
    for (word, end) in [
        ("success", End::Succeeded),
        ("stopped", End::Stopped),
        ("rolled_back", End::RolledBack),
        ("rollback_incomplete", End::RollbackIncomplete),
    ] {
        assert_eq!(says(&format!("outcome == {word}")), ended(end), "{word}");
        let not = Formula::Not(Box::new(ended(end)));
        assert_eq!(says(&format!("{word} != outcome")), not, "{word}");
    }
}
