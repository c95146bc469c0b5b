//! Promises that `deployc verify` has seen broken (D13xx).

use crate::codes;

codes! {
    GOOD_DAY_FAILS = "D1301" "good-day-fails" Error;
    NOT_RESTORED = "D1302" "not-restored" Error;
    CHANGED_TWICE = "D1303" "changed-twice" Error;
    GATE_WITHOUT_EVIDENCE = "D1304" "gate-without-evidence" Error;
    APPROVAL_BYPASSED = "D1305" "approval-bypassed" Error;
    TRAFFIC_TO_UNREADY = "D1306" "traffic-to-unready" Error;
    LONGER_THAN_SAID = "D1307" "longer-than-said" Error;
    NEVER_ENDS = "D1308" "never-ends" Error;
    /// By `check`, where the plan alone decides it.
    INVARIANT_BROKEN = "D1309" "invariant-broken" Error;
    /// Said by `check`.
    INVARIANT_OPEN = "D1310" "invariant-open" Note;
}
