//! Findings for GitLab's code quality report: one JSON array.
//!
//! Source: GitLab Docs, "Code Quality", "Code Quality report format".

use std::io::{self, Write};

use engine::Severity;
use serde::Serialize;

use super::fingerprint::Fingerprints;
use super::remark::{Remark, remarks};
use super::{Entry, Failure, as_json};

/// Prints all findings, and the files that could not be analysed.
pub fn print(entries: &[Entry], failures: &[Failure], out: &mut impl Write) -> io::Result<()> {
    let mut fingerprints = Fingerprints::default();
    let issues: Vec<Issue> = remarks(entries, failures)
        .into_iter()
        .map(|remark| Issue::new(remark, &mut fingerprints))
        .collect();
    as_json::whole(&issues, out)
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    /// Unique in the report, and the same when the line moved.
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

impl Issue {
    fn new(remark: Remark, fingerprints: &mut Fingerprints) -> Self {
        let name = remark.finding.map_or("not-analysed", |it| it.codemod.name);
        let begin = remark.start.map_or(1, |it| it.row);
        Self {
            fingerprint: fingerprints.next(&remark.path, name, remark.line),
            description: remark.message,
            check_name: name,
            severity: match remark.finding.map(|finding| finding.severity) {
                Some(Severity::Warning) => "major",
                Some(Severity::Error) => "critical",
                None => "blocker",
            },
            location: Location {
                path: remark.path,
                lines: Lines {
                    begin,
                    end: remark.end.map_or(begin, |it| it.row),
                },
            },
        }
    }
}
