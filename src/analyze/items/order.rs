//! A named `order` has a place in the report.

use crate::analyze::context::{Cx, unlinked_node};
use crate::analyze::env::Env;
use crate::analyze::expr::text;
use crate::analyze::lower::nodes;
use crate::plan::Order;
use crate::resolve::names::DeclId;
use crate::source::Span;
use crate::syntax::ast;

/// `None` where it only says what comes after what.
pub fn order(
    cx: &mut Cx<'_, '_>,
    order: &ast::Order,
    phases: &[DeclId],
    span: Span,
) -> Option<Order> {
    let head = &order.head;
    if head.name.is_none() && head.title.is_none() && head.refs.is_empty() {
        return None;
    }
    let title = head.title.as_ref();
    let title = title.and_then(|title| text::title(cx, &Env::default(), title));
    Some(Order {
        name: head.name.as_ref().map(|name| name.name.clone()),
        title,
        refs: nodes::refs(head),
        phases: phases.iter().map(|phase| unlinked_node(*phase)).collect(),
        loc: cx.loc(span),
    })
}
