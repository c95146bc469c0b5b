//! What the targets share.

use deployc::plan::Plan;
use std::path::Path;

/// That of `tests/crash`: a worker, a canary in three stages, a watch, a rollback.
pub fn plan() -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/crash/plan");
    let compiled = deployc::commands::compile::compiled(&path).expect("the plan is there");
    compiled.plan.expect("the plan is valid")
}
