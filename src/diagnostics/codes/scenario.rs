//! Scenarios of a simulation (D11xx).

use crate::codes;

codes! {
    SCENARIO_NAME = "D1101" "scenario-unknown-name" Error;
    SCENARIO_VALUE = "D1102" "scenario-wrong-value" Error;
    SCENARIO_STATEMENT = "D1103" "scenario-wrong-statement" Error;
    SCENARIO_MOMENT = "D1104" "scenario-wrong-moment" Error;
}
