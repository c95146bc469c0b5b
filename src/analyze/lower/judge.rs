//! What is judged: the bodies of checks, of postconditions, of what a rollback verifies.

use crate::analyze::context::Cx;
use crate::analyze::env::{Env, Judged};
use crate::analyze::expr;
use crate::analyze::expr::{constant, scope};
use crate::analyze::extent;
use crate::analyze::lower::comparison::Family;
use crate::analyze::lower::{comparison, define, policy, threshold, unroll};
use crate::analyze::messages::{structure as say, typing};
use crate::analyze::typed::{Reads, Typed};
use crate::plan::Policies;
use crate::plan::expr::{Clause, Expr, Scope, Stmt};
use crate::resolve::names::What;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::{Block, Expect, ExprKind, StmtKind};
use crate::values::{Type, Value};

/// A body while it is written out.
#[derive(Debug)]
pub struct Body {
    pub stmts: Vec<Stmt>,
    /// `expect … for T`
    pub durations: Vec<(i64, Span)>,
    /// The most that a threshold in it asks for.
    pub samples: Option<u32>,
    /// How many conditions were written, sound or not.
    pub conditions: usize,
    /// Whether a metric is looked at.
    pub measured: Option<Span>,
    /// What its thresholds say, for where the check itself says nothing.
    pub policies: Policies,
    /// Of the threshold whose comparisons come next.
    pub family: Option<Family>,
    /// How many families there were.
    pub families: u32,
    locals: u32,
}

impl Default for Body {
    fn default() -> Body {
        Body {
            stmts: Vec::new(),
            durations: Vec::new(),
            samples: None,
            conditions: 0,
            measured: None,
            policies: policy::none(),
            family: None,
            families: 0,
            locals: 0,
        }
    }
}

impl Body {
    /// How many valid samples a pass needs.
    pub fn samples(&self, of_plan: u32) -> u32 {
        match (self.samples, self.measured) {
            (Some(samples), _) => samples,
            (None, Some(_)) => of_plan,
            (None, None) => 1,
        }
    }

    /// The one `for` of its expectations; different ones are reported.
    pub fn duration_ns(&self, cx: &mut Cx<'_, '_>) -> Option<i64> {
        let (first, at) = self.durations.first().copied()?;
        for (other, span) in &self.durations {
            if *other != first {
                cx.report(say::different_durations(*span, at));
            }
        }
        Some(first)
    }
}

/// All statements of a block; what binds a name binds it for those behind it.
pub fn block(cx: &mut Cx<'_, '_>, env: &Env, body: &mut Body, block: &Block) {
    let mut env = env.clone();
    env.depth += 1;
    for stmt in &block.stmts {
        statement(cx, &mut env, body, stmt);
    }
}

pub fn expect(cx: &mut Cx<'_, '_>, env: &Env, body: &mut Body, expect: &Expect) {
    if let Some(duration) = &expect.duration {
        let ns = constant::duration_ns(cx, env, duration, "the time of a `for`");
        body.durations.extend(ns.map(|ns| (ns, duration.span)));
    }
    let mut env = env.clone();
    if let Some(written) = &expect.scope {
        match scope_of(cx, &env, written) {
            Some(scope) => env.scope = Some(scope),
            None => return,
        }
    }
    if let ExprKind::Name(name) = &expect.condition.kind
        && env.lookup(name, expect.span).is_none()
        && let Some(decl) = cx.g.names.find(name).cloned()
        && let What::Threshold(threshold) = decl.what
    {
        cx.out.used.insert(decl.id);
        threshold::write_out(cx, &env, body, threshold, expect);
        return;
    }
    let text = match &expect.scope {
        Some(scope) => format!("{} on {}", cx.text(expect.condition.span), scope.name),
        None => cx.text(expect.condition.span),
    };
    clause(cx, &env, body, &expect.condition, text);
}

/// One condition that has to hold.
pub fn clause(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    body: &mut Body,
    condition: &ast::Expr,
    text: String,
) {
    body.conditions += 1;
    if let ExprKind::Against(against) = &expr::bare(condition).kind {
        let found = comparison::lower(cx, env, body, against, text);
        body.stmts.extend(found.map(Box::new).map(Stmt::Against));
        return;
    }
    let typed = expr::condition(cx, env, condition);
    if typed.is_unknown() {
        return;
    }
    sound(cx, env, &typed, condition.span);
    body.measured = body.measured.or(typed.reads.measured);
    let loc = cx.loc(condition.span);
    body.stmts.push(Stmt::Expect(Clause {
        condition: typed.expr,
        text: text.into(),
        loc,
    }));
}

/// A condition has to depend on something, and on something that can change where it is judged again.
pub fn sound(cx: &mut Cx<'_, '_>, env: &Env, typed: &Typed, span: Span) {
    if typed.reads.is_constant() {
        let always = match typed.value() {
            Some(Value::Bool(value)) => value.to_string(),
            _ => "the same".to_owned(),
        };
        cx.report(typing::constant_condition(span, &always));
    }
    let place = match env.place.judged {
        Judged::Once => return,
        Judged::ByWatch => "a watch",
        Judged::Again => "a check that is judged again",
    };
    if let (None, Some(frozen)) = (typed.reads.live, &typed.reads.frozen) {
        cx.report(typing::frozen(frozen, span, place));
    }
}

/// A `let` of a body: a constant is put in, everything else is read once for each judgement.
pub fn bind(env: &mut Env, body: &mut Body, name: &str, typed: Typed) {
    let known = typed.value().is_some() || matches!(typed.expr, Expr::Element { .. });
    if known || typed.is_unknown() {
        env.bind(name, typed);
        return;
    }
    let depth = extent::depth(&typed);
    let local = body.locals;
    body.locals += 1;
    body.stmts.push(Stmt::Let {
        local,
        value: typed.expr.clone(),
    });
    env.bind(
        name,
        Typed {
            expr: Expr::Local(local),
            reads: Reads {
                depth,
                ..typed.reads
            },
            ..typed
        },
    );
}

fn statement(cx: &mut Cx<'_, '_>, env: &mut Env, body: &mut Body, stmt: &ast::Stmt) {
    match &stmt.kind {
        StmtKind::Let(it) => {
            let typed = extent::of_let(cx, env, it);
            bind(env, body, &it.name.name, typed);
        }
        StmtKind::Expect(it) => expect(cx, env, body, it),
        StmtKind::When(when) => {
            let condition = expr::check(cx, env, &when.condition, &Type::Bool);
            let mut inner = Body {
                locals: body.locals,
                families: body.families,
                ..Body::default()
            };
            block(cx, env, &mut inner, &when.body);
            let stmts = merge(body, inner);
            if !condition.is_unknown() {
                body.stmts.push(Stmt::When {
                    condition: condition.expr,
                    body: stmts,
                });
            }
        }
        StmtKind::For(each) => {
            for round in unroll::rounds(cx, env, each) {
                let mut env = env.clone();
                let mut copy = Body {
                    locals: body.locals,
                    families: body.families,
                    ..Body::default()
                };
                bind(&mut env, &mut copy, &each.name.name, round.element);
                block(cx, &env, &mut copy, &each.body);
                let stmts = merge(body, copy);
                match round.applies {
                    Some(condition) => body.stmts.push(Stmt::When {
                        condition,
                        body: stmts,
                    }),
                    None => body.stmts.extend(stmts),
                }
            }
        }
        StmtKind::Call(call) => define::in_body(cx, env, body, call),
        StmtKind::Setting(setting) if setting.word.name == "samples" => {
            let samples = constant::count(cx, env, &setting.value, "the number of samples");
            body.samples = body.samples.max(samples);
        }
        // Read by the check itself.
        StmtKind::Policy(_) | StmtKind::Junk => {}
        _ => cx.report(say::misplaced(stmt, "in what is judged, which only reads")),
    }
}

/// Takes over what a nested body learned; its statements stand in the `when`.
fn merge(body: &mut Body, inner: Body) -> Vec<Stmt> {
    body.locals = inner.locals;
    body.families = inner.families;
    body.conditions += inner.conditions;
    body.durations.extend(inner.durations);
    body.samples = body.samples.max(inner.samples);
    body.measured = body.measured.or(inner.measured);
    body.policies = policy::over(&body.policies, &inner.policies);
    inner.stmts
}

fn scope_of(cx: &mut Cx<'_, '_>, env: &Env, written: &ast::Ident) -> Option<Scope> {
    let Some(scope) = scope::of_word(&written.name) else {
        cx.report(say::unknown_scope(written));
        return None;
    };
    scope::canary_here(cx, env, &scope, written.span)?;
    Some(scope)
}
