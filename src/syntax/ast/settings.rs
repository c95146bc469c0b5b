//! What only a plan says: what a new run does beside another one, and when nothing goes forward.

use crate::syntax::ast::{Expr, Head};

/// `concurrent runs HOW`
#[derive(Clone, Debug, PartialEq)]
pub struct Concurrent {
    pub how: ConcurrentHow,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ConcurrentHow {
    Reject,
    /// Without an end it does not compile; the grammar lets it through for a better message.
    Queue {
        up_to: Option<Expr>,
    },
    Replace {
        up_to: Option<Expr>,
    },
}

/// `freeze A .. B "title" ref …`
#[derive(Clone, Debug, PartialEq)]
pub struct Freeze {
    pub window: Expr,
    pub head: Head,
}
