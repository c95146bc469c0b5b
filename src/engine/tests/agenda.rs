//! In which order everybody is looked at who may have something to do.

use crate::engine::agenda::{Agenda, Visitor};
use crate::engine::tests::build::Builder;
use crate::plan::node::NodeId;
use crate::values::Instant;

const PHASE: NodeId = NodeId(0);
const STEP: NodeId = NodeId(1);

fn agenda() -> Agenda {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let step = b.step(phase, "one");
    assert_eq!((phase, step), (PHASE, STEP));
    b.watch(phase, phase, Vec::new(), None);
    Agenda::new(&b.plan, &[phase])
}

fn pass(agenda: &mut Agenda) -> Vec<Visitor> {
    agenda.turn_over();
    std::iter::from_fn(|| agenda.next()).collect()
}

#[test]
fn watches_come_first_then_the_tree_from_its_top_then_what_is_done_with() {
    let mut agenda = agenda();
    let (before, after) = agenda.of_node(PHASE).unwrap();
    let (inner, _) = agenda.of_node(STEP).unwrap();
    agenda.stir(after, Visitor::Plan);
    agenda.stir(inner, Visitor::Node(STEP));
    agenda.stir(before, Visitor::Node(PHASE));
    agenda.stir(agenda.of_watch(0), Visitor::Watch(0));
    let wanted = [
        Visitor::Watch(0),
        Visitor::Node(PHASE),
        Visitor::Node(STEP),
        Visitor::Plan,
    ];
    assert_eq!(pass(&mut agenda), wanted);
    assert!(!agenda.turn_over());
}

#[test]
fn each_has_a_place_of_its_own_however_many_watches_there_are() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let one = b.step(phase, "one");
    let two = b.step(phase, "two");
    for _ in 0..3 {
        b.watch(phase, phase, Vec::new(), None);
    }
    let agenda = Agenda::new(&b.plan, &[phase]);
    let [around, one, two] = [phase, one, two].map(|id| agenda.of_node(id).unwrap());
    let mut places = (0..3)
        .map(|watch| agenda.of_watch(watch))
        .collect::<Vec<_>>();
    places.extend([around.0, one.0, one.1, two.0, two.1, around.1]);
    assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
}

#[test]
fn a_phase_that_runs_comes_before_what_stands_behind_it() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.step(phase, "one");
    let next = b.phase("q");
    b.watch(phase, next, Vec::new(), None);
    let agenda = Agenda::new(&b.plan, &[phase, next]);
    let (_, after) = agenda.of_node(phase).unwrap();
    let (before, _) = agenda.of_node(next).unwrap();
    assert!(after < before, "{after:?} {before:?}");
}

#[test]
fn all_watches_come_before_the_tree() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    for _ in 0..3 {
        b.watch(phase, phase, Vec::new(), None);
    }
    let agenda = Agenda::new(&b.plan, &[phase]);
    let (before, _) = agenda.of_node(phase).unwrap();
    assert!(agenda.of_watch(2) < before, "{before:?}");
}

#[test]
fn whose_turn_is_to_come_is_visited_in_this_pass() {
    let mut agenda = agenda();
    let (before, _) = agenda.of_node(PHASE).unwrap();
    let (inner, _) = agenda.of_node(STEP).unwrap();
    agenda.stir(before, Visitor::Node(PHASE));
    agenda.turn_over();
    assert_eq!(agenda.next(), Some(Visitor::Node(PHASE)));
    agenda.stir(inner, Visitor::Node(STEP));
    assert_eq!(agenda.next(), Some(Visitor::Node(STEP)));
}

#[test]
fn whose_turn_is_over_is_visited_in_the_next_pass() {
    let mut agenda = agenda();
    let (before, _) = agenda.of_node(PHASE).unwrap();
    let (inner, _) = agenda.of_node(STEP).unwrap();
    agenda.stir(inner, Visitor::Node(STEP));
    agenda.turn_over();
    assert_eq!(agenda.next(), Some(Visitor::Node(STEP)));
    agenda.stir(before, Visitor::Node(PHASE));
    assert_eq!(agenda.next(), None);
    assert_eq!(pass(&mut agenda), [Visitor::Node(PHASE)]);
}

#[test]
fn what_was_opened_again_comes_after_the_tree_in_the_order_of_its_nodes() {
    let mut agenda = agenda();
    let (_, after) = agenda.of_node(PHASE).unwrap();
    for id in [STEP, PHASE] {
        agenda.stir(agenda.reopened(id), Visitor::Node(id));
    }
    agenda.stir(after, Visitor::Plan);
    assert_eq!(pass(&mut agenda), [Visitor::Plan]);
    let rest: Vec<Visitor> = std::iter::from_fn(|| agenda.next_of_all()).collect();
    assert_eq!(rest, [Visitor::Node(PHASE), Visitor::Node(STEP)]);
}

#[test]
fn at_the_end_nobody_is_visited_any_more() {
    let mut agenda = agenda();
    let (before, _) = agenda.of_node(PHASE).unwrap();
    agenda.stir(before, Visitor::Node(PHASE));
    agenda.stir_later(before, Visitor::Plan);
    agenda.close();
    assert!(!agenda.turn_over());
    assert_eq!(agenda.next(), None);
}

#[test]
fn who_stirs_itself_is_visited_again_in_the_next_pass() {
    let mut agenda = agenda();
    let (before, _) = agenda.of_node(PHASE).unwrap();
    agenda.stir(before, Visitor::Node(PHASE));
    agenda.turn_over();
    assert_eq!(agenda.next(), Some(Visitor::Node(PHASE)));
    agenda.stir(before, Visitor::Node(PHASE));
    assert_eq!(agenda.next(), None);
    assert_eq!(pass(&mut agenda), [Visitor::Node(PHASE)]);
}

#[test]
fn alarms_are_found_by_their_moment() {
    let mut agenda = agenda();
    for (visitor, at) in [
        (Visitor::Watch(0), 5),
        (Visitor::Node(STEP), 5),
        (Visitor::Node(PHASE), 9),
    ] {
        agenda.set_alarm(visitor, Some(Instant(at)));
    }
    let alarmed = |agenda: &Agenda, at| agenda.alarmed(Instant(at)).count();
    assert_eq!([5, 6, 9].map(|at| alarmed(&agenda, at)), [2, 0, 1]);
    let since = |agenda: &Agenda, at| agenda.first_alarm_since(Instant(at));
    assert_eq!(since(&agenda, 5), Some(Instant(5)));
    assert_eq!(since(&agenda, 6), Some(Instant(9)));
    assert_eq!(since(&agenda, 10), None);
    agenda.set_alarm(Visitor::Cancelled, Some(Instant(7)));
    assert_eq!(since(&agenda, 7), Some(Instant(7)));
    assert_eq!(since(&agenda, 8), Some(Instant(9)));
    agenda.set_alarm(Visitor::Plan, Some(Instant(3)));
    assert_eq!(since(&agenda, 8), Some(Instant(3)));
}
