//! Expressions. The grammar finds them flat; here is decided what binds tighter.
//!
//! From loose to tight: `or`, `and`, `not`, comparisons (chained), `..`, `+ -`, `* /`, then `-` and aggregates, then
//! fields, calls, `as` and `in`.

use crate::source::Span;
use crate::syntax::ast::{
    Against, AgainstHow, Aggregate, Arg, BinaryOp, CompareOp, Entry, Expr, ExprKind, Ident,
    TypeExpr,
};
use crate::syntax::grammar::Rule;
use crate::syntax::parse::builder::{Builder, Node, missing_expr, missing_ident};
use crate::syntax::scan::DEPTH_MAX;
use std::iter::Peekable;
use std::vec::IntoIter;

/// A piece of a flat expression.
enum Piece {
    Operand(Expr),
    Not(Span),
    Negate(Span),
    Aggregate(Aggregate, Span),
    Infix(Infix),
    /// With its baseline and its margin.
    Against(AgainstHow, Expr, Expr),
}

#[derive(Clone, Copy, PartialEq)]
enum Infix {
    Binary(BinaryOp),
    Compare(CompareOp),
    Range,
}

impl Infix {
    fn strength(self) -> u8 {
        match self {
            Infix::Binary(BinaryOp::Or) => 1,
            Infix::Binary(BinaryOp::And) => 2,
            Infix::Compare(_) => COMPARE,
            Infix::Range => 5,
            Infix::Binary(BinaryOp::Add | BinaryOp::Sub) => 6,
            Infix::Binary(BinaryOp::Mul | BinaryOp::Div) => 7,
        }
    }
}

const COMPARE: u8 = 4;
const TIGHTEST: u8 = 8;

type Pieces = Peekable<IntoIter<Piece>>;

impl Builder<'_> {
    pub fn expr(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        if node.as_rule() == Rule::amount {
            return self.inner_expr(node);
        }
        let mut pieces = Vec::new();
        // A chain of operators makes a tree as deep as it is long.
        let depth = self.depth;
        let operators = node
            .clone()
            .into_inner()
            .filter(|i| i.as_rule() != Rule::operand)
            .count();
        self.depth += operators + 1;
        if self.depth > DEPTH_MAX {
            self.too_deep(span);
            self.depth = depth;
            return missing_expr(span);
        }
        for inner in node.into_inner() {
            let span = self.span(&inner);
            pieces.push(match inner.as_rule() {
                Rule::operand => Piece::Operand(self.operand(inner)),
                Rule::not => Piece::Not(span),
                Rule::negate => Piece::Negate(span),
                Rule::aggregate => Piece::Aggregate(aggregate(&inner), span),
                Rule::against => self.against(inner),
                rule => match infix(rule) {
                    Some(infix) => Piece::Infix(infix),
                    None => continue,
                },
            });
        }
        self.depth = depth;
        climb(&mut pieces.into_iter().peekable(), 0).unwrap_or_else(|| missing_expr(span))
    }

    fn against(&mut self, node: Node<'_>) -> Piece {
        let span = self.span(&node);
        let mut how = AgainstHow::NoWorse;
        let mut operands = Vec::new();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::near => how = AgainstHow::Near,
                Rule::operand => operands.push(self.operand(inner)),
                _ => {}
            }
        }
        let mut operands = operands.into_iter();
        let baseline = operands.next().unwrap_or_else(|| missing_expr(span));
        let margin = operands.next().unwrap_or_else(|| missing_expr(span));
        let margin = operands.fold(margin, |left, right| Expr {
            span: left.span.to(right.span),
            kind: ExprKind::Binary(Box::new(left), BinaryOp::Add, Box::new(right)),
        });
        Piece::Against(how, baseline, margin)
    }

    pub fn entry(&mut self, node: Node<'_>) -> Entry {
        let span = self.span(&node);
        let mut comments = self.comments.leading(self.source, span.start as usize);
        let mut key = missing_ident(span);
        let mut value = missing_expr(span);
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::ident => key = self.ident(&inner),
                Rule::expr => value = self.expr(inner),
                _ => {}
            }
        }
        comments
            .leading
            .extend(self.comments.before(span.end as usize));
        comments
            .trailing
            .extend(self.comments.behind(self.source, span.end as usize));
        Entry {
            key,
            value,
            comments,
        }
    }

    fn operand(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        let depth = self.depth;
        self.depth += node.clone().into_inner().count().saturating_sub(1);
        if self.depth > DEPTH_MAX {
            self.too_deep(span);
            self.depth = depth;
            return missing_expr(span);
        }
        let mut built = missing_expr(span);
        for (index, inner) in node.into_inner().enumerate() {
            built = match index {
                0 => self.primary(inner),
                _ => self.postfix(built, inner),
            };
        }
        self.depth = depth;
        built
    }

    fn primary(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        let text = || node.as_str().trim_end().to_owned();
        let kind = match node.as_rule() {
            Rule::number => self.number(node),
            Rule::variable => ExprKind::Name(text()),
            Rule::text => ExprKind::String(self.title(node)),
            Rule::bool => ExprKind::Bool(text() == "true"),
            Rule::version_literal => ExprKind::Version(text()),
            Rule::instant | Rule::clock => ExprKind::Instant(text()),
            Rule::date => ExprKind::Date(text()),
            Rule::raw => {
                let raw = node.into_inner().next();
                ExprKind::Raw(raw.map_or("", |raw| raw.as_str()).replace("\r\n", "\n"))
            }
            Rule::secret => {
                let name = node
                    .into_inner()
                    .find(|inner| inner.as_rule() == Rule::title);
                match name {
                    Some(name) => ExprKind::Secret(self.title(name)),
                    None => ExprKind::Junk,
                }
            }
            Rule::list => {
                let elements = node
                    .into_inner()
                    .filter(|inner| inner.as_rule() == Rule::expr);
                ExprKind::List(elements.map(|element| self.expr(element)).collect())
            }
            Rule::map => {
                let entries = node
                    .into_inner()
                    .filter(|inner| inner.as_rule() == Rule::entry);
                let mut entries: Vec<Entry> = entries.map(|entry| self.entry(entry)).collect();
                for entry in &mut entries {
                    entry.comments.blank_before = false;
                }
                ExprKind::Map(entries)
            }
            Rule::paren => ExprKind::Paren(Box::new(self.inner_expr(node))),
            _ => ExprKind::Junk,
        };
        Expr { kind, span }
    }

    fn number(&mut self, node: Node<'_>) -> ExprKind {
        let mut digits = String::new();
        let mut unit = None;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::digits => digits = inner.as_str().to_owned(),
                Rule::unit | Rule::cores => unit = Some(Box::new(self.ident(&inner))),
                _ => {}
            }
        }
        ExprKind::Number { digits, unit }
    }

    fn postfix(&mut self, base: Expr, node: Node<'_>) -> Expr {
        let span = base.span.to(self.span(&node));
        let base = Box::new(base);
        let kind = match node.as_rule() {
            Rule::field => ExprKind::Field(base, self.inner_ident(node)),
            Rule::call => {
                let args = node
                    .into_inner()
                    .filter(|inner| inner.as_rule() == Rule::arg);
                let mut args: Vec<Arg> = args.map(|arg| self.arg(arg)).collect();
                args.shrink_to_fit();
                ExprKind::Call(base, args)
            }
            Rule::as_type => ExprKind::As(base, Box::new(self.as_type(node))),
            _ => ExprKind::In(base, self.unit_name(node)),
        };
        Expr { kind, span }
    }

    fn arg(&mut self, node: Node<'_>) -> Arg {
        let mut label = None;
        let mut value = missing_expr(self.span(&node));
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::arg_label => label = Some(self.inner_ident(inner)),
                Rule::expr => value = self.expr(inner),
                _ => {}
            }
        }
        Arg { label, value }
    }

    fn as_type(&mut self, node: Node<'_>) -> (TypeExpr, Option<Ident>) {
        let mut ty = TypeExpr {
            name: String::new(),
            args: Vec::new(),
            span: self.span(&node),
        };
        let mut unit = None;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::r#type => ty = self.type_expr(inner),
                Rule::unit_name => unit = Some(self.ident(&inner)),
                _ => {}
            }
        }
        (ty, unit)
    }

    fn unit_name(&mut self, node: Node<'_>) -> Ident {
        let span = self.span(&node);
        let unit = node
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::unit_name);
        unit.map_or_else(|| missing_ident(span), |unit| self.ident(&unit))
    }
}

/// Precedence climbing: takes operators that bind at least as tightly as `strength`.
fn climb(pieces: &mut Pieces, strength: u8) -> Option<Expr> {
    let mut left = unary(pieces)?;
    loop {
        if strength <= COMPARE
            && let Some(Piece::Against(how, baseline, margin)) =
                pieces.next_if(|piece| matches!(piece, Piece::Against(..)))
        {
            let measured = left;
            left = against(measured, how, baseline, margin);
            continue;
        }
        let Some(infix) = next_infix(pieces, strength) else {
            return Some(left);
        };
        left = match infix {
            Infix::Compare(op) => compare(pieces, left, op),
            Infix::Binary(op) => {
                let right = operand_after(pieces, infix, left.span);
                let span = left.span.to(right.span);
                let kind = ExprKind::Binary(Box::new(left), op, Box::new(right));
                Expr { kind, span }
            }
            Infix::Range => {
                let right = operand_after(pieces, infix, left.span);
                let span = left.span.to(right.span);
                let kind = ExprKind::Range(Box::new(left), Box::new(right));
                Expr { kind, span }
            }
        };
    }
}

fn against(measured: Expr, how: AgainstHow, baseline: Expr, margin: Expr) -> Expr {
    Expr {
        span: measured.span.to(margin.span),
        kind: ExprKind::Against(Box::new(Against {
            measured,
            how,
            baseline,
            margin,
        })),
    }
}

/// `a <= b <= c`: one comparison of three operands.
fn compare(pieces: &mut Pieces, first: Expr, op: CompareOp) -> Expr {
    let mut span = first.span;
    let mut rest = Vec::with_capacity(1);
    let mut next = Some(op);
    while let Some(op) = next {
        let right = operand_after(pieces, Infix::Compare(op), span);
        span = span.to(right.span);
        rest.push((op, right));
        next = match next_infix(pieces, COMPARE) {
            Some(Infix::Compare(op)) => Some(op),
            _ => None,
        };
    }
    Expr {
        kind: ExprKind::Compare(Box::new(first), rest),
        span,
    }
}

fn operand_after(pieces: &mut Pieces, infix: Infix, span: Span) -> Expr {
    climb(pieces, infix.strength() + 1).unwrap_or_else(|| missing_expr(span))
}

fn next_infix(pieces: &mut Pieces, strength: u8) -> Option<Infix> {
    let piece = pieces.next_if(|piece| match piece {
        Piece::Infix(infix) => infix.strength() >= strength,
        _ => false,
    });
    match piece {
        Some(Piece::Infix(infix)) => Some(infix),
        _ => None,
    }
}

fn unary(pieces: &mut Pieces) -> Option<Expr> {
    let (kind, start) = match pieces.next()? {
        Piece::Operand(operand) => return Some(operand),
        Piece::Infix(_) | Piece::Against(..) => return None,
        Piece::Not(start) => {
            let inner = climb(pieces, COMPARE)?;
            return Some(Expr {
                span: start.to(inner.span),
                kind: ExprKind::Not(Box::new(inner)),
            });
        }
        Piece::Negate(start) => (None, start),
        Piece::Aggregate(aggregate, start) => (Some(aggregate), start),
    };
    let inner = climb(pieces, TIGHTEST)?;
    let span = start.to(inner.span);
    let inner = Box::new(inner);
    let kind = match kind {
        Some(aggregate) => ExprKind::Aggregate(aggregate, inner),
        None => ExprKind::Negate(inner),
    };
    Some(Expr { kind, span })
}

fn infix(rule: Rule) -> Option<Infix> {
    Some(match rule {
        Rule::range_op => Infix::Range,
        Rule::and => Infix::Binary(BinaryOp::And),
        Rule::or => Infix::Binary(BinaryOp::Or),
        Rule::add => Infix::Binary(BinaryOp::Add),
        Rule::subtract => Infix::Binary(BinaryOp::Sub),
        Rule::multiply => Infix::Binary(BinaryOp::Mul),
        Rule::divide => Infix::Binary(BinaryOp::Div),
        Rule::equal => Infix::Compare(CompareOp::Eq),
        Rule::unequal => Infix::Compare(CompareOp::Ne),
        Rule::lt => Infix::Compare(CompareOp::Lt),
        Rule::le => Infix::Compare(CompareOp::Le),
        Rule::gt => Infix::Compare(CompareOp::Gt),
        Rule::ge => Infix::Compare(CompareOp::Ge),
        _ => return None,
    })
}

fn aggregate(node: &Node<'_>) -> Aggregate {
    match node.as_str().trim_end() {
        "any" => Aggregate::Any,
        "all" => Aggregate::All,
        "max" => Aggregate::Max,
        "min" => Aggregate::Min,
        "sum" => Aggregate::Sum,
        "avg" => Aggregate::Avg,
        _ => Aggregate::Count,
    }
}
