//! What is done with one repository, step by step. Each step can be begun again after it was
//! killed anywhere.

mod checkout;
mod commit;
mod mirror;
mod setup;
mod transform;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::child::{Ended, Keeper, Output};
use crate::database::{Commit, Database, Row, Step};
use crate::failure::Failure;
use crate::folder::{self, Campaign};
use crate::git::Git;
use crate::lock::Repository;
use crate::outcome::Outcome;
use crate::source::hash;

pub use checkout::remove;
pub use mirror::{alone as alone_with_mirror, make as make_mirror};

/// One repository that a run is at.
pub struct Place<'a> {
    /// Its campaign.
    pub campaign: &'a Campaign,
    /// What it is.
    pub repository: &'a Repository,
    /// What keeps its processes.
    pub keeper: Keeper<'a>,
    /// How many threads asyncfix may use.
    pub threads: usize,
    /// When its time is over.
    pub deadline: Instant,
    /// The bare repository.
    pub mirror: PathBuf,
    /// The work tree.
    pub tree: PathBuf,
    /// What is locked while a process works in the tree.
    pub lock: PathBuf,
}

/// What a step came to.
pub enum Came {
    /// To its end.
    Done,
    /// To what asyncfix did.
    Transformed(Box<Outcome>),
    /// To a commit, or to nothing that could be committed.
    Committed(Option<Commit>),
}

impl<'a> Place<'a> {
    /// Where `repository` is worked on.
    pub fn new(
        campaign: &'a Campaign,
        repository: &'a Repository,
        keeper: Keeper<'a>,
        threads: usize,
    ) -> Result<Self, String> {
        Ok(Self {
            campaign,
            repository,
            keeper,
            threads,
            deadline: Instant::now() + campaign.config.limit(),
            mirror: campaign.mirror(repository)?,
            tree: campaign.tree(&repository.name),
            lock: campaign.beside_tree(&repository.name, "lock"),
        })
    }

    /// Removes what a git left locked that was killed. Nobody else is at work in the tree.
    pub fn remove_locks(&self) {
        let name = &self.repository.name;
        let _ = fs_err::remove_file(self.campaign.beside_tree(name, "index.lock"));
    }

    /// Does a step.
    pub fn step(&self, step: Step) -> Result<Came, Failure> {
        if self.left().is_zero() {
            let limit = self.campaign.config.limit().as_secs();
            return Err(Failure::Retry(format!(
                "its time is over ({limit} s): raise `timeout` in campaign.toml"
            )));
        }
        match step {
            Step::Mirror => mirror::mirror(self).map(|()| Came::Done),
            Step::Checkout => checkout::checkout(self).map(|()| Came::Done),
            Step::Setup => setup::setup(self).map(|()| Came::Done),
            Step::Transform => transform::transform(self).map(|it| Came::Transformed(Box::new(it))),
            Step::Commit => commit::commit(self).map(Came::Committed),
        }
    }

    /// Whether what a step made that is done is still there.
    pub fn is_there(&self, step: Step) -> bool {
        match step {
            Step::Mirror => self.mirror.join(folder::MARKER).exists(),
            Step::Checkout | Step::Setup => checkout::is_ours(self),
            Step::Transform => {
                checkout::is_ours(self) && self.campaign.outcome(&self.repository.name).exists()
            }
            Step::Commit => true,
        }
    }

    /// How much time is left.
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The folder in the work tree that is migrated.
    fn root(&self) -> PathBuf {
        if self.repository.path.is_empty() {
            self.tree.clone()
        } else {
            self.tree.join(&self.repository.path)
        }
    }

    /// git, while the work tree is locked.
    fn git(&self) -> Git<'_> {
        Git {
            keeper: self.keeper,
            lock: &self.lock,
        }
    }

    /// The mirror's git, that looks at the work tree with an index of the campaign's own: what the
    /// repository's commands may have written into the `.git` of the tree does not count.
    fn with_tree(&self) -> crate::git::Call<'_> {
        let index = self.campaign.beside_tree(&self.repository.name, "index");
        self.git()
            .local(&self.tree)
            .variable("GIT_INDEX_FILE", &index.to_string_lossy())
            .variable("GIT_LITERAL_PATHSPECS", "1")
            .arguments([
                "--git-dir",
                &self.mirror.to_string_lossy(),
                "--work-tree",
                &self.tree.to_string_lossy(),
            ])
    }

    /// Brings the campaign's index to the planned commit.
    fn read_planned(&self) -> Result<(), Failure> {
        let commit = self.repository.commit.as_str();
        let read = self.with_tree().arguments(["read-tree", commit]);
        read.stdout().map(drop)
    }

    /// Calls git with these arguments about these paths, which start at the root of the repository.
    fn about<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p PathBuf>,
        arguments: &[&str],
    ) -> Result<(), Failure> {
        let mut list = Vec::new();
        for path in paths {
            list.extend_from_slice(path.as_os_str().as_encoded_bytes());
            list.push(0);
        }
        let file = self.campaign.beside_tree(&self.repository.name, "paths");
        folder::write(&file, &list)?;
        let from = format!("--pathspec-from-file={}", file.display());
        self.with_tree()
            .arguments(arguments.iter().copied())
            .arguments([from.as_str(), "--pathspec-file-nul"])
            .stdout()?;
        let _ = fs_err::remove_file(&file);
        Ok(())
    }

    /// What came of a command that the user gave, `named` so, where it did not succeed.
    fn failure(&self, named: &str, output: &Output, log: &Path) -> Failure {
        let log = log
            .strip_prefix(self.campaign.folder())
            .unwrap_or(log)
            .display();
        match output.ended {
            Ended::Interrupted => Failure::Interrupted,
            Ended::Late(_) => Failure::Retry(format!(
                "{named} was not done when the time of the repository was over ({} s): see {log}",
                self.campaign.config.limit().as_secs()
            )),
            Ended::Signal(signal) => {
                Failure::Retry(format!("{named} was killed by signal {signal}: see {log}"))
            }
            Ended::Status(status) => {
                let complaint = output.complaint();
                let message =
                    format!("{named} failed (exit status {status}): {complaint}: see {log}");
                // The shell does not find it, or may not run it.
                if matches!(status, 126 | 127) {
                    Failure::Permanent(message)
                } else {
                    Failure::Retry(message)
                }
            }
        }
    }
}

/// Tells the database what is to be reached: all that is planned, by the keys of the last steps. The rows are as they
/// stood before. The lock file counts, which may have been edited or copied since.
pub fn aim(campaign: &Campaign, database: &mut Database) -> Result<Vec<Row>, String> {
    database.plan(&campaign.lock.repositories)?;
    let rows = database.rows()?;
    let goal = |row: &Row| (row.id, key(Step::Commit, campaign, &row.repository));
    database.aim(&rows.iter().map(goal).collect::<Vec<_>>())?;
    Ok(rows)
}

/// What a step is done with: two with the same key make the same. Each holds that of the step before.
pub fn key(step: Step, campaign: &Campaign, repository: &Repository) -> String {
    let config = &campaign.config;
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let mut key = hash(&[&repository.url, &repository.commit]);
    for each in Step::ALL.into_iter().filter(|it| *it <= step) {
        let more: Vec<String> = match each {
            Step::Mirror => Vec::new(),
            Step::Checkout => vec![repository.path.clone()],
            Step::Setup => vec![text(repository.setup.as_ref().or(config.setup.as_ref()))],
            Step::Transform => vec![
                env!("CARGO_PKG_VERSION").to_string(),
                config.rewrite_key(),
                text(repository.verify.as_ref().or(config.verify.as_ref())),
            ],
            Step::Commit => vec![
                repository.fixes_branch(&campaign.name()),
                text(config.author.as_ref()),
                repository.planned.to_string(),
            ],
        };
        let parts = [key.as_str(), each.as_str()];
        let parts: Vec<&str> = parts
            .into_iter()
            .chain(more.iter().map(String::as_str))
            .collect();
        key = hash(&parts);
    }
    key
}
