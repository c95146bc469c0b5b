//! Messages. They are told beside everything else: nothing waits for them, and a value that is not known is said to be so.

use crate::engine::eval::{Asker, Mode, Trouble, sampled};
use crate::engine::grid::Sample;
use crate::engine::metric;
use crate::engine::protocol::Effect;
use crate::engine::state::{Life, Passage};
use crate::engine::turn::{Turn, named};
use crate::plan::node::{NodeId, NodeKind, Notice};
use crate::plan::{Action, HandlerEvent, Plan};
use crate::providers::request::{Call, Failure, Key};
use crate::values::fields::Fields;
use crate::values::{Value, Verdict};
use serde::Serialize;

/// A message whose words are being found.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    pub key: Key,
    pub from: From,
    pub cause: String,
    pub sample: Sample,
}

/// A message that was sent and not yet acknowledged.
#[derive(Clone, Debug, Serialize)]
pub struct Telling {
    pub call: Call,
    pub node: Option<NodeId>,
}

/// Where in the plan a notice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    Node(NodeId),
    Rule { watch: u32, rule: u32, action: u32 },
    Blind { watch: u32, action: u32 },
    Rollback(u32),
    Handler(u32),
}

/// A `notify` item.
pub fn node(turn: &mut Turn, id: NodeId) {
    let key = turn.key(id, "tell");
    post(turn, key, From::Node(id), "");
}

/// All handlers of an event.
pub fn handlers(turn: &mut Turn, event: HandlerEvent, cause: &str) {
    let plan = turn.plan;
    for (index, handler) in (0u32..).zip(&plan.handlers) {
        if handler.event == event {
            let key = turn.key_of(&format!("on/{index}"));
            post(turn, key, From::Handler(index), cause);
        }
    }
}

pub fn post(turn: &mut Turn, key: Key, from: From, cause: &str) {
    let sample = Sample::begun(turn.now());
    turn.state.messages.push(Message {
        key,
        from,
        cause: cause.to_owned(),
        sample,
    });
    turn.moved();
}

/// Sends what has its words.
pub fn advance(turn: &mut Turn) {
    let messages = std::mem::take(&mut turn.state.messages);
    for message in messages {
        if let Some(message) = send(turn, message) {
            turn.state.messages.push(message);
        }
    }
}

pub fn told(turn: &mut Turn, key: &Key, result: Result<(), Failure>) {
    let Some(telling) = turn.state.tells.shift_remove(key) else {
        return;
    };
    let Some(id) = telling.node else {
        return;
    };
    // A later round may have begun meanwhile.
    if turn.node(id).life != Life::Running || turn.key(id, "tell") != *key {
        return;
    }
    match result {
        Ok(()) => turn.end(id, Verdict::Pass, None),
        Err(failure) => {
            turn.end_with(id, Verdict::Error, Some(failure.message), Passage::Open);
        }
    }
}

/// After a take-over: the words are sought again, and what was not acknowledged is sent again under its key.
pub fn resume(turn: &mut Turn) {
    let now = turn.now();
    for message in &mut turn.state.messages {
        message.sample = Sample::begun(now);
    }
    for (key, telling) in &turn.state.tells {
        turn.effects.push(Effect::Tell {
            key: key.clone(),
            call: telling.call.clone(),
        });
    }
}

fn send(turn: &mut Turn, mut message: Message) -> Option<Message> {
    let notice = notice(turn.plan, message.from)?;
    let asker = Asker {
        at: message.sample.at,
        mode: Mode::Watch,
        canary: metric::canary_at(turn.plan, turn.state, of_node(message.from)),
        cause: &message.cause,
    };
    let words = sampled(turn, &mut message.sample, asker, |eval| {
        let args = eval.arguments(&notice.args);
        match args {
            Err(Trouble::Waiting) => Err(Trouble::Waiting),
            args => Ok((eval.message(&notice.text)?, args)),
        }
    });
    let (text, args) = match words {
        None => return Some(message),
        Some(Ok(words)) => words,
        Some(Err(trouble)) => (trouble.reason(), Ok(Fields::new())),
    };
    let mut args = args.unwrap_or_default();
    args.insert("text", Value::String(worded(turn, &message, notice, text)));
    if let Some(title) = &notice.title {
        args.insert("title", Value::String(title.clone()));
    }
    if !notice.refs.is_empty() {
        let refs = notice.refs.iter().cloned().map(Value::String).collect();
        args.insert("refs", Value::List(refs));
    }
    let call = Call {
        provider: notice.provider.clone(),
        function: notice.function.clone(),
        args,
    };
    let node = of_node(message.from);
    let telling = Telling {
        call: call.clone(),
        node,
    };
    turn.state.tells.insert(message.key.clone(), telling);
    turn.moved();
    turn.effects.push(Effect::Tell {
        key: message.key,
        call,
    });
    None
}

/// One without words says what it is about.
fn worded(turn: &Turn, message: &Message, notice: &Notice, text: String) -> String {
    if !text.is_empty() {
        return text;
    }
    if !message.cause.is_empty() {
        return message.cause.clone();
    }
    let node = of_node(message.from).and_then(|id| turn.plan.node(id));
    let title = notice.title.clone();
    title
        .or_else(|| node.map(named))
        .unwrap_or_else(|| turn.plan.title.clone())
}

fn of_node(from: From) -> Option<NodeId> {
    match from {
        From::Node(id) => Some(id),
        _ => None,
    }
}

fn notice(plan: &Plan, from: From) -> Option<&Notice> {
    match from {
        From::Node(id) => match &plan.node(id)?.kind {
            NodeKind::Notify(notice) => Some(notice),
            _ => None,
        },
        From::Rule {
            watch,
            rule,
            action,
        } => {
            let rule = plan.watches.get(watch as usize)?.rules.get(rule as usize)?;
            told_by(rule.actions.get(action as usize))
        }
        From::Blind { watch, action } => {
            let blind = plan.watches.get(watch as usize)?.no_data.as_ref()?;
            told_by(blind.actions.get(action as usize))
        }
        From::Rollback(index) => plan.rollback.as_ref()?.notices.get(index as usize),
        From::Handler(index) => plan.handlers.get(index as usize).map(|on| &on.notice),
    }
}

fn told_by(action: Option<&Action>) -> Option<&Notice> {
    match action? {
        Action::Notify(notice) => Some(notice),
        _ => None,
    }
}
