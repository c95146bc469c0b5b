//! Units as they are written, and what a number with a unit is worth: exact decimal arithmetic, no floats.
//!
//! `m` is a minute and nothing else: a thousandth of a core is `1 millicores`, and mebibytes are `MiB`.
//! A bare number is a count. Rates may be written for each minute or hour; since a plan counts in seconds, those
//! are rounded to a billionth of the base unit, and nothing else ever is.

use crate::units::Dim;
use crate::units::amount::{NANO, Quantity};

/// One of it is `numerator / denominator` base units of its dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    pub dim: Dim,
    pub difference: Difference,
    pub numerator: i64,
    pub denominator: i64,
}

/// Whether a ratio is a share or the distance between two shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// `2%`
    No,
    /// `2pp`
    Points,
}

/// What a literal is worth.
#[derive(Clone, Copy, Debug)]
pub struct Literal {
    pub quantity: Quantity,
    pub difference: Difference,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiteralError {
    /// With the units that may have been meant, the likeliest first; often none.
    UnknownUnit {
        meant: Vec<&'static str>,
    },
    /// Finer than a billionth of the base unit.
    TooFine,
    /// Does not fit.
    TooLarge,
    /// `+5s`: only a change carries a sign.
    Signed,
    Malformed,
}

/// Each unit that is not a rate, in the order in which the reference lists them.
pub const PLAIN: &[(&str, Dim, i64, i64)] = &[
    ("ns", Dim::Duration, 1, 1_000_000_000),
    ("us", Dim::Duration, 1, 1_000_000),
    ("ms", Dim::Duration, 1, 1_000),
    ("s", Dim::Duration, 1, 1),
    ("m", Dim::Duration, 60, 1),
    ("h", Dim::Duration, 3_600, 1),
    ("d", Dim::Duration, 86_400, 1),
    ("w", Dim::Duration, 604_800, 1),
    ("%", Dim::Ratio, 1, 100),
    ("B", Dim::Bytes, 1, 1),
    ("kB", Dim::Bytes, 1_000, 1),
    ("MB", Dim::Bytes, 1_000_000, 1),
    ("GB", Dim::Bytes, 1_000_000_000, 1),
    ("TB", Dim::Bytes, 1_000_000_000_000, 1),
    ("KiB", Dim::Bytes, 1 << 10, 1),
    ("MiB", Dim::Bytes, 1 << 20, 1),
    ("GiB", Dim::Bytes, 1 << 30, 1),
    ("TiB", Dim::Bytes, 1 << 40, 1),
    ("cores", Dim::Cores, 1, 1),
    ("core", Dim::Cores, 1, 1),
    ("millicores", Dim::Cores, 1, 1_000),
];

/// What people write, and what they may mean by it.
const MEANT: &[(&str, &[&str])] = &[
    ("K", &["kB", "KiB"]),
    ("k", &["kB", "KiB"]),
    ("KB", &["kB", "KiB"]),
    ("kb", &["kB", "KiB"]),
    ("Ki", &["KiB"]),
    ("M", &["MB", "MiB"]),
    ("mb", &["MB", "MiB"]),
    ("Mb", &["MB", "MiB"]),
    ("Mi", &["MiB"]),
    ("G", &["GB", "GiB"]),
    ("gb", &["GB", "GiB"]),
    ("Gb", &["GB", "GiB"]),
    ("Gi", &["GiB"]),
    ("T", &["TB", "TiB"]),
    ("tb", &["TB", "TiB"]),
    ("Ti", &["TiB"]),
    ("b", &["B"]),
    ("byte", &["B"]),
    ("bytes", &["B"]),
    ("nsec", &["ns"]),
    ("usec", &["us"]),
    ("µs", &["us"]),
    ("μs", &["us"]),
    ("msec", &["ms"]),
    ("millis", &["ms"]),
    ("S", &["s"]),
    ("sec", &["s"]),
    ("secs", &["s"]),
    ("second", &["s"]),
    ("seconds", &["s"]),
    ("min", &["m"]),
    ("mins", &["m"]),
    ("minute", &["m"]),
    ("minutes", &["m"]),
    ("H", &["h"]),
    ("hr", &["h"]),
    ("hrs", &["h"]),
    ("hour", &["h"]),
    ("hours", &["h"]),
    ("D", &["d"]),
    ("day", &["d"]),
    ("days", &["d"]),
    ("week", &["w"]),
    ("weeks", &["w"]),
    ("percent", &["%"]),
    ("pct", &["%"]),
    ("PP", &["pp"]),
    ("cpu", &["cores"]),
    ("cpus", &["cores"]),
    ("Core", &["cores"]),
    ("Cores", &["cores"]),
    ("mcores", &["millicores"]),
    ("millicore", &["millicores"]),
    ("mcpu", &["millicores"]),
    ("rps", &["/s"]),
    ("qps", &["/s"]),
    ("req/s", &["/s"]),
    ("requests/s", &["/s"]),
    ("count/s", &["/s"]),
    ("ops/s", &["/s"]),
    ("rpm", &["/m"]),
];

/// `ms`, `%`, `pp`, `MiB/h`, `1/s`, `/s`, `1`.
pub fn unit(name: &str) -> Option<Unit> {
    match name {
        "1" => Some(plain(Dim::Count, 1, 1)),
        "pp" => Some(Unit {
            difference: Difference::Points,
            ..plain(Dim::Ratio, 1, 100)
        }),
        _ => match name.split_once('/') {
            Some((what, each)) => rate(what.trim(), each.trim()),
            None => PLAIN
                .iter()
                .find(|known| known.0 == name)
                .map(|&(_, dim, numerator, denominator)| plain(dim, numerator, denominator)),
        },
    }
}

/// Units that somebody may have meant who wrote `name`.
pub fn meant(name: &str) -> Vec<&'static str> {
    let known = MEANT.iter().find(|(wrong, _)| *wrong == name);
    known.map(|(_, right)| right.to_vec()).unwrap_or_default()
}

/// `digits` as the grammar has them (`99.9`, `1_000`, `+20`), `unit` as it was written.
///
/// # Errors
/// When the unit is unknown, or the number cannot be kept exactly.
pub fn parse(digits: &str, unit_name: Option<&str>) -> Result<Literal, LiteralError> {
    let (signed, digits) = match digits.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    let mut unit = match unit_name {
        None => plain(Dim::Count, 1, 1),
        Some(name) => unit(name).ok_or_else(|| LiteralError::UnknownUnit { meant: meant(name) })?,
    };
    if signed {
        unit = change(unit)?;
    }
    let nano = nanos(digits, unit)?;
    Ok(Literal {
        quantity: Quantity::exact(unit.dim, nano),
        difference: unit.difference,
    })
}

/// `+20%` is a change; no other unit takes a sign.
fn change(unit: Unit) -> Result<Unit, LiteralError> {
    match (unit.dim, unit.difference) {
        (Dim::Ratio, Difference::No) => Ok(Unit {
            dim: Dim::Change,
            ..unit
        }),
        _ => Err(LiteralError::Signed),
    }
}

fn plain(dim: Dim, numerator: i64, denominator: i64) -> Unit {
    Unit {
        dim,
        difference: Difference::No,
        numerator,
        denominator,
    }
}

fn rate(what: &str, each: &str) -> Option<Unit> {
    let what = match what {
        "" | "1" => plain(Dim::Count, 1, 1),
        _ => unit(what).filter(|unit| unit.difference == Difference::No)?,
    };
    let each = match each {
        "s" | "m" | "h" | "d" => unit(each)?,
        _ => return None,
    };
    Some(Unit {
        dim: what.dim.per_second()?,
        difference: Difference::No,
        numerator: what.numerator,
        denominator: what.denominator.checked_mul(each.numerator)?,
    })
}

/// `mantissa / 10^decimals` of a unit, in billionths of the base unit.
fn nanos(digits: &str, unit: Unit) -> Result<i128, LiteralError> {
    let (mantissa, decimals) = decimal(digits)?;
    let numerator = mantissa
        .checked_mul(i128::from(unit.numerator))
        .and_then(|product| product.checked_mul(NANO))
        .ok_or(LiteralError::TooLarge)?;
    let denominator = 10i128
        .checked_pow(decimals)
        .and_then(|power| power.checked_mul(i128::from(unit.denominator)))
        .ok_or(LiteralError::TooFine)?;
    if numerator % denominator == 0 {
        return Ok(numerator / denominator);
    }
    match unit.dim {
        Dim::Rate(_) => Ok(rounded(numerator, denominator)),
        _ => Err(LiteralError::TooFine),
    }
}

/// To the nearest; halves away from zero. Both are positive here.
fn rounded(numerator: i128, denominator: i128) -> i128 {
    let quotient = numerator / denominator;
    if (numerator % denominator) >= denominator - (numerator % denominator) {
        quotient + 1
    } else {
        quotient
    }
}

/// `99.95` → (9995, 2)
fn decimal(digits: &str) -> Result<(i128, u32), LiteralError> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let all: String = whole
        .chars()
        .chain(fraction.chars())
        .filter(|c| *c != '_')
        .collect();
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(LiteralError::Malformed);
    }
    let decimals = fraction.chars().filter(|c| *c != '_').count();
    let decimals = u32::try_from(decimals).map_err(|_| LiteralError::TooFine)?;
    let mantissa = all.parse().map_err(|_| LiteralError::TooLarge)?;
    Ok((mantissa, decimals))
}

#[cfg(test)]
mod tests {
    use crate::units::amount::{Amount, NANO, Nano};
    use crate::units::literal::{Difference, LiteralError, PLAIN, meant, parse, unit};
    use crate::units::{Dim, Per};
    use proptest::prelude::*;

    fn nano(digits: &str, unit: &str) -> (Dim, i128) {
        let literal = parse(digits, (!unit.is_empty()).then_some(unit)).unwrap();
        match literal.quantity.amount {
            Amount::Exact(Nano(nano)) => (literal.quantity.dim, nano),
            Amount::Measured(_) => panic!("a literal is exact"),
        }
    }

    #[test]
    fn each_unit_is_worth_what_it_says() {
        assert_eq!(nano("200", "ms"), (Dim::Duration, 200_000_000));
        assert_eq!(nano("1.5", "h"), (Dim::Duration, 5_400 * NANO));
        assert_eq!(nano("2", "w"), (Dim::Duration, 1_209_600 * NANO));
        assert_eq!(nano("99.95", "%"), (Dim::Ratio, 999_500_000));
        assert_eq!(nano("0.1", "%"), (Dim::Ratio, 1_000_000));
        assert_eq!(nano("512", "MiB"), (Dim::Bytes, (512 << 20) * NANO));
        assert_eq!(nano("2", "TB"), (Dim::Bytes, 2_000_000_000_000 * NANO));
        assert_eq!(nano("250", "millicores"), (Dim::Cores, NANO / 4));
        assert_eq!(nano("0.5", "cores"), (Dim::Cores, NANO / 2));
        assert_eq!(nano("1_000", ""), (Dim::Count, 1_000 * NANO));
        assert_eq!(nano("3500", "/s"), (Dim::Rate(Per::Count), 3_500 * NANO));
        assert_eq!(nano("1", "MB/s"), (Dim::Rate(Per::Bytes), 1_000_000 * NANO));
        assert_eq!(nano("120", "/m"), (Dim::Rate(Per::Count), 2 * NANO));
    }

    #[test]
    fn a_rate_by_the_hour_is_rounded_and_nothing_else_is() {
        assert_eq!(
            nano("64", "MiB/h"),
            (Dim::Rate(Per::Bytes), 18_641_351_111_111)
        );
        assert_eq!(parse("0.5", Some("ns")).unwrap_err(), LiteralError::TooFine);
        assert_eq!(
            parse("0.00000000001", Some("%")).unwrap_err(),
            LiteralError::TooFine
        );
    }

    #[test]
    fn percent_points_and_change_are_three_things() {
        assert_eq!(nano("2", "%"), (Dim::Ratio, 20_000_000));
        assert_eq!(nano("+2", "%"), (Dim::Change, 20_000_000));
        let points = parse("2", Some("pp")).unwrap();
        assert_eq!(points.difference, Difference::Points);
        assert_eq!(parse("+2", Some("pp")).unwrap_err(), LiteralError::Signed);
        assert_eq!(parse("+2", Some("s")).unwrap_err(), LiteralError::Signed);
    }

    #[test]
    fn unknown_units_come_with_what_was_meant() {
        let error = parse("512", Some("M")).unwrap_err();
        let meant_units = vec!["MB", "MiB"];
        assert_eq!(error, LiteralError::UnknownUnit { meant: meant_units });
        let error = parse("5", Some("parsec")).unwrap_err();
        assert_eq!(error, LiteralError::UnknownUnit { meant: vec![] });
    }

    #[test]
    fn every_unit_that_may_be_meant_exists() {
        for (wrong, right) in super::MEANT {
            assert!(unit(wrong).is_none(), "{wrong} is a unit");
            assert!(right.iter().all(|name| unit(name).is_some()), "{wrong}");
            assert_eq!(&meant(wrong), right);
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let long = "9".repeat(40);
        assert_eq!(parse(&long, Some("s")).unwrap_err(), LiteralError::TooLarge);
        let fine = format!("0.{}1", "0".repeat(60));
        assert!(parse(&fine, Some("s")).is_err());
        assert_eq!(parse("", None).unwrap_err(), LiteralError::Malformed);
    }

    proptest! {
        #[test]
        fn whole_numbers_of_any_unit_are_the_number_times_the_unit(n in 0u32..1_000_000, at in 0..PLAIN.len()) {
            let (name, dim, numerator, denominator) = PLAIN[at];
            let expected = i128::from(n) * NANO * i128::from(numerator) / i128::from(denominator);
            prop_assert_eq!(nano(&n.to_string(), name), (dim, expected));
        }

        #[test]
        fn no_digits_make_it_panic(digits in "[+]?[0-9_]{0,45}[.]?[0-9_]{0,45}", unit in "[a-zA-Z%/1]{0,6}") {
            let _ = parse(&digits, Some(&unit));
        }
    }
}
