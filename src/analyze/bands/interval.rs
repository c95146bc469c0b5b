//! Sets of amounts between two bounds.

use std::cmp::Ordering;

/// One end of an interval, in billionths of the base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub at: i128,
    pub closed: Closed,
}

/// Whether the bound itself is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    pub low: Option<End>,
    pub high: Option<End>,
}

impl Interval {
    pub const ALL: Interval = Interval {
        low: None,
        high: None,
    };

    pub fn point(at: i128) -> Interval {
        let end = End {
            at,
            closed: Closed::Yes,
        };
        Interval {
            low: Some(end),
            high: Some(end),
        }
    }

    pub fn above(at: i128, closed: Closed) -> Interval {
        Interval {
            low: Some(End { at, closed }),
            high: None,
        }
    }

    pub fn below(at: i128, closed: Closed) -> Interval {
        Interval {
            low: None,
            high: Some(End { at, closed }),
        }
    }

    /// What is in both.
    pub fn and(self, other: Interval) -> Interval {
        Interval {
            low: tighter(self.low, other.low, Ordering::Greater),
            high: tighter(self.high, other.high, Ordering::Less),
        }
    }

    pub fn is_empty(self) -> bool {
        match (self.low, self.high) {
            (Some(low), Some(high)) => match low.at.cmp(&high.at) {
                Ordering::Greater => true,
                Ordering::Equal => low.closed == Closed::No || high.closed == Closed::No,
                Ordering::Less => false,
            },
            _ => false,
        }
    }

    /// Whether more than one amount is in it.
    pub fn is_wide(self) -> bool {
        match (self.low, self.high) {
            (Some(low), Some(high)) => low.at < high.at,
            _ => true,
        }
    }

    pub fn has(self, at: i128) -> bool {
        !self.and(Interval::point(at)).is_empty()
    }

    /// Whether all of it is inside of `other`.
    pub fn is_within(self, other: Interval) -> bool {
        self.is_empty() || self.and(other) == self
    }

    pub fn is_two_sided(self) -> bool {
        self.low.is_some() && self.high.is_some()
    }
}

/// The end that leaves less; at the same amount, the open one.
fn tighter(a: Option<End>, b: Option<End>, wins: Ordering) -> Option<End> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let order = a.at.cmp(&b.at);
            let takes_a = order == wins || (order == Ordering::Equal && a.closed == Closed::No);
            Some(if takes_a { a } else { b })
        }
        (known, None) | (None, known) => known,
    }
}

#[cfg(test)]
mod tests {
    use crate::analyze::bands::interval::{Closed, Interval};
    use proptest::prelude::*;

    fn any_interval() -> impl Strategy<Value = Interval> {
        let end = proptest::option::of((-4_i128..5, any::<bool>()));
        let closed = |closed| if closed { Closed::Yes } else { Closed::No };
        (end.clone(), end).prop_map(move |(low, high)| {
            let low = low.map_or(Interval::ALL, |(at, c)| Interval::above(at, closed(c)));
            let high = high.map_or(Interval::ALL, |(at, c)| Interval::below(at, closed(c)));
            low.and(high)
        })
    }

    /// Halves, so that what lies between two bounds is seen.
    fn members(of: Interval) -> Vec<bool> {
        let doubled = |end: Option<crate::analyze::bands::interval::End>| {
            end.map(|mut end| {
                end.at *= 2;
                end
            })
        };
        let of = Interval {
            low: doubled(of.low),
            high: doubled(of.high),
        };
        (-20..20).map(|at| of.has(at)).collect()
    }

    proptest! {
        #[test]
        fn an_intersection_holds_what_both_hold(a in any_interval(), b in any_interval()) {
            let both: Vec<bool> =
                members(a).iter().zip(members(b)).map(|(a, b)| *a && b).collect();
            prop_assert_eq!(members(a.and(b)), both);
        }

        #[test]
        fn an_empty_interval_holds_nothing(a in any_interval()) {
            prop_assert_eq!(a.is_empty(), !members(a).contains(&true));
        }

        #[test]
        fn what_is_within_holds_nothing_else(a in any_interval(), b in any_interval()) {
            let inside = members(a).iter().zip(members(b)).all(|(a, b)| !a || b);
            prop_assert_eq!(a.is_within(b), inside);
        }
    }
}
