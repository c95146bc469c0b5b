//! What people see of one small plan: the plan as it is printed, the tree of a run at a few moments, its lines, its objects.

use deployc::analyze::facts::facts;
use deployc::commands::scenarios::{Rehearsal, load};
use deployc::commands::show::{json, line, tree};
use deployc::diagnostics::render::human::{Charset, Color, Style};
use deployc::engine::protocol::Note;
use deployc::engine::view::{Stand, View, view};
use deployc::plan::digest::digest;
use deployc::plan::print::print;
use deployc::plan::{Plan, SourceMap, elements};
use deployc::simulate::drive::{Drive, Identity, Progress};
use deployc::simulate::scenario::Scenario;
use deployc::simulate::setup;
use deployc::values::Instant;
use std::path::Path;

struct Demo {
    compiled: Plan,
    /// As its runs show it.
    plan: Plan,
    scenario: Scenario,
    map: SourceMap,
}

fn demo(scenario: &str) -> Demo {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shown/demo");
    let rehearsal: Rehearsal = load(&folder, None).unwrap();
    let compiled = rehearsal.compiled.plan.clone().unwrap();
    let scenario = rehearsal
        .resolve(&compiled, rehearsal.find(scenario).unwrap())
        .unwrap();
    let plan = elements::with_titles(compiled.clone(), &scenario.inputs);
    let mut map = rehearsal.compiled.source_map().clone();
    for place in &mut map.places {
        // The same on every machine.
        let name = place.file.rsplit('/').next().unwrap_or_default();
        place.file = name.to_owned();
    }
    Demo {
        plan: setup::scripted(&plan, &scenario),
        compiled,
        scenario,
        map,
    }
}

impl Demo {
    /// Plays the run, and shows each event to `see` until it has seen enough.
    fn play(&self, see: &mut dyn FnMut(&Drive<'_>, &[Note]) -> Enough) {
        let start = setup::start(&self.plan, &self.scenario);
        let mut drive = Drive::new(&self.plan, &self.scenario, setup::world(&self.plan, start));
        let first = drive.start(Identity {
            run: "demo-1".to_owned(),
            digest: digest(&self.compiled),
            inputs: self.scenario.inputs.clone(),
        });
        let mut enough = see(&drive, &first);
        while enough == Enough::No {
            match drive.advance() {
                Progress::Event(notes) => enough = see(&drive, &notes),
                Progress::Ended(_) => {
                    see(&drive, &[]);
                    return;
                }
                Progress::Stuck => panic!("it waits for ever"),
            }
        }
    }

    /// The tree at the first moment at which `is` holds, as wide terminals and narrow ones show it.
    fn trees(&self, is: &dyn Fn(&View, Instant) -> bool) -> String {
        let mut shown = None;
        self.play(&mut |drive, _| {
            let now = drive.world.now;
            let seen = view(&self.plan, &drive.state, now);
            if !is(&seen, now) {
                return Enough::No;
            }
            let mut text = String::new();
            for (width, charset) in [
                (120, Charset::Unicode),
                (80, Charset::Unicode),
                (40, Charset::Ascii),
            ] {
                let style = Style {
                    color: Color::Never,
                    charset,
                    width,
                };
                let lines = tree::tree(&seen, now, style);
                assert!(lines.iter().all(|line| line.chars().count() <= width));
                if charset == Charset::Ascii {
                    assert!(lines.iter().all(|line| line.is_ascii()), "{lines:#?}");
                }
                text.push_str(&format!("-- {width} columns\n{}\n\n", lines.join("\n")));
            }
            shown = Some(text);
            Enough::Yes
        });
        shown.unwrap()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Enough {
    Yes,
    No,
}

fn is_holding(view: &View, path: &str) -> bool {
    fn inside(items: &[deployc::engine::view::Item], path: &str) -> bool {
        items.iter().any(|item| {
            let judged = item.path == path && !item.clauses.is_empty();
            judged || inside(&item.items, path)
        })
    }
    inside(&view.items, path)
}

#[test]
fn the_plan_as_it_is_printed() {
    let demo = demo("good-day");
    let facts = facts(&demo.compiled).unwrap();
    insta::assert_snapshot!(print(&demo.compiled, &facts, &demo.map));
}

#[test]
fn the_tree_while_people_are_asked() {
    let trees = demo("good-day").trees(&|view, _| view.asks.len() == 2);
    insta::assert_snapshot!(trees);
}

#[test]
fn the_tree_while_a_stage_is_judged() {
    let is = |view: &View, _| is_holding(view, "rollout/canary/DEMO-6/DEMO-7");
    insta::assert_snapshot!(demo("good-day").trees(&is));
}

#[test]
fn the_tree_while_it_waits_for_the_last_signature() {
    let is = |view: &View, _| {
        view.asks
            .iter()
            .any(|asked| asked.missing == 1 && !asked.said.is_empty())
    };
    insta::assert_snapshot!(demo("good-day").trees(&is));
}

#[test]
fn the_tree_in_a_pause() {
    let is = |view: &View, _| view.stand == Stand::Paused;
    insta::assert_snapshot!(demo("silent-day").trees(&is));
}

#[test]
fn the_tree_while_it_goes_back_and_at_the_end() {
    let demo = demo("bad-day");
    let back = demo.trees(&|view, _| view.stand == Stand::RollingBack);
    let end = demo.trees(&|view, _| matches!(view.stand, Stand::Ended(_)));
    insta::assert_snapshot!(format!("{back}\n{end}"));
}

#[test]
fn the_lines_of_a_run() {
    let demo = demo("bad-day");
    let mut lines = Vec::new();
    demo.play(&mut |drive, notes| {
        let shown = notes
            .iter()
            .filter_map(|note| line::line(&demo.plan, &demo.map, drive.world.now, note));
        lines.extend(shown);
        Enough::No
    });
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn whoever_is_responsible_is_named_where_something_fails() {
    let demo = demo("too-few");
    let mut lines = Vec::new();
    let mut cause = None;
    demo.play(&mut |drive, notes| {
        let shown = notes
            .iter()
            .filter_map(|note| line::line(&demo.plan, &demo.map, drive.world.now, note));
        lines.extend(shown);
        cause = view(&demo.plan, &drive.state, drive.world.now).cause;
        Enough::No
    });
    let failed: Vec<&String> = lines.iter().filter(|line| line.contains("fail")).collect();
    assert!(
        failed
            .iter()
            .any(|line| line.ends_with(": fail (owner: engineer)")),
        "{lines:#?}"
    );
    let cause = cause.unwrap_or_default();
    assert!(
        cause.starts_with("\"b.example.com answers\" (owner: engineer): "),
        "{cause}"
    );
}

#[test]
fn the_objects_of_a_run() {
    let demo = demo("bad-day");
    let mut objects = Vec::new();
    demo.play(&mut |drive, notes| {
        let shown = notes
            .iter()
            .map(|note| json::object(&demo.plan, &demo.map, drive.world.now, note).to_string());
        objects.extend(shown);
        Enough::No
    });
    for object in &objects {
        let parsed: serde_json::Value = serde_json::from_str(object).unwrap();
        assert!(parsed.is_object() && !object.contains('\n'), "{object}");
    }
    insta::assert_snapshot!(objects.join("\n"));
}
