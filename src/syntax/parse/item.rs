//! Items: what stands at the top of a file.

use crate::source::Span;
use crate::syntax::ast::scenario::Scenario;
use crate::syntax::ast::settings::{Concurrent, ConcurrentHow, Freeze};
use crate::syntax::ast::{
    Better, Block, Define, Entry, Expr, ExprKind, Handler, Head, Ident, Input, Invariant, Item,
    ItemKind, LanguageVersion, Metric, Notify, Order, Param, Phase, Place, PlanItem, Provider,
    Range, Role, Rollback, Threshold, TypeExpr, Watch,
};
use crate::syntax::grammar::Rule;
use crate::syntax::parse::builder::{Builder, Node, missing_expr, missing_ident};

impl Builder<'_> {
    pub fn version(&mut self, node: Node<'_>) -> LanguageVersion {
        let span = self.span(&node);
        let mut comments = self.comments.leading(self.source, span.start as usize);
        let number = node.into_inner().next();
        comments
            .trailing
            .extend(self.comments.behind(self.source, span.end as usize));
        LanguageVersion {
            number: number
                .map_or("", |number| number.as_str())
                .trim_end()
                .to_owned(),
            span,
            comments,
        }
    }

    pub fn item(&mut self, node: Node<'_>) -> Item {
        let span = self.span(&node);
        let mut comments = self.comments.leading(self.source, span.start as usize);
        let kind = self.item_kind(node);
        comments
            .leading
            .extend(self.comments.before(span.end as usize));
        self.finish_comments(&mut comments, span);
        Item {
            kind,
            span,
            comments,
        }
    }

    fn item_kind(&mut self, node: Node<'_>) -> ItemKind {
        match node.as_rule() {
            Rule::plan => ItemKind::Plan(self.plan(node)),
            Rule::input => ItemKind::Input(self.input(node)),
            Rule::order => ItemKind::Order(self.order(node)),
            Rule::phase => ItemKind::Phase(self.phase(node)),
            Rule::watch => ItemKind::Watch(self.watch(node)),
            Rule::rollback => ItemKind::Rollback(self.rollback(node)),
            Rule::handler => ItemKind::On(self.handler(node)),
            Rule::define => ItemKind::Define(self.define(node)),
            Rule::threshold => {
                let (name, _, body) = self.named_block(node);
                ItemKind::Threshold(Threshold { name, body })
            }
            Rule::metric => ItemKind::Metric(self.metric(node)),
            Rule::let_ => ItemKind::Let(self.let_(node)),
            Rule::role => ItemKind::Role(self.role(node)),
            Rule::provider => ItemKind::Provider(self.provider(node)),
            Rule::scenario => ItemKind::Scenario(self.scenario(node)),
            Rule::test => ItemKind::Test(self.scenario(node)),
            Rule::invariant => {
                let (_, head, body) = self.named_block(node);
                ItemKind::Invariant(Invariant { head, body })
            }
            _ => {
                self.junk(node);
                ItemKind::Junk
            }
        }
    }

    fn plan(&mut self, node: Node<'_>) -> PlanItem {
        let (name, title, body) = self.named_block(node);
        PlanItem {
            name,
            title: title.title,
            body,
        }
    }

    /// `concurrent runs HOW` in it.
    pub fn concurrent(&mut self, node: Node<'_>) -> Concurrent {
        let mut how = ConcurrentHow::Reject;
        for inner in node.into_inner() {
            let rule = inner.as_rule();
            let mut parts = inner.into_inner();
            let up_to = parts.find(|part| part.as_rule() == Rule::up_to);
            let up_to = up_to.map(|up_to| self.inner_expr(up_to));
            match rule {
                Rule::queue => how = ConcurrentHow::Queue { up_to },
                Rule::replace => how = ConcurrentHow::Replace { up_to },
                _ => {}
            }
        }
        Concurrent { how }
    }

    /// `freeze A .. B "title"` in it.
    pub fn freeze(&mut self, node: Node<'_>) -> Freeze {
        let mut freeze = Freeze {
            window: missing_expr(self.span(&node)),
            head: Head::default(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::amount => freeze.window = self.expr(inner),
                _ => {
                    self.head_part(&mut freeze.head, &inner);
                }
            }
        }
        freeze
    }

    /// A name, perhaps a title, and a block.
    fn named_block(&mut self, node: Node<'_>) -> (Ident, Head, Block) {
        let mut name = missing_ident(self.span(&node));
        let mut head = Head::default();
        let mut body = Block::default();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => name = self.ident(&inner),
                Rule::block => body = self.block(inner),
                _ => {
                    self.head_part(&mut head, &inner);
                }
            }
        }
        (name, head, body)
    }

    fn input(&mut self, node: Node<'_>) -> Input {
        let span = self.span(&node);
        let mut input = Input {
            name: missing_ident(span),
            ty: missing_type(span),
            default: None,
            place: None,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => input.name = self.ident(&inner),
                Rule::r#type => input.ty = self.type_expr(inner),
                Rule::default => input.default = Some(self.inner_expr(inner)),
                Rule::place => input.place = Some(self.span(&inner)),
                _ => {}
            }
        }
        input
    }

    fn order(&mut self, node: Node<'_>) -> Order {
        let mut order = Order {
            head: Head::default(),
            chain: Vec::new(),
        };
        for inner in node.into_inner() {
            if inner.as_rule() == Rule::chain {
                let groups = inner
                    .into_inner()
                    .filter(|group| group.as_rule() == Rule::group);
                order.chain = groups.map(|group| self.inner_idents(group)).collect();
            } else {
                self.head_part(&mut order.head, &inner);
            }
        }
        order
    }

    fn phase(&mut self, node: Node<'_>) -> Phase {
        let mut phase = Phase {
            head: Head::default(),
            place: Place::default(),
            body: Block::default(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => phase.head.name = Some(self.ident(&inner)),
                Rule::after_names => phase.place.after.extend(self.inner_idents(inner)),
                Rule::at_start => phase.place.at_start = Some(self.span(&inner)),
                Rule::block => phase.body = self.block(inner),
                _ => {
                    self.head_part(&mut phase.head, &inner);
                }
            }
        }
        phase
    }

    fn watch(&mut self, node: Node<'_>) -> Watch {
        let span = self.span(&node);
        let mut during: Option<Range> = None;
        let mut head = Head::default();
        let mut body = Block::default();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::during => self.during(&mut during, inner),
                Rule::block => body = self.block(inner),
                _ => {
                    self.head_part(&mut head, &inner);
                }
            }
        }
        let during = during.unwrap_or_else(|| {
            self.watch_without_range(span);
            Range {
                from: missing_ident(span),
                to: missing_ident(span),
                span,
            }
        });
        Watch { head, during, body }
    }

    fn rollback(&mut self, node: Node<'_>) -> Rollback {
        let mut rollback = Rollback {
            during: None,
            within: None,
            body: Block::default(),
        };
        for inner in node.into_inner() {
            let span = self.span(&inner);
            match inner.as_rule() {
                Rule::during => self.during(&mut rollback.during, inner),
                Rule::within => {
                    let within = self.inner_expr(inner);
                    if let Some(first) = &rollback.within {
                        self.said_twice("`within`", first.span, span);
                    }
                    rollback.within = Some(within);
                }
                Rule::block => rollback.body = self.block(inner),
                _ => {}
            }
        }
        rollback
    }

    fn during(&mut self, during: &mut Option<Range>, node: Node<'_>) {
        let span = self.span(&node);
        let mut names = self.inner_idents(node).into_iter();
        let from = names.next().unwrap_or_else(|| missing_ident(span));
        let to = names.next().unwrap_or_else(|| from.clone());
        if let Some(first) = during {
            self.said_twice("`during`", first.span, span);
        }
        *during = Some(Range { from, to, span });
    }

    fn handler(&mut self, node: Node<'_>) -> Handler {
        let span = self.span(&node);
        let mut event = missing_ident(span);
        let mut notify = Notify {
            target: missing_ident(span),
            head: Head::default(),
            text: None,
            options: Vec::new(),
            span,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::event => event = self.ident(&inner),
                Rule::notify => notify = self.notify(inner),
                _ => {}
            }
        }
        Handler { event, notify }
    }

    fn define(&mut self, node: Node<'_>) -> Define {
        let mut define = Define {
            name: missing_ident(self.span(&node)),
            params: Vec::new(),
            body: Block::default(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => define.name = self.ident(&inner),
                Rule::params => {
                    let params = inner.into_inner().filter(|p| p.as_rule() == Rule::param);
                    define.params = params.map(|param| self.param(param)).collect();
                }
                Rule::block => define.body = self.block(inner),
                _ => {}
            }
        }
        define
    }

    fn param(&mut self, node: Node<'_>) -> Param {
        let span = self.span(&node);
        let mut param = Param {
            name: missing_ident(span),
            ty: missing_type(span),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => param.name = self.ident(&inner),
                Rule::r#type => param.ty = self.type_expr(inner),
                _ => {}
            }
        }
        param
    }

    fn metric(&mut self, node: Node<'_>) -> Metric {
        let span = self.span(&node);
        let mut metric = Metric {
            name: missing_ident(span),
            ty: missing_type(span),
            value: missing_expr(span),
            unit: None,
            absent: None,
            better: None,
        };
        for inner in node.into_inner() {
            let span = self.span(&inner);
            match inner.as_rule() {
                Rule::name_word => metric.name = self.ident(&inner),
                Rule::r#type => metric.ty = self.type_expr(inner),
                Rule::expr => (metric.value, metric.unit) = without_unit(self.expr(inner)),
                Rule::absent => {
                    if let Some(first) = &metric.absent {
                        self.said_twice("`absent as`", first.span, span);
                    }
                    metric.absent = Some(self.inner_expr(inner));
                }
                Rule::better => {
                    if let Some((_, first)) = metric.better {
                        self.said_twice("the better direction", first, span);
                    }
                    metric.better = Some((better(inner), span));
                }
                _ => {}
            }
        }
        metric
    }

    fn role(&mut self, node: Node<'_>) -> Role {
        let mut role = Role {
            name: missing_ident(self.span(&node)),
            title: None,
            members: None,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => role.name = self.ident(&inner),
                Rule::title => role.title = Some(self.title(inner)),
                Rule::members => role.members = Some(self.inner_expr(inner)),
                _ => {}
            }
        }
        role
    }

    fn provider(&mut self, node: Node<'_>) -> Provider {
        let span = self.span(&node);
        let mut names = Vec::new();
        let mut settings = Vec::new();
        let mut trailing = Vec::new();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => names.push(self.ident(&inner)),
                Rule::settings => (settings, trailing) = self.settings(inner),
                _ => {}
            }
        }
        let mut names = names.into_iter();
        Provider {
            name: names.next().unwrap_or_else(|| missing_ident(span)),
            kind: names.next().unwrap_or_else(|| missing_ident(span)),
            settings,
            trailing,
        }
    }

    fn settings(&mut self, node: Node<'_>) -> (Vec<Entry>, Vec<crate::syntax::ast::Comment>) {
        let end = self.span(&node).end as usize;
        let mut entries = Vec::new();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::entry => entries.push(self.entry(inner)),
                Rule::junk_entry => self.junk_entry(inner),
                _ => {}
            }
        }
        if let Some(first) = entries.first_mut() {
            first.comments.blank_before = false;
        }
        let mut trailing = self.comments.before(end.saturating_sub(1));
        if let (true, Some(first)) = (entries.is_empty(), trailing.first_mut()) {
            first.blank_before = false;
        }
        (entries, trailing)
    }

    fn scenario(&mut self, node: Node<'_>) -> Scenario {
        let (_, head, body) = self.named_block(node);
        Scenario {
            title: head.title,
            body,
        }
    }
}

fn missing_type(span: Span) -> TypeExpr {
    TypeExpr {
        name: String::new(),
        args: Vec::new(),
        span,
    }
}

/// The grammar reads `in s` as part of the value: there it says the unit of the metric's raw number.
fn without_unit(value: Expr) -> (Expr, Option<Ident>) {
    match value.kind {
        ExprKind::In(raw, unit) => (*raw, Some(unit)),
        _ => (value, None),
    }
}

fn better(node: Node<'_>) -> Better {
    let lower = node
        .into_inner()
        .any(|inner| inner.as_rule() == Rule::lower);
    match lower {
        true => Better::Lower,
        false => Better::Higher,
    }
}
