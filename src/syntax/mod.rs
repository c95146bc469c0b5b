//! From text to a tree, and back: bytes are decoded, laid out into items, parsed by the grammar, built into a tree.

pub mod ast;
pub mod decode;
pub mod grammar;
pub mod highlight;
pub mod layout;
pub mod parse;
pub mod print;
pub mod scan;
pub mod similar;

#[cfg(test)]
mod tests;
