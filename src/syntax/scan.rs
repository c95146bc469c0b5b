//! Cuts text into tokens: just fine enough to know where a statement ends.
//!
//! **Invariant:** linear, total, and no recursion. Tokens come in order, do not overlap, and leave out blanks only.

/// What a token is for the layout; what it means is the grammar's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Newline,
    /// `// …` to the end of the line.
    Comment,
    /// With everything that is interpolated into it.
    String(Closing),
    /// Between backquotes.
    Raw(Closing),
    /// `(`, `[` or `{`.
    Open(char),
    /// `)`, `]` or `}`.
    Close(char),
    Word,
    Number,
    Operator,
    Other,
}

/// Whether the closing quote of a string is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    Closed,
    /// The line ended first; [`closers`] says what is missing.
    Open,
    /// Interpolations stand deeper in each other than `DEPTH_MAX`.
    TooDeep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

/// How deep brackets, blocks and interpolations may stand in each other.
pub const DEPTH_MAX: usize = 100;

/// Words that begin an item and nothing else: where one starts a line, whatever was open before has ended.
pub const ITEM_WORDS: [&str; 14] = [
    "plan",
    "input",
    "order",
    "phase",
    "watch",
    "rollback",
    "define",
    "threshold",
    "metric",
    "role",
    "provider",
    "scenario",
    "test",
    "invariant",
];

/// Words that begin a statement, before a name, a title or a block.
pub const STATEMENT_WORDS: [&str; 17] = [
    "check", "section", "step", "stage", "canary", "let", "expect", "hold", "confirm", "approve",
    "notify", "for", "when", "parallel", "every", "verify", "on",
];

#[derive(Clone)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str, start: usize) -> Scanner<'a> {
        Scanner { text, at: start }
    }
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let rest = rest(self.text, self.at);
        let is_blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r');
        let blanks = rest.bytes().take_while(|byte| is_blank(*byte)).count();
        let start = self.at + blanks;
        let (kind, length) = token(self.text, start)?;
        self.at = start + length;
        Some(Token {
            kind,
            start,
            end: self.at,
        })
    }
}

/// Whether an item begins here, at the start of a line: its word, and then a name, a title or a block.
pub fn is_item_start(line: &str) -> bool {
    let word = &line.get(..word_length(line)).unwrap_or("");
    let Some(behind) = line.get(word.len()..) else {
        return false;
    };
    let next = behind.trim_start_matches([' ', '\t']);
    ITEM_WORDS.contains(word)
        && next.len() < behind.len()
        && next.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '"' | '{' | '['))
}

pub fn rest(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or("")
}

fn token(text: &str, start: usize) -> Option<(TokenKind, usize)> {
    let here = rest(text, start);
    let first = here.chars().next()?;
    Some(match first {
        '\n' => (TokenKind::Newline, 1),
        '"' => string(here),
        '`' => raw(here),
        '(' | '[' | '{' => (TokenKind::Open(first), 1),
        ')' | ']' | '}' => (TokenKind::Close(first), 1),
        'a'..='z' | 'A'..='Z' | '_' => (TokenKind::Word, word_length(here)),
        '0'..='9' => (TokenKind::Number, number_length(here)),
        _ if here.starts_with("//") => (TokenKind::Comment, comment_length(here)),
        _ => operator(here, first),
    })
}

fn word_length(text: &str) -> usize {
    let in_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let end = text.bytes().position(|byte| !in_word(byte));
    end.unwrap_or(text.len())
}

/// Digits and what stands next to them; a dot only before a digit, so that `1..2` stays a range.
fn number_length(text: &str) -> usize {
    let mut length = word_length(text);
    while let Some(fraction) = rest(text, length).strip_prefix('.')
        && fraction.starts_with(|c: char| c.is_ascii_digit())
    {
        length += 1 + word_length(fraction);
    }
    length + usize::from(rest(text, length).starts_with('%'))
}

fn comment_length(text: &str) -> usize {
    let line = text
        .find('\n')
        .map_or(text, |end| text.get(..end).unwrap_or(text));
    line.trim_end_matches('\r').len()
}

fn operator(text: &str, first: char) -> (TokenKind, usize) {
    if let [b'-' | b'=', b'>', ..] | [b'=' | b'!' | b'<' | b'>', b'=', ..] | [b'.', b'.', ..] =
        text.as_bytes()
    {
        return (TokenKind::Operator, 2);
    }
    let kind = match first {
        '=' | '+' | '-' | '*' | '/' | ',' | '.' | '<' | '>' | ':' | '±' => TokenKind::Operator,
        _ => TokenKind::Other,
    };
    (kind, first.len_utf8())
}

/// What is open inside of a string.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Quotes,
    Braces,
    Backquotes,
}

/// How far a string was followed, and what was open there.
struct Walk {
    inside: Vec<Inside>,
    deepest: usize,
    end: usize,
}

fn walk(text: &str) -> Walk {
    let mut inside = vec![Inside::Quotes];
    let mut deepest = 1;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        let Some(&place) = inside.last() else { break };
        match (c, place) {
            ('\n', _) => {
                return Walk {
                    inside,
                    deepest,
                    end: at,
                };
            }
            ('\\', Inside::Quotes) => {
                chars.next_if(|&(_, next)| next != '\n');
            }
            ('$', Inside::Quotes) => {
                inside.extend(
                    chars
                        .next_if(|&(_, next)| next == '{')
                        .map(|_| Inside::Braces),
                );
            }
            ('"', Inside::Quotes) | ('}', Inside::Braces) | ('`', Inside::Backquotes) => {
                inside.pop();
            }
            ('"', Inside::Braces) => inside.push(Inside::Quotes),
            ('{', Inside::Braces) => inside.push(Inside::Braces),
            ('`', Inside::Braces) => inside.push(Inside::Backquotes),
            _ => {}
        }
        deepest = deepest.max(inside.len());
        if inside.is_empty() {
            let end = at + 1;
            return Walk {
                inside,
                deepest,
                end,
            };
        }
    }
    Walk {
        inside,
        deepest,
        end: text.len(),
    }
}

fn string(text: &str) -> (TokenKind, usize) {
    // Most have nothing in them that has to be followed.
    let mut bytes = text.bytes().skip(1);
    let plain = bytes.position(|byte| matches!(byte, b'"' | b'\\' | b'$' | b'\n'));
    if let Some(length) = plain
        && rest(text, 1 + length).starts_with('"')
    {
        return (TokenKind::String(Closing::Closed), length + 2);
    }
    let walk = walk(text);
    if walk.deepest > DEPTH_MAX {
        return (TokenKind::String(Closing::TooDeep), walk.end);
    }
    if walk.inside.is_empty() {
        return (TokenKind::String(Closing::Closed), walk.end);
    }
    // A comment or a `{` at the end of the line rather stands behind the string than in it.
    let mut line = text.get(..walk.end).unwrap_or(text).trim_end();
    if walk.inside.len() == 1 {
        line = line
            .rfind(" //")
            .map_or(line, |at| line.get(..at).unwrap_or(line))
            .trim_end();
        line = line.strip_suffix(" {").unwrap_or(line).trim_end();
    }
    let end = line.len();
    (TokenKind::String(Closing::Open), end.max(1))
}

/// What is missing at the end of a string or raw string that its line cuts off.
pub fn closers(string: &str) -> String {
    if string.starts_with('`') {
        return "`".to_owned();
    }
    let walk = walk(string);
    let backslashes = string.len() - string.trim_end_matches('\\').len();
    let escape = match walk.inside.last() {
        Some(Inside::Quotes) if backslashes % 2 == 1 => "\\",
        _ => "",
    };
    let ends = walk.inside.iter().rev().map(|inside| match inside {
        Inside::Quotes => '"',
        Inside::Braces => '}',
        Inside::Backquotes => '`',
    });
    escape.chars().chain(ends).collect()
}

/// Up to the next backquote, unless an item begins on a line before it: then the line ends the string.
fn raw(text: &str) -> (TokenKind, usize) {
    let body = rest(text, 1);
    let end = body.find('`');
    let inside = end.map_or(body, |end| body.get(..end).unwrap_or(body));
    let cut = inside
        .match_indices('\n')
        .any(|(at, _)| is_named_item_start(rest(inside, at + 1)));
    match end {
        Some(end) if !cut => (TokenKind::Raw(Closing::Closed), end + 2),
        _ => {
            let line = inside
                .find('\n')
                .map_or(inside, |at| inside.get(..at).unwrap_or(inside));
            (TokenKind::Raw(Closing::Open), 1 + line.trim_end().len())
        }
    }
}

/// Stricter than [`is_item_start`], because `order by x` may start a line of a query.
fn is_named_item_start(line: &str) -> bool {
    let Some(name) = line.get(word_length(line)..).map(str::trim_start) else {
        return false;
    };
    let behind = rest(name, word_length(name)).trim_start_matches([' ', '\t']);
    is_item_start(line)
        && !line.starts_with("order")
        && behind.starts_with(['"', ':', '{', '=', '('])
}
