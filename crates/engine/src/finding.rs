//! What a run over one file gives.

use std::ops::Range;

use edit::{Applicability, Fix, Touched};

use crate::{Codemod, Suppression};

/// One site that a codemod knows, with its fix or the reason why it has none.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Whose finding it is.
    pub codemod: &'static Codemod,
    /// The site: byte offsets into the text that was analysed.
    pub range: Range<usize>,
    /// What is the matter, in one line, without a final stop.
    pub message: String,
    /// Whether the code works on the target version.
    pub severity: Severity,
    /// What can be done about it.
    pub outcome: Outcome,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The code runs on the target version.
    Warning,
    /// The target version no longer has what the code uses.
    Error,
}

impl Severity {
    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Finding {
    /// The message, and in brackets the applicability of the fix, or `withheld` with the reason.
    pub fn message_and_state(&self) -> String {
        let message = &self.message;
        match &self.outcome {
            Outcome::Fix(fix) => format!("{message} [{}]", fix.applicability.as_str()),
            Outcome::Withheld(reason) => format!("{message} [withheld: {reason}]"),
        }
    }
}

/// What can be done about a finding.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// This fix removes it. It is complete in itself: added imports are among its edits.
    Fix(Fix),
    /// Not rewritten, for this reason.
    Withheld(String),
}

/// The result for one file.
#[derive(Clone, Debug, Default)]
pub struct Rewritten {
    /// What was found in the text as it was given, by position.
    pub findings: Vec<Finding>,
    /// What is left in the output, by position in it; equal to `findings` where nothing was applied.
    pub remaining: Vec<Finding>,
    /// The rewritten text; none where nothing was to be applied.
    pub output: Option<String>,
    /// What was applied.
    pub applied: Vec<Applied>,
    /// Which parts of the output were written by which codemod (the tag is the codemod's name).
    pub touched: Vec<Touched<&'static str>>,
    /// Imports that the rewrite left unused and that were kept because the caller did not allow
    /// their removal.
    pub unused_imports: Vec<UnusedImport>,
    /// How many findings got a comment that silences them ([`crate::Settings::silence`]).
    pub silenced: usize,
    /// What the comments that silence findings say in the text as it was given.
    pub suppressions: Vec<Suppression>,
    /// And in the output.
    pub remaining_suppressions: Vec<Suppression>,
    /// Whether a codemod asked for what was not to be answered yet ([`crate::Asking::Later`]):
    /// nothing was applied.
    pub undecided: bool,
    /// Faults of ours: fixes that were dropped because what they gave did not pass verification.
    pub faults: Vec<Fault>,
}

/// The fixes of one codemod and applicability that were applied, in all rounds.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Whose they are.
    pub codemod: &'static Codemod,
    /// How much they may change.
    pub applicability: Applicability,
    /// How many.
    pub fixes: usize,
}

/// An import that nothing in the module uses any longer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnusedImport {
    /// The name that it binds in the module.
    pub name: String,
}

/// A fix that would have broken the file. Its codemod was left out for this file.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Whose fix it was; none where more than one took part and none alone is to blame.
    pub codemod: Option<&'static Codemod>,
    /// What was wrong with the result.
    pub problem: String,
}
