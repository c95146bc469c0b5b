//! How long things take by chance, where a seed is given: the same on every machine, because it is reckoned in integers.
//!
//! The generator is PCG-XSH-RR 64/32, whose numbers are fixed by its definition: <https://www.pcg-random.org>.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng as _;

/// Without a seed everything takes as long as it usually does.
#[derive(Clone, Debug, Default)]
pub struct Chance(Option<Pcg32>);

/// Which part of the world draws: none of them depends on how often another one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Requests = 1,
    Pods = 2,
}

/// From half of the usual time to twice as much.
const LEAST_PERMILLE: i64 = 500;
const SPAN_PERMILLE: i64 = 1501;

impl Chance {
    pub fn seeded(seed: u64, stream: Stream) -> Chance {
        Chance(Some(Pcg32::new(seed, stream as u64)))
    }

    pub fn vary(&mut self, usual_ns: i64) -> i64 {
        let Some(generator) = &mut self.0 else {
            return usual_ns;
        };
        let permille = LEAST_PERMILLE + i64::from(generator.next_u32()) % SPAN_PERMILLE;
        (usual_ns / 1000).saturating_mul(permille)
    }
}

#[cfg(test)]
mod tests {
    use super::{Chance, Stream};

    fn drawn(seed: u64, stream: Stream) -> Vec<i64> {
        let mut chance = Chance::seeded(seed, stream);
        (0..5).map(|_| chance.vary(1_000_000)).collect()
    }

    #[test]
    fn a_seed_gives_the_same_times_for_ever_and_another_one_others() {
        let first = drawn(42, Stream::Requests);
        assert_eq!(first, drawn(42, Stream::Requests));
        assert_ne!(first, drawn(43, Stream::Requests));
        assert_ne!(first, drawn(42, Stream::Pods));
        assert!(first.iter().all(|ns| (500_000..=2_000_000).contains(ns)));
    }

    #[test]
    fn without_a_seed_nothing_varies() {
        assert_eq!(Chance::default().vary(1_234_567), 1_234_567);
    }
}
