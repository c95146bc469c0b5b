//! What a line of a scenario sets: an input, a metric, an answer of a provider.

use crate::plan::{Input, Metric, MetricSource};
use crate::providers::{Effect, Function, ProviderKind, REVISION_PODS};
use crate::simulate::compile::{Compiler, messages, value};
use crate::simulate::script::{Line, Question};
use crate::source::Span;
use crate::syntax::ast::scenario::Assign;
use crate::syntax::ast::{Arg, Expr, ExprKind, Ident};
use crate::values::fields::Fields;
use crate::values::{Type, Value};
use std::sync::Arc;

/// What was said.
pub enum Said {
    Input(String, Value),
    Line(Line),
}

const SCOPES: [&str; 3] = ["canary", "stable", "all"];

/// A place taken apart: a name, and what stands behind its dots.
pub struct Path<'e> {
    pub base: &'e str,
    base_span: Span,
    pub members: Vec<&'e Ident>,
    /// Of the call among the members, if there is one: which member it calls.
    pub call: Option<(usize, &'e [Arg])>,
}

impl<'p> Compiler<'p> {
    pub fn assign(&mut self, assign: &Assign) -> Option<Said> {
        let Some(path) = Path::of(&assign.place) else {
            self.say(messages::no_place(assign.place.span));
            return None;
        };
        let span = assign.value.span;
        if let Some((metric, scope)) = self.metric_at(&path)
            && let Some(series) = self.series(metric, assign)
        {
            return Some(Said::Line(Line::Series {
                metric: metric.name.clone(),
                scope: scope.map(str::to_owned),
                series: Arc::new(series?),
            }));
        }
        if let Some(every) = &assign.every {
            self.say(messages::series_of_something_else(every.span));
            return None;
        }
        let given = self.value(&assign.value)?;
        match (path.base, path.members.as_slice()) {
            (name, []) => {
                let input = self.plan.inputs.iter().find(|input| input.name == name);
                match (input, self.plan.metric(name)) {
                    (Some(input), _) => self.input(input, given, span),
                    (None, Some(metric)) => self.metric(metric, None, &given, span),
                    (None, None) => self.unknown(&path),
                }
            }
            (scope, [pods, field]) if SCOPES.contains(&scope) && pods.name == "pods" => {
                self.pods(scope, field, given, span)
            }
            (scope, [metric]) if SCOPES.contains(&scope) => match self.plan.metric(&metric.name) {
                Some(metric) => self.metric(metric, Some(scope), &given, span),
                None => {
                    let known = self.plan.metrics.iter().map(|metric| metric.name.as_str());
                    let message = messages::no_such_member(scope, &metric.name, metric.span, known);
                    self.say(message);
                    None
                }
            },
            (provider, [function, ..]) => match self.provider(provider) {
                Some(kind) => self.answer_of(kind, function, &path, given, span),
                None => self.unknown(&path),
            },
        }
    }

    fn metric_at<'e>(&self, path: &Path<'e>) -> Option<(&'p Metric, Option<&'e str>)> {
        match path.members.as_slice() {
            [] => Some((self.plan.metric(path.base)?, None)),
            [name] if SCOPES.contains(&path.base) => {
                Some((self.plan.metric(&name.name)?, Some(path.base)))
            }
            _ => None,
        }
    }

    fn input(&mut self, input: &Input, given: Value, span: Span) -> Option<Said> {
        let found = kind_of(&given);
        let fits = match (input.ty.as_str(), &given) {
            ("int", _) => found == "count",
            ("url" | "regex", _) => found == "string",
            (ty, Value::List(_)) => ty.starts_with("list"),
            (ty, _) => found == ty,
        };
        if !fits {
            self.say(messages::wrong_type(&input.name, &input.ty, &found, span));
            return None;
        }
        Some(Said::Input(input.name.clone(), given))
    }

    fn metric(
        &mut self,
        metric: &Metric,
        scope: Option<&str>,
        given: &Value,
        span: Span,
    ) -> Option<Said> {
        let raw = match given {
            Value::Absent => None,
            Value::Quantity(quantity) if quantity.dim == metric.dim => {
                Some(raw(metric, quantity.amount.as_f64()))
            }
            other => {
                let wanted = metric.dim.to_string();
                self.say(messages::wrong_type(
                    &metric.name,
                    &wanted,
                    &kind_of(other),
                    span,
                ));
                return None;
            }
        };
        Some(Said::Line(Line::Metric {
            metric: metric.name.clone(),
            scope: scope.map(str::to_owned),
            raw,
        }))
    }

    /// `canary.pods.healthy = 0`
    fn pods(&mut self, scope: &str, field: &Ident, given: Value, span: Span) -> Option<Said> {
        let clusters = self
            .plan
            .providers
            .iter()
            .filter(|provider| provider.kind == "kubernetes");
        let cluster = clusters.map(|provider| provider.name.clone()).next()?;
        let function = self.provider(&cluster)?.function(REVISION_PODS)?;
        let value = self.typed(function, &[field], given, span)?;
        Some(Said::Line(Line::Answer {
            to: Question {
                provider: cluster,
                function: function.name.to_owned(),
                args: Fields::from([("scope", Value::String(scope.to_owned()))]),
                path: vec![field.name.clone()],
            },
            value,
        }))
    }

    fn answer_of(
        &mut self,
        kind: &'static ProviderKind,
        name: &Ident,
        path: &Path,
        given: Value,
        span: Span,
    ) -> Option<Said> {
        if name.name == "down" && path.members.len() == 1 {
            return self.down(path, &given, span);
        }
        let asked = |function: &&Function| {
            function.effect == Effect::Read || function.effect == Effect::Run
        };
        let Some(function) = kind.function(&name.name).filter(asked) else {
            let known = kind
                .functions
                .iter()
                .filter(asked)
                .map(|function| function.name);
            self.say(messages::no_such_member(
                path.base, &name.name, name.span, known,
            ));
            return None;
        };
        let args = match path.call {
            Some((0, args)) => self.args(function, args)?,
            _ => Fields::new(),
        };
        let fields = path.members.get(1..).unwrap_or_default();
        let value = self.typed(function, fields, given, span)?;
        Some(Said::Line(Line::Answer {
            to: Question {
                provider: path.base.to_owned(),
                function: function.name.to_owned(),
                args,
                path: fields.iter().map(|field| field.name.clone()).collect(),
            },
            value,
        }))
    }

    fn down(&mut self, path: &Path, given: &Value, span: Span) -> Option<Said> {
        match given {
            Value::Bool(true) => Some(Said::Line(Line::Down {
                provider: path.base.to_owned(),
            })),
            other => {
                self.say(messages::wrong_type(
                    "down",
                    "`true`",
                    &kind_of(other),
                    span,
                ));
                None
            }
        }
    }

    pub fn args(&mut self, function: &Function, args: &[Arg]) -> Option<Fields> {
        let mut named = Fields::new();
        let mut rest = Vec::new();
        for (index, arg) in args.iter().enumerate() {
            let given = self.value(&arg.value)?;
            let many = function
                .params
                .first()
                .filter(|param| param.rest == crate::providers::Rest::Many && arg.label.is_none());
            let param = match &arg.label {
                Some(label) => function
                    .params
                    .iter()
                    .find(|param| param.name == label.name),
                None => function.params.get(index),
            };
            match (many, param) {
                (Some(_), _) => rest.push(given),
                (None, Some(param)) => named.insert(param.name, given),
                (None, None) => {
                    let known = function.params.iter().map(|param| param.name);
                    let message =
                        messages::no_such_member(function.name, "argument", arg.value.span, known);
                    self.say(message);
                    return None;
                }
            }
        }
        if let (false, Some(param)) = (rest.is_empty(), function.params.first()) {
            named.insert(param.name, Value::List(rest));
        }
        Some(named)
    }

    /// What the fields of an answer come to.
    pub fn field_type<'f>(
        &mut self,
        function: &'f Function,
        fields: &[&Ident],
    ) -> Option<&'f Type> {
        let mut wanted = &function.result;
        for field in fields {
            let Type::Record(record) = wanted else {
                self.say(messages::no_such_member(
                    "it",
                    &field.name,
                    field.span,
                    [].into_iter(),
                ));
                return None;
            };
            let Some(found) = record.fields.iter().find(|known| known.name == field.name) else {
                let known = record.fields.iter().map(|known| known.name);
                self.say(messages::no_such_member(
                    record.name,
                    &field.name,
                    field.span,
                    known,
                ));
                return None;
            };
            wanted = &found.ty;
        }
        Some(wanted)
    }

    /// The value as the field declares it.
    fn typed(
        &mut self,
        function: &Function,
        fields: &[&Ident],
        given: Value,
        span: Span,
    ) -> Option<Value> {
        let wanted = self.field_type(function, fields)?;
        match (wanted, given) {
            (_, Value::Absent) => Some(Value::Absent),
            (Type::Json, given) => match value::json(&given) {
                Ok(json) => Some(Value::json(json)),
                Err(error) => {
                    self.say(messages::wrong_json(&error, span));
                    None
                }
            },
            (wanted, given) if is_a(&given, wanted) => Some(given),
            (wanted, given) => {
                let what = fields
                    .last()
                    .map_or(function.name, |field| field.name.as_str());
                self.say(messages::wrong_type(
                    what,
                    &wanted.to_string(),
                    &kind_of(&given),
                    span,
                ));
                None
            }
        }
    }

    fn unknown(&mut self, path: &Path) -> Option<Said> {
        let inputs = self.plan.inputs.iter().map(|input| input.name.as_str());
        let metrics = self.plan.metrics.iter().map(|metric| metric.name.as_str());
        let providers = self
            .plan
            .providers
            .iter()
            .map(|provider| provider.name.as_str());
        let known = inputs.chain(metrics).chain(providers);
        let message = messages::no_such_place(path.base, path.base_span, known);
        self.say(message);
        None
    }
}

impl<'e> Path<'e> {
    pub fn of(expr: &'e Expr) -> Option<Path<'e>> {
        match &expr.kind {
            ExprKind::Name(name) => Some(Path {
                base: name,
                base_span: expr.span,
                members: Vec::new(),
                call: None,
            }),
            ExprKind::Field(base, member) => {
                let mut path = Path::of(base)?;
                path.members.push(member);
                Some(path)
            }
            ExprKind::Call(callee, args) => {
                let mut path = Path::of(callee)?;
                let index = path.members.len().checked_sub(1)?;
                path.call = path.call.is_none().then_some((index, args.as_slice()));
                path.call.is_some().then_some(path)
            }
            _ => None,
        }
    }
}

/// A metric's value as its query would give it.
pub fn raw(metric: &Metric, base: f64) -> f64 {
    match &metric.source {
        MetricSource::Query {
            scale_numerator,
            scale_denominator,
            ..
        } => base * *scale_denominator as f64 / *scale_numerator as f64,
        MetricSource::Derived(_) => base,
    }
}

pub fn is_a(value: &Value, wanted: &Type) -> bool {
    match (value, wanted) {
        (Value::Bool(_), Type::Bool)
        | (Value::String(_), Type::String | Type::Url | Type::Regex)
        | (Value::Version(_), Type::Version)
        | (Value::Instant(_), Type::Instant)
        | (Value::Record(_), Type::Map(_) | Type::Record(_)) => true,
        (Value::Quantity(quantity), Type::Quantity(dim)) => quantity.dim == *dim,
        (Value::List(values), Type::List(of)) => values.iter().all(|value| is_a(value, of)),
        _ => false,
    }
}

pub fn kind_of(value: &Value) -> String {
    match value {
        Value::Bool(_) => "bool".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Version(_) => "version".to_owned(),
        Value::Instant(_) => "instant".to_owned(),
        Value::Quantity(quantity) => quantity.dim.to_string(),
        Value::Record(_) => "map".to_owned(),
        Value::List(_) => "list".to_owned(),
        _ => "value of another kind".to_owned(),
    }
}
