//! What is needed to put back the last state that passed, on the disk: for the run after one that
//! was killed. It survives a kill, not a loss of power.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::state;
use crate::write::{self, Stamp};

/// The journal of one repository. Nobody else has it meanwhile.
pub struct Journal {
    /// None where the system has no place for it.
    path: Option<PathBuf>,
    /// Held until [`Self::close`], or until the process ends, however it does.
    lock: Option<File>,
    kept: Kept,
}

/// The file.
#[derive(Default, Deserialize, Serialize)]
struct Kept {
    /// For people who wonder what it is.
    root: PathBuf,
    files: Vec<Entry>,
}

#[derive(Deserialize, Serialize)]
struct Entry {
    path: OsString,
    /// What it holds in the last state that passed: base64.
    passing: String,
    /// Hashes of what was written to it.
    written: BTreeSet<String>,
}

/// What was done after a run that was killed.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The files that were put back.
    pub back: Vec<PathBuf>,
    /// The files that were not, and why.
    pub left: Vec<(PathBuf, String)>,
}

const KIND: &str = "verify";

impl Journal {
    /// Opens the journal of the repository around `here`. What an earlier run left in there is
    /// put back first.
    pub fn open(here: &Path) -> Result<(Self, Recovered)> {
        let root = state::root(here);
        let mut journal = Self {
            path: state::path(KIND, &root),
            lock: None,
            kept: Kept {
                root,
                ..Kept::default()
            },
        };
        let Some(path) = &journal.path else {
            return Ok((journal, Recovered::default()));
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        let shown = path.display();
        fs_err::create_dir_all(folder).context("no journal can be kept")?;
        let lock = fs_err::File::create(path.with_extension("lock"))
            .context("no journal can be kept")?
            .into_file();
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            bail!(
                "another `asyncfix --verify` works on `{}`: wait for its end",
                journal.kept.root.display()
            );
        }
        journal.lock = Some(lock);
        let mut recovered = Recovered::default();
        if path.exists() {
            let text = fs_err::read(path).context("the journal of a run that was killed")?;
            let kept: Kept = serde_json::from_slice(&text).with_context(|| {
                format!("`{shown}`, the journal of a run that was killed, cannot be read: look after its files, and remove it")
            })?;
            for entry in kept.files {
                entry.put_back(&mut recovered);
            }
        }
        journal.remove();
        Ok((journal, recovered))
    }

    /// Whether a run was killed, or is at work, that has not put back its files.
    pub fn is_left(here: &Path) -> bool {
        state::path(KIND, &state::root(here)).is_some_and(|path| path.exists())
    }

    /// Notes a file, with what it holds in the last state that passed.
    pub fn add(&mut self, path: &Path, passing: &[u8]) {
        self.kept.files.push(Entry {
            path: path.into(),
            passing: STANDARD.encode(passing),
            written: BTreeSet::new(),
        });
    }

    /// Notes what is going to be written to a file, by its number in the order of [`Self::add`].
    pub fn will_write(&mut self, number: usize, content: &[u8]) {
        if let Some(entry) = self.kept.files.get_mut(number) {
            entry.written.insert(state::hash(content));
        }
    }

    /// Notes what a file holds in the last state that passed.
    pub fn passed(&mut self, number: usize, content: &[u8]) {
        if let Some(entry) = self.kept.files.get_mut(number) {
            entry.passing = STANDARD.encode(content);
        }
    }

    /// Writes it down. The error says why that cannot be.
    pub fn save(&self) -> Result<(), String> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let text = serde_json::to_vec(&self.kept).map_err(|error| error.to_string())?;
        write::create(path, &text).map_err(|problem| format!("`{}` {problem}", path.display()))
    }

    /// Takes it away, and lets go of it: the files are as they are to be.
    pub fn close(&mut self) {
        self.remove();
        drop(self.lock.take());
    }

    fn remove(&self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Entry {
    fn put_back(self, recovered: &mut Recovered) {
        let path = PathBuf::from(self.path);
        let result = (|| {
            let passing = STANDARD
                .decode(&self.passing)
                .map_err(|it| it.to_string())?;
            let stamp = Stamp::of(&path).map_err(|error| write::reason(&error))?;
            let now = std::fs::read(&path).map_err(|error| write::reason(&error))?;
            if now == passing {
                return Ok(false);
            }
            if !self.written.contains(&state::hash(&now)) {
                return Err("it was changed since".to_string());
            }
            write::replace(&path, stamp, &now, &passing).map(|_| true)
        })();
        match result {
            Ok(true) => recovered.back.push(path),
            Ok(false) => {}
            Err(problem) => recovered.left.push((path, problem)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Recovered};
    use crate::state;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn only_what_was_written_is_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut recovered = Recovered::default();
        for (name, holds) in [
            ("a", "ours"),
            ("b", "passing"),
            ("c", "another's"),
            ("d", ""),
        ] {
            let path = folder.path().join(name);
            if !holds.is_empty() {
                std::fs::write(&path, holds).unwrap();
            }
            let entry = Entry {
                path: path.into(),
                passing: STANDARD.encode("passing"),
                written: [state::hash(b"ours")].into(),
            };
            entry.put_back(&mut recovered);
        }
        let name = |path: &std::path::PathBuf| path.file_name().unwrap().to_owned();
        assert_eq!(recovered.back.iter().map(name).collect::<Vec<_>>(), ["a"]);
        let left: Vec<_> = recovered
            .left
            .iter()
            .map(|(path, why)| (name(path), &**why))
            .collect();
        assert_eq!(
            left,
            [
                ("c".into(), "it was changed since"),
                ("d".into(), "no such file or directory")
            ]
        );
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"passing");
        assert_eq!(
            std::fs::read(folder.path().join("c")).unwrap(),
            b"another's"
        );
    }
}
