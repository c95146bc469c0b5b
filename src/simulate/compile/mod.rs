//! Scenarios, from the tree to what the driver plays: each name is looked up in the plan, each value has to fit.

pub mod expect;
mod line;
pub mod messages;
pub mod moment;
pub mod place;
mod series;
mod term;
pub mod value;

use crate::diagnostics::Diagnostic;
use crate::plan::Plan;
use crate::plan::node::{Node, NodeKind};
use crate::providers::{ProviderKind, catalog};
use crate::simulate::compile::line::Part;
use crate::simulate::compile::place::Said;
use crate::simulate::expect::{Expectation, When};
use crate::simulate::scenario::{Asked, Block, Deed, DeedKind, Moment, Reply, Says, Scenario};
use crate::syntax::ast;
use crate::syntax::ast::StmtKind;

/// What a scenario is resolved against, and what was found wrong with it.
pub struct Compiler<'p> {
    pub plan: &'p Plan,
    /// Whether it may expect something.
    pub purpose: Purpose,
    pub diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is watched.
    Rehearsal,
    /// It is a test.
    Test,
}

/// Another scenario beside this one, by the stem of its file.
pub type Others<'o> = &'o dyn Fn(&str) -> Option<ast::scenario::Scenario>;

/// How many scenarios may stand on each other.
const LIKE_DEPTH_MAX: usize = 8;

/// # Errors
/// All that is wrong with it.
pub fn scenario(
    plan: &Plan,
    tree: &ast::scenario::Scenario,
    others: Others,
) -> Result<Scenario, Vec<Diagnostic>> {
    compiled(plan, tree, others, Purpose::Rehearsal)
}

/// # Errors
/// All that is wrong with it; a test that expects nothing is, too.
pub fn test(
    plan: &Plan,
    tree: &ast::scenario::Scenario,
    others: Others,
) -> Result<Scenario, Vec<Diagnostic>> {
    let test = compiled(plan, tree, others, Purpose::Test)?;
    match (&tree.title, test.expects.is_empty()) {
        (Some(title), true) => Err(vec![messages::expects_nothing(title.span)]),
        _ => Ok(test),
    }
}

fn compiled(
    plan: &Plan,
    tree: &ast::scenario::Scenario,
    others: Others,
    purpose: Purpose,
) -> Result<Scenario, Vec<Diagnostic>> {
    let mut compiler = Compiler {
        plan,
        purpose,
        diagnostics: Vec::new(),
    };
    let mut scenario = Scenario::default();
    compiler.add(tree, others, &mut scenario, LIKE_DEPTH_MAX);
    if compiler.diagnostics.is_empty() {
        Ok(scenario)
    } else {
        Err(compiler.diagnostics)
    }
}

impl Compiler<'_> {
    fn add(
        &mut self,
        tree: &ast::scenario::Scenario,
        others: Others,
        into: &mut Scenario,
        depth: usize,
    ) {
        let mut start = Part::of(Block::at(Moment::Start));
        for statement in &tree.body.stmts {
            match &statement.kind {
                StmtKind::Setting(setting) if setting.word.name == "like" => {
                    self.like(setting, others, into, depth);
                }
                StmtKind::At(at) => {
                    let blocks = self.block(at, &mut into.expects);
                    into.blocks.extend(blocks);
                }
                StmtKind::Assign(assign) if assign.every.is_none() && assign.duration.is_none() => {
                    match self.assign(assign) {
                        Some(Said::Input(name, value)) => {
                            into.inputs.insert(name, value);
                        }
                        Some(Said::Line(line)) => start.block.lines.push(line),
                        None => {}
                    }
                }
                StmtKind::Answer(answer) => self.answer(answer, into, &mut start.block),
                _ => self.line(statement, &mut start, &mut into.expects, When::End),
            }
        }
        // Behind what it is like, before what happens later.
        let later = into
            .blocks
            .iter()
            .position(|block| block.moment != Moment::Start);
        let later = later.unwrap_or(into.blocks.len());
        into.blocks.splice(later..later, start.blocks());
        if let Some(title) = &tree.title {
            into.title = value::plain_text(title).unwrap_or_default();
        }
    }

    fn like(&mut self, setting: &ast::Setting, others: Others, into: &mut Scenario, depth: usize) {
        let name = match &setting.value.kind {
            ast::ExprKind::String(text) => value::plain_text(text),
            _ => None,
        };
        let other = name.as_deref().and_then(others).filter(|_| depth > 0);
        match other {
            Some(other) => self.add(&other, others, into, depth - 1),
            None => self.say(messages::no_such_scenario(setting.value.span)),
        }
    }

    fn block(&mut self, at: &ast::scenario::At, expects: &mut Vec<Expectation>) -> Vec<Block> {
        let (moment, after_ns) = match &at.moment {
            Some(moment) => match self.moment(moment) {
                Some(moment) => moment,
                None => return Vec::new(),
            },
            None => (Moment::Start, 0),
        };
        let when = match at.moment {
            Some(_) => When::Moment,
            None => When::Always,
        };
        let mut part = Part::of(Block::at(moment));
        part.block.after_ns = after_ns;
        if let Some(duration) = &at.duration {
            part.block.for_ns = self.duration(duration);
        }
        for statement in &at.body.stmts {
            self.line(statement, &mut part, expects, when);
        }
        part.blocks()
    }

    fn answer(&mut self, answer: &ast::scenario::Answer, into: &mut Scenario, start: &mut Block) {
        if !self.has_role(&answer.who) {
            return;
        }
        if let Some(deed) = self.deed(answer) {
            start.deeds.push(deed);
            return;
        }
        let (to, says) = match answer.verb.name.as_str() {
            "approves" => (Asked::Approve, Says::Yes),
            "rejects" => (Asked::Approve, Says::No),
            "confirms" => (Asked::Confirm, Says::Yes),
            _ => (Asked::Confirm, Says::No),
        };
        let node = match &answer.item {
            None => None,
            Some(item) => match self.question(to, &item.id) {
                Some(node) => Some(node),
                None => return self.say(messages::no_such_question(&item.id, item.span)),
            },
        };
        let after_ns = match &answer.after {
            None => 0,
            Some(after) => self.duration(after).unwrap_or_default(),
        };
        into.replies.push(Reply {
            role: answer.who.name.clone(),
            to,
            node,
            says,
            after_ns,
        });
    }

    pub fn deed(&mut self, answer: &ast::scenario::Answer) -> Option<Deed> {
        let what = match answer.verb.name.as_str() {
            "aborts" => DeedKind::Abort,
            _ => return None,
        };
        let after = answer.after.as_ref();
        Some(Deed {
            who: answer.who.name.clone(),
            after_ns: after.and_then(|after| self.duration(after)).unwrap_or(0),
            what,
        })
    }

    pub fn has_role(&mut self, who: &ast::Ident) -> bool {
        let known = self.plan.roles.iter().map(|role| role.name.as_str());
        if known.clone().any(|name| name == who.name) {
            return true;
        }
        let message = messages::no_such_role(&who.name, who.span, known);
        self.say(message);
        false
    }

    fn question(&self, to: Asked, id: &str) -> Option<crate::plan::node::NodeId> {
        let is_it = |node: &&Node| {
            let kind = match to {
                Asked::Confirm => matches!(node.kind, NodeKind::Confirm(_)),
                Asked::Approve => matches!(node.kind, NodeKind::Approve(_)),
            };
            kind && (node.name.as_deref() == Some(id) || node.refs.iter().any(|known| known == id))
        };
        self.plan.nodes.iter().find(is_it).map(|node| node.id)
    }

    /// The kind of a provider of the plan.
    pub fn provider(&self, name: &str) -> Option<&'static ProviderKind> {
        let provider = self.plan.provider(name)?;
        catalog::find(&provider.kind)
    }

    pub fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

impl Block {
    fn at(moment: Moment) -> Block {
        Block {
            moment,
            after_ns: 0,
            for_ns: None,
            lines: Vec::new(),
            deeds: Vec::new(),
            kills_ns: Vec::new(),
            looks: Vec::new(),
        }
    }
}
