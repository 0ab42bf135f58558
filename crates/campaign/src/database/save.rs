//! What is written with the end of a step.

use rusqlite::{Transaction, params};

use super::rows::Commit;
use super::{Result, Said, count};
use crate::outcome::Outcome;

/// So many problems are kept of a repository; all of them are in its log.
const PROBLEMS: usize = 20;

pub fn save_outcome(transaction: &Transaction, id: i64, outcome: &Outcome) -> Result<()> {
    let tests = match &outcome.tests {
        Some(tests) => Some(serde_json::to_string(tests).map_err(|error| error.to_string())?),
        None => None,
    };
    let total = outcome.total();
    let first: Vec<&String> = outcome.problems.iter().take(PROBLEMS).collect();
    let first = serde_json::to_string(&first).map_err(|error| error.to_string())?;
    transaction
        .execute(
            "INSERT OR REPLACE INTO result
               (repository, checked, not_analysed, found, fixed, withheld, remaining, tests, problems,
                faults, first_problems)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                id,
                count(outcome.checked),
                count(outcome.not_analysed),
                count(total.found),
                count(total.fixed),
                count(total.withheld),
                count(total.left()),
                tests,
                count(outcome.problems.len() as u64),
                count(outcome.faults),
                first,
            ],
        )
        .said()?;
    transaction
        .execute("DELETE FROM codemod WHERE repository = ?", [id])
        .said()?;
    for (position, codemod) in outcome.codemods.iter().enumerate() {
        let counts = serde_json::to_string(codemod).map_err(|error| error.to_string())?;
        transaction
            .execute(
                "INSERT INTO codemod (repository, position, name, counts) VALUES (?, ?, ?, ?)",
                params![id, count(position as u64), codemod.name, counts],
            )
            .said()?;
    }
    Ok(())
}

pub fn save_commit(transaction: &Transaction, id: i64, commit: Option<&Commit>) -> Result<()> {
    transaction
        .execute(
            "UPDATE result SET commit_id = ?2, fixes_branch = ?3, title = ?4, body = ?5, patch = ?6
             WHERE repository = ?1",
            params![
                id,
                commit.map(|it| &it.id),
                commit.map(|it| &it.branch),
                commit.map(|it| &it.title),
                commit.map(|it| &it.body),
                commit.map(|it| &it.patch),
            ],
        )
        .said()?;
    Ok(())
}
