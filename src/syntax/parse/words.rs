//! Words for the rules of the grammar, as messages use them.

use crate::syntax::grammar::Rule;

/// Words that begin planned items and statements, so that they are not taken for slips.
pub const LATER: [&str; 12] = [
    "trial",
    "shift",
    "record",
    "reached",
    "again",
    "decide",
    "checklist",
    "import",
    "sign",
    "scope",
    "while",
    "distinct",
];

/// Planned words that stand behind something.
pub const LATER_BEHIND: [&str; 8] = [
    "contains",
    "over",
    "ago",
    "until",
    "unless",
    "once",
    "with",
    "otherwise",
];

/// Planned events.
const LATER_EVENTS: [&str; 3] = ["stage", "issue", "pass"];

/// Whether a later version is to have this word at a place where this was expected.
pub fn is_later(word: &str, expected: &[Rule]) -> bool {
    LATER_BEHIND.contains(&word)
        || (LATER_EVENTS.contains(&word) && expected.contains(&Rule::event))
}

/// Words that continue an item.
pub const CLAUSES: [&str; 22] = [
    "within",
    "by",
    "timeout",
    "undo",
    "keep",
    "expires",
    "expect",
    "for",
    "ref",
    "when",
    "then",
    "irreversible",
    "owner",
    "window",
    "after",
    "pods",
    "file",
    "during",
    "absent",
    "lower",
    "higher",
    "place",
];

/// Those of an item that can carry something out, which are looked for in its block by who does not know them yet.
pub const OF_HEADS: [&str; 8] = [
    "within",
    "by",
    "timeout",
    "undo",
    "keep",
    "expires",
    "irreversible",
    "owner",
];

/// Words that are never names, as in the grammar.
pub const NO_NAMES: [&str; 17] = [
    "within", "by", "timeout", "undo", "keep", "expires", "expect", "for", "on", "ref", "when",
    "then", "and", "or", "not", "as", "in",
];

/// Words that are names only where they cannot continue an item, as in the grammar.
pub const SOFT: [&str; 8] = [
    "irreversible",
    "owner",
    "window",
    "after",
    "pods",
    "file",
    "during",
    "at_most_once",
];

/// Items and statements that are nothing without a name.
pub const NAMED: [&str; 10] = [
    "phase",
    "metric",
    "provider",
    "role",
    "input",
    "define",
    "threshold",
    "let",
    "step",
    "plan",
];

/// Words of settings.
pub const SETTINGS: [&str; 8] = [
    "window",
    "deadline",
    "samples",
    "zone",
    "sample",
    "like",
    "confidence",
    "windows",
];

/// What looks like a unit behind a number and a blank.
pub const UNITS: [&str; 20] = [
    "ns", "us", "ms", "s", "m", "min", "h", "d", "w", "B", "kB", "KB", "MB", "GB", "TB", "KiB",
    "MiB", "GiB", "TiB", "pp",
];

/// What a rule is called.
enum Called {
    /// A word or sign that is written as it stands here.
    Spelt(&'static str),
    /// A word that continues an item.
    Clause(&'static str),
    /// A kind of thing.
    Thing(&'static str),
    /// Begins a statement, or an item.
    Statement(&'static str),
    Item(&'static str),
    Operator,
    End,
    /// Says nothing to a reader.
    Silent,
}

/// `` `,`, `)` or an operator ``
pub fn list(expected: &[Rule]) -> String {
    let called: Vec<Called> = expected.iter().map(|rule| called(*rule)).collect();
    let items = called
        .iter()
        .filter(|c| matches!(c, Called::Item(_)))
        .count();
    let statements = called
        .iter()
        .filter(|c| matches!(c, Called::Statement(_)))
        .count();
    if items > MANY {
        return "an item".to_owned();
    }
    if statements > MANY {
        return "a statement".to_owned();
    }
    let mut said = Vec::new();
    let mut say = |text: String| {
        if !said.contains(&text) {
            said.push(text);
        }
    };
    for called in &called {
        match called {
            Called::Spelt(word) | Called::Item(word) | Called::Statement(word) => {
                say(format!("`{word}`"))
            }
            Called::Thing(thing) => say((*thing).to_owned()),
            _ => {}
        }
    }
    for clause in clauses(&called) {
        say(clause);
    }
    if called.iter().any(|c| matches!(c, Called::Operator)) {
        say("an operator".to_owned());
    }
    if called.iter().any(|c| matches!(c, Called::End)) {
        say("the end of the line".to_owned());
    }
    join(said)
}

/// From how many of a kind on the kind is named, and not each of them.
const MANY: usize = 4;

fn clauses(called: &[Called]) -> Vec<String> {
    let mut words: Vec<&str> = Vec::new();
    for called in called {
        if let Called::Clause(word) = called
            && !words.contains(word)
        {
            words.push(word);
        }
    }
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.get(..3) {
        Some(shown) if quoted.len() > MANY => vec![format!("a clause ({}, …)", shown.join(", "))],
        _ => quoted,
    }
}

/// The words among what was expected, for a near miss.
pub fn spelt(expected: &[Rule]) -> Vec<&'static str> {
    let mut words = Vec::new();
    for rule in expected {
        words.extend_from_slice(one_of(*rule));
        match called(*rule) {
            Called::Spelt(word)
            | Called::Clause(word)
            | Called::Statement(word)
            | Called::Item(word) => {
                words.push(word);
            }
            _ => {}
        }
    }
    words.retain(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
    words
}

/// Where a rule is one of a few words.
fn one_of(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::policy | Rule::policies => &["stop", "rollback", "warn", "pause", "extend"],
        Rule::cause => &["fail", "error", "inconclusive"],
        Rule::event => &["start", "success", "rolled_back", "rollback_incomplete"],
        Rule::action => &["rollback", "pause", "notify"],
        Rule::verb => &["approves", "rejects", "confirms", "declines", "aborts"],
        Rule::setting => &SETTINGS,
        _ => &[],
    }
}

/// What people write who come from other languages.
pub fn habit(found: &str, expected: &[Rule]) -> Option<&'static str> {
    Some(match found {
        "=" if expected.contains(&Rule::equal) => "`==` compares",
        "=>" if expected.contains(&Rule::ge) => {
            "`>=` compares; `=>` stands before what a watch does"
        }
        "&" => "write `and`",
        "|" => "write `or`",
        "!" => "write `not`",
        "'" => "text stands between `\"`",
        ";" => "a statement ends with its line, without a sign",
        "#" => "`//` begins a comment",
        "and" | "or" => "a line that goes on with the statement above is indented deeper",
        _ => return None,
    })
}

fn join(mut said: Vec<String>) -> String {
    match said.pop() {
        None => "something else".to_owned(),
        Some(last) if said.is_empty() => last,
        Some(last) => format!("{} or {last}", said.join(", ")),
    }
}

fn called(named: Rule) -> Called {
    use Called::{Clause, End, Item, Operator, Silent, Spelt, Statement, Thing};
    match named {
        Rule::EOI => End,
        Rule::plan => Item("plan"),
        Rule::input => Item("input"),
        Rule::order => Item("order"),
        Rule::phase => Item("phase"),
        Rule::watch => Item("watch"),
        Rule::rollback => Item("rollback"),
        Rule::handler => Item("on"),
        Rule::define => Item("define"),
        Rule::threshold => Item("threshold"),
        Rule::metric => Item("metric"),
        Rule::role => Item("role"),
        Rule::provider => Item("provider"),
        Rule::scenario => Item("scenario"),
        Rule::test => Item("test"),
        Rule::invariant => Item("invariant"),
        Rule::version => Item("deploy"),
        Rule::check => Statement("check"),
        Rule::section => Statement("section"),
        Rule::step => Statement("step"),
        Rule::stage => Statement("stage"),
        Rule::canary => Statement("canary"),
        Rule::let_ => Statement("let"),
        Rule::hold => Statement("hold"),
        Rule::confirm => Statement("confirm"),
        Rule::approve => Statement("approve"),
        Rule::notify => Statement("notify"),
        Rule::for_ => Statement("for"),
        Rule::when => Statement("when"),
        Rule::parallel => Statement("parallel"),
        Rule::every => Statement("every"),
        Rule::verify => Statement("verify"),
        Rule::no_data => Statement("no"),
        Rule::always => Statement("always"),
        Rule::at => Statement("at"),
        Rule::kill => Statement("kill"),
        Rule::concurrent => Statement("concurrent"),
        Rule::freeze => Statement("freeze"),
        Rule::runs_word => Spelt("runs"),
        Rule::reject => Spelt("reject"),
        Rule::queue => Spelt("queue"),
        Rule::replace => Spelt("replace"),
        Rule::expect | Rule::expect_stmt => Spelt("expect"),
        Rule::within => Clause("within"),
        Rule::by => Clause("by"),
        Rule::timeout => Clause("timeout"),
        Rule::undo => Clause("undo"),
        Rule::keep => Clause("keep"),
        Rule::expires => Clause("expires"),
        Rule::for_time => Clause("for"),
        Rule::window => Clause("window"),
        Rule::pods => Clause("pods"),
        Rule::after_names | Rule::answer_after => Clause("after"),
        Rule::owner => Clause("owner"),
        Rule::file => Clause("file"),
        Rule::irreversible => Clause("irreversible"),
        Rule::at_most_once => Clause("at_most_once"),
        Rule::on_policy | Rule::on_scope => Clause("on"),
        Rule::refs => Clause("ref"),
        Rule::at_start => Clause("at start"),
        Rule::during => Clause("during"),
        Rule::place => Clause("place"),
        Rule::absent => Clause("absent as"),
        Rule::by_word => Spelt("by"),
        Rule::in_a_row => Spelt("in a row"),
        Rule::in_total => Spelt("in total"),
        Rule::of_last => Spelt("of last"),
        Rule::worse_word => Spelt("worse"),
        Rule::than_word => Spelt("than"),
        Rule::better => Clause("lower is better"),
        Rule::up_to => Clause("up to"),
        Rule::then => Clause("then"),
        Rule::lower => Spelt("lower"),
        Rule::higher => Spelt("higher"),
        Rule::is_word => Spelt("is"),
        Rule::better_word => Spelt("better"),
        Rule::as_word => Spelt("as"),
        Rule::of_word => Spelt("of"),
        Rule::in_word => Spelt("in"),
        Rule::to_word => Spelt("to"),
        Rule::data_word => Spelt("data"),
        Rule::env_word => Spelt("env"),
        Rule::every_word => Spelt("every"),
        Rule::start_word => Spelt("start"),
        Rule::watch_rule => Spelt("when"),
        Rule::eq | Rule::calls | Rule::default | Rule::members => Spelt("="),
        Rule::comma => Spelt(","),
        Rule::colon => Spelt(":"),
        Rule::arrow => Spelt("->"),
        Rule::fat_arrow | Rule::actions => Spelt("=>"),
        Rule::paren_end => Spelt(")"),
        Rule::bracket_end => Spelt("]"),
        Rule::brace_end => Spelt("}"),
        Rule::angle_end => Spelt(">"),
        Rule::block | Rule::settings => Spelt("{"),
        Rule::params | Rule::roles => Spelt("("),
        Rule::tolerance => Spelt("±"),
        Rule::stop => Spelt("stop"),
        Rule::policy_rollback | Rule::action_rollback => Spelt("rollback"),
        Rule::warn => Spelt("warn"),
        Rule::pause | Rule::action_pause => Spelt("pause"),
        Rule::extend => Spelt("extend"),
        Rule::title | Rule::string => Thing("a title"),
        Rule::ident | Rule::name_word | Rule::variable | Rule::item_name | Rule::label => {
            Thing("a name")
        }
        Rule::expr | Rule::amount | Rule::operand | Rule::arg => Thing("an expression"),
        Rule::r#type | Rule::type_name => Thing("a type"),
        Rule::unit_name | Rule::unit_text | Rule::unit => Thing("a unit"),
        Rule::number | Rule::digits => Thing("a number"),
        Rule::version_number => Thing("a version such as `1`"),
        Rule::ref_id | Rule::ref_word => Thing("an id"),
        Rule::policy | Rule::policies => {
            Thing("a policy (`stop`, `rollback`, `warn`, `pause up to T then …`)")
        }
        Rule::cause => Thing("`fail`, `error`, `inconclusive` or `no data`"),
        Rule::event => Thing("`start`, `success`, `rolled_back` or `rollback_incomplete`"),
        Rule::action => Thing("`rollback`, `pause` or `notify`"),
        Rule::group => Thing("a phase"),
        Rule::chain => Thing("phases with `->` between them"),
        Rule::entry => Thing("`key: value`"),
        Rule::quorum => Thing("a number, `all`"),
        Rule::param => Thing("a parameter"),
        Rule::range_op
        | Rule::and
        | Rule::or
        | Rule::le
        | Rule::ge
        | Rule::lt
        | Rule::gt
        | Rule::equal
        | Rule::unequal
        | Rule::add
        | Rule::subtract
        | Rule::multiply
        | Rule::no_worse
        | Rule::near
        | Rule::divide => Operator,
        Rule::setting | Rule::headed | Rule::answer | Rule::plain => Statement("…"),
        _ => Silent,
    }
}
