//! Text with places where it may break, and how it is laid out on lines of a given width.
//!
//! The layout is that of Wadler, "A prettier printer" (2003), without recursion.

/// Columns of a line.
pub const WIDTH: usize = 100;

/// By how much a line goes in.
pub const INDENT: usize = 2;

#[derive(Clone, Debug)]
pub enum Doc {
    Text(String),
    /// A blank, or a new line.
    Line,
    /// Nothing, or a new line.
    Soft,
    /// A new line in any case.
    Hard,
    /// The first where nothing breaks, the second where lines do.
    Either(&'static str, &'static str),
    /// One after the other.
    Concat(Vec<Doc>),
    /// New lines in it go in further.
    Nest(Box<Doc>),
    /// All on one line, or all its own lines break.
    Group(Box<Doc>),
    /// Parts with blanks between them; a line breaks only where the next part does not fit, and then goes in further.
    Fill(Vec<Doc>),
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Flat,
    Broken,
}

/// What is still to be laid out, the next at the end.
#[derive(Clone, Copy)]
struct Job<'d> {
    indent: usize,
    mode: Mode,
    what: What<'d>,
}

#[derive(Clone, Copy)]
enum What<'d> {
    Doc(&'d Doc),
    /// The rest of a fill, with a break before each.
    Rest(&'d [Doc]),
}

pub fn text(text: impl Into<String>) -> Doc {
    Doc::Text(text.into())
}

pub fn group(parts: Vec<Doc>) -> Doc {
    Doc::Group(Box::new(Doc::Concat(parts)))
}

pub fn nest(parts: Vec<Doc>) -> Doc {
    Doc::Nest(Box::new(Doc::Concat(parts)))
}

/// Lays out a document of which the first line begins at column `indent`.
pub fn render(doc: &Doc, indent: usize) -> String {
    let mut out = String::new();
    let mut column = indent;
    let mut jobs = vec![Job {
        indent,
        mode: Mode::Broken,
        what: What::Doc(doc),
    }];
    while let Some(job) = jobs.pop() {
        let doc = match job.what {
            What::Doc(doc) => doc,
            What::Rest(parts) => {
                let Some((next, rest)) = parts.split_first() else {
                    continue;
                };
                jobs.push(job.with(What::Rest(rest)));
                let flat = job.mode == Mode::Flat || fits(next, &jobs, column + 1);
                column = if flat {
                    space(&mut out, column)
                } else {
                    new_line(&mut out, job.indent)
                };
                jobs.push(job.with(What::Doc(next)));
                continue;
            }
        };
        match doc {
            Doc::Text(text) => {
                out.push_str(text);
                column = column_after(column, text);
            }
            Doc::Line if job.mode == Mode::Flat => column = space(&mut out, column),
            Doc::Soft if job.mode == Mode::Flat => {}
            Doc::Line | Doc::Soft | Doc::Hard => column = new_line(&mut out, job.indent),
            Doc::Either(flat, broken) => {
                let text = if job.mode == Mode::Flat { flat } else { broken };
                out.push_str(text);
                column += text.len();
            }
            Doc::Concat(parts) => {
                jobs.extend(parts.iter().rev().map(|part| job.with(What::Doc(part))))
            }
            Doc::Nest(inner) => jobs.push(job.deeper(What::Doc(inner))),
            Doc::Group(inner) => {
                let flat = job.mode == Mode::Flat || fits(inner, &jobs, column);
                jobs.push(Job {
                    mode: if flat { Mode::Flat } else { Mode::Broken },
                    ..job.with(What::Doc(inner))
                });
            }
            Doc::Fill(parts) => {
                if let Some((first, rest)) = parts.split_first() {
                    jobs.push(job.deeper(What::Rest(rest)));
                    jobs.push(job.with(What::Doc(first)));
                }
            }
        }
    }
    out
}

impl<'d> Job<'d> {
    fn with(self, what: What<'d>) -> Job<'d> {
        Job { what, ..self }
    }

    fn deeper(self, what: What<'d>) -> Job<'d> {
        let indent = self.indent + INDENT;
        Job {
            indent,
            what,
            ..self
        }
    }
}

fn space(out: &mut String, column: usize) -> usize {
    out.push(' ');
    column + 1
}

fn new_line(out: &mut String, indent: usize) -> usize {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
    indent
}

fn column_after(column: usize, text: &str) -> usize {
    match text.rsplit_once('\n') {
        Some((_, last)) => last.chars().count(),
        None => column + text.chars().count(),
    }
}

/// Whether a document and what follows it up to the next place to break fits on the line.
fn fits(doc: &Doc, behind: &[Job<'_>], mut column: usize) -> bool {
    let mut behind = behind.iter().rev();
    let mut jobs = vec![(Mode::Flat, What::Doc(doc))];
    let mut inside = true;
    loop {
        if column > WIDTH {
            return false;
        }
        let Some((mode, what)) = jobs.pop() else {
            inside = false;
            match behind.next() {
                Some(job) => jobs.push((job.mode, job.what)),
                None => return true,
            }
            continue;
        };
        match what {
            What::Rest([]) => {}
            What::Rest(_) if mode == Mode::Broken => return true,
            What::Rest(parts) => {
                column += parts.len();
                jobs.extend(parts.iter().rev().map(|part| (mode, What::Doc(part))));
            }
            What::Doc(Doc::Text(text)) => match text.split_once('\n') {
                Some((first, _)) => return column + first.chars().count() <= WIDTH,
                None => column += text.chars().count(),
            },
            What::Doc(Doc::Hard) => return !inside,
            What::Doc(Doc::Line | Doc::Soft) if mode == Mode::Broken => return true,
            What::Doc(Doc::Line) => column += 1,
            What::Doc(Doc::Soft) => {}
            What::Doc(Doc::Either(flat, broken)) => {
                column += if mode == Mode::Flat {
                    flat.len()
                } else {
                    broken.len()
                };
            }
            What::Doc(Doc::Concat(parts)) => {
                jobs.extend(parts.iter().rev().map(|part| (mode, What::Doc(part))));
            }
            What::Doc(Doc::Nest(inner)) => jobs.push((mode, What::Doc(inner))),
            // What follows may break where it likes.
            What::Doc(Doc::Group(inner)) => {
                let mode = if inside { Mode::Flat } else { mode };
                jobs.push((mode, What::Doc(inner)));
            }
            What::Doc(Doc::Fill(parts)) => {
                if let Some((first, rest)) = parts.split_first() {
                    jobs.push((mode, What::Rest(rest)));
                    jobs.push((mode, What::Doc(first)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(length: usize) -> Doc {
        text("x".repeat(length))
    }

    #[test]
    fn a_fill_breaks_only_where_the_next_part_does_not_fit() {
        let doc = Doc::Fill(vec![word(60), word(30), word(60), word(4)]);
        let lengths: Vec<usize> = render(&doc, 0).lines().map(str::len).collect();
        assert_eq!(lengths, [91, 2 + 65]);
    }

    #[test]
    fn a_group_breaks_all_its_lines_or_none() {
        let list = |length| {
            let inside = nest(vec![
                Doc::Soft,
                word(length),
                text(","),
                Doc::Line,
                word(length),
            ]);
            group(vec![
                text("["),
                inside,
                Doc::Either("", ","),
                Doc::Soft,
                text("]"),
            ])
        };
        assert_eq!(render(&list(3), 0), "[xxx, xxx]");
        let broken = render(&list(60), 2);
        let lengths: Vec<usize> = broken.lines().map(str::len).collect();
        assert_eq!(lengths, [1, 65, 65, 3]);
        assert!(broken.ends_with("x,\n  ]"));
    }

    #[test]
    fn what_follows_a_group_counts_up_to_the_next_break() {
        let call = group(vec![
            text("f("),
            nest(vec![Doc::Soft, word(90)]),
            Doc::Soft,
            text(")"),
        ]);
        let short = Doc::Concat(vec![call.clone(), text(" {")]);
        assert_eq!(render(&short, 0).lines().count(), 1);
        let long = Doc::Concat(vec![call, text(" lower is better {")]);
        assert_eq!(render(&long, 0).lines().count(), 3);
    }
}
