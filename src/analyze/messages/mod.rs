//! The words of the checker, one file for each kind of mistake. What is wrong is decided elsewhere.

pub mod calls;
pub mod comparison;
pub mod extent;
pub mod files;
pub mod invariant;
pub mod numbers;
pub mod structure;
pub mod typing;

/// `` `a`, `b` and 3 more ``
pub fn listed(names: &[&str]) -> String {
    const SHOWN_MAX: usize = 12;
    let mut shown: Vec<String> = names
        .iter()
        .take(SHOWN_MAX)
        .map(|name| format!("`{name}`"))
        .collect();
    if names.len() > SHOWN_MAX {
        shown.push(format!("{} more", names.len() - SHOWN_MAX));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::analyze::messages::listed;

    #[test]
    fn a_dozen_are_shown_and_the_rest_is_counted() {
        let names = |count: usize| listed(&vec!["x"; count]);
        assert_eq!(names(0), "");
        assert_eq!(names(2), "`x`, `x`");
        assert_eq!(names(12), ["`x`"; 12].join(", "));
        assert_eq!(names(15), format!("{}, 3 more", ["`x`"; 12].join(", ")));
    }
}
