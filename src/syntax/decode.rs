//! From bytes to text. What could look different to a reader than it is to the parser is refused, with its place.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::Code;
use crate::diagnostics::codes::syntax::{
    FILE_TOO_LARGE, HIDDEN_CHARACTER, LONE_CARRIAGE_RETURN, NOT_UTF8, NUL_BYTE, UTF16,
};
use crate::source::{FileId, Span};

/// The largest file that is read. Whoever reads files looks at their size first.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// So many places of one kind are named in a file.
const PLACES_MAX: usize = 20;

/// Bytes that are no text of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Undecodable {
    /// The text as far as it can be shown; the diagnostics' places are in it.
    pub text: String,
    pub diagnostics: Vec<Diagnostic>,
}

/// Text from the bytes of a file. A byte order mark is left out; `\r\n` stays, so that places are true.
pub fn decode(file: FileId, bytes: &[u8]) -> Result<String, Undecodable> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(refused(String::new(), too_large(file, bytes.len())));
    }
    if let Some(text) = utf16(bytes) {
        return Err(refused(text, is_utf16(file)));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let text = String::from_utf8_lossy(bytes);
        let before = bytes.get(..at).unwrap_or(bytes);
        let at = String::from_utf8_lossy(before).len();
        return Err(refused(text.into_owned(), nul(file, at)));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let byte = bytes.get(at).copied().unwrap_or_default();
            let text = String::from_utf8_lossy(bytes).into_owned();
            return Err(refused(text, not_utf8(file, at, byte)));
        }
    };
    let diagnostics = unwanted(file, text);
    match diagnostics.is_empty() {
        true => Ok(text.to_owned()),
        false => Err(Undecodable {
            text: text.to_owned(),
            diagnostics,
        }),
    }
}

/// The message on a file of this size, of which nothing was read.
pub fn too_large(file: FileId, bytes: usize) -> Diagnostic {
    let limit = FILE_BYTES_MAX / (1024 * 1024);
    let size = bytes.div_ceil(1024 * 1024);
    let message = format!("the file has {size} MiB; a plan has at most {limit} MiB");
    Diagnostic::new(&FILE_TOO_LARGE, Span::new(file, 0, 0), message)
        .help("look whether this is the file that was meant")
        .note("nothing of it was read")
}

fn refused(text: String, diagnostic: Diagnostic) -> Undecodable {
    Undecodable {
        text,
        diagnostics: vec![diagnostic],
    }
}

/// The text, where the bytes are UTF-16: by their mark, or because every other byte is zero.
fn utf16(bytes: &[u8]) -> Option<String> {
    let start = bytes.get(..bytes.len().min(512)).unwrap_or(bytes);
    let zeros = |odd: usize| {
        start
            .iter()
            .skip(odd)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let most = start.len() / 4;
    let big_endian = match start {
        [0xFE, 0xFF, ..] => true,
        [0xFF, 0xFE, ..] => false,
        [_, _, _, _, ..] if zeros(0) > most && zeros(1) == 0 => true,
        [_, _, _, _, ..] if zeros(1) > most && zeros(0) == 0 => false,
        _ => return None,
    };
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| match big_endian {
        true => u16::from_be_bytes(*pair),
        false => u16::from_le_bytes(*pair),
    });
    let text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .skip_while(|c| *c == '\u{FEFF}')
        .collect();
    Some(text)
}

fn is_utf16(file: FileId) -> Diagnostic {
    Diagnostic::new(
        &UTF16,
        Span::new(file, 0, 0),
        "the file is UTF-16 text, and not UTF-8",
    )
    .help("save it as UTF-8, or convert it: `iconv -f UTF-16 -t UTF-8`")
}

fn nul(file: FileId, at: usize) -> Diagnostic {
    let message = "there is a NUL byte here: this is no text, or it is damaged";
    Diagnostic::new(&NUL_BYTE, Span::new(file, at, at + 1), message)
        .label("a NUL byte")
        .help("look whether this is the file that was meant")
}

fn not_utf8(file: FileId, at: usize, byte: u8) -> Diagnostic {
    let shown = char::REPLACEMENT_CHARACTER.len_utf8();
    let message = format!("the byte 0x{byte:02X} is not UTF-8");
    Diagnostic::new(&NOT_UTF8, Span::new(file, at, at + shown), message)
        .label("the first byte that cannot be read")
        .help("save the file as UTF-8, or convert it: `iconv -f WINDOWS-1252 -t UTF-8`")
}

/// Characters that end no line although they look so, or that cannot be seen.
fn unwanted(file: FileId, text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    if text.bytes().all(is_plain) {
        return found;
    }
    let mut hidden = 0;
    let mut returns = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let span = Span::new(file, at, at + c.len_utf8());
        if c == '\r' && chars.peek().is_none_or(|(_, next)| *next != '\n') {
            returns += 1;
            if returns <= PLACES_MAX {
                found.push(lone_return(span));
            }
        } else if is_hidden(c) {
            hidden += 1;
            if hidden <= PLACES_MAX {
                found.push(hidden_character(span, c));
            }
        }
    }
    for (code, count) in [
        (&LONE_CARRIAGE_RETURN, returns),
        (&HIDDEN_CHARACTER, hidden),
    ] {
        count_rest(&mut found, code, count);
    }
    found
}

fn count_rest(found: &mut [Diagnostic], code: &'static Code, count: usize) {
    let last = found.iter_mut().rfind(|diagnostic| diagnostic.code == code);
    if let (Some(last), true) = (last, count > PLACES_MAX) {
        last.note = Some(format!("and {} more of these", count - PLACES_MAX));
    }
}

fn lone_return(span: Span) -> Diagnostic {
    let message = "a carriage return without a line feed ends no line here, but looks as if it did";
    Diagnostic::new(&LONE_CARRIAGE_RETURN, span, message)
        .label("a carriage return alone")
        .help("end lines with a line feed, or with both")
}

fn hidden_character(span: Span, c: char) -> Diagnostic {
    let message = format!(
        "the character U+{:04X} ({}) cannot be seen",
        u32::from(c),
        name(c)
    );
    Diagnostic::new(&HIDDEN_CHARACTER, span, message)
        .label("stands here")
        .note("with it a plan can look different from what it says")
        .fix("remove it", span, "")
}

fn is_hidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        // Joiners are part of how some scripts and emoji are written.
        '\u{200C}' | '\u{200D}' => false,
        '\u{061C}' | '\u{180E}' | '\u{00AD}' | '\u{FEFF}' => true,
        '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' => true,
        '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}' => true,
        _ => c.is_control(),
    }
}

fn name(c: char) -> &'static str {
    match c {
        '\u{202A}'..='\u{202E}'
        | '\u{2066}'..='\u{2069}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{061C}' => "turns the direction of writing",
        '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{180E}' => "a blank without width",
        '\u{2028}' | '\u{2029}' => "a line or paragraph separator",
        '\u{00AD}' => "a soft hyphen",
        '\u{E0000}'..='\u{E007F}' => "a tag",
        _ => "a control character",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId(0);

    fn refusal(bytes: &[u8]) -> Vec<(&'static str, String)> {
        let refused = decode(FILE, bytes).unwrap_err();
        let shown = |d: &Diagnostic| {
            let text = refused.text.get(d.primary.span.range()).unwrap();
            (d.code.name, text.to_owned())
        };
        refused.diagnostics.iter().map(shown).collect()
    }

    #[test]
    fn a_byte_order_mark_is_left_out() {
        assert_eq!(
            decode(FILE, b"\xEF\xBB\xBFdeploy 1\n").unwrap(),
            "deploy 1\n"
        );
    }

    #[test]
    fn windows_line_ends_stay() {
        assert_eq!(
            decode(FILE, b"deploy 1\r\n\r\n").unwrap(),
            "deploy 1\r\n\r\n"
        );
    }

    #[test]
    fn words_of_all_languages_are_text() {
        let text = "deploy 1 // Überblick, обзор, 概要, 👩\u{200D}💻\n";
        assert_eq!(decode(FILE, text.as_bytes()).unwrap(), text);
    }

    #[test]
    fn a_carriage_return_alone_has_its_place() {
        assert_eq!(
            refusal(b"deploy 1\rplan\r\n\r"),
            [
                ("lone-carriage-return", "\r".to_owned()),
                ("lone-carriage-return", "\r".to_owned())
            ]
        );
    }

    #[test]
    fn utf16_is_known_with_and_without_its_mark() {
        let units: Vec<u16> = "deploy 1\nplan x {}\n".encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let marked = [b"\xFF\xFE".as_slice(), &little].concat();
        for bytes in [little, big, marked] {
            let refused = decode(FILE, &bytes).unwrap_err();
            assert_eq!(refused.diagnostics[0].code.name, "utf16");
            assert_eq!(refused.text, "deploy 1\nplan x {}\n");
        }
    }

    #[test]
    fn nul_and_other_encodings_have_their_place() {
        assert_eq!(
            refusal(b"deploy 1\n\xE4\0"),
            [("nul-byte", "\0".to_owned())]
        );
        assert_eq!(
            refusal(b"// Gr\xFC\xDFe\n"),
            [("not-utf8", "\u{FFFD}".to_owned())]
        );
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        let found = refusal("a\u{202E}b\u{200B}c\u{1B}d\u{FEFF}".as_bytes());
        let shown: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(shown, ["\u{202E}", "\u{200B}", "\u{1B}", "\u{FEFF}"]);
    }

    #[test]
    fn many_of_a_kind_are_counted() {
        let refused = decode(FILE, "\u{202E}".repeat(50).as_bytes()).unwrap_err();
        assert_eq!(refused.diagnostics.len(), PLACES_MAX);
        let note = refused.diagnostics.last().unwrap().note.clone();
        assert_eq!(note.as_deref(), Some("and 30 more of these"));
    }

    #[test]
    fn a_large_file_is_not_looked_at() {
        let refused = decode(FILE, &vec![b'a'; FILE_BYTES_MAX + 1]).unwrap_err();
        assert_eq!(refused.diagnostics[0].code.name, "file-too-large");
        assert!(refused.text.is_empty());
        assert!(decode(FILE, &vec![b'a'; FILE_BYTES_MAX]).is_ok());
    }
}
