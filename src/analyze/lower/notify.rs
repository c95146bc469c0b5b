//! Messages: to whom, what, and what about.

use crate::analyze::context::Cx;
use crate::analyze::env::{Cause, Env};
use crate::analyze::expr::fold;
use crate::analyze::expr::{node, text};
use crate::analyze::lower::nodes::Draft;
use crate::analyze::lower::options::Word;
use crate::analyze::lower::{Around, nodes, options};
use crate::analyze::manifest;
use crate::analyze::messages::structure as say;
use crate::plan::expr::{Expr, RunWord, Template, TemplatePart};
use crate::plan::node::{NodeKind, Notice};
use crate::resolve::messages;
use crate::resolve::names::What;
use crate::syntax::ast::clause::ClauseKind;
use crate::syntax::ast::{Head, Notify};

pub fn item(cx: &mut Cx<'_, '_>, around: &Around, notify: &Notify) {
    let allowed = [Word::File, Word::After, Word::Window];
    options::check(cx, &notify.options, "a message", &allowed);
    let window = options::window(cx, &around.env, &notify.options);
    let Some(notice) = notice(cx, &around.env, notify) else {
        return;
    };
    let draft = Draft {
        head: &notify.head,
        word: "notify".to_owned(),
        policies: around.policies.clone(),
        window,
        kind: NodeKind::Notify(notice),
        span: notify.span,
    };
    let node = nodes::add(cx, around, draft);
    options::wait(cx, node, &notify.options);
}

/// A message of a watch, a rollback or an event: it stands for itself and waits for nothing.
pub fn alone(cx: &mut Cx<'_, '_>, env: &Env, notify: &Notify) -> Option<Notice> {
    options::check(cx, &notify.options, "a message", &[Word::File]);
    notice(cx, env, notify)
}

fn notice(cx: &mut Cx<'_, '_>, env: &Env, notify: &Notify) -> Option<Notice> {
    let target = &notify.target;
    let is_provider = |what: &What<'_>| matches!(what, What::Provider(_));
    let Some(decl) = cx.g.names.find(&target.name).cloned() else {
        let near =
            cx.g.names
                .nearest(&target.name, is_provider)
                .map(|decl| decl.name);
        cx.report(messages::unknown_name(target, "provider", near));
        return None;
    };
    cx.out.used.insert(decl.id);
    if !is_provider(&decl.what) {
        cx.report(messages::wrong_kind(
            target,
            &decl,
            "a provider that sends messages",
        ));
        return None;
    }
    let text = words(cx, env, notify);
    let title = notify.head.title.as_ref();
    let title = title.and_then(|title| text::title(cx, env, title));
    let kind = node::kind_of(&decl)?;
    let Some(tell) = kind.tell() else {
        cx.report(say::cannot_tell(target, kind.name));
        return None;
    };
    Some(Notice {
        provider: decl.name.to_owned(),
        function: tell.name.to_owned(),
        args: Vec::new(),
        title,
        refs: nodes::refs(&notify.head),
        text: text?,
    })
}

/// The text, the file behind it; where nothing is written, the title or the cause speaks.
fn words(cx: &mut Cx<'_, '_>, env: &Env, notify: &Notify) -> Option<Template> {
    let mut template = match &notify.text {
        Some(written) => text::template(cx, env, written),
        None => Template::default(),
    };
    let file = notify.options.iter().find_map(|clause| match &clause.kind {
        ClauseKind::File(path) => Some(path),
        _ => None,
    });
    if let Some(path) = file {
        let span = path.span;
        let path = text::constant(cx, env, path, "the name of a file")?;
        let content = manifest::text_of(cx, &path, span)?;
        if !template.parts.is_empty() {
            template.parts.push(TemplatePart::Text("\n".to_owned()));
        }
        template.parts.push(TemplatePart::Text(content));
    }
    if template.parts.is_empty() {
        template.parts.push(instead(cx, env, notify)?);
    }
    Some(template)
}

fn instead(cx: &mut Cx<'_, '_>, env: &Env, notify: &Notify) -> Option<TemplatePart> {
    match (&notify.head, env.place.cause) {
        (_, Cause::Known) => Some(TemplatePart::Expr(Expr::Word(RunWord::Cause))),
        (
            Head {
                title: Some(title), ..
            },
            Cause::None,
        ) => {
            text::title(cx, env, title)?;
            let words = text::template(cx, env, title);
            Some(TemplatePart::Expr(fold::fold(Expr::Template(words))))
        }
        _ => {
            cx.report(say::nothing_in(
                "a message",
                notify.span,
                "a text, or `file \"…\"`",
            ));
            None
        }
    }
}
