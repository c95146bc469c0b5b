//! Types, dimensions, units, metrics, providers (D03xx, D07xx, D08xx).

use crate::codes;

codes! {
    TYPE_MISMATCH = "D0301" "type-mismatch" Error;
    DIMENSION_MISMATCH = "D0302" "dimension-mismatch" Error;
    MISSING_UNIT = "D0303" "missing-unit" Error;
    UNKNOWN_UNIT = "D0304" "unknown-unit" Error;
    NUMBER_OUT_OF_RANGE = "D0305" "number-out-of-range" Error;
    UNKNOWN_TYPE = "D0306" "unknown-type" Error;
    UNKNOWN_MEMBER = "D0307" "unknown-member" Error;
    WRONG_ARGUMENTS = "D0308" "wrong-arguments" Error;
    NOT_A_CONDITION = "D0309" "not-a-condition" Error;
    UNTYPED_JSON = "D0310" "untyped-json" Error;
    SECRET_LEAK = "D0311" "secret-leak" Error;
    LITERAL_SECRET = "D0312" "literal-secret" Error;
    EFFECT_MISPLACED = "D0313" "effect-misplaced" Error;
    FROZEN_VALUE = "D0314" "frozen-value" Error;
    SCOPE_MISPLACED = "D0315" "scope-misplaced" Error;
    SCOPE_MISSING = "D0316" "scope-missing" Error;
    CONSTANT_NEEDED = "D0317" "constant-needed" Error;
    CONSTANT_CONDITION = "D0318" "constant-condition" Error;
    MEASURED_EQUALITY = "D0319" "measured-equality" Warning;
    MALFORMED_LITERAL = "D0320" "malformed-literal" Error;
    MALFORMED_JSON_PATH = "D0321" "malformed-json-path" Error;
    NOT_A_METRIC = "D0322" "not-a-metric" Error;
    ABSENT_AS = "D0323" "absent-hides-failure" Error;
    UNKNOWN_PROVIDER_KIND = "D0801" "unknown-provider-kind" Error;
    PROVIDER_SETTING = "D0802" "provider-setting" Error;
    FILE_UNREADABLE = "D0803" "file-unreadable" Error;
    MANIFEST_INVALID = "D0804" "manifest-invalid" Error;
    INEXPRESSIBLE_WEIGHT = "D0805" "inexpressible-weight" Error;
}
