//! Findings as tests that failed, in JUnit's XML, for services that know nothing else.
//!
//! Source: `junit-10.xsd` of Jenkins' xUnit plugin; GitLab Docs, "Unit test reports", for `file`.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::remark::{Remark, remarks};
use super::spot::Spot;
use super::{Entry, Failure};

/// Prints a suite for each file, with a failure for each finding, or an error where the file could
/// not be analysed. Where there is nothing to say, one test passed: services take a report without
/// tests for a mistake.
pub fn print(entries: &[Entry], failures: &[Failure], out: &mut impl Write) -> io::Result<()> {
    let mut report = Report::new("asyncfix");
    for remarks in remarks(entries, failures).chunk_by(|one, other| one.path == other.path) {
        let mut suite = TestSuite::new(remarks.first().map_or("", |remark| &remark.path));
        suite.add_test_cases(remarks.iter().map(case));
        report.add_test_suite(suite);
    }
    if report.test_suites.is_empty() {
        let mut suite = TestSuite::new("asyncfix");
        suite.add_test_case(TestCase::new("no findings", TestCaseStatus::success()));
        report.add_test_suite(suite);
    }
    report.serialize(out).map_err(io::Error::other)
}

/// Services take two tests of one name for the same, so that the name has the place in it.
fn case(remark: &Remark) -> TestCase {
    let (kind, name, severity) = match remark.finding {
        Some(it) => (
            NonSuccessKind::Failure,
            it.codemod.name,
            it.severity.as_str(),
        ),
        None => (NonSuccessKind::Error, "not analysed", "error"),
    };
    let place = remark.place.map(|place| place.to_string());
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(remark.message.as_str());
    status.set_type(severity);
    let path = remark.path.as_str();
    let spot = remark.start;
    let full = spot.map(|Spot { row, column, .. }| format!("{path}:{row}:{column}"));
    let full = full.as_deref().unwrap_or(path);
    status.set_description(format!("{full}: {name}: {}", remark.message));

    let name = place.map_or_else(|| name.to_string(), |place| format!("{name} at {place}"));
    let mut case = TestCase::new(name, status);
    let module = remark.path.strip_suffix(".py").unwrap_or(&remark.path);
    case.set_classname(module.replace('/', "."));
    let mut set = |key: &str, value: String| case.extra.insert(key.into(), value.into());
    set("file", remark.path.clone());
    if let Some(spot) = remark.start {
        set("line", spot.row.to_string());
    }
    case
}
