//! What one sample of a check says: the verdict of its clauses together, each of them reported.

use crate::engine::baseline;
use crate::engine::baseline::Pair;
use crate::engine::eval::{Asker, Evaluator, Trouble, heavier, sampled};
use crate::engine::grid::Sample;
use crate::engine::protocol::{Judged, Measured, NoteKind};
use crate::engine::state::{Finding, Reason, Sight};
use crate::engine::truth::truth;
use crate::engine::turn::Turn;
use crate::plan::expr::{Clause, Comparison, Stmt};
use crate::plan::node::NodeId;
use crate::plan::walk;
use crate::statistics::baseline::Outcome;
use crate::values::{Instant, Value, Verdict, show};
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

impl Finding {
    pub fn of(verdict: Verdict, reason: impl Into<String>) -> Finding {
        Finding {
            verdict,
            sight: Sight::Clear,
            reason: Some(Reason::Said(reason.into().into())),
        }
    }

    pub fn trouble(trouble: &Trouble) -> Finding {
        Finding {
            verdict: trouble.verdict(),
            sight: trouble.sight(),
            reason: Some(Reason::Said(trouble.reason().into())),
        }
    }

    /// The reason, as it is told.
    pub fn words(&self) -> Option<String> {
        self.reason.as_ref().map(Reason::to_string)
    }

    /// Whether it was seen to hold or not to hold.
    /// A comparison that the data leave open was seen, too.
    pub fn is_seen(&self) -> bool {
        self.sight == Sight::Clear
    }
}

/// Judges a body at the instant of the sample; `None` while its reads are in flight.
///
/// All clauses are evaluated and reported, also after one has failed.
pub fn judge<'p>(
    turn: &mut Turn<'p>,
    id: NodeId,
    body: &'p [Stmt],
    sample: &mut Sample,
    asker: Asker,
) -> Option<Finding> {
    let comparisons = walk::comparisons(body);
    let judged = sampled(turn, sample, asker, |eval| {
        judge_body(eval, body, &comparisons)
    });
    let mut judged = match judged? {
        Ok(judged) => judged,
        // A body is in trouble as a whole only when there is no clause to blame.
        Err(trouble) => return Some(Finding::trouble(&trouble)),
    };
    compare(turn, id, &mut judged, sample.at);
    for clause in judged.iter().filter(|clause| !clause.is_open()) {
        turn.note(Some(id), NoteKind::Judged(Arc::clone(&clause.judged)));
    }
    let finding = together(&judged);
    turn.node_mut(id).clauses = judged.into_iter().map(|clause| clause.judged).collect();
    Some(finding)
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Reason::Said(words) => f.write_str(words),
            Reason::Clause(judged) => f.write_str(&because(judged)),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Weighed {
    judged: Arc<Judged>,
    sight: Sight,
    stand: Stand,
}

#[derive(Clone, Copy)]
enum Stand {
    /// By this sample.
    Decided,
    /// A comparison with a baseline by its place in the body, and what both sides are now.
    Seen(usize, Pair),
    /// It is, until the hold of its stage is over.
    Open,
}

impl Weighed {
    fn is_open(&self) -> bool {
        matches!(self.stand, Stand::Open)
    }
}

fn judge_body<'p>(
    eval: &mut Evaluator<'p, '_>,
    body: &'p [Stmt],
    comparisons: &[&'p Comparison],
) -> Result<Vec<Weighed>, Trouble> {
    let mut judged = Vec::new();
    let mut trouble = None;
    for statement in body {
        match statement {
            Stmt::Let { local, value } => eval.bind(*local, value),
            Stmt::Expect(clause) => match judge_clause(eval, clause) {
                Ok(clause) => judged.push(clause),
                Err(found) => trouble = Some(heavier(trouble, found)),
            },
            Stmt::Against(comparison) => match judge_comparison(eval, comparison, comparisons) {
                Ok(clause) => judged.push(clause),
                Err(found) => trouble = Some(heavier(trouble, found)),
            },
            Stmt::When { condition, body } => match truth(eval, condition) {
                Ok(false) => {}
                Ok(true) => match judge_body(eval, body, comparisons) {
                    Ok(inside) => judged.extend(inside),
                    Err(found) => trouble = Some(heavier(trouble, found)),
                },
                Err(found) => trouble = Some(heavier(trouble, found)),
            },
        }
    }
    trouble.map_or(Ok(judged), Err)
}

/// Trouble of a clause is its verdict; only waiting stops the judgement.
fn judge_clause<'p>(eval: &mut Evaluator<'p, '_>, clause: &'p Clause) -> Result<Weighed, Trouble> {
    eval.measured.clear();
    let holds = truth(eval, &clause.condition);
    let (verdict, sight, reason) = match holds {
        Ok(true) => (Verdict::Pass, Sight::Clear, None),
        Ok(false) => (Verdict::Fail, Sight::Clear, None),
        Err(Trouble::Waiting) => return Err(Trouble::Waiting),
        Err(trouble) => (trouble.verdict(), trouble.sight(), Some(trouble.reason())),
    };
    Ok(Weighed {
        judged: Arc::new(Judged {
            text: clause.text.clone(),
            measured: std::mem::take(&mut eval.measured),
            verdict,
            reason,
            loc: clause.loc,
        }),
        sight,
        stand: Stand::Decided,
    })
}

/// Both sides at this sample: what cannot be measured is as anywhere else.
fn judge_comparison<'p>(
    eval: &mut Evaluator<'p, '_>,
    comparison: &'p Comparison,
    comparisons: &[&'p Comparison],
) -> Result<Weighed, Trouble> {
    let is_it = |one: &&Comparison| std::ptr::eq(*one, comparison);
    let place = comparisons.iter().position(is_it).unwrap_or_default();
    match baseline::pair(eval, comparison) {
        Err(Trouble::Waiting) => Err(Trouble::Waiting),
        Ok(pair) => {
            let measured = baseline::measured(eval, comparison, pair);
            Ok(Weighed {
                judged: judged_as(comparison, measured, Verdict::Inconclusive, None),
                sight: Sight::Clear,
                stand: Stand::Seen(place, pair),
            })
        }
        Err(trouble) => {
            let reason = Some(trouble.reason());
            Ok(Weighed {
                judged: judged_as(comparison, Vec::new(), trouble.verdict(), reason),
                sight: trouble.sight(),
                stand: Stand::Decided,
            })
        }
    }
}

fn judged_as(
    comparison: &Comparison,
    measured: Vec<Measured>,
    verdict: Verdict,
    reason: Option<String>,
) -> Arc<Judged> {
    Arc::new(Judged {
        text: comparison.text.clone(),
        measured,
        verdict,
        reason,
        loc: comparison.loc,
    })
}

/// Adds the sample to the windows of the comparisons; when the hold is over, gives them their verdicts.
fn compare(turn: &mut Turn, id: NodeId, judged: &mut [Weighed], at: Instant) {
    let mut places = Vec::new();
    for weighed in judged.iter() {
        if let Stand::Seen(place, pair) = weighed.stand {
            baseline::collect(turn, id, place, pair, at);
            places.push(place);
        }
    }
    if places.is_empty() {
        return;
    }
    let said = baseline::said(turn, id, &places, at);
    let seen = |weighed: &&mut Weighed| matches!(weighed.stand, Stand::Seen(..));
    for (weighed, said) in judged.iter_mut().filter(seen).zip(said) {
        let judged = Arc::make_mut(&mut weighed.judged);
        let Some(outcome) = said.outcome else {
            let windows = Value::count(i64::from(said.windows));
            let what = "windows".into();
            judged.measured.push(Measured {
                what,
                value: windows,
            });
            weighed.stand = Stand::Open;
            continue;
        };
        weighed.stand = Stand::Decided;
        judged.verdict = match outcome {
            Outcome::Holds => Verdict::Pass,
            Outcome::Broken => Verdict::Fail,
            Outcome::Open => Verdict::Inconclusive,
        };
        if outcome == Outcome::Holds {
            turn.say(id, format!("`{}`: {}", judged.text, said.words));
        }
        judged.reason = Some(said.words);
    }
}

/// A failure is a failure whatever else was not seen; nothing judged is not applicable.
fn together(judged: &[Weighed]) -> Finding {
    let worst = |verdict: Verdict| {
        let mut decided = judged.iter().filter(|weighed| !weighed.is_open());
        decided.find(|weighed| weighed.judged.verdict == verdict)
    };
    let found = [Verdict::Fail, Verdict::Error, Verdict::Inconclusive]
        .into_iter()
        .find_map(worst);
    match found {
        Some(weighed) => Finding {
            verdict: weighed.judged.verdict,
            sight: weighed.sight,
            reason: Some(Reason::Clause(Arc::clone(&weighed.judged))),
        },
        None if judged.is_empty() => Finding {
            verdict: Verdict::NotApplicable,
            sight: Sight::Clear,
            reason: None,
        },
        None => Finding {
            verdict: Verdict::Pass,
            sight: Sight::Clear,
            reason: None,
        },
    }
}

/// ``` `canary.error_rate < 1%`: canary.error_rate is 12% ```
pub fn because(judged: &Judged) -> String {
    let measured: Vec<String> = judged
        .measured
        .iter()
        .map(|measured| {
            let value = show::value(&measured.value);
            format!("{} is {value}", measured.what)
        })
        .collect();
    let detail = match &judged.reason {
        Some(reason) => reason.clone(),
        None => measured.join(", "),
    };
    format!("`{}`: {detail}", judged.text)
}
