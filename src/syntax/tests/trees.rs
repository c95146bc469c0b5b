//! Trees that nobody wrote: what is printed is read as the same tree.

mod clause;
mod expr;
mod item;
mod stmt;

use super::{FILE, comments, tree, without_places};
use crate::source::Span;
use crate::syntax::print;
use proptest::prelude::*;

const NOWHERE: Span = Span {
    file: FILE,
    start: 0,
    end: 0,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_as_the_same_tree(written in item::file()) {
        let text = print::file(&written);
        let read = tree(&text);
        let (written_form, read_form) = (without_places(&written), without_places(&read));
        prop_assert_eq!(written_form, read_form, "\n{}", text);
        prop_assert_eq!(comments(&written), comments(&read));
        prop_assert_eq!(print::file(&read), text);
    }
}
