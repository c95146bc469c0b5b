//! Verification: is this the journal that was written?

use crate::engine::protocol::Event;
use crate::journal::record::{Hash, Record, hash_of};
use crate::journal::store::Head;

/// What is wrong, and with which record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error(
        "record {found} stands where record {wanted} belongs: records are missing, doubled or swapped"
    )]
    Order { wanted: u64, found: u64 },
    #[error("the first record does not follow the header: the plan or who began it was changed")]
    Header,
    #[error(
        "record {seq} does not follow the one before it: something between them was changed or taken out"
    )]
    Link { seq: u64 },
    #[error("record {seq} was changed: its hash is not that of its content")]
    Content { seq: u64 },
    #[error("record {seq} was written by epoch {epoch} after a later one")]
    Epoch { seq: u64, epoch: u64 },
    #[error("it ends at record {found}, but {wanted} were written: its tail was cut off")]
    Cut { wanted: u64, found: u64 },
    #[error("record {seq} is not the one that was written in its place: the tail was replaced")]
    Replaced { seq: u64 },
    #[error("record {seq} cannot be read: {why}")]
    Unreadable { seq: u64, why: String },
}

/// The events, oldest first, when every link holds.
pub fn verify(start: Hash, records: &[Record]) -> Result<Vec<Event>, Damage> {
    let mut previous = start;
    let mut epoch = 0;
    let mut events = Vec::with_capacity(records.len());
    for (record, wanted) in records.iter().zip(1..) {
        let seq = record.seq;
        if seq != wanted {
            return Err(Damage::Order { wanted, found: seq });
        }
        if record.previous != previous {
            return Err(match seq {
                1 => Damage::Header,
                _ => Damage::Link { seq },
            });
        }
        if hash_of(seq, record.epoch, &record.event, previous) != record.hash {
            return Err(Damage::Content { seq });
        }
        if record.epoch < epoch {
            return Err(Damage::Epoch {
                seq,
                epoch: record.epoch,
            });
        }
        let event = record.decode();
        events.push(event.map_err(|why| Damage::Unreadable {
            seq,
            why: why.to_string(),
        })?);
        previous = record.hash;
        epoch = record.epoch;
    }
    Ok(events)
}

/// Whether a journal with these hashes, from that of its header on, has everything up to `anchor`.
pub fn reaches(hashes: &[Hash], anchor: Head) -> Result<(), Damage> {
    let index = usize::try_from(anchor.seq).unwrap_or(usize::MAX);
    match hashes.get(index) {
        None => Err(Damage::Cut {
            wanted: anchor.seq,
            found: (hashes.len() as u64).saturating_sub(1),
        }),
        Some(found) if *found == anchor.hash => Ok(()),
        Some(_) if anchor.seq == 0 => Err(Damage::Header),
        Some(_) => Err(Damage::Replaced { seq: anchor.seq }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Damage, reaches, verify};
    use crate::engine::protocol::{Event, EventKind};
    use crate::journal::record::{Hash, Record};
    use crate::journal::store::Head;
    use crate::values::Instant;
    use proptest::prelude::*;

    const START: Hash = Hash([7; 32]);

    fn records(count: u64) -> Vec<Record> {
        let mut previous = START;
        (1..=count)
            .map(|seq| {
                let event = Event {
                    at: Instant(seq as i64),
                    kind: EventKind::Tick,
                };
                let record = Record::new(seq, 1 + seq / 4, &event, previous).unwrap();
                previous = record.hash;
                record
            })
            .collect()
    }

    #[test]
    fn a_journal_verifies_and_so_does_each_of_its_prefixes() {
        let all = records(9);
        for length in 0..=all.len() {
            assert_eq!(verify(START, &all[..length]).unwrap().len(), length);
        }
    }

    #[test]
    fn a_tail_that_was_cut_or_replaced_is_found_by_an_anchor() {
        let records = records(9);
        let hashes: Vec<Hash> = std::iter::once(START)
            .chain(records.iter().map(|record| record.hash))
            .collect();
        for (seq, hash) in (0..).zip(&hashes) {
            let anchor = Head { seq, hash: *hash };
            assert_eq!(reaches(&hashes, anchor), Ok(()));
            for kept in 0..seq {
                let cut = Damage::Cut {
                    wanted: seq,
                    found: kept,
                };
                assert_eq!(reaches(&hashes[..=kept as usize], anchor), Err(cut));
            }
        }
        let hash = Hash([8; 32]);
        let replaced = Err(Damage::Replaced { seq: 4 });
        assert_eq!(reaches(&hashes, Head { seq: 4, hash }), replaced);
        let of_another_run = Err(Damage::Header);
        assert_eq!(reaches(&hashes, Head { seq: 0, hash }), of_another_run);
    }

    #[test]
    fn another_header_is_found() {
        let found = verify(Hash([8; 32]), &records(2)).err();
        assert_eq!(found, Some(Damage::Header));
    }

    proptest! {
        #[test]
        fn an_edit_is_found(at in 0_usize..9, digit in 0_u8..10) {
            let mut all = records(9);
            let event = format!("{{\"at\":{digit},\"kind\":\"tick\"}}");
            prop_assume!(event != all[at].event);
            all[at].event = event;
            prop_assert_eq!(verify(START, &all).err(), Some(Damage::Content { seq: at as u64 + 1 }));
        }

        #[test]
        fn a_deletion_inside_is_found(at in 0_usize..8) {
            let mut all = records(9);
            all.remove(at);
            prop_assert!(verify(START, &all).is_err());
        }

        #[test]
        fn a_swap_is_found(a in 0_usize..9, b in 0_usize..9) {
            prop_assume!(a != b);
            let mut all = records(9);
            all.swap(a, b);
            prop_assert!(verify(START, &all).is_err());
        }

        #[test]
        fn a_doubled_record_is_found(at in 0_usize..9) {
            let mut all = records(9);
            let copy = all[at].clone();
            all.insert(at, copy);
            prop_assert!(verify(START, &all).is_err());
        }
    }
}
