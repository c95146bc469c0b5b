//! What the credentials of a provider may do in the simulated cluster; everything, where nothing is said.

use crate::providers::Function;
use crate::providers::request::{Failure, FailureKind};
use crate::simulate::kubernetes::change::Place;
use crate::simulate::kubernetes::schema::resource;
use crate::simulate::kubernetes::task::Task;
use crate::simulate::systems::failure;

/// A rule of a role: verbs on a resource of an API group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub group: String,
    pub resource: String,
    pub verbs: Vec<String>,
}

/// Before a change is begun: may everything be written that it writes?
pub fn check_writes(place: Place, tasks: &[Task]) -> Result<(), Failure> {
    for task in tasks.iter().filter(|task| task.writes()) {
        let (group, plural) = resource(&task.name().kind);
        let verb = match task {
            Task::Delete { .. } | Task::DeleteOurs { .. } => "delete",
            _ => "patch",
        };
        check(place.rules, place.namespace, (verb, group, &plural))?;
    }
    Ok(())
}

/// Before something is read: all that the function declares.
pub fn check_read(
    rules: Option<&[Rule]>,
    namespace: &str,
    function: &Function,
) -> Result<(), Failure> {
    for right in &function.rights {
        check(rules, namespace, (right.verb, right.group, right.resource))?;
    }
    Ok(())
}

fn check(
    rules: Option<&[Rule]>,
    namespace: &str,
    (verb, group, resource): (&str, &str, &str),
) -> Result<(), Failure> {
    let allows = |rule: &Rule| {
        rule.group == group
            && rule.resource == resource
            && rule.verbs.iter().any(|known| known == verb)
    };
    match rules {
        Some(rules) if !rules.iter().any(allows) => {
            let full = match group {
                "" => resource.to_owned(),
                group => format!("{resource}.{group}"),
            };
            let message =
                format!("the rights do not suffice to {verb} {full} in namespace `{namespace}`");
            Err(failure(FailureKind::Denied, message))
        }
        _ => Ok(()),
    }
}
