//! Watches: rules over a range of the plan, sampled from its start to its end.
//!
//! Silence is never health: a rule that cannot be judged is blind, and the watch says what happens after a time of that.

use crate::engine::ending::By;
use crate::engine::eval::{Asked, Asker, Mode, Trouble, ask_ahead, evaluated, still_waits};
use crate::engine::grid::{Sample, Sampler};
use crate::engine::judge::because;
use crate::engine::pause::{Cause, Holds, Wanted};
use crate::engine::protocol::{Judged, NoteKind};
use crate::engine::state::{Finding, Life, Reason, Sight, State};
use crate::engine::tell::From;
use crate::engine::truth::{Truth, truth};
use crate::engine::turn::{Moved, Turn};
use crate::engine::{ending, metric, pause, policy, tell};
use crate::plan::node::NodeId;
use crate::plan::{Action, LocId, Rule, Watch};
use crate::units::show::duration_ns;
use crate::values::{Instant, Verdict};
use serde::Serialize;
use std::sync::Arc;

#[derive(Clone, Debug, Serialize)]
pub struct WatchState {
    pub life: Life,
    pub sampler: Sampler,
    pub rules: Vec<RuleState>,
    /// Whether the action for no data was carried out since it last saw everything.
    pub blind: Fired,
    pub verdict: Option<Verdict>,
    /// Rules with a sample that is being judged: it follows from them, as the next.
    #[serde(skip)]
    judging: u32,
    /// Rules without sight.
    #[serde(skip)]
    unseeing: u32,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct RuleState {
    /// The sample that is being judged.
    pub sample: Option<Sample>,
    /// Whether what it asks is there to be asked.
    pub range: Range,
    pub held_ns: i64,
    /// The newest sample at which its condition was true.
    pub held_at: Option<Instant>,
    /// It fires again only after it was false.
    pub fired: Fired,
    pub fires: u32,
    /// Since when every sample was without sight.
    pub blind_since: Option<Instant>,
    pub blind_samples: u32,
    pub seen_samples: u32,
    pub judged: Option<Judged>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fired {
    #[default]
    No,
    Yes,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    #[default]
    Outside,
    Inside,
}

impl WatchState {
    pub fn waiting(watch: &Watch) -> WatchState {
        WatchState {
            life: Life::Waiting,
            sampler: Sampler::new(Instant(0), watch.sample_ns),
            rules: watch.rules.iter().map(|_| RuleState::default()).collect(),
            blind: Fired::No,
            verdict: None,
            judging: 0,
            unseeing: 0,
        }
    }

    /// Its newest blindness began then.
    pub fn blind_since(&self) -> Option<Instant> {
        if self.unseeing == 0 {
            return None;
        }
        self.rules.iter().filter_map(|rule| rule.blind_since).min()
    }
}

/// The instant that a watch is judging.
pub fn open_at(state: &State, watch: u32) -> Option<Instant> {
    state.watches.get(watch as usize)?.sampler.open_at()
}

/// Whether every watch that samples at this instant, or before, has been judged.
pub fn spoke(state: &State, at: Instant) -> bool {
    let silent = |watch: &WatchState| {
        watch.life == Life::Running && watch.sampler.open_at().is_some_and(|open| open <= at)
    };
    !state.watches.iter().any(silent)
}

pub fn advance(turn: &mut Turn, index: u32) {
    let plan = turn.plan;
    let Some(watch) = plan.watches.get(index as usize) else {
        return;
    };
    let before = open_at(turn.state, index);
    let called = turn.state.agenda.take_called(index);
    range(turn, index, watch);
    if is_running(turn, index) {
        sample(turn, index, watch, called);
        blindness(turn, index, watch);
    }
    if turn.moved == Moved::Yes {
        // The end of its range waits for its evidence.
        turn.stir_node(watch.to);
    }
    if before.is_some() && open_at(turn.state, index).is_none() {
        let hushed = turn.state.agenda.unhush();
        turn.stir_all_of(hushed);
    }
}

/// All watches end, because the run does.
pub fn stop(turn: &mut Turn) {
    for watch in &mut turn.state.watches {
        close(watch);
    }
}

/// Whether the watches that end with this node have what they need to say how it was. If one of them is blind, that is the
/// node's trouble: its gate stays shut.
pub fn has_evidence(turn: &mut Turn, id: NodeId) -> bool {
    let plan = turn.plan;
    for (index, watch) in (0u32..).zip(&plan.watches) {
        if watch.to != id || !is_running(turn, index) {
            continue;
        }
        let Some(state) = turn.state.watches.get(index as usize) else {
            continue;
        };
        if let Some(since) = state.blind_since() {
            let blind = format!("the watch {:?} is blind", watch.title);
            let finding = Finding {
                verdict: Verdict::Inconclusive,
                sight: Sight::Silent,
                reason: Some(Reason::Said(blind.into())),
            };
            policy::unseen(turn, id, since, &finding);
            policy::lose_patience(turn, id);
            return false;
        }
        let undecided = |rule: &RuleState| rule.held_at.is_some() && rule.fired == Fired::No;
        let first = state.sampler.last.is_none() || state.sampler.open.is_some();
        if first || state.rules.iter().any(undecided) {
            return false;
        }
    }
    true
}

/// After a take-over an open sample begins again.
pub fn resume(turn: &mut Turn) {
    let now = turn.now();
    for watch in &mut turn.state.watches {
        watch.sampler.reopen(now);
        for rule in &mut watch.rules {
            if let Some(sample) = &mut rule.sample {
                *sample = Sample::begun(now);
            }
            rule.held_at = None;
        }
    }
}

fn is_running(turn: &Turn, index: u32) -> bool {
    let state = turn.state.watches.get(index as usize);
    state.is_some_and(|state| state.life == Life::Running)
}

/// It begins when its first node does and ends with its last.
fn range(turn: &mut Turn, index: u32, watch: &Watch) {
    let begun = turn.node(watch.from).life != Life::Waiting;
    let over = turn.node(watch.to).life == Life::Ended;
    let now = turn.now();
    let Some(state) = turn.state.watches.get_mut(index as usize) else {
        return;
    };
    if state.life == Life::Waiting && begun && !over {
        state.life = Life::Running;
        state.sampler = Sampler::new(now, watch.sample_ns);
        turn.moved();
    } else if state.life == Life::Running && over {
        close(state);
        turn.moved();
        for rule in (0u32..).take(watch.rules.len()) {
            pause::release(turn, Cause::Rule { watch: index, rule });
        }
        pause::release(turn, Cause::Blind { watch: index });
    }
}

/// It passes when each rule had evidence and none fired.
fn close(watch: &mut WatchState) {
    if watch.life != Life::Running {
        return;
    }
    watch.life = Life::Ended;
    watch.sampler.open = None;
    let fired = watch.rules.iter().any(|rule| rule.fires > 0);
    let unseen = |rule: &RuleState| rule.seen_samples == 0 || rule.blind_since.is_some();
    watch.verdict = Some(match (fired, watch.rules.iter().any(unseen)) {
        (true, _) => Verdict::Fail,
        (false, true) => Verdict::Inconclusive,
        (false, false) => Verdict::Pass,
    });
}

/// Judges the rules that were called: no other has anything new to say.
fn sample<'p>(turn: &mut Turn<'p>, index: u32, watch: &'p Watch, mut called: Vec<u32>) {
    if open(turn, index, watch) == Opened::Now {
        called = (0u32..).take(watch.rules.len()).collect();
    }
    for rule in called {
        if let Some(of_plan) = watch.rules.get(rule as usize) {
            judge(turn, index, rule, of_plan);
        }
        if turn.state.ending.is_some() {
            return;
        }
    }
    if let Some(state) = turn.state.watches.get_mut(index as usize)
        && state.sampler.open.is_some()
        && state.judging == 0
    {
        state.sampler.open = None;
        turn.moved();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    Before,
    Now,
}

/// Begins the sample that is due, for all rules at one instant. A rule that holds gets one at the end of its time.
fn open(turn: &mut Turn, index: u32, watch: &Watch) -> Opened {
    let state = turn.state.watches.get(index as usize);
    let Some(state) = state.filter(|state| state.sampler.open.is_none()) else {
        return Opened::Before;
    };
    let ripe = |(rule, of_plan): (&RuleState, &Rule)| {
        let at = rule.held_at.filter(|_| rule.fired == Fired::No)?;
        Some(at.plus(of_plan.for_ns - rule.held_ns))
    };
    let extra = state.rules.iter().zip(&watch.rules).filter_map(ripe).min();
    let next = state.sampler.next(extra);
    if !turn.due(next) {
        return Opened::Before;
    }
    let now = turn.now();
    if let Some(state) = turn.state.watches.get_mut(index as usize) {
        state.sampler.open(now, extra);
        let sample = state.sampler.open.clone();
        for rule in &mut state.rules {
            rule.sample.clone_from(&sample);
        }
        state.judging = u32::try_from(state.rules.len()).unwrap_or(u32::MAX);
    }
    turn.moved();
    Opened::Now
}

fn judge<'p>(turn: &mut Turn<'p>, index: u32, rule: u32, of_plan: &'p Rule) {
    let watch = turn.state.watches.get(index as usize);
    let open = watch.and_then(|watch| watch.rules.get(rule as usize)?.sample.as_ref());
    if open.is_none_or(|sample| still_waits(turn.state, sample)) {
        return;
    }
    let Some(mut sample) = begin_judging(turn, index, rule) else {
        return;
    };
    let plan_index = Arc::clone(&turn.state.agenda.index);
    let Some(reads) = plan_index.rule(index, rule) else {
        return;
    };
    let canary = metric::canary_at(turn.plan, turn.state, None);
    if !metric::in_range(turn.plan, turn.state, canary, &reads.scopes) {
        return leave_range(turn, index, rule);
    }
    let asker = Asker {
        at: sample.at,
        mode: Mode::Watch,
        canary,
        cause: "",
    };
    turn.rule = Some(rule);
    let judged = match ask_ahead(turn, &mut sample, reads.ahead.as_deref()) {
        Asked::AllIsOpen => None,
        Asked::NotAll => evaluated(turn, &mut sample, asker, |eval| {
            match truth(eval, &of_plan.condition) {
                Err(Trouble::Waiting) => Err(Trouble::Waiting),
                truth => Ok((truth, std::mem::take(&mut eval.measured))),
            }
        }),
    };
    turn.rule = None;
    match judged {
        None => judge_later(turn, index, rule, sample),
        Some(Err(_)) => {}
        Some(Ok((holds, measured))) => {
            let judged = Judged {
                text: of_plan.text.clone(),
                measured,
                verdict: match &holds {
                    Ok(true) => Verdict::Fail,
                    Ok(false) => Verdict::Pass,
                    Err(trouble) => trouble.verdict(),
                },
                reason: holds.as_ref().err().map(|trouble| trouble.reason()),
                loc: of_plan.loc,
            };
            if let Some(state) = rule_mut(turn, index, rule) {
                state.judged = Some(judged);
                state.range = Range::Inside;
            }
            // Blindness is told before all rules are answered.
            if holds.is_err() {
                turn.moved();
            }
            weigh(turn, index, rule, of_plan, holds, sample.at);
        }
    }
}

fn begin_judging(turn: &mut Turn, index: u32, rule: u32) -> Option<Sample> {
    let watch = turn.state.watches.get_mut(index as usize)?;
    let sample = watch.rules.get_mut(rule as usize)?.sample.take()?;
    watch.judging = watch.judging.saturating_sub(1);
    Some(sample)
}

fn judge_later(turn: &mut Turn, index: u32, rule: u32, sample: Sample) {
    if let Some(watch) = turn.state.watches.get_mut(index as usize)
        && let Some(rule) = watch.rules.get_mut(rule as usize)
    {
        rule.sample = Some(sample);
        watch.judging += 1;
    }
}

/// A rule whose scope is not there says nothing, and that is no blindness.
fn leave_range(turn: &mut Turn, index: u32, rule: u32) {
    saw(turn, index, rule);
    if let Some(state) = rule_mut(turn, index, rule) {
        state.range = Range::Outside;
        state.held_ns = 0;
        state.held_at = None;
        state.fired = Fired::No;
    }
    turn.moved();
    pause::release(turn, Cause::Rule { watch: index, rule });
}

/// What the sample says for the rule. Only time between two samples at which it was true counts.
fn weigh(turn: &mut Turn, index: u32, rule: u32, of_plan: &Rule, holds: Truth, at: Instant) {
    if holds.is_ok() {
        saw(turn, index, rule);
    }
    let Some(state) = rule_mut(turn, index, rule) else {
        return;
    };
    match holds {
        Ok(true) => {
            state.seen_samples += 1;
            if let Some(before) = state.held_at {
                state.held_ns = state.held_ns.saturating_add(at.since(before).max(0));
            }
            state.held_at = Some(at);
            if state.held_ns >= of_plan.for_ns && state.fired == Fired::No {
                state.fired = Fired::Yes;
                state.fires += 1;
                fire(turn, index, rule, of_plan);
            }
        }
        Ok(false) => {
            state.seen_samples += 1;
            state.held_ns = 0;
            state.held_at = None;
            state.fired = Fired::No;
            pause::release(turn, Cause::Rule { watch: index, rule });
        }
        Err(_) => {
            state.held_at = None;
            state.blind_samples += 1;
            if state.blind_since.is_none() {
                state.blind_since = Some(at);
                unsaw(turn, index);
            }
        }
    }
}

/// The rule is without sight no longer.
fn saw(turn: &mut Turn, index: u32, rule: u32) {
    if let Some(watch) = turn.state.watches.get_mut(index as usize)
        && let Some(rule) = watch.rules.get_mut(rule as usize)
        && rule.blind_since.take().is_some()
    {
        watch.unseeing = watch.unseeing.saturating_sub(1);
    }
}

fn unsaw(turn: &mut Turn, index: u32) {
    if let Some(watch) = turn.state.watches.get_mut(index as usize) {
        watch.unseeing += 1;
    }
}

fn fire(turn: &mut Turn, index: u32, rule: u32, of_plan: &Rule) {
    let judged = rule_mut(turn, index, rule).and_then(|rule| rule.judged.clone());
    let cause = cause_of(of_plan, judged.as_ref());
    let kind = NoteKind::RuleFired {
        watch: index,
        rule,
        cause: cause.clone(),
    };
    turn.note(None, kind);
    let fires = rule_mut(turn, index, rule).map_or(0, |rule| rule.fires);
    let from = |action| From::Rule {
        watch: index,
        rule,
        action,
    };
    let acted = Acted {
        cause: Cause::Rule { watch: index, rule },
        words: &cause,
        verdict: Verdict::Fail,
        place: of_plan.loc,
        name: format!("watch/{index}/{rule}#{fires}"),
    };
    act(turn, &of_plan.actions, &acted, &from);
}

/// Why something is done, and by what.
struct Acted<'a> {
    cause: Cause,
    words: &'a str,
    verdict: Verdict,
    place: LocId,
    name: String,
}

/// Tells first, because a rollback ends the watch.
fn act(turn: &mut Turn, actions: &[Action], acted: &Acted, from: &dyn Fn(u32) -> From) {
    for (at, action) in (0u32..).zip(actions) {
        if let Action::Notify(_) = action {
            let key = turn.key_of(&format!("{}/{at}", acted.name));
            tell::post(turn, key, from(at), acted.words);
        }
    }
    for action in actions {
        match action {
            Action::Notify(_) => {}
            Action::Rollback => {
                let cause = acted.words.to_owned();
                return ending::roll_back_by_itself(turn, cause, By::Trouble(acted.cause));
            }
            Action::Pause { up_to_ns, then } => {
                let wanted = Wanted {
                    cause: acted.cause,
                    holds: Holds::Run,
                    verdict: acted.verdict,
                    reason: acted.words,
                    place: acted.place,
                    depth: 0,
                    up_to_ns: *up_to_ns,
                    then,
                };
                pause::begin(turn, wanted);
            }
        }
    }
}

/// The action for no data, once its time without sight is over, and again only after everything was seen.
fn blindness(turn: &mut Turn, index: u32, watch: &Watch) {
    let Some(no_data) = &watch.no_data else {
        return;
    };
    let Some(state) = turn.state.watches.get_mut(index as usize) else {
        return;
    };
    let fired = state.blind;
    match (state.blind_since(), fired) {
        (None, Fired::Yes) => {
            state.blind = Fired::No;
            pause::release(turn, Cause::Blind { watch: index });
        }
        (Some(since), Fired::No) => {
            if !turn.due(since.plus(no_data.after_ns)) {
                return;
            }
            let fires = go_blind(turn, index, since);
            let span = duration_ns(no_data.after_ns);
            let why = blind_words(turn, index);
            let cause = format!("no data for {span}: {why}");
            let from = |action| From::Blind {
                watch: index,
                action,
            };
            let acted = Acted {
                cause: Cause::Blind { watch: index },
                words: &cause,
                verdict: Verdict::Inconclusive,
                place: no_data.loc,
                name: format!("watch/{index}/blind#{fires}"),
            };
            act(turn, &no_data.actions, &acted, &from);
        }
        _ => {}
    }
}

/// Marks it blind; gives a number that no other blindness of it has.
fn go_blind(turn: &mut Turn, index: u32, since: Instant) -> u64 {
    turn.note(
        None,
        NoteKind::Blind {
            watch: index,
            since,
        },
    );
    turn.moved();
    match turn.state.watches.get_mut(index as usize) {
        Some(state) => {
            state.blind = Fired::Yes;
            state
                .rules
                .iter()
                .map(|rule| u64::from(rule.blind_samples))
                .sum()
        }
        None => 0,
    }
}

fn blind_words(turn: &Turn, index: u32) -> String {
    let Some(state) = turn.state.watches.get(index as usize) else {
        return String::new();
    };
    let blind = state.rules.iter().filter(|rule| rule.blind_since.is_some());
    let words: Vec<String> = blind
        .filter_map(|rule| rule.judged.as_ref().map(because))
        .collect();
    words.join("; ")
}

/// `critical "Error rate >10%": canary.error_rate is 12%`
fn cause_of(rule: &Rule, judged: Option<&Judged>) -> String {
    let label = rule.label.as_ref().map(|label| format!("{label} "));
    let title = rule.title.as_ref().map(|title| format!("{title:?}: "));
    let why = judged.map_or_else(|| rule.text.to_string(), because);
    let label = label.unwrap_or_default();
    format!("{label}{}{why}", title.unwrap_or_default())
}

fn rule_mut<'t>(turn: &'t mut Turn, index: u32, rule: u32) -> Option<&'t mut RuleState> {
    let watch = turn.state.watches.get_mut(index as usize)?;
    watch.rules.get_mut(rule as usize)
}
