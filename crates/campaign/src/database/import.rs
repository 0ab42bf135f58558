//! What another campaign found out of the same repositories.

use std::path::Path;

use rusqlite::params;

use super::{Database, Result, Said, now};

/// What was taken over of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its name.
    pub name: String,
    /// The branch that its fixes are on.
    pub branch: Option<String>,
}

impl Database {
    /// Takes over what the database at `other` knows of repositories that are decided there for the
    /// goal that they have here, and that are not done here. `done` is called with their names
    /// before any of it is written; an error of it undoes all.
    pub fn import(
        &mut self,
        other: &Path,
        done: impl FnOnce(&[Imported]) -> Result<()>,
    ) -> Result<()> {
        self.connection
            .execute("ATTACH ? AS other", [other.to_string_lossy()])
            .said()?;
        let taken = self.import_attached(done);
        self.connection.execute("DETACH other", []).said()?;
        taken
    }

    fn import_attached(&mut self, done: impl FnOnce(&[Imported]) -> Result<()>) -> Result<()> {
        let transaction = self.write()?;
        transaction
            .execute_batch(
                "CREATE TEMP TABLE taken AS
                 SELECT theirs.id AS theirs, ours.id AS ours, ours.name AS name
                 FROM other.repository AS theirs
                 JOIN repository AS ours ON ours.name = theirs.name
                 JOIN other.state AS decided ON decided.repository = theirs.id
                   AND decided.goal = ours.goal
                 LEFT JOIN state AS known ON known.repository = ours.id AND known.goal = ours.goal
                 WHERE ours.position IS NOT NULL AND known.state IS NOT 'done'",
            )
            .said()?;
        let imported = {
            let mut statement = transaction
                .prepare(
                    "SELECT name, fixes_branch FROM taken
                     LEFT JOIN other.result ON repository = theirs ORDER BY name",
                )
                .said()?;
            let rows = statement
                .query_map([], |row| {
                    Ok(Imported {
                        name: row.get(0)?,
                        branch: row.get(1)?,
                    })
                })
                .said()?;
            rows.collect::<rusqlite::Result<Vec<_>>>().said()?
        };
        done(&imported)?;
        // What the same runs had told before, when they were less far.
        transaction
            .execute_batch(
                "DELETE FROM journal WHERE repository IN (SELECT ours FROM taken)
                   AND run IN (SELECT id FROM other.run);
                 INSERT INTO journal (time, run, repository, step, key, what, took, reason)
                   SELECT time, run, ours, step, key, what, took, reason
                   FROM other.journal JOIN taken ON theirs = repository ORDER BY id;
                 INSERT OR IGNORE INTO run SELECT * FROM other.run;
                 INSERT OR REPLACE INTO state
                   SELECT ours, goal, state, step, reason, run, time
                   FROM other.state JOIN taken ON theirs = repository;
                 DELETE FROM result WHERE repository IN (SELECT ours FROM taken);
                 INSERT INTO result
                   SELECT ours, checked, not_analysed, found, fixed, withheld, remaining, tests,
                     commit_id, fixes_branch, title, body, patch, problems, faults, first_problems
                   FROM other.result JOIN taken ON theirs = repository;
                 DELETE FROM codemod WHERE repository IN (SELECT ours FROM taken);
                 INSERT INTO codemod SELECT ours, position, name, counts FROM
                   (SELECT taken.ours, codemod.position, codemod.name, codemod.counts
                    FROM other.codemod AS codemod JOIN taken ON theirs = repository);
                 INSERT OR REPLACE INTO step SELECT ours, step, key, ended
                   FROM other.step JOIN taken ON theirs = repository
                   WHERE step IN ('mirror', 'commit');
                 DROP TABLE taken",
            )
            .said()?;
        transaction
            .execute(
                "UPDATE run SET ended = ? WHERE ended IS NULL AND id IN (SELECT id FROM other.run)",
                params![now()],
            )
            .said()?;
        transaction.commit().said()
    }
}
