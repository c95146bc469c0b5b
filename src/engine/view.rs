//! A run as it stands, for `status` and the live tree: read from plan and state, changes nothing.

use crate::engine::ending::{Ending, How};
use crate::engine::pause::{self, Cause, Holds, Pause};
use crate::engine::people;
use crate::engine::protocol::{Actor, Answer, Judged, RunOutcome};
use crate::engine::rollback::{Rollback, Standing, Unit, Verifying};
use crate::engine::state::{Life, NodeState, Passage, StageWork, State, StepWork, Ticking, Work};
use crate::engine::subject;
use crate::engine::turn::named;
use crate::engine::watch::{Range, RuleState, WatchState};
use crate::engine::write::{Leg, Write};
use crate::plan::elements;
use crate::plan::node::{CheckMode, Node, NodeId, NodeKind};
use crate::plan::{Plan, Policy, Rule, WatchSection};
use crate::values::{Instant, Verdict};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Clone, Debug, Serialize)]
pub struct View {
    pub run: String,
    pub plan: String,
    pub title: String,
    pub stand: Stand,
    /// Why it stops or is rolled back.
    pub cause: Option<String>,
    pub started: Option<Instant>,
    pub deadline: Option<Instant>,
    /// Phases with what is in them; the checks of the rollback stand in [`View::rollback`].
    pub items: Vec<Item>,
    pub watches: Vec<Watching>,
    pub pauses: Vec<Paused>,
    /// Who is waited for.
    pub asks: Vec<Asked>,
    pub rollback: Option<WayBack>,
    /// What a policy let through; whoever signs the next gate should see it.
    pub warnings: Vec<Warning>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    NotStarted,
    /// Its window has not begun.
    Waiting,
    Running,
    Paused,
    Stopping,
    RollingBack,
    Verifying,
    Ended(RunOutcome),
}

#[derive(Clone, Debug, Serialize)]
pub struct Item {
    pub node: NodeId,
    pub path: String,
    pub title: Option<String>,
    pub refs: Vec<String>,
    pub kind: &'static str,
    /// The role that is responsible for it.
    pub owner: Option<String>,
    pub life: Life,
    pub verdict: Option<Verdict>,
    pub reason: Option<String>,
    pub passage: Passage,
    pub started: Option<Instant>,
    pub ended: Option<Instant>,
    /// What it is about at the moment: `shifting traffic`, `reading back`.
    pub doing: Option<&'static str>,
    pub left: Option<Left>,
    /// Inside an `every`: which tick it is, and of how many.
    pub tick: Option<(u32, u32)>,
    /// The newest sample: each clause with what was measured.
    pub clauses: Vec<Arc<Judged>>,
    pub blind_since: Option<Instant>,
    pub items: Vec<Item>,
}

/// Time that is left, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    pub of: &'static str,
    /// Not below 0.
    pub ns: i64,
    pub whole_ns: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Watching {
    pub title: String,
    pub refs: Vec<String>,
    pub life: Life,
    pub verdict: Option<Verdict>,
    pub blind_since: Option<Instant>,
    pub sections: Vec<WatchSection>,
    pub rules: Vec<RuleView>,
}

#[derive(Clone, Debug, Serialize)]
pub struct RuleView {
    pub label: Option<String>,
    pub title: Option<String>,
    pub refs: Vec<String>,
    /// By its place in [`Watching::sections`].
    pub section: Option<u32>,
    pub text: Arc<str>,
    pub range: Range,
    /// The newest sample; `fail` means that the condition is true.
    pub judged: Option<Judged>,
    /// How long it has been true, of the time that it has to be.
    pub held_ns: i64,
    pub for_ns: i64,
    pub fires: u32,
    pub blind_since: Option<Instant>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Paused {
    /// What `deployc continue` has to name.
    pub node: Option<NodeId>,
    pub address: String,
    pub name: String,
    pub owner: Option<String>,
    pub holds: Holds,
    pub verdict: Verdict,
    pub reason: String,
    pub since: Instant,
    pub until: Instant,
    pub then: Policy,
    /// The command that goes on past it.
    pub go_on: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    pub node: NodeId,
    pub address: String,
    pub name: String,
    pub roles: Vec<String>,
    /// More people that have to sign.
    pub missing: usize,
    pub until: Instant,
    pub said: Vec<(Actor, String, Answer)>,
    /// The digest of what is signed: the plan, the inputs, the gate, and what was changed before it.
    pub about: Option<String>,
    /// The command that answers it.
    pub answer: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct WayBack {
    pub since: Instant,
    pub until: Option<Instant>,
    pub undo: Vec<Undoing>,
    pub verify: Vec<Item>,
    pub left: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Undoing {
    pub node: NodeId,
    pub name: String,
    pub stand: &'static str,
    pub left: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Warning {
    pub node: NodeId,
    pub name: String,
    pub verdict: Verdict,
    pub reason: Option<String>,
}

pub fn view(plan: &Plan, state: &State, now: Instant) -> View {
    let inputs = state.run.as_ref().map(|run| &run.inputs);
    let hidden = inputs.map(|inputs| elements::hidden(plan, inputs));
    let seen = Seen {
        plan,
        state,
        now,
        hidden: hidden.unwrap_or_default(),
    };
    let started = state.run.as_ref().map(|run| run.started);
    let deadline = started.zip(plan.deadline_ns);
    let verify = plan.rollback.iter().flat_map(|rollback| &rollback.verify);
    let verify: Vec<NodeId> = verify.copied().collect();
    let roots = plan.nodes.iter();
    let roots = roots.filter(|node| node.parent.is_none() && !verify.contains(&node.id));
    View {
        run: seen.run().to_owned(),
        plan: plan.name.clone(),
        title: plan.title.clone(),
        stand: stand(&seen),
        cause: state.ending.as_ref().map(|ending| ending.cause.clone()),
        started,
        deadline: deadline.map(|(started, ns)| started.plus(ns)),
        items: roots.filter_map(|node| item(&seen, node.id)).collect(),
        watches: watches(&seen),
        pauses: state
            .pauses
            .iter()
            .map(|pause| paused(&seen, pause))
            .collect(),
        asks: asks(&seen),
        rollback: way_back(&seen),
        warnings: warnings(&seen),
    }
}

/// The word by which a person names an item on the command line.
pub fn address(node: &Node) -> &str {
    let first_ref = node.refs.first().map(String::as_str);
    node.name.as_deref().or(first_ref).unwrap_or(&node.path)
}

pub fn kind_word(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Phase => "phase",
        NodeKind::Section => "section",
        NodeKind::Parallel => "parallel",
        NodeKind::When(_) => "when",
        NodeKind::Check(_) => "check",
        NodeKind::Step(_) => "step",
        NodeKind::Canary(_) => "canary",
        NodeKind::Stage(_) => "stage",
        NodeKind::ConfirmGroup | NodeKind::Confirm(_) => "confirm",
        NodeKind::Approve(_) => "approve",
        NodeKind::Hold { .. } => "hold",
        NodeKind::Every { .. } => "every",
        NodeKind::Notify(_) => "notify",
    }
}

struct Seen<'a> {
    plan: &'a Plan,
    state: &'a State,
    now: Instant,
    /// Copies of a `for` that this run does not have.
    hidden: BTreeSet<NodeId>,
}

impl<'a> Seen<'a> {
    fn run(&self) -> &'a str {
        self.state.run.as_ref().map_or("", |run| run.id.as_str())
    }

    fn node(&self, id: NodeId) -> Option<&'a NodeState> {
        self.state.nodes.get(id.0 as usize)
    }

    fn left(&self, of: &'static str, until: Instant, whole_ns: i64) -> Option<Left> {
        let ns = until.since(self.now).max(0);
        Some(Left { of, ns, whole_ns })
    }
}

fn stand(seen: &Seen) -> Stand {
    let state = seen.state;
    if let Some(outcome) = state.outcome {
        return Stand::Ended(outcome);
    }
    match state.ending.as_ref().map(|ending| &ending.how) {
        Some(How::Stop) => Stand::Stopping,
        Some(How::Rollback(rollback)) => match rollback.verifying {
            Verifying::NotYet => Stand::RollingBack,
            Verifying::Begun => Stand::Verifying,
        },
        None if state.run.is_none() => Stand::NotStarted,
        None if pause::is_paused(state) => Stand::Paused,
        None => match seen.plan.window {
            Some(window) if seen.now < window.from => Stand::Waiting,
            _ => Stand::Running,
        },
    }
}

fn item(seen: &Seen, id: NodeId) -> Option<Item> {
    let node = seen.plan.node(id)?;
    if seen.hidden.contains(&id) {
        return None;
    }
    let waiting = NodeState::default();
    let state = seen.node(id).unwrap_or(&waiting);
    let running = state.life == Life::Running;
    Some(Item {
        node: id,
        path: node.path.clone(),
        title: node.title.clone(),
        refs: node.refs.clone(),
        kind: kind_word(&node.kind),
        owner: node.owner.clone(),
        life: state.life,
        verdict: state.verdict,
        reason: state.reason.clone(),
        passage: state.passage,
        started: state.started,
        ended: state.ended,
        doing: if running { doing(seen, state) } else { None },
        left: if running {
            left(seen, node, state)
        } else {
            None
        },
        tick: tick(node, state),
        clauses: state.clauses.clone(),
        blind_since: state.blind.as_ref().map(|blind| blind.since),
        items: node
            .children
            .iter()
            .filter_map(|child| item(seen, *child))
            .collect(),
    })
}

fn doing(seen: &Seen, state: &NodeState) -> Option<&'static str> {
    let writing = |key| seen.state.writes.get(key).map(write_word);
    match &state.work {
        Work::Step(StepWork::Arguments(_)) => Some("reading what it needs"),
        Work::Step(StepWork::Change(key)) | Work::Stage(StageWork::Weight(key)) => writing(key),
        Work::Step(StepWork::Post(_)) => Some("judging its postconditions"),
        Work::Stage(StageWork::Holding(_)) => Some("holding"),
        Work::Canary(canary) => canary.promotion.as_ref().and_then(writing),
        Work::Gate(_) => Some("waiting for an answer"),
        Work::Every(every) if every.ticking == Ticking::No => Some("waiting for its next tick"),
        _ => None,
    }
}

fn write_word(write: &Write) -> &'static str {
    match write.forward {
        Leg::Preparing | Leg::PrepareAgain(_) => "looking at what is there",
        Leg::Prepared(_) => "ready to change",
        Leg::Committing => "changing",
        Leg::Observing | Leg::ObserveAgain(_) => "finding out what happened",
        Leg::Done => "changed",
        Leg::NotDone(_) | Leg::Unachieved(_) | Leg::Foreign(_) | Leg::Unknown(_) => "failed",
    }
}

fn left(seen: &Seen, node: &Node, state: &NodeState) -> Option<Left> {
    match (&node.kind, &state.work) {
        (NodeKind::Check(check), Work::Check(work)) => match check.mode {
            CheckMode::Within { ns } => seen.left("time", work.from.plus(ns), ns),
            CheckMode::For { ns } => {
                let held_ns = counted(seen, work.held_ns, work.held_at);
                rest("hold", ns, held_ns)
            }
            CheckMode::Once | CheckMode::Stage { .. } => None,
        },
        (NodeKind::Stage(stage), Work::Stage(StageWork::Holding(holding))) => {
            let seen_ns = counted(seen, holding.seen_ns, holding.seen_at);
            rest("hold", stage.hold_ns, seen_ns)
        }
        (_, Work::Stage(StageWork::Weight(key)) | Work::Step(StepWork::Change(key))) => {
            let write = seen.state.writes.get(key)?;
            seen.left("time", write.until, write.timeout_ns)
        }
        (NodeKind::Hold { ns }, Work::Hold(clock)) => rest("hold", *ns, clock.elapsed_ns(seen.now)),
        (NodeKind::Every { period_ns, .. }, Work::Every(every)) => {
            let next_ns = period_ns.saturating_mul(i64::from(every.done) + 1);
            let waits = every.ticking == Ticking::No;
            let ns = next_ns
                .saturating_sub(every.clock.elapsed_ns(seen.now))
                .max(0);
            waits.then_some(Left {
                of: "next tick",
                ns,
                whole_ns: *period_ns,
            })
        }
        (NodeKind::Confirm(confirm), Work::Gate(gate)) => seen.left(
            "answer",
            gate.asked.plus(confirm.within_ns),
            confirm.within_ns,
        ),
        (NodeKind::Approve(approve), Work::Gate(gate)) => seen.left(
            "answer",
            gate.asked.plus(approve.within_ns),
            approve.within_ns,
        ),
        _ => None,
    }
}

/// What counts up to now, if the next sample sees what the last one saw.
fn counted(seen: &Seen, counted_ns: i64, last: Option<Instant>) -> i64 {
    counted_ns.saturating_add(last.map_or(0, |last| seen.now.since(last).max(0)))
}

fn rest(of: &'static str, whole_ns: i64, done_ns: i64) -> Option<Left> {
    let ns = whole_ns.saturating_sub(done_ns).max(0);
    Some(Left { of, ns, whole_ns })
}

fn tick(node: &Node, state: &NodeState) -> Option<(u32, u32)> {
    match (&node.kind, &state.work) {
        (NodeKind::Every { ticks, .. }, Work::Every(every)) => Some((every.done, *ticks)),
        _ => None,
    }
}

fn watches(seen: &Seen) -> Vec<Watching> {
    let pairs = seen.plan.watches.iter().zip(&seen.state.watches);
    pairs
        .map(|(watch, state): (_, &WatchState)| Watching {
            title: watch.title.clone(),
            refs: watch.refs.clone(),
            life: state.life,
            verdict: state.verdict,
            blind_since: state.blind_since(),
            sections: watch.sections.clone(),
            rules: watch
                .rules
                .iter()
                .zip(&state.rules)
                .map(rule_view)
                .collect(),
        })
        .collect()
}

fn rule_view((rule, state): (&Rule, &RuleState)) -> RuleView {
    RuleView {
        label: rule.label.clone(),
        title: rule.title.clone(),
        refs: rule.refs.clone(),
        section: rule.section,
        text: rule.text.clone(),
        range: state.range,
        judged: state.judged.clone(),
        held_ns: state.held_ns,
        for_ns: rule.for_ns,
        fires: state.fires,
        blind_since: state.blind_since,
    }
}

fn paused(seen: &Seen, pause: &Pause) -> Paused {
    let watch = |index: u32| seen.plan.watches.get(index as usize);
    let (node, name) = match pause.cause {
        Cause::Node(id) => (Some(id), None),
        Cause::Rule { watch: index, .. } | Cause::Blind { watch: index } => {
            let watch = watch(index);
            (
                watch.map(|watch| watch.from),
                watch.map(|watch| watch.title.clone()),
            )
        }
    };
    let of_plan = node.and_then(|id| seen.plan.node(id));
    let address = of_plan.map(address).unwrap_or_default().to_owned();
    let go_on = format!("deployc continue {} {address} --reason WHY", seen.run());
    Paused {
        node,
        name: name.or_else(|| of_plan.map(named)).unwrap_or_default(),
        owner: of_plan.and_then(|node| node.owner.clone()),
        address,
        holds: pause.holds,
        verdict: pause.verdict,
        reason: pause.reason.clone(),
        since: pause.since,
        until: pause::until(seen.state, pause),
        then: pause.then.clone(),
        go_on,
    }
}

fn asks(seen: &Seen) -> Vec<Asked> {
    let nodes = seen.plan.nodes.iter().zip(&seen.state.nodes);
    nodes
        .filter(|(_, state)| state.life == Life::Running)
        .filter_map(|(node, state)| asked(seen, node, state))
        .collect()
}

fn asked(seen: &Seen, node: &Node, state: &NodeState) -> Option<Asked> {
    let Work::Gate(gate) = &state.work else {
        return None;
    };
    let (verb, roles, within_ns, missing) = match &node.kind {
        NodeKind::Confirm(confirm) => ("confirm", &confirm.roles, confirm.within_ns, 1),
        NodeKind::Approve(approve) => {
            let missing = people::missing(approve, gate, seen.now);
            ("approve", &approve.roles, approve.within_ns, missing)
        }
        _ => return None,
    };
    let address = address(node).to_owned();
    let role = if roles.len() > 1 { " --as ROLE" } else { "" };
    let said = gate.answers.iter();
    Some(Asked {
        node: node.id,
        name: named(node),
        roles: roles.clone(),
        missing,
        until: gate.asked.plus(within_ns),
        said: said
            .map(|said| (said.by.clone(), said.role.clone(), said.answer.clone()))
            .collect(),
        about: subject::subject(seen.plan, seen.state, node.id),
        answer: format!("deployc {verb} {} {address}{role}", seen.run()),
        address,
    })
}

fn way_back(seen: &Seen) -> Option<WayBack> {
    let Ending { since, how, .. } = seen.state.ending.as_ref()?;
    let How::Rollback(rollback) = how else {
        return None;
    };
    let Rollback {
        until, units, left, ..
    } = rollback;
    let checks = seen.plan.rollback.iter().flat_map(|plan| &plan.verify);
    Some(WayBack {
        since: *since,
        until: until.filter(|_| seen.state.outcome.is_none()),
        undo: units.iter().map(|unit| undoing(seen, unit)).collect(),
        verify: checks.filter_map(|id| item(seen, *id)).collect(),
        left: left.clone(),
    })
}

fn undoing(seen: &Seen, unit: &Unit) -> Undoing {
    let (stand, left) = match &unit.standing {
        Standing::Waiting => ("waiting", None),
        Standing::Arguments(_) | Standing::Written(_) | Standing::Back(_) => ("going back", None),
        Standing::Done => ("done", None),
        Standing::Left(why) => ("left", Some(why.clone())),
    };
    Undoing {
        node: unit.node,
        name: seen.plan.node(unit.node).map(named).unwrap_or_default(),
        stand,
        left,
    }
}

fn warnings(seen: &Seen) -> Vec<Warning> {
    let nodes = seen.plan.nodes.iter().zip(&seen.state.nodes);
    nodes
        .filter(|(node, state)| state.passage == Passage::Warned && node.children.is_empty())
        .filter_map(|(node, state)| {
            Some(Warning {
                node: node.id,
                name: named(node),
                verdict: state.verdict?,
                reason: state.reason.clone(),
            })
        })
        .collect()
}
