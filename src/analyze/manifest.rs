//! The files that calls and messages name: read when the plan is compiled, so that it carries them inside.

use crate::analyze::context::Cx;
use crate::analyze::expr::call::Change;
use crate::analyze::files::{Entry, FileError};
use crate::analyze::messages::files as say;
use crate::plan::expr::Expr;
use crate::providers::manifest;
use crate::providers::manifest::{Object, Problem, images};
use crate::resolve::names::{Decl, What};
use crate::source::Span;
use crate::syntax::ast::{ExprKind, StringPart};
use crate::values::{Type, Value};

/// Something wrong in a file that is no part of the plan's text; its place is found when all files are known.
#[derive(Clone, Debug)]
pub struct FileProblem {
    pub problem: Problem,
    pub text: String,
    /// The call that names the file.
    pub call: Span,
}

/// Reads the file, or the manifests of the folder, that an argument names.
pub fn load(cx: &mut Cx<'_, '_>, written: &str, span: Span) {
    let Some(path) = inside(written) else {
        cx.report(say::outside(span, written));
        return;
    };
    match cx.g.files.read(&path) {
        Ok(Entry::File(bytes)) => {
            keep(cx, path, bytes, span);
        }
        Ok(Entry::Folder(names)) => {
            let named: Vec<String> = names
                .into_iter()
                .filter(|name| manifest::is_manifest(name))
                .collect();
            if named.is_empty() {
                cx.report(say::no_manifests(span, written));
            }
            for name in named {
                let path = under(&path, &name);
                match cx.g.files.read(&path) {
                    Ok(Entry::File(bytes)) => keep(cx, path, bytes, span),
                    Ok(Entry::Folder(_)) => {}
                    Err(error) => cx.report(say::unreadable(span, &path, &error)),
                }
            }
        }
        Err(error) => cx.report(say::unreadable(span, written, &error)),
    }
}

/// The text of one file, for a message.
pub fn text_of(cx: &mut Cx<'_, '_>, written: &str, span: Span) -> Option<String> {
    let Some(path) = inside(written) else {
        cx.report(say::outside(span, written));
        return None;
    };
    let error = match cx.g.files.read(&path) {
        Ok(Entry::File(bytes)) => match String::from_utf8(bytes) {
            Ok(text) => return Some(text.trim_end().to_owned()),
            Err(_) => FileError::Unreadable("it is not UTF-8".to_owned()),
        },
        Ok(Entry::Folder(_)) => FileError::Unreadable("it is a folder".to_owned()),
        Err(error) => error,
    };
    cx.report(say::unreadable(span, written, &error));
    None
}

/// The objects under a path, as far as they can be read; whoever applies them reports what is wrong.
pub fn objects(cx: &Cx<'_, '_>, written: &str) -> Vec<Object> {
    let Some(path) = inside(written) else {
        return Vec::new();
    };
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut add = |path: String| {
        if let Ok(Entry::File(bytes)) = cx.g.files.read(&path)
            && let Ok(text) = String::from_utf8(bytes)
        {
            texts.push((path, text));
        }
    };
    match cx.g.files.read(&path) {
        Ok(Entry::Folder(names)) => {
            let manifests = names.iter().filter(|name| manifest::is_manifest(name));
            manifests.for_each(|name| add(under(&path, name)));
        }
        Ok(Entry::File(_)) => add(path),
        Err(_) => {}
    }
    let files: Vec<(&str, &str)> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    manifest::read(&files, None).objects
}

/// Whether the objects in the files of a change are what they have to be.
pub fn check(cx: &mut Cx<'_, '_>, change: &Change<'_>, call: Span) {
    let takes_path = |name: &str| {
        let param = change
            .function
            .params
            .iter()
            .find(|param| param.name == name);
        param.is_some_and(|param| param.ty == Type::Path)
    };
    for (name, arg) in &change.call.args {
        let Expr::Literal(Value::String(path)) = arg else {
            continue;
        };
        if !takes_path(name) {
            continue;
        }
        let path = inside(path).unwrap_or_default();
        let files = cx.out.files.clone();
        let named = manifest::named_by(&files, &path);
        if named.is_empty() {
            continue;
        }
        let namespace = namespace(&change.provider);
        let manifests = manifest::read(&named, namespace.as_deref());
        let mut problems = manifests.problems.clone();
        problems.extend(images::check(&manifests, given_images(change).into_iter()));
        for problem in problems {
            let text = files.get(&problem.place.file).cloned().unwrap_or_default();
            cx.out.file_problems.push(FileProblem {
                problem,
                text,
                call,
            });
        }
    }
}

fn keep(cx: &mut Cx<'_, '_>, path: String, bytes: Vec<u8>, span: Span) {
    match String::from_utf8(bytes) {
        Ok(text) => {
            cx.out.files.insert(path, text);
        }
        Err(_) => {
            let error = FileError::Unreadable("it is not UTF-8".to_owned());
            cx.report(say::unreadable(span, &path, &error));
        }
    }
}

fn under(folder: &str, name: &str) -> String {
    match folder {
        "." => name.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

/// A path without `.` and `..`, relative to the plan's folder; `None` when it leads out of it.
fn inside(written: &str) -> Option<String> {
    let absolute = written.starts_with('/') || written.contains('\\') || written.contains(':');
    if absolute {
        return None;
    }
    let mut parts = Vec::new();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Some(".".to_owned());
    }
    Some(parts.join("/"))
}

/// The containers whose images are given.
fn given_images<'c>(change: &'c Change<'_>) -> Vec<&'c str> {
    let images = change.call.args.iter().find(|(name, _)| name == "images");
    match images.map(|(_, images)| images) {
        Some(Expr::Map(entries)) => entries.iter().map(|(name, _)| name.as_str()).collect(),
        Some(Expr::Literal(Value::Record(fields))) => fields.keys().collect(),
        _ => Vec::new(),
    }
}

/// The namespace of a provider, where it is written out.
fn namespace(provider: &Decl<'_>) -> Option<String> {
    let What::Provider(item) = provider.what else {
        return None;
    };
    let setting = item
        .settings
        .iter()
        .find(|entry| entry.key.name == "namespace")?;
    match &setting.value.kind {
        ExprKind::String(string) => match string.parts.as_slice() {
            [StringPart::Text(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::analyze::manifest::inside;

    #[test]
    fn a_path_stays_in_the_folder_of_the_plan() {
        assert_eq!(inside("k8s/").as_deref(), Some("k8s"));
        assert_eq!(inside("./a//b/../c.yaml").as_deref(), Some("a/c.yaml"));
        assert_eq!(inside(".").as_deref(), Some("."));
        assert_eq!(inside("../x"), None);
        assert_eq!(inside("a/../../x"), None);
        assert_eq!(inside("/etc/passwd"), None);
        assert_eq!(inside("C:\\x"), None);
        assert_eq!(inside("C:x"), None);
        assert_eq!(inside("a\\b"), None);
    }
}
