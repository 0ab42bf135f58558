//! What was published.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{OptionalExtension, params};

use super::{Database, Result, Said, count, now};

/// The pull request of a repository, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// The commit that was pushed last.
    pub pushed: Option<String>,
    /// The commit that the pull request tells of.
    pub commit: Option<String>,
    /// The number of the pull request.
    pub number: Option<u64>,
    /// Its page.
    pub url: Option<String>,
    /// `open`, `merged` or `closed`.
    pub state: Option<String>,
    /// Whether its owners were asked.
    pub asked: bool,
}

impl Database {
    /// What is known of the pull request of a repository, by its number.
    pub fn publication(&self, repository: i64) -> Result<Publication> {
        let found = self
            .connection
            .query_row(
                "SELECT pushed, commit_id, number, url, state, asked FROM publication
                 WHERE repository = ?",
                [repository],
                |row| {
                    let number: Option<i64> = row.get(2)?;
                    Ok(Publication {
                        pushed: row.get(0)?,
                        commit: row.get(1)?,
                        number: number.and_then(|it| u64::try_from(it).ok()),
                        url: row.get(3)?,
                        state: row.get(4)?,
                        asked: row.get(5)?,
                    })
                },
            )
            .optional()
            .said()?;
        Ok(found.unwrap_or_default())
    }

    /// Notes what is known of it. `is_told` says that it was made or brought up to date just now.
    pub fn note_publication(
        &mut self,
        repository: i64,
        known: &Publication,
        is_told: bool,
    ) -> Result<()> {
        let transaction = self.write()?;
        transaction
            .execute(
                "INSERT INTO publication
                   (repository, pushed, commit_id, number, url, state, asked)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (repository) DO UPDATE SET
                   pushed = ?2, commit_id = ?3, number = ?4, url = ?5, state = ?6, asked = ?7",
                params![
                    repository,
                    known.pushed,
                    known.commit,
                    known.number.map(count),
                    known.url,
                    known.state,
                    known.asked,
                ],
            )
            .said()?;
        if is_told {
            transaction
                .execute("INSERT INTO telling (time) VALUES (?)", [now()])
                .said()?;
        }
        transaction.commit().said()
    }

    /// When pull requests were made or brought up to date, each time.
    pub fn told(&self) -> Result<Vec<SystemTime>> {
        let mut statement = self.connection.prepare("SELECT time FROM telling").said()?;
        let times = statement.query_map([], |row| row.get(0)).said()?;
        let times: Vec<i64> = times.collect::<rusqlite::Result<_>>().said()?;
        let time = |millis: i64| {
            UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or_default())
        };
        Ok(times.into_iter().map(time).collect())
    }
}
