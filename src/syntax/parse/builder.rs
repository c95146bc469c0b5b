//! Builds the tree of one item from what the grammar found.
//!
//! Every function here is total: a part that is not there has been reported, or cannot be missing by the grammar, and
//! its place is taken by an empty name or [`ExprKind::Junk`].

use crate::diagnostics::Diagnostic;
use crate::source::{FileId, Span};
use crate::syntax::ast::{
    Comment, Expr, ExprKind, Head, Ident, Item, ItemKind, Reference, StringLit, TypeExpr,
};
use crate::syntax::grammar::Rule;
use crate::syntax::layout::Chunk;
use crate::syntax::parse::Part;
use crate::syntax::parse::comments::CommentQueue;
use crate::syntax::parse::poison;
use crate::syntax::parse::recover::Replacement;
use crate::syntax::scan::DEPTH_MAX;
use pest::iterators::{Pair, Pairs};

pub type Node<'i> = Pair<'i, Rule>;

pub struct Builder<'a> {
    pub file: FileId,
    /// The whole file.
    pub source: &'a str,
    pub chunk: &'a Chunk,
    pub diagnostics: Vec<Diagnostic>,
    /// Slips that were understood.
    pub replacements: Vec<Replacement>,
    pub comments: CommentQueue,
    /// How many expressions, types and policies stand around what is being built.
    pub depth: usize,
}

impl<'a> Builder<'a> {
    pub fn new(file: FileId, source: &'a str, chunk: &'a Chunk) -> Builder<'a> {
        Builder {
            file,
            source,
            chunk,
            diagnostics: Vec::new(),
            replacements: Vec::new(),
            comments: CommentQueue::new(file, source, chunk),
            depth: 0,
        }
    }

    pub fn chunk(&mut self, pairs: Pairs<'_, Rule>) -> Part {
        let mut part = None;
        let mut start = 0;
        for node in pairs {
            match node.as_rule() {
                Rule::EOI => {}
                Rule::junk_tail => {
                    self.junk_tail(Rule::probe_item, start, node);
                    if let Some(Part::Item(item)) = &mut part {
                        poison::item(item);
                    }
                }
                Rule::version => part = Some(Part::Version(self.version(node))),
                _ => {
                    start = node.as_span().start();
                    part = Some(Part::Item(Box::new(self.item(node))));
                }
            }
        }
        part.unwrap_or_else(|| Part::Item(Box::new(self.junk_chunk())))
    }

    /// Text that was not even cut into statements.
    pub fn junk_chunk(&mut self) -> Item {
        let text = self.source.get(self.chunk.range.clone()).unwrap_or("");
        let start = self.chunk.range.start + (text.len() - text.trim_start().len());
        Item {
            kind: ItemKind::Junk,
            span: Span::new(self.file, start, self.chunk.range.end),
            comments: Default::default(),
        }
    }

    pub fn remaining_comments(&mut self) -> Vec<Comment> {
        self.comments.before(usize::MAX)
    }

    /// Without the blanks behind it.
    pub fn span(&self, node: &Node<'_>) -> Span {
        let start = node.as_span().start();
        let end = start + node.as_str().trim_end().len();
        Span::new(self.file, self.chunk.origin(start), self.chunk.origin(end))
    }

    pub fn ident(&self, node: &Node<'_>) -> Ident {
        Ident {
            name: node.as_str().trim_end().to_owned(),
            span: self.span(node),
        }
    }

    /// The one name inside of a node.
    pub fn inner_ident(&self, node: Node<'_>) -> Ident {
        let span = self.span(&node);
        match node.into_inner().find(is_name) {
            Some(ident) => self.ident(&ident),
            None => missing_ident(span),
        }
    }

    pub fn inner_idents(&self, node: Node<'_>) -> Vec<Ident> {
        let idents = node.into_inner().filter(is_name);
        idents.map(|ident| self.ident(&ident)).collect()
    }

    /// The one expression inside of a node.
    pub fn inner_expr(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        match node.into_inner().find(is_expr) {
            Some(expr) => self.expr(expr),
            None => missing_expr(span),
        }
    }

    pub fn title(&mut self, node: Node<'_>) -> StringLit {
        let span = self.span(&node);
        let inner = node.into_inner().next();
        match inner {
            Some(inner) if inner.as_rule() == Rule::title => self.title(inner),
            Some(inner) => self.string(inner),
            None => StringLit {
                parts: Vec::new(),
                span,
            },
        }
    }

    /// Puts a name, a title or references into a head; says whether the node was one.
    pub fn head_part(&mut self, head: &mut Head, node: &Node<'_>) -> bool {
        match node.as_rule() {
            Rule::item_name | Rule::label => head.name = Some(self.inner_ident(node.clone())),
            Rule::title => {
                let title = self.title(node.clone());
                if let Some(first) = &head.title {
                    self.said_twice("title", first.span, title.span);
                }
                head.title = Some(title);
            }
            Rule::refs => {
                let refs = self.references(node.clone());
                match head.refs.is_empty() {
                    true => head.refs = refs,
                    false => head.refs.extend(refs),
                }
            }
            _ => return false,
        }
        true
    }

    pub fn type_expr(&mut self, node: Node<'_>) -> TypeExpr {
        let span = self.span(&node);
        let mut built = TypeExpr {
            name: String::new(),
            args: Vec::new(),
            span,
        };
        if self.depth >= DEPTH_MAX {
            self.too_deep(span);
            return built;
        }
        self.depth += 1;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::type_name => built.name = inner.as_str().to_owned(),
                Rule::r#type => built.args.push(self.type_expr(inner)),
                _ => {}
            }
        }
        self.depth -= 1;
        built
    }

    fn references(&mut self, node: Node<'_>) -> Vec<Reference> {
        let mut refs = Vec::with_capacity(1);
        for id in node.into_inner() {
            let span = self.span(&id);
            for text in id.into_inner() {
                let id = match text.as_rule() {
                    Rule::string => self.plain_string(text),
                    _ => text.as_str().to_owned(),
                };
                refs.push(Reference { id, span });
            }
        }
        refs
    }
}

pub fn is_name(node: &Node<'_>) -> bool {
    matches!(node.as_rule(), Rule::ident | Rule::name_word)
}

fn is_expr(node: &Node<'_>) -> bool {
    matches!(node.as_rule(), Rule::expr | Rule::amount)
}

/// Stands for a name that is not there.
pub fn missing_ident(span: Span) -> Ident {
    Ident {
        name: String::new(),
        span,
    }
}

/// Stands for an expression that is not there.
pub fn missing_expr(span: Span) -> Expr {
    Expr {
        kind: ExprKind::Junk,
        span,
    }
}
