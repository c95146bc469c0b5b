//! What a test expects, from the tree to terms.

use crate::simulate::compile::term::{Kind, Words};
use crate::simulate::compile::{Compiler, messages};
use crate::simulate::expect::{Expectation, Subject, Term, TermKind, Time, When};
use crate::syntax::ast::scenario::{Promise, Tail};
use crate::syntax::ast::{CompareOp, Expr, ExprKind, Stmt, StmtKind};

impl Compiler<'_> {
    pub fn expectation(&mut self, statement: &Stmt, when: When) -> Option<Expectation> {
        let span = statement.span;
        let (term, when) = match &statement.kind {
            StmtKind::Expect(expect) => {
                if let Some(extra) = expect.duration.as_ref().map(|time| time.span) {
                    self.say(messages::no_time_in_an_expectation(extra));
                    return None;
                }
                if let Some(scope) = &expect.scope {
                    self.say(messages::no_scope_in_an_expectation(scope.span));
                    return None;
                }
                (self.condition(&expect.condition)?, when)
            }
            StmtKind::Promise(promise) => {
                let when = match (promise.always, when) {
                    (Some(_), When::End | When::Always) => When::Always,
                    (Some(always), When::Moment) => {
                        self.say(messages::always_at_a_moment(always));
                        return None;
                    }
                    (None, when) => when,
                };
                (self.promise(promise)?, when)
            }
            _ => return None,
        };
        Some(Expectation { term, when, span })
    }

    fn promise(&mut self, promise: &Promise) -> Option<Term> {
        let Some(tail) = &promise.tail else {
            return self.condition(&promise.condition);
        };
        self.tailed(&promise.condition, tail)
    }

    /// `not A before B` denies the whole of it.
    fn tailed(&mut self, condition: &Expr, tail: &Tail) -> Option<Term> {
        let kind = match (&condition.kind, tail) {
            (ExprKind::Not(inner), _) => TermKind::Not(Box::new(self.tailed(inner, tail)?)),
            (_, Tail::AtStart(start)) => {
                if !is_world(condition) {
                    self.say(messages::only_the_world_at_start(*start));
                    return None;
                }
                TermKind::Unchanged
            }
            (_, Tail::Before(later)) => {
                let first = self.moment_term(condition, Time::Ended)?;
                let later = self.moment_term(later, Time::Started)?;
                TermKind::Before(Box::new(first), Box::new(later))
            }
            (_, Tail::Within(time, of)) => {
                let first = self.moment_term(condition, Time::Started)?;
                let most_ns = self.duration(time)?;
                let of = self.moment_term(of, Time::Started)?;
                TermKind::Within(Box::new(first), most_ns, Box::new(of))
            }
        };
        Some(Term {
            kind,
            span: condition.span,
        })
    }

    /// Something that is true or not; a moment is true once it has come.
    fn condition(&mut self, expr: &Expr) -> Option<Term> {
        let (term, kind) = self.term(expr, Words::None)?;
        match kind {
            Kind::Bool | Kind::Moment => Some(term),
            _ => {
                self.say(messages::no_expectation(expr.span));
                None
            }
        }
    }

    /// A moment; for a name alone, when that started or ended.
    fn moment_term(&mut self, expr: &Expr, bare: Time) -> Option<Term> {
        let (term, kind) = self.term(expr, Words::None)?;
        if !matches!(kind, Kind::Moment) {
            self.say(messages::no_moment(expr.span));
            return None;
        }
        Some(match (&expr.kind, term.kind) {
            (
                ExprKind::Name(_) | ExprKind::Call(..),
                TermKind::Time(_, subject @ Subject::Node(_)),
            ) => Term {
                kind: TermKind::Time(bare, subject),
                span: term.span,
            },
            (_, kind) => Term {
                kind,
                span: term.span,
            },
        })
    }
}

/// `world == world`
fn is_world(expr: &Expr) -> bool {
    let named = |expr: &Expr| matches!(&expr.kind, ExprKind::Name(name) if name == "world");
    match &expr.kind {
        ExprKind::Compare(left, rest) => {
            named(left) && matches!(rest.as_slice(), [(CompareOp::Eq, right)] if named(right))
        }
        _ => false,
    }
}
