//! Any bytes are a journal, or are refused with words. Whatever events a journal holds, the engine takes them.

#![no_main]
#![allow(
    clippy::disallowed_methods,
    reason = "the macro of the fuzzer touches files"
)]

use deployc::engine::state::State;
use deployc::engine::step;
use deployc::journal::chain::verify;
use deployc::journal::lines;
use deployc::journal::record::{Record, hash_of};
use deployc::plan::Plan;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static PLAN: LazyLock<Plan> = LazyLock::new(deployc_fuzz::plan);

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (header, mut records) = match lines::decode(&text) {
        Ok(read) => read,
        Err(why) => return assert!(!why.is_empty()),
    };
    let Ok(start) = header.hash() else {
        return;
    };
    if verify(start, &records).is_ok() {
        let written = lines::encode(&header, &records).expect("what was read can be written");
        let (again, same) = lines::decode(&written).expect("what was written can be read");
        assert_eq!(again.hash().ok(), Some(start));
        assert_eq!(same, records);
    }
    // Somebody who can write the file can make the hashes right, too.
    let mut previous = start;
    for (record, seq) in records.iter_mut().zip(1..) {
        let hash = hash_of(seq, 1, &record.event, previous);
        *record = Record {
            seq,
            epoch: 1,
            event: std::mem::take(&mut record.event),
            previous,
            hash,
        };
        previous = hash;
    }
    let mut state = State::default();
    for event in verify(start, &records).unwrap_or_default() {
        state = step(&PLAN, state, event).0;
    }
});
