//! Events of the namespace, counted; and whether the cluster still has all of them.

use crate::effects::kubernetes::args::Args;
use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::failure::{invalid, refusal};
use crate::effects::kubernetes::object::{instant, number, text};
use crate::effects::kubernetes::resource::EVENTS;
use crate::providers::kubernetes::reads::EVENTS_KEPT_NS;
use crate::providers::request::Failure;
use crate::values::{Instant, Value, show};
use regex::Regex;
use serde_json::Value as Json;

pub async fn count(api: &Api, args: Args<'_>, at: Instant) -> Result<Value, Failure> {
    let (pattern, since) = (args.text("pattern")?, args.instant("since")?);
    let whole = Regex::new(&format!("^(?:{pattern})$"));
    let whole = whole.map_err(|_| invalid(format!("`{pattern}` is no regular expression")))?;
    let events = api
        .list(&EVENTS, "")
        .await
        .map_err(|error| error.about("the events"))?;
    complete(&events, since, at)?;
    let found = events
        .iter()
        .filter(|event| whole.is_match(text(event, "/reason")))
        .filter(|event| last_seen(event).is_some_and(|seen| seen >= seconds(since)));
    Ok(Value::count(found.map(times).sum()))
}

/// Fewer events than there were would pass for fewer troubles. They are all there if the span is shorter than events
/// are kept, or if an older one still is.
fn complete(events: &[Json], since: Instant, at: Instant) -> Result<(), Failure> {
    let older = events.iter().filter_map(last_seen).any(|seen| seen < since);
    if older || at.since(since) <= EVENTS_KEPT_NS {
        return Ok(());
    }
    Err(refusal(format!(
        "events since {} are asked for, and a cluster keeps them for an hour by default: some may be gone",
        show::instant(since)
    )))
}

fn last_seen(event: &Json) -> Option<Instant> {
    let places = [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/eventTime",
        "/firstTimestamp",
    ];
    let times = places
        .iter()
        .filter_map(|place| instant(text(event, place)));
    times
        .max()
        .or_else(|| instant(text(event, "/metadata/creationTimestamp")))
}

/// Events carry whole seconds: one of the same second may be later.
fn seconds(at: Instant) -> Instant {
    const SECOND_NS: i64 = 1_000_000_000;
    Instant(at.0.div_euclid(SECOND_NS).saturating_mul(SECOND_NS))
}

fn times(event: &Json) -> i64 {
    number(event, "/series/count")
        .max(number(event, "/count"))
        .max(1)
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::object::instant;
    use crate::effects::kubernetes::read::events::{complete, last_seen, times};
    use serde_json::json;

    #[test]
    fn old_and_new_events_carry_their_time_and_count_in_different_places() {
        let old = json!({"lastTimestamp": "2026-01-21T06:30:00Z", "count": 3, "eventTime": null});
        let new = json!({"eventTime": "2026-01-21T06:00:00.123456Z",
                         "series": {"count": 7, "lastObservedTime": "2026-01-21T06:31:00.000000Z"}});
        assert_eq!(
            (last_seen(&old), times(&old)),
            (instant("2026-01-21T06:30:00Z"), 3)
        );
        assert_eq!(
            (last_seen(&new), times(&new)),
            (instant("2026-01-21T06:31:00Z"), 7)
        );
        assert_eq!(times(&json!({})), 1);
    }

    #[test]
    fn what_may_be_gone_is_not_counted_as_nothing() {
        let at = instant("2026-01-21T12:00:00Z").unwrap();
        let event = |time: &str| json!({ "lastTimestamp": time });
        let ago = |time: &str| instant(time).unwrap();
        assert!(complete(&[], ago("2026-01-21T11:00:00Z"), at).is_ok());
        assert!(complete(&[], ago("2026-01-21T10:59:59Z"), at).is_err());
        assert!(
            complete(
                &[event("2026-01-21T10:00:00Z")],
                ago("2026-01-21T10:30:00Z"),
                at
            )
            .is_ok()
        );
        assert!(
            complete(
                &[event("2026-01-21T11:00:00Z")],
                ago("2026-01-21T10:30:00Z"),
                at
            )
            .is_err()
        );
    }
}
