//! The file of a baseline: JSON that is made to be reviewed and merged.
//!
//! ```json
//! {
//!   "version": 1,
//!   "findings": {
//!     "src/jobs.py": {
//!       "await-sleep": {
//!         "time.sleep(1)": 2
//!       }
//!     }
//!   }
//! }
//! ```
//!
//! A finding is known by its file, its codemod and the text of its first line, and equal ones are
//! counted: no entry changes when lines move, are indented otherwise, or get another neighbour,
//! and each stands on a line of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::{place, write};

/// What is known of one file: how many findings a codemod has on lines of a text.
pub type Tally = BTreeMap<String, BTreeMap<String, NonZeroUsize>>;

/// The version of the format.
const VERSION: u64 = 1;

/// What a baseline file holds.
#[derive(Debug, Default, Serialize)]
pub struct Entries {
    version: u64,
    /// By path: relative to the folder of the baseline, with `/` between its parts.
    pub findings: BTreeMap<String, Tally>,
}

/// As it is read: an entry that stands there twice is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "version")]
    _version: u64,
    findings: Once<Once<Once<NonZeroUsize>>>,
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Entries {
    /// The file at `path`; none where there is no file.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let shown = place::shown(path);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                bail!("`{shown}` cannot be read: {}", write::reason(&error));
            }
        };
        let garbled = |error: serde_json::Error| {
            let (row, column) = (error.line(), error.column());
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or(&what);
            anyhow::anyhow!(
                "{shown}:{row}:{column}: this is no baseline of asyncfix: {what}: set it right, \
                 or delete the file and make it anew with --update-baseline"
            )
        };
        let Versioned { version } = serde_json::from_str(&text).map_err(garbled)?;
        if version != VERSION {
            bail!(
                "`{shown}` is a baseline of version {version}, and this asyncfix reads version \
                 {VERSION}: use the asyncfix that wrote it, or delete the file and make it anew \
                 with --update-baseline"
            );
        }
        let written: Written = serde_json::from_str(&text).map_err(garbled)?;
        let tally = |codemods: Once<Once<NonZeroUsize>>| {
            let lines = codemods.0.into_iter();
            lines.map(|(codemod, lines)| (codemod, lines.0)).collect()
        };
        let files = written.findings.0.into_iter();
        Ok(Some(Self {
            version,
            findings: files
                .map(|(path, codemods)| (path, tally(codemods)))
                .collect(),
        }))
    }

    /// Replaces the file at `path` at once, unless it holds the same already.
    pub fn write(mut self, path: &Path) -> Result<()> {
        self.version = VERSION;
        for tally in self.findings.values_mut() {
            tally.retain(|_, lines| !lines.is_empty());
        }
        self.findings.retain(|_, tally| !tally.is_empty());
        let mut text = serde_json::to_string_pretty(&self)?;
        text.push('\n');
        write::whole(path, text.as_bytes())
            .map_err(|problem| anyhow!("the baseline `{}` {problem}", place::shown(path)))
    }

    /// How many findings it holds.
    pub fn count(&self) -> usize {
        self.findings.values().map(count).sum()
    }
}

/// How many findings a tally holds.
pub fn count(tally: &Tally) -> usize {
    let counts = tally.values().flat_map(BTreeMap::values);
    counts.map(|count| count.get()).sum()
}

/// How many findings of `tally` the other one does not hold.
pub fn missing(tally: &Tally, other: &Tally) -> usize {
    let mut missing = 0;
    for (codemod, lines) in tally {
        for (line, count) in lines {
            let there = other.get(codemod).and_then(|lines| lines.get(line));
            missing += count.get().saturating_sub(there.map_or(0, |it| it.get()));
        }
    }
    missing
}

/// Adds a finding of `codemod` whose first line is `line`.
pub fn add(tally: &mut Tally, codemod: &str, line: String) {
    let lines = tally.entry(codemod.to_string()).or_default();
    lines
        .entry(line)
        .and_modify(|count| *count = count.saturating_add(1))
        .or_insert(NonZeroUsize::MIN);
}

/// The text by which a baseline knows the line of `text` in which the byte at `offset` stands.
pub fn line(text: &str, offset: usize) -> String {
    let ends = ['\n', '\r'];
    let start = text[..offset].rfind(ends).map_or(0, |end| end + 1);
    let end = text[offset..].find(ends);
    key(&text[start..end.map_or(text.len(), |end| offset + end)])
}

/// The text by which a baseline knows a line.
pub fn key(line: &str) -> String {
    let line = line.trim();
    let Some((cut, _)) = line.char_indices().nth(LONGEST) else {
        return line.to_string();
    };
    let hash = Sha256::digest(line);
    let digits = hash.iter().take(8).map(|byte| format!("{byte:02x}"));
    format!("{}... {}", &line[..cut], digits.collect::<String>())
}

/// Of longer lines, in characters, the rest is told by a hash.
const LONGEST: usize = 160;

/// How the file at `path` is named in a baseline in `folder`, both absolute and without links;
/// none where it is not Unicode, or on another drive.
pub fn name(path: &Path, folder: &Path) -> Option<String> {
    let relative = pathdiff::diff_paths(path, folder)?;
    let parts = relative.components().map(|part| part.as_os_str().to_str());
    let parts: Option<Vec<&str>> = parts.collect();
    relative.is_relative().then_some(parts?.join("/"))
}

/// The file that a baseline in `folder` names, also where there is no such file any longer.
pub fn named(name: &str, folder: &Path) -> PathBuf {
    let mut path = folder.to_path_buf();
    for part in name.split('/') {
        if part == ".." {
            path.pop(); // the folder has no links
        } else {
            path.push(part);
        }
    }
    path
}

/// A JSON object in which no key stands twice: what merges of two branches leave behind.
struct Once<V>(BTreeMap<String, V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Once<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Object<V> {
            type Value = Once<V>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once<V>, A::Error> {
                let mut values = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, V>()? {
                    if values.contains_key(&key) {
                        return Err(A::Error::custom(format!("`{key}` stands there twice")));
                    }
                    values.insert(key, value);
                }
                Ok(Once(values))
            }
        }

        deserializer.deserialize_map(Object(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::{add, line, missing, name, named};
    use std::path::Path;

    #[test]
    fn a_line_is_known_by_its_text_alone() {
        for text in [
            "a\n  x = f()\nb",
            "a\r\n\tx = f()\r\nb",
            "x = f()",
            "a\rx = f() \r",
        ] {
            let offset = text.find('f').unwrap();
            assert_eq!(line(text, offset), "x = f()", "{text:?}");
        }
        let long = |end: &str| line(&format!("f({}{end})", "\u{e9}".repeat(300)), 0);
        assert_eq!(long("1").chars().count(), 160 + 4 + 16);
        assert_ne!(long("1"), long("2"));
    }

    #[test]
    fn equal_findings_are_counted() {
        let mut one = super::Tally::new();
        let mut two = super::Tally::new();
        add(&mut one, "a", "x".to_string());
        assert_eq!(missing(&one, &two), 1);
        add(&mut two, "a", "x".to_string());
        add(&mut two, "a", "x".to_string());
        add(&mut two, "b", "x".to_string());
        assert_eq!((missing(&one, &two), missing(&two, &one)), (0, 2));
    }

    #[test]
    fn files_are_named_from_the_baselines_folder() {
        let name = |path: &str| name(Path::new(path), Path::new("/work/ci"));
        assert_eq!(name("/work/ci/a/b.py").as_deref(), Some("a/b.py"));
        assert_eq!(name("/work/a.py").as_deref(), Some("../a.py"));
        for path in ["/work/ci/a/b.py", "/work/a.py", "/a.py"] {
            let name = name(path).unwrap();
            assert_eq!(named(&name, Path::new("/work/ci")), Path::new(path));
        }
    }
}
