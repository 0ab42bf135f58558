//! A finding, for the services that show it beside the code.

use std::path::Path;

use edit::LineIndex;
use engine::Finding;

use super::{Entry, Failure, Place, Places};

/// One thing to show beside a line of code.
pub struct Remark<'a> {
    /// Relative to the current directory where it is below it, with `/` between its parts.
    pub path: String,
    /// None where no line is known.
    pub start: Option<Spot<'a>>,
    /// Where it ends.
    pub end: Option<Spot<'a>>,
    /// None: the file could not be analysed.
    pub finding: Option<&'a Finding>,
    /// The text of the first line.
    pub line: &'a str,
    /// What is the matter, and what can be done about it.
    pub message: String,
}

/// A place in a file, in each of the units in which services count columns.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// One-based.
    pub row: usize,
    /// One-based, in characters (Unicode scalar values).
    pub column: usize,
    /// What is in the line before it.
    before: &'a str,
    /// Whether a byte order mark stands before that.
    bom: bool,
}

impl Spot<'_> {
    /// The one-based column in bytes of UTF-8, with those of a byte order mark: what a service finds
    /// in the line when it reads the file as bytes.
    pub fn utf8(&self) -> usize {
        let bom = if self.bom { '\u{feff}'.len_utf8() } else { 0 };
        1 + bom + self.before.len()
    }

    /// The one-based column in code units of UTF-16, without a byte order mark.
    pub fn utf16(&self) -> usize {
        1 + self.before.encode_utf16().count()
    }
}

/// Turns byte offsets into the text of an entry into places.
pub struct Spots<'a> {
    text: &'a str,
    bom: bool,
    index: LineIndex,
    /// Of a notebook, whose rows are none of the file: those of its cells.
    cells: Option<Places<'a>>,
}

impl<'a> Spots<'a> {
    pub fn new(entry: &Entry<'a>) -> Self {
        Self {
            text: entry.text,
            bom: entry.source.bom,
            index: LineIndex::new(entry.text),
            cells: entry
                .source
                .notebook
                .is_some()
                .then(|| Places::new(entry.source, entry.text)),
        }
    }

    pub fn at(&self, offset: usize) -> Spot<'a> {
        let place = self.index.position(self.text, offset);
        let line = self.index.line_range(self.text, place.row);
        Spot {
            row: place.row,
            column: place.column,
            before: self.text.get(line.start..offset).unwrap_or_default(),
            bom: self.bom && place.row == 1,
        }
    }
}

impl<'a> Remark<'a> {
    /// `path` as services want it.
    pub fn of_finding(finding: &'a Finding, path: String, spots: &Spots<'a>) -> Self {
        let start = spots.at(finding.range.start);
        let line = spots.index.line_range(spots.text, start.row);
        let message = finding.message_and_state();
        let cell = spots.cells.as_ref().map(|it| it.of(finding.range.start));
        Self {
            path,
            start: cell.is_none().then_some(start),
            end: cell.is_none().then(|| spots.at(finding.range.end)),
            finding: Some(finding),
            line: spots.text.get(line).unwrap_or_default(),
            message: match cell {
                Some(place) => format!("{place}: {message}"),
                None => message,
            },
        }
    }

    /// `path` as services want it.
    pub fn of_failure(failure: &'a Failure, path: String) -> Self {
        let in_file = failure.position().filter(|_| failure.cell.is_none());
        let spot = in_file.map(|place| Spot {
            row: place.row,
            column: place.column,
            before: &failure.before,
            bom: failure.bom,
        });
        Self {
            path,
            start: spot,
            end: spot,
            finding: None,
            line: "",
            message: match (failure.cell, failure.position()) {
                (Some(cell), Some(position)) => {
                    let place = Place {
                        cell: Some(cell),
                        position,
                    };
                    format!("{place}: {}", failure.message)
                }
                _ => failure.message.clone(),
            },
        }
    }
}

/// What is to be shown of a run: all findings, the withheld ones too, and the files that could
/// not be analysed; by path, then position.
pub fn remarks<'a>(entries: &[Entry<'a>], failures: &'a [Failure]) -> Vec<Remark<'a>> {
    let mut remarks: Vec<Remark> = unanalysed(failures)
        .map(|failure| Remark::of_failure(failure, shown(&failure.path)))
        .collect();
    for entry in entries {
        let spots = Spots::new(entry);
        let path = shown(entry.path);
        let of_finding = |finding| Remark::of_finding(finding, path.clone(), &spots);
        remarks.extend(entry.findings.iter().copied().map(of_finding));
    }
    // Stable: within a file by position.
    remarks.sort_by(|one, other| one.path.cmp(&other.path));
    remarks
}

/// Those of files that could not be analysed.
pub fn unanalysed(failures: &[Failure]) -> impl Iterator<Item = &Failure> {
    failures.iter().filter(|failure| !failure.unwritten)
}

/// The path as services want it: from the folder that was checked out, where CI runs.
pub fn shown(path: &Path) -> String {
    relative(path, &std::env::current_dir().unwrap_or_default())
}

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

    #[test]
    fn columns_count_what_each_service_counts() {
        let spot = |before, bom| Spot {
            row: 1,
            column: 1,
            before,
            bom,
        };
        let columns = |spot: Spot| (spot.utf8(), spot.utf16());
        assert_eq!(columns(spot("", false)), (1, 1));
        assert_eq!(columns(spot("\t", false)), (2, 2));
        assert_eq!(columns(spot("\u{e9}", false)), (3, 2));
        assert_eq!(columns(spot("e\u{301}", false)), (4, 3));
        assert_eq!(columns(spot("\u{1f600}", false)), (5, 3));
        assert_eq!(columns(spot("x", true)), (5, 2));
    }
}
