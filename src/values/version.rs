//! Versions: reading them, and which of two is the later one.

use crate::values::Version;
use std::cmp::Ordering;

/// `v1.20`, `1.4.2`, `v2.3.1-rc.1+build`: a `v` in front and a build behind are read over.
pub fn parse(text: &str) -> Option<Version> {
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let bare = bare.split_once('+').map_or(bare, |(version, _)| version);
    let (numbers, pre) = match bare.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (bare, None),
    };
    let numbers: Option<Vec<u64>> = numbers.split('.').map(number).collect();
    let sound = |pre: &str| {
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        !pre.is_empty() && pre.chars().all(letters)
    };
    if pre.is_some_and(|pre| !sound(pre)) {
        return None;
    }
    Some(Version {
        numbers: numbers?,
        pre: pre.map(str::to_owned),
        text: text.to_owned(),
    })
}

/// By the numbers, a missing one counts as 0; a pre-release comes before its release, and pre-releases are ordered as
/// in Semantic Versioning.
pub fn compare(a: &Version, b: &Version) -> Ordering {
    let length = a.numbers.len().max(b.numbers.len());
    let at = |version: &Version, index: usize| version.numbers.get(index).copied().unwrap_or(0);
    for index in 0..length {
        let order = at(a, index).cmp(&at(b, index));
        if order.is_ne() {
            return order;
        }
    }
    match (&a.pre, &b.pre) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => compare_pre(a, b),
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn compare_pre(a: &str, b: &str) -> Ordering {
    let mut others = b.split('.');
    for part in a.split('.') {
        let Some(other) = others.next() else {
            return Ordering::Greater;
        };
        let order = match (number(part), number(other)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => part.cmp(other),
        };
        if order.is_ne() {
            return order;
        }
    }
    match others.next() {
        Some(_) => Ordering::Less,
        None => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use crate::values::version::{compare, parse};
    use std::cmp::Ordering;

    #[test]
    fn later_versions_come_after() {
        let ordered = [
            "v0.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "v1",
            "1.2",
            "1.10",
            "v1.20.1",
        ];
        for pair in ordered.windows(2) {
            let (a, b) = (parse(pair[0]).unwrap(), parse(pair[1]).unwrap());
            assert_eq!(compare(&a, &b), Ordering::Less, "{pair:?}");
            assert_eq!(compare(&b, &a), Ordering::Greater, "{pair:?}");
        }
        let equal = |a: &str, b: &str| compare(&parse(a).unwrap(), &parse(b).unwrap());
        assert_eq!(equal("v1.20", "1.20.0"), Ordering::Equal);
        assert_eq!(equal("v1.34.4+k3s1", "v1.34.4"), Ordering::Equal);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "v", "1.", ".1", "one", "1.x", "1.0-", "1.0-a b"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
