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
    FOR_UNSEEN = "D0511" "for-unseen" Warning;
    SAMPLING_GAPS = "D0512" "sampling-gaps" Warning;
    EVIDENCE_EXPIRES = "D0513" "evidence-expires" Error;
    FROZEN = "D0514" "frozen" Error;
    CANNOT_HOLD = "D1001" "cannot-hold" Error;
    ALWAYS_HOLDS = "D1002" "always-holds" Error;
    RULE_DOMINATED = "D1003" "rule-dominated" Warning;
    BANDS_OVERLAP = "D1004" "bands-overlap" Warning;
    BAND_CONTRADICTION = "D1005" "band-contradiction" Warning;
    BAND_UNOWNED = "D1006" "band-unowned" Note;
    WATCH_STARTS_LATE = "D1007" "watch-starts-late" Warning;
    TITLE_NUMBER = "D1008" "title-number" Warning;
    MOVING_IMAGE = "D1009" "moving-image" Warning;
}
