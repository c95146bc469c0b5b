//! A typed expression, and what is known of how it gets its value.

use crate::plan::expr::Expr;
use crate::source::Span;
use crate::syntax::ast::Aggregate;
use crate::values::{Type, Value};

/// An expression of the plan with its type.
#[derive(Clone, Debug)]
pub struct Typed {
    pub expr: Expr,
    pub ty: Type,
    pub reads: Reads,
    pub span: Span,
    /// `any xs`, `all xs`: the type is that of one element, and what is done with it is done with each.
    pub each: Option<Aggregate>,
}

/// Where the value comes from. A value that nothing can change any more may not be judged again and again.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    /// Something that is asked anew at each judgement.
    pub live: Option<Span>,
    /// Something that is read once.
    pub frozen: Option<Frozen>,
    /// An input of the run.
    pub input: Option<Span>,
    /// A float that a metric measured.
    pub measured: Option<Span>,
    /// How many levels stand in each other in what the names in it lead to.
    pub depth: usize,
}

#[derive(Clone, Debug)]
pub struct Frozen {
    pub span: Span,
    pub why: FrozenWhy,
}

#[derive(Clone, Debug)]
pub enum FrozenWhy {
    /// A `let` outside of what is judged.
    Let(String),
    /// What a step or another item left behind.
    Result(String),
}

impl Reads {
    pub fn and(self, other: Reads) -> Reads {
        Reads {
            live: self.live.or(other.live),
            frozen: self.frozen.or(other.frozen),
            input: self.input.or(other.input),
            measured: self.measured.or(other.measured),
            depth: self.depth.max(other.depth),
        }
    }

    pub fn live(span: Span) -> Reads {
        Reads {
            live: Some(span),
            ..Reads::default()
        }
    }

    pub fn frozen(span: Span, why: FrozenWhy) -> Reads {
        Reads {
            frozen: Some(Frozen { span, why }),
            ..Reads::default()
        }
    }

    /// Known when the plan is compiled.
    pub fn is_constant(&self) -> bool {
        self.live.is_none() && self.frozen.is_none() && self.input.is_none()
    }
}

impl Typed {
    pub fn new(expr: Expr, ty: Type, reads: Reads, span: Span) -> Typed {
        Typed {
            expr,
            ty,
            reads,
            span,
            each: None,
        }
    }

    pub fn literal(value: Value, ty: Type, span: Span) -> Typed {
        Typed::new(Expr::Literal(value), ty, Reads::default(), span)
    }

    /// Stands for what already has a diagnostic.
    pub fn unknown(span: Span) -> Typed {
        // Live, so that nothing is said about a value that could not be read.
        let reads = Reads::live(span);
        Typed::new(Expr::Literal(Value::Absent), Type::Unknown, reads, span)
    }

    pub fn is_unknown(&self) -> bool {
        self.ty == Type::Unknown
    }

    /// The value, where it is known when the plan is compiled.
    pub fn value(&self) -> Option<&Value> {
        match &self.expr {
            Expr::Literal(value) if !self.is_unknown() => Some(value),
            _ => None,
        }
    }
}
