//! Scenarios and tests of a simulation (D11xx).

use crate::codes;

codes! {
    SCENARIO_NAME = "D1101" "scenario-unknown-name" Error;
    SCENARIO_VALUE = "D1102" "scenario-wrong-value" Error;
    SCENARIO_STATEMENT = "D1103" "scenario-wrong-statement" Error;
    SCENARIO_MOMENT = "D1104" "scenario-wrong-moment" Error;
    TEST_EXPECTATION = "D1105" "test-wrong-expectation" Error;
    /// Said when the test is carried out.
    TEST_UNMET = "D1106" "test-unmet-expectation" Error;
}
