//! Trees that nobody wrote: what is printed is read as the same tree.

mod clause;
mod expr;
mod item;
mod stmt;

use super::{FILE, comments, tree, without_places};
use crate::source::Span;
use crate::syntax::ast::File;
use crate::syntax::print;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const NOWHERE: Span = Span {
    file: FILE,
    start: 0,
    end: 0,
};

/// Strategies of nested trees are nested themselves, deeper than the stack of a test in a debug build.
const STACK_BYTES: usize = 256 << 20;

#[test]
fn what_is_printed_is_read_as_the_same_tree() {
    let work = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(|| {
            let config = ProptestConfig {
                cases: 120,
                ..ProptestConfig::default()
            };
            let found =
                TestRunner::new(config).run(&item::file(), |written| printed_and_read(&written));
            if let Err(error) = found {
                panic!("{error}");
            }
        });
    work.unwrap().join().unwrap();
}

fn printed_and_read(written: &File) -> Result<(), TestCaseError> {
    let text = print::file(written);
    let read = tree(&text);
    let (written_form, read_form) = (without_places(written), without_places(&read));
    prop_assert_eq!(written_form, read_form, "\n{}", text);
    prop_assert_eq!(comments(written), comments(&read));
    prop_assert_eq!(print::file(&read), text);
    Ok(())
}
