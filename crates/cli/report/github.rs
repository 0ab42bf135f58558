//! Findings as annotations of GitHub's checks: workflow commands on standard output.
//!
//! Source: GitHub Docs, "Workflow commands for GitHub Actions".

use std::io::{self, Write};

use engine::Severity;

use super::remark::{Remark, remarks};
use super::{Entry, Failure};

/// Prints one command for each finding, and for each file that could not be analysed.
pub fn print(entries: &[Entry], failures: &[Failure], out: &mut impl Write) -> io::Result<()> {
    for remark in remarks(entries, failures) {
        let Remark {
            path,
            start,
            end,
            finding,
            message,
            ..
        } = remark;
        let level = match finding.map(|finding| finding.severity) {
            Some(Severity::Warning) => "warning",
            Some(Severity::Error) | None => "error",
        };
        let mut place = String::new();
        if let (Some(start), Some(end)) = (start, end) {
            // Columns are of one line only.
            place = if end.row == start.row && end.column > start.column {
                format!(
                    ",line={},col={},endColumn={}",
                    start.row, start.column, end.column
                )
            } else {
                format!(",line={},endLine={}", start.row, end.row)
            };
        }
        let title = finding.map_or("not analysed", |finding| finding.codemod.name);
        writeln!(
            out,
            "::{level} file={}{place},title={}::{}",
            property(&path),
            property(&format!("asyncfix ({title})")),
            data(&message)
        )?;
    }
    Ok(())
}

/// As the message of a command has to be written.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// As the value of a property has to be written.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn what_ends_a_command_or_a_property_is_escaped() {
        assert_eq!(data("100%: a,\r\nb"), "100%25: a,%0D%0Ab");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
