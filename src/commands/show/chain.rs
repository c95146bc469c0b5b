//! A chain of causes: for people, indented, each link with its line of the plan; for programs, as one JSON object.

use crate::causes::chain::{Evidence, Judging, Link, Question, Sampled, Tie};
use crate::causes::trace::Trace;
use crate::commands::show::paint::{Line, Tint};
use crate::diagnostics::render::human::{Charset, Style};
use crate::engine::protocol::Measured;
use crate::journal::record::Header;
use crate::plan::{Loc, LocId, SourceMap};
use crate::providers::request::Call;
use crate::values::{Instant, Value, Verdict, show};
use serde_json::{Value as Json, json};

/// What a chain is shown with.
pub struct Ground<'a> {
    pub trace: &'a Trace<'a>,
    pub map: &'a SourceMap,
    pub header: &'a Header,
}

pub fn text(ground: &Ground, chain: &Link, style: Style) -> String {
    let mut page = Page {
        ground,
        style,
        lines: Vec::new(),
    };
    page.line(Line::new(0).and(Tint::Quiet, format!("run {}", ground.header.run)));
    page.link(chain, 0, "", None);
    page.lines.join("\n") + "\n"
}

pub fn object(ground: &Ground, chain: &Link) -> Json {
    json!({
        "run": ground.header.run,
        "plan": ground.trace.plan.name,
        "digest": ground.header.digest,
        "why": link_object(ground, chain),
    })
}

struct Page<'a> {
    ground: &'a Ground<'a>,
    style: Style,
    lines: Vec<String>,
}

impl Page<'_> {
    fn link(&mut self, link: &Link, depth: usize, before: &str, above: Option<u32>) {
        let at = link
            .at
            .map(|at| format!(" at {}", self.ground.trace.time(at)));
        let line = Line::new(depth).and(Tint::Quiet, before);
        let line = line
            .and(Tint::Title, &link.what)
            .and(Tint::Plain, at.unwrap_or_default());
        self.line(line);
        let inside = depth + 1;
        let source = link.loc.and_then(|loc| self.source(loc));
        let shown = source.as_ref().map(|(place, _)| place.line);
        // A check and its one clause often stand in one line.
        if let Some((place, source)) = source.filter(|_| shown != above) {
            let line =
                Line::new(inside + 1).and(Tint::Active, format!("{}:{}", place.file, place.line));
            let bar = match self.style.charset {
                Charset::Unicode => '│',
                Charset::Ascii => '|',
            };
            self.line(
                line.and(Tint::Quiet, format!(" {bar} "))
                    .and(Tint::Plain, source),
            );
        }
        for evidence in &link.evidence {
            self.evidence(evidence, inside + 1);
        }
        for because in &link.because {
            let tie = match because.tie {
                Tie::Because => "because ",
                Tie::Part => "- ",
            };
            self.link(because, inside, tie, shown);
        }
    }

    fn evidence(&mut self, evidence: &Evidence, depth: usize) {
        let trace = self.ground.trace;
        match evidence {
            Evidence::Sample(sample) => {
                let line =
                    Line::new(depth).and(Tint::Quiet, format!("{}  ", trace.time(sample.at)));
                let line = line.and(tint(sample.verdict), sample_word(sample));
                self.line(line.and(Tint::Plain, format!("  {}", said(sample))));
            }
            Evidence::Alike { count } => {
                let more = format!("{} {count} more like these", self.dots());
                self.line(Line::new(depth).and(Tint::Quiet, more));
            }
            Evidence::Question(question) => self.question(question, depth),
            Evidence::Moment { at, words } => {
                let line = Line::new(depth).and(Tint::Quiet, format!("{}  ", trace.time(*at)));
                self.line(line.and(Tint::Plain, words));
            }
            Evidence::Words(words) => self.line(Line::new(depth).and(Tint::Plain, words)),
            Evidence::Command(command) => {
                let line = Line::new(depth)
                    .and(Tint::Quiet, "$ ")
                    .and(Tint::Active, command);
                self.line(line);
            }
        }
    }

    fn question(&mut self, question: &Question, depth: usize) {
        let asked = format!("{} was asked: ", question.call.provider);
        let line = Line::new(depth).and(Tint::Quiet, asked);
        self.line(line.and(Tint::Plain, call_words(&question.call)));
        let answer = match &question.answer {
            None => "no answer came".to_owned(),
            Some((at, Ok(value))) => {
                format!(
                    "answered {}: {}",
                    self.ground.trace.time(*at),
                    answer_words(value)
                )
            }
            Some((at, Err(failure))) => {
                format!(
                    "failed {}: {}",
                    self.ground.trace.time(*at),
                    failure.message
                )
            }
        };
        self.line(Line::new(depth + 1).and(Tint::Quiet, answer));
    }

    fn source(&self, loc: LocId) -> Option<(&Loc, String)> {
        let place = self.ground.map.places.get(loc.0 as usize)?;
        Some((place, source_line(self.ground.header, place)?))
    }

    fn dots(&self) -> &'static str {
        match self.style.charset {
            Charset::Unicode => "…",
            Charset::Ascii => "...",
        }
    }

    /// To its end, never cut: it is there to be read and copied.
    fn line(&mut self, line: Line) {
        let rendered = line.render(usize::MAX, ' ', self.style.color);
        self.lines.push(rendered.trim_end().to_owned());
    }
}

fn tint(verdict: Verdict) -> Tint {
    match verdict {
        Verdict::Pass => Tint::Good,
        Verdict::Fail => Tint::Bad,
        _ => Tint::Unknown,
    }
}

/// Of a rule, whether its condition was true.
fn sample_word(sample: &Sampled) -> &'static str {
    match (sample.by, sample.verdict) {
        (Judging::Rule, Verdict::Fail) => "true",
        (Judging::Rule, Verdict::Pass) => "false",
        (_, verdict) => show::word(verdict),
    }
}

fn said(sample: &Sampled) -> String {
    let measured = sample.measured.iter();
    let measured = measured.map(|it| format!("{} = {}", it.what, show::value(&it.value)));
    let measured = measured.collect::<Vec<_>>().join(", ");
    match (&sample.reason, measured.is_empty()) {
        (Some(reason), true) => reason.clone(),
        (Some(reason), false) => format!("{measured}: {reason}"),
        (None, _) => measured,
    }
}

/// The query itself; of other reads the call.
fn call_words(call: &Call) -> String {
    match call.args.get("query") {
        Some(Value::String(query)) if call.function == "query" => query.clone(),
        _ => {
            let args = call.args.iter();
            let args = args.map(|(name, value)| format!("{name}: {}", show::value(value)));
            format!("{}({})", call.function, args.collect::<Vec<_>>().join(", "))
        }
    }
}

fn answer_words(value: &Value) -> String {
    match value {
        Value::List(rows) if rows.is_empty() => "nothing".to_owned(),
        value => show::value(value),
    }
}

fn source_line(header: &Header, place: &Loc) -> Option<String> {
    let text = header.sources.get(&place.file)?;
    let line = text.lines().nth((place.line as usize).checked_sub(1)?)?;
    Some(line.trim().to_owned())
}

fn link_object(ground: &Ground, link: &Link) -> Json {
    let place = link
        .loc
        .and_then(|loc| ground.map.places.get(loc.0 as usize));
    let place = place.map(|place| {
        json!({
            "file": place.file, "line": place.line, "column": place.column,
            "text": source_line(ground.header, place),
        })
    });
    let evidence: Vec<Json> = link.evidence.iter().map(evidence_object).collect();
    let because: Vec<Json> = link
        .because
        .iter()
        .map(|link| link_object(ground, link))
        .collect();
    json!({
        "what": link.what,
        "at": link.at.map(time),
        "place": place,
        "evidence": evidence,
        "because": because,
    })
}

fn evidence_object(evidence: &Evidence) -> Json {
    match evidence {
        Evidence::Sample(sample) => json!({"sample": {
            "at": time(sample.at),
            "text": sample.text,
            "measured": sample.measured.iter().map(measured_object).collect::<Vec<_>>(),
            "verdict": sample.verdict,
            "reason": sample.reason,
        }}),
        Evidence::Alike { count } => json!({"alike": count}),
        Evidence::Question(question) => json!({"question": {
            "at": time(question.at),
            "call": question.call,
            "answered": question.answer.as_ref().map(|(at, _)| time(*at)),
            "answer": question.answer.as_ref().map(|(_, answer)| answer),
        }}),
        Evidence::Moment { at, words } => json!({"moment": {"at": time(*at), "words": words}}),
        Evidence::Words(words) => json!({"words": words}),
        Evidence::Command(command) => json!({"command": command}),
    }
}

fn measured_object(measured: &Measured) -> Json {
    json!({
        "what": measured.what,
        "value": measured.value,
        "text": show::value(&measured.value),
    })
}

/// RFC 3339.
pub fn time(at: Instant) -> String {
    show::instant(at).replace(' ', "T")
}
