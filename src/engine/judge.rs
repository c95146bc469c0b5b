//! What one sample of a check says: the verdict of its clauses together, each of them reported.

use crate::engine::eval::{Asker, Evaluator, Trouble, heavier, sampled};
use crate::engine::grid::Sample;
use crate::engine::protocol::NoteKind;
use crate::engine::state::{Finding, Judged, Sight};
use crate::engine::truth::truth;
use crate::engine::turn::Turn;
use crate::plan::expr::{Clause, Stmt};
use crate::plan::node::NodeId;
use crate::values::{Verdict, show};

impl Finding {
    pub fn of(verdict: Verdict, reason: impl Into<String>) -> Finding {
        Finding {
            verdict,
            sight: Sight::Clear,
            reason: Some(reason.into()),
        }
    }

    pub fn trouble(trouble: &Trouble) -> Finding {
        Finding {
            verdict: trouble.verdict(),
            sight: trouble.sight(),
            reason: Some(trouble.reason()),
        }
    }

    /// Whether it was seen to hold or not to hold.
    pub fn is_seen(&self) -> bool {
        matches!(
            self.verdict,
            Verdict::Pass | Verdict::Fail | Verdict::NotApplicable
        )
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
    let judged = sampled(turn, sample, asker, |eval| judge_body(eval, body));
    let judged = match judged? {
        Ok(judged) => judged,
        // A body is in trouble as a whole only when there is no clause to blame.
        Err(trouble) => return Some(Finding::trouble(&trouble)),
    };
    for clause in &judged {
        turn.note(
            Some(id),
            NoteKind::Judged {
                text: clause.judged.text.clone(),
                measured: clause.judged.measured.clone(),
                verdict: clause.judged.verdict,
                reason: clause.judged.reason.clone(),
                loc: clause.judged.loc,
            },
        );
    }
    let finding = together(&judged);
    turn.node_mut(id).clauses = judged.into_iter().map(|clause| clause.judged).collect();
    Some(finding)
}

struct Weighed {
    judged: Judged,
    sight: Sight,
}

fn judge_body<'p>(eval: &mut Evaluator<'p, '_>, body: &'p [Stmt]) -> Result<Vec<Weighed>, Trouble> {
    let mut judged = Vec::new();
    let mut trouble = None;
    for statement in body {
        match statement {
            Stmt::Let { local, value } => eval.bind(*local, value),
            Stmt::Expect(clause) => match judge_clause(eval, clause) {
                Ok(clause) => judged.push(clause),
                Err(found) => trouble = Some(heavier(trouble, found)),
            },
            Stmt::When { condition, body } => match truth(eval, condition) {
                Ok(false) => {}
                Ok(true) => match judge_body(eval, body) {
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
        judged: Judged {
            text: clause.text.clone(),
            measured: std::mem::take(&mut eval.measured),
            verdict,
            reason,
            loc: clause.loc,
        },
        sight,
    })
}

/// A failure is a failure whatever else was not seen; nothing judged is not applicable.
fn together(judged: &[Weighed]) -> Finding {
    let worst = |verdict: Verdict| {
        judged
            .iter()
            .find(|weighed| weighed.judged.verdict == verdict)
    };
    let found = [Verdict::Fail, Verdict::Error, Verdict::Inconclusive]
        .into_iter()
        .find_map(worst);
    match found {
        Some(weighed) => Finding {
            verdict: weighed.judged.verdict,
            sight: weighed.sight,
            reason: Some(because(&weighed.judged)),
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
