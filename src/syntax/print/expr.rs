//! Expressions, strings and types as text.

use crate::syntax::ast::{Arg, Entry, Expr, ExprKind, Ident, StringLit, StringPart, TypeExpr};
use crate::syntax::print::doc::{Doc, group, nest, text};

pub fn expr(expr: &Expr) -> Doc {
    match &expr.kind {
        ExprKind::Bool(value) => text(value.to_string()),
        ExprKind::Number { digits, unit } => text(number(digits, unit.as_deref())),
        ExprKind::Version(written)
        | ExprKind::Instant(written)
        | ExprKind::Date(written)
        | ExprKind::Name(written) => text(written.clone()),
        ExprKind::String(string) => text(quoted(string)),
        ExprKind::Raw(raw) => text(format!("`{raw}`")),
        ExprKind::Field(base, field) => postfix(base, format!(".{}", field.name)),
        ExprKind::Call(callee, args) => Doc::Concat(vec![self::expr(callee), arguments(args)]),
        ExprKind::List(elements) => list(elements),
        ExprKind::Map(entries) => map(entries),
        ExprKind::Not(inner) => prefix("not ".to_owned(), inner),
        ExprKind::Negate(inner) => prefix("-".to_owned(), inner),
        ExprKind::Binary(left, op, right) => chain(left, [(op.word(), right.as_ref())]),
        ExprKind::Compare(first, rest) => {
            chain(first, rest.iter().map(|(op, right)| (op.word(), right)))
        }
        ExprKind::Against(against) => chain(
            &against.measured,
            [
                (against.how.word(), &against.baseline),
                ("by", &against.margin),
            ],
        ),
        ExprKind::Aggregate(aggregate, inner) => prefix(format!("{} ", aggregate.word()), inner),
        ExprKind::As(base, to) => {
            let (ty, unit) = to.as_ref();
            let unit = in_unit(unit.as_ref());
            postfix(base, format!(" as {}{unit}", type_name(ty)))
        }
        ExprKind::In(base, unit) => postfix(base, in_unit(Some(unit))),
        ExprKind::Range(from, to) => chain(from, [("..", to.as_ref())]),
        ExprKind::Secret(name) => text(format!("secret(env {})", quoted(name))),
        ExprKind::Paren(inner) => brackets("(", vec![self::expr(inner)], "", ")"),
        ExprKind::Junk => text(""),
    }
}

/// With quotation marks and escapes.
pub fn quoted(string: &StringLit) -> String {
    let mut out = String::from("\"");
    for part in &string.parts {
        match part {
            StringPart::Text(text) => escape(text, &mut out),
            StringPart::Interpolation(value) => {
                out.push_str("${");
                out.push_str(&flat(&expr(value)));
                out.push('}');
            }
        }
    }
    out.push('"');
    out
}

/// Text without interpolations, with quotation marks and escapes.
pub fn quoted_text(text: &str) -> String {
    let mut out = String::from("\"");
    escape(text, &mut out);
    out.push('"');
    out
}

pub fn type_name(ty: &TypeExpr) -> String {
    match ty.args.as_slice() {
        [] => ty.name.clone(),
        args => {
            let args: Vec<String> = args.iter().map(type_name).collect();
            format!("{}<{}>", ty.name, args.join(", "))
        }
    }
}

/// `key: value`
pub fn entry(entry: &Entry) -> Doc {
    Doc::Concat(vec![
        text(format!("{}: ", entry.key.name)),
        expr(&entry.value),
    ])
}

fn number(digits: &str, unit: Option<&Ident>) -> String {
    match unit.map(|unit| unit.name.as_str()) {
        None => digits.to_owned(),
        Some(word @ ("core" | "cores")) => format!("{digits} {word}"),
        Some(unit) => format!("{digits}{unit}"),
    }
}

fn postfix(base: &Expr, behind: String) -> Doc {
    Doc::Concat(vec![expr(base), text(behind)])
}

fn prefix(word: String, inner: &Expr) -> Doc {
    Doc::Concat(vec![text(word), expr(inner)])
}

fn in_unit(unit: Option<&Ident>) -> String {
    unit.map_or_else(String::new, |unit| format!(" in {}", unit.name))
}

/// Operands with operators between them; a line breaks before an operator.
fn chain<'e>(first: &Expr, rest: impl IntoIterator<Item = (&'static str, &'e Expr)>) -> Doc {
    let mut parts = Vec::new();
    for (operator, right) in rest {
        parts.push(Doc::Line);
        parts.push(text(format!("{operator} ")));
        parts.push(expr(right));
    }
    group(vec![expr(first), nest(parts)])
}

fn list(elements: &[Expr]) -> Doc {
    brackets("[", elements.iter().map(expr).collect(), ",", "]")
}

fn arguments(args: &[Arg]) -> Doc {
    let args = args.iter().map(|arg| match &arg.label {
        Some(label) => Doc::Concat(vec![text(format!("{}: ", label.name)), expr(&arg.value)]),
        None => expr(&arg.value),
    });
    brackets("(", args.collect(), "", ")")
}

/// Parts with commas between them, and `last` behind them where they stand on lines of their own.
fn brackets(open: &'static str, parts: Vec<Doc>, last: &'static str, close: &'static str) -> Doc {
    if parts.is_empty() {
        return text(format!("{open}{close}"));
    }
    let mut inside = Vec::new();
    for part in parts {
        inside.push(if inside.is_empty() {
            Doc::Soft
        } else {
            Doc::Line
        });
        inside.push(part);
        inside.push(text(","));
    }
    inside.pop();
    group(vec![
        text(open),
        nest(inside),
        Doc::Either("", last),
        Doc::Soft,
        text(close),
    ])
}

/// On one line with commas, or on lines of their own without. Comments need lines.
fn map(entries: &[Entry]) -> Doc {
    if entries.is_empty() {
        return text("{}");
    }
    let mut inside = Vec::new();
    for (index, one) in entries.iter().enumerate() {
        if index > 0 {
            inside.push(Doc::Either(",", ""));
        }
        inside.push(Doc::Line);
        for comment in &one.comments.leading {
            inside.extend([text(comment.text.clone()), Doc::Hard]);
        }
        inside.push(entry(one));
        for comment in &one.comments.trailing {
            inside.push(text(format!(" {}", comment.text)));
        }
    }
    let commented = entries
        .iter()
        .any(|e| !e.comments.leading.is_empty() || !e.comments.trailing.is_empty());
    if commented {
        // Nothing else makes the group break where only one line has a comment behind it.
        return group(vec![text("{"), nest(inside), Doc::Hard, text("}")]);
    }
    group(vec![text("{"), nest(inside), Doc::Line, text("}")])
}

fn escape(text: &str, out: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '$' if chars.peek() == Some(&'{') => out.push_str("\\$"),
            _ => out.push(c),
        }
    }
}

/// On one line, whatever its width: inside of a string no line may break.
fn flat(doc: &Doc) -> String {
    match doc {
        Doc::Text(text) => text.clone(),
        Doc::Line | Doc::Hard => " ".to_owned(),
        Doc::Soft => String::new(),
        Doc::Either(flat, _) => (*flat).to_owned(),
        Doc::Concat(parts) => parts.iter().map(flat).collect(),
        Doc::Fill(parts) => parts.iter().map(flat).collect::<Vec<_>>().join(" "),
        Doc::Nest(inner) | Doc::Group(inner) => flat(inner),
    }
}
