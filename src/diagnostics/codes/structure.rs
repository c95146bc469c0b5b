//! Names, places, structure, people (D02xx, D09xx).

use crate::codes;

codes! {
    UNKNOWN_NAME = "D0201" "unknown-name" Error;
    DUPLICATE_NAME = "D0202" "duplicate-name" Error;
    NAMES_TOO_NEAR = "D0203" "names-too-near" Warning;
    RESERVED_NAME = "D0204" "reserved-name" Error;
    WRONG_KIND = "D0205" "wrong-kind-of-name" Error;
    NAME_IN_COPIES = "D0206" "name-in-copies" Error;
    RECURSIVE = "D0207" "leads-back-to-itself" Error;
    UNUSED = "D0208" "unused" Warning;
    DOUBLED_REFERENCE = "D0209" "doubled-reference" Error;
    NO_PLAN = "D0210" "no-plan" Error;
    ITEM_TWICE = "D0211" "item-twice" Error;
    PHASE_WITHOUT_PLACE = "D0212" "phase-without-place" Error;
    MISPLACED_STATEMENT = "D0213" "misplaced-statement" Error;
    MISPLACED_CLAUSE = "D0214" "misplaced-clause" Error;
    UNKNOWN_SETTING = "D0215" "unknown-setting" Error;
    DOUBLED_CLAUSE = "D0216" "doubled-clause" Error;
    NOTHING_INSIDE = "D0217" "nothing-inside" Error;
    FOR_LIST = "D0218" "list-not-written-out" Error;
    MISSING_TIME = "D0219" "missing-time" Error;
    PAUSE_WITHOUT_END = "D0220" "pause-without-end" Error;
    CONTRADICTING_TIMES = "D0221" "contradicting-times" Error;
    SILENCE_UNSAID = "D0222" "silence-unsaid" Error;
    CANARY_TARGET = "D0223" "canary-of-released" Error;
    STAGE_WEIGHTS = "D0224" "stage-weights" Error;
    LIST_TOO_LONG = "D0225" "list-too-long" Error;
    NOT_A_CLAIM = "D0226" "not-a-claim" Error;
    TOO_LARGE = "D0227" "too-large" Error;
    PEOPLE_WITHOUT_DEADLINE = "D0901" "people-without-deadline" Error;
    NOBODY_ASKED = "D0902" "nobody-asked" Error;
    QUORUM = "D0903" "impossible-quorum" Error;
}
