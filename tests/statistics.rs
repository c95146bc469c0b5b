//! The statistics against the figures of others: SciPy and statsmodels (`statistics/golden.py` made the table), and the
//! published cases of Kayenta.

use deployc::statistics::baseline::{
    Evidence, Kind, Margin, Outcome, Worse, difference_of, fewest_windows, outcome,
};
use deployc::statistics::proportions::{Proportion, difference, effect};
use deployc::statistics::shift::{Interval, shift};
use deployc::statistics::{holm, normal, ranks};

const GOLDEN: &str = include_str!("statistics/golden.tsv");
const KAYENTA: &str = include_str!("statistics/kayenta.tsv");

fn rows(table: &str) -> Vec<Vec<&str>> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect()).collect()
}

fn of_kind(kind: &str) -> Vec<Vec<&'static str>> {
    let of = rows(GOLDEN).into_iter().filter(|row| row[0] == kind);
    let found: Vec<_> = of.collect();
    assert!(found.len() > 4, "{} rows of {kind}", found.len());
    found
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap()
}

fn numbers(cell: &str) -> Vec<f64> {
    cell.split(' ').map(number).collect()
}

#[track_caller]
fn near(found: f64, wanted: f64, row: &[&str]) {
    let off = (found - wanted).abs();
    let close = off <= 1e-11 * wanted.abs() || off <= 1e-15;
    assert!(close, "{found} is not {wanted}: {row:?}");
}

#[test]
fn quantiles_of_the_normal_distribution_are_those_of_scipy() {
    for row in of_kind("normal") {
        near(normal::exceeded(number(row[1])), number(row[2]), &row);
    }
}

#[test]
fn the_rank_test_counts_what_scipy_counts_with_and_without_ties() {
    for kind in ["exact", "normal-test"] {
        for row in of_kind(kind) {
            let found = ranks::greater(&numbers(row[1]), &numbers(row[2]));
            near(found, number(row[3]), &row);
        }
    }
}

#[test]
fn estimate_and_bounds_are_what_the_exact_test_of_scipy_does_not_refuse() {
    for row in of_kind("shift") {
        let (first, second) = (numbers(row[1]), numbers(row[2]));
        let found = shift(&first, &second, |a, b| a - b, number(row[3])).unwrap();
        let bound = |cell: &str| (cell != "-").then(|| number(cell));
        near(found.estimate, number(row[4]), &row);
        for (found, wanted) in [(found.lower, row[5]), (found.upper, row[6])] {
            assert_eq!(found.is_some(), bound(wanted).is_some(), "{row:?}");
            near(found.unwrap_or(0.0), bound(wanted).unwrap_or(0.0), &row);
        }
    }
}

#[test]
fn two_proportions_are_as_far_apart_as_statsmodels_says() {
    for row in of_kind("newcombe") {
        let cells: Vec<f64> = row[1..].iter().map(|cell| number(cell)).collect();
        let of = |hits, of| Proportion { hits, of };
        let (first, second) = (of(cells[0], cells[1]), of(cells[2], cells[3]));
        let found = difference(first, second, 1.0, cells[4]).unwrap();
        near(found.lower.unwrap(), cells[5], &row);
        near(found.upper.unwrap(), cells[6], &row);
        near(effect(first, second).unwrap(), cells[7], &row);
    }
}

/// Kayenta's interval is two-sided; what it calls high or low is what breaks a margin, or 0 where it names none.
#[test]
fn what_kayenta_calls_high_or_low_breaks_the_comparison_and_nothing_else_does() {
    let mut classes = std::collections::BTreeMap::new();
    for row in rows(KAYENTA) {
        let [name, direction, class, by, confidence, experiment, control] = row[..] else {
            panic!("{row:?}");
        };
        let (measured, baseline) = (numbers(experiment), numbers(control));
        let evidence = Evidence::Windows {
            measured: &measured,
            baseline: &baseline,
        };
        let margin = Margin {
            worse: match direction {
                "Increase" => Worse::Higher,
                "Decrease" => Worse::Lower,
                _ => Worse::Either,
            },
            relative: number(by),
            absolute: 0.0,
        };
        let two_sided = 1.0 - number(confidence);
        let level = match margin.worse {
            Worse::Either => two_sided,
            Worse::Higher | Worse::Lower => two_sided / 2.0,
        };
        let broken = outcome(evidence, margin, level) == Outcome::Broken;
        assert_eq!(broken, class != "Pass", "{name}");
        if broken {
            let above = difference_of(evidence, margin, level).unwrap().effect;
            assert_eq!(above > Some(0.5), class == "High", "{name}");
        }
        *classes.entry(class).or_insert(0) += 1;
    }
    let fewest = classes.values().min().copied().unwrap();
    assert!(classes.len() == 3 && fewest >= 4, "{classes:?}");
}

/// MannWhitneySuite.scala: four tens above four ones.
#[test]
fn kayentas_interval_of_four_against_four() {
    let found = shift(
        &[10.0, 20.0, 30.0, 40.0],
        &[1.0, 2.0, 3.0, 4.0],
        |a, b| a - b,
        0.025,
    );
    let wanted = Interval {
        estimate: 22.5,
        lower: Some(6.0),
        upper: Some(39.0),
    };
    assert_eq!(found, Some(wanted));
}

fn margin(relative: f64, absolute: f64) -> Margin {
    Margin {
        worse: Worse::Higher,
        relative,
        absolute,
    }
}

fn windows(measured: &[f64], baseline: &[f64], margin: Margin, level: f64) -> Outcome {
    let evidence = Evidence::Windows { measured, baseline };
    outcome(evidence, margin, level)
}

#[test]
fn a_margin_is_kept_broken_or_not_known() {
    let stable = [80.0, 81.0, 79.0, 80.5, 79.5];
    let by = margin(0.1, 0.0);
    let same = [80.2, 80.9, 79.2, 80.4, 79.1];
    let worse = [96.0, 97.0, 95.0, 96.5, 95.5];
    let slightly = [84.0, 85.0, 83.0, 84.5, 83.5];
    let noisy = [60.0, 120.0, 80.0, 100.0, 70.0];
    assert_eq!(windows(&same, &stable, by, 0.05), Outcome::Holds);
    assert_eq!(windows(&worse, &stable, by, 0.05), Outcome::Broken);
    // Surely worse, but by less than is allowed.
    assert_eq!(windows(&slightly, &stable, by, 0.05), Outcome::Holds);
    assert_eq!(windows(&noisy, &stable, by, 0.05), Outcome::Open);
    // Two of each can show nothing, however far apart they are.
    assert_eq!(windows(&worse[..2], &stable[..2], by, 0.05), Outcome::Open);
    assert_eq!(windows(&same[..2], &stable[..2], by, 0.05), Outcome::Open);
    assert_eq!(windows(&[], &[], by, 0.05), Outcome::Open);
    // Higher is better: the same numbers the other way round.
    let higher = Margin {
        worse: Worse::Lower,
        ..by
    };
    assert_eq!(windows(&stable, &worse, higher, 0.05), Outcome::Broken);
    assert_eq!(windows(&worse, &stable, higher, 0.05), Outcome::Holds);
    let near = Margin {
        worse: Worse::Either,
        ..by
    };
    assert_eq!(windows(&stable, &worse, near, 0.05), Outcome::Broken);
    assert_eq!(windows(&worse, &stable, near, 0.05), Outcome::Broken);
    assert_eq!(windows(&slightly, &stable, near, 0.05), Outcome::Holds);
}

#[test]
fn a_baseline_of_zero_is_compared_without_a_division() {
    let zeros = [0.0; 10];
    let errors = [0.05, 0.05, 0.0, 0.05, 0.05, 0.0, 0.05, 0.05, 0.0, 0.05];
    for by in [margin(0.1, 0.0), margin(0.0, 0.005), margin(0.1, 0.005)] {
        assert_eq!(windows(&errors, &zeros, by, 0.05), Outcome::Broken);
    }
    // Nothing on both sides: within the slack, and without one no worse can be shown.
    assert_eq!(
        windows(&zeros, &zeros, margin(0.0, 0.005), 0.05),
        Outcome::Holds
    );
    assert_eq!(
        windows(&zeros, &zeros, margin(0.1, 0.0), 0.05),
        Outcome::Open
    );
    let evidence = Evidence::Windows {
        measured: &errors,
        baseline: &zeros,
    };
    let found = difference_of(evidence, margin(0.1, 0.0), 0.05).unwrap();
    assert_eq!(
        (found.kind, found.interval.estimate),
        (Kind::Absolute, 0.05)
    );
}

#[test]
fn counts_are_compared_by_request() {
    let of = |hits: f64, of: f64| Proportion { hits, of };
    let counts =
        |measured, baseline, margin| outcome(Evidence::Counts { measured, baseline }, margin, 0.05);
    let half_a_point = margin(0.0, 0.005);
    let good = of(6.0, 6_000.0);
    assert_eq!(
        counts(good, of(54.0, 54_000.0), half_a_point),
        Outcome::Holds
    );
    let bad = of(300.0, 6_000.0);
    assert_eq!(
        counts(bad, of(0.0, 54_000.0), half_a_point),
        Outcome::Broken
    );
    // Three requests say nothing good, whatever became of them.
    let none = of(0.0, 54_000.0);
    assert_eq!(counts(of(0.0, 3.0), none, half_a_point), Outcome::Open);
    assert_eq!(
        counts(of(1.0, 3.0), of(1.0, 9.0), half_a_point),
        Outcome::Open
    );
    assert_eq!(counts(of(0.0, 0.0), good, half_a_point), Outcome::Open);
    // A part of the baseline: 12% in place of 10% is a fifth more.
    let (twelve, ten) = (of(7_200.0, 60_000.0), of(60_000.0, 600_000.0));
    assert_eq!(counts(twelve, ten, margin(0.1, 0.0)), Outcome::Broken);
    assert_eq!(counts(twelve, ten, margin(0.3, 0.0)), Outcome::Holds);
}

#[test]
fn as_many_windows_are_needed_as_can_show_anything() {
    // 1 of 20 ways to deal three and three, 1 of 70 to deal four and four.
    assert_eq!(ranks::least(3), 0.05);
    assert_eq!(fewest_windows(0.05, 1), 3);
    assert_eq!(fewest_windows(0.05, 2), 4);
    assert_eq!(fewest_windows(0.05, 3), 4);
    assert_eq!(fewest_windows(0.05, 4), 5);
    assert_eq!(fewest_windows(0.01, 1), 5);
}

#[test]
fn tests_share_their_confidence_step_by_step() {
    let by = |chances: &[f64]| {
        holm::stepwise(chances.len(), 0.05, |test, level| chances[test] <= level)
            .iter()
            .map(Option::is_some)
            .collect::<Vec<_>>()
    };
    // Holm's thresholds are 0.0125, 0.0167, 0.025 and 0.05.
    assert_eq!(by(&[0.01, 0.04, 0.03, 0.005]), [true, false, false, true]);
    assert_eq!(by(&[0.01, 0.02, 0.016, 0.05]), [true; 4]);
    assert_eq!(by(&[0.013, 0.013, 0.013, 0.013]), [false; 4]);
    assert_eq!(by(&[]), [false; 0]);
}
