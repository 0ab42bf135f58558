//! Who is at which repository.

use rusqlite::{Transaction, params};

use super::{Database, Result, Said, now};

impl Database {
    /// Claims the next repository that is open, for `run`: planned, `wanted` by its number, claimed
    /// by no run that `is_alive`, and neither done nor given up. What failed and may go well is open
    /// if neither `run` nor another that is alive tried it. What was lost with runs that were killed
    /// comes last: it may be what kills them.
    pub fn claim(
        &mut self,
        run: &str,
        wanted: &dyn Fn(i64) -> bool,
        is_alive: &dyn Fn(&str) -> bool,
    ) -> Result<Option<i64>> {
        let transaction = self.write()?;
        bury(&transaction, run, is_alive)?;
        let claimed = {
            let mut open = transaction
                .prepare(
                    "SELECT repository.id, claim.run, state.run
                     FROM repository
                     LEFT JOIN claim ON claim.repository = repository.id
                     LEFT JOIN state ON state.repository = repository.id
                       AND state.goal = repository.goal
                     WHERE position IS NOT NULL
                       AND (state.state IS NULL OR state.state = 'retry')
                     ORDER BY (SELECT count(*) FROM journal
                       WHERE journal.repository = repository.id AND what = 'lost'), position",
                )
                .said()?;
            let mut rows = open.query([]).said()?;
            let mut found = None;
            while let Some(row) = rows.next().said()? {
                let id: i64 = row.get(0).said()?;
                let claimed: Option<String> = row.get(1).said()?;
                let tried: Option<String> = row.get(2).said()?;
                let is_tried = tried.is_some_and(|it| it == run || is_alive(&it));
                if wanted(id) && claimed.is_none() && !is_tried {
                    found = Some(id);
                    break;
                }
            }
            found
        };
        if let Some(id) = claimed {
            transaction
                .execute(
                    "INSERT INTO claim (repository, run, since) VALUES (?, ?, ?)",
                    params![id, run, now()],
                )
                .said()?;
        }
        transaction.commit().said()?;
        Ok(claimed)
    }

    /// Whether another run that `is_alive` is at a repository that is `wanted`.
    pub fn is_shared(
        &self,
        run: &str,
        wanted: &dyn Fn(i64) -> bool,
        is_alive: &dyn Fn(&str) -> bool,
    ) -> Result<bool> {
        let mut claimed = self
            .connection
            .prepare(
                "SELECT claim.repository, claim.run FROM claim
                 JOIN repository ON claim.repository = repository.id
                 WHERE position IS NOT NULL AND claim.run <> ?",
            )
            .said()?;
        let mut rows = claimed.query([run]).said()?;
        while let Some(row) = rows.next().said()? {
            let (id, other): (i64, String) = (row.get(0).said()?, row.get(1).said()?);
            if wanted(id) && is_alive(&other) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets go of a repository.
    pub fn release(&mut self, run: &str, id: i64) -> Result<()> {
        let transaction = self.write()?;
        transaction
            .execute(
                "DELETE FROM claim WHERE repository = ? AND run = ?",
                params![id, run],
            )
            .said()?;
        transaction.commit().said()
    }
}

/// Takes the claims away of runs that are gone, and notes what they had begun.
fn bury(transaction: &Transaction, run: &str, is_alive: &dyn Fn(&str) -> bool) -> Result<()> {
    let claims = {
        let mut claims = transaction
            .prepare("SELECT repository, run FROM claim WHERE run <> ?")
            .said()?;
        let rows = claims.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)));
        let claims: rusqlite::Result<Vec<(i64, String)>> = rows.said()?.collect();
        claims.said()?
    };
    for (id, _) in claims.iter().filter(|(_, run)| !is_alive(run)) {
        lose(transaction, *id)?;
        transaction
            .execute("DELETE FROM claim WHERE repository = ?", [id])
            .said()?;
    }
    Ok(())
}

/// Of what a run began that is gone: that it was lost.
fn lose(transaction: &Transaction, id: i64) -> Result<()> {
    transaction
        .execute(
            "INSERT INTO journal (time, run, repository, step, key, what)
             SELECT ?2, run, repository, step, key, 'lost' FROM journal AS begun
             WHERE repository = ?1 AND what = 'start' AND NOT EXISTS (
               SELECT 1 FROM journal AS later WHERE later.repository = ?1
                 AND later.id > begun.id AND later.step = begun.step AND later.run = begun.run
                 AND later.what <> 'dropped')",
            params![id, now()],
        )
        .said()?;
    Ok(())
}
