//! What may go wrong at a moment: for each request that was just made, and for what needs no request.

use crate::engine::pause::Cause;
use crate::plan::Action;
use crate::plan::node::{NodeKind, Quorum};
use crate::providers::request::{Direction, Observable};
use crate::verify::branch::Branch;
use crate::verify::fault::{Away, Doing, Fault, Flight, Looking, Says, Seeing, Span, What};
use crate::verify::request::Request;
use crate::verify::subject::{Site, Subject};

/// In one fixed order.
pub fn alternatives(subject: &Subject, branch: &Branch) -> Vec<Fault> {
    let mut found = Vec::new();
    if branch.outcome.is_some() {
        return found;
    }
    let mut untold = false;
    for due in &branch.fresh {
        match branch.pending.get(due) {
            Some(Request::Site { site, .. }) => measurement(subject, *site, &mut found),
            Some(Request::Watch { watch, .. }) => rules(subject, *watch, &mut found),
            Some(Request::Prepare { change, .. }) => intent(branch, *change, &mut found),
            Some(Request::Commit {
                change, direction, ..
            }) => commit(branch, *change, *direction, &mut found),
            Some(Request::Observe {
                change, direction, ..
            }) => observe(branch, *change, *direction, &mut found),
            Some(Request::Tell { .. }) => untold = true,
            Some(Request::Person { gate, .. }) => gate_of(subject, *gate, &mut found),
            None => {}
        }
    }
    if untold {
        found.push(Fault::Untold);
    }
    always(subject, branch, &mut found);
    found
}

fn always(subject: &Subject, branch: &Branch, found: &mut Vec<Fault>) {
    if branch.state.ending.is_none() {
        found.push(Fault::Aborted);
    }
    for pause in &branch.state.pauses {
        if let Cause::Node(node) = pause.cause {
            found.push(Fault::Continued { node });
        }
    }
    let mut requests = branch.pending.values();
    let in_flight = requests.any(|request| matches!(request, Request::Commit { .. }));
    let flights: &[Flight] = match in_flight {
        true => &[Flight::Happened, Flight::Lost],
        false => &[Flight::Lost],
    };
    let ends = subject.ends.iter().any(|end| *end > branch.now);
    let aways: &[Away] = match ends {
        true => &[Away::Shortly, Away::PastNextEnd],
        false => &[Away::Shortly],
    };
    for &flight in flights {
        for &away in aways {
            found.push(Fault::Crash { flight, away });
        }
    }
}

const SPANS: [Span; 2] = [Span::Once, Span::Lasting];

fn measurement(subject: &Subject, site: usize, found: &mut Vec<Fault>) {
    let Some(&site) = subject.sites.get(site) else {
        return;
    };
    let says: &[Says] = match site {
        // An argument that says no is an argument; there are only values and no values.
        Site::Arguments(_) | Site::Undo(_) => &[Says::NoData, Says::Error, Says::Unreachable],
        _ => &[Says::False, Says::NoData, Says::Error, Says::Unreachable],
    };
    for &says in says {
        for span in SPANS {
            found.push(Fault::Measure { site, says, span });
        }
    }
}

/// A rule that is blind makes its watch blind, whichever it is, so only the watch as a whole is blind for longer. One that
/// only tells somebody, at once, does no more when it stays true.
fn rules(subject: &Subject, watch: u32, found: &mut Vec<Fault>) {
    let rules = subject.plan.watches.get(watch as usize);
    let rules = rules.map_or(&[][..], |watch| &watch.rules);
    for (rule, of_plan) in (0u32..).zip(rules) {
        let tells = of_plan
            .actions
            .iter()
            .all(|action| matches!(action, Action::Notify(_)));
        let spans: &[Span] = match tells && of_plan.for_ns == 0 {
            true => &[Span::Once],
            false => &SPANS,
        };
        let fires = spans.iter().map(|span| (Says::True, *span));
        for (says, span) in fires.chain([(Says::NoData, Span::Once)]) {
            found.push(Fault::Rule {
                watch,
                rule,
                says,
                span,
            });
        }
    }
    for span in SPANS {
        found.push(Fault::Blind { watch, span });
    }
}

fn intent(branch: &Branch, change: usize, found: &mut Vec<Fault>) {
    let Some(account) = branch.world.changes.get(change) else {
        return;
    };
    for (how, spans) in [
        (Looking::Unreachable, SPANS.as_slice()),
        (Looking::Refused, &[Span::Once]),
    ] {
        for &span in spans {
            found.push(Fault::Prepare {
                change: account.change,
                how,
                span,
            });
        }
    }
}

fn commit(branch: &Branch, change: usize, direction: Direction, found: &mut Vec<Fault>) {
    let Some(account) = branch.world.changes.get(change) else {
        return;
    };
    let once: &[Span] = &[Span::Once];
    for (how, spans) in [
        (Doing::Unreachable, SPANS.as_slice()),
        (Doing::Refused, once),
        (Doing::DoneUnknown, once),
        (Doing::DoneLate, once),
        (Doing::NotDoneUnknown, &SPANS),
        (Doing::Unachieved, once),
    ] {
        for &span in spans {
            found.push(Fault::Commit {
                change: account.change,
                direction,
                how,
                span,
            });
        }
    }
}

fn observe(branch: &Branch, change: usize, direction: Direction, found: &mut Vec<Fault>) {
    let Some(account) = branch.world.changes.get(change) else {
        return;
    };
    for span in SPANS {
        found.push(Fault::Observe {
            change: account.change,
            direction,
            how: Seeing::Unknown,
            span,
        });
    }
    if account.observable == Observable::Yes && account.change.what != What::Undo {
        found.push(Fault::Observe {
            change: account.change,
            direction,
            how: Seeing::Foreign,
            span: Span::Once,
        });
    }
}

/// Once for a gate, however many people are asked.
fn gate_of(subject: &Subject, gate: crate::plan::node::NodeId, found: &mut Vec<Fault>) {
    if found.contains(&Fault::Refused { gate }) {
        return;
    }
    found.extend([
        Fault::Refused { gate },
        Fault::Silent { gate },
        Fault::Late { gate },
    ]);
    let Some(node) = subject.plan.node(gate) else {
        return;
    };
    let (roles, several) = match &node.kind {
        NodeKind::Confirm(confirm) => (&confirm.roles, false),
        NodeKind::Approve(approve) => match approve.quorum {
            Quorum::People(wanted) => (&approve.roles, wanted > 1),
            Quorum::EachRole => (&approve.roles, approve.roles.len() > 1),
        },
        _ => return,
    };
    if several {
        found.push(Fault::Twice { gate });
    }
    let known = |role: &String| {
        let role = subject.plan.roles.iter().find(|known| known.name == *role);
        role.is_some_and(|role| !role.members.is_empty())
    };
    if roles.iter().all(known) {
        found.push(Fault::Stranger { gate });
    }
}
