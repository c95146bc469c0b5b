//! `any all max min sum avg count` over lists, and over the series of a metric.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::messages::typing as say;
use crate::analyze::typed::Typed;
use crate::plan::expr::Expr;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::Aggregate;
use crate::values::Type;

pub fn aggregate(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    how: Aggregate,
    inner: &ast::Expr,
    span: Span,
) -> Typed {
    let typed = expr::infer(cx, env, inner);
    if typed.is_unknown() {
        return Typed::unknown(span);
    }
    let element = element(&typed);
    let ty = element.as_ref().and_then(|element| result(how, element));
    let Some(ty) = ty else {
        let text = cx.text(inner.span);
        cx.report(say::no_aggregate(how, &typed, &text));
        return Typed::unknown(span);
    };
    let each = matches!(how, Aggregate::Any | Aggregate::All).then_some(how);
    let expr = Expr::Aggregate(how, Box::new(typed.expr));
    Typed {
        each,
        ..Typed::new(expr, ty, typed.reads, span)
    }
}

/// What there are several of: items of a list, or series of a metric.
fn element(typed: &Typed) -> Option<Type> {
    match (&typed.ty, &typed.expr) {
        (Type::List(of), _) => Some(of.as_ref().clone()),
        (ty @ Type::Quantity(_), Expr::Metric { .. }) => Some(ty.clone()),
        _ => None,
    }
}

fn result(how: Aggregate, element: &Type) -> Option<Type> {
    let quantity = matches!(element, Type::Quantity(_) | Type::Points | Type::Unknown);
    let ordered = quantity || matches!(element, Type::Instant | Type::Version);
    match how {
        Aggregate::Any | Aggregate::All => Some(element.clone()),
        Aggregate::Count => Some(expr::count()),
        Aggregate::Max | Aggregate::Min if ordered => Some(element.clone()),
        Aggregate::Sum | Aggregate::Avg if quantity => Some(element.clone()),
        _ => None,
    }
}
