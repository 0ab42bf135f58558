//! What the commit says: what was done, what was withheld and why.

use std::fmt::Write as _;

use crate::lock::Repository;
use crate::outcome::Outcome;

/// The first line, and the rest.
pub fn message(outcome: &Outcome, repository: &Repository) -> (String, String) {
    let total = outcome.total();
    let mut title = format!(
        "asyncfix: {} in {}",
        plural(total.fixed, "fix", "fixes"),
        plural(outcome.written.len() as u64, "file", "files")
    );
    if !repository.path.is_empty() {
        let _ = write!(title, " of {}", repository.path);
    }
    let mut body = String::from("Fixed:\n");
    for codemod in outcome.codemods.iter().filter(|it| it.fixed > 0) {
        let _ = writeln!(body, "  {}: {}", codemod.name, codemod.fixed);
    }
    if let Some(tests) = &outcome.tests {
        let runs = plural(tests.runs, "run", "runs");
        let _ = write!(body, "\nThe tests pass with these fixes ({runs}");
        if tests.failing > 0 {
            let failing = plural(tests.failing, "test", "tests");
            let _ = write!(body, "; {failing} failed before, and fail as before");
        }
        body.push_str(").\n");
        let back = tests.culprits + tests.undecided;
        if back > 0 {
            let back = plural(back, "fix was", "fixes were");
            let _ = writeln!(body, "{back} taken back since they do not.");
        }
    }
    let left = total.withheld + total.left();
    if left > 0 {
        body.push_str("\nLeft for a person to decide:\n");
    }
    for codemod in &outcome.codemods {
        for reason in &codemod.reasons {
            let _ = writeln!(
                body,
                "  {}: {}: {}",
                codemod.name, reason.count, reason.reason
            );
        }
        for (count, flag) in [
            (codemod.unsafe_, "unsafe, with --unsafe-fixes"),
            (
                codemod.safe + codemod.intended,
                "with a fix that was not applied",
            ),
        ] {
            if count > 0 {
                let _ = writeln!(body, "  {}: {count}: {flag}", codemod.name);
            }
        }
    }
    if outcome.not_analysed > 0 {
        let files = plural(outcome.not_analysed, "file", "files");
        let _ = writeln!(body, "\n{files} could not be analysed.");
    }
    if outcome.faults > 0 {
        let fixes = plural(outcome.faults, "fix was", "fixes were");
        let _ = writeln!(body, "\n{fixes} dropped, by a fault of asyncfix.");
    }
    let _ = writeln!(body, "\nMade by asyncfix {}.", env!("CARGO_PKG_VERSION"));
    (title, body)
}

/// `1 file`, `2 files`.
pub fn plural(count: u64, one: &str, many: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {many}")
    }
}
