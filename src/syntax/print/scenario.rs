//! Lines of scenarios and tests as text.

use crate::syntax::ast::scenario::{
    Answer, Applying, Assign, How, Kill, Promise, Tail, Trouble, Verb,
};
use crate::syntax::print::clause::{reference, word};
use crate::syntax::print::doc::{Doc, text};
use crate::syntax::print::expr::expr;

pub fn assign(said: &Assign) -> Vec<Doc> {
    let equal = Doc::Concat(vec![expr(&said.place), text(" = "), expr(&said.value)]);
    let mut parts = vec![equal];
    parts.extend(said.every.as_ref().map(|time| word("every", time)));
    parts.extend(said.duration.as_ref().map(|time| word("for", time)));
    parts
}

pub fn answer(said: &Answer) -> Vec<Doc> {
    let mut parts = vec![text(format!("{} {}", said.who.name, said.verb.name))];
    parts.extend(said.item.as_ref().map(|item| text(reference(item))));
    parts.extend(said.after.as_ref().map(|time| word("after", time)));
    parts
}

pub fn trouble(said: &Trouble) -> Vec<Doc> {
    let how = match said.how {
        How::Down => " is down".to_owned(),
        How::Silent => " is silent".to_owned(),
        How::Fails(when) => format!(" fails{}", applying(when)),
        How::Unknown(when) => format!(" is unknown{}", when.map_or("", applying)),
        How::Open { verb, word, when } => {
            let verb = match verb {
                Verb::Is => "is",
                Verb::Stays => "stays",
            };
            format!(" {verb} {}{}", word.text(), when.map_or("", applying))
        }
    };
    let undo = said.undo.map_or("", |_| "undo ");
    let mut parts = vec![Doc::Concat(vec![text(undo), expr(&said.what), text(how)])];
    parts.extend(said.duration.as_ref().map(|time| word("for", time)));
    parts
}

pub fn kill(said: &Kill) -> Vec<Doc> {
    let when = said.applying.map_or("", applying);
    let mut parts = vec![text(format!("kill{when}"))];
    parts.extend(said.duration.as_ref().map(|time| word("for", time)));
    parts
}

fn applying(applying: Applying) -> &'static str {
    match applying {
        Applying::Before => " before applying",
        Applying::After => " after applying",
    }
}

pub fn promise(said: &Promise) -> Vec<Doc> {
    let head = said.always.map_or("expect", |_| "expect always");
    let mut parts = vec![word(head, &said.condition)];
    match &said.tail {
        Some(Tail::Before(later)) => parts.push(word("before", later)),
        Some(Tail::Within(time, of)) => {
            parts.push(word("within", time));
            parts.push(word("of", of));
        }
        Some(Tail::AtStart(_)) => parts.push(text("at start")),
        None => {}
    }
    parts
}
