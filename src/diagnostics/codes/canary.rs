//! Canaries (D081x).

use crate::codes;

codes! {
    WEIGHT_INEXPRESSIBLE = "D0811" "weight-inexpressible" Error;
    BASELINE_GONE = "D0812" "baseline-gone" Error;
}
