//! From text to a tree, and back: the grammar, the parser, the printer.

pub mod ast;
