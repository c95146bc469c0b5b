//! The tree that the parser makes: what was written, with a span on everything and every comment in it.
//!
//! **Invariant:** nothing here is checked beyond the grammar. Names are not resolved, units not looked up, and a
//! statement may stand in a block where it has no business: saying so is for `resolve` and `analyze`.

pub mod clause;
pub mod policy;
pub mod scenario;
pub mod settings;
mod word;

use crate::source::Span;
use crate::syntax::ast::clause::Clause;
use crate::syntax::ast::policy::{NoData, Policy, Rule};
use crate::syntax::ast::scenario::{Answer, Assign, At, Kill, Promise, Scenario, Trouble};
use serde::{Deserialize, Serialize};

/// One `.deploy` file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// `deploy 1`; `None` when the line is missing, which the parser has reported then.
    pub version: Option<LanguageVersion>,
    pub items: Vec<Item>,
    /// Comments after the last item.
    pub trailing: Vec<Comment>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LanguageVersion {
    pub number: String,
    pub span: Span,
    pub comments: Comments,
}

/// `// …` to the end of the line, with the two slashes.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    pub text: String,
    pub span: Span,
    /// Whether an empty line stands before it.
    pub blank_before: bool,
}

/// The comments that belong to an item or a statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comments {
    /// On lines of their own before it.
    pub leading: Vec<Comment>,
    /// On the line where it ends; where it has a block, on the line of the `{`.
    pub trailing: Vec<Comment>,
    /// Whether an empty line stands before it (and its leading comments).
    pub blank_before: bool,
    /// Whether an empty line stands between its leading comments and itself.
    pub blank_between: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub kind: ItemKind,
    pub span: Span,
    pub comments: Comments,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    Plan(PlanItem),
    Input(Input),
    Order(Order),
    Phase(Phase),
    Watch(Watch),
    Rollback(Rollback),
    /// `on success notify …`
    On(Handler),
    Define(Define),
    Threshold(Threshold),
    Metric(Metric),
    Let(Let),
    Role(Role),
    Provider(Provider),
    /// A scripted day for `simulate`, in files of their own beside the plan.
    Scenario(Scenario),
    /// A scenario with expectations, for `test`.
    Test(Scenario),
    Invariant(Invariant),
    /// Text that did not parse; the diagnostics say why.
    Junk,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident {
    pub name: String,
    pub span: Span,
}

/// What may stand on everything that does an item's work: `NAME "title", "NIST 800-53"`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    pub name: Option<Ident>,
    pub title: Option<StringLit>,
    pub refs: Vec<Reference>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    pub id: String,
    pub span: Span,
}

/// `{ … }` with its statements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    pub stmts: Vec<Stmt>,
    /// Before the `}`.
    pub trailing: Vec<Comment>,
    /// Behind the `}`, on its line.
    pub closing: Vec<Comment>,
}

// ---- items -----------------------------------------------------------------------------------------------

#[derive(Clone, Debug, PartialEq)]
pub struct PlanItem {
    pub name: Ident,
    pub title: Option<StringLit>,
    /// `window`, `deadline`, `sample`, `samples`, `zone`, policies: [`StmtKind::Setting`], [`StmtKind::Policy`]; and
    /// [`StmtKind::Concurrent`], [`StmtKind::Freeze`].
    pub body: Block,
}

/// `invariant "title" { rollback.longest < 15m }`
#[derive(Clone, Debug, PartialEq)]
pub struct Invariant {
    /// Never has a name.
    pub head: Head,
    /// Claims: [`StmtKind::Bound`], [`StmtKind::Call`].
    pub body: Block,
}

/// `input version: version = v1.0 place`
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub name: Ident,
    pub ty: TypeExpr,
    pub default: Option<Expr>,
    /// `place`: differs between environments, is no part of the digest.
    pub place: Option<Span>,
}

/// `order NAME "title" ref ID = a -> [b, c] -> d`; name, title and refs are optional.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub head: Head,
    /// Each step of the chain, one or more names wide.
    pub chain: Vec<Vec<Ident>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Always has a name.
    pub head: Head,
    pub place: Place,
    pub body: Block,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// `after a, b`
    pub after: Vec<Ident>,
    /// `at start`
    pub at_start: Option<Span>,
}

/// `watch "…" during A .. B { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    pub head: Head,
    pub during: Range,
    /// [`StmtKind::Rule`], [`StmtKind::NoData`], [`StmtKind::Section`], [`StmtKind::Let`], [`StmtKind::For`].
    pub body: Block,
}

/// `A .. B` of phases, steps or stages; `A` alone is `A .. A`.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    pub from: Ident,
    pub to: Ident,
    pub span: Span,
}

/// `rollback [during A .. B] within T { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Rollback {
    pub during: Option<Range>,
    pub within: Option<Expr>,
    /// `notify`, `verify` and `let`.
    pub body: Block,
}

/// `on success notify room "…"`
#[derive(Clone, Debug, PartialEq)]
pub struct Handler {
    /// `start`, `success`, `rolled_back`, `rollback_incomplete`.
    pub event: Ident,
    pub notify: Notify,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Define {
    pub name: Ident,
    pub params: Vec<Param>,
    pub body: Block,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: Ident,
    pub ty: TypeExpr,
}

/// A named list of bounds: `threshold slo { error_rate < 0.1%  samples 8  on no data for 1m … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub name: Ident,
    /// [`StmtKind::Bound`], [`StmtKind::Setting`] (`samples`), [`StmtKind::Policy`].
    pub body: Block,
}

/// `metric p95: duration = prom.query(`…`) in s lower is better`
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub name: Ident,
    pub ty: TypeExpr,
    pub value: Expr,
    /// `in s`: the unit of the raw number.
    pub unit: Option<Ident>,
    /// `absent as 0/s`
    pub absent: Option<Expr>,
    /// `lower is better` / `higher is better`.
    pub better: Option<(Better, Span)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Lower,
    Higher,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    pub name: Ident,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    pub name: Ident,
    pub title: Option<StringLit>,
    /// `role oncall "On call" = ["ana", "ben"]`: who has the role; anybody who says so where it is not written.
    pub members: Option<Expr>,
}

/// `provider prom = prometheus { url: "…" }`
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    pub name: Ident,
    pub kind: Ident,
    pub settings: Vec<Entry>,
    pub trailing: Vec<Comment>,
}

/// `key: value`
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: Ident,
    pub value: Expr,
    pub comments: Comments,
}

// ---- statements ------------------------------------------------------------------------------------------

#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
    pub comments: Comments,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// A heading with defaults for its items; orders nothing.
    Section(Section),
    Check(Check),
    Step(Box<Step>),
    Canary(Canary),
    Stage(Stage),
    Confirm(Confirm),
    /// `"title" ref ID` inside a `confirm … { }` block.
    Line(Head),
    Approve(Approve),
    Hold(Hold),
    Every(Every),
    Notify(Notify),
    When(When),
    Parallel(Block),
    For(For),
    Let(Let),
    Expect(Expect),
    /// A call of a `define` as a statement: `healthy("/health")`.
    Call(Expr),
    /// A bound in a threshold, without `expect`: `p95 < 200ms`.
    Bound(Expr),
    Policy(Policy),
    /// A word with a value: `confidence 95%`, `windows 4`, `window A .. B`, `deadline 36h`, `sample every 15s`, `samples 8`, `zone UTC`.
    Setting(Setting),
    /// Of a plan: `concurrent runs queue up to 30m`.
    Concurrent(settings::Concurrent),
    /// Of a plan: `freeze A .. B "title"`.
    Freeze(settings::Freeze),
    /// A rule of a watch.
    Rule(Rule),
    NoData(NoData),
    /// Of a rollback.
    Verify(Check),
    /// Of a scenario: `at EXPR { … }`.
    At(At),
    /// Of a scenario: `canary.error_rate = 12%`, `always api.get("/health").status = 503`.
    Assign(Assign),
    /// Of a scenario: `engineer approves go_live`, `engineer confirms X0-084 after 2m`, `manager rejects go_live`.
    Answer(Answer),
    /// Of a scenario: `prom is down for 2m`, `release fails before applying`.
    Trouble(Trouble),
    /// Of a scenario: `kill for 5m`.
    Kill(Kill),
    /// Of a test: an `expect` about the run, its order or its times.
    Promise(Promise),
    /// Text that did not parse; the diagnostics say why.
    Junk,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub head: Head,
    pub options: Vec<Clause>,
    pub body: Block,
}

/// `check "…" ref … within T expect C` / `{ … }` / `= f(x)`. A `verify` has the same shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub head: Head,
    pub options: Vec<Clause>,
    pub body: CheckBody,
}

#[derive(Clone, Debug, PartialEq)]
pub enum CheckBody {
    /// `expect C`
    Expect(Expect),
    /// `{ … }`
    Block(Block),
    /// `= f(x)`
    Call(Expr),
}

/// `expect C [on SCOPE] [for T]`: also names of thresholds stand as `C`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    pub condition: Expr,
    /// `on canary`
    pub scope: Option<Ident>,
    /// `for T`
    pub duration: Option<Expr>,
    pub span: Span,
}

/// `step NAME "…" = CALL timeout T undo … { expect … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub head: Head,
    pub call: Expr,
    pub options: Vec<Clause>,
    /// Postconditions.
    pub body: Option<Block>,
}

/// `canary STEP undo timeout T { stage … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Canary {
    pub target: Ident,
    pub head: Head,
    pub options: Vec<Clause>,
    pub body: Block,
}

/// `stage W [± T] [pods N] [within T] "…" ref … { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub head: Head,
    pub weight: Expr,
    pub tolerance: Option<Expr>,
    pub options: Vec<Clause>,
    pub body: Block,
}

/// `confirm "…" by R within T`, or a block of lines with the same `by` and `within`.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirm {
    pub head: Head,
    pub options: Vec<Clause>,
    pub lines: Option<Block>,
}

/// `approve NAME "…" by 2 of (R, S) within T expires U`
#[derive(Clone, Debug, PartialEq)]
pub struct Approve {
    pub head: Head,
    pub options: Vec<Clause>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    pub duration: Expr,
    pub head: Head,
}

/// `every T for D "…" { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Every {
    pub period: Expr,
    pub total: Option<Expr>,
    pub head: Head,
    pub body: Block,
}

/// `notify R "title" ref … "text"`. With one string and no `ref`, that string is the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Notify {
    pub target: Ident,
    pub head: Head,
    pub text: Option<StringLit>,
    pub options: Vec<Clause>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct When {
    pub condition: Expr,
    pub body: Block,
}

/// `for x in LIST [up to N] { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    pub name: Ident,
    pub list: Expr,
    pub up_to: Option<Expr>,
    pub body: Block,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub word: Ident,
    pub value: Expr,
}

// ---- expressions -----------------------------------------------------------------------------------------

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Bool(bool),
    /// A number and its unit as written: `200ms`, `99.9%`, `3500/s`, `0.5 cores`, `64MiB/h`, `+20%`, `7`.
    Number {
        digits: String,
        unit: Option<Box<Ident>>,
    },
    /// `v1.20`
    Version(String),
    /// `2026-01-21T06:00Z`, `2026-01-21 06:30`, `06:30` (as the end of a range on the day of its start).
    Instant(String),
    /// `2026-03-15Z`
    Date(String),
    String(StringLit),
    /// Between backquotes: never interpolated.
    Raw(String),
    Name(String),
    /// `base.field`
    Field(Box<Expr>, Ident),
    /// `callee(args)`
    Call(Box<Expr>, Vec<Arg>),
    List(Vec<Expr>),
    /// `{ key: value, … }`
    Map(Vec<Entry>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Box<Expr>, BinaryOp, Box<Expr>),
    /// `10% <= cpu <= 30%`: an operand, then operators with operands.
    Compare(Box<Expr>, Vec<(CompareOp, Expr)>),
    /// `p95 no worse than stable.p95 by 10%`
    Against(Box<Against>),
    /// `all xs`, `count xs`; a comparison behind it binds less tightly: `all xs == "ok"` judges each.
    Aggregate(Aggregate, Box<Expr>),
    /// `x as string`, `x as rate<count> in 1/s`
    As(Box<Expr>, Box<(TypeExpr, Option<Ident>)>),
    /// `x in s`
    In(Box<Expr>, Ident),
    /// `A .. B`
    Range(Box<Expr>, Box<Expr>),
    /// `secret(env "NAME")`
    Secret(StringLit),
    /// `(x)`: kept for the printer.
    Paren(Box<Expr>),
    /// Text that did not parse.
    Junk,
}

/// A comparison with a baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    pub measured: Expr,
    pub how: AgainstHow,
    pub baseline: Expr,
    pub margin: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgainstHow {
    NoWorse,
    Near,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    pub label: Option<Ident>,
    pub value: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    And,
    Or,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    Any,
    All,
    Max,
    Min,
    Sum,
    Avg,
    Count,
}

/// `"…${x}…"`
#[derive(Clone, Debug, PartialEq)]
pub struct StringLit {
    pub parts: Vec<StringPart>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StringPart {
    /// With its escapes resolved.
    Text(String),
    Interpolation(Expr),
}

/// `list<string>`, `rate<count>`, `duration`
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    pub name: String,
    pub args: Vec<TypeExpr>,
    pub span: Span,
}
