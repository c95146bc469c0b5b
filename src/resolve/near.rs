//! Which known name somebody may have meant, and which two names a reader may take for one another.

/// The nearest of `known`, when it is near enough to be worth saying.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| (rank(name, candidate), candidate))
        .filter(|(rank, _)| *rank <= limit)
        .min_by_key(|(rank, candidate)| (*rank, candidate.len()))
        .map(|(_, candidate)| candidate)
}

/// Whether two names differ only in case, underscores, or one slip of the pen. Digits are no slip: `p95` and `p99`.
pub fn confusable(a: &str, b: &str) -> bool {
    if a == b {
        return false;
    }
    if folded(a) == folded(b) {
        return true;
    }
    let long = a.chars().count().min(b.chars().count()) >= 5;
    let digits = |name: &str| {
        name.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    long && digits(a) == digits(b) && distance(a, b) == 1
}

/// Case and underscores cost nothing, so `errorRate` is nearest to `error_rate`.
fn rank(name: &str, candidate: &str) -> usize {
    if folded(name) == folded(candidate) {
        return 0;
    }
    distance(name, candidate)
}

fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Damerau's distance between neighbours: a swap of two letters is one slip.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, from) in a.chars().enumerate() {
        let mut now = vec![row + 1];
        for (column, to) in b.iter().enumerate() {
            let at =
                |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, column) + usize::from(from != *to);
            let mut best = replaced
                .min(at(&last, column + 1) + 1)
                .min(at(&now, column) + 1);
            let swapped = column > 0 && previous == Some(*to) && b.get(column - 1) == Some(&from);
            if swapped {
                best = best.min(at(&before_last, column - 1) + 1);
            }
            now.push(best);
        }
        before_last = std::mem::replace(&mut last, now);
        previous = Some(from);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use crate::resolve::near::{confusable, distance, nearest};

    #[test]
    fn one_slip_is_one() {
        assert_eq!(distance("engineer", "enginer"), 1);
        assert_eq!(distance("engineer", "enginere"), 1);
        assert_eq!(distance("engineer", "manager"), 6);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        let known = ["error_rate", "p95", "p99", "requests"];
        assert_eq!(nearest("errorRate", known), Some("error_rate"));
        assert_eq!(nearest("request", known), Some("requests"));
        assert_eq!(nearest("p59", known), Some("p95"));
        assert_eq!(nearest("cpu", known), None);
    }

    #[test]
    fn names_with_other_digits_are_not_confused() {
        assert!(confusable("request", "requests"));
        assert!(confusable("error_rate", "errorrate"));
        assert!(confusable("healthy", "heatlhy"));
        assert!(!confusable("p95", "p99"));
        assert!(!confusable("stage1", "stage2"));
        assert!(!confusable("day", "days"));
        assert!(!confusable("same", "same"));
    }
}
