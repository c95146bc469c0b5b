//! Words for what stands where it may not, for what is missing, and for people who cannot be asked.

use crate::analyze::messages::listed;
use crate::analyze::messages::numbers::with_article;
use crate::analyze::typed::Typed;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{order, structure as codes, typing};
use crate::providers;
use crate::providers::kubernetes::canary::Inexpressible;
use crate::resolve::names::Decl;
use crate::resolve::near;
use crate::source::Span;
use crate::syntax::ast::{Define, For, Ident, Step, Stmt, StmtKind, TypeExpr};
use crate::units::amount::{NANO, Nano, Quantity};
use crate::units::{Dim, show};

/// `place`: `in a stage, which …`.
pub fn misplaced(stmt: &Stmt, place: &str) -> Diagnostic {
    let message = format!("{} stands {place}", statement(&stmt.kind));
    Diagnostic::new(&codes::MISPLACED_STATEMENT, stmt.span, message)
}

/// `word` is the clause, `noun` what it stands behind.
pub fn clause_misplaced(word: &str, span: Span, noun: &str) -> Diagnostic {
    let message = format!("`{word}` has no meaning behind {noun}");
    Diagnostic::new(&codes::MISPLACED_CLAUSE, span, message)
}

pub fn unknown_setting(word: &Ident, noun: &str, known: &[&str]) -> Diagnostic {
    let message = format!("{noun} has no setting `{}`", word.name);
    let found = Diagnostic::new(&codes::UNKNOWN_SETTING, word.span, message);
    match near::nearest(&word.name, known.iter().copied()) {
        Some(near) => found.label(format!("did this mean `{near}`?")),
        None if known.is_empty() => found,
        None => found.help(format!("it has {}", listed(known))),
    }
}

pub fn doubled(word: &str, span: Span, first: Span) -> Diagnostic {
    let message = format!("`{word}` is said twice");
    Diagnostic::new(&codes::DOUBLED_CLAUSE, span, message)
        .label("again")
        .and(first, "first")
}

/// `noun` with its article; `hint` says what it needs.
pub fn nothing_in(noun: &str, span: Span, hint: &str) -> Diagnostic {
    let message = format!("there is nothing in {noun}");
    Diagnostic::new(&codes::NOTHING_INSIDE, span, message)
        .help(format!("write {hint}"))
        .note("what does nothing would pass, and would look as if something had been done")
}

pub fn missing_time(span: Span, message: &str, help: &str) -> Diagnostic {
    Diagnostic::new(&codes::MISSING_TIME, span, message)
        .help(help)
        .note("every plan ends, so whatever waits says for how long")
}

pub fn pause_without_end(word: &str, span: Span) -> Diagnostic {
    let message = format!("the `{word}` has no end");
    Diagnostic::new(&codes::PAUSE_WITHOUT_END, span, message)
        .help(format!(
            "write `{word} up to T then POLICY`, as in `{word} up to 1h then rollback`"
        ))
        .note("every plan ends: what happens when nobody comes is decided before the run")
}

pub fn silence_unsaid(span: Span) -> Diagnostic {
    Diagnostic::new(
        &codes::SILENCE_UNSAID,
        span,
        "the watch does not say what no data means",
    )
    .help("write `no data for T => ACTION` in it")
    .note("silence is never health: without data no rule can fire")
}

pub fn unknown_type(written: &TypeExpr, known: &[&str]) -> Diagnostic {
    let message = format!("`{}` is no type here", written.name);
    let found = Diagnostic::new(&typing::UNKNOWN_TYPE, written.span, message);
    match near::nearest(&written.name, known.iter().copied()) {
        Some(near) => found.label(format!("did this mean `{near}`?")).fix(
            format!("write `{near}`"),
            written.span,
            near,
        ),
        None => {
            let simple: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            found
                .help(format!("types: {}", simple.join(", ")))
                .note("types with an argument: `rate<count>`, `list<string>`, `map<string>`")
        }
    }
}

pub fn unknown_zone(span: Span) -> Diagnostic {
    let message = "the zone is `UTC`, or an offset as in `\"+02:00\"`";
    Diagnostic::new(&typing::MALFORMED_LITERAL, span, message)
        .note("the name of a place would mean other moments on machines with other tables of zones")
}

pub fn unknown_scope(written: &Ident) -> Diagnostic {
    let message = format!("`{}` is no scope", written.name);
    Diagnostic::new(&codes::UNKNOWN_NAME, written.span, message)
        .help("scopes are `canary`, `stable` and `all`")
}

pub fn no_plan(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::NO_PLAN, span, "there is no `plan`").help(
        "write `plan NAME \"title\" { … }`: it names the whole, and says its window and deadline",
    )
}

/// `word`: `plan`, `rollback`.
pub fn item_twice(word: &str, span: Span, first: Span) -> Diagnostic {
    let message = format!("there is a second `{word}`");
    Diagnostic::new(&codes::ITEM_TWICE, span, message)
        .label("again")
        .and(first, "first")
        .note("the `.deploy` files of a folder are one plan")
}

pub fn scenario_in_plan(span: Span) -> Diagnostic {
    Diagnostic::new(
        &codes::MISPLACED_STATEMENT,
        span,
        "a `scenario` stands in a file of the plan",
    )
    .help("put it into a file of its own, whose first item is a `scenario`")
}

/// `wanted` is the weight as it was written.
pub fn inexpressible_weight(span: Span, wanted: Nano, why: &Inexpressible) -> Diagnostic {
    let distances = why
        .nearest
        .iter()
        .map(|(_, share)| (share.0 - wanted.0).abs());
    let help = match distances.min() {
        Some(distance) => {
            // In whole percentage points, upwards, so that the nearest weight is inside.
            let points = (distance * 100 + NANO - 1) / NANO;
            format!("allow a tolerance, `± {points}pp`, or change the replicas of the manifest")
        }
        None => "write another weight, or change the replicas of the manifest".to_owned(),
    };
    Diagnostic::new(&typing::INEXPRESSIBLE_WEIGHT, span, why.to_string())
        .help(help)
        .note(
            "the canary's pods stand beside all of the old ones, and each pod takes an equal part",
        )
}

pub fn pods_of_other_weight(
    span: Span,
    pods: u32,
    stable: u32,
    makes: Nano,
    weight: Span,
) -> Diagnostic {
    let makes = show::quantity(Quantity::measured(Dim::Ratio, makes.as_f64()));
    let message = format!("{pods} pods beside {stable} old ones take {makes} of the traffic");
    Diagnostic::new(&typing::INEXPRESSIBLE_WEIGHT, span, message)
        .and(weight, "another weight")
        .help("leave `pods` out, or write the weight that they make")
}

/// `noun` with its article.
pub fn unused(noun: &str, name: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}` is {noun} that nothing uses");
    Diagnostic::new(&codes::UNUSED, span, message).help("use it or leave it out")
}

// ---- lists and defines -----------------------------------------------------------------------------------

pub fn empty_list(span: Span) -> Diagnostic {
    Diagnostic::new(
        &codes::NOTHING_INSIDE,
        span,
        "the list is empty, so nothing would be done",
    )
    .note("nothing passes on nothing")
}

pub fn not_a_list(list: &Typed, text: &str) -> Diagnostic {
    let message = format!(
        "`{text}` is {}; a list is wanted here",
        with_article(&list.ty)
    );
    Diagnostic::new(&typing::TYPE_MISMATCH, list.span, message)
}

pub fn list_not_written_out(each: &For, list: &Typed) -> Diagnostic {
    let message = "how often this is done is not known when the plan is compiled";
    let found = Diagnostic::new(&codes::FOR_LIST, list.span, message).note(
        "each round becomes lines of the plan, which is checked, timed and signed before the run",
    );
    match (&each.up_to, list.reads.input) {
        (None, Some(_)) => found
            .help("say how many elements the input may have at most: `for x in INPUT up to 20`"),
        (Some(_), _) => {
            found.help("`up to N` is for a list that is an input of the run, named by itself")
        }
        _ => found.help(
            "write the list out: `for x in [\"a\", \"b\"]`, or name a `let` that is written out",
        ),
    }
}

/// `what`: the list as it is written, or whose default it is.
pub fn list_too_long(what: &str, elements: usize, most: u32, at: Span) -> Diagnostic {
    let message = format!("{what} has {elements} elements, and `up to {most}` is less");
    Diagnostic::new(&codes::LIST_TOO_LONG, at, message)
        .help(format!("write `up to {elements}`, or shorten the list"))
}

pub fn not_a_statement(span: Span) -> Diagnostic {
    let message = "only a define can be called as a line of its own";
    Diagnostic::new(&codes::MISPLACED_STATEMENT, span, message)
        .help("what is judged stands behind `expect`, what changes something behind `step NAME =`")
}

/// `words`: `takes no such argument`.
pub fn define_takes(define: &Define, span: Span, words: &str) -> Diagnostic {
    let name = &define.name.name;
    let params: Vec<String> = define
        .params
        .iter()
        .map(|param| format!("{}: {}", param.name.name, param.ty.name))
        .collect();
    let message = format!("`{name}` {words}");
    Diagnostic::new(&typing::WRONG_ARGUMENTS, span, message)
        .and(define.name.span, format!("`{name}({})`", params.join(", ")))
}

// ---- checks ----------------------------------------------------------------------------------------------

pub fn different_durations(span: Span, first: Span) -> Diagnostic {
    let message = "one check holds for one time";
    Diagnostic::new(&codes::CONTRADICTING_TIMES, span, message)
        .and(first, "another time")
        .help("write two checks")
}

pub fn within_and_for(span: Span) -> Diagnostic {
    let message = "a check is judged until it passes, or through a whole time, but not both";
    Diagnostic::new(&codes::CONTRADICTING_TIMES, span, message)
        .help("`within T` waits for a pass; `for T` demands it all the time: write two checks")
}

pub fn postcondition_with_duration(span: Span) -> Diagnostic {
    let message = "a postcondition is judged once, when the change is made";
    Diagnostic::new(&codes::CONTRADICTING_TIMES, span, message)
        .help("write a `check … for T` behind the step")
}

// ---- steps and canaries ----------------------------------------------------------------------------------

pub fn not_a_change(span: Span) -> Diagnostic {
    Diagnostic::new(
        &codes::MISPLACED_STATEMENT,
        span,
        "a step calls a function of a provider that changes something",
    )
    .help("as in `cluster.apply(\"k8s/\")`")
}

pub fn step_without_undo(step: &Step, undo: providers::Undo) -> Diagnostic {
    let at = step
        .head
        .name
        .as_ref()
        .map_or(step.call.span, |name| name.span);
    let found = Diagnostic::new(
        &order::STEP_WITHOUT_UNDO,
        at,
        "the step does not say how it is undone",
    );
    let others = "or `keep \"why\"` where it does no harm, or `irreversible \"why\"`";
    match undo {
        providers::Undo::Derived => found.help(format!(
            "write `undo timeout T` (what was there before is put back), {others}"
        )),
        _ => found.help(format!("write `undo CALL timeout T`, {others}")),
    }
    .note("a change without a known way back cannot be rolled back when it matters")
}

pub fn nothing_to_derive(span: Span, function: &str) -> Diagnostic {
    let message =
        format!("nothing is known of what `{function}` does, so its undo has to be written");
    Diagnostic::new(&order::STEP_WITHOUT_UNDO, span, message)
        .help("write `undo CALL timeout T`, `keep \"why\"` or `irreversible \"why\"`")
}

pub fn two_ways_back(span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(&codes::DOUBLED_CLAUSE, span, "the step has two ways back")
        .label("again")
        .and(first, "first")
        .help("`undo`, `keep` and `irreversible` exclude each other")
}

pub fn canary_undoes_itself(span: Span) -> Diagnostic {
    Diagnostic::new(
        &codes::MISPLACED_CLAUSE,
        span,
        "a canary's way back is always the same",
    )
    .help("write `undo timeout T`: the new pods are shut, and the old ones get their traffic back")
}

pub fn not_dark(name: &Ident, step: &Decl<'_>, call: Span) -> Diagnostic {
    let message = format!(
        "`{}` has moved all of the traffic before the canary begins",
        name.name
    );
    Diagnostic::new(&codes::CANARY_TARGET, name.span, message)
        .and(step.span, "released here")
        .and(call, "with all of its traffic")
        .help("write `traffic: 0%` in its call: the canary moves the traffic")
}

pub fn carries_no_canary(name: &Ident, kind: &str) -> Diagnostic {
    let message = format!(
        "`{}` is done by {kind}, which cannot move a part of the traffic",
        name.name
    );
    Diagnostic::new(&codes::CANARY_TARGET, name.span, message)
}

pub fn weight_does_not_rise(span: Span, before: Span) -> Diagnostic {
    Diagnostic::new(&codes::STAGE_WEIGHTS, span, "the weight does not rise")
        .and(before, "the stage before")
        .help("each stage takes more traffic than the one before it")
}

pub fn last_weight(span: Span) -> Diagnostic {
    Diagnostic::new(
        &codes::STAGE_WEIGHTS,
        span,
        "the last stage does not take all of the traffic",
    )
    .help("end with `stage 100%`: what follows makes the new version the only one")
    .note("a version that was never tried with all of the traffic would be made the only one")
}

pub fn weight_of_nothing(span: Span) -> Diagnostic {
    Diagnostic::new(
        &codes::STAGE_WEIGHTS,
        span,
        "a stage without traffic shows nothing",
    )
    .help("judge what needs no traffic in a `check` before the canary")
}

pub fn stage_without_hold(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::MISSING_TIME, span, "the stage has no `hold`")
        .help("write `hold T` in it: its expectations are judged through the whole of it")
        .note("without a time in which it is seen, a weight shows nothing")
}

pub fn every_never(period: Span, total: Option<Span>) -> Diagnostic {
    let found = Diagnostic::new(
        &codes::CONTRADICTING_TIMES,
        period,
        "the `every` ends before its first round",
    )
    .note("a round is done at the end of each period");
    match total {
        Some(total) => found.and(total, "shorter than one period"),
        None => found,
    }
}

pub fn cannot_tell(target: &Ident, kind: &str) -> Diagnostic {
    let message = format!("`{}` ({kind}) sends no messages", target.name);
    let kinds: Vec<&str> = providers::catalog::all()
        .iter()
        .filter(|kind| kind.tell().is_some())
        .map(|kind| kind.name)
        .collect();
    Diagnostic::new(&codes::WRONG_KIND, target.span, message).help(format!(
        "messages are sent by providers of these kinds: {}",
        listed(&kinds)
    ))
}

// ---- people ----------------------------------------------------------------------------------------------

/// `noun` with its article: `an approval`.
pub fn people_without_deadline(noun: &str, span: Span) -> Diagnostic {
    let message = format!("{noun} waits without an end");
    Diagnostic::new(&codes::PEOPLE_WITHOUT_DEADLINE, span, message)
        .help("write `within T` behind it")
        .note("every plan ends: what happens when nobody answers is decided before the run")
}

pub fn nobody_asked(noun: &str, span: Span) -> Diagnostic {
    let message = format!("{noun} does not say who is asked");
    Diagnostic::new(&codes::NOBODY_ASKED, span, message).help("write `by ROLE` behind it")
}

pub fn confirmation_by_several(span: Span) -> Diagnostic {
    let message = "a confirmation is one person's word";
    Diagnostic::new(&codes::QUORUM, span, message).help("several signatures are an `approve`")
}

pub fn quorum_of_nobody(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::QUORUM, span, "an approval by nobody is none")
        .help("ask at least one person")
}

pub fn all_of_unknown(span: Span) -> Diagnostic {
    let message = "it is not written who has this role, so nobody knows who all of them are";
    Diagnostic::new(&codes::QUORUM, span, message)
        .help("name them where the role is declared: `role R \"…\" = [\"ana\", \"ben\"]`")
}

pub fn too_few_people(span: Span, needed: usize, there: usize) -> Diagnostic {
    let message = format!("{needed} people are needed, and only {there} have these roles");
    Diagnostic::new(&codes::QUORUM, span, message)
        .note("people are counted, not roles: nobody signs twice")
}

/// A statement with its article.
fn statement(kind: &StmtKind) -> &'static str {
    match kind {
        StmtKind::Section(_) => "a `section`",
        StmtKind::Check(_) => "a `check`",
        StmtKind::Step(_) => "a `step`",
        StmtKind::Canary(_) => "a `canary`",
        StmtKind::Stage(_) => "a `stage`",
        StmtKind::Confirm(_) => "a `confirm`",
        StmtKind::Line(_) => "a title",
        StmtKind::Approve(_) => "an `approve`",
        StmtKind::Hold(_) => "a `hold`",
        StmtKind::Every(_) => "an `every`",
        StmtKind::Notify(_) => "a `notify`",
        StmtKind::When(_) => "a `when`",
        StmtKind::Parallel(_) => "a `parallel`",
        StmtKind::For(_) => "a `for`",
        StmtKind::Let(_) => "a `let`",
        StmtKind::Expect(_) => "an `expect`",
        StmtKind::Call(_) => "a call",
        StmtKind::Bound(_) => "a bound without `expect`",
        StmtKind::Policy(_) => "an `on …`",
        StmtKind::Setting(_) | StmtKind::Concurrent(_) | StmtKind::Freeze(_) => "a setting",
        StmtKind::Rule(_) => "a rule of a watch",
        StmtKind::NoData(_) => "a `no data`",
        StmtKind::Verify(_) => "a `verify`",
        StmtKind::At(_)
        | StmtKind::Assign(_)
        | StmtKind::Answer(_)
        | StmtKind::Trouble(_)
        | StmtKind::Kill(_) => "a line of a scenario",
        StmtKind::Promise(_) => "a line of a test",
        StmtKind::Junk => "a line",
    }
}
