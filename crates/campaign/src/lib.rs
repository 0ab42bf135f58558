//! Campaigns: many repositories are migrated, each in steps, by runs that may be killed at any time.
//!
//! A [`Campaign`] is a folder. [`plan()`] reads a list of repositories and finds a commit for each;
//! [`run()`] brings each of them through its [`Step`]s, in several threads and, where wanted, in
//! several processes, which share the [`Database`]; [`Campaign::migrated`] is what there is to
//! publish then.
//!
//! Knows no terminal and no arguments, and opens no connection: git does. What changes code is
//! asyncfix, called as a program like git, and through [`keep`], so that nothing outlives a run.

mod child;
mod config;
mod database;
mod failure;
mod folder;
mod git;
mod keeper;
mod list;
mod lock;
mod merge;
mod message;
mod outcome;
mod plan;
mod push;
mod run;
mod shard;
mod source;
mod steps;
mod summary;

pub use child::Keeper;
pub use config::Config;
pub use database::{Commit, Database, Made, Problems, Publication, Row, State, Step, Working};
pub use failure::Failure;
pub use folder::{Campaign, Migrated};
pub use git::{Git, author as git_author};
pub use keeper::{KEEP, keep};
pub use list::Problem;
pub use lock::{Lock, Repository};
pub use merge::{Merged, merge};
pub use outcome::{Codemod, Reason, Tests};
pub use plan::{Planned, Planning, plan};
pub use push::{Branch, Credentials, Publisher};
pub use run::{Event, Options, Ran, Watch, is_alive, run};
pub use shard::Shard;
pub use summary::Summary;
