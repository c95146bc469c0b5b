//! Faults in words, and where in the plan they strike.

use crate::plan::LocId;
use crate::plan::node::NodeId;
use crate::providers::request::Direction;
use crate::units::show::duration_ns;
use crate::verify::fault::{Away, Change, Doing, Fault, Flight, Looking, Says, Seeing, Span, What};
use crate::verify::subject::{Site, Subject};

/// What went wrong, as a sentence without full stop.
pub fn fault(subject: &Subject, fault: &Fault) -> String {
    let name = |id: &NodeId| subject.name(*id);
    match fault {
        Fault::Measure { site, says, span } => {
            let what = match site {
                Site::Check(id) => name(id),
                Site::When(id) => format!("the condition of {}", name(id)),
                Site::Arguments(id) => format!("what {} has to read", name(id)),
                Site::Post(id) => format!("what {} expects of its change", name(id)),
                Site::Undo(id) => format!("what the undo of {} has to read", name(id)),
            };
            format!("{what}: {}{}", says_words(*says), spans(*span))
        }
        Fault::Rule {
            watch,
            rule,
            says,
            span,
        } => {
            let text = rule_text(subject, *watch, *rule);
            format!("`{text}`: {}{}", says_words(*says), spans(*span))
        }
        Fault::Blind { watch, span } => {
            let watch = subject.plan.watches.get(*watch as usize);
            let title = watch.map_or("", |watch| watch.title.as_str());
            format!("the watch \"{title}\" has no data{}", spans(*span))
        }
        Fault::Prepare { change, how, span } => {
            let how = match how {
                Looking::Unreachable => "no answer",
                Looking::Refused => "it is refused",
            };
            format!(
                "asked what {} would change: {how}{}",
                of(subject, *change),
                spans(*span)
            )
        }
        Fault::Commit {
            change,
            direction,
            how,
            span,
        } => {
            let what = towards(subject, *change, *direction);
            format!("{what}: {}{}", doing(*how), spans(*span))
        }
        Fault::Observe {
            change,
            direction,
            how,
            span,
        } => {
            let what = towards(subject, *change, *direction);
            let how = match how {
                Seeing::Unknown => "nobody can see what became of it",
                Seeing::Foreign => "somebody else has changed it since",
            };
            format!("{what}: {how}{}", spans(*span))
        }
        Fault::Refused { gate } => format!("{} is refused", name(gate)),
        Fault::Silent { gate } => format!("nobody answers {}", name(gate)),
        Fault::Late { gate } => format!("{} is answered at the last moment", name(gate)),
        Fault::Stranger { gate } => format!("somebody without the role signs {}", name(gate)),
        Fault::Twice { gate } => format!("one person signs {} for all", name(gate)),
        Fault::Untold => "a message cannot be delivered".to_owned(),
        Fault::Aborted => "somebody aborts the run".to_owned(),
        Fault::Continued { node } => format!("somebody goes on past {}", name(node)),
        Fault::Crash { flight, away } => crash(*flight, *away),
    }
}

/// The place in the text, where there is one.
pub fn place(subject: &Subject, fault: &Fault) -> Option<LocId> {
    match fault {
        Fault::Rule { watch, rule, .. } => {
            let watch = subject.plan.watches.get(*watch as usize)?;
            watch.rules.get(*rule as usize).map(|rule| rule.loc)
        }
        Fault::Blind { watch, .. } => {
            let watch = subject.plan.watches.get(*watch as usize);
            watch.map(|watch| watch.loc)
        }
        fault => subject.plan.node(fault.node()?).map(|node| node.loc),
    }
}

fn rule_text(subject: &Subject, watch: u32, rule: u32) -> &str {
    let watch = subject.plan.watches.get(watch as usize);
    let rule = watch.and_then(|watch| watch.rules.get(rule as usize));
    rule.map_or("", |rule| &*rule.text)
}

fn says_words(says: Says) -> &'static str {
    match says {
        Says::True => "it is true",
        Says::False => "it is false",
        Says::NoData => "there is no data",
        Says::Error => "the answer makes no sense",
        Says::Unreachable => "no answer comes",
    }
}

fn spans(span: Span) -> &'static str {
    match span {
        Span::Once => ", once",
        Span::Lasting => ", from then on",
    }
}

fn of(subject: &Subject, change: Change) -> String {
    let name = subject.name(change.node);
    match change.what {
        What::Step => name,
        What::Undo => format!("the undo of {name}"),
        What::Weight => format!("the weight of {name}"),
        What::Promotion => "the promotion".to_owned(),
    }
}

fn towards(subject: &Subject, change: Change, direction: Direction) -> String {
    let of = of(subject, change);
    match direction {
        Direction::Forward => format!("the request for {of}"),
        Direction::Back => format!("the request to take {of} back"),
    }
}

fn doing(how: Doing) -> &'static str {
    match how {
        Doing::Unreachable => "it does not arrive",
        Doing::Refused => "it is refused",
        Doing::DoneUnknown => "it is carried out, and the answer is lost",
        Doing::DoneLate => "it is carried out, and no answer comes in time",
        Doing::NotDoneUnknown => "it is lost, and nobody knows",
        Doing::Unachieved => "it is carried out, and does not become what was wanted",
    }
}

fn crash(flight: Flight, away: Away) -> String {
    let flight = match flight {
        Flight::Happened => "what was on its way is carried out",
        Flight::Lost => "what was on its way is lost",
    };
    let away = match away {
        Away::Shortly => "half a minute later".to_owned(),
        Away::PastNextEnd => "when the next window or deadline is over".to_owned(),
        Away::For { ns } => format!("{} later", duration_ns(ns)),
    };
    format!("the process is killed, {flight}; another takes over {away}")
}
