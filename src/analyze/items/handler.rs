//! `on start | success | rolled_back | rollback_incomplete notify …`

use crate::analyze::context::Cx;
use crate::analyze::env::{Cause, Env};
use crate::analyze::lower::notify;
use crate::plan::{Handler, HandlerEvent};
use crate::resolve::messages;
use crate::resolve::near;
use crate::syntax::ast;

const EVENTS: &[(&str, HandlerEvent, Cause)] = &[
    ("start", HandlerEvent::Start, Cause::None),
    ("success", HandlerEvent::Success, Cause::None),
    ("rolled_back", HandlerEvent::RolledBack, Cause::Known),
    (
        "rollback_incomplete",
        HandlerEvent::RollbackIncomplete,
        Cause::Known,
    ),
];

pub fn handler(cx: &mut Cx<'_, '_>, handler: &ast::Handler) -> Option<Handler> {
    let event = &handler.event;
    let Some((_, known, cause)) = EVENTS.iter().find(|(name, ..)| *name == event.name) else {
        let near = near::nearest(&event.name, EVENTS.iter().map(|(name, ..)| *name));
        let events = "events are `start`, `success`, `rolled_back`, `rollback_incomplete`";
        cx.report(messages::unknown_name(event, "event", near).help(events));
        return None;
    };
    let mut env = Env::default();
    env.place.cause = *cause;
    Some(Handler {
        event: *known,
        notice: notify::alone(cx, &env, &handler.notify)?,
        loc: cx.loc(event.span),
    })
}
