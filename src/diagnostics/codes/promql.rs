//! Queries and the metrics over them (D07xx).

use crate::codes;

codes! {
    PROMQL_SYNTAX = "D0701" "promql-syntax" Error;
    PROMQL_TYPE = "D0702" "promql-type" Error;
    PROMQL_UNVERIFIED = "D0703" "promql-unverified" Warning;
    METRIC_NOT_NARROWED = "D0704" "metric-not-narrowed" Error;
}
