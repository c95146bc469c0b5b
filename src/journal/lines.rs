//! A journal as JSON lines: to keep, to send, to be asked `why`, to be replayed by another build.
//!
//! The first line is the header, each other one a record: its number, epoch and hash, then the event in the very bytes
//! that the hash covers. The hash of the record before it is that of the line above.

use crate::journal::record::{Hash, Header, Record};
use serde::{Deserialize, Serialize};

pub fn encode(header: &Header, records: &[Record]) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string(header)?;
    text.push('\n');
    for record in records {
        let head = Head {
            seq: record.seq,
            epoch: record.epoch,
            hash: hex(&record.hash),
        };
        let head = serde_json::to_string(&head)?;
        text.push_str(head.trim_end_matches('}'));
        text.push_str(EVENT);
        text.push_str(&record.event);
        text.push_str("}\n");
    }
    Ok(text)
}

/// What is wrong is said with its line. Whether the links hold is for [`crate::journal::chain`] to say.
pub fn decode(text: &str) -> Result<(Header, Vec<Record>), String> {
    let mut lines = (1..).zip(text.lines());
    let wrong = |line: usize, why: &dyn std::fmt::Display| format!("line {line}: {why}");
    let (number, first) = lines.next().ok_or("it is empty")?;
    let header: Header = serde_json::from_str(first).map_err(|error| wrong(number, &error))?;
    let mut previous = header.hash().map_err(|error| wrong(number, &error))?;
    let mut records = Vec::new();
    for (number, line) in lines {
        let record = record(line, previous).map_err(|why| wrong(number, &why))?;
        previous = record.hash;
        records.push(record);
    }
    Ok((header, records))
}

const EVENT: &str = ",\"event\":";

#[derive(Serialize, Deserialize)]
struct Head {
    seq: u64,
    epoch: u64,
    hash: String,
}

fn record(line: &str, previous: Hash) -> Result<Record, String> {
    let parts = line.split_once(EVENT);
    let parts = parts.and_then(|(head, event)| Some((head, event.strip_suffix('}')?)));
    let (head, event) = parts.ok_or("it is no record of a journal")?;
    let head: Head =
        serde_json::from_str(&format!("{head}}}")).map_err(|error| error.to_string())?;
    Ok(Record {
        seq: head.seq,
        epoch: head.epoch,
        event: event.to_owned(),
        previous,
        hash: unhex(&head.hash).ok_or("its hash is none")?,
    })
}

fn hex(hash: &Hash) -> String {
    hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Hash> {
    let mut bytes = [0; 32];
    let pairs = text.as_bytes().chunks_exact(2);
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Hash(bytes))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::engine::protocol::{Event, EventKind};
    use crate::journal::chain::verify;
    use crate::journal::record::{Header, Record};
    use crate::values::Instant;

    fn journal() -> (Header, Vec<Record>) {
        let header: Header = serde_json::from_str(
            r#"{"run":"r","digest":"d","target":"t","created":1,"by":{"user":"u","host":"h"},
                "plan":"{}","source_map":"{}","sources":{"a.deploy":"say \",\"event\":\""}}"#,
        )
        .unwrap();
        let mut previous = header.hash().unwrap();
        let records = (1..=3).map(|seq| {
            let kind = EventKind::Tick;
            let at = Instant(seq as i64);
            let record = Record::new(seq, 1, &Event { at, kind }, previous).unwrap();
            previous = record.hash;
            record
        });
        let records = records.collect();
        (header, records)
    }

    #[test]
    fn what_was_written_is_read_to_the_byte() {
        let (header, records) = journal();
        let text = encode(&header, &records).unwrap();
        let (again, read) = decode(&text).unwrap();
        assert_eq!(read, records);
        assert_eq!(encode(&again, &read).unwrap(), text);
    }

    #[test]
    fn a_changed_line_is_found() {
        let (header, records) = journal();
        let text = encode(&header, &records).unwrap();
        for changed in [
            text.replacen("\"at\":2", "\"at\":5", 1),
            text.lines()
                .enumerate()
                .filter(|(line, _)| *line != 2)
                .map(|(_, line)| format!("{line}\n"))
                .collect(),
            text.replacen("\"run\":\"r\"", "\"run\":\"s\"", 1),
        ] {
            let (header, records) = decode(&changed).unwrap();
            assert!(
                verify(header.hash().unwrap(), &records).is_err(),
                "{changed}"
            );
        }
    }

    #[test]
    fn other_files_are_refused_with_their_line() {
        assert_eq!(decode("").unwrap_err(), "it is empty");
        assert!(decode("deploy 1\n").unwrap_err().starts_with("line 1: "));
        let (header, records) = journal();
        let text = encode(&header, &records).unwrap() + "{}\n";
        assert_eq!(
            decode(&text).unwrap_err(),
            "line 5: it is no record of a journal"
        );
    }
}
