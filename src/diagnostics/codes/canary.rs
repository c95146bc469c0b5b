//! Canaries (D081x).

use crate::codes;

codes! {
    BASELINE_GONE = "D0812" "baseline-gone" Error;
    COMPARISON_MISPLACED = "D0813" "comparison-misplaced" Error;
    DIRECTION_UNSAID = "D0814" "direction-unsaid" Error;
    MARGIN_UNCLEAR = "D0815" "margin-unclear" Error;
    TOO_FEW_WINDOWS = "D0816" "too-few-windows" Error;
}
