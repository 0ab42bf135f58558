//! Texts that are in no file, as rows of a table are: each is rewritten as a run over a file of that
//! name rewrites it that sees no other file and infers no types.
//!
//! Nothing is read from the disk, neither configuration nor files: what is set, is set here.

use std::ffi::OsString;
use std::path::PathBuf;

use engine::{Finding, Outcome};
use rayon::prelude::*;

use crate::arguments::Arguments;
use crate::baseline::Baselines;
use crate::folder::Folders;
use crate::meaning::Meaning;
use crate::report::{Failure, Place, Places};
use crate::run::{self, Around, One};
use crate::source::Source;
use crate::walk::File;
use crate::{guard, plan};

/// What is set for a batch, in the words of the command line.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Names of codemods and of groups of them; none: those that run by default.
    pub select: Vec<String>,
    /// Names of codemods that do not run.
    pub ignore: Vec<String>,
    /// Whether unsafe fixes are applied too.
    pub unsafe_fixes: bool,
    /// Whether only safe fixes are applied.
    pub safe_only: bool,
    /// As `py312`.
    pub target_version: Option<String>,
    /// Settings of a configuration, as `line-length = 100`.
    pub config: Vec<String>,
    /// How many threads work; 0 is one for each core.
    pub threads: usize,
}

/// A text to be rewritten.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The path of the file that the text is of. It decides whether it is a notebook, or a
    /// package's `__init__`.
    pub path: Option<&'a str>,
    /// The text; none is an error of the row.
    pub content: Option<Content<'a>>,
}

/// A text.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Decoded by somebody else.
    Text(&'a str),
    /// As it stands in the file: with a byte order mark, and in the encoding that it declares.
    Bytes(&'a [u8]),
}

/// What became of a text.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// The rewritten text, as it was given: bytes of UTF-8 where it was text, else bytes as they
    /// stand in the file. None where nothing changed.
    pub output: Option<Vec<u8>>,
    /// What was found in the text as it was given, by position.
    pub found: Vec<Found>,
    /// How many fixes were applied.
    pub fixed: usize,
    /// How many of the findings have no fix.
    pub withheld: usize,
    /// Why the text could not be analysed, or only in part.
    pub error: Option<String>,
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Found {
    /// The name of the codemod.
    pub codemod: &'static str,
    /// What is the matter.
    pub message: String,
    /// `warning`, or `error` where the target version no longer has what the code uses.
    pub severity: &'static str,
    /// `safe`, `intended` or `unsafe`; none where there is no fix.
    pub applicability: Option<&'static str>,
    /// Why there is no fix.
    pub withheld: Option<String>,
    /// Of a notebook: the cell, one-based.
    pub cell: Option<usize>,
    /// Where it begins: row and column, one-based, the column in characters.
    pub start: (usize, usize),
    /// Where it ends.
    pub end: (usize, usize),
}

/// Rewrites texts by one set of options.
pub struct Batch {
    folders: Folders,
    baselines: Baselines,
    pool: rayon::ThreadPool,
}

impl Batch {
    /// The error says which option is wrong, and what would be right.
    pub fn new(options: &Options) -> Result<Self, String> {
        let mut words = vec!["asyncfix", "--isolated", "--no-types", "--no-baseline"];
        let flags = [
            ("--unsafe-fixes", options.unsafe_fixes),
            ("--safe-only", options.safe_only),
        ];
        words.extend(flags.iter().filter(|(_, is_set)| *is_set).map(|it| it.0));
        let mut words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        let mut set = |flag: &str, value: &String| words.push(format!("{flag}={value}").into());
        options.select.iter().for_each(|it| set("--select", it));
        options.ignore.iter().for_each(|it| set("--ignore", it));
        options.config.iter().for_each(|it| set("--config", it));
        let target = options.target_version.iter();
        target.for_each(|it| set("--target-version", it));
        let arguments = Arguments::parse(words).map_err(|error| {
            let error = error.to_string();
            let error = error.strip_prefix("error: ").unwrap_or(&error);
            // What follows is about the command line.
            let said = error.split("\n\nUsage:").next().unwrap_or_default();
            let said = said.split("\n\nFor more information").next();
            said.unwrap_or_default().trim_end().to_string()
        })?;
        let said = |error: anyhow::Error| format!("{error:#}");
        let threads = match options.threads {
            0 => arguments.run.threads(),
            count => count,
        };
        guard::install();
        Ok(Self {
            folders: plan::folders(arguments.run).map_err(said)?,
            baselines: Baselines::read(&[], None, &[], false).map_err(said)?,
            pool: run::threads(threads).map_err(said)?,
        })
    }

    /// Rewrites the texts, each for itself, in their order.
    pub fn fix(&self, rows: &[Row<'_>]) -> Vec<Fixed> {
        let fix = |row: &Row<'_>| self.fix_row(row).unwrap_or_else(Fixed::failed);
        self.pool.install(|| rows.par_iter().map(fix).collect())
    }

    fn fix_row(&self, row: &Row<'_>) -> Result<Fixed, String> {
        let Some(content) = row.content else {
            return Err("there is no text: the value is null".to_string());
        };
        let bytes = match content {
            Content::Bytes(bytes) => bytes.to_vec(),
            Content::Text(text) => Source::bytes_of(text).map_err(|error| error.message)?,
        };
        let path = path_of(row.path.unwrap_or_default());
        let folder = self.folders.of_file(&path);
        let file = File {
            folder: folder.map_err(|error| format!("{error:#}"))?,
            canonical: path.clone(),
            path,
            is_named: false,
            content: Some(bytes),
        };
        let files = std::slice::from_ref(&file);
        let meaning = Meaning::new(files);
        let around = Around {
            meaning: &meaning,
            baselines: &self.baselines,
            changes: None,
        };
        let One { analysed, failures } = run::look_at_one(files, around, &self.pool);
        let mut fixed = Fixed::default();
        if let Some(analysed) = &analysed {
            let rewritten = &analysed.rewritten;
            let places = Places::new(&analysed.source, &analysed.source.text);
            let found = rewritten.findings.iter();
            fixed.found = found.map(|finding| Found::new(finding, &places)).collect();
            fixed.withheld = fixed
                .found
                .iter()
                .filter(|it| it.withheld.is_some())
                .count();
            fixed.fixed = rewritten.applied.iter().map(|applied| applied.fixes).sum();
            fixed.output = match (content, &rewritten.output) {
                (Content::Bytes(_), _) => analysed.after.clone(),
                (Content::Text(_), None) => None,
                (Content::Text(_), Some(text)) => {
                    let text = analysed.source.editor_text(text);
                    Some(text.map_err(|error| error.message)?.into_bytes())
                }
            };
        }
        let said: Vec<String> = failures.iter().map(said).collect();
        fixed.error = (!said.is_empty()).then(|| said.join("\n"));
        Ok(fixed)
    }
}

impl Fixed {
    fn failed(error: String) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }
}

impl Found {
    fn new(finding: &Finding, places: &Places) -> Self {
        let (applicability, withheld) = match &finding.outcome {
            Outcome::Fix(fix) => (Some(fix.applicability.as_str()), None),
            Outcome::Withheld(reason) => (None, Some(reason.clone())),
        };
        let at = |place: &Place| (place.position.row, place.position.column);
        let start = places.of(finding.range.start);
        Self {
            codemod: finding.codemod.name,
            message: finding.message.clone(),
            severity: finding.severity.as_str(),
            applicability,
            withheld,
            cell: start.cell,
            start: at(&start),
            end: at(&places.of(finding.range.end)),
        }
    }
}

/// What went wrong, with its place.
fn said(failure: &Failure) -> String {
    match failure.place() {
        Some(place) => format!("{place}: {}", failure.message),
        None => failure.message.clone(),
    }
}

/// Where a file of that name would be if it were in a folder that no disk has: no path of a system
/// holds a NUL, so that whoever looks for something beside the file is told that there is nothing.
fn path_of(name: &str) -> PathBuf {
    let parts = name.split(['/', '\\']);
    let mut path = PathBuf::from("/\0");
    path.extend(parts.filter(|part| !matches!(*part, "" | "." | "..")));
    if path.file_name().is_none_or(|name| name == "\0") {
        path.push("text.py");
    }
    path
}
