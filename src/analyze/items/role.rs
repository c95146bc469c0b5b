//! `role NAME "title" [= ["ana", "ben"]]`

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::expr::text;
use crate::analyze::messages::{structure, typing as say};
use crate::plan::Role;
use crate::syntax::ast;
use crate::values::{Type, Value};

pub fn role(cx: &mut Cx<'_, '_>, role: &ast::Role) -> Role {
    let env = Env::default();
    let title = role.title.as_ref();
    let title = title.and_then(|title| text::title(cx, &env, title));
    let members = match &role.members {
        Some(members) => names(cx, &env, members),
        None => Vec::new(),
    };
    Role {
        name: role.name.name.clone(),
        title: title.unwrap_or_else(|| role.name.name.clone()),
        members,
    }
}

fn names(cx: &mut Cx<'_, '_>, env: &Env, members: &ast::Expr) -> Vec<String> {
    let typed = expr::check(cx, env, members, &Type::list(Type::String));
    if typed.is_unknown() {
        return Vec::new();
    }
    let Some(Value::List(values)) = typed.value() else {
        cx.report(say::constant_needed(members.span, "who has a role"));
        return Vec::new();
    };
    if values.is_empty() {
        cx.report(structure::empty_list(members.span));
    }
    let names = values.iter().filter_map(|value| match value {
        Value::String(name) => Some(name.clone()),
        _ => None,
    });
    names.collect()
}
