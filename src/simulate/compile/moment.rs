//! Moments of a scenario: `rollout.stage(50%) + 2m`.

use crate::plan::node::{Node, NodeId, NodeKind};
use crate::simulate::compile::value::plain_text;
use crate::simulate::compile::{Compiler, messages};
use crate::simulate::scenario::Moment;
use crate::syntax::ast::{Arg, BinaryOp, Expr, ExprKind};
use crate::units::amount::{Amount, NANO, Nano};
use crate::values::Value;

impl Compiler<'_> {
    /// The moment, and how long after it, in nanoseconds.
    pub fn moment(&mut self, expr: &Expr) -> Option<(Moment, i64)> {
        match &expr.kind {
            ExprKind::Binary(moment, BinaryOp::Add, after) => {
                let (moment, before_ns) = self.moment(moment)?;
                let after_ns = self.duration(after)?;
                Some((moment, before_ns.saturating_add(after_ns)))
            }
            ExprKind::Binary(moment, BinaryOp::Sub, before) => {
                let (moment, before_ns) = self.moment(moment)?;
                let after_ns = before_ns.saturating_sub(self.duration(before)?);
                if after_ns < 0 {
                    self.say(messages::before_its_moment(expr.span));
                    return None;
                }
                Some((moment, after_ns))
            }
            ExprKind::Paren(inner) => self.moment(inner),
            ExprKind::Instant(_) => match self.value(expr)? {
                Value::Instant(at) => Some((Moment::At(at), 0)),
                _ => None,
            },
            ExprKind::Name(name) => self.named(name, expr),
            ExprKind::Call(callee, args) => match self.by_path(callee, args) {
                Some(node) => Some((Moment::Node(node), 0)),
                None => self.stage(callee, args, expr),
            },
            ExprKind::Field(base, field) if field.name == "started" => self.moment(base),
            _ => self.no_moment(expr),
        }
    }

    fn named(&mut self, name: &str, expr: &Expr) -> Option<(Moment, i64)> {
        match name {
            "start" => Some((Moment::Start, 0)),
            "rollback" => Some((Moment::Rollback, 0)),
            _ => match self.node(name) {
                Some(node) => Some((Moment::Node(node), 0)),
                None => self.no_moment(expr),
            },
        }
    }

    /// `item("rollout/canary/stage-50/check-1")`
    fn by_path(&self, callee: &Expr, args: &[Arg]) -> Option<NodeId> {
        let path = match (&callee.kind, args) {
            (ExprKind::Name(name), [path]) if name == "item" => match &path.value.kind {
                ExprKind::String(path) => plain_text(path)?,
                _ => return None,
            },
            _ => return None,
        };
        let found = self.plan.nodes.iter().find(|node| node.path == path);
        found.map(|node| node.id)
    }

    fn stage(&mut self, callee: &Expr, args: &[Arg], expr: &Expr) -> Option<(Moment, i64)> {
        let ExprKind::Field(base, field) = &callee.kind else {
            return self.no_moment(expr);
        };
        let (ExprKind::Name(phase), "stage", [weight]) = (&base.kind, field.name.as_str(), args)
        else {
            return self.no_moment(expr);
        };
        let Some(phase) = self.node(phase) else {
            return self.no_moment(base);
        };
        let weight = match self.value(&weight.value)? {
            Value::Quantity(quantity) => quantity.amount,
            _ => return self.no_moment(expr),
        };
        let stages = self.stages(phase);
        let found = stages
            .iter()
            .find(|(_, known)| matches!(weight, Amount::Exact(weight) if weight == *known));
        match found {
            Some((stage, _)) => Some((Moment::Node(*stage), 0)),
            None => {
                let known: Vec<String> =
                    stages.iter().map(|(_, weight)| percent(*weight)).collect();
                let message = messages::no_such_stage(expr.span, known.iter().map(String::as_str));
                self.say(message);
                None
            }
        }
    }

    /// The stages below a node.
    fn stages(&self, below: NodeId) -> Vec<(NodeId, Nano)> {
        let all = self.plan.nodes.iter();
        all.filter(|node| self.is_below(node, below))
            .filter_map(|node| match &node.kind {
                NodeKind::Stage(stage) => Some((node.id, stage.weight)),
                _ => None,
            })
            .collect()
    }

    fn is_below(&self, node: &Node, ancestor: NodeId) -> bool {
        let mut up = node.parent;
        while let Some(parent) = up {
            if parent == ancestor {
                return true;
            }
            up = self.plan.node(parent).and_then(|node| node.parent);
        }
        false
    }

    fn node(&self, name: &str) -> Option<NodeId> {
        let is_it = |node: &&Node| node.name.as_deref() == Some(name);
        self.plan.nodes.iter().find(is_it).map(|node| node.id)
    }

    fn no_moment(&mut self, expr: &Expr) -> Option<(Moment, i64)> {
        self.say(messages::no_moment(expr.span));
        None
    }
}

fn percent(weight: Nano) -> String {
    format!("{}%", weight.0 as f64 * 100.0 / NANO as f64)
}
