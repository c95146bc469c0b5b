//! Words for types and dimensions, for scopes, and for values that are used where they may not be.

use crate::analyze::messages::listed;
use crate::analyze::messages::numbers::{units_of, wanted_words, with_article};
use crate::analyze::typed::{Frozen, FrozenWhy, Typed};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{structure, typing as codes};
use crate::providers::{ProviderKind, Setting, catalog};
use crate::resolve::names::{Decl, What};
use crate::resolve::near;
use crate::source::Span;
use crate::syntax::ast::{Aggregate, BinaryOp, Ident};
use crate::units::Dim;
use crate::values::Type;

/// `text` is what was written.
pub fn mismatch(typed: &Typed, text: &str, wanted: &Type) -> Diagnostic {
    let found = with_article(&typed.ty);
    let message = format!("`{text}` is {found}; {} here", wanted_words(wanted));
    match (&typed.ty, wanted) {
        (Type::Secret, _) => secret_used(typed.span),
        (Type::Json, _) => untyped_json(typed.span, text),
        (Type::String, Type::Secret) => literal_secret(typed.span),
        (Type::Quantity(_) | Type::Points, Type::Quantity(dim)) => {
            Diagnostic::new(&codes::DIMENSION_MISMATCH, typed.span, message)
                .help(format!("as in {}", units_of(*dim)))
        }
        (Type::Quantity(_), Type::Points) => {
            Diagnostic::new(&codes::DIMENSION_MISMATCH, typed.span, message).help("as in `2pp`")
        }
        _ => Diagnostic::new(&codes::TYPE_MISMATCH, typed.span, message),
    }
}

pub fn not_a_condition(typed: &Typed, text: &str) -> Diagnostic {
    let message = match typed.ty {
        Type::Secret => return secret_used(typed.span),
        Type::Json => return untyped_json(typed.span, text),
        _ => format!(
            "`{text}` is {}, and a condition is wanted here",
            with_article(&typed.ty)
        ),
    };
    let found = Diagnostic::new(&codes::NOT_A_CONDITION, typed.span, message);
    match &typed.ty {
        Type::Quantity(dim) => {
            let bound = units_of(*dim);
            let bound = bound.split(',').next().unwrap_or("").trim_matches('`');
            found.help(format!("compare it: `{text} < {bound}`"))
        }
        Type::Record(record) => {
            let names: Vec<&str> = record.fields.iter().map(|field| field.name).collect();
            found.help(format!("judge one of its fields: {}", listed(&names)))
        }
        _ => found.help("a condition is a comparison, something of type bool, or a verdict"),
    }
}

pub fn no_arithmetic(op: BinaryOp, left: (&Typed, &str), right: (&Typed, &str)) -> Diagnostic {
    for (typed, text) in [left, right] {
        match typed.ty {
            Type::Secret => return secret_used(typed.span),
            Type::Json => return untyped_json(typed.span, text),
            _ => {}
        }
    }
    let verb = match op {
        BinaryOp::Add => "added",
        BinaryOp::Sub => "subtracted",
        BinaryOp::Mul => "multiplied",
        _ => "divided",
    };
    let (found_left, found_right) = (with_article(&left.0.ty), with_article(&right.0.ty));
    let message = format!("{found_left} and {found_right} cannot be {verb}");
    let found = Diagnostic::new(&codes::DIMENSION_MISMATCH, right.0.span, message)
        .label(found_right)
        .and(left.0.span, found_left);
    match (&left.0.ty, &right.0.ty) {
        (Type::Quantity(Dim::Change), _) | (_, Type::Quantity(Dim::Change)) => {
            found.help("a change is only compared; a part of something is written `20% * x`")
        }
        (Type::String, _) | (_, Type::String) => {
            found.help("texts are put together in one string: `\"${a}-${b}\"`")
        }
        (Type::Quantity(Dim::Count), Type::Quantity(dim))
        | (Type::Quantity(dim), Type::Quantity(Dim::Count))
            if matches!(op, BinaryOp::Add | BinaryOp::Sub) =>
        {
            found.help(format!(
                "a number of {dim} has its unit: {}",
                units_of(*dim)
            ))
        }
        _ => found,
    }
}

pub fn cannot_negate(typed: &Typed, text: &str) -> Diagnostic {
    let message = format!(
        "`{text}` is {}, which has no negative",
        with_article(&typed.ty)
    );
    Diagnostic::new(&codes::TYPE_MISMATCH, typed.span, message)
}

/// Types that are never compared as they are.
pub fn not_comparable(
    left: (&Typed, Span),
    right: (&Typed, Span),
    text: impl Fn(Span) -> String,
) -> Option<Diagnostic> {
    for (side, written) in [left, right] {
        match &side.ty {
            Type::Secret => return Some(secret_used(side.span)),
            Type::Json => return Some(untyped_json(side.span, &text(written))),
            Type::Verdict => {
                let message = "a verdict is no value to compare: it may also be inconclusive";
                let found = Diagnostic::new(&codes::TYPE_MISMATCH, side.span, message);
                return Some(found.help("write `expect` before it, without a comparison"));
            }
            Type::Record(record) => {
                let names: Vec<&str> = record.fields.iter().map(|field| field.name).collect();
                let text = text(written);
                let message = format!("`{text}` is compared by one of its fields");
                let found = Diagnostic::new(&codes::TYPE_MISMATCH, side.span, message);
                return Some(found.help(format!("it has {}", listed(&names))));
            }
            _ => {}
        }
    }
    None
}

pub fn no_comparison(left: (&Typed, &str), right: (&Typed, &str)) -> Diagnostic {
    let ((l, left), (r, right)) = (left, right);
    let (is_left, is_right) = (with_article(&l.ty), with_article(&r.ty));
    let message =
        format!("`{left}` is {is_left} and `{right}` is {is_right}: they cannot be compared");
    let quantities = matches!(l.ty, Type::Quantity(_) | Type::Points)
        && matches!(r.ty, Type::Quantity(_) | Type::Points);
    let code = match quantities {
        true => &codes::DIMENSION_MISMATCH,
        false => &codes::TYPE_MISMATCH,
    };
    // What is written out is what has to be corrected.
    let (wrong, other, text) = if r.value().is_some() {
        (r, l, right)
    } else {
        (l, r, left)
    };
    let found = Diagnostic::new(code, wrong.span, message)
        .label(with_article(&wrong.ty))
        .and(other.span, with_article(&other.ty));
    if wrong.value().is_none() {
        return found;
    }
    match (&wrong.ty, &other.ty) {
        (Type::Quantity(Dim::Ratio), Type::Points) => found
            .help(format!(
                "the distance between two ratios is written in percentage points: `{}`",
                text.replace('%', "pp")
            ))
            .fix(
                "write percentage points",
                wrong.span,
                text.replace('%', "pp"),
            ),
        (Type::Points, Type::Quantity(Dim::Ratio)) => found
            .help(format!(
                "a share is written in percent: `{}`",
                text.replace("pp", "%")
            ))
            .fix("write percent", wrong.span, text.replace("pp", "%")),
        (Type::Quantity(Dim::Change), Type::Quantity(Dim::Ratio)) => found.help(format!(
            "without a sign it is a share: `{}`",
            text.trim_start_matches('+')
        )),
        (_, Type::Quantity(dim)) => {
            found.help(format!("{} written as in {}", plural(*dim), units_of(*dim)))
        }
        _ => found,
    }
}

fn plural(dim: Dim) -> String {
    match dim {
        Dim::Bytes | Dim::Cores => format!("{dim} are"),
        _ => format!("{} is", with_article(&Type::Quantity(dim))),
    }
}

pub fn no_order(typed: &Typed, text: &str) -> Diagnostic {
    let message = format!(
        "`{text}` is {}: it can be equal or not, but not more or less",
        with_article(&typed.ty)
    );
    Diagnostic::new(&codes::TYPE_MISMATCH, typed.span, message).help("write `==` or `!=`")
}

/// `any`/`all` where no comparison takes each element.
pub fn each_outside_of_comparison(typed: &Typed) -> Diagnostic {
    let word = if typed.each == Some(Aggregate::Any) {
        "any"
    } else {
        "all"
    };
    let message = format!("`{word}` judges each element, so a comparison has to stand around it");
    Diagnostic::new(&codes::TYPE_MISMATCH, typed.span, message).help(format!(
        "as in `{word} xs == \"ok\"`; one value of several is `max`, `min`, `sum`, `avg` or `count`"
    ))
}

pub fn no_aggregate(how: Aggregate, typed: &Typed, text: &str) -> Diagnostic {
    let word = how.word();
    if typed.ty == Type::Json {
        return untyped_json(typed.span, text);
    }
    if let Type::List(of) = &typed.ty {
        let message = format!("`{word}` has no meaning for a list of {of}s");
        return Diagnostic::new(&codes::TYPE_MISMATCH, typed.span, message)
            .help("each element is judged by `all` or `any`, and they are counted by `count`");
    }
    let message = format!(
        "`{word}` takes several values, and `{text}` is {}",
        with_article(&typed.ty)
    );
    Diagnostic::new(&codes::TYPE_MISMATCH, typed.span, message)
        .help("several values are a list, or the series of a metric")
}

/// What cannot be put into a text.
pub fn not_for_text(typed: &Typed, text: &str) -> Option<Diagnostic> {
    if typed.each.is_some() {
        return Some(each_outside_of_comparison(typed));
    }
    match &typed.ty {
        Type::Secret => Some(secret_used(typed.span)),
        Type::Json => Some(untyped_json(typed.span, text)),
        Type::Record(record) => {
            let names: Vec<&str> = record.fields.iter().map(|field| field.name).collect();
            let message = format!("`{text}` has no text of its own");
            let found = Diagnostic::new(&codes::TYPE_MISMATCH, typed.span, message);
            Some(found.help(format!("name one of its fields: {}", listed(&names))))
        }
        _ => None,
    }
}

pub fn constant_needed(span: Span, what: &str) -> Diagnostic {
    let message = format!("{what} has to be known when the plan is compiled");
    Diagnostic::new(&codes::CONSTANT_NEEDED, span, message)
        .help("write it out, or use a `let` that reads nothing")
        .note(
            "what a run decides cannot be checked before it, nor shown in the plan that is signed",
        )
}

pub fn constant_condition(span: Span, always: &str) -> Diagnostic {
    let message = format!("this is always {always}: nothing in it is measured");
    Diagnostic::new(&codes::CONSTANT_CONDITION, span, message)
        .help("compare something that is read, or leave it out")
        .note("a check that cannot fail proves nothing, and one that cannot pass stops every run")
}

pub fn measured_equality(span: Span, text: &str) -> Diagnostic {
    let message = format!("`{text}` compares a measured float for equality");
    Diagnostic::new(&codes::MEASURED_EQUALITY, span, message)
        .help("write a bound: `< 1` for none, `>= 1` for some")
        .note("rates and extrapolated counts are hardly ever exactly a number")
}

// ---- secrets and JSON ------------------------------------------------------------------------------------

pub fn secret_used(span: Span) -> Diagnostic {
    Diagnostic::new(
        &codes::SECRET_LEAK,
        span,
        "a secret would become readable here",
    )
    .help("hand it to a setting or a parameter of type secret, and to nothing else")
    .note("a secret is never printed, compared, logged or journalled")
}

pub fn secret_outside_of_settings(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::SECRET_LEAK, span, "`secret(…)` stands outside of a provider's settings")
        .help("give it to a setting of type secret: `provider room = slack { webhook: secret(env \"WEBHOOK\") }`")
        .note("a secret is never printed, compared, logged or journalled")
}

pub fn literal_secret(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::LITERAL_SECRET, span, "a secret is written out in the plan")
        .help("take it from the environment: `secret(env \"NAME\")`; and change it, as it has been in a file")
        .note("a plan is read, signed and kept by many people")
}

pub fn untyped_json(span: Span, text: &str) -> Diagnostic {
    let message = format!("`{text}` is JSON, and has no type before `as` gives it one");
    Diagnostic::new(&codes::UNTYPED_JSON, span, message)
        .help(format!("write `{text} as string`, or another type"))
}

pub fn json_has_no_fields(span: Span, field: &Ident) -> Diagnostic {
    let message = format!("`{}` of JSON is reached by a path", field.name);
    Diagnostic::new(&codes::UNTYPED_JSON, span, message).help(format!(
        "write `.json(\"$.{}\") as string`, or another type",
        field.name
    ))
}

pub fn json_takes_a_path(span: Span) -> Diagnostic {
    let message = "`json` takes one path";
    Diagnostic::new(&codes::WRONG_ARGUMENTS, span, message)
        .help("as in `reply.json(\"$.status\") as string`")
}

pub fn bad_json_path(span: Span, path: &str, rest: &str) -> Diagnostic {
    let message = format!("`{path}` is no path into JSON: `{rest}` cannot be read");
    Diagnostic::new(&codes::MALFORMED_JSON_PATH, span, message)
        .help("a path is `$`, then `.name`, `['name']`, `[0]` or `[*]`")
}

pub fn as_without_json(typed: &Typed, text: &str, span: Span) -> Diagnostic {
    let message = format!("`{text}` is {} already", with_article(&typed.ty));
    Diagnostic::new(&codes::TYPE_MISMATCH, span, message)
        .help("`as` gives a type to JSON, and to nothing else")
}

pub fn not_from_json(span: Span, wanted: &Type) -> Diagnostic {
    let message = format!("JSON cannot hold {}", with_article(wanted));
    Diagnostic::new(&codes::TYPE_MISMATCH, span, message)
        .help("it holds `bool`, `string`, `version`, `int`, quantities with `in UNIT`, and lists of these")
}

// ---- names and fields ------------------------------------------------------------------------------------

/// A name that stands for something that is no value.
pub fn no_value(name: &Ident, decl: &Decl<'_>) -> Diagnostic {
    let text = &name.name;
    let message = format!(
        "`{text}` is {}, and has no value of its own",
        decl.what.noun()
    );
    let found =
        Diagnostic::new(&structure::WRONG_KIND, name.span, message).and(decl.span, "declared here");
    match decl.what {
        What::Provider(_) => found.help(format!("name one of its functions: `{text}.NAME`")),
        What::Step(_) => found.help(format!("name what it left behind: `{text}.started`, `{text}.took`, a field of its result")),
        What::Phase(_) | What::Node(_) => {
            found.help(format!("name what it left behind: `{text}.started`, `{text}.ended`, `{text}.took`, `{text}.verdict`"))
        }
        What::Threshold(_) => found.help(format!("it stands by itself: `expect {text}`")),
        What::Define(_) => found.help(format!("it is a line of its own: `{text}(…)`")),
        _ => found,
    }
}

pub fn unknown_field(field: &Ident, of: &Type, known: &[&str]) -> Diagnostic {
    let message = format!("{} has no field `{}`", with_article(of), field.name);
    member(field, message, known)
}

pub fn unknown_member(field: &Ident, of: &str, known: &[&str]) -> Diagnostic {
    member(field, format!("`{of}` has no `{}`", field.name), known)
}

fn member(field: &Ident, message: String, known: &[&str]) -> Diagnostic {
    let found = Diagnostic::new(&codes::UNKNOWN_MEMBER, field.span, message);
    match near::nearest(&field.name, known.iter().copied()) {
        Some(near) => found.label(format!("did this mean `{near}`?")).fix(
            format!("write `{near}`"),
            field.span,
            near,
        ),
        None if known.is_empty() => found,
        None => found.help(format!("it has {}", listed(known))),
    }
}

pub fn nothing_before(field: &Ident, decl: &Decl<'_>) -> Diagnostic {
    let message = format!(
        "what `{}` changes has no state to read from before it",
        decl.name
    );
    Diagnostic::new(&codes::UNKNOWN_MEMBER, field.span, message)
}

pub fn doubled_key(key: &Ident) -> Diagnostic {
    let message = format!("`{}` stands twice", key.name);
    Diagnostic::new(&structure::DUPLICATE_NAME, key.span, message)
}

pub fn no_cause(span: Span) -> Diagnostic {
    Diagnostic::new(&structure::UNKNOWN_NAME, span, "there is no `cause` here")
        .help("a watch, a rollback and what is told after one have a cause")
}

pub fn word_needs_field(word: &str, span: Span) -> Diagnostic {
    let message = format!("`{word}` stands before a name");
    let help = match word {
        "plan" => "as in `plan.title`".to_owned(),
        _ => format!("as in `{word}.error_rate`, `{word}.pods.healthy`"),
    };
    Diagnostic::new(&structure::WRONG_KIND, span, message).help(help)
}

// ---- scopes ----------------------------------------------------------------------------------------------

pub fn scope_missing(span: Span, text: &str, dim: Dim) -> Diagnostic {
    let message = format!("`{text}` mixes both versions while a canary runs");
    Diagnostic::new(&codes::SCOPE_MISSING, span, message)
        .label(format!("a {dim} over all pods"))
        .help(format!(
            "write `canary.{text}`, `stable.{text}` or `all.{text}`; behind a threshold `on canary`"
        ))
        .note("at 10% of the traffic a canary that fails every request makes only 10% in the total")
}

/// `step`: the one whose canary nothing puts before or after this.
pub fn total_beside(span: Span, metric: &str, dim: Dim, step: &str) -> Diagnostic {
    let message = format!("`{metric}` mixes both versions if the canary of {step} runs meanwhile");
    Diagnostic::new(&codes::SCOPE_MISSING, span, message)
        .label(format!("a {dim} over all pods"))
        .help(format!(
            "write `all.{metric}` if a total is meant, or give this a place before or after the canary"
        ))
        .note("nothing puts the one before the other, so they may run side by side")
}

pub fn no_canary_in_plan(span: Span, word: &str) -> Diagnostic {
    let message = format!("`{word}.` has no meaning: the plan has no canary");
    Diagnostic::new(&codes::SCOPE_MISPLACED, span, message).help("leave the scope out")
}

pub fn which_canary(span: Span, word: &str) -> Diagnostic {
    let message = format!("`{word}.` could be of several canaries here");
    Diagnostic::new(&codes::SCOPE_MISPLACED, span, message)
        .help("write it inside of a canary, or in a watch over the range of one")
}

pub fn no_canary_here(span: Span, word: &str) -> Diagnostic {
    let message = format!("no canary runs here, so `{word}.` has no pods");
    Diagnostic::new(&codes::SCOPE_MISPLACED, span, message)
        .help("leave the scope out, or write `all.`")
        .note("`canary.` and `stable.` stand in the stages of a canary, and in a watch or a rollback over its range")
}

// ---- frozen values ---------------------------------------------------------------------------------------

/// `place` says where: `a watch`, `a check that is judged again`.
pub fn frozen(frozen: &Frozen, condition: Span, place: &str) -> Diagnostic {
    let (name, why) = match &frozen.why {
        FrozenWhy::Let(name) => (name, "is read once, when it is first used"),
        FrozenWhy::Result(name) => (name, "is what is left of something that has ended"),
    };
    let message = format!("{place} would judge a value that cannot change any more");
    let mut found = Diagnostic::new(&codes::FROZEN_VALUE, condition, message);
    if let FrozenWhy::Let(_) = frozen.why {
        found = found.and(frozen.span, "read here");
    }
    found
        .label(format!("`{name}` {why}"))
        .help("read it here, so that it is asked anew each time")
}

// ---- metrics, inputs, providers --------------------------------------------------------------------------

pub fn metric_of_no_quantity(span: Span, ty: &Type) -> Diagnostic {
    let message = format!(
        "a metric measures a quantity, and {} is none",
        with_article(ty)
    );
    Diagnostic::new(&codes::TYPE_MISMATCH, span, message)
        .help("as in `ratio`, `duration`, `count`, `bytes`, `cores`, `rate<count>`")
}

pub fn metric_of_no_metrics(span: Span) -> Diagnostic {
    let message = "a metric is a query, or arithmetic over other metrics";
    Diagnostic::new(&codes::NOT_A_METRIC, span, message)
        .help("as in `prom.query(`…`) in s`, or `failed / requests`")
        .note("everything in a metric is sampled at one instant; a `let` names any other value")
}

pub fn query_takes_a_text(span: Span) -> Diagnostic {
    let message = "`query` takes one text between backquotes";
    Diagnostic::new(&codes::WRONG_ARGUMENTS, span, message)
        .help("as in `prom.query(`sum(rate(x[1m]))`)`")
}

pub fn absent_of_quotient(span: Span, query: Span) -> Diagnostic {
    let message = "no data of a quotient may also mean that nothing was measured at all";
    Diagnostic::new(&codes::ABSENT_AS, span, message)
        .and(query, "divides")
        .help("make two metrics of it, give `absent as` to the one above, and divide them")
        .note("0 errors of 0 requests is no health: x/0 has no value, and is inconclusive")
}

pub fn absent_of_arithmetic(span: Span) -> Diagnostic {
    let message =
        "`absent as` belongs to a query: arithmetic has no value where a part of it has none";
    Diagnostic::new(&codes::ABSENT_AS, span, message)
        .help("write it behind the query that may give nothing")
}

pub fn no_input_of(span: Span, ty: &Type) -> Diagnostic {
    let message = format!("{} cannot be given to a run", with_article(ty));
    let found = Diagnostic::new(&codes::TYPE_MISMATCH, span, message);
    match ty {
        Type::Secret => found.help("write `secret(env \"NAME\")` where it is used"),
        _ => found.help(
            "an input is a bool, a string, a version, an instant, a url, a quantity, or a list of these",
        ),
    }
}

pub fn unknown_kind(kind: &Ident) -> Diagnostic {
    let known: Vec<&str> = catalog::all().iter().map(|kind| kind.name).collect();
    let message = format!("there is no kind of provider `{}`", kind.name);
    let found = Diagnostic::new(&codes::UNKNOWN_PROVIDER_KIND, kind.span, message);
    match near::nearest(&kind.name, known.iter().copied()) {
        Some(near) => found.label(format!("did this mean `{near}`?")).fix(
            format!("write `{near}`"),
            kind.span,
            near,
        ),
        None => found.help(format!("kinds: {}", listed(&known))),
    }
}

pub fn unknown_provider_setting(key: &Ident, kind: &ProviderKind) -> Diagnostic {
    let known: Vec<&str> = kind.settings.iter().map(|setting| setting.name).collect();
    let message = format!("{} has no setting `{}`", kind.name, key.name);
    let found = Diagnostic::new(&codes::PROVIDER_SETTING, key.span, message);
    match near::nearest(&key.name, known.iter().copied()) {
        Some(near) => found.label(format!("did this mean `{near}`?")).fix(
            format!("write `{near}`"),
            key.span,
            near,
        ),
        None => found.help(format!("it has {}", listed(&known))),
    }
}

pub fn missing_setting(at: &Ident, kind: &ProviderKind, setting: &Setting) -> Diagnostic {
    let message = format!("{} needs `{}`", kind.name, setting.name);
    Diagnostic::new(&codes::PROVIDER_SETTING, at.span, message).help(format!(
        "{}: {}. {}",
        setting.name,
        with_article(&setting.ty),
        setting.doc
    ))
}

/// A setting that is part of what is signed.
pub fn fixed_setting(span: Span, setting: &str) -> Diagnostic {
    let message = format!("`{setting}` is part of the plan, so it cannot differ between runs");
    Diagnostic::new(&codes::CONSTANT_NEEDED, span, message)
        .help("write its value out; addresses, namespaces and credentials may come from inputs")
}
