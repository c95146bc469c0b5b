//! Effects, order, undo and rollback (D04xx, D06xx).

use crate::codes;

codes! {
    DEPENDENCY_CYCLE = "D0401" "dependency-cycle" Error;
    TWO_WRITERS = "D0402" "two-writers" Error;
    REPEATED_RESULT = "D0403" "repeated-result" Error;
}
