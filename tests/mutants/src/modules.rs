//! Which files are part of the program: those that its modules name, without those that only its tests see.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::punctuated::Punctuated;
use syn::{Attribute, Item, ItemMod, Meta, Token};

/// The files below `top` in the order in which they are named, each with what it says.
pub fn shipped(
    files: &BTreeMap<PathBuf, Vec<u8>>,
    top: &Path,
) -> Result<Vec<(PathBuf, String, syn::File)>> {
    let mut found = Vec::new();
    let mut open = vec![top.to_owned()];
    while let Some(path) = open.pop() {
        // A module that is not there is for the compiler to tell.
        let Some(bytes) = files.get(&path) else {
            continue;
        };
        let text = String::from_utf8(bytes.clone())
            .with_context(|| format!("`{}` is no text", path.display()))?;
        let code =
            syn::parse_file(&text).with_context(|| format!("`{}` is no Rust", path.display()))?;
        let mut named = Vec::new();
        name_files(&code.items, &folder_of(&path), files, &mut named);
        open.extend(named.into_iter().rev());
        found.push((path, text, code));
    }
    Ok(found)
}

/// Whether it is there for tests alone.
pub fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let name = attribute.path().segments.last();
        match name.map(|segment| segment.ident.to_string()).as_deref() {
            Some("test") => true,
            Some("cfg") => attribute
                .parse_args::<Meta>()
                .is_ok_and(|condition| wants_test(&condition)),
            _ => false,
        }
    })
}

fn wants_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|parts| parts.iter().any(wants_test)),
        _ => false,
    }
}

fn name_files(
    items: &[Item],
    folder: &Path,
    files: &BTreeMap<PathBuf, Vec<u8>>,
    named: &mut Vec<PathBuf>,
) {
    for item in items {
        let Item::Mod(module) = item else {
            continue;
        };
        if is_for_tests(&module.attrs) {
            continue;
        }
        let below = folder.join(module.ident.to_string());
        match &module.content {
            Some((_, items)) => name_files(items, &below, files, named),
            None => named.push(file_of(module, &below, files)),
        }
    }
}

fn file_of(module: &ItemMod, below: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> PathBuf {
    let beside = below.with_file_name(format!("{}.rs", module.ident));
    if files.contains_key(&beside) {
        beside
    } else {
        below.join("mod.rs")
    }
}

/// Where the modules stand that a file names.
fn folder_of(path: &Path) -> PathBuf {
    let is_top = path.file_name().is_some_and(|name| {
        ["lib.rs", "main.rs", "mod.rs"]
            .iter()
            .any(|top| name == *top)
    });
    if is_top {
        path.parent().unwrap_or(Path::new("")).to_owned()
    } else {
        path.with_extension("")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use super::shipped;

    #[test]
    fn what_only_tests_see_is_left_out() {
        let files: BTreeMap<PathBuf, Vec<u8>> = [
            (
                "src/lib.rs",
                "mod a; #[cfg(test)] mod b; mod inner { mod c; }",
            ),
            (
                "src/a/mod.rs",
                "mod d; #[cfg(all(test, unix))] pub mod e; #[cfg(unix)] mod f;",
            ),
            ("src/a/d.rs", "mod g;"),
            ("src/a/d/g.rs", ""),
            ("src/a/e.rs", "mod h;"),
            ("src/a/e/h.rs", ""),
            ("src/a/f.rs", ""),
            ("src/b.rs", ""),
            ("src/inner/c.rs", ""),
            ("src/nobody.rs", ""),
        ]
        .map(|(path, text)| (path.into(), text.into()))
        .into();
        let found = shipped(&files, Path::new("src/lib.rs")).unwrap();
        let names: Vec<_> = found.iter().filter_map(|file| file.0.to_str()).collect();
        assert_eq!(
            names,
            [
                "src/lib.rs",
                "src/a/mod.rs",
                "src/a/d.rs",
                "src/a/d/g.rs",
                "src/a/f.rs",
                "src/inner/c.rs"
            ]
        );
    }
}
