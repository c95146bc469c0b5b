//! Workflow commands of GitHub Actions, which the web page shows at the line of a pull request.

use crate::diagnostics::{Diagnostic, Severity};
use crate::source::Sources;

/// `::error file=…,line=…,col=…,title=…::message`
pub fn render(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some((file, at)) = sources.locate(diagnostic.primary.span) {
        properties.push(format!("file={}", property(file)));
        properties.push(format!("line={},col={}", at.line, at.column));
    }
    let title = format!("{} {}", diagnostic.code.id, diagnostic.code.name);
    properties.push(format!("title={}", property(&title)));
    let lines: Vec<&str> = std::iter::once(diagnostic.message.as_str())
        .chain(diagnostic.help.as_deref())
        .chain(diagnostic.note.as_deref())
        .collect();
    format!(
        "::{word} {}::{}\n",
        properties.join(","),
        message(&lines.join("\n"))
    )
}

/// Escapes as GitHub's runner reads them back; without it a message could start a command of its own.
fn message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
