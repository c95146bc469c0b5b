//! What the world answers: as on a good day, unless a fault says otherwise.

use crate::engine::protocol::{Answer, EventKind};
use crate::plan::node::NodeId;
use crate::providers::request::{
    Call, Direction, Failure, FailureKind, Intent, Observable, Observation, Outcome,
};
use crate::units::Dim;
use crate::units::amount::Quantity;
use crate::values::Value;
use crate::values::fields::Fields;
use crate::verify::branch::{Branch, actor};
use crate::verify::fault::{Change, Doing, Fault, Looking, Says, Seeing, What};
use crate::verify::promise;
use crate::verify::request::Request;
use crate::verify::subject::{PROVIDER, Subject};
use crate::verify::world::{Account, Became, Looked, Signed, There};
use serde_json::json;

pub fn answer(branch: &mut Branch, subject: &Subject, request: Request) -> EventKind {
    match request {
        Request::Site { id, site, at, says } => {
            let says = says.unwrap_or_else(|| lasting(branch, subject, site));
            branch.world.measured(site, says, at);
            EventKind::Read {
                id,
                result: said(says),
            }
        }
        Request::Watch {
            id,
            watch,
            says,
            blind,
        } => EventKind::Read {
            id,
            result: Ok(rules(branch, subject, watch, &says, blind)),
        },
        Request::Prepare { change, how } => prepare(branch, change, how),
        Request::Commit {
            change,
            direction,
            how,
            ..
        } => {
            let how = how.or_else(|| branch.lasting_doing(change, direction));
            let outcome = commit(branch, subject, change, direction, how);
            EventKind::Committed {
                key: key(branch, change),
                direction,
                outcome,
            }
        }
        Request::Observe {
            change,
            direction,
            how,
        } => {
            let how = how.or_else(|| lasting_seeing(branch, change, direction));
            EventKind::Observed {
                key: key(branch, change),
                direction,
                observation: observe(branch, change, direction, how),
            }
        }
        Request::Tell { key, works } => EventKind::Told {
            key,
            result: match works {
                true => Ok(()),
                false => Err(failure(FailureKind::Unreachable)),
            },
        },
        Request::Person { gate, signer, yes } => {
            let answer = match yes {
                true => Answer::Yes { note: None },
                false => Answer::No {
                    reason: "not like this".to_owned(),
                },
            };
            let (by, role) = (actor(&signer.user), signer.role.clone());
            branch.world.signed.push(Signed { gate, signer, yes });
            let node = gate;
            match is_approval(subject, gate) {
                true => EventKind::Signed {
                    node,
                    by,
                    role,
                    answer,
                    subject: None,
                },
                false => EventKind::Answered {
                    node,
                    by,
                    role,
                    answer,
                    subject: None,
                },
            }
        }
    }
}

/// The world is changed, whoever learns of it.
pub fn make(
    branch: &mut Branch,
    subject: &Subject,
    change: usize,
    direction: Direction,
    there: There,
) {
    let Some(account) = branch.world.changes.get_mut(change) else {
        return;
    };
    let of = account.change;
    match direction {
        Direction::Forward => {
            // What is there and not yet ready is finished, not made again.
            if account.there != There::Unready {
                account.forward.done += 1;
            }
            account.there = there;
            if there == There::Ready {
                account.became = Became::Ready;
            }
        }
        Direction::Back => {
            if account.there != There::No {
                account.back.done += 1;
            }
            account.there = There::No;
        }
    }
    if of.what == What::Undo && direction == Direction::Forward {
        taken_away(branch, of.node);
    }
    let made = branch.world.changes.get(change);
    let broken = made.and_then(|account| promise::made(subject, branch, account, direction));
    if let Some((promise, text)) = broken {
        branch.break_promise(promise, Some(of.node), text);
    }
}

/// By the call that the plan names as its undo.
fn taken_away(branch: &mut Branch, node: NodeId) {
    let step = Change {
        node,
        what: What::Step,
    };
    for account in &mut branch.world.changes {
        if account.change == step {
            account.there = There::No;
        }
    }
}

fn lasting(branch: &Branch, subject: &Subject, site: usize) -> Says {
    let own = subject.sites.get(site);
    let found = branch.active.iter().find_map(|fault| match fault {
        Fault::Measure { site, says, .. } if Some(site) == own => Some(*says),
        _ => None,
    });
    found.unwrap_or(Says::True)
}

fn rules(
    branch: &Branch,
    subject: &Subject,
    watch: u32,
    once: &[(u32, Says)],
    blind: bool,
) -> Value {
    let count = subject.plan.watches.get(watch as usize);
    let count = count.map_or(0, |watch| watch.rules.len());
    let blind = blind
        || branch
            .active
            .iter()
            .any(|fault| matches!(fault, Fault::Blind { watch: of, .. } if *of == watch));
    let mut record = Vec::with_capacity(count);
    for rule in (0u32..).take(count) {
        let once = once.iter().find(|(of, _)| *of == rule);
        let lasting = || {
            branch.active.iter().find_map(|fault| match fault {
                Fault::Rule {
                    watch: w,
                    rule: r,
                    says,
                    ..
                } if *w == watch && *r == rule => Some(*says),
                _ => None,
            })
        };
        let says = match blind {
            true => Says::NoData,
            false => once
                .map(|(_, says)| *says)
                .or_else(lasting)
                .unwrap_or(Says::False),
        };
        let value = said(says).unwrap_or(Value::Absent);
        record.push((rule.to_string(), value));
    }
    Value::Record(record.into_iter().collect())
}

fn said(says: Says) -> Result<Value, Failure> {
    match says {
        Says::True => Ok(Value::Bool(true)),
        Says::False => Ok(Value::Bool(false)),
        Says::NoData => Ok(Value::Absent),
        Says::Error => Ok(Value::String("no truth value".to_owned())),
        Says::Unreachable => Err(failure(FailureKind::Unreachable)),
    }
}

fn prepare(branch: &Branch, change: usize, how: Option<Looking>) -> EventKind {
    let account = branch.world.changes.get(change);
    let lasting = || {
        branch.active.iter().find_map(|fault| match fault {
            Fault::Prepare {
                change: of, how, ..
            } if account.is_some_and(|account| account.change == *of) => Some(*how),
            _ => None,
        })
    };
    let result = match how.or_else(lasting) {
        Some(Looking::Unreachable) => Err(failure(FailureKind::Unreachable)),
        Some(Looking::Refused) => Err(failure(FailureKind::Invalid)),
        None => Ok(Box::new(intent(account))),
    };
    EventKind::Prepared {
        key: key(branch, change),
        result,
    }
}

fn intent(account: Option<&Account>) -> Intent {
    let observable = account.map_or(Observable::Yes, |account| account.observable);
    Intent {
        call: Call {
            provider: PROVIDER.to_owned(),
            function: String::new(),
            args: Fields::new(),
        },
        targets: Vec::new(),
        before: Value::Absent,
        forward: serde_json::Value::Null,
        inverse: match observable {
            Observable::Yes => json!(true),
            // A command has no way back but the one that the plan names.
            _ => serde_json::Value::Null,
        },
        observable,
    }
}

fn commit(
    branch: &mut Branch,
    subject: &Subject,
    change: usize,
    direction: Direction,
    how: Option<Doing>,
) -> Outcome {
    match how {
        None => {
            make(branch, subject, change, direction, There::Ready);
            Outcome::Applied {
                result: result(branch, change),
                written: Vec::new(),
            }
        }
        Some(Doing::Unreachable) => Outcome::NotApplied(failure(FailureKind::Unreachable)),
        Some(Doing::Refused) => Outcome::NotApplied(failure(FailureKind::Invalid)),
        Some(Doing::DoneUnknown) => {
            make(branch, subject, change, direction, There::Ready);
            Outcome::Unknown(failure(FailureKind::Unreachable))
        }
        Some(Doing::DoneLate) => {
            make(branch, subject, change, direction, There::Ready);
            Outcome::Unknown(failure(FailureKind::Timeout))
        }
        Some(Doing::NotDoneUnknown) => Outcome::Unknown(failure(FailureKind::Unreachable)),
        Some(Doing::Unachieved) => {
            if direction == Direction::Forward {
                make(branch, subject, change, direction, There::Unready);
            }
            Outcome::Unachieved(failure(FailureKind::Unready))
        }
    }
}

fn observe(
    branch: &mut Branch,
    change: usize,
    direction: Direction,
    how: Option<Seeing>,
) -> Observation {
    let result = result(branch, change);
    let Some(account) = branch.world.changes.get_mut(change) else {
        return Observation::Unknown(failure(FailureKind::NotFound));
    };
    account.side_mut(direction).looked = Looked::Yes;
    match how {
        Some(Seeing::Unknown) => return Observation::Unknown(failure(FailureKind::Unreachable)),
        Some(Seeing::Foreign) => return Observation::Foreign(failure(FailureKind::Conflict)),
        None => {}
    }
    let applied = Observation::Applied {
        result,
        written: Vec::new(),
    };
    match (account.observable, direction, account.there) {
        (Observable::Idempotent, ..) => Observation::NotApplied,
        (Observable::AtMostOnce, ..) => Observation::Unknown(failure(FailureKind::Refused)),
        (Observable::Yes, Direction::Forward, There::Ready)
        | (Observable::Yes, Direction::Back, There::No) => applied,
        (Observable::Yes, Direction::Forward, There::Unready) => {
            Observation::Underway(failure(FailureKind::Unready))
        }
        (Observable::Yes, ..) => Observation::NotApplied,
    }
}

/// What `NAME.field` reads: enough for what the engine itself needs of a release and of a weight.
fn result(branch: &Branch, change: usize) -> Value {
    let Some(account) = branch.world.changes.get(change) else {
        return Value::Absent;
    };
    let mut fields = Fields::new();
    match account.change.what {
        What::Weight => {
            let weight = Quantity::exact(Dim::Ratio, account.weight.0);
            fields.insert("achieved", Value::Quantity(weight));
        }
        What::Step => {
            let node = account.change.node.0.to_string();
            fields.insert("node", Value::String(node));
        }
        What::Undo | What::Promotion => {}
    }
    Value::Record(fields)
}

fn lasting_seeing(branch: &Branch, change: usize, direction: Direction) -> Option<Seeing> {
    let change = branch.world.changes.get(change)?.change;
    branch.active.iter().find_map(|fault| match fault {
        Fault::Observe {
            change: of,
            direction: towards,
            how,
            ..
        } if *of == change && *towards == direction => Some(*how),
        _ => None,
    })
}

fn key(branch: &Branch, change: usize) -> crate::providers::request::Key {
    let account = branch.world.changes.get(change);
    account.map_or_else(
        || crate::providers::request::Key(String::new()),
        |account| account.key.clone(),
    )
}

fn is_approval(subject: &Subject, gate: NodeId) -> bool {
    let kind = subject.plan.node(gate).map(|node| &node.kind);
    matches!(kind, Some(crate::plan::node::NodeKind::Approve(_)))
}

fn failure(kind: FailureKind) -> Failure {
    let message = match kind {
        FailureKind::Unreachable => "no answer",
        FailureKind::Timeout => "no answer in time",
        FailureKind::Invalid => "the request is wrong",
        FailureKind::Unready => "it did not become ready in time",
        FailureKind::Conflict => "somebody else changed it since",
        FailureKind::Refused => "nobody can see whether it was carried out",
        _ => "it is not there",
    };
    Failure::new(kind, message)
}
