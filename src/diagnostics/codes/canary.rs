//! Canaries (D081x).

use crate::codes;

codes! {
    BASELINE_GONE = "D0812" "baseline-gone" Error;
}
