//! The header of a run and the records behind it.

use crate::engine::protocol::{Actor, Event};
use crate::values::Instant;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Everything that a run needs to be carried on without the repository, the compiler or the command line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    pub run: String,
    /// The digest of the plan; the run is pinned to it.
    pub digest: String,
    /// What the run changes: two live runs never share one.
    pub target: String,
    /// Where the simulated world listens that stands in for everything; absent from a real run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
    pub created: Instant,
    pub by: Actor,
    /// Canonical JSON of the plan, in full (with addresses, without secrets).
    pub plan: String,
    /// JSON of its source map.
    pub source_map: String,
    /// The text of the plan's files by name, so that messages can show the line.
    pub sources: BTreeMap<String, String>,
}

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// From 1, without gaps.
    pub seq: u64,
    /// Of the writer; never falls.
    pub epoch: u64,
    /// JSON of the [`Event`], exactly the bytes that the hash covers.
    pub event: String,
    pub previous: Hash,
    pub hash: Hash,
}

/// SHA-256; as text its hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hash(pub [u8; 32]);

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Hash, Self::Error> {
        let wrong = "a hash has 64 hexadecimal digits";
        let mut bytes = [0; 32];
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 2 * bytes.len() || !text.bytes().all(is_digit) {
            return Err(wrong);
        }
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            let digits = text.get(at..at + 2).ok_or(wrong)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong)?;
        }
        Ok(Hash(bytes))
    }
}

/// The target of a rehearsal.
pub const SIMULATED: &str = "simulation";

impl Header {
    /// Whether time goes on for it: that of a rehearsal has stood still since its end.
    pub fn is_live(&self) -> bool {
        self.target != SIMULATED
    }

    /// The hash that the first record follows.
    pub fn hash(&self) -> Result<Hash, serde_json::Error> {
        let bytes = serde_json::to_vec(self)?;
        Ok(digest(&[b"deployc journal 1", &bytes]))
    }
}

impl Record {
    pub fn new(
        seq: u64,
        epoch: u64,
        event: &Event,
        previous: Hash,
    ) -> Result<Record, serde_json::Error> {
        let event = serde_json::to_string(event)?;
        let hash = hash_of(seq, epoch, &event, previous);
        Ok(Record {
            seq,
            epoch,
            event,
            previous,
            hash,
        })
    }

    pub fn decode(&self) -> Result<Event, serde_json::Error> {
        serde_json::from_str(&self.event)
    }
}

/// What the hash of a record has to be.
pub fn hash_of(seq: u64, epoch: u64, event: &str, previous: Hash) -> Hash {
    let numbers = [seq.to_be_bytes(), epoch.to_be_bytes()].concat();
    digest(&[&previous.0, &numbers, event.as_bytes()])
}

/// Each part goes in with its length, so that no two lists of parts look the same.
fn digest(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use crate::engine::protocol::{Event, EventKind, ReadId};
    use crate::journal::record::{Hash, Record};
    use crate::units::Dim;
    use crate::values::fields::Fields;
    use crate::values::{Instant, Value};
    use proptest::prelude::*;

    #[test]
    fn a_hash_is_read_in_the_one_form_in_which_it_is_written() {
        let hash = Hash(std::array::from_fn(|at| at as u8 * 7));
        let text = String::from(hash);
        assert_eq!(Hash::try_from(text.clone()), Ok(hash));
        let sign = text.replacen("07", "+7", 1);
        let others = [
            sign,
            text.to_uppercase(),
            text[2..].to_owned(),
            format!("{text}00"),
            format!("{}ü", &text[2..]),
        ];
        for other in others {
            assert!(Hash::try_from(other.clone()).is_err(), "{other}");
        }
    }

    fn measured(value: f64) -> Event {
        let series = Fields::from([("value", Value::measured(Dim::Ratio, value))]);
        Event {
            at: Instant(1),
            kind: EventKind::Read {
                id: ReadId(1),
                result: Ok(Value::List(vec![Value::Record(series), Value::Absent])),
            },
        }
    }

    /// What a metric gave, after the journal.
    fn read_back(value: f64) -> f64 {
        let record = Record::new(1, 1, &measured(value), Hash([0; 32])).unwrap();
        let event = record.decode().unwrap();
        let again = Record::new(1, 1, &event, Hash([0; 32])).unwrap();
        assert_eq!(again.hash, record.hash, "{}", record.event);
        let EventKind::Read {
            result: Ok(Value::List(series)),
            ..
        } = event.kind
        else {
            panic!("{}", record.event);
        };
        let [Value::Record(fields), Value::Absent] = series.as_slice() else {
            panic!("nothing became something: {series:?}");
        };
        fields.get("value").unwrap().amount().unwrap().as_f64()
    }

    #[test]
    fn a_value_that_is_no_number_stays_none() {
        assert!(read_back(f64::NAN).is_nan());
        assert_eq!(read_back(f64::INFINITY), f64::INFINITY);
        assert_eq!(read_back(f64::NEG_INFINITY), f64::NEG_INFINITY);
        assert!(read_back(-0.0).is_sign_negative());
    }

    proptest! {
        #[test]
        fn every_value_is_read_back_to_its_last_bit(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let back = read_back(value);
            prop_assert!(back.to_bits() == bits || back.is_nan() && value.is_nan());
        }
    }
}
