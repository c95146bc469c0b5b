//! `provider NAME = KIND { setting: value }`

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::messages::{structure, typing as say};
use crate::plan::{Provider, Setting};
use crate::providers;
use crate::providers::{Need, Place, ProviderKind, catalog};
use crate::resolve::names::What;
use crate::syntax::ast;
use crate::syntax::ast::{Entry, ExprKind, Ident, StringPart};
use crate::values::Type;
use std::collections::BTreeMap;

pub fn provider(cx: &mut Cx<'_, '_>, provider: &ast::Provider) -> Provider {
    let mut lowered = Provider {
        name: provider.name.name.clone(),
        kind: provider.kind.name.clone(),
        settings: BTreeMap::new(),
        loc: cx.loc(provider.name.span),
    };
    let Some(kind) = catalog::find(&provider.kind.name) else {
        cx.report(say::unknown_kind(&provider.kind));
        return lowered;
    };
    let mut seen: Vec<&Ident> = Vec::new();
    for entry in &provider.settings {
        if let Some(first) = seen.iter().find(|first| first.name == entry.key.name) {
            cx.report(structure::doubled(
                &entry.key.name,
                entry.key.span,
                first.span,
            ));
            continue;
        }
        seen.push(&entry.key);
        let Some(setting) = kind.setting(&entry.key.name) else {
            cx.report(say::unknown_provider_setting(&entry.key, kind));
            continue;
        };
        if let Some(value) = value(cx, setting, entry) {
            lowered.settings.insert(setting.name.to_owned(), value);
        }
    }
    missing(cx, provider, kind, &seen);
    lowered
}

fn missing(
    cx: &mut Cx<'_, '_>,
    provider: &ast::Provider,
    kind: &'static ProviderKind,
    seen: &[&Ident],
) {
    for setting in &kind.settings {
        let given = seen.iter().any(|key| key.name == setting.name);
        if setting.need == Need::Required && !given {
            cx.report(say::missing_setting(&provider.kind, kind, setting));
        }
    }
}

/// A constant, the name of an input where environments differ, or the name of a variable that holds a secret.
fn value(cx: &mut Cx<'_, '_>, setting: &providers::Setting, entry: &Entry) -> Option<Setting> {
    let written = expr::bare(&entry.value);
    match (&written.kind, &setting.ty) {
        (ExprKind::Secret(name), Type::Secret) => match name.parts.as_slice() {
            [StringPart::Text(name)] => Some(Setting::SecretEnv(name.clone())),
            _ => {
                cx.report(say::constant_needed(name.span, "the name of a variable"));
                None
            }
        },
        (ExprKind::Name(name), ty) => {
            let name = name.clone();
            input(cx, setting, &name, written, ty)
        }
        (_, ty) => constant(cx, written, ty),
    }
}

fn input(
    cx: &mut Cx<'_, '_>,
    setting: &providers::Setting,
    name: &str,
    written: &ast::Expr,
    ty: &Type,
) -> Option<Setting> {
    let decl = cx.g.names.find(name).cloned();
    let is_input = decl.is_some_and(|decl| matches!(decl.what, What::Input(_)));
    if !is_input {
        return constant(cx, written, ty);
    }
    let typed = expr::check(cx, &Env::default(), written, ty);
    if typed.is_unknown() {
        return None;
    }
    if setting.place == Place::Fixed {
        cx.report(say::fixed_setting(written.span, setting.name));
        return None;
    }
    Some(Setting::Input(name.to_owned()))
}

fn constant(cx: &mut Cx<'_, '_>, written: &ast::Expr, ty: &Type) -> Option<Setting> {
    let typed = expr::check(cx, &Env::default(), written, ty);
    if typed.is_unknown() {
        return None;
    }
    let value = typed.value().cloned();
    if value.is_none() {
        cx.report(say::constant_needed(
            written.span,
            "a setting of a provider",
        ));
    }
    value.map(Setting::Value)
}
