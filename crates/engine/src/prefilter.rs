//! The first and cheapest question: can this file hold anything for the selected codemods?

use std::collections::BTreeMap;
use std::sync::OnceLock;

use memchr::memmem::Finder;
use regex::bytes::Regex;

use crate::suppression::MARK;
use crate::{Codemod, On};

/// The text without which a file holds no site of the selected codemods.
#[derive(Debug)]
pub struct Prefilter {
    /// Those that count by themselves first.
    groups: Vec<Group>,
}

/// Words of which one has to be in a file.
#[derive(Debug)]
struct Group {
    /// What has to be there too.
    beside: Option<Finder<'static>>,
    words: Vec<Word>,
}

/// The last part of a name that a codemod starts from, which is its rarest: `sleep` of
/// `time.sleep`.
#[derive(Debug)]
struct Word {
    finder: Finder<'static>,
    /// How a name that ends in this word has to occur. None where the word is enough.
    occurrence: Option<Occurrence>,
}

/// A pattern that is compiled when a file holds the word: most runs need few of them.
#[derive(Debug)]
struct Occurrence {
    pattern: String,
    regex: OnceLock<Option<Regex>>,
}

impl Prefilter {
    /// The prefilter for `codemods`.
    pub fn new(codemods: &[&'static Codemod]) -> Self {
        let mut groups: BTreeMap<Option<&'static str>, Patterns> = BTreeMap::new();
        for codemod in codemods {
            for on in codemod.on {
                let (beside, names) = match on {
                    On::Call(names, _) => (None, *names),
                    On::CallBeside(beside, names, _) => (Some(*beside), *names),
                    On::Node { words: wanted, .. } => {
                        let words = groups.entry(None).or_default();
                        words.extend(wanted.iter().map(|word| (*word, None)));
                        continue;
                    }
                };
                let words = groups.entry(beside).or_default();
                for (module, last) in names.iter().filter_map(|name| name.rsplit_once('.')) {
                    let patterns = words.entry(last).or_insert_with(|| Some(Vec::new()));
                    if module.is_empty() {
                        *patterns = None; // any receiver will do
                    } else if let Some(patterns) = patterns {
                        patterns.push(occurrence(module, last));
                    }
                }
            }
        }
        // A comment that silences nothing is to be seen where there is nothing; but not where
        // nobody looks.
        if !codemods.is_empty() {
            groups.entry(None).or_default().insert(MARK, None);
        }
        let word = |(word, patterns): (&'static str, Option<Vec<String>>)| Word {
            finder: Finder::new(word),
            occurrence: patterns.map(|patterns| Occurrence {
                pattern: format!("(?-u){}", patterns.join("|")),
                regex: OnceLock::new(),
            }),
        };
        let group = |(beside, words): (Option<&'static str>, Patterns)| Group {
            beside: beside.map(Finder::new),
            words: words.into_iter().map(word).collect(),
        };
        Self {
            groups: groups.into_iter().map(group).collect(),
        }
    }

    /// Whether a file with these bytes, in whatever encoding that has ASCII as a subset, may hold
    /// a site. False positives cost a parse; there are no false negatives.
    pub fn may_match(&self, bytes: &[u8]) -> bool {
        let has = |finder: &Finder| finder.find(bytes).is_some();
        self.groups
            .iter()
            .filter(|group| group.beside.as_ref().is_none_or(has))
            .flat_map(|group| &group.words)
            .any(|word| {
                has(&word.finder)
                    && word
                        .occurrence
                        .as_ref()
                        .is_none_or(|occurrence| occurrence.is_in(bytes))
            })
    }
}

/// Words, each with the ways in which names end in it; none where the word is enough.
type Patterns = BTreeMap<&'static str, Option<Vec<String>>>;

impl Occurrence {
    fn is_in(&self, bytes: &[u8]) -> bool {
        let regex = self.regex.get_or_init(|| Regex::new(&self.pattern).ok());
        // What cannot be looked for may be anywhere.
        regex.as_ref().is_none_or(|regex| regex.is_match(bytes))
    }
}

/// The ways in which a file can get at `module.last`: by its whole name, by an import of the
/// module under another name, or by an import from it or from a module inside it.
fn occurrence(module: &str, last: &str) -> String {
    // What may stand between two tokens: a line may go on in brackets or after a backslash.
    let gap = r"(?:[\s\\]|#[^\r\n]*[\r\n])";
    let module = module.replace('.', &format!(r"{gap}*\.{gap}*"));
    format!(
        r"\b{module}{gap}*\.{gap}*(?:\w+{gap}*\.{gap}*)?{last}\b|\b{module}(?:{gap}*\.{gap}*\w+)?{gap}+as\b|\bfrom{gap}+{module}\b"
    )
}

#[cfg(test)]
mod tests {
    use super::Prefilter;
    use crate::{Codemod, Context, On, Refusal, Verdict};
    use python::ast::{ExprCall, PythonVersion};

    static SLEEP: Codemod = Codemod {
        name: "sleep",
        page: "",
        python: PythonVersion::PY37,
        headline: true,
        rules: &[],
        dated: None,
        options: &[],
        on: &[On::Call(&["time.sleep", ".run_until_complete"], never)],
    };

    static GET: Codemod = Codemod {
        name: "get",
        on: &[On::CallBeside("await", &[".get"], never)],
        ..SLEEP
    };

    fn never<'a>(_: &Context<'a, '_>, _: &'a ExprCall) -> Verdict {
        Err(Refusal::NotOurs)
    }

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let prefilter = Prefilter::new(&[&SLEEP]);
        assert_eq!(prefilter.may_match(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn a_file_that_cannot_name_it_is_left_out() {
        check("", false);
        check("import asyncio\nasyncio.sleep(1)\n", false);
        check("import time\ntime.time()\n", false);
        check("import datetime\ndatetime.sleep\n", false);
    }

    #[test]
    fn no_codemod_looks_at_no_file() {
        let nothing = Prefilter::new(&[]);
        assert!(!nothing.may_match(b"time.sleep(1)  # asyncfix: ignore\n"));
    }

    #[test]
    fn a_common_word_counts_beside_another_one_only() {
        let prefilter = Prefilter::new(&[&SLEEP, &GET]);
        assert!(!prefilter.may_match(b"d.get()\n"));
        assert!(!prefilter.may_match(b"await x\n"));
        assert!(prefilter.may_match(b"await q.get()\n"));
        assert!(prefilter.may_match(b"loop.run_until_complete(f())\n"));
    }

    #[test]
    fn every_way_to_name_it_is_seen() {
        check("import time\ntime.sleep(1)\n", true);
        check("import time as t\nt.sleep(1)\n", true);
        check("import os, time  as  t\nt.sleep(1)\n", true);
        check("from time import sleep as s\ns(1)\n", true);
        check("from \\\n  time import (\n  sleep)\n", true);
        check("(time  # why\n .sleep(1))\n", true);
        check("loop.run_until_complete(f())\n", true);
    }
}
