//! The exit status, which scripts and CI build on.

use std::process::ExitCode;

/// What the exit status says. The larger one wins where two apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing was found, or all of it was fixed.
    Success,
    /// Findings remain, or `--diff` printed something, or a file could not be read, decoded,
    /// parsed or written.
    Findings,
    /// Wrong usage, wrong configuration, or a fault of ours. `--exit-zero` never hides it.
    Failure,
    /// Of a campaign: repositories failed for good, and nothing else is open. That another run comes
    /// to the same is known to schedulers by this number.
    Permanent,
    /// Somebody interrupted what was not to end half done, as by Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Success => 0,
            Exit::Findings => 1,
            Exit::Failure => 2,
            Exit::Permanent => 3,
            // What shells say of a program that Ctrl-C ended.
            Exit::Interrupted => 130,
        })
    }
}
