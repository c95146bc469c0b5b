//! Expressions are evaluated on demand: the result is a value, or the trouble that stands in its way, and one kind of
//! trouble is that reads have to be answered first.

use crate::engine::grid::{Sample, Waiting};
use crate::engine::protocol::{Measured, ReadId};
use crate::engine::question::{Moment, Question, Sought, Wanted};
use crate::engine::state::{Sight, State};
use crate::engine::turn::Turn;
use crate::engine::{arith, metric, narrow, truth};
use crate::plan::Plan;
use crate::plan::elements;
use crate::plan::expr::{CallExpr, Datum, Expr, RunWord, Scope, Template, TemplatePart};
use crate::plan::node::NodeId;
use crate::providers::request::{Call, Failure, FailureKind};
use crate::syntax::ast::{Aggregate, BinaryOp};
use crate::units::Dim;
use crate::units::amount::Quantity;
use crate::values::extent::Extent;
use crate::values::fields::Fields;
use crate::values::{Instant, Value, Verdict, show};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::Arc;

/// Who asks: what an expression means depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// All reads of one sample carry the same instant.
    pub at: Instant,
    pub mode: Mode,
    /// The canary that the scopes stand for.
    pub canary: Option<NodeId>,
    pub cause: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing that is not finite opens a gate.
    Gate,
    /// An infinite value is above every bound: a trigger fires.
    Watch,
}

/// Why there is no value.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Reads have to be answered first.
    Waiting,
    /// Nothing was measured.
    NoData(String),
    /// NaN, an infinite value, a division by zero.
    NoNumber(String),
    /// A read was not answered.
    Failed(Failure),
    /// There is an answer, but it does not mean one thing: several series, another type.
    Wrong(String),
}

pub type Evaluated = Result<Value, Trouble>;
/// As it stands in the plan or in what is known of the run, wherever it stands there.
pub type Seen<'s> = Result<Cow<'s, Value>, Trouble>;

pub struct Evaluator<'p: 's, 's> {
    pub plan: &'p Plan,
    pub state: &'s State,
    pub asker: Asker<'s>,
    /// What was compared, for people.
    pub measured: Vec<Measured>,
    /// The scope of the derived metric that is being evaluated.
    pub scope: Scope,
    needs: Vec<Wanted>,
    waiting: Waiting,
    locals: FxHashMap<u32, &'p Expr>,
    known: FxHashMap<u32, Seen<'s>>,
    /// Top-level `let`s that were not known before.
    frozen: FxHashMap<u32, Evaluated>,
    /// What metrics of metrics are, by their scopes.
    pub derived: FxHashMap<(u32, &'static str), Evaluated>,
    depth: u32,
}

/// Deeper than any plan that a person writes, and shallow enough for every stack.
const DEPTH_MAX: u32 = 200;

/// Of a value that is put together: names that stand for others twice would double it at each level.
const MADE_BYTES_MAX: usize = 1024 * 1024;

fn too_large() -> Trouble {
    let kib = MADE_BYTES_MAX / 1024;
    Trouble::Wrong(format!(
        "what is put together here is larger than {kib} KiB"
    ))
}

/// Evaluates for a sample: `None` while reads are in flight, which are asked here.
pub fn sampled<'p, T>(
    turn: &mut Turn<'p>,
    sample: &mut Sample,
    asker: Asker,
    evaluate: impl FnOnce(&mut Evaluator<'p, '_>) -> Result<T, Trouble>,
) -> Option<Result<T, Trouble>> {
    if still_waits(turn.state, sample) {
        return None;
    }
    evaluated(turn, sample, asker, evaluate)
}

/// As [`sampled`], of a sample that does not wait.
pub fn evaluated<'p, T>(
    turn: &mut Turn<'p>,
    sample: &mut Sample,
    asker: Asker,
    evaluate: impl FnOnce(&mut Evaluator<'p, '_>) -> Result<T, Trouble>,
) -> Option<Result<T, Trouble>> {
    let mut evaluator = Evaluator::new(turn.plan, turn.state, asker);
    let result = evaluate(&mut evaluator);
    let Evaluator {
        needs,
        mut waiting,
        frozen,
        ..
    } = evaluator;
    for (index, read) in frozen {
        if let Ok(value) = read {
            turn.state.lets.insert(index, value);
        }
    }
    waiting.extend(needs.iter().map(|wanted| turn.ask(asker.at, wanted)));
    if matches!(result, Err(Trouble::Waiting)) {
        wait(turn, sample, waiting);
        return None;
    }
    sample.waiting.clear();
    Some(result)
}

/// Whether there is anything to evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// All that is asked waits for its answer.
    AllIsOpen,
    NotAll,
}

/// Asks what a sample that begins is known to ask; see [`crate::engine::ahead`].
pub fn ask_ahead(turn: &mut Turn, sample: &mut Sample, metrics: Option<&[u32]>) -> Asked {
    let Some(metrics) = metrics.filter(|_| sample.waiting.is_empty()) else {
        return Asked::NotAll;
    };
    let index = Arc::clone(&turn.state.agenda.index);
    let queries = metrics.iter().filter_map(|metric| index.query(*metric));
    let asked: Waiting = queries.map(|query| turn.ask(sample.at, query)).collect();
    let is_open = |id: &ReadId| turn.state.moments.is_unanswered(*id);
    if asked.is_empty() || !asked.iter().all(is_open) {
        return Asked::NotAll;
    }
    wait(turn, sample, asked);
    Asked::AllIsOpen
}

fn wait(turn: &mut Turn, sample: &mut Sample, mut reads: Waiting) {
    reads.sort_unstable();
    reads.dedup();
    for read in &reads {
        turn.await_answer(sample.at, *read);
    }
    sample.waiting = reads;
}

/// Whether nothing that the sample waits for was answered yet.
pub fn still_waits(state: &State, sample: &Sample) -> bool {
    let unanswered = |id: &ReadId| state.moments.is_unanswered(*id);
    !sample.waiting.is_empty() && sample.waiting.iter().all(unanswered)
}

impl Trouble {
    pub fn verdict(&self) -> Verdict {
        match self {
            Trouble::Waiting | Trouble::NoData(_) | Trouble::NoNumber(_) => Verdict::Inconclusive,
            Trouble::Failed(_) | Trouble::Wrong(_) => Verdict::Error,
        }
    }

    pub fn sight(&self) -> Sight {
        match self {
            Trouble::Waiting | Trouble::NoData(_) => Sight::Silent,
            Trouble::NoNumber(_) | Trouble::Wrong(_) => Sight::Unclear,
            Trouble::Failed(failure) => match failure.kind {
                FailureKind::Denied => Sight::Denied,
                FailureKind::Unreachable
                | FailureKind::Timeout
                | FailureKind::Malformed
                | FailureKind::Cancelled => Sight::Silent,
                _ => Sight::Unclear,
            },
        }
    }

    pub fn reason(&self) -> String {
        match self {
            Trouble::Waiting => "no answer yet".to_owned(),
            Trouble::NoData(text) | Trouble::NoNumber(text) | Trouble::Wrong(text) => text.clone(),
            Trouble::Failed(failure) => failure.message.clone(),
        }
    }

    /// Which of two is told, when both stand in the way.
    pub fn weight(&self) -> u8 {
        match self {
            Trouble::NoData(_) => 0,
            Trouble::NoNumber(_) => 1,
            Trouble::Failed(_) => 2,
            Trouble::Wrong(_) => 3,
            Trouble::Waiting => 4,
        }
    }
}

impl<'p: 's, 's> Evaluator<'p, 's> {
    pub fn new(plan: &'p Plan, state: &'s State, asker: Asker<'s>) -> Evaluator<'p, 's> {
        Evaluator {
            plan,
            state,
            asker,
            measured: Vec::new(),
            scope: Scope::None,
            needs: Vec::new(),
            waiting: Waiting::new(),
            locals: FxHashMap::default(),
            known: FxHashMap::default(),
            frozen: FxHashMap::default(),
            derived: FxHashMap::default(),
            depth: 0,
        }
    }

    /// Most conditions measure one thing, and what they measured stays for long.
    pub fn measure(&mut self, what: Arc<str>, value: Value) {
        if self.measured.is_empty() {
            self.measured.reserve_exact(1);
        }
        self.measured.push(Measured { what, value });
    }

    pub fn bind(&mut self, local: u32, value: &'p Expr) {
        self.locals.insert(local, value);
        self.known.remove(&local);
    }

    pub fn local(&self, local: u32) -> Option<&'p Expr> {
        self.locals.get(&local).copied()
    }

    pub fn value(&mut self, expr: &'p Expr) -> Evaluated {
        self.seen(expr).map(Cow::into_owned)
    }

    /// As [`Evaluator::value`], where it stands.
    pub fn seen(&mut self, expr: &'p Expr) -> Seen<'s> {
        if self.depth >= DEPTH_MAX {
            return Err(Trouble::Wrong("it is nested too deeply".to_owned()));
        }
        self.depth += 1;
        let seen = self.seen_inside(expr);
        self.depth -= 1;
        seen
    }

    /// What stands somewhere is shown there; the rest comes out of something else.
    fn seen_inside(&mut self, expr: &'p Expr) -> Seen<'s> {
        let made = match expr {
            Expr::Literal(value) => return Ok(Cow::Borrowed(value)),
            Expr::Input(name) => return self.input(name).map(Cow::Borrowed),
            Expr::Element { input, index } => {
                return self.element(input, *index).map(Cow::Borrowed);
            }
            Expr::Let(index) => return self.top_let(*index),
            Expr::Local(index) => return self.local_value(*index),
            Expr::Call(call) => return self.asked(call).map(Cow::Borrowed),
            Expr::Field(record, name) => return part(self.seen(record)?, name),
            Expr::Node { node, datum } => return self.datum(*node, *datum),
            Expr::HasElement { input, index } => {
                let has = self.element(input, *index).is_ok();
                Ok(Value::Bool(has))
            }
            Expr::Metric { metric, scope } => metric::scalar(self, *metric, scope),
            Expr::Word(word) => Ok(Value::String(self.word(*word))),
            Expr::Not(_) | Expr::Compare(..) => truth::truth(self, expr).map(Value::Bool),
            Expr::Aggregate(Aggregate::Any | Aggregate::All, _) => {
                truth::truth(self, expr).map(Value::Bool)
            }
            Expr::Binary(_, BinaryOp::And | BinaryOp::Or, _) => {
                truth::truth(self, expr).map(Value::Bool)
            }
            Expr::Aggregate(how, list) => truth::aggregated(self, *how, list),
            Expr::Negate(inner) => arith::negated(self.value(inner)?),
            Expr::Binary(left, op, right) => self.binary(left, *op, right),
            Expr::List(items) => self.together(items.iter()).map(Value::List),
            Expr::Map(entries) => self.map(entries).map(Value::Record),
            Expr::Template(template) => self.text(template).map(Value::String),
            Expr::Narrow {
                json,
                path,
                to,
                scale_numerator,
                scale_denominator,
            } => {
                let scale = (*scale_numerator, *scale_denominator);
                let json = self.seen(json)?;
                narrow::narrow(&json, path.as_deref(), to, scale)
            }
        };
        made.map(Cow::Owned)
    }

    /// The call with its arguments as values.
    pub fn call(&mut self, call: &'p CallExpr) -> Result<Call, Trouble> {
        Ok(Call {
            provider: call.provider.clone(),
            function: call.function.clone(),
            args: self.arguments(&call.args)?,
        })
    }

    pub fn arguments(&mut self, args: &'p [(String, Expr)]) -> Result<Fields, Trouble> {
        let seen = self.seen_arguments(args)?.into_iter();
        Ok(seen
            .map(|(name, value)| (name.to_owned(), value.into_owned()))
            .collect())
    }

    fn map(&mut self, entries: &'p [(String, Expr)]) -> Result<Fields, Trouble> {
        let values = self.together(entries.iter().map(|(_, entry)| entry))?;
        let names = entries.iter().map(|(name, _)| name.clone());
        Ok(names.zip(values).collect())
    }

    /// Those behind one that has no value, too: what they ask is asked at once.
    fn together(&mut self, exprs: impl Iterator<Item = &'p Expr>) -> Result<Vec<Value>, Trouble> {
        let mut room = MADE_BYTES_MAX;
        let mut values = Vec::new();
        let mut trouble = None;
        for expr in exprs {
            match self.seen(expr) {
                Ok(value) => {
                    let left = room.checked_sub(Extent::of(&value).bytes);
                    room = left.ok_or_else(too_large)?;
                    values.push(value.into_owned());
                }
                Err(found) => trouble = Some(heavier(trouble, found)),
            }
        }
        trouble.map_or(Ok(values), Err)
    }

    fn seen_arguments(
        &mut self,
        args: &'p [(String, Expr)],
    ) -> Result<Vec<(&'s str, Cow<'s, Value>)>, Trouble> {
        let mut values = Vec::with_capacity(args.len());
        let mut trouble: Option<Trouble> = None;
        for (name, arg) in args {
            match self.seen(arg) {
                Ok(value) => values.push((name.as_str(), value)),
                Err(found) => trouble = Some(heavier(trouble, found)),
            }
        }
        trouble.map_or(Ok(values), Err)
    }

    fn asked(&mut self, call: &'p CallExpr) -> Result<&'s Value, Trouble> {
        let args = self.seen_arguments(&call.args)?;
        let sought = Sought::new(&call.provider, &call.function, args);
        let known = self.moment().and_then(|moment| moment.find_sought(&sought));
        self.answer(known, || sought.into_wanted())
    }

    /// The answer to a question of this instant; it is asked where it was not yet.
    pub fn read(&mut self, wanted: &Wanted) -> Result<&'s Value, Trouble> {
        let known = self.moment().and_then(|moment| moment.find(wanted));
        self.answer(known, || wanted.clone())
    }

    fn moment(&self) -> Option<&'s Moment> {
        self.state.moments.get(self.asker.at)
    }

    fn answer(
        &mut self,
        known: Option<&'s Question>,
        wanted: impl FnOnce() -> Wanted,
    ) -> Result<&'s Value, Trouble> {
        match known {
            None => {
                self.needs.push(wanted());
                Err(Trouble::Waiting)
            }
            Some(question) => match &question.answer {
                None => {
                    self.waiting.push(question.id);
                    Err(Trouble::Waiting)
                }
                Some(Ok(value)) => Ok(value),
                Some(Err(failure)) => Err(Trouble::Failed(failure.clone())),
            },
        }
    }

    /// A text with its holes filled.
    pub fn text(&mut self, template: &'p Template) -> Result<String, Trouble> {
        let mut text = String::new();
        let mut trouble = None;
        for part in &template.parts {
            match part {
                TemplatePart::Text(words) => text.push_str(words),
                TemplatePart::Expr(expr) => match self.seen(expr) {
                    Ok(value) => text.push_str(&show::interpolated(&value)),
                    Err(found) => trouble = Some(heavier(trouble, found)),
                },
            }
            if text.len() > MADE_BYTES_MAX {
                return Err(too_large());
            }
        }
        trouble.map_or(Ok(text), Err)
    }

    /// As [`Evaluator::text`], but what has no value is said to have none: a message is never held up.
    pub fn message(&mut self, template: &'p Template) -> Result<String, Trouble> {
        let mut text = String::new();
        let mut waiting = None;
        for part in &template.parts {
            match part {
                TemplatePart::Text(words) => text.push_str(words),
                TemplatePart::Expr(expr) => match self.value(expr) {
                    Ok(value) => text.push_str(&show::interpolated(&value)),
                    Err(Trouble::Waiting) => waiting = Some(Trouble::Waiting),
                    Err(Trouble::NoData(_) | Trouble::NoNumber(_)) => text.push_str("no data"),
                    Err(Trouble::Failed(_) | Trouble::Wrong(_)) => text.push_str("unknown"),
                },
            }
            if text.len() > MADE_BYTES_MAX {
                text.truncate(text.floor_char_boundary(MADE_BYTES_MAX));
                text.push('…');
                break;
            }
        }
        waiting.map_or(Ok(text), Err)
    }

    fn input(&self, name: &str) -> Result<&'s Value, Trouble> {
        let given = self.state.run.as_ref().and_then(|run| run.inputs.get(name));
        given.ok_or_else(|| Trouble::NoData(format!("input `{name}` was not given")))
    }

    fn element(&self, input: &str, index: u32) -> Result<&'s Value, Trouble> {
        let missing = || Trouble::NoData(format!("there is no {}", elements::name(input, index)));
        match self.input(input)? {
            Value::List(items) => items.get(index as usize).ok_or_else(missing),
            _ => Err(Trouble::Wrong(format!("input `{input}` is no list"))),
        }
    }

    fn top_let(&mut self, index: u32) -> Seen<'s> {
        if let Some(value) = self.state.lets.get(&index) {
            return Ok(Cow::Borrowed(value));
        }
        if let Some(read) = self.frozen.get(&index) {
            return read.clone().map(Cow::Owned);
        }
        let Some(top) = self.plan.lets.get(index as usize) else {
            return Err(Trouble::Wrong("there is no such `let`".to_owned()));
        };
        let read = self.value(&top.value);
        self.frozen.insert(index, read.clone());
        read.map(Cow::Owned)
    }

    fn local_value(&mut self, index: u32) -> Seen<'s> {
        if let Some(known) = self.known.get(&index) {
            return known.clone();
        }
        let Some(expr) = self.local(index) else {
            return Err(Trouble::Wrong("there is no such name".to_owned()));
        };
        let value = self.seen(expr);
        self.known.insert(index, value.clone());
        value
    }

    fn binary(&mut self, left: &'p Expr, op: BinaryOp, right: &'p Expr) -> Evaluated {
        match (self.seen(left), self.seen(right)) {
            (Ok(left), Ok(right)) => arith::combined(&left, op, &right),
            (Err(one), Err(other)) => Err(heavier(Some(one), other)),
            (Err(trouble), _) | (_, Err(trouble)) => Err(trouble),
        }
    }

    fn datum(&self, id: NodeId, datum: Datum) -> Seen<'s> {
        let absent = || Trouble::NoData(format!("{} has not been there yet", self.path(id)));
        let node = self.state.nodes.get(id.0 as usize).ok_or_else(absent)?;
        let write = || {
            let mut writes = self.state.writes.values().rev();
            writes.find(|write| write.node == id)
        };
        let value = match datum {
            Datum::Before => write()
                .and_then(|write| write.intent.as_ref())
                .map(|intent| Cow::Borrowed(&intent.before)),
            Datum::Result => write().and_then(|write| write.result.as_ref().map(Cow::Borrowed)),
            Datum::Started => node.started.map(Value::Instant).map(Cow::Owned),
            Datum::Ended => node.ended.map(Value::Instant).map(Cow::Owned),
            Datum::Took => node.started.zip(node.ended).map(|(started, ended)| {
                let ns = i128::from(ended.since(started));
                Cow::Owned(Value::Quantity(Quantity::exact(Dim::Duration, ns)))
            }),
            Datum::Verdict => node.verdict.map(Value::Verdict).map(Cow::Owned),
        };
        value.ok_or_else(absent)
    }

    fn path(&self, id: NodeId) -> String {
        let node = self.plan.node(id);
        node.map_or_else(|| "it".to_owned(), |node| format!("`{}`", node.path))
    }

    fn word(&self, word: RunWord) -> String {
        match word {
            RunWord::PlanName => self.plan.name.clone(),
            RunWord::PlanTitle => self.plan.title.clone(),
            RunWord::RunId => self
                .state
                .run
                .as_ref()
                .map_or(String::new(), |run| run.id.clone()),
            RunWord::Cause => self.asker.cause.to_owned(),
        }
    }
}

/// Of two troubles the one that is told.
pub fn heavier(known: Option<Trouble>, found: Trouble) -> Trouble {
    match known {
        Some(known) if known.weight() >= found.weight() => known,
        _ => found,
    }
}

/// A field of a result. What a provider could not tell has no value.
pub fn field(record: Value, name: &str) -> Evaluated {
    part(Cow::Owned(record), name).map(Cow::into_owned)
}

fn part<'v>(record: Cow<'v, Value>, name: &str) -> Seen<'v> {
    let missing = || Trouble::Wrong(format!("the answer has no field `{name}`"));
    let found = match record {
        Cow::Borrowed(Value::Record(fields)) => fields.get(name).map(Cow::Borrowed),
        Cow::Owned(Value::Record(mut fields)) => fields.remove(name).map(Cow::Owned),
        Cow::Borrowed(Value::Json(json)) => {
            let fields = json.as_object();
            let field = fields.and_then(|fields| fields.get(name).cloned());
            field.map(Value::json).map(Cow::Owned)
        }
        Cow::Owned(Value::Json(mut json)) => {
            let fields = json.as_object_mut();
            let field = fields.and_then(|fields| fields.remove(name));
            field.map(Value::json).map(Cow::Owned)
        }
        Cow::Borrowed(Value::Absent) | Cow::Owned(Value::Absent) => Some(Cow::Owned(Value::Absent)),
        _ => None,
    };
    found.ok_or_else(missing)
}
