//! What the TextMate grammar makes of a text, as a theme sees it: the rule for the innermost scope decides.

use super::classes::{Class, Classes};
use super::texts::root;
use giallo::{HighlightOptions, Registry, ThemeVariant};

pub struct TextMate {
    registry: Registry,
}

/// The colours of `theme.json`, which gives one to each class.
const COLOURS: [(&str, Class); 5] = [
    ("#000000", Class::Plain),
    ("#000001", Class::Keyword),
    ("#000002", Class::String),
    ("#000003", Class::Number),
    ("#000004", Class::Comment),
];

impl TextMate {
    pub fn new() -> TextMate {
        let mut registry = Registry::default();
        let grammar = "editors/vscode/syntaxes/deploy.tmLanguage.json";
        registry
            .add_grammar_from_path(root().join(grammar))
            .unwrap();
        registry
            .add_theme_from_path(root().join("tests/editors/theme.json"))
            .unwrap();
        registry.link_grammars();
        TextMate { registry }
    }

    pub fn classes(&self, text: &str) -> Classes {
        let options = HighlightOptions::new("deploy", ThemeVariant::Single("classes"))
            .merge_whitespace(false)
            .merge_same_style_tokens(false);
        let highlighted = self.registry.highlight(text, &options).unwrap();
        let mut classes = vec![Class::Plain; text.len()];
        let mut start = 0;
        for (line, tokens) in text.split_inclusive('\n').zip(&highlighted.tokens) {
            let mut at = start;
            for token in tokens {
                let ThemeVariant::Single(style) = token.style else {
                    panic!("one theme was asked for");
                };
                let colour = style.foreground.as_hex();
                let (_, class) = COLOURS
                    .iter()
                    .find(|(hex, _)| colour.eq_ignore_ascii_case(hex))
                    .unwrap();
                let end = (at + token.text.len()).min(text.len());
                assert!(
                    text[at..].starts_with(token.text.trim_end_matches(['\r', '\n'])),
                    "out of step in {line}"
                );
                classes[at..end].fill(*class);
                at = end;
            }
            start += line.len();
        }
        classes
    }
}

#[test]
fn the_extension_names_files_that_are_there() {
    let folder = root().join("editors/vscode");
    let json = |file: &str| -> serde_json::Value {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    let contributes = &json("package.json")["contributes"];
    let language = &contributes["languages"][0];
    let grammar = &contributes["grammars"][0];
    let configuration = json(language["configuration"].as_str().unwrap());
    assert_eq!(configuration["comments"]["lineComment"], "//");
    for rule in ["increaseIndentPattern", "decreaseIndentPattern"] {
        assert!(
            configuration["indentationRules"][rule].is_string(),
            "{rule}"
        );
    }
    let syntax = json(grammar["path"].as_str().unwrap());
    assert_eq!(syntax["scopeName"], grammar["scopeName"]);
    assert_eq!(grammar["language"], language["id"]);
}
