//! Images that may be others tomorrow: without a tag, or `latest`.
//!
//! What is deployed must be what was tested, and what an undo brings back must be what was there.

use crate::analyze::order::check::name;
use crate::analyze::order::objects::{applied, argument};
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::timing::MOVING_IMAGE;
use crate::plan::Plan;
use crate::plan::expr::{CallExpr, Expr, TemplatePart};
use crate::plan::node::{Node, NodeKind};
use crate::providers::manifest::images::is_moving;
use crate::values::Value;

pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &plan.nodes {
        let NodeKind::Step(step) = &node.kind else {
            continue;
        };
        let kind = plan
            .provider(&step.call.provider)
            .map(|provider| &*provider.kind);
        if kind != Some("kubernetes") {
            continue;
        }
        for (image, place) in images(plan, &step.call) {
            if is_moving(&image) {
                found.push(moving(places, node, &image, place));
            }
        }
    }
    found
}

/// Each image that a call puts into the cluster, and where it stands if that is a manifest.
fn images(plan: &Plan, call: &CallExpr) -> Vec<(String, Option<String>)> {
    match &*call.function {
        "image" => argument(call, "image")
            .and_then(text)
            .map(|image| (image, None))
            .into_iter()
            .collect(),
        "apply" => {
            let given = given(call);
            let mut found: Vec<(String, Option<String>)> = given
                .iter()
                .filter_map(|(_, image)| Some((image.clone()?, None)))
                .collect();
            for object in applied(plan, call) {
                let own = object
                    .containers
                    .into_iter()
                    .filter(|container| !given.iter().any(|(name, _)| *name == container.name));
                found.extend(own.filter_map(|container| {
                    let place = format!("{}:{}", container.place.file, container.place.line);
                    Some((container.image?, Some(place)))
                }));
            }
            found
        }
        _ => Vec::new(),
    }
}

/// Images by the name of the container; `None` where the image is known only in a run.
fn given(call: &CallExpr) -> Vec<(String, Option<String>)> {
    match argument(call, "images") {
        Some(Expr::Map(entries)) => entries
            .iter()
            .map(|(name, image)| (name.clone(), text(image)))
            .collect(),
        Some(Expr::Literal(Value::Record(fields))) => fields
            .iter()
            .map(|(name, image)| match image {
                Value::String(image) => (name.to_owned(), Some(image.clone())),
                _ => (name.to_owned(), None),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// As far as it is written out; what is put in by `${…}` stands for some text.
fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(Value::String(text)) => Some(text.clone()),
        Expr::Template(template) => {
            let parts = template.parts.iter();
            let text = parts.map(|part| match part {
                TemplatePart::Text(text) => text.as_str(),
                TemplatePart::Expr(_) => "x",
            });
            // A whole image that is put in may have a tag of its own.
            let whole = matches!(template.parts.as_slice(), [TemplatePart::Expr(_)]);
            (!whole).then(|| text.collect())
        }
        _ => None,
    }
}

fn moving(places: &Places, node: &Node, image: &str, place: Option<String>) -> Diagnostic {
    let message = format!(
        "image `{image}` of {} may be another one tomorrow",
        name(node)
    );
    let diagnostic = Diagnostic::new(&MOVING_IMAGE, places.span(node.loc), message)
        .help("name a version, or better a digest: `…@sha256:…`");
    match place {
        Some(place) => diagnostic.note(format!("it stands in {place}")),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use crate::analyze::lints::moving_image::check;
    use crate::analyze::places::Places;
    use crate::plan::draft::{Draft, call, text};
    use crate::plan::expr::{Expr, Template, TemplatePart};

    fn with(args: &[(&str, Expr)], function: &str) -> Vec<String> {
        let mut draft = Draft::blank();
        let manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  template:\n    spec:\n      \
                        containers:\n        - {name: api, image: \"reg/api:latest\"}\n        - {name: log, image: \"reg/log:1.2\"}\n";
        draft
            .plan
            .files
            .insert("api.yaml".to_owned(), manifest.to_owned());
        let phase = draft.phase("deploy");
        let step = draft.step(phase, "release", "api");
        draft.edit_step(step).call = call("cluster", function, args);
        let found = check(&draft.plan, &Places::default()).into_iter();
        found
            .map(|found| format!("{}; {}", found.message, found.note.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn an_image_of_a_manifest_is_told_with_its_place() {
        let found = with(&[("path", text("api.yaml"))], "apply");
        assert_eq!(found.len(), 1);
        insta::assert_snapshot!(found[0], @"image `reg/api:latest` of `release` may be another one tomorrow; it stands in api.yaml:8");
    }

    #[test]
    fn an_image_that_the_plan_gives_counts_instead() {
        let given = |image: Expr| Expr::Map(vec![("api".to_owned(), image)]);
        let path = ("path", text("api.yaml"));
        let fine = [path.clone(), ("images", given(text("reg/api:1.4")))];
        assert_eq!(with(&fine, "apply"), Vec::<String>::new());
        let tagged = Expr::Template(Template {
            parts: vec![
                TemplatePart::Text("reg/api:".to_owned()),
                TemplatePart::Expr(Expr::Input("version".to_owned())),
            ],
        });
        assert_eq!(
            with(&[path.clone(), ("images", given(tagged))], "apply"),
            Vec::<String>::new()
        );
        let input = given(Expr::Input("image".to_owned()));
        assert_eq!(
            with(&[path.clone(), ("images", input)], "apply"),
            Vec::<String>::new()
        );
        let bare = given(text("reg:5000/api"));
        assert_eq!(with(&[path, ("images", bare)], "apply").len(), 1);
    }

    #[test]
    fn an_image_that_is_set_alone() {
        assert_eq!(with(&[("image", text("api:latest"))], "image").len(), 1);
        assert_eq!(with(&[("image", text("api@sha256:00"))], "image").len(), 0);
    }
}
