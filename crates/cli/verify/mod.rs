//! `--fix --verify COMMAND`: what is fixed stays only if the project's own command passes with it.
//!
//! [`search`] says what to try, [`units`] what is tried together, [`rewriting`] what a file becomes
//! by it, [`tree`] puts it on the disk, [`command`] runs the command and [`verdict`] judges.

mod command;
mod interrupt;
mod journal;
mod output;
mod process;
mod progress;
mod rewriting;
mod search;
mod session;
mod tree;
mod units;
mod verdict;

use anyhow::{Context, Result};

use crate::place;
use crate::plan::{Plan, Verbosity};
use crate::report::{self, Failure, summary};
use crate::run::Analysed;

pub use journal::Journal;
pub use rewriting::Rewriting;
pub use units::groups;

/// What verifying came to.
pub enum Verified<'a> {
    /// Somebody interrupted it, and what passed last was put back, which was said.
    Interrupted,
    Done(Done<'a>),
}

/// What is on the disk in the end.
#[derive(Default)]
pub struct Done<'a> {
    /// All files that something was found in.
    pub analysed: Vec<Analysed<'a>>,
    /// What could not be written.
    pub failures: Vec<Failure>,
    pub notes: Vec<String>,
    /// What the summary says of it.
    pub summary: Option<summary::Verified>,
}

/// Why it came to nothing.
#[derive(Debug)]
pub struct Stopped {
    pub kind: Kind,
    message: String,
}

/// What kind of reason that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command does not pass before any fix.
    Tests,
    /// It was not done in time then.
    Late,
    /// Somebody else changed the files.
    Changed,
    Other,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::Late => "late",
            Self::Changed => "changed",
            Self::Other => "trouble",
        }
    }
}

impl Stopped {
    fn other(message: String) -> Self {
        Self {
            kind: Kind::Other,
            message,
        }
    }
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Stopped {}

/// Before anything is read: puts back what a run left that was killed, and says so. The journal, if
/// there is something to verify.
pub fn begin(plan: &Plan) -> Result<Option<Journal>> {
    let here = std::env::current_dir().and_then(fs_err::canonicalize);
    if plan.verify.is_none() {
        let is_left = here.is_ok_and(|here| Journal::is_left(&here));
        if is_left && plan.verbosity >= Verbosity::Normal {
            report::line(
                "warning: files may hold fixes that were not verified: a run with --verify is at \
                 work here, or was killed: the next one puts them back",
            );
        }
        return Ok(None);
    }
    let here = here.context("the current directory cannot be used")?;
    let (journal, recovered) = Journal::open(&here)?;
    for path in &recovered.back {
        let path = place::shown(path);
        report::line(&format!(
            "{path}: put back as it was when the command passed: a run with --verify was killed"
        ));
    }
    for (path, problem) in &recovered.left {
        let path = place::shown(path);
        report::line(&format!(
            "{path}: may hold fixes that were not verified, of a run that was killed, and was left \
             alone: {problem}"
        ));
    }
    Ok(Some(journal))
}

/// Writes the fixes with which the command passes, and takes the others back. The error says what
/// came in the way, and how the files are left.
pub fn verify<'a>(
    plan: &Plan,
    journal: Journal,
    rewriting: Rewriting<'_, 'a>,
    analysed: Vec<Analysed<'a>>,
) -> Result<Verified<'a>> {
    let Some(wanted) = &plan.verify else {
        return Ok(Verified::Done(Done {
            analysed,
            ..Done::default()
        }));
    };
    session::Session::new(plan, wanted, journal, rewriting).run(analysed)
}

/// The command as a sentence shows it.
fn quoted(command: &str) -> String {
    const MOST: usize = 60;
    let line = command.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST {
        return format!("`{line}`");
    }
    let start: String = line.chars().take(MOST - 3).collect();
    format!("`{start}...`")
}
