//! Writes all mutants of a file into it: `a < b` becomes `if is_alive(17) { a <= b } else { a < b }`.
//!
//! The other forms have their operands as they were, so with one mutant alive nothing else is changed, and with none the code
//! means what it meant.

use std::ops::Range;

use crate::find::{Choice, Place, Shape};

/// A rewritten file.
#[derive(Debug)]
pub struct Rewritten {
    pub text: String,
    pieces: Vec<Piece>,
}

/// A part of the rewritten text that is there because of these mutants.
#[derive(Debug)]
struct Piece {
    span: Range<usize>,
    mutants: Vec<usize>,
}

/// `number_of` says by which number a mutant is known, or that it stays out.
pub fn rewrite(
    source: &str,
    places: &[Place],
    number_of: &dyn Fn(usize) -> Option<u32>,
) -> Rewritten {
    let mut writer = Writer {
        source,
        places,
        number_of,
        text: String::with_capacity(source.len() * 2),
        pieces: Vec::new(),
    };
    writer.region(0..source.len(), 0);
    Rewritten {
        text: writer.text,
        pieces: writer.pieces,
    }
}

impl Rewritten {
    /// The mutants because of which this part does not compile: of the smallest piece around it, or else of the last before.
    pub fn guilty(&self, error: &Range<usize>) -> &[usize] {
        let around = self
            .pieces
            .iter()
            .filter(|piece| piece.span.start <= error.start && error.end <= piece.span.end)
            .min_by_key(|piece| piece.span.len());
        let before = || {
            let begun = self.pieces.iter();
            let begun = begun.filter(|piece| piece.span.start <= error.start);
            begun.max_by_key(|piece| piece.span.start)
        };
        around
            .or_else(before)
            .map_or(&[], |piece| piece.mutants.as_slice())
    }
}

struct Writer<'a> {
    source: &'a str,
    places: &'a [Place],
    number_of: &'a dyn Fn(usize) -> Option<u32>,
    text: String,
    pieces: Vec<Piece>,
}

impl<'a> Writer<'a> {
    /// A part of the source, with the places in it from the one of this index on.
    fn region(&mut self, region: Range<usize>, from: usize) {
        let mut at = region.start;
        for (index, place) in self.places.iter().enumerate().skip(from) {
            if place.span.start >= region.end {
                break;
            }
            let is_next = place.span.start >= at && place.span.end <= region.end;
            let live = self.live(place);
            if !is_next || live.is_empty() {
                continue;
            }
            self.copy(at..place.span.start);
            self.place(place, &live, index + 1);
            at = place.span.end;
        }
        self.copy(at..region.end);
    }

    fn live(&self, place: &'a Place) -> Vec<(u32, &'a Choice)> {
        let choices = place.choices.iter();
        choices
            .filter_map(|choice| Some(((self.number_of)(choice.mutant)?, choice)))
            .collect()
    }

    fn place(&mut self, place: &Place, live: &[(u32, &Choice)], inner: usize) {
        let begin = self.text.len();
        match &place.shape {
            Shape::Operator { left, right } => {
                let source = self.source;
                let said = |part: &Range<usize>| source.get(part.clone()).unwrap_or_default();
                self.text.push('(');
                for (number, choice) in live {
                    let other = format!("{} {} {}", said(left), choice.text, said(right));
                    self.other(choice, &format!("if {} {{ ({other}) }}", ask(*number)));
                    self.text.push_str(" else ");
                }
                self.text.push_str("{ ");
                self.region(left.clone(), inner);
                self.copy(left.end..right.start);
                self.region(right.clone(), inner);
                self.text.push_str(" })");
            }
            Shape::Prefix { operand } => {
                let bare = self.source.get(operand.clone()).unwrap_or_default();
                self.text.push('(');
                for (number, choice) in live {
                    self.other(choice, &format!("if {} {{ ({bare}) }}", ask(*number)));
                    self.text.push_str(" else ");
                }
                self.text.push_str("{ ");
                self.copy(place.span.start..operand.start);
                self.region(operand.clone(), inner);
                self.text.push_str(" })");
            }
            Shape::Guard => {
                self.text.push('(');
                for (number, choice) in live {
                    let asked = match choice.text {
                        "true" => format!("{} || ", ask(*number)),
                        _ => format!("!{} && ", ask(*number)),
                    };
                    self.other(choice, &asked);
                }
                self.text.push('(');
                self.region(place.span.clone(), inner);
                self.text.push_str("))");
            }
            Shape::Arm => {
                for (number, choice) in live {
                    self.other(choice, &format!(" if !{}", ask(*number)));
                }
            }
            Shape::Body => {
                for (number, choice) in live {
                    let value = choice.text;
                    self.other(
                        choice,
                        &format!(" if {} {{ return {value}; }}", ask(*number)),
                    );
                }
            }
        }
        let mutants = live.iter().map(|(_, choice)| choice.mutant).collect();
        self.piece(begin, mutants);
    }

    /// What is there because of one choice.
    fn other(&mut self, choice: &Choice, text: &str) {
        let begin = self.text.len();
        self.text.push_str(text);
        self.piece(begin, vec![choice.mutant]);
    }

    fn piece(&mut self, begin: usize, mutants: Vec<usize>) {
        self.pieces.push(Piece {
            span: begin..self.text.len(),
            mutants,
        });
    }

    fn copy(&mut self, part: Range<usize>) {
        self.text
            .push_str(self.source.get(part).unwrap_or_default());
    }
}

fn ask(number: u32) -> String {
    format!("crate::mutant_switch::is_alive({number})")
}

#[cfg(test)]
mod tests;
