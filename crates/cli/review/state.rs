//! What was refused, from one review to the next.
//!
//! It is kept outside of the project, and holds fingerprints, which survive moved lines.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use engine::Finding;
use serde::{Deserialize, Serialize};

use crate::report::fingerprint::Fingerprints;
use crate::{state, write};

/// The refusals of one repository.
pub struct Refused {
    /// Where they are kept; none where the system has no place for it.
    path: Option<PathBuf>,
    /// The repository, or the folder that asyncfix runs in.
    root: PathBuf,
    kept: Kept,
}

/// The file.
#[derive(Default, Deserialize, Serialize)]
struct Kept {
    /// For people who wonder what it is.
    root: PathBuf,
    /// By file, in the repository where it is in there, and by codemod: the fingerprints.
    refused: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Refused {
    /// What was refused in the repository around `here`, which is absolute and without links.
    /// A file that cannot be read, or is none of ours, counts for nothing.
    pub fn read(here: &Path) -> Self {
        let root = state::root(here);
        let path = state::path("review", &root);
        let text = path.as_ref().and_then(|path| std::fs::read(path).ok());
        let kept = text.and_then(|text| serde_json::from_slice(&text).ok());
        Self {
            path,
            kept: kept.unwrap_or_default(),
            root,
        }
    }

    /// Whether each of the findings in the file at `path`, whose text is `text`, was refused.
    pub fn are(&self, path: &Path, text: &str, findings: &[&Finding]) -> Vec<bool> {
        let name = self.name(path);
        let known = self.kept.refused.get(&name);
        let fingerprints = fingerprints(&name, text, findings);
        let pairs = findings.iter().zip(fingerprints);
        pairs
            .map(|(finding, fingerprint)| {
                let of = known.and_then(|known| known.get(finding.codemod.name));
                of.is_some_and(|of| of.contains(&fingerprint))
            })
            .collect()
    }

    /// Keeps which of the findings in a file are refused. `ran` are the codemods that were asked:
    /// what was refused of others stays.
    pub fn keep<'n>(
        &mut self,
        path: &Path,
        text: &str,
        findings: &[(&Finding, bool)],
        ran: impl Iterator<Item = &'n str>,
    ) {
        let name = self.name(path);
        let all: Vec<&Finding> = findings.iter().map(|(finding, _)| *finding).collect();
        let fingerprints = fingerprints(&name, text, &all);
        let of = self.kept.refused.entry(name.clone()).or_default();
        for codemod in ran {
            of.remove(codemod);
        }
        for ((finding, refused), fingerprint) in findings.iter().zip(fingerprints) {
            if *refused {
                let codemod = finding.codemod.name.to_string();
                of.entry(codemod).or_default().insert(fingerprint);
            }
        }
        if of.is_empty() {
            self.kept.refused.remove(&name);
        }
    }

    /// Writes it down. The error says why that cannot be.
    pub fn save(&mut self) -> Result<(), String> {
        let Some(path) = &self.path else {
            return Err("this system names no folder for it".to_string());
        };
        self.kept.root.clone_from(&self.root);
        let result = (|| {
            let folder = path.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer(&mut file, &self.kept)?;
            file.flush()?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        })();
        result.map_err(|error: std::io::Error| {
            format!("{}: {}", path.display(), write::reason(&error))
        })
    }

    /// The file as it is known here.
    fn name(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        path.to_string_lossy().into_owned()
    }
}

fn fingerprints(name: &str, text: &str, findings: &[&Finding]) -> Vec<String> {
    let mut fingerprints = Fingerprints::default();
    let line = |start: usize| {
        let ends = ['\n', '\r'];
        let first = text[..start].rfind(ends).map_or(0, |end| end + 1);
        let length = text[first..].find(ends).unwrap_or(text.len() - first);
        &text[first..first + length]
    };
    findings
        .iter()
        .map(|finding| fingerprints.next(name, finding.codemod.name, line(finding.range.start)))
        .collect()
}
