//! A file in which something was found.

use engine::{Fault, Finding, Host, Rewritten, Settings};

use crate::guard::guarded;
use crate::report::{Entry, Failure, TakenBack};
use crate::source::Source;
use crate::walk::File;
use crate::write::Stamp;

use super::unparsed;

/// A file in which something was found.
pub struct Analysed<'a> {
    pub file: &'a File,
    /// What the file was when it was read; none where its text came on standard input.
    pub stamp: Option<Stamp>,
    pub source: Source,
    pub rewritten: Rewritten,
    /// The file's bytes after the rewrite.
    pub after: Option<Vec<u8>>,
    /// Whether they were written.
    pub written: bool,
    /// The fixes that were taken back, and why.
    pub taken_back: Vec<TakenBack>,
}

/// With settings that are not those of the file.
pub fn analyse_as<'a>(
    settings: &Settings,
    file: &'a File,
    stamp: Option<Stamp>,
    source: Source,
    host: Host,
) -> Result<Analysed<'a>, Failure> {
    let rewritten = match guarded(|| engine::rewrite(&source.text, settings, host)) {
        Ok(Ok(rewritten)) => rewritten,
        Ok(Err(error)) => return Err(unparsed::whole(file, &source, &error)),
        Err(panic) => return Err(Failure::ours(&file.path, &format!("panicked: {panic}"))),
    };
    let after = rewritten
        .output
        .as_deref()
        .map(|text| source.encode(text))
        .transpose()
        .map_err(|error| Failure::new(&file.path, error.message).at_row(error.row))?;
    Ok(Analysed {
        file,
        stamp,
        source,
        rewritten,
        after,
        written: false,
        taken_back: Vec::new(),
    })
}

impl Analysed<'_> {
    /// The fixes that were dropped because they would have broken the file.
    pub fn faults(&self) -> impl Iterator<Item = Failure> {
        self.rewritten.faults.iter().map(|fault| {
            let Fault { codemod, problem } = fault;
            let whose =
                codemod.map_or_else(String::new, |codemod| format!(" of `{}`", codemod.name));
            let problem = format!("a fix{whose} was dropped: {problem}");
            Failure::ours(&self.file.path, &problem)
        })
    }

    /// What is left to be reported, and the text that its places are in.
    pub fn entry(&self) -> Entry<'_> {
        let rewritten = &self.rewritten;
        let output = rewritten.output.as_deref();
        let (text, findings, suppressions): (&str, &[Finding], _) = match output {
            Some(output) if self.written => (
                output,
                &rewritten.remaining,
                &rewritten.remaining_suppressions,
            ),
            _ => (
                &self.source.text,
                &rewritten.findings,
                &rewritten.suppressions,
            ),
        };
        Entry {
            path: &self.file.path,
            canonical: &self.file.canonical,
            source: &self.source,
            text,
            rewritten: output.filter(|_| !self.written),
            faults: &rewritten.faults,
            taken_back: &self.taken_back,
            findings: findings.iter().collect(),
            suppressions,
            apply: self.settings_apply(),
            show_withheld: self.file.folder.show_withheld,
        }
    }

    /// What was found, in the file as it was.
    pub fn found(&self) -> Entry<'_> {
        let rewritten = &self.rewritten;
        Entry {
            text: &self.source.text,
            findings: rewritten.findings.iter().collect(),
            suppressions: &rewritten.suppressions,
            ..self.entry()
        }
    }

    /// Lets go of the room that the text does not need: it was read into a buffer that had held larger
    /// files.
    pub(super) fn shrink(&mut self) {
        self.source.text.shrink_to_fit();
    }

    /// Lets go of what only those need who write or show the rewritten text: of a tree in which
    /// much is found it is most of what is held.
    pub(super) fn forget_rewrite(&mut self) {
        self.after = None;
        self.rewritten.output = None;
        self.rewritten.remaining = Vec::new();
        self.rewritten.touched = Vec::new();
    }

    /// Whether there is nothing to say of it.
    pub(super) fn is_empty(&self) -> bool {
        let Rewritten {
            findings,
            faults,
            suppressions,
            ..
        } = &self.rewritten;
        findings.is_empty() && faults.is_empty() && suppressions.is_empty()
    }

    pub fn settings_apply(&self) -> edit::Applicability {
        self.file.folder.module.apply
    }
}
