//! `for x in LIST`: a copy for each element, so that every plan ends.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::messages::structure as say;
use crate::analyze::typed::Typed;
use crate::syntax::ast::{ExprKind, For};
use crate::values::{Type, Value};

/// The elements of a list that is written out; anything else is reported and has none.
pub fn elements(cx: &mut Cx<'_, '_>, env: &Env, each: &For) -> Vec<Typed> {
    if let ExprKind::List(items) = &expr::bare(&each.list).kind {
        let whole = expr::infer(cx, env, &each.list);
        if items.is_empty() {
            cx.report(say::empty_list(each.list.span));
        }
        let of = match whole.ty {
            Type::List(of) => of.as_ref().clone(),
            _ => Type::Unknown,
        };
        let reported = cx.out.found.len();
        let typed = items
            .iter()
            .map(|item| expr::check(cx, env, item, &of))
            .collect();
        cx.out.found.truncate(reported);
        return typed;
    }
    let list = expr::infer(cx, env, &each.list);
    if list.is_unknown() {
        return Vec::new();
    }
    let Type::List(of) = &list.ty else {
        let text = cx.text(each.list.span);
        cx.report(say::not_a_list(&list, &text));
        return Vec::new();
    };
    match list.value() {
        Some(Value::List(values)) => {
            let one =
                |value: &Value| Typed::literal(value.clone(), of.as_ref().clone(), each.list.span);
            values.iter().map(one).collect()
        }
        _ => {
            cx.report(say::list_not_written_out(each, &list));
            Vec::new()
        }
    }
}
