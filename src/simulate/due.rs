//! Moments at which something is due, of requests that may be gone before.
//!
//! Nearly all requests are answered long before their deadline: one that is gone is passed over when its moment comes to the
//! front, which is less work than to take it out of the middle. And nearly all come in the order in which they are due: only
//! the others have to be put into an order.

use crate::simulate::world::Ticket;
use crate::values::Instant;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

#[derive(Clone, Debug, Default)]
pub struct Due {
    /// Each no sooner than the one before it.
    in_order: VecDeque<(Instant, Ticket)>,
    others: BinaryHeap<Reverse<(Instant, Ticket)>>,
}

impl Due {
    pub fn plan(&mut self, at: Instant, ticket: Ticket) {
        let due = (at, ticket);
        match self.in_order.back() {
            Some(last) if *last > due => self.others.push(Reverse(due)),
            _ => self.in_order.push_back(due),
        }
    }

    /// The first that still stands; at one moment the one that was begun first.
    pub fn first(&mut self, stands: impl Fn(Instant, Ticket) -> bool) -> Option<(Instant, Ticket)> {
        while self
            .in_order
            .front()
            .is_some_and(|due| !stands(due.0, due.1))
        {
            self.in_order.pop_front();
        }
        while self
            .others
            .peek()
            .is_some_and(|due| !stands(due.0.0, due.0.1))
        {
            self.others.pop();
        }
        let in_order = self.in_order.front().copied();
        let other = self.others.peek().map(|Reverse(due)| *due);
        match (in_order, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    pub fn clear(&mut self) {
        self.in_order.clear();
        self.others.clear();
    }
}

#[cfg(test)]
mod tests {
    use crate::simulate::due::Due;
    use crate::simulate::world::Ticket;
    use crate::values::Instant;

    #[test]
    fn the_first_is_the_soonest_and_at_one_moment_the_one_that_was_begun_first() {
        let mut due = Due::default();
        for (at, ticket) in [(5, 4), (9, 1), (5, 2), (5, 3), (7, 5), (9, 6)] {
            due.plan(Instant(at), Ticket(ticket));
        }
        let mut gone = Vec::new();
        while let Some((at, ticket)) = due.first(|_, ticket| !gone.contains(&ticket)) {
            assert_eq!(due.first(|_, one| !gone.contains(&one)), Some((at, ticket)));
            gone.push(ticket);
        }
        assert_eq!(gone, [2, 3, 4, 5, 1, 6].map(Ticket));
        for at in [9, 1] {
            due.plan(Instant(at), Ticket(7));
        }
        due.clear();
        assert_eq!(due.first(|_, _| true), None);
    }
}
