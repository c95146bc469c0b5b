//! JSON from outside becomes a typed value here, or it has none.

use crate::engine::eval::{Evaluated, Trouble};
use crate::plan::expr::JsonType;
use crate::units::Dim;
use crate::units::amount::{NANO, Quantity};
use crate::values::{Value, Version};
use serde_json::Value as Json;

/// `x.json("$.status") as string`. The scale says what one raw unit is in base units.
pub fn narrow(value: &Value, path: Option<&str>, to: &JsonType, scale: (i64, i64)) -> Evaluated {
    let json = match value {
        Value::Json(json) => &**json,
        Value::Absent => return Ok(Value::Absent),
        _ => return Err(Trouble::Wrong("it is no JSON".to_owned())),
    };
    let found = match path {
        Some(path) => select(json, path)?,
        None => json.clone(),
    };
    typed(&found, to, scale)
}

/// What a path selects; with `[*]` in it, the list of all that fit.
fn select(json: &Json, path: &str) -> Result<Json, Trouble> {
    let parts = parts(path).ok_or_else(|| Trouble::Wrong(format!("`{path}` is no path")))?;
    let mut found = vec![json];
    for part in &parts {
        found = found
            .into_iter()
            .flat_map(|json| inside(json, part))
            .collect();
    }
    if parts.contains(&Part::Each) {
        return Ok(Json::Array(found.into_iter().cloned().collect()));
    }
    match found.first() {
        Some(json) => Ok((*json).clone()),
        None => Err(Trouble::NoData(format!("there is nothing at `{path}`"))),
    }
}

#[derive(Debug, PartialEq)]
enum Part {
    Name(String),
    Index(usize),
    Each,
}

fn inside<'j>(json: &'j Json, part: &Part) -> Vec<&'j Json> {
    match part {
        Part::Name(name) => json.get(name.as_str()).into_iter().collect(),
        Part::Index(index) => json.get(*index).into_iter().collect(),
        Part::Each => match json {
            Json::Array(items) => items.iter().collect(),
            Json::Object(fields) => fields.values().collect(),
            _ => Vec::new(),
        },
    }
}

/// `$`, then `.name`, `["name"]`, `[3]`, `[*]`.
fn parts(path: &str) -> Option<Vec<Part>> {
    let mut rest = path.strip_prefix('$')?;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, more) = after.split_at_checked(end)?;
            parts.push(match name {
                "" => return None,
                "*" => Part::Each,
                name => Part::Name(name.to_owned()),
            });
            rest = more;
        } else {
            let (inner, more) = rest.strip_prefix('[')?.split_once(']')?;
            parts.push(bracketed(inner)?);
            rest = more;
        }
    }
    Some(parts)
}

fn bracketed(inner: &str) -> Option<Part> {
    if inner == "*" {
        return Some(Part::Each);
    }
    for quote in ['"', '\''] {
        let name = inner
            .strip_prefix(quote)
            .and_then(|s| s.strip_suffix(quote));
        if let Some(name) = name {
            return Some(Part::Name(name.to_owned()));
        }
    }
    inner.parse().ok().map(Part::Index)
}

fn typed(json: &Json, to: &JsonType, scale: (i64, i64)) -> Evaluated {
    match (to, json) {
        (_, Json::Null) => Ok(Value::Absent),
        (JsonType::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (JsonType::String, Json::String(text)) => Ok(Value::String(text.clone())),
        (JsonType::Version, Json::String(text)) => version(text)
            .map(Value::version)
            .ok_or_else(|| Trouble::Wrong(format!("`{text}` is no version"))),
        (JsonType::Quantity(dim), Json::Number(number)) => Ok(scaled(*dim, number, scale)),
        (JsonType::List(of), Json::Array(items)) => {
            let items: Result<Vec<Value>, Trouble> =
                items.iter().map(|item| typed(item, of, scale)).collect();
            items.map(Value::List)
        }
        _ => Err(Trouble::Wrong(format!(
            "the answer has {} where {} is expected",
            kind(json),
            wanted(to)
        ))),
    }
}

/// Whole numbers stay exact.
fn scaled(dim: Dim, number: &serde_json::Number, (numerator, denominator): (i64, i64)) -> Value {
    let exact = number.as_i64().and_then(|raw| {
        let scaled = i128::from(raw)
            .checked_mul(i128::from(numerator))?
            .checked_mul(NANO)?;
        let by = i128::from(denominator);
        (by != 0 && scaled % by == 0).then(|| scaled / by)
    });
    match exact {
        Some(nano) => Value::Quantity(Quantity::exact(dim, nano)),
        None => {
            let raw = number.as_f64().unwrap_or(f64::NAN);
            Value::measured(dim, raw * numerator as f64 / denominator as f64)
        }
    }
}

/// `v1.20`, `2.3.1-rc.1`, `1.29+k3s1`: what stands behind a plus is a build, not part of the order.
fn version(text: &str) -> Option<Version> {
    let bare = text.strip_prefix('v').unwrap_or(text);
    let bare = bare.split_once('+').map_or(bare, |(version, _)| version);
    let (numbers, pre) = match bare.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre.to_owned())),
        None => (bare, None),
    };
    let numbers: Result<Vec<u64>, _> = numbers.split('.').map(str::parse).collect();
    Some(Version {
        numbers: numbers.ok()?,
        pre,
        text: text.to_owned(),
    })
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

fn wanted(to: &JsonType) -> &'static str {
    match to {
        JsonType::Bool => "a bool",
        JsonType::String => "a string",
        JsonType::Version => "a version",
        JsonType::Quantity(_) => "a number",
        JsonType::List(_) => "a list",
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::narrow::narrow;
    use crate::plan::expr::JsonType;
    use crate::units::Dim;
    use crate::units::amount::Quantity;
    use crate::values::{Value, show};
    use serde_json::json;

    fn read(json: serde_json::Value, path: &str, to: JsonType) -> String {
        match narrow(&Value::json(json), Some(path), &to, (1, 1)) {
            Ok(value) => show::value(&value),
            Err(trouble) => trouble.reason(),
        }
    }

    #[test]
    fn numbers_are_scaled_and_whole_ones_stay_exact_where_they_can() {
        let scaled = |json: serde_json::Value, scale| {
            let to = JsonType::Quantity(Dim::Count);
            let value = narrow(&Value::json(json), None, &to, scale).ok();
            format!("{value:?}")
        };
        let exact = |nano| {
            let value = Value::Quantity(Quantity::exact(Dim::Count, nano));
            format!("{:?}", Some(value))
        };
        let measured = |raw| format!("{:?}", Some(Value::measured(Dim::Count, raw)));
        assert_eq!(scaled(json!(1500), (1, 1000)), exact(1_500_000_000));
        assert_eq!(scaled(json!(3), (60, 1)), exact(180_000_000_000));
        assert_eq!(scaled(json!(1), (1, 3)), measured(1.0 / 3.0));
        assert_eq!(scaled(json!(2.5), (3, 2)), measured(3.75));
    }

    #[test]
    fn a_path_selects() {
        let body = json!({"status": "ok", "parts": [{"n": 1}, {"n": 2}], "odd name": true});
        let list = |of| JsonType::List(Box::new(of));
        assert_eq!(read(body.clone(), "$.status", JsonType::String), "\"ok\"");
        assert_eq!(
            read(body.clone(), "$[\"odd name\"]", JsonType::Bool),
            "true"
        );
        assert_eq!(
            read(body.clone(), "$.parts[1].n", JsonType::Quantity(Dim::Count)),
            "2"
        );
        assert_eq!(
            read(
                body.clone(),
                "$.parts[*].n",
                list(JsonType::Quantity(Dim::Count))
            ),
            "[1, 2]"
        );
        assert_eq!(
            read(
                json!({"a": {"n": 1}, "b": {"n": 2}}),
                "$[*].n",
                list(JsonType::Quantity(Dim::Count))
            ),
            "[1, 2]"
        );
        assert_eq!(
            read(body.clone(), "$.gone", JsonType::String),
            "there is nothing at `$.gone`"
        );
        assert_eq!(
            read(body, "$.status", JsonType::Bool),
            "the answer has a string where a bool is expected"
        );
    }

    #[test]
    fn what_is_null_or_absent_is_no_data() {
        let body = json!({"version": null});
        for to in [JsonType::Version, JsonType::Bool] {
            assert_eq!(
                read(body.clone(), "$.version", to),
                show::value(&Value::Absent)
            );
        }
        let absent = narrow(&Value::Absent, Some("$.version"), &JsonType::Bool, (1, 1));
        assert!(matches!(absent, Ok(Value::Absent)), "{absent:?}");
        let wrong = narrow(&Value::Bool(true), None, &JsonType::Bool, (1, 1));
        assert!(wrong.is_err(), "{wrong:?}");
    }

    #[test]
    fn a_version_is_read_from_its_text() {
        let of = |text: &str| read(json!(text), "$", JsonType::Version);
        assert_eq!(of("v1.29.2-rc.1+k3s1"), "v1.29.2-rc.1+k3s1");
        assert_eq!(of("newest"), "`newest` is no version");
    }
}
