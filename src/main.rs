//! The binary `deployc`.

fn main() {}
