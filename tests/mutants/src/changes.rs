//! What is put in the place of what: the tables, as cargo-mutants has them.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{BinOp, ReturnType};

/// Other operators for an operator.
pub fn operators(operator: &BinOp) -> &'static [&'static str] {
    match operator {
        BinOp::Eq(_) => &["!="],
        BinOp::Ne(_) => &["=="],
        BinOp::And(_) => &["||"],
        BinOp::Or(_) => &["&&"],
        BinOp::Lt(_) => &["==", ">", "<="],
        BinOp::Gt(_) => &["==", "<", ">="],
        BinOp::Le(_) => &[">"],
        BinOp::Ge(_) => &["<"],
        BinOp::Add(_) => &["-", "*"],
        BinOp::Sub(_) | BinOp::Mul(_) => &["+", "/"],
        BinOp::Div(_) => &["%", "*"],
        BinOp::Rem(_) => &["/", "+"],
        BinOp::AddAssign(_) => &["-=", "*="],
        BinOp::SubAssign(_) | BinOp::MulAssign(_) => &["+=", "/="],
        BinOp::BitAnd(_) => &["|", "^"],
        BinOp::BitOr(_) => &["&", "^"],
        _ => &[],
    }
}

/// Values that a function may return at once. Those that its type has not do not compile, and go.
pub fn values(output: &ReturnType) -> &'static [&'static str] {
    let ReturnType::Type(_, of) = output else {
        return &["()"];
    };
    let name = compact(of.to_token_stream());
    match name.as_str() {
        "()" => &["()"],
        "bool" => &["true", "false"],
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => &["0", "1"],
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => &["0", "1"],
        "f32" | "f64" => &["0.0", "1.0"],
        "String" => &["String::new()", "\"xyzzy\".into()"],
        "Self" | "!" => &[],
        _ if name.starts_with("Option<") => &["None"],
        _ if name.starts_with("Vec<") => &["vec![]"],
        _ if name.starts_with("Result<()") => &["Ok(())"],
        _ if name.starts_with("Result<") || name.starts_with("impl ") || name.starts_with('&') => {
            &[]
        }
        _ => &["Default::default()"],
    }
}

/// Tokens as text with the spaces that cargo-mutants puts, so that a reason fits the names of both.
pub fn compact(tokens: TokenStream) -> String {
    let mut text = String::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_word(&token) && text.ends_with(['=']) {
            text.push(' ');
        }
        match &token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                text.push_str(open);
                text.push_str(&compact(group.stream()));
                text.push_str(close);
            }
            token => text.push_str(&token.to_string()),
        }
        if tokens
            .peek()
            .is_some_and(|next| stands_apart(&token, next, &text))
        {
            text.push(' ');
        }
    }
    text
}

fn stands_apart(token: &TokenTree, next: &TokenTree, text: &str) -> bool {
    match (token, next) {
        (TokenTree::Punct(mark), _) => {
            matches!(mark.as_char(), ',' | ';') || text.ends_with("->") || text.ends_with("=>")
        }
        (TokenTree::Group(_), _) => false,
        (_, TokenTree::Punct(mark)) => {
            !matches!(mark.as_char(), ',' | ';' | '<' | '>' | ':' | '.' | '!')
        }
        (_, next) => is_word(next),
    }
}

fn is_word(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(_) | TokenTree::Literal(_))
}

#[cfg(test)]
mod tests {
    use super::{compact, values};

    #[test]
    fn tokens_are_written_as_in_code() {
        for text in [
            "-> Result<Option<u8>, Error>",
            "Expr::Literal(Value::Absent)",
            "Iterator<Item = String>",
            "a => b",
            "Some(_)",
        ] {
            assert_eq!(compact(text.parse().unwrap()), text);
        }
    }

    #[test]
    fn values_follow_from_the_type() {
        let of = |text: &str| values(&syn::parse_str(text).unwrap()).join(" ");
        assert_eq!(of(""), "()");
        assert_eq!(of("-> bool"), "true false");
        assert_eq!(of("-> Option<Vec<u8>>"), "None");
        assert_eq!(of("-> Result<(), String>"), "Ok(())");
        assert_eq!(of("-> Result<u8, String>"), "");
        assert_eq!(of("-> impl Iterator<Item = u8>"), "");
        assert_eq!(of("-> &str"), "");
        assert_eq!(of("-> Duration"), "Default::default()");
    }
}
