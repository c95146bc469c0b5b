//! Queries and the metrics over them (D07xx).

use crate::codes;

codes! {
    PROMQL_SYNTAX = "D0701" "promql-syntax" Error;
    PROMQL_TYPE = "D0702" "promql-type" Error;
    PROMQL_UNVERIFIED = "D0703" "promql-unverified" Warning;
    METRIC_NOT_NARROWED = "D0704" "metric-not-narrowed" Error;
    FIRES_ON_SILENCE = "D0705" "fires-on-silence" Error;
    PASSES_ON_NOTHING = "D0706" "passes-on-nothing" Warning;
    SEVERAL_SERIES = "D0707" "several-series" Warning;
    RECORDED_SERIES = "D0708" "recorded-series" Warning;
}
