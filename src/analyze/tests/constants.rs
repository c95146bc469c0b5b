//! What is reckoned when the plan is compiled.

use crate::analyze::tests::{PLAN, planned};
use crate::plan::expr::{Expr, TemplatePart};
use crate::plan::walk;
use crate::units::Dim;
use crate::units::amount::{NANO, Quantity};
use crate::values::Value;

/// The value that a constant comes to where it is compared with the rate of errors.
fn reckoned(written: &str) -> Value {
    let plan = planned(&PLAN.replace("error_rate < 1%", &format!("error_rate < {written}")));
    let mut found = None;
    for expr in plan.nodes.iter().flat_map(walk::of_node) {
        walk::each(expr, &mut |part| {
            if let Expr::Compare(first, rest) = part
                && matches!(**first, Expr::Metric { .. })
                && let [(_, Expr::Literal(value))] = rest.as_slice()
            {
                found = Some(value.clone());
            }
        });
    }
    found.unwrap()
}

#[test]
fn constants_are_reckoned_exactly() {
    let percent = |n: i128| Value::Quantity(Quantity::exact(Dim::Ratio, n * NANO / 100));
    for (written, percents) in [
        ("3%", 3),
        ("1% + 2pp", 3),
        ("2pp + 1%", 3),
        ("7% - 1pp", 6),
        ("1% + (1pp + 2pp)", 4),
        ("2 * 3%", 6),
        ("6% / 2", 3),
        ("30ms / 1s", 3),
    ] {
        let (found, wanted) = (reckoned(written), percent(percents));
        assert_eq!(format!("{found:?}"), format!("{wanted:?}"), "{written}");
    }
}

/// What a message says of a constant; `?` where a run would have to reckon it.
fn said(written: &str) -> String {
    let plan = planned(&format!(
        "{PLAN}\nprovider room = slack {{ webhook: secret(env \"ROOM\") }}\n\
         on success notify room \"= ${{{written}}}\"\n"
    ));
    let parts = plan.handlers[0].notice.text.parts.iter();
    let parts = parts.map(|part| match part {
        TemplatePart::Text(text) => text.as_str(),
        TemplatePart::Expr(_) => "?",
    });
    parts.collect::<String>().replacen("= ", "", 1)
}

#[test]
fn what_nobody_has_to_measure_is_put_in_as_it_is() {
    for (written, shown) in [
        ("true and false", "false"),
        ("true and true", "true"),
        ("false or true", "true"),
        ("false or false", "false"),
        ("not true", "false"),
        ("true == true", "true"),
        ("true != true", "false"),
        ("\"a\" == \"b\"", "false"),
        ("\"a\" == \"a\"", "true"),
        ("\"\" == \"\"", "true"),
        ("\"\"", ""),
        ("v1.2 < v1.10", "true"),
        ("v1.2 == v1.10", "false"),
        ("2026-01-21T06:00Z < 2026-01-21T07:00Z", "true"),
        ("2026-01-21T06:00Z == 2026-01-21T07:00Z", "false"),
        ("2026-01-21T06:00Z + 1h", "2026-01-21 07:00:00Z"),
        ("1h + 2026-01-21T06:00Z", "2026-01-21 07:00:00Z"),
        ("2026-01-21T06:00Z - 1h", "2026-01-21 05:00:00Z"),
        ("2026-01-21T06:00Z - 2026-01-21T05:00Z", "1h"),
        ("-5ms", "-5ms"),
        ("-3", "-3"),
        ("-(3)", "-3"),
        ("-(2%)", "-2%"),
        ("-(-3)", "3"),
        ("3 - 5", "-2"),
        ("10ms * 2", "20ms"),
        ("20MB * 50%", "10MB"),
        ("50% * 20MB", "10MB"),
        ("1h * 3/s", "10800"),
        ("7 / 2", "350%"),
        ("1s / 0", "?"),
    ] {
        assert_eq!(said(written), shown, "{written}");
    }
}

#[test]
fn each_comparison_of_constants_has_its_answer() {
    for (op, less, same, more) in [
        ("==", "false", "true", "false"),
        ("!=", "true", "false", "true"),
        ("<", "true", "false", "false"),
        ("<=", "true", "true", "false"),
        (">", "false", "false", "true"),
        (">=", "false", "true", "true"),
    ] {
        assert_eq!(said(&format!("1 {op} 2")), less, "1 {op} 2");
        assert_eq!(said(&format!("2 {op} 2")), same, "2 {op} 2");
        assert_eq!(said(&format!("3 {op} 2")), more, "3 {op} 2");
    }
    assert_eq!(said("1 < 2 < 3"), "true");
    assert_eq!(said("1 < 3 < 2"), "false");
}
