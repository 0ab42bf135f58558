//! Findings for programs: one JSON array, or one JSON object a line.

use std::io::{self, Write};
use std::ops::Range;

use edit::Position;
use engine::{Finding, Outcome, Severity};
use serde::Serialize;

use super::{Breakage, Entry, Failure, Places, as_json};

/// Prints all findings, the withheld ones too, and the files that could not be analysed, as one
/// array.
pub fn print(entries: &[Entry], failures: &[Failure], out: &mut impl Write) -> io::Result<()> {
    as_json::whole(&objects(entries, failures), out)
}

/// Prints the same objects, each on a line.
pub fn print_lines(
    entries: &[Entry],
    failures: &[Failure],
    out: &mut impl Write,
) -> io::Result<()> {
    as_json::lines(objects(entries, failures), out)
}

fn objects<'a>(entries: &[Entry<'a>], failures: &'a [Failure]) -> Vec<Object<'a>> {
    let mut objects: Vec<Object> = failures
        .iter()
        .filter(|failure| !failure.unwritten)
        .map(Object::of_failure)
        .collect();
    for entry in entries {
        let places = Places::new(entry.source, entry.text);
        let filename = entry.path.display().to_string();
        objects.extend(
            entry
                .findings
                .iter()
                .map(|finding| Object::of_finding(finding, filename.clone(), &places, entry)),
        );
    }
    // Stable: within a file by position.
    objects.sort_by(|one, other| one.filename.cmp(&other.filename));
    objects
}

/// One finding, or one file that could not be analysed.
#[derive(Serialize)]
struct Object<'a> {
    /// None: the file could not be analysed.
    codemod: Option<&'static str>,
    /// `error`: the target version no longer has what the code uses. Else `warning`.
    severity: &'static str,
    message: &'a str,
    filename: String,
    /// Of a notebook: one-based among all cells; rows are those of the cell.
    cell: Option<usize>,
    location: Option<Place>,
    end_location: Option<Place>,
    fix: Option<Fix<'a>>,
    withheld: Option<&'a str>,
    /// What the fix breaks, where it was tried and taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<&'a Breakage>,
}

/// One-based; the column in characters.
#[derive(Serialize)]
struct Place {
    row: usize,
    column: usize,
}

impl From<Position> for Place {
    fn from(Position { row, column }: Position) -> Self {
        Self { row, column }
    }
}

#[derive(Serialize)]
struct Fix<'a> {
    applicability: &'static str,
    message: String,
    edits: Vec<Edit<'a>>,
}

#[derive(Serialize)]
struct Edit<'a> {
    content: &'a str,
    /// As that of the finding; an import may stand in a cell before.
    cell: Option<usize>,
    location: Place,
    end_location: Place,
}

/// The cell, the beginning and the end of a range.
fn ends(places: &Places, range: &Range<usize>) -> (Option<usize>, Place, Place) {
    let (start, end) = (places.of(range.start), places.of(range.end));
    (start.cell, start.position.into(), end.position.into())
}

impl<'a> Object<'a> {
    fn of_finding(
        finding: &'a Finding,
        filename: String,
        places: &Places,
        entry: &Entry<'a>,
    ) -> Self {
        let taken_back = entry.taken_back(finding);
        let (cell, location, end_location) = ends(places, &finding.range);
        let (fix, withheld) = match &finding.outcome {
            Outcome::Fix(fix) => (Some(fix), None),
            Outcome::Withheld(reason) => (None, Some(reason.as_str())),
        };
        let fix = fix.map(|fix| Fix {
            applicability: fix.applicability.as_str(),
            message: format!("{}: {}", finding.codemod.name, finding.codemod.title()),
            edits: fix
                .edits
                .iter()
                .map(|edit| {
                    let (cell, location, end_location) = ends(places, &edit.range);
                    Edit {
                        content: &edit.content,
                        cell,
                        location,
                        end_location,
                    }
                })
                .collect(),
        });
        Self {
            codemod: Some(finding.codemod.name),
            severity: finding.severity.as_str(),
            message: &finding.message,
            filename,
            cell,
            location: Some(location),
            end_location: Some(end_location),
            fix,
            withheld,
            verify: taken_back.and_then(|back| back.breakage.as_ref()),
        }
    }

    fn of_failure(failure: &'a Failure) -> Self {
        let place = || failure.position().map(Place::from);
        Self {
            codemod: None,
            severity: Severity::Error.as_str(),
            message: &failure.message,
            filename: failure.path.display().to_string(),
            cell: failure.cell,
            location: place(),
            end_location: place(),
            fix: None,
            withheld: None,
            verify: None,
        }
    }
}
