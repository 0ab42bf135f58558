//! The first and cheapest question: can this file hold anything for the selected codemods?

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;
use regex::bytes::Regex;

use crate::{Codemod, On};

/// The text without which a file holds no site of the selected codemods.
#[derive(Debug)]
pub struct Prefilter {
    /// Whether any of the words occurs, in one pass. Most files end here.
    any: Option<AhoCorasick>,
    words: Vec<Word>,
}

/// The last part of a name that a codemod starts from, which is its rarest: `sleep` of
/// `time.sleep`.
#[derive(Debug)]
struct Word {
    finder: Finder<'static>,
    /// How the rest of a name that ends in this word has to occur. None where the word is enough.
    rest: Option<Vec<Regex>>,
}

impl Prefilter {
    /// The prefilter for `codemods`.
    pub fn new(codemods: &[&'static Codemod]) -> Self {
        let mut rests: BTreeMap<&'static str, Option<Vec<Regex>>> = BTreeMap::new();
        for codemod in codemods {
            let On::Call(names, _) = codemod.on;
            for name in names {
                let Some((module, last)) = name.rsplit_once('.') else {
                    continue;
                };
                let rest = rests.entry(last).or_insert_with(|| Some(Vec::new()));
                match occurrence(module, last) {
                    Some(regex) => rest.iter_mut().for_each(|rest| rest.push(regex.clone())),
                    None => *rest = None,
                }
            }
        }
        Self {
            any: AhoCorasick::new(rests.keys()).ok(),
            words: rests
                .into_iter()
                .map(|(word, rest)| Word {
                    finder: Finder::new(word),
                    rest,
                })
                .collect(),
        }
    }

    /// Whether a file with these bytes, in whatever encoding that has ASCII as a subset, may hold
    /// a site. False positives cost a parse; there are no false negatives.
    pub fn may_match(&self, bytes: &[u8]) -> bool {
        if self.any.as_ref().is_some_and(|any| !any.is_match(bytes)) {
            return false;
        }
        self.words.iter().any(|word| {
            word.finder.find(bytes).is_some()
                && word
                    .rest
                    .as_ref()
                    .is_none_or(|rest| rest.iter().any(|regex| regex.is_match(bytes)))
        })
    }
}

/// The ways in which a file can get at `module.last`: by its whole name, by an import of the
/// module under another name, or by an import from it or from a module inside it. None where any
/// receiver will do.
fn occurrence(module: &str, last: &str) -> Option<Regex> {
    if module.is_empty() {
        return None;
    }
    // What may stand between two tokens: a line may go on in brackets or after a backslash.
    let gap = r"(?:[\s\\]|#[^\r\n]*[\r\n])";
    let module = module.replace('.', &format!(r"{gap}*\.{gap}*"));
    let pattern = format!(
        r"\b{module}{gap}*\.{gap}*(?:\w+{gap}*\.{gap}*)?{last}\b|\b{module}(?:{gap}*\.{gap}*\w+)?{gap}+as\b|\bfrom{gap}+{module}\b"
    );
    Regex::new(&format!("(?-u){pattern}")).ok()
}
