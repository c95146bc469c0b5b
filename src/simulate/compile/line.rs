//! One line of a scenario: what is so from its moment on, or happens at it.

use crate::plan::node::NodeKind;
use crate::providers::request::Direction;
use crate::simulate::compile::place::Said;
use crate::simulate::compile::{Compiler, Purpose, messages};
use crate::simulate::expect::{Expectation, When};
use crate::simulate::fault::{Fate, Fault, Reach, Reply, Times};
use crate::simulate::scenario::{Block, Moment};
use crate::simulate::script::Line;
use crate::syntax::ast::scenario::{Applying, Assign, How, Trouble};
use crate::syntax::ast::{Expr, ExprKind, Ident, Stmt, StmtKind};

/// A block, and beside it a block for each line that has a time of its own.
pub struct Part {
    pub block: Block,
    timed: Vec<Block>,
}

impl Part {
    pub fn of(block: Block) -> Part {
        Part {
            block,
            timed: Vec::new(),
        }
    }

    pub fn blocks(self) -> Vec<Block> {
        std::iter::once(self.block).chain(self.timed).collect()
    }

    fn add(&mut self, line: Line, for_ns: Option<i64>) {
        match for_ns {
            None => self.block.lines.push(line),
            Some(for_ns) => {
                let mut timed = Block::at(self.block.moment);
                timed.after_ns = self.block.after_ns;
                timed.for_ns = Some(for_ns);
                timed.lines.push(line);
                self.timed.push(timed);
            }
        }
    }
}

impl Compiler<'_> {
    pub fn line(
        &mut self,
        statement: &Stmt,
        part: &mut Part,
        expects: &mut Vec<Expectation>,
        when: When,
    ) {
        match &statement.kind {
            StmtKind::Assign(assign) => self.assigned(assign, part, statement),
            StmtKind::Trouble(trouble) => self.trouble(trouble, part),
            StmtKind::Kill(kill) if kill.applying.is_some() => {
                self.say(messages::only_in_an_open_world(kill.span));
            }
            StmtKind::Kill(kill) => {
                let lasting = kill.duration.as_ref();
                let for_ns = lasting.map_or(Some(0), |time| self.duration(time));
                part.block.kills_ns.extend(for_ns);
            }
            StmtKind::Answer(answer) if self.has_role(&answer.who) => match self.deed(answer) {
                Some(deed) => part.block.deeds.push(deed),
                None => self.say(messages::no_deed(answer.verb.span)),
            },
            StmtKind::Expect(_) | StmtKind::Promise(_) if self.purpose == Purpose::Rehearsal => {
                self.say(messages::expected_in_a_scenario(statement.span));
            }
            StmtKind::Expect(_) | StmtKind::Promise(_) => {
                if let Some(expectation) = self.expectation(statement, when) {
                    if expectation.when == When::Moment {
                        part.block.looks.push(expects.len());
                    }
                    expects.push(expectation);
                }
            }
            StmtKind::Answer(_) | StmtKind::Junk => {}
            _ => self.say(messages::no_place_in_a_scenario(statement.span)),
        }
    }

    fn assigned(&mut self, assign: &Assign, part: &mut Part, statement: &Stmt) {
        let lasting = assign.duration.as_ref();
        let for_ns = lasting.and_then(|time| self.duration(time));
        match self.assign(assign) {
            Some(Said::Line(line)) => part.add(line, for_ns),
            Some(Said::Input(..)) => self.say(messages::input_in_the_middle(statement.span)),
            None => {}
        }
    }

    fn trouble(&mut self, trouble: &Trouble, part: &mut Part) {
        let lasting = trouble.duration.as_ref();
        let for_ns = lasting.and_then(|time| self.duration(time));
        let line = match (trouble.how, &trouble.undo) {
            (How::Fails(when), _) => self.fault(trouble, Reply::Failed, when),
            (How::Unknown(when), _) => {
                self.fault(trouble, Reply::Lost, when.unwrap_or(Applying::After))
            }
            (How::Open { .. }, _) => {
                self.say(messages::only_in_an_open_world(trouble.span));
                None
            }
            (How::Down | How::Silent, Some(undo)) => {
                self.say(messages::no_undo_of_that(*undo));
                None
            }
            (How::Down, None) => self.provider_named(&trouble.what),
            (How::Silent, None) => self.role_named(&trouble.what),
        };
        if let Some(line) = line {
            part.add(line, for_ns);
        }
    }

    fn fault(&mut self, trouble: &Trouble, reply: Reply, when: Applying) -> Option<Line> {
        let (moment, 0) = self.moment(&trouble.what)? else {
            self.say(messages::no_change(trouble.what.span));
            return None;
        };
        let node = match moment {
            Moment::Node(node) => self.plan.node(node),
            _ => None,
        };
        let changes = |kind: &NodeKind| matches!(kind, NodeKind::Step(_) | NodeKind::Stage(_));
        let Some(node) = node.filter(|node| changes(&node.kind)) else {
            self.say(messages::no_change(trouble.what.span));
            return None;
        };
        let reach = match when {
            Applying::Before => Reach::Nothing,
            Applying::After => Reach::Applied,
        };
        Some(Line::Fault(Fault {
            node: node.id,
            direction: match trouble.undo {
                Some(_) => Direction::Back,
                None => Direction::Forward,
            },
            fate: Fate { reach, reply },
            times: match trouble.duration {
                Some(_) => Times::Each,
                None => Times::Once,
            },
        }))
    }

    fn provider_named(&mut self, what: &Expr) -> Option<Line> {
        match &what.kind {
            ExprKind::Name(name) if self.plan.provider(name).is_some() => Some(Line::Down {
                provider: name.clone(),
            }),
            _ => {
                let known = self.plan.providers.iter().map(|known| known.name.as_str());
                self.say(messages::no_such_provider(what.span, known));
                None
            }
        }
    }

    fn role_named(&mut self, what: &Expr) -> Option<Line> {
        let name = match &what.kind {
            ExprKind::Name(name) => name.clone(),
            _ => String::new(),
        };
        let who = Ident {
            name,
            span: what.span,
        };
        self.has_role(&who)
            .then_some(Line::Silent { role: who.name })
    }
}
