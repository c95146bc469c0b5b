//! Strings with their escapes and interpolations.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::syntax::UNKNOWN_ESCAPE;
use crate::syntax::ast::{StringLit, StringPart};
use crate::syntax::grammar::Rule;
use crate::syntax::parse::builder::{Builder, Node};

impl Builder<'_> {
    pub fn string(&mut self, node: Node<'_>) -> StringLit {
        let span = self.span(&node);
        let mut parts = Vec::new();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::interpolation => {
                    let value = self.inner_expr(inner);
                    parts.push(StringPart::Interpolation(value));
                }
                Rule::escape => {
                    let c = self.escape(&inner);
                    push_text(&mut parts, c.encode_utf8(&mut [0; 4]));
                }
                _ => push_text(&mut parts, inner.as_str()),
            }
        }
        parts.shrink_to_fit();
        StringLit { parts, span }
    }

    /// A string where nothing can be interpolated: what is, is read as text.
    pub fn plain_string(&mut self, node: Node<'_>) -> String {
        let mut text = String::new();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::escape => text.push(self.escape(&inner)),
                _ => text.push_str(inner.as_str()),
            }
        }
        text
    }

    fn escape(&mut self, node: &Node<'_>) -> char {
        let c = node.as_str().chars().nth(1).unwrap_or('\\');
        match c {
            'n' => '\n',
            't' => '\t',
            '"' | '\\' | '$' => c,
            _ => {
                let message = format!("`\\{c}` means nothing in a string");
                self.diagnostics.push(
                    Diagnostic::new(&UNKNOWN_ESCAPE, self.span(node), message)
                        .label("unknown escape")
                        .help("known are `\\\"`, `\\\\`, `\\n`, `\\t` and `\\$`; between backquotes nothing is escaped"),
                );
                c
            }
        }
    }
}

fn push_text(parts: &mut Vec<StringPart>, text: &str) {
    match parts.last_mut() {
        Some(StringPart::Text(before)) => before.push_str(text),
        _ => parts.push(StringPart::Text(text.to_owned())),
    }
}
