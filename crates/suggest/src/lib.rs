//! Proposes rewrites on a pull request: what is to be said, and the services that it is said on.
//!
//! Plain data goes in: for each file the text, the groups of fixes with the lines that they
//! replace ([`File`]), and the diff of the pull request ([`Diff`]). A [`Plan`] comes out: comments
//! that a click applies, and a summary of what none can say. [`GitHub`] and [`GitLab`] carry it
//! out, or tell which requests that would be.
//!
//! Knows no terminal, no file, no environment, no git and no Python.

mod carry_out;
mod comment;
mod diff;
mod fingerprint;
mod github;
mod gitlab;
mod input;
mod markdown;
mod plan;
mod posted;
mod summary;
mod variants;

pub use diff::{Diff, DiffFile, DiffHunk};
pub use github::GitHub;
pub use gitlab::GitLab;
pub use input::{File, Finding, Group, Outcome};
pub use plan::{Comment, Limits, Plan, Rest, plan};
pub use posted::{Done, Said};
pub use summary::for_page as summary;
