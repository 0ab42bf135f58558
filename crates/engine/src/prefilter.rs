//! The first and cheapest question: can this file hold anything for the selected codemods?

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use crate::{Codemod, On};

/// The text without which a file holds no site of the selected codemods.
#[derive(Debug)]
pub struct Prefilter {
    /// One pass for the last part of each name, which is the rarest: `sleep` of `time.sleep`.
    last_parts: Option<AhoCorasick>,
    /// For each pattern of `last_parts`: how the rest of the name has to occur, if it has one.
    rest: Vec<Option<Regex>>,
}

impl Prefilter {
    /// The prefilter for `codemods`.
    pub fn new(codemods: &[&'static Codemod]) -> Self {
        let mut last_parts = Vec::new();
        let mut rest = Vec::new();
        for codemod in codemods {
            let On::Call(names, _) = codemod.on;
            for name in names {
                let Some((module, last)) = name.rsplit_once('.') else {
                    continue;
                };
                last_parts.push(last);
                rest.push(
                    (!module.is_empty())
                        .then(|| occurrence(module, last))
                        .flatten(),
                );
            }
        }
        Self {
            last_parts: AhoCorasick::new(last_parts).ok(),
            rest,
        }
    }

    /// Whether a file with these bytes, in whatever encoding that has ASCII as a subset, may hold
    /// a site. False positives cost a parse; there are no false negatives.
    pub fn may_match(&self, bytes: &[u8]) -> bool {
        let Some(last_parts) = &self.last_parts else {
            return true;
        };
        let mut asked = vec![false; self.rest.len()];
        last_parts.find_overlapping_iter(bytes).any(|found| {
            let pattern = found.pattern().as_usize();
            if std::mem::replace(&mut asked[pattern], true) {
                return false;
            }
            self.rest[pattern]
                .as_ref()
                .is_none_or(|rest| rest.is_match(bytes))
        })
    }
}

/// The ways in which a file can get at `module.last`: by its whole name, by an import of the
/// module under another name, or by an import from it or from a module inside it.
fn occurrence(module: &str, last: &str) -> Option<Regex> {
    // What may stand between two tokens: a line may go on in brackets or after a backslash.
    let gap = r"(?:[\s\\]|#[^\r\n]*[\r\n])";
    let module = module.replace('.', &format!(r"{gap}*\.{gap}*"));
    let pattern = format!(
        r"\b{module}{gap}*\.{gap}*(?:\w+{gap}*\.{gap}*)?{last}\b|\b{module}(?:{gap}*\.{gap}*\w+)?{gap}+as\b|\bfrom{gap}+{module}\b"
    );
    Regex::new(&format!("(?-u){pattern}")).ok()
}
