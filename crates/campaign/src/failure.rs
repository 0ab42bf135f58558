//! Why a step of a repository did not come to its end.

use std::fmt;

/// Why a step did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may go well another time: the network, a time limit, a process that was killed.
    Retry(String),
    /// It will not go well until somebody changes something: no such branch, files that do not
    /// parse, tests that failed before.
    Permanent(String),
    /// The run is to end.
    Interrupted,
}

impl Failure {
    /// It may go well another time.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry(reason.into())
    }

    /// It will not go well until somebody changes something.
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self::Permanent(reason.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(reason) | Self::Permanent(reason) => f.write_str(reason),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}
