//! `input NAME: TYPE [= DEFAULT] [place]`

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::messages::typing as say;
use crate::analyze::types;
use crate::plan::{Input, Placement};
use crate::syntax::ast;
use crate::units::Dim;
use crate::values::Type;

pub fn input(cx: &mut Cx<'_, '_>, input: &ast::Input) -> Input {
    let ty = types::read(cx, &input.ty);
    if !can_be_given(&ty) {
        cx.report(say::no_input_of(input.ty.span, &ty));
    }
    let default = input.default.as_ref().and_then(|default| {
        let typed = expr::check(cx, &Env::default(), default, &ty);
        if typed.value().is_none() && !typed.is_unknown() {
            cx.report(say::constant_needed(default.span, "a default"));
        }
        typed.value().cloned()
    });
    Input {
        name: input.name.name.clone(),
        ty: ty.to_string(),
        default,
        most: None,
        place: match input.place {
            Some(_) => Placement::Varies,
            None => Placement::Fixed,
        },
        loc: cx.loc(input.name.span),
    }
}

/// What can be written behind `--set`.
fn can_be_given(ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::String | Type::Version | Type::Instant | Type::Url | Type::Unknown => {
            true
        }
        Type::Quantity(dim) => *dim != Dim::Change,
        Type::List(of) => !matches!(**of, Type::List(_)) && can_be_given(of),
        _ => false,
    }
}
