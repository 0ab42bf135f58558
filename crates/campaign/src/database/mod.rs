//! What is known of a campaign: `campaign.db` in its folder, `SQLite` with a write-ahead log.
//!
//! Everything that a run finds out is written in one transaction with the end of the step that it
//! belongs to, so that a run that is killed leaves a step done, or not begun.

mod claims;
mod import;
mod publication;
mod rows;
mod save;
mod step;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::failure::Failure;
use crate::lock::Repository;
use crate::outcome::Outcome;

pub use import::Imported;
pub use publication::Publication;
pub use rows::{Commit, Made, Problems, Row, State, Working};
pub use step::Step;

use save::{save_commit, save_outcome};

/// The scripts that bring a database from each version to the next. The number of those that ran
/// is `PRAGMA user_version`.
const SCRIPTS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
];

/// What went wrong with the database, in words.
pub type Result<T> = std::result::Result<T, String>;

/// The database, opened by one process. Each thread has its own.
pub struct Database {
    connection: Connection,
}

/// What one step came to.
pub enum Ended<'a> {
    /// It is done, and nothing more is known by it.
    Done,
    /// The fixes are written.
    Transformed(&'a Outcome),
    /// They are committed; none where nothing was fixed.
    Committed(Option<&'a Commit>),
    /// It failed.
    Failed(&'a Failure),
}

fn problem(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => {
            "campaign.db: the disk is full: make room, and run it again".to_string()
        }
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            format!("campaign.db is damaged ({error}): restore it, or plan the campaign anew")
        }
        _ => format!("campaign.db: {error}"),
    }
}

trait Said<T> {
    fn said(self) -> Result<T>;
}

impl<T> Said<T> for rusqlite::Result<T> {
    fn said(self) -> Result<T> {
        self.map_err(|error| problem(&error))
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Switches the database to WAL. To whoever does so at the moment at which another one does, `SQLite`
/// says at once that it is locked, and waits for nobody.
fn keep_log(connection: &Connection) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let kept = connection.pragma_update(None, "journal_mode", "WAL");
        let is_busy = kept.as_ref().is_err_and(|error| {
            error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
        });
        if !is_busy || Instant::now() >= until {
            return kept.said();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Others write too, each for milliseconds.
const PATIENCE: Duration = Duration::from_mins(1);

impl Database {
    /// Opens it, or makes it, and brings it to the version of this asyncfix. One of a later version
    /// is refused.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path).said()?;
        connection.busy_timeout(PATIENCE).said()?;
        keep_log(&connection)?;
        // With a log that is enough against kills; a loss of power may undo the last steps.
        connection
            .pragma_update(None, "synchronous", "NORMAL")
            .said()?;
        connection
            .pragma_update(None, "foreign_keys", true)
            .said()?;
        let mut database = Self { connection };
        database.migrate()?;
        Ok(database)
    }

    fn migrate(&mut self) -> Result<()> {
        let transaction = self.write()?;
        let version: i64 = transaction
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .said()?;
        let known = i64::try_from(SCRIPTS.len()).unwrap_or(i64::MAX);
        let Some(next) = usize::try_from(version).ok().filter(|_| version <= known) else {
            return Err(format!(
                "campaign.db has version {version}, and this asyncfix ({}) knows {known}: a later \
                 one wrote it, use that",
                env!("CARGO_PKG_VERSION")
            ));
        };
        for script in SCRIPTS.iter().skip(next) {
            transaction.execute_batch(script).said()?;
        }
        if version < known {
            transaction
                .pragma_update(None, "user_version", known)
                .said()?;
        }
        transaction.commit().said()
    }

    fn write(&mut self) -> Result<Transaction<'_>> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .said()
    }

    /// Takes over what is planned, in its order. Of what is not planned any more nothing is
    /// reported, and what is known of it stays.
    pub fn plan(&mut self, repositories: &[Repository]) -> Result<()> {
        let transaction = self.write()?;
        transaction
            .execute("UPDATE repository SET position = NULL", [])
            .said()?;
        {
            let mut insert = transaction
                .prepare(
                    "INSERT INTO repository
                       (name, url, branch, base, commit_id, path, verify, setup, planned, position)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                     ON CONFLICT (name) DO UPDATE SET
                       url = ?2, branch = ?3, base = ?4, commit_id = ?5, path = ?6, verify = ?7,
                       setup = ?8, planned = ?9, position = ?10",
                )
                .said()?;
            for (position, it) in repositories.iter().enumerate() {
                insert
                    .execute(params![
                        it.name,
                        it.url,
                        it.branch,
                        it.base,
                        it.commit,
                        it.path,
                        it.verify,
                        it.setup,
                        count(it.planned),
                        count(position as u64),
                    ])
                    .said()?;
            }
        }
        transaction.commit().said()
    }

    /// Notes a run, under a number of its own.
    pub fn begin_run(&mut self, run: &str, host: &str) -> Result<()> {
        let transaction = self.write()?;
        transaction
            .execute(
                "INSERT INTO run (id, host, process, version, started) VALUES (?, ?, ?, ?, ?)",
                params![
                    run,
                    host,
                    std::process::id(),
                    env!("CARGO_PKG_VERSION"),
                    now()
                ],
            )
            .said()?;
        transaction.commit().said()
    }

    /// Notes that it is over, and lets go of all that it claims.
    pub fn end_run(&mut self, run: &str) -> Result<()> {
        let transaction = self.write()?;
        transaction
            .execute("UPDATE run SET ended = ? WHERE id = ?", params![now(), run])
            .said()?;
        transaction
            .execute("DELETE FROM claim WHERE run = ?", [run])
            .said()?;
        transaction.commit().said()
    }

    /// Sets what is to be reached: the key of the last step of each repository, by its number. What
    /// was reached with another key does not count.
    pub fn aim(&mut self, goals: &[(i64, String)]) -> Result<()> {
        let transaction = self.write()?;
        {
            let mut update = transaction
                .prepare("UPDATE repository SET goal = ?2 WHERE id = ?1 AND goal IS NOT ?2")
                .said()?;
            for (id, goal) in goals {
                update.execute(params![id, goal]).said()?;
            }
        }
        transaction.commit().said()
    }

    /// Whether a step is done with this key.
    pub fn is_done(&self, id: i64, step: Step, key: &str) -> Result<bool> {
        self.connection
            .query_row(
                "SELECT 1 FROM step WHERE repository = ? AND step = ? AND key = ?",
                params![id, step.as_str(), key],
                |_| Ok(()),
            )
            .optional()
            .said()
            .map(|found| found.is_some())
    }

    /// Notes that a step begins.
    pub fn begin(&mut self, run: &str, id: i64, step: Step, key: &str) -> Result<()> {
        let transaction = self.write()?;
        journal(&transaction, run, id, step, key, "start", None)?;
        transaction.commit().said()
    }

    /// Notes how a step ended, with all that is known by it, and which `goal` a failure is one of.
    pub fn end(&mut self, run: &str, id: i64, step: Step, key: &str, ended: &Ended) -> Result<()> {
        let transaction = self.write()?;
        let (what, reason) = match ended {
            Ended::Failed(failure) => {
                let (what, reason) = match failure {
                    Failure::Retry(reason) => ("retry", Some(reason.as_str())),
                    Failure::Permanent(reason) => ("permanent", Some(reason.as_str())),
                    Failure::Interrupted => ("stopped", None),
                };
                if let Some(reason) = reason {
                    set_state(&transaction, run, id, what, Some(step), Some(reason))?;
                }
                (what, reason)
            }
            Ended::Transformed(outcome) => {
                save_outcome(&transaction, id, outcome)?;
                ("done", None)
            }
            Ended::Committed(commit) => {
                save_commit(&transaction, id, *commit)?;
                set_state(&transaction, run, id, "done", None, None)?;
                ("done", None)
            }
            Ended::Done => ("done", None),
        };
        if what == "done" {
            transaction
                .execute(
                    "INSERT INTO step (repository, step, key, ended) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (repository, step) DO UPDATE SET key = ?3, ended = ?4",
                    params![id, step.as_str(), key, now()],
                )
                .said()?;
        }
        journal(&transaction, run, id, step, key, what, reason)?;
        transaction.commit().said()
    }

    /// Forgets that these steps were done, since what they made is gone.
    pub fn drop_steps(&mut self, run: &str, id: i64, steps: &[Step]) -> Result<()> {
        let transaction = self.write()?;
        for step in steps {
            let key: Option<String> = transaction
                .query_row(
                    "DELETE FROM step WHERE repository = ? AND step = ? RETURNING key",
                    params![id, step.as_str()],
                    |row| row.get(0),
                )
                .optional()
                .said()?;
            if let Some(key) = key {
                journal(&transaction, run, id, *step, &key, "dropped", None)?;
            }
        }
        transaction.commit().said()
    }

    /// Opens what failed, permanent failures too, by name; all where none is named. How many those
    /// are.
    pub fn retry(&mut self, names: &[String]) -> Result<usize> {
        let transaction = self.write()?;
        let sql = "DELETE FROM state WHERE state IN ('retry', 'permanent') AND repository IN
                   (SELECT id FROM repository WHERE position IS NOT NULL AND (?1 IS NULL OR name = ?1))";
        let mut opened = 0;
        if names.is_empty() {
            opened += transaction.execute(sql, [None::<&str>]).said()?;
        }
        for name in names {
            opened += transaction.execute(sql, [name]).said()?;
        }
        transaction.commit().said()?;
        Ok(opened)
    }
}

fn journal(
    transaction: &Transaction,
    run: &str,
    id: i64,
    step: Step,
    key: &str,
    what: &str,
    reason: Option<&str>,
) -> Result<()> {
    let now = now();
    let began: Option<i64> = if matches!(what, "start" | "dropped") {
        None
    } else {
        transaction
            .query_row(
                "SELECT time FROM journal WHERE repository = ? AND step = ? AND run = ?
                 AND what = 'start' ORDER BY id DESC LIMIT 1",
                params![id, step.as_str(), run],
                |row| row.get(0),
            )
            .optional()
            .said()?
    };
    transaction
        .execute(
            "INSERT INTO journal (time, run, repository, step, key, what, took, reason)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                now,
                run,
                id,
                step.as_str(),
                key,
                what,
                began.map(|began| now - began),
                reason
            ],
        )
        .said()?;
    Ok(())
}

fn set_state(
    transaction: &Transaction,
    run: &str,
    id: i64,
    state: &str,
    step: Option<Step>,
    reason: Option<&str>,
) -> Result<()> {
    transaction
        .execute(
            "INSERT INTO state (repository, goal, state, step, reason, run, time)
             SELECT id, goal, ?2, ?3, ?4, ?5, ?6 FROM repository WHERE id = ?1
             ON CONFLICT (repository) DO UPDATE SET
               goal = excluded.goal, state = ?2, step = ?3, reason = ?4, run = ?5, time = ?6",
            params![id, state, step.map(Step::as_str), reason, run, now()],
        )
        .said()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::Database;

    #[test]
    fn any_number_may_make_it_at_the_same_moment() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("campaign.db");
            let start = Barrier::new(8);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        start.wait();
                        Database::open(&path).map(drop).unwrap();
                    });
                }
            });
        }
    }
}
