//! Time, samples, and lints (D05xx, D10xx).

use crate::codes;

codes! {
    ROLLBACK_OVER_BUDGET = "D0501" "rollback-over-budget" Error;
    OVER_DEADLINE = "D0502" "over-deadline" Error;
    OVER_WINDOW = "D0503" "over-window" Error;
    UNREACHABLE_PHASE = "D0504" "unreachable-phase" Error;
    EVERY_OVERLAPS = "D0505" "every-overlaps" Warning;
    SIGNATURE_EXPIRES = "D0506" "signature-expires" Warning;
    HOLD_TOO_SHORT = "D0507" "hold-too-short" Error;
    NO_SLACK = "D0508" "no-slack" Note;
    LOOKBACK_EXCEEDS_STAGE = "D0509" "lookback-exceeds-stage" Error;
    FOR_LONGER_THAN_HOLD = "D0510" "for-longer-than-hold" Error;
}
