//! A finding, for the services that show it beside the code.

use std::path::Path;

use edit::Position;
use engine::Finding;

use super::{Entry, Failure, Places};

/// One thing to show beside a line of code.
pub struct Remark<'a> {
    /// Relative to the current directory where it is below it, with `/` between its parts.
    pub path: String,
    /// One-based row, column in characters; none where no line is known.
    pub start: Option<Position>,
    /// Where it ends.
    pub end: Option<Position>,
    /// None: the file could not be analysed.
    pub finding: Option<&'a Finding>,
    /// The text of the first line.
    pub line: &'a str,
    /// What is the matter, and what can be done about it.
    pub message: String,
}

/// What is to be shown of a run: all findings, the withheld ones too, and the files that could
/// not be analysed; by path, then position.
pub fn remarks<'a>(entries: &[Entry<'a>], failures: &[Failure]) -> Vec<Remark<'a>> {
    let here = std::env::current_dir().unwrap_or_default();
    let mut remarks: Vec<Remark> = failures
        .iter()
        .filter(|failure| !failure.unwritten)
        .map(|failure| Remark {
            path: relative(&failure.path, &here),
            start: failure.position(),
            end: failure.position(),
            finding: None,
            line: "",
            message: failure.message.clone(),
        })
        .collect();
    for entry in entries {
        let places = Places::new(entry.source, entry.text);
        let path = relative(entry.path, &here);
        remarks.extend(entry.findings.iter().map(|finding| {
            let start = places.of(finding.range.start);
            let end = places.of(finding.range.end).position;
            let message = finding.message_and_state();
            // A row of a cell is none of the file.
            let in_file = start.cell.is_none();
            Remark {
                path: path.clone(),
                start: in_file.then_some(start.position),
                end: in_file.then_some(end),
                finding: Some(finding),
                line: places.line(finding.range.start),
                message: if in_file {
                    message
                } else {
                    format!("{start}: {message}")
                },
            }
        }));
    }
    // Stable: within a file by position.
    remarks.sort_by(|one, other| one.path.cmp(&other.path));
    remarks
}

/// The path as services want it: from the folder that was checked out, where CI runs.
fn relative(path: &Path, here: &Path) -> String {
    let path = path.strip_prefix(here).unwrap_or(path);
    let parts: Vec<_> = path
        .components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/").replacen("//", "/", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_at_the_current_directory() {
        let relative = |path: &str| relative(Path::new(path), Path::new("/work"));
        assert_eq!(relative("./a/b.py"), "a/b.py");
        assert_eq!(relative("/work/a.py"), "a.py");
        assert_eq!(relative("/other/a.py"), "/other/a.py");
        assert_eq!(relative("../a.py"), "../a.py");
    }
}
