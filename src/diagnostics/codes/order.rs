//! Effects, order, undo and rollback (D04xx, D06xx).

use crate::codes;

codes! {
    DEPENDENCY_CYCLE = "D0401" "dependency-cycle" Error;
    TWO_WRITERS = "D0402" "two-writers" Error;
    REPEATED_RESULT = "D0403" "repeated-result" Error;
    NO_ROLLBACK = "D0601" "no-rollback" Warning;
    STEP_WITHOUT_UNDO = "D0602" "step-without-undo" Error;
    IRREVERSIBLE_UNGUARDED = "D0603" "irreversible-unguarded" Error;
    WARN_BEFORE_IRREVERSIBLE = "D0604" "warn-before-irreversible" Error;
    UNDO_CROSSES_IRREVERSIBLE = "D0605" "undo-crosses-irreversible" Warning;
    VERIFY_PROVES_NOTHING = "D0606" "verify-proves-nothing" Warning;
}
