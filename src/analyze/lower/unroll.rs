//! `for x in LIST`: a copy for each element, so that every plan ends.

use crate::analyze::context::{Bound, Cx};
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::expr::constant;
use crate::analyze::extent;
use crate::analyze::lower::define;
use crate::analyze::messages::{numbers, structure as say};
use crate::analyze::typed::Typed;
use crate::plan::expr::Expr;
use crate::source::Span;
use crate::syntax::ast::{ExprKind, For};
use crate::values::{Type, Value};

/// One round of a `for`.
#[derive(Clone, Debug)]
pub struct Round {
    pub element: Typed,
    /// Whether the run has this element; `None` where the list is written out.
    pub applies: Option<Expr>,
}

/// A list of more elements is no plan that people read.
const MOST: u32 = 1_000;

/// The rounds over a list that is written out, or over an input `up to N`; anything else is reported and has none.
pub fn rounds(cx: &mut Cx<'_, '_>, env: &Env, each: &For) -> Vec<Round> {
    let rounds = all_rounds(cx, env, each);
    let has_room = extent::has_room(cx, rounds.len(), &each.body, each.list.span);
    if has_room { rounds } else { Vec::new() }
}

fn all_rounds(cx: &mut Cx<'_, '_>, env: &Env, each: &For) -> Vec<Round> {
    let written = written_out(cx, env, each);
    let elements = match written {
        Written::Elements(elements) => elements,
        Written::Known(list) => return of_list(cx, env, each, &list),
        Written::Reported => return Vec::new(),
    };
    if let Some(most) = most(cx, env, each) {
        fits(cx, each, elements.len(), most);
    }
    elements.into_iter().map(always).collect()
}

enum Written {
    Elements(Vec<Typed>),
    /// It is an expression of another kind.
    Known(Typed),
    Reported,
}

fn written_out(cx: &mut Cx<'_, '_>, env: &Env, each: &For) -> Written {
    let whole = expr::infer(cx, env, &each.list);
    let ExprKind::List(items) = &expr::bare(&each.list).kind else {
        return match whole.is_unknown() {
            true => Written::Reported,
            false => Written::Known(whole),
        };
    };
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
    Written::Elements(typed)
}

fn of_list(cx: &mut Cx<'_, '_>, env: &Env, each: &For, list: &Typed) -> Vec<Round> {
    let Type::List(of) = &list.ty else {
        let text = cx.text(each.list.span);
        cx.report(say::not_a_list(list, &text));
        return Vec::new();
    };
    let of = of.as_ref().clone();
    let span = each.list.span;
    match (&list.expr, list.value()) {
        (_, Some(Value::List(values))) => {
            if let Some(most) = most(cx, env, each) {
                fits(cx, each, values.len(), most);
            }
            let one = |value: &Value| always(Typed::literal(value.clone(), of.clone(), span));
            values.iter().map(one).collect()
        }
        (Expr::Input(input), _) if each.up_to.is_some() => given(cx, env, each, input, &of, list),
        // A define by itself: what its parameter is, the call says.
        (Expr::Local(local), _) if define::is_parameter(*local) => {
            vec![always(Typed::new(
                list.expr.clone(),
                of,
                list.reads.clone(),
                span,
            ))]
        }
        _ => {
            cx.report(say::list_not_written_out(each, list));
            Vec::new()
        }
    }
}

/// As many copies as there may be elements; which of them apply is known when the inputs are.
fn given(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    each: &For,
    input: &str,
    of: &Type,
    list: &Typed,
) -> Vec<Round> {
    let Some((most, at)) = most(cx, env, each) else {
        return Vec::new();
    };
    cx.out.bounds.push(Bound {
        input: input.to_owned(),
        most,
        at,
    });
    let round = |index: u32| {
        let input = input.to_owned();
        let element = Expr::Element {
            input: input.clone(),
            index,
        };
        Round {
            element: Typed::new(element, of.clone(), list.reads.clone(), each.list.span),
            applies: Some(Expr::HasElement { input, index }),
        }
    };
    (0..most).map(round).collect()
}

fn most(cx: &mut Cx<'_, '_>, env: &Env, each: &For) -> Option<(u32, Span)> {
    let written = each.up_to.as_ref()?;
    let what = "the most elements of a list";
    let most = constant::count(cx, env, written, what)?;
    if most > MOST {
        let range = format!("a whole number from 1 to {MOST}");
        cx.report(numbers::out_of_range(written.span, what, &range));
        return None;
    }
    Some((most, written.span))
}

fn fits(cx: &mut Cx<'_, '_>, each: &For, elements: usize, (most, at): (u32, Span)) {
    if elements > most as usize {
        let text = cx.text(each.list.span);
        cx.report(say::list_too_long(&text, elements, most, at));
    }
}

fn always(element: Typed) -> Round {
    Round {
        element,
        applies: None,
    }
}
