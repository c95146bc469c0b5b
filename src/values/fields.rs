//! Values with names: the fields of a record, the arguments of a call, the inputs of a run.
//!
//! They are few and most of their names are known to the program: a row of names beside values is smaller than a hash map,
//! quicker to make and as quick to look into, and a name that stands in the program is not copied.

use crate::values::Value;
use indexmap::IndexMap;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

pub type Name = Cow<'static, str>;

/// In the order in which they were given. Each name is there once: the last value that was given for it, at its first place.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(Name, Value)>);

/// Where more come at once (the labels of somebody's metric), their names are told apart by a hash map.
const FEW: usize = 32;

impl Fields {
    pub fn new() -> Fields {
        Fields::default()
    }

    /// Nearly always each name is there once already.
    fn told_apart(given: Vec<(Name, Value)>) -> Fields {
        if given.len() > FEW {
            let told_apart: IndexMap<Name, Value> = given.into_iter().collect();
            return Fields(told_apart.into_iter().collect());
        }
        if are_told_apart(&given) {
            return Fields(given);
        }
        let mut fields = Fields(Vec::with_capacity(given.len()));
        fields.extend(given);
        fields
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The name and the value at a place.
    pub fn get_index(&self, place: usize) -> Option<(&str, &Value)> {
        self.0.get(place).map(|(name, value)| (&**name, value))
    }

    pub fn insert(&mut self, name: impl Into<Name>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    /// Those that are not there yet.
    pub fn fill_in<'a>(&mut self, defaults: impl Iterator<Item = (&'a str, &'a Value)>) {
        for (name, default) in defaults {
            if !self.contains_key(name) {
                self.0.push((Cow::Owned(name.to_owned()), default.clone()));
            }
        }
    }

    /// The others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + Clone {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.iter().map(|(_, value)| value)
    }
}

fn are_told_apart(given: &[(Name, Value)]) -> bool {
    let mut placed = given.iter().enumerate();
    placed.all(|(place, (name, _))| {
        let mut before = given.iter().take(place);
        before.all(|(known, _)| known != name)
    })
}

impl<N: Into<Name>> FromIterator<(N, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(given: I) -> Fields {
        let given = given.into_iter().map(|(name, value)| (name.into(), value));
        Fields::told_apart(given.collect())
    }
}

/// Names that stand in the program differ from each other.
impl<const LEN: usize> From<[(&'static str, Value); LEN]> for Fields {
    fn from(given: [(&'static str, Value); LEN]) -> Fields {
        let given = given.into_iter();
        let fields = Fields(
            given
                .map(|(name, value)| (Cow::Borrowed(name), value))
                .collect(),
        );
        debug_assert!(are_told_apart(&fields.0));
        fields
    }
}

impl IntoIterator for Fields {
    type Item = (Name, Value);
    type IntoIter = std::vec::IntoIter<(Name, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<N: Into<Name>> Extend<(N, Value)> for Fields {
    fn extend<I: IntoIterator<Item = (N, Value)>>(&mut self, given: I) {
        for (name, value) in given {
            self.insert(name, value);
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(OfMap)
    }
}

struct OfMap;

impl<'de> Visitor<'de> for OfMap {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a map of values by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut given = Vec::new();
        while let Some(entry) = map.next_entry::<String, Value>()? {
            given.push(entry);
        }
        Ok(given.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::values::Value;
    use crate::values::fields::{FEW, Fields, Name};
    use proptest::prelude::{ProptestConfig, proptest};

    fn shown(fields: &Fields) -> String {
        serde_json::to_string(fields).unwrap()
    }

    #[test]
    fn the_last_value_for_a_name_stands_at_its_first_place() {
        let counts = |names: &[&str]| -> Vec<(String, Value)> {
            let numbered = (0..).zip(names);
            numbered
                .map(|(n, name)| ((*name).to_owned(), Value::count(n)))
                .collect()
        };
        let few: Fields = counts(&["a", "b", "a"]).into_iter().collect();
        let names: Vec<&str> = few.keys().collect();
        assert_eq!(names, ["a", "b"]);
        let of_a = few.get("a").and_then(Value::amount);
        assert_eq!(of_a.map(|amount| amount.as_f64()), Some(2.0));
    }

    #[test]
    fn removing_one_keeps_the_order_of_the_others() {
        let mut fields = Fields::from(["a", "b", "c"].map(|name| (name, Value::Bool(true))));
        assert!(fields.remove("a").is_some());
        assert!(fields.remove("a").is_none() && !fields.contains_key("a"));
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(fields.get_index(1).map(|(name, _)| name), Some("c"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However many there are, however they come.
        #[test]
        fn few_and_many_are_told_apart_alike(names in proptest::collection::vec("[a-e]{1,3}", 0..3 * FEW)) {
            let given = || (0..).zip(&names).map(|(n, name)| (name.clone(), Value::count(n)));
            let at_once: Fields = given().collect();
            let mut one_by_one = Fields::new();
            for (name, value) in given() {
                one_by_one.insert(Name::from(name), value);
            }
            assert_eq!(shown(&at_once), shown(&one_by_one));
            let read: Fields = serde_json::from_str(&shown(&at_once)).unwrap();
            assert_eq!(shown(&read), shown(&at_once));
        }
    }
}
