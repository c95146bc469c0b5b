//! Quantities as a person reads them: the unit that keeps the number short, at most four significant digits for
//! what was measured, all digits for what was written.

use crate::units::amount::{Amount, NANO, Nano, Quantity};
use crate::units::{Dim, Per};

/// `12.3%`, `200ms`, `64MiB/h` never loses a written digit: `99.95%` stays `99.95%`.
pub fn quantity(quantity: Quantity) -> String {
    match quantity.amount {
        Amount::Exact(nano) => exact(quantity.dim, nano),
        Amount::Measured(value) if !value.is_finite() => value.to_string(),
        Amount::Measured(value) => measured(quantity.dim, value),
    }
}

/// A span of time in nanoseconds: `1h 30m`, `250ms`, `0s`.
pub fn duration_ns(ns: i64) -> String {
    exact_duration(i128::from(ns))
}

fn exact(dim: Dim, Nano(nano): Nano) -> String {
    match dim {
        Dim::Count => decimal(nano, NANO),
        Dim::Ratio => format!("{}%", decimal(nano * 100, NANO)),
        Dim::Change if nano >= 0 => format!("+{}%", decimal(nano * 100, NANO)),
        Dim::Change => format!("{}%", decimal(nano * 100, NANO)),
        Dim::Duration => exact_duration(nano),
        Dim::Bytes => exact_bytes(nano),
        Dim::Cores => format!("{} cores", decimal(nano, NANO)),
        Dim::Rate(per) => exact_rate(per, nano),
    }
}

const SPANS_S: [(&str, i128); 3] = [("m", 60), ("h", 3_600), ("d", 86_400)];

/// What was written by the minute or longer is seldom a number of billionths by the second: it is shown as it was written.
fn exact_rate(per: Per, nano: i128) -> String {
    const MICRO: i128 = 1_000;
    let as_written = |(span, seconds): &(&str, i128)| {
        let in_span = nano.saturating_mul(*seconds);
        let half = in_span.signum() * (NANO / 2);
        let whole = in_span.saturating_add(half) / NANO;
        let is_it = 2 * (whole * NANO - in_span).abs() <= *seconds;
        is_it.then(|| format!("{}/{span}", exact(per.dim(), Nano(whole * NANO))))
    };
    let mut longer = SPANS_S.iter().filter(|_| nano % MICRO != 0);
    let by_second = || format!("{}/s", exact(per.dim(), Nano(nano)));
    longer.find_map(as_written).unwrap_or_else(by_second)
}

/// `numerator / denominator` with as many decimals as it takes; the denominator is a power of ten.
fn decimal(numerator: i128, denominator: i128) -> String {
    let sign = if numerator < 0 { "-" } else { "" };
    let (whole, rest) = (numerator.abs() / denominator, numerator.abs() % denominator);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let width = denominator.to_string().len() - 1;
    let digits = format!("{rest:0width$}");
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

const DURATIONS_NS: [(&str, i128); 7] = [
    ("d", 86_400 * NANO),
    ("h", 3_600 * NANO),
    ("m", 60 * NANO),
    ("s", NANO),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// The two largest units that say it exactly, else all of them.
fn exact_duration(ns: i128) -> String {
    if ns == 0 {
        return "0s".to_owned();
    }
    let sign = if ns < 0 { "-" } else { "" };
    let mut rest = ns.abs();
    let mut parts = Vec::new();
    for (unit, size) in DURATIONS_NS {
        if rest >= size {
            parts.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    format!("{sign}{}", parts.join(" "))
}

const BYTES: [(&str, i128); 8] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
];

fn exact_bytes(nano: i128) -> String {
    for (unit, size) in BYTES {
        let size = size * NANO;
        if nano != 0 && nano % size == 0 {
            return format!("{}{unit}", nano / size);
        }
    }
    format!("{}B", decimal(nano, NANO))
}

fn measured(dim: Dim, value: f64) -> String {
    match dim {
        Dim::Count => digits(value),
        Dim::Ratio => format!("{}%", digits(value * 100.0)),
        Dim::Change => format!(
            "{}{}%",
            if value >= 0.0 { "+" } else { "" },
            digits(value * 100.0)
        ),
        Dim::Duration => measured_duration(value),
        Dim::Bytes => measured_bytes(value),
        Dim::Cores => format!("{} cores", digits(value)),
        Dim::Rate(Per::Count) => format!("{}/s", digits(value)),
        Dim::Rate(per) => format!("{}/s", measured(per.dim(), value)),
    }
}

fn measured_duration(seconds: f64) -> String {
    let size = seconds.abs();
    if size >= 3_600.0 {
        format!("{}h", digits(seconds / 3_600.0))
    } else if size >= 60.0 {
        format!("{}m", digits(seconds / 60.0))
    } else if size >= 1.0 || size == 0.0 {
        format!("{}s", digits(seconds))
    } else if size >= 1e-3 {
        format!("{}ms", digits(seconds * 1e3))
    } else {
        format!("{}us", digits(seconds * 1e6))
    }
}

fn measured_bytes(bytes: f64) -> String {
    for (unit, size) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        let size = f64::from(size).exp2();
        if bytes.abs() >= size {
            return format!("{}{unit}", digits(bytes / size));
        }
    }
    format!("{}B", digits(bytes))
}

/// Four significant digits, no trailing zeros, never an exponent.
fn digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // Not the logarithm of the system: the same digits everywhere.
    let magnitude = libm::log10(value.abs()).floor();
    let decimals = (3.0 - magnitude).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{duration_ns, quantity};
    use crate::units::amount::{NANO, Quantity};
    use crate::units::literal::parse;
    use crate::units::{Dim, Per};

    #[test]
    fn written_quantities_keep_every_digit() {
        let shown = |dim, nano| quantity(Quantity::exact(dim, nano));
        assert_eq!(shown(Dim::Ratio, 999_500_000), "99.95%");
        assert_eq!(shown(Dim::Ratio, 1_000_000), "0.1%");
        assert_eq!(shown(Dim::Change, 200_000_000), "+20%");
        assert_eq!(shown(Dim::Duration, 200_000_000), "200ms");
        assert_eq!(shown(Dim::Duration, 5_400 * NANO), "1h 30m");
        assert_eq!(shown(Dim::Bytes, 512 * 1024 * 1024 * NANO), "512MiB");
        assert_eq!(shown(Dim::Bytes, 2_000_000_000 * NANO), "2GB");
        assert_eq!(shown(Dim::Cores, NANO / 2), "0.5 cores");
        assert_eq!(shown(Dim::Rate(Per::Count), 3_500 * NANO), "3500/s");
        assert_eq!(shown(Dim::Count, 7 * NANO), "7");
    }

    #[test]
    fn rates_are_shown_by_the_time_by_which_they_were_written() {
        for (digits, unit) in [
            ("64", "MiB/h"),
            ("32", "MiB/h"),
            ("1", "/m"),
            ("7", "/h"),
            ("1", "GB/d"),
            ("10.5", "/s"),
            ("250", "kB/s"),
        ] {
            let written = parse(digits, Some(unit)).unwrap().quantity;
            assert_eq!(quantity(written), format!("{digits}{unit}"));
        }
        // The same, by a shorter time.
        assert_eq!(quantity(parse("120", Some("/m")).unwrap().quantity), "2/s");
        let shown = |per, nano| quantity(Quantity::exact(Dim::Rate(per), nano));
        assert_eq!(shown(Per::Bytes, -18_641_351_111_111), "-64MiB/h");
        assert_eq!(shown(Per::Count, 1_234_567_891), "1.234567891/s");
        let most = shown(Per::Count, i128::MAX);
        assert!(most.ends_with("/s"), "{most}");
    }

    #[test]
    fn measured_quantities_are_short() {
        let shown = |dim, value| quantity(Quantity::measured(dim, value));
        assert_eq!(shown(Dim::Ratio, 0.123_456), "12.35%");
        assert_eq!(shown(Dim::Ratio, 0.0), "0%");
        assert_eq!(shown(Dim::Duration, 0.123_44), "123.4ms");
        assert_eq!(shown(Dim::Duration, 7_200.0), "2h");
        assert_eq!(shown(Dim::Bytes, 1_572_864.0), "1.5MiB");
        assert_eq!(shown(Dim::Count, 11_552.0), "11552");
        assert_eq!(shown(Dim::Ratio, f64::NAN), "NaN");
    }

    #[test]
    fn spans_of_time() {
        assert_eq!(duration_ns(0), "0s");
        assert_eq!(duration_ns(90_000_000_000), "1m 30s");
        assert_eq!(duration_ns(-1_000_000_000), "-1s");
    }
}
