//! Moments: with their zone, or with that of the plan.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::messages::{numbers, typing as say};
use crate::analyze::typed::Typed;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::ExprKind;
use crate::values::{Instant, Type, Value};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// `2026-01-21T06:00Z`, or `2026-01-21 06:30` where the plan names its zone.
pub fn instant(cx: &mut Cx<'_, '_>, text: &str, span: Span) -> Typed {
    match read(text, cx.g.plan.zone) {
        Ok(at) => Typed::literal(Value::Instant(at), Type::Instant, span),
        Err(error) => report(cx, error, text, span),
    }
}

/// `A .. B`; in the second one a time of day alone means the day of the first.
pub fn interval(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    from: &ast::Expr,
    to: &ast::Expr,
    span: Span,
) -> Typed {
    let start = expr::check(cx, env, from, &Type::Instant);
    let end = match (&expr::bare(to).kind, day_of(from)) {
        (ExprKind::Instant(text), Some(day)) if is_time_of_day(text) => {
            instant(cx, &format!("{day} {text}"), to.span)
        }
        _ => expr::check(cx, env, to, &Type::Instant),
    };
    if start.is_unknown() || end.is_unknown() {
        return Typed::unknown(span);
    }
    match (start.value(), end.value()) {
        (Some(Value::Instant(start)), Some(Value::Instant(end))) if start < end => {
            Typed::literal(Value::Interval(*start, *end), Type::Interval, span)
        }
        (Some(_), Some(_)) => {
            cx.report(numbers::backward_interval(span));
            Typed::unknown(span)
        }
        _ => {
            cx.report(say::constant_needed(span, "the two ends of an interval"));
            Typed::unknown(span)
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InstantError {
    Malformed,
    NoZone,
    NoDay,
}

fn report(cx: &mut Cx<'_, '_>, error: InstantError, text: &str, span: Span) -> Typed {
    let forms = "`2026-01-21T06:00Z`, `2026-01-21 06:30`";
    cx.report(match error {
        InstantError::Malformed => numbers::bad_literal(span, text, "moment", forms),
        InstantError::NoZone => numbers::no_zone(span, text),
        InstantError::NoDay => numbers::no_day(span, text),
    });
    Typed::unknown(span)
}

fn read(text: &str, zone: Option<Offset>) -> Result<Instant, InstantError> {
    if is_time_of_day(text) {
        return Err(InstantError::NoDay);
    }
    let (day, time, offset) = parts(text).ok_or(InstantError::Malformed)?;
    let date: Date = day.parse().map_err(|_| InstantError::Malformed)?;
    let time = time_of_day(time).ok_or(InstantError::Malformed)?;
    let offset = match offset {
        Some(offset) => read_offset(offset).ok_or(InstantError::Malformed)?,
        None => zone.ok_or(InstantError::NoZone)?,
    };
    let local = DateTime::from_parts(date, time);
    let stamp: Timestamp = offset
        .to_timestamp(local)
        .map_err(|_| InstantError::Malformed)?;
    let nanos = i64::try_from(stamp.as_nanosecond()).map_err(|_| InstantError::Malformed)?;
    Ok(Instant(nanos))
}

/// Day, time, and what stands behind the time: `Z`, `+02:00`.
fn parts(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let (day, rest) = text.split_once(['T', 't', ' '])?;
    let rest = rest.trim_start();
    match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => {
            let (time, offset) = rest.split_at_checked(at)?;
            Some((day, time, Some(offset)))
        }
        None => Some((day, rest, None)),
    }
}

fn time_of_day(text: &str) -> Option<Time> {
    let mut fields = text.split(':');
    let hour = two_digits(fields.next()?)?;
    let minute = two_digits(fields.next()?)?;
    let second = match fields.next() {
        Some(second) => two_digits(second)?,
        None => 0,
    };
    if fields.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}

fn two_digits(text: &str) -> Option<i8> {
    let sound = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}

fn is_time_of_day(text: &str) -> bool {
    !text.contains('-') && text.contains(':')
}

/// The day of a moment that is written out.
fn day_of(from: &ast::Expr) -> Option<&str> {
    match &expr::bare(from).kind {
        ExprKind::Instant(text) => parts(text).map(|(day, _, _)| day),
        _ => None,
    }
}

/// `Z`, `UTC`, `+02:00`, `-0530`.
pub fn read_offset(text: &str) -> Option<Offset> {
    if matches!(text, "Z" | "z" | "UTC") {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let rest = rest.replace(':', "");
    let (hours, minutes) = rest.split_at_checked(2)?;
    let hours = i32::from(two_digits(hours)?);
    let minutes = if minutes.is_empty() {
        0
    } else {
        i32::from(two_digits(minutes)?)
    };
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use crate::analyze::expr::instant::{InstantError, read, read_offset};
    use crate::values::show;
    use jiff::tz::Offset;

    #[test]
    fn a_moment_has_a_zone_of_its_own_or_that_of_the_plan() {
        let shown = |text| read(text, Some(Offset::UTC)).map(show::instant);
        assert_eq!(shown("2026-01-21T06:00Z").unwrap(), "2026-01-21 06:00:00Z");
        assert_eq!(shown("2026-01-21 06:30").unwrap(), "2026-01-21 06:30:00Z");
        assert_eq!(
            shown("2026-01-21T06:00+02:00").unwrap(),
            "2026-01-21 04:00:00Z"
        );
        assert_eq!(
            shown("2026-01-21T06:00:09Z").unwrap(),
            "2026-01-21 06:00:09Z"
        );
        assert_eq!(read("2026-01-21 06:30", None), Err(InstantError::NoZone));
        assert_eq!(read("06:30", None), Err(InstantError::NoDay));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        let malformed = [
            "2026-02-30T06:00Z",
            "2026-01-21T24:01Z",
            "2026-01-21T6:00Z",
            "2026-01-21",
            "2026-01-21T06:00+99:00",
            "",
        ];
        for text in malformed {
            assert_eq!(
                read(text, Some(Offset::UTC)),
                Err(InstantError::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn offsets() {
        assert_eq!(read_offset("+0530").map(|o| o.seconds()), Some(19_800));
        assert_eq!(read_offset("-03").map(|o| o.seconds()), Some(-10_800));
        assert_eq!(read_offset("CET"), None);
    }
}
