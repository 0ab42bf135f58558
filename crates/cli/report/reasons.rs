//! Reasons for withholding, counted by what they have in common.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Serialize, Serializer};

/// Reasons that differ only in what is quoted from the code, in files and in numbers are one.
#[derive(Default)]
pub struct Reasons {
    /// By what stands between those parts.
    known: BTreeMap<Vec<String>, Group>,
}

struct Group {
    count: usize,
    /// The parts; none where they differ.
    parts: Vec<Option<String>>,
    /// Where the first of them is.
    example: String,
}

/// A reason in words.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    pub count: usize,
    /// With `…` for what differs.
    #[serde(rename = "reason")]
    pub text: String,
    /// The place of one of them: `path:row:column`.
    pub example: String,
}

impl Reasons {
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Counts one, found at `place`.
    pub fn count(&mut self, reason: &str, place: impl FnOnce() -> String) {
        let (between, parts) = split(reason);
        match self.known.entry(between) {
            std::collections::btree_map::Entry::Occupied(entry) => {
                let group = entry.into_mut();
                group.count += 1;
                for (known, part) in group.parts.iter_mut().zip(parts) {
                    if known.as_deref() != Some(part) {
                        *known = None;
                    }
                }
            }
            std::collections::btree_map::Entry::Vacant(entry) => {
                let parts = parts.into_iter().map(|part| Some(part.to_string()));
                entry.insert(Group {
                    count: 1,
                    parts: parts.collect(),
                    example: place(),
                });
            }
        }
    }

    /// The most frequent first.
    pub fn sorted(&self) -> Vec<Reason> {
        let reason = |(between, group): (&Vec<String>, &Group)| {
            let mut text = String::new();
            let mut parts = group.parts.iter();
            for between in between {
                text.push_str(between);
                if let Some(part) = parts.next() {
                    text.push_str(part.as_deref().unwrap_or("…"));
                }
            }
            Reason {
                count: group.count,
                text,
                example: group.example.clone(),
            }
        };
        let mut reasons: Vec<Reason> = self.known.iter().map(reason).collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
        reasons
    }
}

impl Serialize for Reasons {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sorted().serialize(serializer)
    }
}

/// What stands between the parts that may differ, and these parts.
fn split(reason: &str) -> (Vec<String>, Vec<&str>) {
    let mut between = Vec::new();
    let mut parts = Vec::new();
    let mut end = 0;
    let found = PARTS.iter().flat_map(|regex| regex.captures_iter(reason));
    for part in found.filter_map(|captures| captures.iter().skip(1).flatten().next()) {
        between.push(reason[end..part.start()].to_string());
        parts.push(part.as_str());
        end = part.end();
    }
    between.push(reason[end..].to_string());
    (between, parts)
}

/// What backticks quote, files, numbers and versions.
static PARTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"`([^`]*)`|([^\s`(]*\.(?:py|pyw|pyi|ipynb|toml|cfg))\b|\b(\d+(?:\.\d+)*)\b";
    Regex::new(pattern).ok()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(reasons: &[&str]) -> Vec<(usize, String)> {
        let mut counted = Reasons::default();
        for reason in reasons {
            counted.count(reason, String::new);
        }
        let sorted = counted.sorted().into_iter();
        sorted.map(|reason| (reason.count, reason.text)).collect()
    }

    #[test]
    fn one_reason_stays_as_it_is() {
        let reason = "it needs Python 3.11 (`requires-python` in a/pyproject.toml): set `a` or `b`";
        assert_eq!(counted(&[reason, reason]), [(2, reason.to_string())]);
    }

    #[test]
    fn what_differs_is_left_out() {
        assert_eq!(
            counted(&[
                "`f` of a/b.py is not known, and `create_task` refuses it",
                "nothing is kept",
                "`g()` of c.py is not known, and `create_task` refuses it",
                "`h` is not known",
            ]),
            [
                (
                    2,
                    "`…` of … is not known, and `create_task` refuses it".to_string()
                ),
                (1, "`h` is not known".to_string()),
                (1, "nothing is kept".to_string()),
            ]
        );
        assert_eq!(
            counted(&[
                "the session on line 12 stays",
                "the session on line 4 stays"
            ]),
            [(2, "the session on line … stays".to_string())]
        );
    }
}
