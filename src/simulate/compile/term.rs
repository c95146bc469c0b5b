//! The expressions of a test: each name is looked up, each comparison has to make sense.

use crate::plan::node::{Node, NodeId};
use crate::providers::Effect;
use crate::providers::request::Call;
use crate::simulate::compile::place::{Path, is_a, kind_of};
use crate::simulate::compile::{Compiler, messages, value};
use crate::simulate::expect::{RuleId, Subject, Term, TermKind, Time};
use crate::simulate::scenario::Moment;
use crate::source::Span;
use crate::syntax::ast::{Arg, BinaryOp, CompareOp, Expr, ExprKind, Ident};
use crate::units::Dim;
use crate::values::fields::Fields;
use crate::values::{Type, Value, Verdict};
use std::mem::discriminant;

/// What a term is, as far as comparing it goes.
#[derive(Clone, Debug)]
pub enum Kind {
    Bool,
    Moment,
    Outcome,
    Verdict,
    Names,
    Story,
    Of(Type),
    /// A literal that fits whatever it can be compared with.
    Literal(Value),
}

/// Which words a bare name may be, because of what it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    None,
    Outcome,
    Verdict,
    Names,
}

const OUTCOMES: [&str; 5] = [
    "success",
    "stopped",
    "rolled_back",
    "rollback_incomplete",
    "running",
];
const VERDICTS: [(&str, Verdict); 7] = [
    ("pass", Verdict::Pass),
    ("fail", Verdict::Fail),
    ("inconclusive", Verdict::Inconclusive),
    ("error", Verdict::Error),
    ("skipped", Verdict::Skipped),
    ("cancelled", Verdict::Cancelled),
    ("not_applicable", Verdict::NotApplicable),
];

type Typed = Option<(Term, Kind)>;

impl Compiler<'_> {
    pub fn term(&mut self, expr: &Expr, words: Words) -> Typed {
        let span = expr.span;
        let made = |kind, of| Some((Term { kind, span }, of));
        match &expr.kind {
            ExprKind::Paren(inner) => self.term(inner, words),
            ExprKind::Not(inner) => {
                let inner = self.truth(inner)?;
                made(TermKind::Not(Box::new(inner)), Kind::Bool)
            }
            ExprKind::Binary(left, BinaryOp::And, right) => {
                let (left, right) = (self.truth(left), self.truth(right));
                made(TermKind::And(Box::new(left?), Box::new(right?)), Kind::Bool)
            }
            ExprKind::Binary(left, BinaryOp::Or, right) => {
                let (left, right) = (self.truth(left), self.truth(right));
                made(TermKind::Or(Box::new(left?), Box::new(right?)), Kind::Bool)
            }
            ExprKind::Binary(left, op @ (BinaryOp::Add | BinaryOp::Sub), right) => {
                self.sum(left, *op, right, span)
            }
            ExprKind::Compare(first, rest) => self.comparison(first, rest, span),
            ExprKind::Name(name) => self.named_term(name, words, span),
            ExprKind::Field(base, field) => self.member(base, field, expr),
            ExprKind::Call(callee, args) => self.called(callee, args, expr),
            ExprKind::List(items) if words == Words::Names => {
                let names: Vec<Option<Value>> =
                    items.iter().map(|item| self.name_of(item)).collect();
                let names: Option<Vec<Value>> = names.into_iter().collect();
                made(TermKind::Value(Value::List(names?)), Kind::Names)
            }
            _ => {
                let value = self.value(expr)?;
                let kind = literal_kind(&value);
                made(TermKind::Value(value), kind)
            }
        }
    }

    fn truth(&mut self, expr: &Expr) -> Option<Term> {
        match self.term(expr, Words::None)? {
            (term, Kind::Bool | Kind::Moment) => Some(term),
            _ => {
                self.say(messages::no_expectation(expr.span));
                None
            }
        }
    }

    fn comparison(&mut self, first: &Expr, rest: &[(CompareOp, Expr)], span: Span) -> Typed {
        let sides = std::iter::once(first).chain(rest.iter().map(|(_, side)| side));
        let words = sides.map(words_of).find(|words| *words != Words::None);
        let words = words.unwrap_or(Words::None);
        let (first, mut kind) = self.term(first, words)?;
        let mut terms = Vec::new();
        for (op, side) in rest {
            let (term, other) = self.term(side, words)?;
            let story = [&kind, &other]
                .iter()
                .any(|kind| matches!(kind, Kind::Story));
            if story {
                return self.story(first, term, span);
            }
            if !comparable(&kind, &other) {
                let message = messages::not_comparable(&called(&kind), &called(&other), side.span);
                self.say(message);
                return None;
            }
            if !matches!(op, CompareOp::Eq | CompareOp::Ne) && !ordered(&kind) {
                self.say(messages::no_order(&called(&kind), side.span));
                return None;
            }
            terms.push((*op, term));
            kind = other;
        }
        let kind = TermKind::Compare(Box::new(first), terms);
        Some((Term { kind, span }, Kind::Bool))
    }

    fn story(&mut self, left: Term, right: Term, span: Span) -> Typed {
        for side in [left, right] {
            if matches!(&side.kind, TermKind::Snapshot(name) if !name.is_empty()) {
                let kind = side.kind;
                return Some((Term { kind, span }, Kind::Bool));
            }
        }
        self.say(messages::no_snapshot(span));
        None
    }

    fn sum(&mut self, left: &Expr, op: BinaryOp, right: &Expr, span: Span) -> Typed {
        let (left, left_kind) = self.term(left, Words::None)?;
        let (right, right_kind) = self.term(right, Words::None)?;
        let time = |kind: &Kind| is_duration(kind);
        let kind = match (&left_kind, op, &right_kind) {
            (Kind::Moment, _, right) if time(right) => Kind::Moment,
            (Kind::Moment, BinaryOp::Sub, Kind::Moment) => Kind::Of(Type::Quantity(Dim::Duration)),
            (left, _, right) if time(left) && time(right) => {
                Kind::Of(Type::Quantity(Dim::Duration))
            }
            _ => {
                self.say(messages::no_sum(span));
                return None;
            }
        };
        let (left, right) = (Box::new(left), Box::new(right));
        let sum = match op {
            BinaryOp::Sub => TermKind::Minus(left, right),
            _ => TermKind::Plus(left, right),
        };
        Some((Term { kind: sum, span }, kind))
    }

    fn named_term(&mut self, name: &str, words: Words, span: Span) -> Typed {
        let (kind, of) = match (name, words) {
            ("outcome", _) => (TermKind::Outcome, Kind::Outcome),
            ("cause", _) => (TermKind::Cause, Kind::Of(Type::String)),
            ("paused", _) => (TermKind::Paused, Kind::Bool),
            ("kept", _) => (TermKind::Kept, Kind::Names),
            ("story", _) => (TermKind::Snapshot(String::new()), Kind::Story),
            ("absent", _) => (TermKind::Value(Value::Absent), Kind::Literal(Value::Absent)),
            ("start", _) => (TermKind::Time(Time::Started, Subject::Run), Kind::Moment),
            (name, Words::Outcome) if OUTCOMES.contains(&name) => (
                TermKind::Value(Value::String(name.to_owned())),
                Kind::Outcome,
            ),
            (name, Words::Verdict) if verdict(name).is_some() => {
                let verdict = verdict(name).map_or(Value::Absent, Value::Verdict);
                (TermKind::Value(verdict), Kind::Verdict)
            }
            (_, Words::Outcome | Words::Verdict) => {
                let known = match words {
                    Words::Outcome => OUTCOMES.to_vec(),
                    _ => VERDICTS.iter().map(|(word, _)| *word).collect(),
                };
                self.say(messages::no_such_word(name, span, known.into_iter()));
                return None;
            }
            _ => {
                let subject = self.subject_named(name, span)?;
                (TermKind::Time(Time::Started, subject), Kind::Moment)
            }
        };
        Some((Term { kind, span }, of))
    }

    fn subject_named(&mut self, name: &str, span: Span) -> Option<Subject> {
        match name {
            "rollback" => Some(Subject::Rollback),
            "run" => Some(Subject::Run),
            _ => match self.node_named(name) {
                Some(node) => Some(Subject::Node(node)),
                None => {
                    let names = self
                        .plan
                        .nodes
                        .iter()
                        .filter_map(|node| node.name.as_deref());
                    let message = messages::nothing_expected(name, span, names);
                    self.say(message);
                    None
                }
            },
        }
    }

    /// Something whose times and verdict can be asked for: a name, or a stage.
    fn subject(&mut self, expr: &Expr) -> Option<Option<Subject>> {
        match &expr.kind {
            ExprKind::Name(name) if self.plan.provider(name).is_some() => None,
            ExprKind::Name(name) => Some(self.subject_named(name, expr.span)),
            ExprKind::Call(callee, _) if is_stage(callee) => Some(match self.moment(expr) {
                Some((Moment::Node(node), _)) => Some(Subject::Node(node)),
                _ => None,
            }),
            _ => None,
        }
    }

    fn member(&mut self, base: &Expr, field: &Ident, expr: &Expr) -> Typed {
        let Some(subject) = self.subject(base) else {
            return self.read(expr);
        };
        let subject = subject?;
        let made = |kind, of| {
            let span = expr.span;
            Some((Term { kind, span }, of))
        };
        let time = |time| TermKind::Time(time, subject);
        match (field.name.as_str(), subject) {
            ("started", _) => made(time(Time::Started), Kind::Moment),
            ("ended", _) => made(time(Time::Ended), Kind::Moment),
            ("took", _) => made(time(Time::Took), Kind::Of(Type::Quantity(Dim::Duration))),
            ("order", Subject::Rollback) => made(TermKind::RollbackOrder, Kind::Names),
            ("cause", Subject::Rollback) => made(TermKind::Cause, Kind::Of(Type::String)),
            ("verdict", Subject::Node(node)) => made(TermKind::Verdict(node), Kind::Verdict),
            _ => {
                let mut known = vec!["started", "ended", "took"];
                match subject {
                    Subject::Rollback => known.extend(["order", "cause"]),
                    Subject::Node(_) => known.push("verdict"),
                    Subject::Run => {}
                }
                let message =
                    messages::no_such_member("it", &field.name, field.span, known.into_iter());
                self.say(message);
                None
            }
        }
    }

    fn called(&mut self, callee: &Expr, args: &[Arg], expr: &Expr) -> Typed {
        let ExprKind::Name(function) = &callee.kind else {
            return match self.subject(expr) {
                Some(subject) => {
                    let kind = TermKind::Time(Time::Started, subject?);
                    let span = expr.span;
                    Some((Term { kind, span }, Kind::Moment))
                }
                None => self.read(expr),
            };
        };
        let span = expr.span;
        let made = |kind, of| Some((Term { kind, span }, of));
        match (function.as_str(), args) {
            ("verdict", [of]) => match self.item(&of.value)? {
                Named::Node(node) => made(TermKind::Verdict(node), Kind::Verdict),
                Named::Rule(rule) => made(TermKind::RuleVerdict(rule), Kind::Verdict),
            },
            ("fired", [of]) => match self.item(&of.value)? {
                Named::Rule(rule) => made(TermKind::Fired(rule), Kind::Bool),
                Named::Node(_) => {
                    self.say(messages::no_rule(of.value.span));
                    None
                }
            },
            ("told", [whom]) => {
                let provider = self.channel(&whom.value)?;
                let part = None;
                made(
                    TermKind::Told { provider, part },
                    Kind::Of(Type::Quantity(Dim::Count)),
                )
            }
            ("told", [whom, what]) => {
                let provider = self.channel(&whom.value)?;
                let part = Some(self.text(&what.value)?);
                made(
                    TermKind::Told { provider, part },
                    Kind::Of(Type::Quantity(Dim::Count)),
                )
            }
            ("snapshot", [name]) => {
                let name = self.text(&name.value)?;
                made(TermKind::Snapshot(name), Kind::Story)
            }
            _ => {
                let known = ["verdict", "fired", "told", "snapshot"];
                let message = messages::nothing_expected(function, callee.span, known.into_iter());
                self.say(message);
                None
            }
        }
    }

    fn text(&mut self, expr: &Expr) -> Option<String> {
        match self.value(expr)? {
            Value::String(text) => Some(text),
            other => {
                let found = kind_of(&other);
                self.say(messages::wrong_type("this", "string", &found, expr.span));
                None
            }
        }
    }

    fn channel(&mut self, expr: &Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Name(name) if self.plan.provider(name).is_some() => Some(name.clone()),
            _ => {
                let known = self.plan.providers.iter().map(|known| known.name.as_str());
                self.say(messages::no_such_provider(expr.span, known));
                None
            }
        }
    }

    fn read(&mut self, expr: &Expr) -> Typed {
        let path = Path::of(expr);
        let found = path.as_ref().and_then(|path| {
            let function = path.members.first()?;
            Some((self.provider(path.base)?, *function, path))
        });
        let Some((kind, name, path)) = found else {
            self.say(messages::no_expectation(expr.span));
            return None;
        };
        let reads = |function: &&crate::providers::Function| function.effect == Effect::Read;
        let Some(function) = kind.function(&name.name).filter(reads) else {
            let known = kind
                .functions
                .iter()
                .filter(reads)
                .map(|function| function.name);
            let message = messages::no_such_member(path.base, &name.name, name.span, known);
            self.say(message);
            return None;
        };
        let mut args = Fields::new();
        for param in &function.params {
            if let Some(default) = &param.default {
                args.insert(param.name, default.clone());
            }
        }
        if let Some((0, written)) = path.call {
            args.extend(self.args(function, written)?);
        }
        let fields = path.members.get(1..).unwrap_or_default();
        let ty = self.field_type(function, fields)?.clone();
        let call = Call {
            provider: path.base.to_owned(),
            function: function.name.to_owned(),
            args,
        };
        let fields = fields.iter().map(|field| field.name.clone()).collect();
        let kind = match ty {
            Type::Bool => Kind::Bool,
            Type::Instant => Kind::Moment,
            ty => Kind::Of(ty),
        };
        let span = expr.span;
        Some((
            Term {
                kind: TermKind::Read(call, fields),
                span,
            },
            kind,
        ))
    }

    /// An item by its name, its `ref` or its title; a rule of a watch by its `ref` or its title.
    fn item(&mut self, expr: &Expr) -> Option<Named> {
        let Some(id) = id_of(expr) else {
            self.say(messages::no_such_item("", expr.span));
            return None;
        };
        let is_it = |refs: &[String], title: Option<&String>| {
            refs.contains(&id) || title.is_some_and(|title| *title == id)
        };
        let node =
            self.plan.nodes.iter().find(|node| {
                node.name.as_ref() == Some(&id) || is_it(&node.refs, node.title.as_ref())
            });
        if let Some(node) = node {
            return Some(Named::Node(node.id));
        }
        for (watch, of) in self.plan.watches.iter().enumerate() {
            let found = of
                .rules
                .iter()
                .position(|rule| is_it(&rule.refs, rule.title.as_ref()));
            if let Some(rule) = found {
                return Some(Named::Rule(RuleId { watch, rule }));
            }
        }
        self.say(messages::no_such_item(&id, expr.span));
        None
    }

    fn name_of(&mut self, expr: &Expr) -> Option<Value> {
        let node = match &expr.kind {
            ExprKind::Name(name) => self.node_named(name).map(|_| name.clone()),
            _ => None,
        };
        match node {
            Some(name) => Some(Value::String(name)),
            None => {
                let id = id_of(expr).unwrap_or_default();
                self.say(messages::no_such_item(&id, expr.span));
                None
            }
        }
    }

    fn node_named(&self, name: &str) -> Option<NodeId> {
        let is_it = |node: &&Node| node.name.as_deref() == Some(name);
        self.plan.nodes.iter().find(is_it).map(|node| node.id)
    }
}

enum Named {
    Node(NodeId),
    Rule(RuleId),
}

/// `X0-099`, which reads like a difference, or text between quotation marks.
fn id_of(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Number { digits, unit } => {
            let unit = unit.as_ref().map_or("", |unit| unit.name.as_str());
            Some(format!("{digits}{unit}"))
        }
        ExprKind::String(text) => value::plain_text(text),
        ExprKind::Field(base, field) => Some(format!("{}.{}", id_of(base)?, field.name)),
        ExprKind::Binary(left, BinaryOp::Sub, right) => {
            Some(format!("{}-{}", id_of(left)?, id_of(right)?))
        }
        _ => None,
    }
}

fn is_stage(callee: &Expr) -> bool {
    matches!(&callee.kind, ExprKind::Field(_, field) if field.name == "stage")
}

/// Which words the other side of a comparison may use.
fn words_of(expr: &Expr) -> Words {
    match &expr.kind {
        ExprKind::Name(name) if name == "outcome" => Words::Outcome,
        ExprKind::Name(name) if name == "kept" => Words::Names,
        ExprKind::Field(base, field) => match (&base.kind, field.name.as_str()) {
            (ExprKind::Name(name), "order") if name == "rollback" => Words::Names,
            (_, "verdict") => Words::Verdict,
            _ => Words::None,
        },
        ExprKind::Call(callee, _) => match &callee.kind {
            ExprKind::Name(name) if name == "verdict" => Words::Verdict,
            _ => Words::None,
        },
        ExprKind::Paren(inner) => words_of(inner),
        _ => Words::None,
    }
}

fn verdict(name: &str) -> Option<Verdict> {
    let found = VERDICTS.iter().find(|(word, _)| *word == name);
    found.map(|(_, verdict)| *verdict)
}

fn literal_kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Instant(_) => Kind::Moment,
        other => Kind::Literal(other.clone()),
    }
}

fn is_duration(kind: &Kind) -> bool {
    match kind {
        Kind::Of(Type::Quantity(dim)) => *dim == Dim::Duration,
        Kind::Literal(Value::Quantity(quantity)) => quantity.dim == Dim::Duration,
        _ => false,
    }
}

fn comparable(left: &Kind, right: &Kind) -> bool {
    match (left, right) {
        (Kind::Literal(Value::Absent), _) | (_, Kind::Literal(Value::Absent)) => true,
        (Kind::Literal(value), Kind::Of(ty)) | (Kind::Of(ty), Kind::Literal(value)) => {
            is_a(value, ty)
        }
        (Kind::Literal(a), Kind::Literal(b)) => kind_of(a) == kind_of(b),
        (Kind::Of(a), Kind::Of(b)) => a == b,
        (a, b) => discriminant(a) == discriminant(b),
    }
}

fn ordered(kind: &Kind) -> bool {
    match kind {
        Kind::Moment => true,
        Kind::Of(ty) => matches!(ty, Type::Quantity(_) | Type::Version),
        Kind::Literal(value) => matches!(value, Value::Quantity(_) | Value::Version(_)),
        _ => false,
    }
}

/// The word for it in a message.
fn called(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "bool".to_owned(),
        Kind::Moment => "moment".to_owned(),
        Kind::Outcome => "outcome".to_owned(),
        Kind::Verdict => "verdict".to_owned(),
        Kind::Names => "list of names".to_owned(),
        Kind::Story => "story".to_owned(),
        Kind::Of(ty) => ty.to_string(),
        Kind::Literal(value) => kind_of(value),
    }
}
