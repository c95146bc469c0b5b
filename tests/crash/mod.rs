//! `kill -9` at any moment, then `deployc resume`: it ends as if nothing had been.
//!
//! The program is the one that users run, with its own driver, clock and journal on the disk. The world that it changes
//! is simulated, in this process, five times as fast as the real one; it has its own account of what reached it, and it
//! goes on while nobody carries the run out.

mod end;
mod matrix;
mod moments;
mod play;
mod shop;
mod witness;

use end::{End, Kill, Stopped};
use moments::{Moments, Random};
use play::Play;
use shop::Day;
use std::collections::BTreeSet;
use std::thread;

/// So that the same moments are chosen each time; where exactly some of them fall depends on the machine.
/// `DEPLOYC_TEST_SEED` chooses others.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const LANES: u64 = 3;
const KILLS_A_LANE: usize = 5;
/// More runs than this are not needed to meet the kills of a lane.
const RUNS_A_LANE_MAX: usize = 6;

#[test]
fn killed_at_30_moments_it_ends_as_if_nothing_had_been() {
    let seed = std::env::var("DEPLOYC_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let kills: Vec<Kill> = thread::scope(|scope| {
        let days = [Day::Good, Day::Bad];
        let days = days.map(|day| scope.spawn(move || day_with_kills(day, seed)));
        days.into_iter()
            .flat_map(|day| day.join().unwrap())
            .collect()
    });
    kills.iter().for_each(|kill| println!("{kill}"));
    assert_they_lie_apart(&kills);
}

/// A run that nobody kills, and beside it others that are killed and have to end like it.
fn day_with_kills(day: Day, seed: u64) -> Vec<Kill> {
    thread::scope(|scope| {
        let whole = scope.spawn(move || Play::whole(day));
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| scope.spawn(move || lane_of_kills(day, lane, seed)))
            .collect();
        let whole = whole.join().unwrap();
        assert_is_as_it_should(&whole);
        let mut kills = Vec::new();
        for end in lanes.into_iter().flat_map(|lane| lane.join().unwrap()) {
            assert_eq!(end.breaches, [""; 0], "{end}");
            assert_eq!(end.code, whole.code, "{end}");
            assert_eq!(end.left, whole.left, "{end}");
            assert_eq!(end.writes, whole.writes, "{end}");
            assert_eq!(end.told, whole.told, "{end}");
            kills.extend(end.kills);
        }
        kills
    })
}

/// The lanes of a day begin to kill at different stages of it. A run that ends before its lane is through is followed by
/// another one.
fn lane_of_kills(day: Day, lane: u64, seed: u64) -> Vec<End> {
    let random = Random(seed.wrapping_mul(2 * lane + 3) ^ day as u64);
    let mut moments = Moments::new(random, 2 * lane, KILLS_A_LANE);
    let mut ends = Vec::new();
    while moments.left > 0 {
        ends.push(Play::killed(day, &mut moments));
        assert!(
            ends.len() <= RUNS_A_LANE_MAX,
            "{} kills do not happen",
            moments.left
        );
    }
    ends
}

#[cfg(unix)]
#[test]
fn on_a_full_disk_it_stops_and_goes_on_once_there_is_room() {
    let (whole, stopped) = thread::scope(|scope| {
        let whole = scope.spawn(|| Play::whole(Day::Bad));
        let stopped = [200, 300, 400]
            .map(|blocks| scope.spawn(move || Play::on_a_full_disk(Day::Bad, blocks)));
        let stopped = stopped.map(|play| play.join().unwrap());
        (whole.join().unwrap(), stopped)
    });
    for Stopped {
        code,
        said,
        records,
        end,
    } in &stopped
    {
        println!("stopped after {records} records");
        assert_eq!(*code, Some(130), "{said}");
        assert!(said.contains("error: cannot write to "), "{said}");
        assert!(said.contains("`deployc resume"), "{said}");
        assert_eq!(end.breaches, [""; 0], "{end}");
        assert_eq!((end.code, &end.left), (whole.code, &whole.left), "{end}");
        assert_eq!(end.writes, whole.writes, "{end}");
    }
    let records: BTreeSet<usize> = stopped.iter().map(|stopped| stopped.records).collect();
    assert!(records.len() > 1 && !records.contains(&0), "{records:?}");
}

fn assert_is_as_it_should(whole: &End) {
    let (code, version) = match whole.day {
        Day::Good => (0, 2),
        Day::Bad => (3, 1),
    };
    assert_eq!(whole.breaches, [""; 0], "{whole}");
    assert_eq!(whole.code, Some(code), "{whole}");
    assert_eq!(
        whole.left.serving,
        vec![format!("registry.local/api:{version}"); 3]
    );
    if whole.day == Day::Bad {
        assert_eq!(whole.left, whole.before);
    }
    assert_eq!(whole.told.len(), 2, "{:?}", whole.told);
    // The worker, the release, three stages, the promotion or the way back.
    let writes: usize = whole.writes.values().map(Vec::len).sum();
    assert!(writes >= 8, "{whole}");
}

/// Kills that all fall on the same moment, or where nothing is under way, would show nothing.
fn assert_they_lie_apart(kills: &[Kill]) {
    let among = |is: fn(&Kill) -> bool| kills.iter().filter(|kill| is(kill)).count();
    assert_eq!(kills.len(), 2 * LANES as usize * KILLS_A_LANE);
    let places: BTreeSet<_> = kills.iter().map(|kill| (kill.day, kill.records)).collect();
    assert!(places.len() >= 15, "{} places", places.len());
    let last: BTreeSet<&str> = kills.iter().map(|kill| kill.last.as_str()).collect();
    assert!(last.len() >= 4, "{last:?}");
    let in_flight = among(|kill| kill.in_flight > 0);
    assert!(in_flight >= 10, "{in_flight} while a change was under way");
    let going_back = among(|kill| kill.is_going_back);
    assert!(going_back >= 2, "{going_back} while it went back");
    let resuming = among(|kill| kill.last == "resumed");
    assert!(resuming >= 2, "{resuming} while it was resumed");
}
