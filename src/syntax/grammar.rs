//! The parser that is made from `grammar/deploy.pest`.

#![allow(missing_docs)]

use pest_derive::Parser;

#[derive(Parser)]
#[grammar = "grammar/deploy.pest"]
pub struct Grammar;
