//! `--set NAME=VALUE`, read by the type of the input.

use crate::plan::{Input, LocId};
use crate::resolve::near;
use crate::units::literal::{self, Difference, LiteralError};
use crate::values::fields::Fields;
use crate::values::{Instant, Value, version};
use indexmap::IndexMap;

/// What is wrong with the inputs of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Lower-case, no full stop.
    pub message: String,
    /// The next action.
    pub help: Option<String>,
    /// Of the input's declaration.
    pub loc: Option<LocId>,
}

/// All inputs of the plan with their values, in the order of the plan; or everything that is wrong.
pub fn read(inputs: &[Input], given: &[String]) -> Result<Fields, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let mut set: IndexMap<&str, Value> = IndexMap::new();
    for text in given {
        match assignment(inputs, text) {
            Ok((input, _)) if set.contains_key(input.name.as_str()) => {
                let message = format!("`{}` is set twice", input.name);
                wrong.push(about(input, message, None));
            }
            Ok((input, value)) => {
                set.insert(&input.name, value);
            }
            Err(why) => wrong.push(why),
        }
    }
    for input in inputs {
        let value = set.get(input.name.as_str()).or(input.default.as_ref());
        wrong.extend(value.and_then(|value| too_long(input, value)));
    }
    let tried = |input: &Input| wrong.iter().any(|why| why.loc == Some(input.loc));
    let mut all = Fields::new();
    let mut missing = Vec::new();
    for input in inputs {
        match set.get(input.name.as_str()).or(input.default.as_ref()) {
            Some(value) => {
                all.insert(input.name.clone(), value.clone());
            }
            None if tried(input) => {}
            None => missing.push(not_set(input)),
        }
    }
    wrong.extend(missing);
    if wrong.is_empty() {
        Ok(all)
    } else {
        Err(wrong)
    }
}

fn assignment<'a>(inputs: &'a [Input], text: &str) -> Result<(&'a Input, Value), Wrong> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Wrong {
            message: format!("`{text}` does not say which value an input has"),
            help: Some("write `--set NAME=VALUE`".to_owned()),
            loc: None,
        });
    };
    let Some(input) = inputs.iter().find(|input| input.name == name.trim()) else {
        return Err(unknown(inputs, name.trim()));
    };
    match parse(&input.ty, value) {
        Ok(value) => Ok((input, value)),
        Err(help) => {
            let message = format!(
                "`{}` has the type {}, and `{value}` is none",
                input.name, input.ty
            );
            Err(about(input, message, Some(help)))
        }
    }
}

fn unknown(inputs: &[Input], name: &str) -> Wrong {
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let help = match (near::nearest(name, names.iter().copied()), names.as_slice()) {
        (Some(near), _) => format!("a name near to it is `{near}`"),
        (None, []) => "the plan has no inputs".to_owned(),
        (None, names) => format!("its inputs are `{}`", names.join("`, `")),
    };
    Wrong {
        message: format!("the plan has no input `{name}`"),
        help: Some(help),
        loc: None,
    }
}

fn not_set(input: &Input) -> Wrong {
    let help = format!("add `--set {}={}`", input.name, example(&input.ty));
    let message = format!(
        "the input `{}` ({}) is not set, and has no default",
        input.name, input.ty
    );
    about(input, message, Some(help))
}

/// The plan was checked and timed for so many elements.
fn too_long(input: &Input, value: &Value) -> Option<Wrong> {
    let (Some(most), Value::List(items)) = (input.most, value) else {
        return None;
    };
    (items.len() > most as usize).then(|| {
        let message = format!(
            "`{}` has {} elements, and the plan goes through {most} at most",
            input.name,
            items.len()
        );
        let help = "give it fewer, or raise `up to` in the plan".to_owned();
        about(input, message, Some(help))
    })
}

fn about(input: &Input, message: String, help: Option<String>) -> Wrong {
    Wrong {
        message,
        help,
        loc: Some(input.loc),
    }
}

/// # Errors
/// What would be right.
fn parse(ty: &str, text: &str) -> Result<Value, String> {
    let right = || format!("write it like `{}`", example(ty));
    let trimmed = text.trim();
    if let Some(of) = argument(ty, "list") {
        return list(of, trimmed);
    }
    match ty {
        "string" => Ok(Value::String(text.to_owned())),
        "bool" => trimmed.parse().map(Value::Bool).map_err(|_| right()),
        "version" => version::parse(trimmed)
            .map(Value::version)
            .ok_or_else(right),
        "instant" => instant(trimmed).map(Value::Instant).ok_or_else(right),
        "url" => match reqwest::Url::parse(trimmed) {
            Ok(url) if url.has_host() => Ok(Value::String(trimmed.to_owned())),
            _ => Err(right()),
        },
        _ => quantity(ty, trimmed),
    }
}

/// Separated by commas; or as JSON, where an item holds a comma itself.
fn list(of: &str, text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(Value::List(Vec::new()));
    }
    let items: Vec<String> = if text.starts_with('[') {
        let items: Vec<serde_json::Value> =
            serde_json::from_str(text).map_err(|why| why.to_string())?;
        let plain = |item: serde_json::Value| match item {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        items.into_iter().map(plain).collect()
    } else {
        text.split(',').map(|item| item.trim().to_owned()).collect()
    };
    let values: Result<Vec<Value>, String> = items
        .iter()
        .map(|item| parse(of, item).map_err(|help| format!("`{item}` is no {of}: {help}")))
        .collect();
    values.map(Value::List)
}

fn quantity(ty: &str, text: &str) -> Result<Value, String> {
    let right = format!("write it like `{}`", example(ty));
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '_' | '+'));
    let (digits, unit) = text
        .split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or((text, ""));
    let unit = Some(unit.trim()).filter(|unit| !unit.is_empty());
    match literal::parse(digits, unit) {
        Ok(literal)
            if literal.difference == Difference::No && literal.quantity.dim.to_string() == ty =>
        {
            Ok(Value::Quantity(literal.quantity))
        }
        Ok(_) => Err(right),
        Err(LiteralError::UnknownUnit { meant }) => match (unit, meant.first()) {
            (Some(unit), Some(meant)) => Err(format!("there is no unit `{unit}`, but `{meant}`")),
            _ => Err(right),
        },
        Err(LiteralError::TooFine) => Err("it is finer than can be kept exactly".to_owned()),
        Err(LiteralError::TooLarge) => Err("it is too large".to_owned()),
        Err(LiteralError::Signed | LiteralError::Malformed) => Err(right),
    }
}

/// With its zone; a run does not guess one.
fn instant(text: &str) -> Option<Instant> {
    let at: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(at.as_nanosecond()).ok().map(Instant)
}

/// `list<string>`, `list` → `string`
fn argument<'a>(ty: &'a str, of: &str) -> Option<&'a str> {
    ty.strip_prefix(of)?.strip_prefix('<')?.strip_suffix('>')
}

fn example(ty: &str) -> String {
    if let Some(of) = argument(ty, "list") {
        return format!("{0},{0}", example(of));
    }
    let example = match ty {
        "bool" => "true",
        "count" => "3",
        "version" => "v1.20.3",
        "instant" => "2026-01-21T06:00Z",
        "url" => "https://example.com",
        "duration" => "30s",
        "ratio" => "0.5%",
        "bytes" => "512MiB",
        "cores" => "0.5cores",
        "rate<count>" => "100/s",
        "rate<bytes>" => "10MB/s",
        "rate<ratio>" => "1%/s",
        "rate<duration>" => "5ms/s",
        "rate<cores>" => "0.1cores/s",
        _ => "text",
    };
    example.to_owned()
}

#[cfg(test)]
mod tests {
    use crate::effects::inputs::{Wrong, example, parse, read};
    use crate::plan::{Input, LocId, Placement};
    use crate::values::fields::Name;
    use crate::values::{Value, show};

    fn input(name: &str, ty: &str, default: Option<Value>) -> Input {
        Input {
            name: name.to_owned(),
            ty: ty.to_owned(),
            default,
            most: None,
            place: Placement::Fixed,
            loc: LocId(name.len() as u32),
        }
    }

    fn inputs() -> Vec<Input> {
        vec![
            input("version", "version", None),
            input("ha", "bool", Some(Value::Bool(false))),
            input("hosts", "list<string>", Some(Value::List(Vec::new()))),
        ]
    }

    fn set(given: &[&str]) -> Result<Vec<String>, Vec<String>> {
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        let shown = |(name, value): (Name, Value)| format!("{name} = {}", show::value(&value));
        let said = |wrong: Wrong| match wrong.help {
            Some(help) => format!("{}; {help}", wrong.message),
            None => wrong.message,
        };
        match read(&inputs(), &given) {
            Ok(values) => Ok(values.into_iter().map(shown).collect()),
            Err(wrong) => Err(wrong.into_iter().map(said).collect()),
        }
    }

    #[test]
    fn what_is_set_counts_and_defaults_fill_the_rest() {
        let values = set(&["hosts=a.example, b.example", "version=v1.20.3"]).unwrap();
        assert_eq!(values[0], "version = v1.20.3");
        assert_eq!(values[1], "ha = false");
        assert!(
            values[2].contains("a.example") && values[2].contains("b.example"),
            "{values:?}"
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let wrong = set(&["verison=v1", "ha=yes", "hosts", "zzz=1"]).unwrap_err();
        assert_eq!(
            wrong,
            [
                "the plan has no input `verison`; a name near to it is `version`",
                "`ha` has the type bool, and `yes` is none; write it like `true`",
                "`hosts` does not say which value an input has; write `--set NAME=VALUE`",
                "the plan has no input `zzz`; its inputs are `version`, `ha`, `hosts`",
                "the input `version` (version) is not set, and has no default; add `--set version=v1.20.3`",
            ]
        );
    }

    #[test]
    fn a_value_that_cannot_be_read_is_not_called_missing_too() {
        let wrong = set(&["version=latest"]).unwrap_err();
        assert_eq!(
            wrong,
            ["`version` has the type version, and `latest` is none; write it like `v1.20.3`"]
        );
    }

    #[test]
    fn a_second_value_is_no_correction_of_the_first() {
        let wrong = set(&["version=v1", "version=v2"]).unwrap_err();
        assert_eq!(wrong, ["`version` is set twice"]);
    }

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert!(matches!(parse("string", "a=b"), Ok(Value::String(text)) if text == "a=b"));
        let values = set(&["version=v1", "hosts=k=v"]).unwrap();
        assert!(values[2].contains("k=v"), "{values:?}");
    }

    #[test]
    fn the_example_of_each_type_is_of_that_type() {
        let types = [
            "bool",
            "count",
            "string",
            "version",
            "instant",
            "url",
            "duration",
            "ratio",
            "bytes",
            "cores",
            "rate<count>",
            "rate<bytes>",
            "rate<ratio>",
            "rate<duration>",
            "rate<cores>",
            "list<string>",
            "list<duration>",
            "list<url>",
        ];
        for ty in types {
            parse(ty, &example(ty)).unwrap_or_else(|why| panic!("{ty}: {why}"));
        }
    }

    #[test]
    fn what_is_no_value_of_its_type_is_refused() {
        let cases = [
            ("count", "-1"),
            ("count", "3s"),
            ("duration", "5"),
            ("duration", "5 parsecs"),
            ("ratio", "0.5"),
            ("ratio", "2pp"),
            ("bytes", "512M"),
            ("instant", "2026-01-21T06:00"),
            ("instant", "tomorrow"),
            ("url", "example.com"),
            ("bool", "1"),
            ("list<count>", "1,x"),
            ("list<count>", "[1,"),
            ("map<string>", "a"),
            ("secret<string>", "a"),
        ];
        for (ty, text) in cases {
            assert!(parse(ty, text).is_err(), "{ty}: {text}");
        }
    }

    #[test]
    fn a_unit_that_does_not_exist_comes_with_the_one_that_does() {
        assert_eq!(
            parse("bytes", "512Mi").unwrap_err(),
            "there is no unit `Mi`, but `MiB`"
        );
    }

    #[test]
    fn lists_are_separated_by_commas_or_are_json() {
        let count = |ty, text| match parse(ty, text) {
            Ok(Value::List(items)) => items.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(count("list<string>", ""), 0);
        assert_eq!(count("list<string>", "a, b ,c"), 3);
        assert_eq!(count("list<string>", r#"["a,b", "c"]"#), 2);
        assert_eq!(count("list<duration>", "5s,10m"), 2);
        assert_eq!(count("list<count>", "[1, 2]"), 2);
    }
}
