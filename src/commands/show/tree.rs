//! A run as a tree, for a live terminal and for `status`: what is running with its value against its bound, what is waited
//! for and how to answer, what is left of holds. What has ended or waits takes one line.

use crate::commands::list::outcome_word;
use crate::commands::show::paint::{Line, Tint};
use crate::diagnostics::render::human::{Charset, Style};
use crate::engine::protocol::Judged;
use crate::engine::protocol::RunOutcome;
use crate::engine::state::{Life, Passage};
use crate::engine::subject;
use crate::engine::view::{Item, Left, Stand, View, WayBack};
use crate::plan::print::watched::policy;
use crate::units::show::duration_ns;
use crate::values::{Instant, Verdict, show};

/// The lines, each at most as wide as the style says, where characters are one column wide.
pub fn tree(view: &View, now: Instant, style: Style) -> Vec<String> {
    let mut out = Out {
        lines: Vec::new(),
        now,
        signs: signs(style.charset),
        width: style.width,
        cause: view.cause.as_deref(),
    };
    out.head(view);
    for item in &view.items {
        out.item(item, 0);
    }
    if let Some(back) = &view.rollback {
        out.way_back(back, view.stand);
    }
    out.attention(view);
    let more = out.signs.more;
    let lines = out.lines.iter();
    let lines = lines.map(|line| line.render(style.width, more, style.color));
    lines.collect()
}

/// Of a title at least so much is shown.
const TITLE_MIN: usize = 8;

struct Out<'v> {
    lines: Vec<Line>,
    now: Instant,
    signs: Signs,
    width: usize,
    /// Said at the top; what was ended by it does not say it again.
    cause: Option<&'v str>,
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

impl Out<'_> {
    fn line(&mut self, depth: usize, text: impl Into<String>) {
        self.lines.push(Line::new(depth).and(Tint::Plain, text));
    }

    /// As many lines as it takes: what a person has to read to its end, or to copy.
    fn whole(&mut self, mut line: Line, depth: usize, tint: Tint, text: &str) {
        let mut words = String::new();
        for word in text.split(' ') {
            let needed = line.width() + words.chars().count() + 1 + word.chars().count();
            if !words.is_empty() && needed > self.width {
                self.lines.push(line.and(tint, std::mem::take(&mut words)));
                line = Line::new(depth + 2);
            }
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
        self.lines.push(line.and(tint, words));
    }

    /// The title, so short that what is said behind it stays in view.
    fn fitting(&self, before: &Line, title: &str, behind: &str) -> String {
        let room = self.width.saturating_sub(before.width());
        let behind = behind.chars().count();
        let fits = title.chars().count() + behind <= room;
        if fits || behind + TITLE_MIN > room {
            return title.to_owned();
        }
        let kept = (room - behind).saturating_sub(1);
        let kept: String = title.chars().take(kept).collect();
        format!("{kept}{}", self.signs.more)
    }

    fn head(&mut self, view: &View) {
        let age = view.started.map(|started| self.now.since(started));
        let age = age.map(|ns| format!("  {}", clock(ns))).unwrap_or_default();
        let (tint, word) = stand(view.stand);
        let line = Line::new(0).and(Tint::Title, &view.title);
        let line = line.and(Tint::Plain, "  ").and(tint, word);
        self.lines.push(line.and(Tint::Quiet, age));
        if let Some(cause) = &view.cause {
            let line = Line::new(1).and(Tint::Quiet, "because ");
            self.whole(line, 1, Tint::Plain, cause);
        }
    }

    /// What runs and what failed is opened; the rest takes one line.
    fn item(&mut self, item: &Item, depth: usize) {
        let (tint, sign) = self.sign(item);
        let (short, title) = name(item);
        let line = Line::new(depth).and(tint, format!("{sign} "));
        let line = match title {
            Some(title) => {
                let line = line.and(Tint::Quiet, format!("{short}  "));
                let behind = match item.life {
                    Life::Waiting => String::new(),
                    Life::Running => running(item),
                    Life::Ended => format!("{}{}", verdict_words(item), took(item)),
                };
                let title = self.fitting(&line, title, &behind);
                line.and(Tint::Plain, title)
            }
            None => line.and(Tint::Plain, short),
        };
        match item.life {
            Life::Waiting => self.lines.push(line),
            Life::Running => {
                self.lines.push(line.and(Tint::Active, running(item)));
                for clause in &item.clauses {
                    self.clause(clause, depth + 2);
                }
                for inner in &item.items {
                    self.item(inner, depth + 1);
                }
            }
            Life::Ended => self.ended(item, line, depth),
        }
    }

    fn ended(&mut self, item: &Item, line: Line, depth: usize) {
        let tint = item.verdict.map_or(Tint::Unknown, tint);
        let line = line
            .and(tint, verdict_words(item))
            .and(Tint::Quiet, took(item));
        let guilty: Vec<&Item> = item.items.iter().filter(|inner| is_bad(inner)).collect();
        // What is inside says why; else the reason stands behind, or below where it is too long.
        let reason = item.reason.as_deref().filter(|_| guilty.is_empty());
        let reason = reason.filter(|reason| is_bad(item) || Some(*reason) != self.cause);
        match reason {
            Some(reason) if line.width() + reason.chars().count() + 2 > self.width => {
                self.lines.push(line);
                let line = Line::new(depth + 2);
                self.whole(line, depth + 2, Tint::Plain, reason);
            }
            Some(reason) => self
                .lines
                .push(line.and(Tint::Plain, format!("  {reason}"))),
            None => self.lines.push(line),
        }
        if is_bad(item) {
            for inner in guilty {
                self.item(inner, depth + 1);
            }
        }
        // What expired is judged again, also after its phase has ended.
        for inner in item.items.iter().filter(|inner| runs(inner)) {
            self.item(inner, depth + 1);
        }
    }

    fn clause(&mut self, clause: &Judged, depth: usize) {
        let (tint, sign) = self.verdict_sign(clause.verdict);
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
        let line = Line::new(depth).and(tint, format!("{sign} "));
        let line = line.and(Tint::Quiet, format!("{}   ", clause.text));
        self.lines.push(line.and(tint, said));
    }

    fn way_back(&mut self, back: &WayBack, stand: Stand) {
        let is_over = matches!(stand, Stand::Ended(_));
        let left = back.until.map(|until| until.since(self.now).max(0));
        let left = left.filter(|_| !is_over);
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
            let line = Line::new(1).and(Tint::Bad, format!("{} left: ", self.signs.fail));
            self.lines.push(line.and(Tint::Plain, left));
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
                self.call(
                    Tint::Unknown,
                    '!',
                    format!("blind for {blind}: {}", watch.title),
                );
            }
            for rule in watch
                .rules
                .iter()
                .filter(|rule| rule.held_ns > 0 && rule.for_ns > 0)
            {
                let held = duration_ns(rule.held_ns);
                let whole = duration_ns(rule.for_ns);
                self.call(
                    Tint::Unknown,
                    '!',
                    format!("{} for {held} of {whole}", rule.text),
                );
            }
        }
        for pause in &view.pauses {
            let left = clock(pause.until.since(self.now).max(0));
            let then = policy(&pause.then);
            let owner = pause.owner.as_ref();
            let owner = owner.map(|owner| format!(" (owner: {owner})"));
            let what = format!(
                "paused at {}{}: {}; {left} left, then {then}",
                pause.name,
                owner.unwrap_or_default(),
                pause.reason
            );
            self.call(Tint::Unknown, '!', what);
            let line = Line::new(1).and(Tint::Plain, "to go on past it: ");
            self.whole(line, 1, Tint::Plain, &pause.go_on);
        }
        for asked in &view.asks {
            let left = match asked.until.since(self.now) {
                ns if ns > 0 => format!("{} left", clock(ns)),
                _ => "its time is over, but an answer still counts".to_owned(),
            };
            let who = match (asked.missing, asked.said.is_empty()) {
                (0 | 1, true) => asked.roles.join(" or "),
                (missing, _) => format!("{missing} more of {}", asked.roles.join(", ")),
            };
            let what = format!("waits for {who}: {}; {left}", asked.name);
            self.call(Tint::Active, '?', what);
            self.whole(Line::new(1), 1, Tint::Plain, &asked.answer);
            if let Some(about) = &asked.about {
                let about = format!("about {}", subject::short(about));
                self.whole(Line::new(1), 1, Tint::Quiet, &about);
            }
        }
    }

    fn call(&mut self, tint: Tint, sign: char, text: String) {
        let line = Line::new(0).and(tint, format!("{sign} "));
        self.whole(line, 0, Tint::Title, &text);
    }

    fn sign(&self, item: &Item) -> (Tint, char) {
        match (item.life, item.verdict) {
            (Life::Waiting, _) => (Tint::Quiet, self.signs.waiting),
            (Life::Running, _) => (Tint::Active, self.signs.running),
            (Life::Ended, Some(verdict)) => self.verdict_sign(verdict),
            (Life::Ended, None) => (Tint::Unknown, self.signs.unknown),
        }
    }

    fn verdict_sign(&self, verdict: Verdict) -> (Tint, char) {
        let sign = match verdict {
            Verdict::Pass => self.signs.pass,
            Verdict::Fail => self.signs.fail,
            Verdict::Inconclusive | Verdict::Error => self.signs.unknown,
            Verdict::Skipped | Verdict::Cancelled | Verdict::NotApplicable => self.signs.skipped,
        };
        (tint(verdict), sign)
    }
}

fn tint(verdict: Verdict) -> Tint {
    match verdict {
        Verdict::Pass => Tint::Good,
        Verdict::Fail => Tint::Bad,
        Verdict::Inconclusive | Verdict::Error => Tint::Unknown,
        Verdict::Skipped | Verdict::Cancelled | Verdict::NotApplicable => Tint::Quiet,
    }
}

/// It runs, or something in it does.
fn runs(item: &Item) -> bool {
    item.life == Life::Running || item.items.iter().any(runs)
}

fn took(item: &Item) -> String {
    let took = item.started.zip(item.ended);
    let took = took.map(|(from, to)| to.since(from)).filter(|ns| *ns > 0);
    took.map(|ns| format!("  {}", clock(ns)))
        .unwrap_or_default()
}

/// It ended, and not well.
fn is_bad(item: &Item) -> bool {
    let bad = [Verdict::Fail, Verdict::Error, Verdict::Inconclusive];
    item.life == Life::Ended && item.verdict.is_none_or(|verdict| bad.contains(&verdict))
}

/// How it is named on the command line, and its title.
fn name(item: &Item) -> (&str, Option<&str>) {
    let short = item.path.rsplit('/').next().unwrap_or(&item.path);
    (short, item.title.as_deref())
}

fn running(item: &Item) -> String {
    let doing = item.doing.map(|doing| format!("  {doing}"));
    let tick = item.tick.map(|(tick, of)| format!("  {tick} of {of}"));
    let left = item.left.map(|left| match item.doing {
        Some(_) => format!("  {}", time_left(left)),
        None => format!("  {} {}", left.of, time_left(left)),
    });
    let parts = [doing, tick, left].into_iter().flatten();
    parts.collect::<String>()
}

fn time_left(left: Left) -> String {
    format!("{} of {} left", clock(left.ns), duration_ns(left.whole_ns))
}

fn verdict_words(item: &Item) -> String {
    let verdict = item.verdict.filter(|verdict| *verdict != Verdict::Pass);
    let verdict = verdict.map(|verdict| format!("  {}", show::word(verdict)));
    let warned = (item.passage == Passage::Warned).then_some(", let through with a warning");
    let owner = item.owner.as_ref().filter(|_| verdict.is_some());
    let owner = owner.map(|owner| format!(" (owner: {owner})"));
    format!(
        "{}{}{}",
        verdict.unwrap_or_default(),
        owner.unwrap_or_default(),
        warned.unwrap_or_default()
    )
}

fn stand(stand: Stand) -> (Tint, &'static str) {
    match stand {
        Stand::NotStarted => (Tint::Quiet, "not started"),
        Stand::Waiting => (Tint::Active, "waits for its window"),
        Stand::Running => (Tint::Active, "running"),
        Stand::Paused => (Tint::Unknown, "paused"),
        Stand::Stopping => (Tint::Unknown, "stopping"),
        Stand::RollingBack => (Tint::Bad, "rolling back"),
        Stand::Verifying => (Tint::Bad, "verifying the rollback"),
        Stand::Ended(outcome) => (outcome_tint(outcome), outcome_word(Some(outcome))),
    }
}

fn outcome_tint(outcome: RunOutcome) -> Tint {
    match outcome {
        RunOutcome::Succeeded => Tint::Good,
        RunOutcome::Stopped | RunOutcome::RolledBack => Tint::Unknown,
        RunOutcome::RollbackIncomplete => Tint::Bad,
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
