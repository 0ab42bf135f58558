//! What a run with `--fix` came to, for the program that started it: the file of `--outcome`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, anyhow};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::statistics::Statistics;
use super::summary::Verified;
use super::{Entry, Failure, html};
use crate::verify::Stopped;
use crate::write;

/// What is told, beside the page.
pub struct Outcome<'a> {
    pub statistics: &'a Statistics,
    /// The files that were written, with what they hold.
    pub written: Vec<(&'a Path, &'a [u8])>,
    pub verified: Option<&'a Verified>,
    pub failures: &'a [Failure],
    /// What was found, in the files as they were.
    pub found: &'a [Entry<'a>],
    pub about: html::About,
}

#[derive(Serialize)]
struct Object<'a, C: Serialize> {
    checked: usize,
    not_analysed: usize,
    codemods: C,
    written: Vec<Written>,
    tests: Option<Tests>,
    problems: Vec<String>,
    /// Those of them that are ours: fixes that were dropped.
    faults: usize,
    page: html::Document<'a>,
}

#[derive(Serialize)]
struct Written {
    path: String,
    sha256: String,
}

#[derive(Serialize)]
struct Tests {
    runs: usize,
    failing: usize,
    culprits: usize,
    undecided: usize,
    unstable: bool,
}

/// Writes it to `path`.
pub fn write(path: &Path, outcome: Outcome) -> Result<()> {
    let written = outcome.written.iter().map(|(path, content)| Written {
        path: path.display().to_string(),
        sha256: hash(content),
    });
    let object = Object {
        checked: outcome.about.checked,
        not_analysed: outcome.statistics.not_analysed(),
        codemods: outcome.statistics.codemods(),
        written: written.collect(),
        tests: outcome.verified.map(|it| Tests {
            runs: it.runs,
            failing: it.failing,
            culprits: it.culprits,
            undecided: it.undecided,
            unstable: it.is_unstable,
        }),
        faults: outcome.failures.iter().filter(|it| it.ours).count(),
        problems: outcome.failures.iter().map(ToString::to_string).collect(),
        page: html::Document::new(outcome.about, outcome.found, outcome.failures),
    };
    create(path, &object)
}

/// Writes to `path` that nothing was written, and why.
pub fn write_stopped(path: &Path, stopped: &Stopped) -> Result<()> {
    #[derive(Serialize)]
    struct Object {
        stopped: Why,
    }
    #[derive(Serialize)]
    struct Why {
        kind: &'static str,
        message: String,
    }
    let stopped = Why {
        kind: stopped.kind.as_str(),
        message: stopped.to_string(),
    };
    create(path, &Object { stopped })
}

fn create(path: &Path, object: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(object)?;
    write::create(path, &text)
        .map_err(|problem| anyhow!("--outcome: `{}` {problem}", path.display()))
}

fn hash(content: &[u8]) -> String {
    let mut hash = String::new();
    for byte in Sha256::digest(content) {
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}
