//! A YAML or JSON text as a tree in which each value knows its line and column.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Options, Spanned};
use std::fmt;

/// Documents in one file; a folder of generated manifests has hundreds.
const DOCUMENTS_MAX: usize = 10_000;
const NODES_MAX: usize = 1_000_000;
const EVENTS_MAX: usize = 3_000_000;
/// Events that come out of anchors: what a bomb has most of.
const REPLAYED_MAX: usize = 100_000;

#[derive(Clone, Debug)]
pub struct Node {
    /// Both counted from 1.
    pub line: u32,
    pub column: u32,
    pub kind: NodeKind,
}

#[derive(Clone, Debug)]
pub enum NodeKind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Why a text is no YAML, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// The documents of a text; empty ones are left out.
///
/// Scalars are read as `kubectl` reads them (YAML 1.1): `0644` is octal, `yes` is true. A key that stands twice is an
/// error, and so is a text that unfolds without bounds.
pub fn documents(text: &str) -> Result<Vec<Node>, Malformed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_saphyr::from_multiple_with_options::<Node>(text, options()).map_err(|error| {
        let at = error.location();
        let place = |of: fn(&serde_saphyr::Location) -> u64| {
            let known = at.as_ref().map_or(1, of);
            u32::try_from(known.max(1)).unwrap_or(u32::MAX)
        };
        Malformed {
            line: place(serde_saphyr::Location::line),
            column: place(serde_saphyr::Location::column),
            message: first_line(&error.without_snippet().to_string()),
        }
    })
}

impl Node {
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            NodeKind::Map(entries) => entries
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// By a JSON pointer of names: `/metadata/name`.
    pub fn at(&self, pointer: &str) -> Option<&Node> {
        pointer
            .split('/')
            .skip(1)
            .try_fold(self, |node, name| node.get(name))
    }

    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::List(items) => items,
            _ => &[],
        }
    }

    pub fn entries(&self) -> &[(String, Node)] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn to_json(&self) -> Value {
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Bool(*value),
            NodeKind::Number(number) => Value::Number(number.clone()),
            NodeKind::Text(text) => Value::String(text.clone()),
            NodeKind::List(items) => items.iter().map(Node::to_json).collect(),
            NodeKind::Map(entries) => {
                let members = entries
                    .iter()
                    .map(|(name, node)| (name.clone(), node.to_json()));
                Value::Object(members.collect::<Map<String, Value>>())
            }
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: DOCUMENTS_MAX,
            max_nodes: NODES_MAX,
            max_events: EVENTS_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: REPLAYED_MAX,
        },
        legacy_octal_numbers: true,
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("").trim().to_owned()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        let spanned = Spanned::<NodeKind>::deserialize(deserializer)?;
        let clamp = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(Node {
            line: clamp(spanned.referenced.line()),
            column: clamp(spanned.referenced.column()),
            kind: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for NodeKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NodeKind, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = NodeKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<NodeKind, E> {
        Ok(NodeKind::Null)
    }

    fn visit_none<E>(self) -> Result<NodeKind, E> {
        Ok(NodeKind::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<NodeKind, D::Error> {
        NodeKind::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<NodeKind, E> {
        Ok(NodeKind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<NodeKind, E> {
        Ok(NodeKind::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<NodeKind, E> {
        Ok(NodeKind::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<NodeKind, E> {
        Ok(Number::from_f64(value).map_or(NodeKind::Null, NodeKind::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<NodeKind, E> {
        Ok(NodeKind::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<NodeKind, E> {
        Ok(NodeKind::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NodeKind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(NodeKind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<NodeKind, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(NodeKind::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use crate::providers::manifest::tree::documents;
    use serde_json::{Value, json};

    fn values(text: &str) -> Vec<Value> {
        documents(text)
            .unwrap()
            .iter()
            .map(|node| node.to_json())
            .collect()
    }

    #[test]
    fn scalars_are_read_as_kubectl_reads_them() {
        let text = "mode: 0644\non: yes\noff: off\ntext: \"0644\"\nsize: 1.5\nbig: 1_000\nnothing: ~\nport: 8080\n";
        let expected = json!({
            "mode": 420, "on": true, "off": false, "text": "0644", "size": 1.5,
            "big": values("1_000\n")[0], "nothing": null, "port": 8080,
        });
        assert_eq!(values(text)[0]["mode"], 420);
        assert_eq!(values(text)[0], expected);
    }

    #[test]
    fn every_value_knows_its_place() {
        let documents = documents("a: 1\n---\n# words\nb:\n  - c: x\n    d: \"y\"\n").unwrap();
        assert_eq!(documents.len(), 2);
        let item = &documents[1].get("b").unwrap().items()[0];
        let place = |key: &str| item.get(key).map(|node| (node.line, node.column));
        assert_eq!(place("c"), Some((5, 8)));
        assert_eq!(place("d"), Some((6, 8)));
    }

    #[test]
    fn anchors_and_merges_unfold_and_json_is_yaml() {
        let text = "base: &b {x: 1}\nmore:\n  <<: *b\n  y: 2\n";
        assert_eq!(values(text)[0]["more"], json!({"x": 1, "y": 2}));
        assert_eq!(values("{\"a\": [1, 2]}")[0], json!({"a": [1, 2]}));
        assert_eq!(
            values("\u{feff}a: 1\r\nb: 2\r\n")[0],
            json!({"a": 1, "b": 2})
        );
    }

    #[test]
    fn empty_documents_are_left_out() {
        assert_eq!(
            values("---\n---\n# nothing\n---\na: 1\n---\n"),
            [json!({"a": 1})]
        );
        assert!(values("").is_empty());
    }

    #[test]
    fn what_is_no_yaml_is_refused_at_its_place() {
        let twice = documents("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!((twice.line, twice.column), (3, 1));
        assert!(twice.message.contains("duplicate"), "{}", twice.message);
        let tab = documents("a:\n\tb: 1\n").unwrap_err();
        assert_eq!(tab.line, 2);
    }

    #[test]
    fn a_text_that_unfolds_without_bounds_is_refused() {
        let mut text = String::from("l0: &l0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let from = level - 1;
            text.push_str(&format!(
                "l{level}: &l{level} [*l{from}, *l{from}, *l{from}, *l{from}, *l{from}, *l{from}]\n"
            ));
        }
        assert!(documents(&text).is_err());
        assert!(documents(&"[".repeat(20_000)).is_err());
    }

    #[test]
    fn many_documents_in_one_file_are_read() {
        let text = "---\na: 1\n".repeat(4_000);
        assert_eq!(documents(&text).unwrap().len(), 4_000);
    }
}
