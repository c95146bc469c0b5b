//! Arguments against parameters: by place, then by name; defaults are written out.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::manifest;
use crate::analyze::messages::calls;
use crate::analyze::typed::Reads;
use crate::plan::expr::Expr;
use crate::providers::{Function, Need, Param, Rest};
use crate::source::Span;
use crate::syntax::ast::Arg;
use crate::values::{Type, Value};

/// The arguments by name, in the order of the parameters. `None` has been reported.
pub fn bind(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    provider: &str,
    function: &'static Function,
    args: &[Arg],
    span: Span,
) -> Option<(Vec<(String, Expr)>, Reads)> {
    let mut slots: Vec<Vec<&Arg>> = function.params.iter().map(|_| Vec::new()).collect();
    let mut sound = true;
    for arg in args {
        let index = match place_of(function, arg, &slots) {
            Ok(index) => index,
            Err(found) => {
                cx.report(found.say(provider, function, arg));
                sound = false;
                continue;
            }
        };
        if let Some(slot) = slots.get_mut(index) {
            slot.push(arg);
        }
    }
    let mut bound = Vec::with_capacity(args.len());
    let mut reads = Reads::default();
    for (param, given) in function.params.iter().zip(&slots) {
        match value_of(cx, env, param, given) {
            Filled::Given(expr, own) => {
                reads = reads.and(own);
                bound.push((param.name.to_owned(), expr));
            }
            Filled::Nothing => {}
            Filled::Missing => {
                if sound {
                    cx.report(calls::missing_argument(provider, function, param, span));
                }
                sound = false;
            }
            Filled::Wrong => sound = false,
        }
    }
    sound.then_some((bound, reads))
}

enum Filled {
    Given(Expr, Reads),
    /// Optional and without a default.
    Nothing,
    Missing,
    /// Has been reported.
    Wrong,
}

/// Why an argument has no parameter.
enum Misfit {
    TooMany,
    UnknownLabel,
    Twice,
}

impl Misfit {
    fn say(
        &self,
        provider: &str,
        function: &Function,
        arg: &Arg,
    ) -> crate::diagnostics::Diagnostic {
        match (self, &arg.label) {
            (Misfit::UnknownLabel, Some(label)) => {
                calls::unknown_argument(provider, function, label)
            }
            (Misfit::Twice, Some(label)) => calls::argument_twice(provider, function, label),
            _ => calls::too_many_arguments(provider, function, arg.value.span),
        }
    }
}

fn place_of(function: &Function, arg: &Arg, slots: &[Vec<&Arg>]) -> Result<usize, Misfit> {
    let Some(label) = &arg.label else {
        let free = function
            .params
            .iter()
            .zip(slots)
            .position(|(param, given)| {
                given.is_empty()
                    || (param.rest == Rest::Many && given.iter().all(|arg| arg.label.is_none()))
            });
        return free.ok_or(Misfit::TooMany);
    };
    let index = function
        .params
        .iter()
        .position(|param| param.name == label.name);
    let index = index.ok_or(Misfit::UnknownLabel)?;
    match slots.get(index) {
        Some(given) if !given.is_empty() => Err(Misfit::Twice),
        _ => Ok(index),
    }
}

fn value_of(cx: &mut Cx<'_, '_>, env: &Env, param: &'static Param, given: &[&Arg]) -> Filled {
    match (param.rest, given) {
        (_, []) => match (&param.default, param.need) {
            (Some(value), _) => Filled::Given(Expr::Literal(value.clone()), Reads::default()),
            (None, Need::Optional) => Filled::Nothing,
            (None, Need::Required) => Filled::Missing,
        },
        (
            Rest::Many,
            [
                Arg {
                    label: Some(_),
                    value,
                },
            ],
        ) => one(cx, env, value, &Type::list(param.ty.clone())),
        (Rest::Many, several) => many(cx, env, param, several),
        (Rest::One, [only, ..]) => one(cx, env, &only.value, &param.ty),
    }
}

fn one(cx: &mut Cx<'_, '_>, env: &Env, value: &crate::syntax::ast::Expr, ty: &Type) -> Filled {
    let typed = expr::check(cx, env, value, ty);
    if typed.is_unknown() {
        return Filled::Wrong;
    }
    if let (Type::Path, Some(Value::String(path))) = (ty, typed.value()) {
        manifest::load(cx, path, value.span);
    }
    Filled::Given(typed.expr, typed.reads)
}

fn many(cx: &mut Cx<'_, '_>, env: &Env, param: &Param, given: &[&Arg]) -> Filled {
    let mut reads = Reads::default();
    let mut items = Vec::new();
    for arg in given {
        let typed = expr::check(cx, env, &arg.value, &param.ty);
        if typed.is_unknown() {
            return Filled::Wrong;
        }
        reads = reads.and(typed.reads);
        items.push(typed.expr);
    }
    Filled::Given(expr::fold::fold(Expr::List(items)), reads)
}
