//! Text that cannot be read or parsed (D01xx).

use crate::codes;

codes! {
    SYNTAX = "D0101" "syntax" Error;
    MISSPELT_WORD = "D0102" "misspelt-word" Error;
    UNCLOSED_BRACKET = "D0103" "unclosed-bracket" Error;
    SURPLUS_BRACKET = "D0104" "surplus-bracket" Error;
    UNCLOSED_STRING = "D0105" "unclosed-string" Error;
    UNKNOWN_ESCAPE = "D0106" "unknown-escape" Error;
    NESTED_TOO_DEEP = "D0107" "nested-too-deep" Error;
    MISSING_VERSION = "D0108" "missing-version" Error;
    UNKNOWN_VERSION = "D0109" "unknown-version" Error;
    SAID_TWICE = "D0110" "said-twice" Error;
    FILE_TOO_LARGE = "D0120" "file-too-large" Error;
    NOT_UTF8 = "D0121" "not-utf8" Error;
    UTF16 = "D0122" "utf16" Error;
    NUL_BYTE = "D0123" "nul-byte" Error;
    LONE_CARRIAGE_RETURN = "D0124" "lone-carriage-return" Error;
    HIDDEN_CHARACTER = "D0125" "hidden-character" Error;
}
