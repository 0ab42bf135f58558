//! A finding, for the services that show it beside the code.

use std::path::Path;

use engine::Finding;

use super::spot::{Spot, Spots};
use super::{Entry, Failure, Place};

/// One thing to show beside a line of code.
pub struct Remark<'a> {
    /// Relative to the current directory where it is below it, with `/` between its parts.
    pub path: String,
    /// In the file; of a notebook, in its JSON. None where no line is known.
    pub start: Option<Spot>,
    /// Where it ends.
    pub end: Option<Spot>,
    /// Where people look for it: of a notebook, in the cell.
    pub place: Option<Place>,
    /// None: the file could not be analysed.
    pub finding: Option<&'a Finding>,
    /// The text of the first line of Python.
    pub line: &'a str,
    /// What is the matter, and what can be done about it.
    pub message: String,
}

impl<'a> Remark<'a> {
    /// `path` as services want it.
    pub fn of_finding(finding: &'a Finding, path: String, spots: &Spots<'a>) -> Self {
        let message = finding.message_and_state();
        let place = spots.place(finding.range.start);
        Self {
            path,
            start: Some(spots.at(finding.range.start)),
            end: Some(spots.at(finding.range.end)),
            place: Some(place),
            finding: Some(finding),
            line: spots.line(finding.range.start),
            message: in_cell(Some(place), &message),
        }
    }

    /// `path` as services want it.
    pub fn of_failure(failure: &'a Failure, path: String) -> Self {
        let spot = failure.spot.as_deref().copied();
        let spot = spot.or(failure.row.map(Spot::start_of));
        let place = failure.place();
        Self {
            path,
            start: spot,
            end: spot,
            place,
            finding: None,
            line: "",
            message: in_cell(place, &failure.message),
        }
    }
}

/// What is said of a place in a notebook, whose cells the file's lines do not tell.
fn in_cell(place: Option<Place>, message: &str) -> String {
    match place {
        Some(place @ Place { cell: Some(_), .. }) => format!("{place}: {message}"),
        _ => message.to_string(),
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
}
