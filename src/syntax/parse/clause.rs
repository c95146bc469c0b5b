//! Clauses: a word and what belongs to it, behind the head of an item.

use crate::source::Span;
use crate::syntax::ast::Head;
use crate::syntax::ast::clause::{By, Clause, ClauseKind, Quorum, Undo};
use crate::syntax::grammar::Rule;
use crate::syntax::parse::builder::{Builder, Node};

impl Builder<'_> {
    pub fn clause_into(&mut self, options: &mut Vec<Clause>, node: Node<'_>) {
        let span = self.span(&node);
        options.extend(self.clause(node).map(|kind| Clause { kind, span }));
    }

    fn clause(&mut self, node: Node<'_>) -> Option<ClauseKind> {
        Some(match node.as_rule() {
            Rule::within => ClauseKind::Within(self.inner_expr(node)),
            Rule::for_time => ClauseKind::For(self.inner_expr(node)),
            Rule::timeout => ClauseKind::Timeout(self.inner_expr(node)),
            Rule::expires => ClauseKind::Expires(self.inner_expr(node)),
            Rule::window => ClauseKind::Window(self.inner_expr(node)),
            Rule::pods => ClauseKind::Pods(self.inner_expr(node)),
            Rule::by => ClauseKind::By(self.by(node)),
            Rule::after_names => ClauseKind::After(self.inner_idents(node)),
            Rule::undo => ClauseKind::Undo(Box::new(self.undo(node))),
            Rule::keep => ClauseKind::Keep(self.title(node)),
            Rule::irreversible => ClauseKind::Irreversible(self.title(node)),
            Rule::owner => ClauseKind::Owner(self.inner_ident(node)),
            Rule::file => ClauseKind::File(self.title(node)),
            Rule::at_most_once => ClauseKind::AtMostOnce,
            Rule::on_policy => ClauseKind::On(self.policy(node)),
            _ => return None,
        })
    }

    fn by(&mut self, node: Node<'_>) -> By {
        let mut by = By {
            quorum: Quorum::One,
            roles: Vec::new(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::quorum => by.quorum = quorum(&inner),
                Rule::roles => by.roles = self.inner_idents(inner),
                Rule::name_word => by.roles.push(self.ident(&inner)),
                _ => {}
            }
        }
        by
    }

    fn undo(&mut self, node: Node<'_>) -> Undo {
        let mut undo = Undo {
            head: Head::default(),
            call: None,
            timeout: None,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::expr => undo.call = Some(self.expr(inner)),
                Rule::timeout => undo.timeout = Some(self.inner_expr(inner)),
                _ => {
                    self.head_part(&mut undo.head, &inner);
                }
            }
        }
        undo
    }

    pub fn said_twice(&mut self, what: &str, first: Span, second: Span) {
        let diagnostic = crate::diagnostics::Diagnostic::new(
            &crate::diagnostics::codes::syntax::SAID_TWICE,
            second,
            format!("{what} stands twice"),
        );
        self.diagnostics.push(
            diagnostic
                .label("the second time")
                .and(first, "the first time")
                .help("remove one of them"),
        );
    }
}

fn quorum(node: &Node<'_>) -> Quorum {
    match node.as_str().trim_end() {
        "all" => Quorum::All,
        number => Quorum::Of(number.parse().unwrap_or(u32::MAX)),
    }
}
