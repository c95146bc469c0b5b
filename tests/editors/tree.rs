//! What the tree-sitter grammar and its query for highlights make of a text.

use super::classes::{Class, Classes};
use std::ops::RangeInclusive;
use tree_sitter::{Language, Node, Parser, Query, QueryCursor, StreamingIterator, Tree};

pub struct TreeSitter {
    language: Language,
    highlights: Query,
}

pub struct Error {
    pub lines: RangeInclusive<usize>,
    pub shown: String,
}

impl TreeSitter {
    pub fn new() -> TreeSitter {
        let language = Language::from(tree_sitter_deploy::LANGUAGE);
        let highlights = Query::new(&language, tree_sitter_deploy::HIGHLIGHTS_QUERY).unwrap();
        for others in [
            tree_sitter_deploy::INJECTIONS_QUERY,
            include_str!("../../editors/tree-sitter-deploy/queries/folds.scm"),
            include_str!("../../editors/tree-sitter-deploy/queries/indents.scm"),
        ] {
            Query::new(&language, others).unwrap();
        }
        TreeSitter {
            language,
            highlights,
        }
    }

    pub fn parser(&self) -> Parser {
        let mut parser = Parser::new();
        parser.set_language(&self.language).unwrap();
        parser
    }

    pub fn parse(&self, text: &str) -> Tree {
        self.parser().parse(text, None).unwrap()
    }

    /// What is inside decides over what is around it, and a later pattern over an earlier one.
    pub fn classes(&self, text: &str) -> Classes {
        let tree = self.parse(text);
        let mut cursor = QueryCursor::new();
        let mut captures = cursor.captures(&self.highlights, tree.root_node(), text.as_bytes());
        let mut found = Vec::new();
        while let Some((matched, index)) = captures.next() {
            let capture = matched.captures()[*index];
            let name = self.highlights.capture_names()[capture.index as usize];
            found.push((
                capture.node.byte_range(),
                matched.pattern_index,
                class(name),
            ));
        }
        found.sort_by_key(|(range, pattern, _)| {
            (range.start, std::cmp::Reverse(range.end), *pattern)
        });
        let mut classes = vec![Class::Plain; text.len()];
        for (range, _, class) in found {
            classes[range].fill(class);
        }
        classes
    }

    /// What the grammar did not understand.
    pub fn errors(&self, text: &str) -> Vec<Error> {
        let tree = self.parse(text);
        let mut nodes = vec![tree.root_node()];
        let mut found = Vec::new();
        while let Some(node) = nodes.pop() {
            if node.is_error() || node.is_missing() || matches!(node.kind(), "unclosed" | "missing")
            {
                found.push(error(node, text));
            } else {
                let mut cursor = node.walk();
                nodes.extend(node.children(&mut cursor));
            }
        }
        found
    }
}

fn error(node: Node<'_>, text: &str) -> Error {
    let (start, end) = (node.start_position(), node.end_position());
    let text = &text[node.byte_range()];
    Error {
        lines: start.row + 1..=end.row + 1,
        shown: format!(
            "{}:{}: {} `{text}`",
            start.row + 1,
            start.column + 1,
            node.to_sexp()
        ),
    }
}

fn class(capture: &str) -> Class {
    match capture.split('.').next() {
        _ if capture == "string.special.symbol" => Class::Plain,
        Some("keyword") => Class::Keyword,
        Some("string") => Class::String,
        Some("number") => Class::Number,
        Some("comment") => Class::Comment,
        _ => Class::Plain,
    }
}
