//! The words of the checker, one file for each kind of mistake. What is wrong is decided elsewhere.

pub mod calls;
pub mod comparison;
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
