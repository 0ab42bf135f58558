//! Whether another file of the run uses a name that a module imported: `from .utils import time`,
//! `utils.time`, `mock.patch("pkg.utils.time.sleep")`, `monkeypatch.setattr(utils, "time", fake)`.
//!
//! An import that a rewrite left unused goes only if no other file may reach it through the
//! module. Modules are told apart by the last part of their name, and texts are searched without
//! being parsed: what is wrongly taken for a use keeps an import that nobody needs, and no more.

use std::collections::{BTreeSet, HashMap, HashSet};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use rayon::prelude::*;

/// A module that would lose imports.
pub struct Module {
    /// The position of its file among the files that are searched.
    pub file: usize,
    /// The last part of its name: `utils` for `pkg/utils.py`.
    pub stem: String,
    /// The names that the imports bind.
    pub names: BTreeSet<String>,
}

/// For each of `modules`: those of its names that one of `files` may use. Each file is read at
/// most once, and none if there are no modules; `read` says whether it could be.
pub fn used<F: Sync>(
    modules: &[Module],
    files: &[F],
    read: impl Fn(&F, &mut Vec<u8>) -> bool + Sync,
) -> Vec<HashSet<String>> {
    let mut used = vec![HashSet::new(); modules.len()];
    let Some(search) = Search::new(modules) else {
        return used;
    };
    let found: Vec<(usize, String)> = files
        .par_iter()
        .enumerate()
        .map_init(Vec::new, |buffer, (index, file)| {
            // A file that cannot be read is reported elsewhere, and imports nothing.
            if read(file, buffer) {
                search.in_file(index, buffer)
            } else {
                Vec::new()
            }
        })
        .flatten_iter()
        .collect();
    for (module, name) in found {
        used[module].insert(name);
    }
    used
}

/// The modules, ready to be looked for in a text.
struct Search<'a> {
    modules: &'a [Module],
    stems: AhoCorasick,
    /// For each pattern of `stems`: the positions of the modules of that stem.
    by_stem: Vec<Vec<usize>>,
}

impl<'a> Search<'a> {
    fn new(modules: &'a [Module]) -> Option<Self> {
        let mut by_stem: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, module) in modules.iter().enumerate() {
            // `my-script.py` cannot be imported by an import statement.
            if !module.stem.is_empty() && module.stem.bytes().all(is_identifier) {
                by_stem.entry(&module.stem).or_default().push(index);
            }
        }
        if by_stem.is_empty() {
            return None;
        }
        let (patterns, by_stem): (Vec<&str>, Vec<Vec<usize>>) = by_stem.into_iter().unzip();
        // The longest: of `util` and `utils` only the one can stand between two boundaries.
        let stems = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind((patterns.len() > 500).then_some(AhoCorasickKind::ContiguousNFA))
            .build(patterns)
            .ok()?;
        Some(Self {
            modules,
            stems,
            by_stem,
        })
    }

    /// The names of modules that the text of file `index` may use.
    fn in_file(&self, index: usize, text: &[u8]) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut aliases: Vec<(usize, &[u8])> = Vec::new();
        for hit in self.stems.find_iter(text) {
            let pattern = hit.pattern().as_usize();
            for mention in mentions(text, hit.start(), hit.end()) {
                match mention {
                    Mention::Alias(alias) => aliases.push((pattern, alias)),
                    mention => self.note(index, pattern, mention, &mut found),
                }
            }
        }
        aliases.sort_unstable();
        aliases.dedup();
        for (pattern, alias) in aliases {
            let Ok(places) = AhoCorasick::new([alias]) else {
                continue;
            };
            for hit in places.find_iter(text) {
                for mention in mentions(text, hit.start(), hit.end()) {
                    self.note(index, pattern, mention, &mut found);
                }
            }
        }
        found
    }

    fn note(
        &self,
        index: usize,
        pattern: usize,
        mention: Mention,
        found: &mut Vec<(usize, String)>,
    ) {
        for &module in &self.by_stem[pattern] {
            let Module { file, names, .. } = &self.modules[module];
            match mention {
                Mention::All if *file != index => {
                    found.extend(names.iter().map(|name| (module, name.clone())));
                }
                // Of its own names a module speaks in texts only, as in
                // `mock.patch("test_it.time.sleep")` in test_it.py; that counts too.
                Mention::Name(name) => {
                    if let Some(name) = names.iter().find(|known| known.as_bytes() == name) {
                        found.push((module, name.clone()));
                    }
                }
                Mention::All | Mention::Alias(_) => {}
            }
        }
    }
}

/// What a text says of a module where it names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mention<'a> {
    /// One of its names.
    Name(&'a [u8]),
    /// All of its names: `from utils import *`.
    All,
    /// Another name for the module: `import utils as u`.
    Alias(&'a [u8]),
}

/// What follows the module's name at `start..end`, if that is a whole word.
fn mentions(text: &[u8], start: usize, end: usize) -> Vec<Mention<'_>> {
    let before = start.checked_sub(1).map(|before| text[before]);
    if before.is_some_and(is_identifier) {
        return Vec::new();
    }
    let rest = &text[end..];
    match rest.first() {
        Some(b'.') => {
            let name = word(&rest[1..]);
            return vec![Mention::Name(name)];
        }
        Some(&byte) if is_identifier(byte) => return Vec::new(),
        _ => {}
    }
    // `setattr(utils, "time", ...)`, `setattr("pkg.utils", "time", ...)`
    let unquoted = rest.strip_prefix(b"\"").or(rest.strip_prefix(b"'"));
    if let Some(arguments) = blank(unquoted.unwrap_or(rest)).strip_prefix(b",") {
        if let [b'"' | b'\'', name @ ..] = arguments.trim_ascii_start() {
            return vec![Mention::Name(word(name))];
        }
        // `patch.multiple(utils, time=...)`
        let before = &text[start.saturating_sub(80)..start];
        if before.windows(9).any(|window| window == b"multiple(") {
            let end = arguments.iter().position(|&byte| byte == b')');
            return arguments[..end.unwrap_or(0)]
                .split(|&byte| !is_identifier(byte))
                .map(Mention::Name)
                .collect();
        }
        return Vec::new();
    }
    let Some(rest) = rest
        .first()
        .filter(|byte| is_blank(**byte))
        .map(|_| blank(rest))
    else {
        return Vec::new();
    };
    match word(rest) {
        b"import" => imported(blank(&rest[b"import".len()..])),
        b"as" => vec![Mention::Alias(word(blank(&rest[b"as".len()..])))],
        _ => Vec::new(),
    }
    .into_iter()
    .filter(|mention| !matches!(mention, Mention::Alias(b"")))
    .collect()
}

/// The names after `import` in `from ... import`.
fn imported(rest: &[u8]) -> Vec<Mention<'_>> {
    if rest.starts_with(b"*") {
        return vec![Mention::All];
    }
    let (parenthesised, mut rest) = match rest.strip_prefix(b"(") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let mut names = Vec::new();
    loop {
        rest = blank(rest);
        if parenthesised {
            while let Some(b'\n' | b'\r') = rest.first() {
                rest = blank(&rest[1..]);
            }
        }
        if rest.starts_with(b"#") {
            if !parenthesised {
                return names;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            rest = &rest[end.unwrap_or(rest.len())..];
            continue;
        }
        let name = word(rest);
        if name.is_empty() {
            match rest.split_first() {
                Some((b',', after)) => rest = after,
                // The end of the list, or no Python.
                _ => return names,
            }
            continue;
        }
        // `time as t` names `as` and `t` too, which does no harm.
        names.push(Mention::Name(name));
        rest = &rest[name.len()..];
    }
}

/// The identifier at the start of `text`.
fn word(text: &[u8]) -> &[u8] {
    let length = text.iter().take_while(|byte| is_identifier(**byte)).count();
    &text[..length]
}

/// `text` without the blanks and continued lines at its start.
fn blank(text: &[u8]) -> &[u8] {
    let mut rest = text;
    loop {
        rest = match rest {
            [b' ' | b'\t' | b'\x0c', after @ ..] => after,
            [b'\\', b'\r', b'\n', after @ ..] => after,
            [b'\\', b'\n' | b'\r', after @ ..] => after,
            _ => return rest,
        };
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\x0c' | b'\\')
}

/// Every byte of a character outside ASCII counts as a part of a name.
fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::{Module, Search, used};

    /// Whether `text` may use the name `time` of the module `utils`.
    fn uses(text: &str) -> bool {
        let modules = [Module {
            file: 0,
            stem: "utils".to_string(),
            names: ["time".to_string()].into(),
        }];
        let search = Search::new(&modules).unwrap();
        !search.in_file(1, text.as_bytes()).is_empty()
    }

    #[test]
    fn every_way_to_reach_the_name_is_seen() {
        for text in [
            "from utils import time",
            "from .utils import time",
            "from pkg.utils import time as t",
            "from pkg.utils import (a, time)",
            "from utils import a, \\\n    time",
            "from \\\n  utils \\\n  import time",
            "from utils import (\n    a,  # why (not)\n    b as c,\r\n    time,\n)",
            "from utils import *",
            "from . utils import time",
            "import utils; utils.time.sleep(1)",
            "pkg.utils.time",
            "mock.patch('pkg.utils.time.sleep')",
            "@patch(\"utils.time\")",
            "monkeypatch.setattr(utils, \"time\", fake)",
            "monkeypatch.setattr(utils , 'time', fake)",
            "monkeypatch.setattr(\"pkg.utils\", \"time\", fake)",
            "patch.object(\n    utils,\n    'time',\n)",
            "patch.multiple('pkg.utils', a=1, time=fake)",
            "from . import utils as u\nu.time.sleep(1)",
            "import pkg.utils as u\nsetattr(u, 'time', None)",
        ] {
            assert!(uses(text), "{text}");
        }
    }

    #[test]
    fn other_names_and_modules_are_not() {
        for text in [
            "import time",
            "from utils import sleep",
            "from utils import timer",
            "from utils import (a, b)\ntime.sleep(1)",
            "from utils import a  # not time",
            "from utils import a; time.sleep(1)",
            "from utils import a\ntime",
            "from myutils import time",
            "from utils2 import time",
            "from utils.sub import time",
            "utils.timer",
            "utils.run(time)",
            "myutils.time",
            "import utils\ntime.sleep(1)",
            "import utils as u\nx.time, bu.time",
            "f(utils, 1)\ntime",
            "import utils, time",
        ] {
            assert!(!uses(text), "{text}");
        }
    }

    #[test]
    fn a_module_is_asked_for_texts_only() {
        let modules = [Module {
            file: 0,
            stem: "test_it".to_string(),
            names: ["time".to_string()].into(),
        }];
        let search = Search::new(&modules).unwrap();
        assert!(search.in_file(0, b"from test_it import *").is_empty());
        assert!(!search.in_file(0, b"patch('test_it.time.sleep')").is_empty());
    }

    #[test]
    fn each_module_gets_its_own_answer() {
        // Of a, ab, and one that cannot be read between them and their user.
        let texts = [
            Some(""),
            Some(""),
            None,
            Some("from ab import time\na.sleep"),
        ];
        let module = |file: usize, stem: &str, name: &str| Module {
            file,
            stem: stem.to_string(),
            names: [name.to_string()].into(),
        };
        let modules = [
            module(0, "a", "time"),
            module(1, "ab", "time"),
            module(0, "a", "sleep"),
        ];
        let used = used(&modules, &texts, |text, buffer| {
            buffer.clear();
            buffer.extend_from_slice(text.unwrap_or("").as_bytes());
            text.is_some()
        });
        assert!(used[0].is_empty());
        assert_eq!(used[1], ["time".to_string()].into());
        assert_eq!(used[2], ["sleep".to_string()].into());
    }
}
