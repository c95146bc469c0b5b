//! Statements of scenarios and tests.

use crate::syntax::ast::scenario::{
    Answer, Applying, Assign, At, How, Kill, Promise, Tail, Trouble, Verb, Word,
};
use crate::syntax::ast::{Block, ExprKind, Reference, StmtKind};
use crate::syntax::grammar::Rule;
use crate::syntax::parse::builder::{Builder, Node, missing_expr, missing_ident};

impl Builder<'_> {
    pub fn at(&mut self, node: Node<'_>) -> At {
        let mut at = At {
            moment: None,
            duration: None,
            body: Block::default(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::amount => at.moment = Some(self.expr(inner)),
                Rule::for_time => at.duration = Some(self.inner_expr(inner)),
                Rule::block => at.body = self.block(inner),
                _ => {}
            }
        }
        at
    }

    pub fn answer(&mut self, node: Node<'_>) -> Answer {
        let span = self.span(&node);
        let mut answer = Answer {
            who: missing_ident(span),
            verb: missing_ident(span),
            item: None,
            after: None,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => answer.who = self.ident(&inner),
                Rule::verb => answer.verb = self.ident(&inner),
                Rule::answer_item => {
                    answer.item = Some(Reference {
                        id: inner.as_str().trim_end().to_owned(),
                        span: self.span(&inner),
                    });
                }
                Rule::answer_after => answer.after = Some(self.inner_expr(inner)),
                _ => {}
            }
        }
        answer
    }

    /// A bound, a call, `PLACE = VALUE`, or what is wrong with something.
    pub fn plain(&mut self, node: Node<'_>) -> StmtKind {
        let span = self.span(&node);
        let (mut exprs, mut every, mut duration) = (Vec::new(), None, None);
        let (mut undo, mut trouble) = (None, None);
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::expr => exprs.push(self.expr(inner)),
                Rule::every_time => every = Some(self.inner_expr(inner)),
                Rule::for_time => duration = Some(self.inner_expr(inner)),
                Rule::undo_of => undo = Some(self.span(&inner)),
                Rule::trouble => trouble = Some(how(inner.as_str())),
                _ => {}
            }
        }
        let mut exprs = exprs.into_iter();
        let first = exprs.next().unwrap_or_else(|| missing_expr(span));
        if let Some(how) = trouble {
            return StmtKind::Trouble(Trouble {
                undo,
                what: first,
                how,
                duration,
                span,
            });
        }
        match (exprs.next(), &first.kind) {
            (Some(value), _) => StmtKind::Assign(Assign {
                place: first,
                value,
                every,
                duration,
            }),
            (None, ExprKind::Call(..)) => StmtKind::Call(first),
            (None, _) => StmtKind::Bound(first),
        }
    }

    pub fn kill(&mut self, node: Node<'_>) -> Kill {
        let span = self.span(&node);
        let applying = applying(node.as_str().split_whitespace().nth(1));
        let mut lasting = node.into_inner();
        let lasting = lasting.find(|inner| inner.as_rule() == Rule::for_time);
        Kill {
            applying,
            span,
            duration: lasting.map(|lasting| self.inner_expr(lasting)),
        }
    }

    /// An `expect` that stands by itself: as in a plan, or with what only a test may say.
    pub fn expect_stmt(&mut self, node: Node<'_>) -> StmtKind {
        let promises = |inner: Node<'_>| {
            matches!(
                inner.as_rule(),
                Rule::throughout | Rule::before | Rule::within_of | Rule::as_at_start
            )
        };
        match node.clone().into_inner().any(promises) {
            true => StmtKind::Promise(self.promise(node)),
            false => StmtKind::Expect(self.expect(node)),
        }
    }

    fn promise(&mut self, node: Node<'_>) -> Promise {
        let span = self.span(&node);
        let mut promise = Promise {
            always: None,
            condition: missing_expr(span),
            tail: None,
            span,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::throughout => promise.always = Some(self.span(&inner)),
                Rule::expr => promise.condition = self.expr(inner),
                Rule::before => promise.tail = Some(Tail::Before(self.inner_expr(inner))),
                Rule::within_of => {
                    let span = self.span(&inner);
                    let mut parts = inner.into_inner();
                    let mut next = || parts.next().map(|part| self.expr(part));
                    let time = next().unwrap_or_else(|| missing_expr(span));
                    let of = next().unwrap_or_else(|| missing_expr(span));
                    promise.tail = Some(Tail::Within(time, of));
                }
                Rule::as_at_start => promise.tail = Some(Tail::AtStart(self.span(&inner))),
                _ => {}
            }
        }
        promise
    }
}

fn how(text: &str) -> How {
    let words: Vec<&str> = text.split_whitespace().collect();
    let word = words.get(1).copied().unwrap_or_default();
    let when = applying(words.get(2).copied());
    match (words.first().copied(), word) {
        (Some("is"), "down") => How::Down,
        (Some("is"), "silent") => How::Silent,
        (Some("is"), "unknown") => How::Unknown(when),
        (Some("fails"), _) => How::Fails(applying(Some(word)).unwrap_or(Applying::Before)),
        (verb, _) => How::Open {
            verb: match verb {
                Some("stays") => Verb::Stays,
                _ => Verb::Is,
            },
            // The grammar lets no other word through.
            word: Word::ALL
                .into_iter()
                .find(|known| known.text() == word)
                .unwrap_or(Word::Unknown),
            when,
        },
    }
}

fn applying(word: Option<&str>) -> Option<Applying> {
    match word {
        Some("before") => Some(Applying::Before),
        Some("after") => Some(Applying::After),
        _ => None,
    }
}
