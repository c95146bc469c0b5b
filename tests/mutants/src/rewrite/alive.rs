//! In the place of `switch.rs`: a test makes one mutant alive after the other.

use std::cell::Cell;

thread_local! {
    pub static ALIVE: Cell<u32> = const { Cell::new(0) };
}

pub fn is_alive(number: u32) -> bool {
    ALIVE.get() == number
}
