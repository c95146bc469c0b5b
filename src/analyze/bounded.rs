//! Lists from inputs that a `for … up to N` goes through: how many elements a run may give them.

use crate::analyze::context::Bound;
use crate::analyze::messages::structure as say;
use crate::diagnostics::Diagnostic;
use crate::plan::Plan;
use crate::values::Value;

/// Writes the smallest bound of each input into the plan; a default that is longer is reported.
pub fn apply(plan: &mut Plan, bounds: &[Bound]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for bound in bounds {
        let inputs = &mut plan.inputs;
        let Some(input) = inputs.iter_mut().find(|input| input.name == bound.input) else {
            continue;
        };
        input.most = Some(input.most.map_or(bound.most, |most| most.min(bound.most)));
        if let Some(Value::List(items)) = &input.default
            && items.len() > bound.most as usize
        {
            let what = format!("the default of `{}`", input.name);
            found.push(say::list_too_long(&what, items.len(), bound.most, bound.at));
        }
    }
    found
}
