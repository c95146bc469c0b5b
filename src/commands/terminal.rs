//! What the terminal can show: colour, characters, width.
#![allow(
    clippy::disallowed_methods,
    reason = "the command line reads its environment"
)]

use crate::commands::cli::ColorChoice;
use crate::diagnostics::render::human::{Charset, Color, Style};
use std::io::{IsTerminal, Write};

macro_rules! print {
    ($($text:tt)*) => {
        $crate::commands::terminal::write($crate::commands::terminal::Stream::Stdout, format_args!($($text)*))
    };
}
macro_rules! println {
    ($($text:tt)*) => { $crate::commands::terminal::print!("{}\n", format_args!($($text)*)) };
}
macro_rules! eprintln {
    ($($text:tt)*) => {
        $crate::commands::terminal::write(
            $crate::commands::terminal::Stream::Stderr,
            format_args!("{}\n", format_args!($($text)*)),
        )
    };
}
pub(crate) use {eprintln, print, println};

/// Writes what can be written. Whoever reads may go away, as `head` does: that ends no run, and is no error of ours.
pub fn write(stream: Stream, text: std::fmt::Arguments<'_>) {
    let _ = match stream {
        Stream::Stdout => anstream::stdout().write_fmt(text),
        Stream::Stderr => anstream::stderr().write_fmt(text),
    };
}

/// Where output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Sets the process-wide choice that `anstream` follows. `NO_COLOR` and `CLICOLOR_FORCE` count only for `auto`.
pub fn choose_color(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

pub fn style(stream: Stream) -> Style {
    Style {
        color: color(stream),
        charset: charset(stream),
        width: width(),
    }
}

pub fn color(stream: Stream) -> Color {
    let choice = match stream {
        Stream::Stdout => anstream::AutoStream::choice(&std::io::stdout()),
        Stream::Stderr => anstream::AutoStream::choice(&std::io::stderr()),
    };
    match choice {
        anstream::ColorChoice::Never => Color::Never,
        _ => Color::Always,
    }
}

/// A live picture is drawn only where it can be redrawn.
pub fn is_live() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn charset(stream: Stream) -> Charset {
    let stream = match stream {
        Stream::Stdout => supports_unicode::Stream::Stdout,
        Stream::Stderr => supports_unicode::Stream::Stderr,
    };
    if supports_unicode::on(stream) {
        Charset::Unicode
    } else {
        Charset::Ascii
    }
}

const WIDTH_MIN: usize = 40;
const WIDTH_MAX: usize = 120;
const WIDTH_UNKNOWN: usize = 100;

fn width() -> usize {
    match terminal_size::terminal_size() {
        Some((terminal_size::Width(columns), _)) => {
            usize::from(columns).clamp(WIDTH_MIN, WIDTH_MAX)
        }
        None => WIDTH_UNKNOWN,
    }
}

const HEIGHT_UNKNOWN: usize = 40;

/// In lines.
pub fn height() -> usize {
    match terminal_size::terminal_size() {
        Some((_, terminal_size::Height(lines))) => usize::from(lines),
        None => HEIGHT_UNKNOWN,
    }
}
