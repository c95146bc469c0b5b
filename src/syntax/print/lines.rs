//! The text that grows: lines, blocks, comments.

use crate::syntax::ast::{Block, Comment, Comments, Stmt};
use crate::syntax::print::doc::{Doc, INDENT, WIDTH, render};
use crate::syntax::print::stmt;

#[derive(Default)]
pub struct Lines {
    out: String,
    indent: usize,
}

/// How a block may be written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// On one line, if it is one short statement.
    OneLine,
    Lines,
}

impl Lines {
    pub fn finish(self) -> String {
        self.out
    }

    /// Text on a line of its own, indented.
    pub fn add(&mut self, text: &str) {
        if !text.is_empty() {
            self.out.extend(std::iter::repeat_n(' ', self.indent));
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// A statement, laid out from the current indentation on.
    pub fn add_doc(&mut self, doc: &Doc) {
        let text = render(doc, self.indent);
        self.add(&text);
    }

    /// What stands before an item or a statement.
    pub fn leading(&mut self, comments: &Comments) {
        if comments.blank_before {
            self.add("");
        }
        self.comments(&comments.leading);
        if comments.blank_between {
            self.add("");
        }
    }

    /// Comments on lines of their own.
    pub fn comments(&mut self, comments: &[Comment]) {
        for comment in comments {
            if comment.blank_before {
                self.add("");
            }
            self.add(&comment.text);
        }
    }

    /// Comments behind the last line.
    pub fn behind(&mut self, comments: &[Comment]) {
        for comment in comments {
            let end = self.out.trim_end_matches('\n').len();
            self.out.truncate(end);
            self.out.push(' ');
            self.out.push_str(&comment.text);
            self.out.push('\n');
        }
    }

    /// A head, laid out, and its block.
    pub fn add_block(
        &mut self,
        mut head: Vec<Doc>,
        block: &Block,
        shape: Shape,
        trailing: &[Comment],
    ) {
        if let Some(line) = self.one_line(&head, block, shape, trailing) {
            self.add(&line);
            self.behind(&block.closing);
            return;
        }
        let empty = block.stmts.is_empty() && block.trailing.is_empty() && trailing.is_empty();
        let brace = Doc::Text(if empty { " {}" } else { " {" }.to_owned());
        if let Some(last) = head.pop() {
            head.push(Doc::Concat(vec![last, brace]));
        }
        self.add_doc(&Doc::Fill(head));
        if !empty {
            self.behind(trailing);
            self.indented(|lines| {
                for stmt in &block.stmts {
                    lines.statement(stmt);
                }
                lines.comments(&block.trailing);
            });
            self.add("}");
        }
        self.behind(&block.closing);
    }

    /// Lines that go in further.
    pub fn indented(&mut self, print: impl FnOnce(&mut Lines)) {
        self.indent += INDENT;
        print(self);
        self.indent -= INDENT;
    }

    fn statement(&mut self, stmt: &Stmt) {
        self.leading(&stmt.comments);
        stmt::print(self, &stmt.kind, &stmt.comments.trailing);
    }

    /// Head and block on one line, where they fit there.
    fn one_line(
        &self,
        head: &[Doc],
        block: &Block,
        shape: Shape,
        trailing: &[Comment],
    ) -> Option<String> {
        let [only] = block.stmts.as_slice() else {
            return None;
        };
        let comments = &only.comments;
        let commented = !(comments.leading.is_empty() && comments.trailing.is_empty());
        if shape == Shape::Lines || commented || !trailing.is_empty() || !block.trailing.is_empty()
        {
            return None;
        }
        let inside = stmt::short(&only.kind)?;
        let head = Doc::Fill(head.to_vec());
        let line = render(
            &Doc::Concat(vec![head, Doc::Text(format!(" {{ {inside} }}"))]),
            self.indent,
        );
        let fits = !line.contains('\n') && self.indent + line.chars().count() <= WIDTH;
        fits.then_some(line)
    }
}
