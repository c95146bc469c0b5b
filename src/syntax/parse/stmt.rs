//! Blocks and their statements.

use crate::source::Span;
use crate::syntax::ast::clause::Clause;
use crate::syntax::ast::policy::{Action, NoData, Rule as WatchRule};
use crate::syntax::ast::{
    Approve, Block, Canary, Check, CheckBody, Comment, Comments, Confirm, Every, Expect, For, Head,
    Hold, Let, Notify, Section, Setting, Stage, Step, Stmt, StmtKind, When,
};
use crate::syntax::grammar::Rule;
use crate::syntax::parse::builder::{Builder, Node, missing_expr, missing_ident};
use crate::syntax::parse::poison;

impl Builder<'_> {
    pub fn block(&mut self, node: Node<'_>) -> Block {
        let span = self.span(&node);
        let (start, end) = (span.start as usize, span.end as usize);
        let before = self.comments.before(start);
        self.comments.inside.extend(before);
        let behind = self.comments.behind(self.source, start + 1);
        self.comments.behind_brace.extend(behind);
        let mut block = Block::default();
        let mut last = 0;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::brace_end => {}
                Rule::junk_tail => {
                    self.junk_tail(Rule::probe_stmt, last, inner);
                    if let Some(last) = block.stmts.last_mut() {
                        poison::stmt(last);
                    }
                }
                _ => {
                    last = inner.as_span().start();
                    let stmt = self.stmt(inner, block.stmts.is_empty());
                    block.stmts.push(stmt);
                }
            }
        }
        block.trailing = self.comments.before(end.saturating_sub(1));
        if let (true, Some(first)) = (block.stmts.is_empty(), block.trailing.first_mut()) {
            first.blank_before = false;
        }
        block.closing.extend(self.comments.behind(self.source, end));
        block.stmts.shrink_to_fit();
        block
    }

    /// The comments that were met while an item or a statement was built.
    pub fn finish_comments(&mut self, comments: &mut Comments, span: Span) {
        let inside = self.comments.before(span.end as usize);
        self.comments.inside.extend(inside);
        let inside = self.comments.inside.drain(..).map(|comment| Comment {
            blank_before: false,
            ..comment
        });
        comments.leading.extend(inside);
        comments.trailing.append(&mut self.comments.behind_brace);
        comments
            .trailing
            .extend(self.comments.behind(self.source, span.end as usize));
    }

    fn stmt(&mut self, node: Node<'_>, first: bool) -> Stmt {
        let span = self.span(&node);
        let mut comments = self.comments.leading(self.source, span.start as usize);
        comments.blank_before &= !first;
        let around = (
            std::mem::take(&mut self.comments.inside),
            std::mem::take(&mut self.comments.behind_brace),
        );
        let kind = self.stmt_kind(node);
        self.finish_comments(&mut comments, span);
        (self.comments.inside, self.comments.behind_brace) = around;
        let mut stmt = Stmt {
            kind,
            span,
            comments,
        };
        if self.is_repaired(span) {
            poison::stmt(&mut stmt);
        }
        stmt
    }

    fn stmt_kind(&mut self, node: Node<'_>) -> StmtKind {
        match node.as_rule() {
            Rule::section => StmtKind::Section(self.section(node)),
            Rule::check => StmtKind::Check(self.check(node)),
            Rule::verify => StmtKind::Verify(self.check(node)),
            Rule::step => StmtKind::Step(Box::new(self.step(node))),
            Rule::canary => StmtKind::Canary(self.canary(node)),
            Rule::stage => StmtKind::Stage(self.stage(node)),
            Rule::confirm => StmtKind::Confirm(self.confirm(node)),
            Rule::approve => StmtKind::Approve(self.approve(node)),
            Rule::hold => StmtKind::Hold(self.hold(node)),
            Rule::every => StmtKind::Every(self.every(node)),
            Rule::notify => StmtKind::Notify(self.notify(node)),
            Rule::when => self.when(node),
            Rule::parallel => StmtKind::Parallel(self.inner_block(node)),
            Rule::for_ => StmtKind::For(self.for_(node)),
            Rule::let_ => StmtKind::Let(self.let_(node)),
            Rule::expect_stmt => self.expect_stmt(node),
            Rule::on_policy => StmtKind::Policy(self.policy(node)),
            Rule::no_data => StmtKind::NoData(self.no_data(node)),
            Rule::concurrent => StmtKind::Concurrent(self.concurrent(node)),
            Rule::freeze => StmtKind::Freeze(self.freeze(node)),
            Rule::setting => StmtKind::Setting(self.setting(node)),
            Rule::headed => self.headed(node),
            Rule::at | Rule::always => StmtKind::At(self.at(node)),
            Rule::kill => StmtKind::Kill(self.kill(node)),
            Rule::answer => StmtKind::Answer(self.answer(node)),
            Rule::plain => self.plain(node),
            _ => {
                self.junk(node);
                StmtKind::Junk
            }
        }
    }

    /// Name, title, references into the head; clauses into the options; the block comes back.
    fn shared(
        &mut self,
        node: Node<'_>,
        head: &mut Head,
        options: &mut Vec<Clause>,
    ) -> Option<Block> {
        let mut block = None;
        for inner in node.into_inner() {
            if inner.as_rule() == Rule::block {
                block = Some(self.block(inner));
            } else if !self.head_part(head, &inner) {
                self.clause_into(options, inner);
            }
        }
        block
    }

    fn inner_block(&mut self, node: Node<'_>) -> Block {
        let block = node
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::block);
        block.map(|block| self.block(block)).unwrap_or_default()
    }

    fn section(&mut self, node: Node<'_>) -> Section {
        let mut head = Head::default();
        let mut options = Vec::new();
        let body = self
            .shared(node, &mut head, &mut options)
            .unwrap_or_default();
        Section {
            head,
            options,
            body,
        }
    }

    fn check(&mut self, node: Node<'_>) -> Check {
        let mut head = Head::default();
        let mut options = Vec::new();
        let mut body = CheckBody::Block(Block::default());
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::expect => body = CheckBody::Expect(self.expect(inner)),
                Rule::calls => body = CheckBody::Call(self.inner_expr(inner)),
                Rule::block => body = CheckBody::Block(self.block(inner)),
                _ => {
                    if !self.head_part(&mut head, &inner) {
                        self.clause_into(&mut options, inner);
                    }
                }
            }
        }
        Check {
            head,
            options,
            body,
        }
    }

    pub fn expect(&mut self, node: Node<'_>) -> Expect {
        let span = self.span(&node);
        let mut expect = Expect {
            condition: missing_expr(span),
            scope: None,
            duration: None,
            span,
        };
        for inner in node.into_inner() {
            let span = self.span(&inner);
            match inner.as_rule() {
                Rule::expr => expect.condition = self.expr(inner),
                Rule::on_scope => {
                    if let Some(first) = &expect.scope {
                        self.said_twice("`on`", first.span, span);
                    }
                    expect.scope = Some(self.inner_ident(inner));
                }
                Rule::for_time => {
                    if let Some(first) = &expect.duration {
                        self.said_twice("`for`", first.span, span);
                    }
                    expect.duration = Some(self.inner_expr(inner));
                }
                _ => {}
            }
        }
        expect
    }

    fn step(&mut self, node: Node<'_>) -> Step {
        let mut step = Step {
            head: Head::default(),
            call: missing_expr(self.span(&node)),
            options: Vec::new(),
            body: None,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::calls => step.call = self.inner_expr(inner),
                Rule::block => step.body = Some(self.block(inner)),
                _ => {
                    if !self.head_part(&mut step.head, &inner) {
                        self.clause_into(&mut step.options, inner);
                    }
                }
            }
        }
        step
    }

    fn canary(&mut self, node: Node<'_>) -> Canary {
        let target = node
            .clone()
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::name_word);
        let target = target.map_or_else(
            || missing_ident(self.span(&node)),
            |ident| self.ident(&ident),
        );
        let mut head = Head::default();
        let mut options = Vec::new();
        let body = self
            .shared(node, &mut head, &mut options)
            .unwrap_or_default();
        Canary {
            target,
            head,
            options,
            body,
        }
    }

    fn stage(&mut self, node: Node<'_>) -> Stage {
        let mut stage = Stage {
            head: Head::default(),
            weight: missing_expr(self.span(&node)),
            tolerance: None,
            options: Vec::new(),
            body: Block::default(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::amount => stage.weight = self.expr(inner),
                Rule::tolerance => stage.tolerance = Some(self.inner_expr(inner)),
                Rule::block => stage.body = self.block(inner),
                _ => {
                    if !self.head_part(&mut stage.head, &inner) {
                        self.clause_into(&mut stage.options, inner);
                    }
                }
            }
        }
        stage
    }

    fn confirm(&mut self, node: Node<'_>) -> Confirm {
        let mut head = Head::default();
        let mut options = Vec::new();
        let lines = self.shared(node, &mut head, &mut options);
        Confirm {
            head,
            options,
            lines,
        }
    }

    fn approve(&mut self, node: Node<'_>) -> Approve {
        let mut head = Head::default();
        let mut options = Vec::new();
        self.shared(node, &mut head, &mut options);
        Approve { head, options }
    }

    fn hold(&mut self, node: Node<'_>) -> Hold {
        let mut hold = Hold {
            duration: missing_expr(self.span(&node)),
            head: Head::default(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::amount => hold.duration = self.expr(inner),
                _ => {
                    self.head_part(&mut hold.head, &inner);
                }
            }
        }
        hold
    }

    fn every(&mut self, node: Node<'_>) -> Every {
        let mut every = Every {
            period: missing_expr(self.span(&node)),
            total: None,
            head: Head::default(),
            body: Block::default(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::amount => every.period = self.expr(inner),
                Rule::for_time => every.total = Some(self.inner_expr(inner)),
                Rule::block => every.body = self.block(inner),
                _ => {
                    self.head_part(&mut every.head, &inner);
                }
            }
        }
        every
    }

    pub fn notify(&mut self, node: Node<'_>) -> Notify {
        let span = self.span(&node);
        let mut notify = Notify {
            target: missing_ident(span),
            head: Head::default(),
            text: None,
            options: Vec::new(),
            span,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => notify.target = self.ident(&inner),
                Rule::title if notify.head.title.is_some() => {
                    let text = self.title(inner);
                    if let Some(first) = &notify.text {
                        self.said_twice("the text", first.span, text.span);
                    }
                    notify.text = Some(text);
                }
                _ => {
                    if !self.head_part(&mut notify.head, &inner) {
                        self.clause_into(&mut notify.options, inner);
                    }
                }
            }
        }
        if notify.text.is_none() && notify.head.refs.is_empty() {
            notify.text = notify.head.title.take();
        }
        notify
    }

    /// `when C { … }`, or a rule of a watch.
    fn when(&mut self, node: Node<'_>) -> StmtKind {
        let mut body = None;
        let mut rule = empty_rule(self.span(&node));
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::block => body = Some(self.block(inner)),
                _ => self.rule_part(&mut rule, inner),
            }
        }
        match body {
            Some(body) => StmtKind::When(When {
                condition: rule.condition,
                body,
            }),
            None => StmtKind::Rule(rule),
        }
    }

    /// A line of a `confirm`, or a rule of a watch.
    fn headed(&mut self, node: Node<'_>) -> StmtKind {
        let mut rule = empty_rule(self.span(&node));
        let mut is_rule = false;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::watch_rule => {
                    is_rule = true;
                    for part in inner.into_inner() {
                        self.rule_part(&mut rule, part);
                    }
                }
                _ => {
                    self.head_part(&mut rule.head, &inner);
                }
            }
        }
        match is_rule {
            true => StmtKind::Rule(rule),
            false => StmtKind::Line(rule.head),
        }
    }

    fn rule_part(&mut self, rule: &mut WatchRule, node: Node<'_>) {
        match node.as_rule() {
            Rule::amount => rule.condition = self.expr(node),
            Rule::for_time => rule.duration = Some(self.inner_expr(node)),
            Rule::actions => rule.actions = self.actions(node),
            _ => {}
        }
    }

    fn no_data(&mut self, node: Node<'_>) -> NoData {
        let mut built = NoData {
            duration: missing_expr(self.span(&node)),
            actions: Vec::new(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::for_time => built.duration = self.inner_expr(inner),
                Rule::actions => built.actions = self.actions(inner),
                _ => {}
            }
        }
        built
    }

    fn actions(&mut self, node: Node<'_>) -> Vec<Action> {
        let actions = node
            .into_inner()
            .filter(|inner| inner.as_rule() == Rule::action);
        let inside = actions.filter_map(|action| action.into_inner().next());
        inside.map(|action| self.action(action)).collect()
    }

    fn for_(&mut self, node: Node<'_>) -> For {
        let span = self.span(&node);
        let mut built = For {
            name: missing_ident(span),
            list: missing_expr(span),
            up_to: None,
            body: Block::default(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => built.name = self.ident(&inner),
                Rule::expr => built.list = self.expr(inner),
                Rule::up_to => built.up_to = Some(self.inner_expr(inner)),
                Rule::block => built.body = self.block(inner),
                _ => {}
            }
        }
        built
    }

    pub fn let_(&mut self, node: Node<'_>) -> Let {
        let span = self.span(&node);
        let mut built = Let {
            name: missing_ident(span),
            value: missing_expr(span),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name_word => built.name = self.ident(&inner),
                Rule::expr => built.value = self.expr(inner),
                _ => {}
            }
        }
        built
    }

    fn setting(&mut self, node: Node<'_>) -> Setting {
        let span = self.span(&node);
        let mut setting = Setting {
            word: missing_ident(span),
            value: missing_expr(span),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::setting_word => setting.word = self.ident(&inner),
                Rule::sample_every => {
                    setting.word = self.ident(&inner);
                    setting.word.name = "sample".to_owned();
                }
                Rule::expr => setting.value = self.expr(inner),
                _ => {}
            }
        }
        setting
    }
}

fn empty_rule(span: Span) -> WatchRule {
    WatchRule {
        head: Head::default(),
        condition: missing_expr(span),
        duration: None,
        actions: Vec::new(),
    }
}
