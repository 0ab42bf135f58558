//! The first and cheapest question: can this file hold anything for the selected codemods?

use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;

use crate::{Codemod, On};

/// The words without which a file holds no site of the selected codemods.
#[derive(Debug)]
pub struct Prefilter {
    /// One pass for the rarest word of each name.
    rarest: Option<AhoCorasick>,
    /// For each pattern of `rarest`: the other words that have to be there too.
    others: Vec<Vec<Finder<'static>>>,
}

impl Prefilter {
    /// The prefilter for `codemods`.
    ///
    /// A name's last part is its rarest: `sleep` of `time.sleep`. The other parts stand in the
    /// import, and `async` in every file that has a coroutine or imports asyncio.
    pub fn new(codemods: &[&'static Codemod]) -> Self {
        let mut words = Vec::new();
        let mut others = Vec::new();
        for codemod in codemods {
            let On::Call(names, _) = codemod.on;
            for name in names {
                let mut parts: Vec<&'static str> =
                    name.split('.').filter(|it| !it.is_empty()).collect();
                let is_method = name.starts_with('.');
                let Some(last) = parts.pop() else { continue };
                if !is_method && !parts.contains(&"asyncio") {
                    parts.push("async");
                }
                words.push(last);
                others.push(parts.into_iter().map(Finder::new).collect());
            }
        }
        Self {
            rarest: AhoCorasick::new(words).ok(),
            others,
        }
    }

    /// Whether a file with these bytes, in whatever encoding that has ASCII as a subset, may hold
    /// a site. False positives cost a parse; there are no false negatives.
    pub fn may_match(&self, bytes: &[u8]) -> bool {
        let Some(rarest) = &self.rarest else {
            return true;
        };
        let mut asked = vec![false; self.others.len()];
        rarest.find_overlapping_iter(bytes).any(|found| {
            let pattern = found.pattern().as_usize();
            if std::mem::replace(&mut asked[pattern], true) {
                return false;
            }
            self.others[pattern]
                .iter()
                .all(|word| word.find(bytes).is_some())
        })
    }
}
