//! What people say to a run from another process: `confirm`, `approve`, `abort`, `rollback`, `continue`.
//!
//! Each leaves a letter in the store. A live driver takes it within a fraction of a second; without one it counts when the
//! run is resumed. The engine decides what a letter means; here it is only addressed.

use crate::commands::actor::actor;
use crate::commands::cli::{Approve, Confirm, Continue, WithReason};
use crate::commands::exit::Exit;
use crate::commands::holding::{self, Wanted};
use crate::commands::item;
use crate::commands::resume::prepared;
use crate::commands::runs::{self, Loaded, report};
use crate::commands::session::runtime;
use crate::commands::terminal;
use crate::effects::store::location::Location;
use crate::effects::target::lease::Patience;
use crate::engine::protocol::{Answer, EventKind, RunOutcome};
use crate::engine::subject::{short, subject};
use crate::journal::replay::replay;
use crate::journal::store::{Store, StoreError};
use crate::plan::node::{Node, NodeKind};

pub fn confirm(args: &Confirm) -> Exit {
    send(&args.state.state, &args.run, |loaded| {
        let node = item::find(&loaded.plan, &args.item, item::Wanted::Confirm)?;
        let answer = match &args.no {
            Some(reason) => Answer::No {
                reason: reason.clone(),
            },
            None => Answer::Yes {
                note: args.note.clone(),
            },
        };
        let role = role(node, args.role.as_deref())?;
        Ok(EventKind::Answered {
            node: node.id,
            by: actor(),
            role,
            answer,
            subject: about(loaded, node, args.about.as_deref()),
        })
    })
}

pub fn approve(args: &Approve) -> Exit {
    send(&args.state.state, &args.run, |loaded| {
        let node = item::find(&loaded.plan, &args.gate, item::Wanted::Approve)?;
        let answer = match &args.reject {
            Some(reason) => Answer::No {
                reason: reason.clone(),
            },
            None => Answer::Yes { note: None },
        };
        let role = role(node, args.role.as_deref())?;
        Ok(EventKind::Signed {
            node: node.id,
            by: actor(),
            role,
            answer,
            subject: about(loaded, node, args.about.as_deref()),
        })
    })
}

/// Of a run whose rollback is incomplete, it gives the target free: a person has looked and takes over.
pub fn abort(args: &WithReason) -> Exit {
    match incomplete(args) {
        Ok(Some((mut store, run))) => match store.release(&run, &actor(), &reason(args)) {
            Ok(()) => {
                set_free(&args.state.state, store.as_ref(), &run);
                terminal::println!("the target of run `{run}` is free; what it left is yours");
                return Exit::Succeeded;
            }
            Err(error) => return report(&error),
        },
        Ok(None) => {}
        Err(error) => return report(&error),
    }
    send(&args.state.state, &args.run, |_| {
        Ok(EventKind::Aborted {
            by: actor(),
            reason: reason(args),
        })
    })
}

pub fn rollback(args: &WithReason) -> Exit {
    send(&args.state.state, &args.run, |_| {
        Ok(EventKind::RollbackAsked {
            by: actor(),
            reason: reason(args),
        })
    })
}

pub fn go_on(args: &Continue) -> Exit {
    send(&args.state.state, &args.run, |loaded| {
        let node = item::find(&loaded.plan, &args.item, item::Wanted::Any)?;
        Ok(EventKind::Continued {
            node: node.id,
            by: actor(),
            reason: args.reason.clone(),
        })
    })
}

/// A run that keeps its target, and where it is kept.
type Keeping = (Box<dyn Store>, String);

fn incomplete(args: &WithReason) -> Result<Option<Keeping>, StoreError> {
    let store = runs::open(&args.state.state)?;
    let summary = runs::resolve(store.as_ref(), &args.run)?;
    let incomplete = summary.outcome == Some(RunOutcome::RollbackIncomplete);
    Ok((incomplete && summary.holds_target()).then_some((store, summary.run)))
}

/// The locks outside the store; what cannot be reached is said.
fn set_free(location: &Location, store: &dyn Store, run: &str) {
    let prepared = runtime().and_then(|runtime| {
        let (loaded, providers) = prepared(store, run, &runtime)?;
        Ok((runtime, loaded, providers))
    });
    let Ok((runtime, loaded, providers)) = prepared else {
        terminal::eprintln!("warning: the locks in its namespaces could not be given free");
        return;
    };
    let wanted = Wanted {
        location,
        run,
        target: &loaded.journal.header.target,
        plan: &loaded.plan.name,
        actor: &actor(),
        patience: Patience::Refuse,
    };
    runtime.block_on(holding::free(&wanted, &providers));
}

fn reason(args: &WithReason) -> String {
    args.reason
        .clone()
        .unwrap_or_else(|| "no reason was given".to_owned())
}

fn send(
    location: &Location,
    run: &str,
    letter: impl FnOnce(&Loaded) -> Result<EventKind, String>,
) -> Exit {
    let mut store = match runs::open(location) {
        Ok(store) => store,
        Err(error) => return report(&error),
    };
    let loaded = match runs::load(store.as_ref(), run) {
        Ok(loaded) => loaded,
        Err(error) => return report(&error),
    };
    let run = loaded.journal.header.run.clone();
    match runs::resolve(store.as_ref(), &run) {
        Ok(summary) if summary.outcome.is_some() => {
            terminal::eprintln!("error: run `{run}` has ended; nothing was changed");
            return Exit::Invalid;
        }
        Ok(_) => {}
        Err(error) => return report(&error),
    }
    let kind = match letter(&loaded) {
        Ok(kind) => kind,
        Err(message) => {
            terminal::eprintln!("error: {message}");
            return Exit::Usage;
        }
    };
    match store.post(&run, &kind) {
        Ok(_) => {
            terminal::println!("said to run `{run}`; `deployc status {run}` shows what follows");
            Exit::Succeeded
        }
        Err(error) => report(&error),
    }
}

/// What the answer is about: what the journal says now, or what somebody has seen before and gives the digest of.
fn about(loaded: &Loaded, node: &Node, seen: Option<&str>) -> Option<String> {
    let state = replay(&loaded.plan, &loaded.journal.events);
    let own = subject(&loaded.plan, &state, node.id)?;
    let Some(seen) = seen else {
        return Some(own);
    };
    let digits = seen.strip_prefix("sha256:").unwrap_or(seen);
    if digits.len() >= DIGITS_MIN && short_of(&own).starts_with(digits) {
        return Some(own);
    }
    terminal::eprintln!(
        "warning: `{}` is about {}, and not about {digits}: the run will say that this is void",
        item::short(node),
        short(&own)
    );
    Some(seen.to_owned())
}

/// Of a digest that is compared with what somebody has seen.
const DIGITS_MIN: usize = 8;

fn short_of(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

/// The role in which an item is answered: the one that was given, or the only one that it names.
fn role(node: &Node, given: Option<&str>) -> Result<String, String> {
    let roles = match &node.kind {
        NodeKind::Confirm(confirm) => &confirm.roles,
        NodeKind::Approve(approve) => &approve.roles,
        _ => return Err(format!("`{}` asks nobody", item::short(node))),
    };
    match (given, roles.as_slice()) {
        (Some(role), _) if roles.iter().any(|known| known == role) => Ok(role.to_owned()),
        (Some(role), _) => Err(format!(
            "`{role}` is not asked here, but {}",
            roles.join(", ")
        )),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(format!(
            "in which role? say `--as` with one of {}",
            roles.join(", ")
        )),
    }
}
