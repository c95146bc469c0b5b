//! An open scenario, from the tree to the faults that it plans.

use crate::diagnostics::Diagnostic;
use crate::plan::node::{NodeId, NodeKind};
use crate::providers::request::Direction;
use crate::simulate::compile::place::Said;
use crate::simulate::compile::value::plain_text;
use crate::simulate::compile::{Compiler, Purpose, messages};
use crate::simulate::scenario::Moment;
use crate::source::Span as Place;
use crate::syntax::ast::scenario::{Applying, Assign, How, Kill, Scenario, Trouble, Verb, Word};
use crate::syntax::ast::{Expr, ExprKind, Stmt, StmtKind};
use crate::verify::fault::{Away, Change, Doing, Fault, Flight, Looking, Says, Seeing, Span, What};
use crate::verify::inject::SHORTLY_NS;
use crate::verify::scenario::write::has_written_undo;
use crate::verify::scenario::{Open, Planned, When};
use crate::verify::subject::{Site, Subject};

/// # Errors
/// All that is wrong with it.
pub fn read(subject: &Subject, tree: &Scenario) -> Result<Open, Vec<Diagnostic>> {
    let mut reader = Reader {
        subject,
        compiler: Compiler {
            plan: &subject.plan,
            purpose: Purpose::Rehearsal,
            diagnostics: Vec::new(),
        },
        open: Open::default(),
    };
    for stmt in &tree.body.stmts {
        reader.statement(stmt);
    }
    match reader.compiler.diagnostics.is_empty() {
        true => Ok(reader.open),
        false => Err(reader.compiler.diagnostics),
    }
}

struct Reader<'s> {
    subject: &'s Subject,
    compiler: Compiler<'s>,
    open: Open,
}

/// What a line is about.
enum Target {
    Item(NodeId, Part),
    Rule(u32, u32),
    Rules(u32),
    Message,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Reads,
    Expects,
    Intent,
    Look,
    Change,
    Call,
}

impl Reader<'_> {
    fn statement(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Assign(assign) => self.assign(assign, stmt.span),
            StmtKind::At(at) => {
                let when = match &at.moment {
                    Some(moment) => self.when(moment),
                    None => Some(When::After(Moment::Start, 0)),
                };
                if let Some(time) = &at.duration {
                    self.compiler.say(messages::open_for_a_time(time.span));
                }
                for stmt in &at.body.stmts {
                    self.fault(stmt, when);
                }
            }
            _ => self.fault(stmt, Some(When::After(Moment::Start, 0))),
        }
    }

    fn assign(&mut self, assign: &Assign, span: Place) {
        if matches!(&assign.place.kind, ExprKind::Name(name) if name == "world") {
            return;
        }
        match self.compiler.assign(assign) {
            Some(Said::Input(name, value)) => {
                self.open.inputs.insert(name, value);
            }
            Some(Said::Line(_)) => self.compiler.say(messages::not_in_an_open_world(span)),
            None => {}
        }
    }

    fn when(&mut self, moment: &Expr) -> Option<When> {
        if let ExprKind::Call(callee, args) = &moment.kind
            && let (ExprKind::Name(name), [events]) = (&callee.kind, args.as_slice())
            && name == "event"
            && let ExprKind::Number { digits, unit: None } = &events.value.kind
            && let Ok(events) = digits.parse()
        {
            return Some(When::Event(events));
        }
        let (moment, after_ns) = self.compiler.moment(moment)?;
        Some(When::After(moment, after_ns))
    }

    fn fault(&mut self, stmt: &Stmt, when: Option<When>) {
        let fault = match &stmt.kind {
            StmtKind::Trouble(trouble) => self.trouble(trouble),
            StmtKind::Kill(kill) => self.kill(kill),
            StmtKind::Answer(answer) if answer.verb.name == "aborts" => Some(Fault::Aborted),
            StmtKind::Junk => None,
            _ => {
                self.compiler.say(messages::not_in_an_open_world(stmt.span));
                None
            }
        };
        if let (Some(when), Some(fault)) = (when, fault) {
            let span = Some(stmt.span);
            self.open.faults.push(Planned { when, fault, span });
        }
    }

    fn kill(&mut self, kill: &Kill) -> Option<Fault> {
        let for_ns = match &kill.duration {
            Some(time) => self.compiler.duration(time)?,
            None => 0,
        };
        Some(Fault::Crash {
            flight: match kill.applying {
                Some(Applying::Before) => Flight::Lost,
                Some(Applying::After) | None => Flight::Happened,
            },
            away: match for_ns {
                SHORTLY_NS => Away::Shortly,
                ns => Away::For { ns },
            },
        })
    }

    fn trouble(&mut self, trouble: &Trouble) -> Option<Fault> {
        let target = self.target(&trouble.what)?;
        let (verb, word, when) = match trouble.how {
            How::Down => (Verb::Is, Word::Down, None),
            How::Silent => (Verb::Is, Word::Silent, None),
            How::Unknown(when) => (Verb::Is, Word::Unknown, when),
            How::Fails(Applying::Before) => (Verb::Is, Word::Refused, None),
            How::Fails(Applying::After) => (Verb::Is, Word::Down, Some(Applying::After)),
            How::Open { verb, word, when } => (verb, word, when),
        };
        let span = match verb {
            Verb::Is => Span::Once,
            Verb::Stays => Span::Lasting,
        };
        let fault = match target {
            Target::Message => (word == Word::Lost).then_some(Fault::Untold),
            Target::Rules(watch) => (word == Word::Blind).then_some(Fault::Blind { watch, span }),
            Target::Rule(watch, rule) => said(word).map(|says| Fault::Rule {
                watch,
                rule,
                says,
                span,
            }),
            Target::Item(id, part) => {
                let undo = match trouble.undo {
                    Some(_) => Direction::Back,
                    None => Direction::Forward,
                };
                self.of_item(id, part, undo, Wrong { word, when, span })
            }
        };
        if fault.is_none() || trouble.duration.is_some() {
            let place = trouble
                .duration
                .as_ref()
                .map_or(trouble.span, |time| time.span);
            self.compiler.say(messages::no_such_trouble(place));
            return None;
        }
        fault
    }

    fn of_item(&self, id: NodeId, part: Part, undo: Direction, wrong: Wrong) -> Option<Fault> {
        let kind = &self.subject.plan.node(id)?.kind;
        let gate = id;
        let Wrong { word, when, span } = wrong;
        let measured = |site| {
            let says = said(word)?;
            Some(Fault::Measure { site, says, span })
        };
        match (kind, part, undo) {
            (NodeKind::Check(_), Part::Whole, Direction::Forward) if word != Word::Skipped => {
                measured(Site::Check(id))
            }
            (NodeKind::When(_), Part::Whole, Direction::Forward) if word != Word::Skipped => {
                measured(Site::When(id))
            }
            (NodeKind::Step(_), Part::Reads, Direction::Forward) => measured(Site::Arguments(id)),
            (NodeKind::Step(_), Part::Reads, Direction::Back) => measured(Site::Undo(id)),
            (NodeKind::Step(_), Part::Expects, Direction::Forward) => measured(Site::Post(id)),
            (_, Part::Whole, Direction::Forward) if word == Word::Skipped => {
                Some(Fault::Continued { node: id })
            }
            (NodeKind::Confirm(_) | NodeKind::Approve(_), Part::Whole, Direction::Forward) => {
                match word {
                    Word::Refused => Some(Fault::Refused { gate }),
                    Word::Silent => Some(Fault::Silent { gate }),
                    Word::Late => Some(Fault::Late { gate }),
                    Word::Forged => Some(Fault::Stranger { gate }),
                    Word::Doubled => Some(Fault::Twice { gate }),
                    _ => None,
                }
            }
            (NodeKind::Step(_) | NodeKind::Stage(_) | NodeKind::Canary(_), part, undo) => {
                let (change, direction) = self.change(id, part, undo)?;
                of_change(change, direction, part, Wrong { word, when, span })
            }
            _ => None,
        }
    }

    fn change(&self, node: NodeId, part: Part, undo: Direction) -> Option<(Change, Direction)> {
        let what = match &self.subject.plan.node(node)?.kind {
            NodeKind::Step(_) => What::Step,
            NodeKind::Stage(_) => What::Weight,
            _ => What::Promotion,
        };
        let written = what == What::Step && has_written_undo(self.subject, node);
        let (what, direction) = match (undo, part) {
            (Direction::Forward, _) => (what, Direction::Forward),
            (Direction::Back, Part::Call) => (What::Undo, Direction::Back),
            (Direction::Back, Part::Change) => (What::Step, Direction::Back),
            (Direction::Back, _) if written => (What::Undo, Direction::Forward),
            (Direction::Back, _) => (what, Direction::Back),
        };
        Some((Change { node, what }, direction))
    }

    fn target(&mut self, what: &Expr) -> Option<Target> {
        match &what.kind {
            ExprKind::Name(name) if name == "message" => Some(Target::Message),
            ExprKind::Call(callee, args) => match (&callee.kind, args.as_slice()) {
                (ExprKind::Name(name), [watch]) if name == "rules" => {
                    Some(Target::Rules(self.watch(&watch.value)?))
                }
                (ExprKind::Name(name), [watch, rule]) if name == "rule" => {
                    let watch = self.watch(&watch.value)?;
                    let rule = self.number(&rule.value)?;
                    Some(Target::Rule(watch, rule))
                }
                _ => Some(Target::Item(self.item(what)?, Part::Whole)),
            },
            ExprKind::Field(base, field) => {
                let part = match field.name.as_str() {
                    "reads" => Part::Reads,
                    "expects" => Part::Expects,
                    "intent" => Part::Intent,
                    "look" => Part::Look,
                    "change" => Part::Change,
                    "call" => Part::Call,
                    _ => {
                        self.compiler.say(messages::no_such_trouble(field.span));
                        return None;
                    }
                };
                Some(Target::Item(self.item(base)?, part))
            }
            _ => Some(Target::Item(self.item(what)?, Part::Whole)),
        }
    }

    fn item(&mut self, what: &Expr) -> Option<NodeId> {
        match self.compiler.moment(what)? {
            (Moment::Node(id), 0) => Some(id),
            _ => {
                self.compiler.say(messages::no_such_trouble(what.span));
                None
            }
        }
    }

    fn watch(&mut self, what: &Expr) -> Option<u32> {
        let watches = &self.subject.plan.watches;
        let title = match &what.kind {
            ExprKind::String(title) => plain_text(title),
            _ => return self.number(what),
        };
        let found = watches
            .iter()
            .position(|watch| Some(&watch.title) == title.as_ref());
        let found = found.and_then(|index| u32::try_from(index).ok());
        if found.is_none() {
            self.compiler.say(messages::no_rule(what.span));
        }
        found
    }

    /// They count from 1.
    fn number(&mut self, what: &Expr) -> Option<u32> {
        let number = match &what.kind {
            ExprKind::Number { digits, unit: None } => digits.parse::<u32>().ok(),
            _ => None,
        };
        let number = number.and_then(|number| number.checked_sub(1));
        if number.is_none() {
            self.compiler.say(messages::no_rule(what.span));
        }
        number
    }
}

#[derive(Clone, Copy)]
struct Wrong {
    word: Word,
    when: Option<Applying>,
    span: Span,
}

fn said(word: Word) -> Option<Says> {
    match word {
        Word::Met => Some(Says::True),
        Word::Unmet => Some(Says::False),
        Word::Blind => Some(Says::NoData),
        Word::Nonsense => Some(Says::Error),
        Word::Unreachable => Some(Says::Unreachable),
        _ => None,
    }
}

fn of_change(change: Change, direction: Direction, part: Part, wrong: Wrong) -> Option<Fault> {
    let Wrong { word, when, span } = wrong;
    match part {
        Part::Intent => {
            let how = match word {
                Word::Unreachable => Looking::Unreachable,
                Word::Refused => Looking::Refused,
                _ => return None,
            };
            Some(Fault::Prepare { change, how, span })
        }
        Part::Look => {
            let how = match word {
                Word::Unknown => Seeing::Unknown,
                Word::Foreign => Seeing::Foreign,
                _ => return None,
            };
            Some(Fault::Observe {
                change,
                direction,
                how,
                span,
            })
        }
        Part::Whole | Part::Change | Part::Call => {
            let how = match (word, when) {
                (Word::Unreachable, _) => Doing::Unreachable,
                (Word::Refused, _) => Doing::Refused,
                (Word::Unknown, Some(Applying::Before)) => Doing::NotDoneUnknown,
                (Word::Unknown, _) => Doing::DoneUnknown,
                (Word::Late, _) => Doing::DoneLate,
                // `fails after applying`
                (Word::Down, Some(Applying::After)) => Doing::Unachieved,
                _ => return None,
            };
            Some(Fault::Commit {
                change,
                direction,
                how,
                span,
            })
        }
        Part::Reads | Part::Expects => None,
    }
}
