//! The first and cheapest question: can this file hold anything for the selected codemods?

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aho_corasick::packed;
use memchr::memmem::Finder;
use regex::bytes::Regex;

use crate::suppression::MARK;
use crate::{Codemod, Dismiss, On, Sighting};

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
    beside: Option<Phrase>,
    /// All of the words at a time: most files hold none. None where they are too many for that, or
    /// the processor too old.
    any: Option<packed::Searcher>,
    words: Vec<Word>,
}

/// The last part of a name that a codemod starts from, which is its rarest: `sleep` of
/// `time.sleep`.
#[derive(Debug)]
struct Word {
    finder: Finder<'static>,
    /// How a name that ends in this word has to occur. None where the word is enough.
    occurrence: Option<Occurrence>,
    /// One for each codemod that wants the word: it counts where one of them does not dismiss it. None
    /// where it always counts.
    dismissals: Option<Vec<Dismiss>>,
}

/// A word, and maybe another one that comes next.
#[derive(Debug)]
struct Phrase {
    finder: Finder<'static>,
    next: Option<&'static str>,
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
        let mut groups: BTreeMap<Option<&'static str>, Words> = BTreeMap::new();
        for codemod in codemods {
            for on in codemod.on {
                let (beside, names, dismiss) = match on {
                    On::Call(names, _) => (None, *names, None),
                    On::CallBeside(beside, names, _) => (Some(*beside), *names, None),
                    On::CallUnless(names, dismiss, _) => (None, *names, Some(*dismiss)),
                    On::Node { words: wanted, .. } => {
                        let words = groups.entry(None).or_default();
                        words.extend(wanted.iter().map(|word| (*word, Wanted::ANYWHERE)));
                        continue;
                    }
                };
                let words = groups.entry(beside).or_default();
                for (module, last) in names.iter().filter_map(|name| name.rsplit_once('.')) {
                    let wanted = words.entry(last).or_insert(Wanted::NOWHERE);
                    if module.is_empty() {
                        wanted.patterns = None; // any receiver will do
                    } else if let Some(patterns) = &mut wanted.patterns {
                        patterns.push(occurrence(module, last));
                    }
                    match (&mut wanted.dismissals, dismiss) {
                        (Some(dismissals), Some(dismiss)) => dismissals.push(dismiss),
                        (dismissals, _) => *dismissals = None,
                    }
                }
            }
        }
        // A comment that silences nothing is to be seen where there is nothing; but not where
        // nobody looks.
        if !codemods.is_empty() {
            let words = groups.entry(None).or_default();
            words.insert(MARK, Wanted::ANYWHERE);
        }
        let word = |(word, wanted): (&'static str, Wanted)| Word {
            finder: Finder::new(word),
            occurrence: wanted.patterns.map(|patterns| Occurrence {
                pattern: format!("(?-u){}", patterns.join("|")),
                regex: OnceLock::new(),
            }),
            dismissals: wanted.dismissals,
        };
        let group = |(beside, words): (Option<&'static str>, Words)| Group {
            beside: beside.map(Phrase::new),
            any: packed::Searcher::new(words.keys()),
            words: words.into_iter().map(word).collect(),
        };
        Self {
            groups: groups.into_iter().map(group).collect(),
        }
    }

    /// Whether a file with these bytes, in whatever encoding that has ASCII as a subset, may hold
    /// a site. False positives cost a parse; there are no false negatives, but for names in letters
    /// that Python takes for those of ASCII (PEP 3131), as mathematical ones are: nobody writes them.
    pub fn may_match(&self, bytes: &[u8]) -> bool {
        self.groups
            .iter()
            .filter(|group| {
                group
                    .any
                    .as_ref()
                    .is_none_or(|any| any.find(bytes).is_some())
            })
            .filter(|group| group.beside.as_ref().is_none_or(|it| it.is_in(bytes)))
            .flat_map(|group| &group.words)
            .any(|word| word.is_in(bytes))
    }
}

/// What is wanted of each word.
type Words = BTreeMap<&'static str, Wanted>;

/// The ways in which names end in a word, and who may dismiss it; none where the word is enough, and
/// where somebody dismisses nothing.
struct Wanted {
    patterns: Option<Vec<String>>,
    dismissals: Option<Vec<Dismiss>>,
}

impl Wanted {
    const ANYWHERE: Self = Self {
        patterns: None,
        dismissals: None,
    };

    const NOWHERE: Self = Self {
        patterns: Some(Vec::new()),
        dismissals: Some(Vec::new()),
    };
}

impl Phrase {
    fn new(text: &'static str) -> Self {
        let (word, next) = match text.split_once(' ') {
            Some((word, next)) => (word, Some(next)),
            None => (text, None),
        };
        Self {
            finder: Finder::new(word),
            next,
        }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        let Some(next) = self.next else {
            return self.finder.find(bytes).is_some();
        };
        let length = self.finder.needle().len();
        self.finder.find_iter(bytes).any(|start| {
            let after = &bytes[start + length..];
            // A line may go on after a backslash.
            let gap = after
                .iter()
                .position(|it| !it.is_ascii_whitespace() && *it != b'\\');
            gap.is_some_and(|gap| gap > 0 && after[gap..].starts_with(next.as_bytes()))
        })
    }
}

impl Word {
    fn is_in(&self, bytes: &[u8]) -> bool {
        let counts = match &self.dismissals {
            None => self.finder.find(bytes).is_some(),
            Some(dismissals) => {
                let mut all = Sighting::all(&self.finder, bytes).peekable();
                let counts = |it: &Sighting| dismissals.iter().any(|dismiss| !dismiss(it));
                all.peek().is_some() && (!is_plain(bytes) || all.any(|it| counts(&it)))
            }
        };
        let occurrence = self.occurrence.as_ref();
        counts && occurrence.is_none_or(|occurrence| occurrence.is_in(bytes))
    }
}

impl Occurrence {
    fn is_in(&self, bytes: &[u8]) -> bool {
        let regex = self.regex.get_or_init(|| Regex::new(&self.pattern).ok());
        // What cannot be looked for may be anywhere.
        regex.as_ref().is_none_or(|regex| regex.is_match(bytes))
    }
}

/// Whether each byte that looks like a character of ASCII is one: in UTF-8 they are, and where what is not
/// UTF-8 would be read as if it were, but for encodings that switch by an escape.
fn is_plain(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && memchr::memchr(0x1b, bytes).is_none()
}

/// The ways in which a file can get at `module.last`: by its whole name, by an import of the
/// module under another name, or by an import from it or from a module inside it.
fn occurrence(module: &str, last: &str) -> String {
    // What may stand between two tokens: a line may go on in brackets or after a backslash.
    let between = r"(?:[\s\\]|#[^\r\n]*[\r\n])";
    let (gap, some) = (format!("{between}*"), format!("{between}+"));
    // A dot, and the brackets that end before it: `(time).sleep`.
    let dot = format!(r"(?:\)|{between})*\.");
    let module = module.replace('.', &format!("{dot}{gap}"));
    format!(
        r"\b{module}{dot}{gap}(?:\w+{dot}{gap})?{last}\b|\b{module}(?:{gap}\.{gap}\w+)?{some}as\b|\bfrom{some}{module}\b"
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
    fn two_words_count_where_nothing_is_between_them() {
        static DEF: Codemod = Codemod {
            on: &[On::CallBeside("async def", &[".get"], never)],
            ..SLEEP
        };
        let prefilter = Prefilter::new(&[&DEF]);
        for text in ["async def", "async  def f", "asyncio\nasync \\\r\n def f"] {
            assert!(
                prefilter.may_match(format!("x.get()\n{text}").as_bytes()),
                "{text}"
            );
        }
        for text in ["async with", "asyncdef", "def", "async, def", "async"] {
            assert!(
                !prefilter.may_match(format!("x.get()\n{text}").as_bytes()),
                "{text}"
            );
        }
    }

    #[test]
    fn every_way_to_name_it_is_seen() {
        check("import time\ntime.sleep(1)\n", true);
        check("import time as t\nt.sleep(1)\n", true);
        check("import os, time  as  t\nt.sleep(1)\n", true);
        check("from time import sleep as s\ns(1)\n", true);
        check("from \\\n  time import (\n  sleep)\n", true);
        check("(time  # why\n .sleep(1))\n", true);
        check("(time).sleep(1)\n", true);
        check("((time)  # why )\n).sleep(1)\n", true);
        check("loop.run_until_complete(f())\n", true);
    }
}
