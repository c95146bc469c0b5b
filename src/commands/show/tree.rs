//! A run as a tree, for a live terminal and for `status`: what is running with its value against its bound, what is waited
//! for and how to answer, what is left of holds. What has ended or waits takes one line.

use crate::commands::list::outcome_word;
use crate::commands::show::line::policy;
use crate::diagnostics::render::human::Charset;
use crate::engine::state::{Judged, Life, Passage};
use crate::engine::view::{Item, Left, Stand, View, WayBack};
use crate::units::show::duration_ns;
use crate::values::{Instant, Verdict, show};

/// The lines, each at most `width` columns where characters are one column wide.
pub fn tree(view: &View, now: Instant, width: usize, charset: Charset) -> Vec<String> {
    let mut out = Out {
        lines: Vec::new(),
        now,
        signs: signs(charset),
    };
    out.head(view);
    for item in &view.items {
        out.item(item, 0);
    }
    if let Some(back) = &view.rollback {
        out.way_back(back);
    }
    out.attention(view);
    out.lines
        .iter()
        .map(|line| cut(line, width, out.signs.more))
        .collect()
}

struct Out {
    lines: Vec<String>,
    now: Instant,
    signs: Signs,
}

/// One character each: they say what colour says, for those who see none.
#[derive(Clone, Copy)]
struct Signs {
    pass: char,
    fail: char,
    unknown: char,
    running: char,
    waiting: char,
    skipped: char,
    more: char,
}

fn signs(charset: Charset) -> Signs {
    match charset {
        Charset::Unicode => Signs {
            pass: '✔',
            fail: '✘',
            unknown: '?',
            running: '▶',
            waiting: '·',
            skipped: '○',
            more: '…',
        },
        Charset::Ascii => Signs {
            pass: '+',
            fail: 'x',
            unknown: '?',
            running: '>',
            waiting: '.',
            skipped: 'o',
            more: '~',
        },
    }
}

impl Out {
    fn line(&mut self, depth: usize, text: impl AsRef<str>) {
        let indent = "  ".repeat(depth);
        self.lines.push(format!("{indent}{}", text.as_ref()));
    }

    fn head(&mut self, view: &View) {
        let age = view.started.map(|started| self.now.since(started));
        let age = age.map(|ns| format!("  {}", clock(ns)));
        let title = format!("{}  {}", view.title, stand(view.stand));
        self.line(0, format!("{title}{}", age.unwrap_or_default()));
        if let Some(cause) = &view.cause {
            self.line(1, format!("because {cause}"));
        }
    }

    fn item(&mut self, item: &Item, depth: usize) {
        let sign = self.sign(item);
        let name = name(item);
        let rest = match item.life {
            Life::Waiting => String::new(),
            Life::Running => running(item),
            Life::Ended => ended(item),
        };
        self.line(depth, format!("{sign} {name}{rest}"));
        if item.life != Life::Running {
            return;
        }
        for clause in &item.clauses {
            self.clause(clause, depth + 2);
        }
        for inner in &item.items {
            self.item(inner, depth + 1);
        }
    }

    fn clause(&mut self, clause: &Judged, depth: usize) {
        let sign = self.verdict_sign(clause.verdict);
        let measured: Vec<String> = clause
            .measured
            .iter()
            .map(|measured| format!("{} = {}", measured.what, show::value(&measured.value)))
            .collect();
        let reason = clause.reason.as_deref().unwrap_or_default();
        let said = if measured.is_empty() {
            reason.to_owned()
        } else {
            measured.join(", ")
        };
        self.line(depth, format!("{sign} {}   {said}", clause.text));
    }

    fn way_back(&mut self, back: &WayBack) {
        let left = back.until.map(|until| until.since(self.now).max(0));
        let left = left.map(|ns| format!("  {} left", clock(ns)));
        self.line(0, format!("rollback{}", left.unwrap_or_default()));
        for undo in &back.undo {
            let left = undo.left.as_ref().map(|left| format!(": {left}"));
            self.line(
                1,
                format!("{}  {}{}", undo.name, undo.stand, left.unwrap_or_default()),
            );
        }
        for item in &back.verify {
            self.item(item, 1);
        }
        for left in &back.left {
            self.line(1, format!("{} left: {left}", self.signs.fail));
        }
    }

    /// What a person has to know or do, last, where the eye is.
    fn attention(&mut self, view: &View) {
        for watch in view
            .watches
            .iter()
            .filter(|watch| watch.life == Life::Running)
        {
            if let Some(since) = watch.blind_since {
                let blind = clock(self.now.since(since));
                self.line(0, format!("! blind for {blind}: {}", watch.title));
            }
            for rule in watch
                .rules
                .iter()
                .filter(|rule| rule.held_ns > 0 && rule.for_ns > 0)
            {
                let held = duration_ns(rule.held_ns);
                let whole = duration_ns(rule.for_ns);
                self.line(0, format!("! {} for {held} of {whole}", rule.text));
            }
        }
        for pause in &view.pauses {
            let left = clock(pause.until.since(self.now).max(0));
            let then = policy(&pause.then);
            self.line(
                0,
                format!(
                    "! paused at {}: {}; {left} left, then {then}",
                    pause.name, pause.reason
                ),
            );
            self.line(1, format!("to go on past it: {}", pause.go_on));
        }
        for asked in &view.asks {
            let left = clock(asked.until.since(self.now).max(0));
            let roles = asked.roles.join(" or ");
            self.line(
                0,
                format!("? waits for {roles}: {}; {left} left", asked.name),
            );
            self.line(1, &asked.answer);
        }
    }

    fn sign(&self, item: &Item) -> char {
        match (item.life, item.verdict) {
            (Life::Waiting, _) => self.signs.waiting,
            (Life::Running, _) => self.signs.running,
            (Life::Ended, Some(verdict)) => self.verdict_sign(verdict),
            (Life::Ended, None) => self.signs.unknown,
        }
    }

    fn verdict_sign(&self, verdict: Verdict) -> char {
        match verdict {
            Verdict::Pass => self.signs.pass,
            Verdict::Fail => self.signs.fail,
            Verdict::Inconclusive | Verdict::Error => self.signs.unknown,
            Verdict::Skipped | Verdict::Cancelled | Verdict::NotApplicable => self.signs.skipped,
        }
    }
}

fn name(item: &Item) -> String {
    let short = item.path.rsplit('/').next().unwrap_or(&item.path);
    match &item.title {
        Some(title) => format!("{short}  {title}"),
        None => short.to_owned(),
    }
}

fn running(item: &Item) -> String {
    let doing = item.doing.map(|doing| format!("  {doing}"));
    let tick = item.tick.map(|(tick, of)| format!("  {tick} of {of}"));
    let left = item.left.map(left);
    let parts = [doing, tick, left].into_iter().flatten();
    parts.collect::<String>()
}

fn left(left: Left) -> String {
    format!(
        "  {} {} of {} left",
        left.of,
        clock(left.ns),
        duration_ns(left.whole_ns)
    )
}

fn ended(item: &Item) -> String {
    let took = item
        .started
        .zip(item.ended)
        .map(|(from, to)| to.since(from));
    let took = took
        .filter(|ns| *ns > 0)
        .map(|ns| format!("  {}", clock(ns)));
    let verdict = item.verdict.filter(|verdict| *verdict != Verdict::Pass);
    let verdict = verdict.map(|verdict| format!("  {}", show::word(verdict)));
    let warned = (item.passage == Passage::Warned).then_some(", let through with a warning");
    let reason = item.reason.as_ref().map(|reason| format!(": {reason}"));
    format!(
        "{}{}{}{}",
        verdict.unwrap_or_default(),
        warned.unwrap_or_default(),
        reason.unwrap_or_default(),
        took.unwrap_or_default(),
    )
}

fn stand(stand: Stand) -> String {
    match stand {
        Stand::NotStarted => "not started".to_owned(),
        Stand::Waiting => "waits for its window".to_owned(),
        Stand::Running => "running".to_owned(),
        Stand::Paused => "paused".to_owned(),
        Stand::Stopping => "stopping".to_owned(),
        Stand::RollingBack => "rolling back".to_owned(),
        Stand::Verifying => "verifying the rollback".to_owned(),
        Stand::Ended(outcome) => outcome_word(Some(outcome)).to_owned(),
    }
}

/// `4:05`, `1:00:00`: seconds are what a watcher counts.
fn clock(ns: i64) -> String {
    let seconds = ns / 1_000_000_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

fn cut(line: &str, width: usize, more: char) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let kept: String = line.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}{more}")
}
