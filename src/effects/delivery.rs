//! A message that is sent until it is taken, or until its time is over.
#![allow(clippy::disallowed_methods, reason = "waits between two tries")]

use crate::effects::secret::Secrets;
use crate::effects::wire::{self, Answer, Trouble};
use crate::providers::request::{Failure, FailureKind, Key};
use reqwest::RequestBuilder;
use reqwest::header::RETRY_AFTER;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::time::Instant;

const ANSWER_BYTES_MAX: usize = 64 << 10;
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// One try is over after this, however much time there is.
pub const TRY_MAX: Duration = Duration::from_secs(10);

/// What is delivered, and how long that may take.
pub struct Delivery<'a> {
    /// Makes the request of one try.
    pub request: &'a (dyn Fn() -> RequestBuilder + Send + Sync),
    pub key: &'a Key,
    /// `the webhook of room`; never its address.
    pub whom: &'a str,
    pub within: Duration,
    pub secrets: &'a Secrets,
}

/// At least once: a try whose answer was lost is made again.
pub async fn deliver(delivery: Delivery<'_>) -> Result<(), Failure> {
    let end = Instant::now() + delivery.within;
    let mut tries = 0;
    let mut earlier = None;
    loop {
        let limit = TRY_MAX.min(end.saturating_duration_since(Instant::now()));
        let request = (delivery.request)().timeout(limit);
        let answer = wire::exchange(request, ANSWER_BYTES_MAX).await;
        tries += 1;
        let (failure, wish) = match judge(&delivery, answer, limit) {
            Judgement::Taken => return Ok(()),
            Judgement::Never(failure) => return Err(failure),
            Judgement::Later(failure, wish) => (failure, wish),
        };
        // A last try for which hardly any time was left says less than the one before.
        let is_cut_short = failure.kind == FailureKind::Timeout && limit < TRY_MAX;
        let failure = earlier.filter(|_| is_cut_short).unwrap_or(failure);
        let pause = wish.unwrap_or_else(|| pause(delivery.key, tries));
        if pause >= end.saturating_duration_since(Instant::now()) {
            return Err(given_up(failure, tries, delivery.within));
        }
        earlier = Some(failure);
        tokio::time::sleep(pause).await;
    }
}

enum Judgement {
    Taken,
    /// It will be refused again.
    Never(Failure),
    /// With the time that the other side asks for.
    Later(Failure, Option<Duration>),
}

fn judge(delivery: &Delivery<'_>, answer: Result<Answer, Trouble>, limit: Duration) -> Judgement {
    let answer = match answer {
        Ok(answer) => answer,
        Err(trouble) => {
            let failure = trouble.failure(delivery.whom, limit, ANSWER_BYTES_MAX);
            return match trouble {
                Trouble::Untrusted(_) | Trouble::Garbled(_) => Judgement::Never(failure),
                _ => Judgement::Later(failure, None),
            };
        }
    };
    let words = wire::excerpt(&answer.body, delivery.secrets);
    let failure = |kind| {
        let message = format!("{} answered {}: `{words}`", delivery.whom, answer.status);
        Failure::new(kind, message)
    };
    match answer.status {
        200..=299 => Judgement::Taken,
        408 | 425 | 429 | 500..=599 => {
            Judgement::Later(failure(FailureKind::Unreachable), retry_after(&answer))
        }
        401 | 403 => Judgement::Never(failure(FailureKind::Denied)),
        404 | 410 => Judgement::Never(failure(FailureKind::NotFound)),
        _ => Judgement::Never(failure(FailureKind::Invalid)),
    }
}

/// Seconds, or a date; a date is compared with that of the answer, so no clock of ours is asked.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let header = |name| answer.headers.get(name)?.to_str().ok();
    let wish: &str = header(RETRY_AFTER)?;
    if let Ok(seconds) = wish.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(wish).ok()?.timestamp();
    let from = jiff::fmt::rfc2822::parse(header(reqwest::header::DATE)?)
        .ok()?
        .timestamp();
    let seconds = until.as_second().saturating_sub(from.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Doubles with each try; spread by the key, so that many messages of one moment do not come back together.
fn pause(key: &Key, tries: u32) -> Duration {
    let doubled = PAUSE_MIN.saturating_mul(1 << tries.saturating_sub(1).min(8));
    let digest = Sha256::digest(format!("{} {tries}", key.0));
    let spread = f64::from(digest.first().copied().unwrap_or(0)) / 255.0;
    doubled.min(PAUSE_MAX).mul_f64(0.75 + spread / 2.0)
}

fn given_up(failure: Failure, tries: u32, within: Duration) -> Failure {
    let message = format!(
        "{} (given up after {tries} tries, {within:?} being the limit)",
        failure.message
    );
    Failure::new(failure.kind, message)
}

#[cfg(test)]
mod tests {
    use crate::effects::delivery::{PAUSE_MAX, pause, retry_after};
    use crate::effects::wire::Answer;
    use crate::providers::request::Key;
    use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
    use std::time::Duration;

    fn answer(headers: &[(reqwest::header::HeaderName, &'static str)]) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.clone(), value.parse().unwrap());
        }
        Answer {
            status: 429,
            headers: map,
            body: Vec::new(),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let seconds = retry_after(&answer(&[(RETRY_AFTER, "30")]));
        assert_eq!(seconds, Some(Duration::from_secs(30)));
        let date = retry_after(&answer(&[
            (DATE, "Wed, 21 Jan 2026 06:30:00 GMT"),
            (RETRY_AFTER, "Wed, 21 Jan 2026 06:31:30 GMT"),
        ]));
        assert_eq!(date, Some(Duration::from_secs(90)));
        assert_eq!(retry_after(&answer(&[(RETRY_AFTER, "soon")])), None);
        assert_eq!(retry_after(&answer(&[])), None);
    }

    #[test]
    fn pauses_grow_to_a_limit_and_differ_between_messages() {
        let key = Key("run/notify-1".to_owned());
        let pauses: Vec<Duration> = (1..40).map(|tries| pause(&key, tries)).collect();
        assert!(pauses[0] < Duration::from_secs(1), "{pauses:?}");
        assert!(pauses[3] > Duration::from_secs(2), "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= PAUSE_MAX.mul_f64(1.25)));
        assert_ne!(pause(&key, 5), pause(&Key("run/notify-2".to_owned()), 5));
    }
}
