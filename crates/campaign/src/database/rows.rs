//! What is known of each repository.

use std::time::Duration;

use rusqlite::OptionalExtension;

use super::{Database, Result, Said, Step};
use crate::lock::Repository;
use crate::outcome::{Codemod, Tests};

/// How a repository stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is decided.
    Pending,
    /// All its steps are done.
    Done,
    /// Something went wrong that may go well another time.
    Retry,
    /// Something is wrong that stays so.
    Permanent,
}

impl State {
    /// Its name in the database and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Retry => "retry",
            Self::Permanent => "permanent",
        }
    }

    fn of(name: &str) -> Self {
        match name {
            "done" => Self::Done,
            "retry" => Self::Retry,
            "permanent" => Self::Permanent,
            _ => Self::Pending,
        }
    }
}

/// A repository in the database.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number.
    pub id: i64,
    /// As it is in the lock file.
    pub repository: Repository,
    /// How it stands, for the configuration that ran last.
    pub state: State,
    /// The step at which something went wrong.
    pub step: Option<Step>,
    /// What went wrong.
    pub reason: Option<String>,
    /// How many runs were at it.
    pub attempts: u64,
    /// How long its steps took together.
    pub took: Duration,
    /// What a run is at, with its number of the run.
    pub working: Option<Working>,
    /// What became of it.
    pub result: Option<Made>,
}

/// What a run is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Working {
    /// The run's number.
    pub run: String,
    /// The step that was begun.
    pub step: Option<Step>,
}

/// What became of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// How many files were looked at.
    pub checked: u64,
    /// How many could not be analysed.
    pub not_analysed: u64,
    /// What was found, over all codemods.
    pub found: u64,
    /// How many fixes were written.
    pub fixed: u64,
    /// How many findings are withheld.
    pub withheld: u64,
    /// How many fixes are left that need another option, as `--unsafe-fixes`.
    pub left: u64,
    /// What the tests said.
    pub tests: Option<Tests>,
    /// What went wrong with single files: they cannot be read, parsed or written, or a fix was
    /// dropped.
    pub problems: Problems,
    /// By codemod.
    pub codemods: Vec<Codemod>,
    /// What was committed; none where nothing was fixed.
    pub commit: Option<Commit>,
}

/// What went wrong with single files of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// How often.
    pub count: u64,
    /// How often by a fault of asyncfix, by which a fix was dropped.
    pub faults: u64,
    /// The first of them, as asyncfix printed them.
    pub first: Vec<String>,
}

/// The commit that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// In hexadecimal digits.
    pub id: String,
    /// The branch of the mirror that it is on: `asyncfix/NAME`.
    pub branch: String,
    /// The first line of its message.
    pub title: String,
    /// The rest of its message.
    pub body: String,
    /// The patch, from the campaign's folder.
    pub patch: String,
}

impl Database {
    /// All that is planned, in its order.
    pub fn rows(&self) -> Result<Vec<Row>> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT repository.id, name, url, branch, base, commit_id, path, verify, setup,
                   planned, state.state, state.step, state.reason, claim.run,
                   (SELECT count(DISTINCT run) FROM journal
                     WHERE journal.repository = repository.id AND what = 'start'),
                   (SELECT step FROM journal WHERE journal.repository = repository.id
                     AND claim.run IS NOT NULL AND what = 'start' ORDER BY id DESC LIMIT 1),
                   (SELECT coalesce(sum(took), 0) FROM journal
                     WHERE journal.repository = repository.id)
                 FROM repository
                 LEFT JOIN state ON state.repository = repository.id
                   AND state.goal = repository.goal
                 LEFT JOIN claim ON claim.repository = repository.id
                 WHERE position IS NOT NULL ORDER BY position",
            )
            .said()?;
        let mut rows = statement.query([]).said()?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().said()? {
            found.push(self.row(row).said()?);
        }
        Ok(found)
    }

    fn row(&self, row: &rusqlite::Row) -> rusqlite::Result<Row> {
        let unsigned = |column: usize| -> rusqlite::Result<u64> {
            let number: i64 = row.get(column)?;
            Ok(u64::try_from(number).unwrap_or_default())
        };
        let step = |name: Option<String>| name.and_then(|name| Step::of(&name));
        let id = row.get(0)?;
        let state: Option<String> = row.get(10)?;
        let run: Option<String> = row.get(13)?;
        let begun = step(row.get(15)?);
        Ok(Row {
            id,
            repository: Repository {
                name: row.get(1)?,
                url: row.get(2)?,
                branch: row.get(3)?,
                base: row.get(4)?,
                commit: row.get(5)?,
                path: row.get(6)?,
                verify: row.get(7)?,
                setup: row.get(8)?,
                planned: unsigned(9)?,
            },
            state: State::of(state.as_deref().unwrap_or_default()),
            step: step(row.get(11)?),
            reason: row.get(12)?,
            attempts: unsigned(14)?,
            took: Duration::from_millis(unsigned(16)?),
            working: run.map(|run| Working { run, step: begun }),
            result: self.made(id)?,
        })
    }

    /// What became of a repository.
    pub fn made_of(&self, id: i64) -> Result<Option<Made>> {
        self.made(id).said()
    }

    fn made(&self, id: i64) -> rusqlite::Result<Option<Made>> {
        let mut statement = self.connection.prepare(
            "SELECT checked, not_analysed, found, fixed, withheld, remaining, tests,
               commit_id, fixes_branch, title, body, patch, problems, faults, first_problems
             FROM result WHERE repository = ?",
        )?;
        let made = statement
            .query_row([id], |row| {
                let unsigned = |column: usize| -> rusqlite::Result<u64> {
                    let number: i64 = row.get(column)?;
                    Ok(u64::try_from(number).unwrap_or_default())
                };
                let tests: Option<String> = row.get(6)?;
                let commit: Option<String> = row.get(7)?;
                let commit = match commit {
                    Some(commit) => Some(Commit {
                        id: commit,
                        branch: row.get(8)?,
                        title: row.get(9)?,
                        body: row.get(10)?,
                        patch: row.get(11)?,
                    }),
                    None => None,
                };
                let first: String = row.get(14)?;
                Ok(Made {
                    checked: unsigned(0)?,
                    not_analysed: unsigned(1)?,
                    found: unsigned(2)?,
                    fixed: unsigned(3)?,
                    withheld: unsigned(4)?,
                    left: unsigned(5)?,
                    tests: tests.and_then(|text| serde_json::from_str(&text).ok()),
                    problems: Problems {
                        count: unsigned(12)?,
                        faults: unsigned(13)?,
                        first: serde_json::from_str(&first).unwrap_or_default(),
                    },
                    codemods: Vec::new(),
                    commit,
                })
            })
            .optional()?;
        let Some(mut made) = made else {
            return Ok(None);
        };
        let mut statement = self
            .connection
            .prepare("SELECT counts FROM codemod WHERE repository = ? ORDER BY position")?;
        let rows = statement.query_map([id], |row| row.get::<_, String>(0))?;
        for counts in rows {
            made.codemods.extend(serde_json::from_str(&counts?).ok());
        }
        Ok(Some(made))
    }
}
