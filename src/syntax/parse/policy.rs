//! Policies and the actions of a watch.

use crate::source::Span;
use crate::syntax::ast::policy::{
    Action, Cause, CauseKind, Counting, CountingHow, Policy, PolicyAction, PolicyKind,
};
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::grammar::Rule;
use crate::syntax::parse::builder::{Builder, Node, missing_expr};
use crate::syntax::scan::DEPTH_MAX;

impl Builder<'_> {
    pub fn policy(&mut self, node: Node<'_>) -> Policy {
        let span = self.span(&node);
        let mut causes = Vec::new();
        let mut action = None;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::cause => causes.push(self.cause(inner)),
                Rule::policies => action = self.policies(inner),
                _ => {}
            }
        }
        Policy {
            causes,
            action: action.unwrap_or(PolicyAction {
                kind: PolicyKind::Stop,
                span,
            }),
        }
    }

    pub fn action(&mut self, node: Node<'_>) -> Action {
        let span = self.span(&node);
        match node.as_rule() {
            Rule::notify => Action::Notify(self.notify(node)),
            Rule::action_pause => {
                let (mut up_to, mut then) = (None, None);
                for inner in node.into_inner() {
                    match inner.as_rule() {
                        Rule::up_to => up_to = Some(self.inner_expr(inner)),
                        Rule::policies => then = self.policies(inner).map(Box::new),
                        _ => {}
                    }
                }
                Action::Pause { up_to, then, span }
            }
            _ => Action::Rollback(span),
        }
    }

    fn cause(&mut self, node: Node<'_>) -> Cause {
        let span = self.span(&node);
        let word = node.as_str().trim_end().to_owned();
        let kind = match node.into_inner().next() {
            Some(fail) if fail.as_rule() == Rule::fail_cause => {
                let counting = fail.into_inner().next();
                CauseKind::Fail(counting.map(|counting| self.counting(counting)))
            }
            Some(no_data) => {
                let time = no_data
                    .into_inner()
                    .find(|inner| inner.as_rule() == Rule::for_time);
                CauseKind::NoData(time.map(|time| self.inner_expr(time)))
            }
            None if word == "fail" => CauseKind::Fail(None),
            None if word == "error" => CauseKind::Error,
            None => CauseKind::Inconclusive,
        };
        Cause { kind, span }
    }

    fn counting(&mut self, node: Node<'_>) -> Counting {
        let span = self.span(&node);
        let mut fails = missing_expr(span);
        let mut how = CountingHow::InARow;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::digits => fails = self.plain_number(&inner),
                Rule::in_total => how = CountingHow::InTotal,
                Rule::of_last => {
                    let last = inner.into_inner().next();
                    let last = last.map(|digits| self.plain_number(&digits));
                    how = CountingHow::OfLast(last.unwrap_or_else(|| missing_expr(span)));
                }
                _ => {}
            }
        }
        Counting { fails, how }
    }

    fn plain_number(&self, node: &Node<'_>) -> Expr {
        Expr {
            span: self.span(node),
            kind: ExprKind::Number {
                digits: node.as_str().to_owned(),
                unit: None,
            },
        }
    }

    /// `A then B then C` stands in each other: each is what follows when the one before it is over.
    fn policies(&mut self, node: Node<'_>) -> Option<PolicyAction> {
        let span = self.span(&node);
        let mut links = Vec::new();
        for inner in node.into_inner() {
            if inner.as_rule() == Rule::policy {
                links.push(self.link(inner));
            }
        }
        if links.len() > DEPTH_MAX {
            self.too_deep(span);
            links.truncate(1);
        }
        let mut then: Option<PolicyAction> = None;
        while let Some(link) = links.pop() {
            then = Some(self.chained(link, then));
        }
        then
    }

    fn link(&mut self, node: Node<'_>) -> (Rule, Option<Expr>, Span) {
        let span = self.span(&node);
        let Some(inner) = node.into_inner().next() else {
            return (Rule::stop, None, span);
        };
        let rule = inner.as_rule();
        let up_to = inner
            .into_inner()
            .find(|part| part.as_rule() == Rule::up_to);
        (rule, up_to.map(|up_to| self.inner_expr(up_to)), span)
    }

    fn chained(
        &mut self,
        (rule, up_to, span): (Rule, Option<Expr>, Span),
        then: Option<PolicyAction>,
    ) -> PolicyAction {
        let whole = then.as_ref().map_or(span, |then| span.to(then.span));
        let ends = matches!(rule, Rule::stop | Rule::policy_rollback | Rule::warn);
        if let (true, Some(then)) = (ends, &then) {
            self.nothing_follows(span, then.span);
        }
        let then = then.map(Box::new);
        let kind = match rule {
            Rule::policy_rollback => PolicyKind::Rollback,
            Rule::warn => PolicyKind::Warn,
            Rule::pause => PolicyKind::Pause { up_to, then },
            Rule::extend => PolicyKind::Extend { up_to, then },
            _ => PolicyKind::Stop,
        };
        PolicyAction {
            kind,
            span: if ends { span } else { whole },
        }
    }
}
