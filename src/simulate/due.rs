//! Moments at which something is due, of requests that may be gone before.
//!
//! Nearly all requests are answered long before their deadline: one that is gone is passed over when its moment comes to the
//! front, which is less work than to take it out of the middle.

use crate::simulate::world::Ticket;
use crate::values::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Clone, Debug, Default)]
pub struct Due(BinaryHeap<Reverse<(Instant, Ticket)>>);

impl Due {
    pub fn plan(&mut self, at: Instant, ticket: Ticket) {
        self.0.push(Reverse((at, ticket)));
    }

    /// The first that still stands; at one moment the one that was begun first.
    pub fn first(&mut self, stands: impl Fn(Instant, Ticket) -> bool) -> Option<(Instant, Ticket)> {
        while let Some(Reverse((at, ticket))) = self.0.peek().copied() {
            if stands(at, ticket) {
                return Some((at, ticket));
            }
            self.0.pop();
        }
        None
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
