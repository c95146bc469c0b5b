//! When a process is killed.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// So long after it was started, whatever it does then.
    After(Duration),
    /// When its request of that number reaches the world, of any kind.
    Request(u64),
    /// When its change of that number reaches the world, before any of it is done.
    Commit(u64),
    /// When its question what became of a change reaches the world: it is being resumed.
    Observe,
    /// When its write of that number is done, and the change it belongs to is not.
    Write(u64),
    /// When its change of that number is done, and the answer has not left.
    Answer(u64),
}

/// The moments of one lane.
pub struct Moments {
    random: Random,
    /// So many changes are spared at the start of a run.
    spared: u64,
    pub left: usize,
}

impl Moments {
    pub fn new(random: Random, spared: u64, left: usize) -> Moments {
        Moments {
            random,
            spared,
            left,
        }
    }

    pub fn none() -> Moments {
        Moments::new(Random(1), 0, 0)
    }

    /// The first of a run; `None` when all are used up.
    pub fn first(&mut self) -> Option<Moment> {
        let number = self.spared + 1 + self.random.below(2);
        let moments = [
            Moment::Commit(number),
            Moment::Write(number),
            Moment::Answer(number),
        ];
        let chosen = moments[self.random.below(3) as usize];
        (self.left > 0).then_some(chosen)
    }

    /// `in_flight`: changes whose outcome the next process has to find out first.
    pub fn next(&mut self, in_flight: usize) -> Option<Moment> {
        let random = &mut self.random;
        let moment = match random.below(9) {
            0 | 1 if in_flight > 0 => Moment::Observe,
            0..=3 => Moment::After(Duration::from_millis(random.below(1_500))),
            4 | 5 => Moment::Request(1 + random.below(20)),
            6 => Moment::Commit(1 + random.below(2)),
            7 => Moment::Write(1 + random.below(2)),
            _ => Moment::Answer(1 + random.below(2)),
        };
        (self.left > 0).then_some(moment)
    }
}

/// xorshift64: enough to choose moments by.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}
