//! What the bytes of a file show of its calls, before it is parsed.
//!
//! What is wrongly taken for a call, or for the name of a module, costs a parse; nothing is missed.

use std::hash::BuildHasher;
use std::ops::Range;

use engine::{is_part, is_whole, split_last_word};
use memchr::{memchr, memchr_iter, memchr2, memchr2_iter, memmem, memrchr2};
use rustc_hash::{FxBuildHasher, FxHashSet};

/// The hashes of names in a file, each once; but for classes with bases, nothing if no code in it
/// can run a coroutine.
#[derive(Default)]
pub struct Outline {
    /// What may be called.
    pub called: Vec<u64>,
    /// Of that: what may be called by its name alone.
    pub bare: Vec<u64>,
    /// Of that: what is called on something that may stand in another line.
    pub scattered: Vec<u64>,
    /// What is called on the name of a module: both, as [`pair`].
    pub qualified: Vec<u64>,
    /// The modules that something is imported from.
    pub importing: Vec<u64>,
    /// The modules that get another name.
    pub renaming: Vec<u64>,
    /// The functions that are defined.
    pub defined: Vec<u64>,
    /// The classes.
    pub classes: Vec<u64>,
    /// Classes and their bases, each pair once.
    pub bases: Vec<(u64, u64)>,
}

impl Outline {
    /// `modules` are the hashes of the names that modules have.
    pub fn of(bytes: &[u8], modules: &FxHashSet<u64>) -> Self {
        let mut outline = Self::default();
        let may_run = may_run_coroutines(bytes);
        // Where what was read of the classes and imports before ends: what stands in it is part of it, so that
        // no byte is read for each of many.
        let mut read = 0;
        for class in words(bytes, b"class") {
            let (name, after) = next_word(&bytes[class.end..]);
            if may_run {
                outline.classes.push(hash(name));
            }
            if class.start >= read && starts_line(bytes, class.start) {
                read = bytes.len() - outline.add_bases(name, after).len();
            }
        }
        if may_run {
            for def in words(bytes, b"def") {
                let (name, _) = next_word(&bytes[def.end..]);
                outline.defined.push(hash(name));
            }
            read = 0;
            for import in words(bytes, b"import") {
                let (_, module) = split_last_word(joined(&bytes[..import.start]));
                if modules.contains(&hash(module)) {
                    outline.importing.push(hash(module));
                }
                if import.start >= read {
                    let names = imported(&bytes[import.end..]);
                    read = import.end + names.len();
                    outline.rename(names, modules);
                }
            }
            // `load()`, `load[int]()`
            for bracket in memchr2_iter(b'(', b'[', bytes) {
                outline.open(bytes, bracket, modules);
            }
        }
        outline.shrink();
        outline
    }

    /// A project has very many files, whose outlines are all there for a moment.
    fn shrink(&mut self) {
        for names in [
            &mut self.called,
            &mut self.bare,
            &mut self.scattered,
            &mut self.qualified,
            &mut self.importing,
            &mut self.renaming,
            &mut self.defined,
            &mut self.classes,
        ] {
            names.sort_unstable();
            names.dedup();
            names.shrink_to_fit();
        }
        self.bases.sort_unstable();
        self.bases.dedup();
    }

    /// Adds every word between the brackets after the name of a class, and gives what comes after
    /// them.
    fn add_bases<'b>(&mut self, name: &[u8], after: &'b [u8]) -> &'b [u8] {
        let mut rest = after.trim_ascii_start();
        if rest.first() == Some(&b'[') {
            let end = memchr(b']', rest).map_or(rest.len(), |end| end + 1);
            rest = rest[end..].trim_ascii_start();
        }
        let Some(bases) = rest.strip_prefix(b"(") else {
            return rest;
        };
        let (bases, rest) = bases.split_at(memchr(b')', bases).unwrap_or(bases.len()));
        let class = hash(name);
        let words = bases.split(|byte| !is_part(*byte));
        let words = words.filter(|word| !word.is_empty());
        self.bases.extend(words.map(|base| (class, hash(base))));
        rest
    }

    /// The names that an opening bracket may call: the one before it; where it is the first in its
    /// line, those that may be the last of the code above.
    fn open(&mut self, bytes: &[u8], bracket: usize, modules: &FxHashSet<u64>) {
        let mut before = bytes[..bracket].trim_ascii_end();
        while let Some(inner) = before.strip_suffix(b")") {
            before = inner.trim_ascii_end(); // `(load)()`
        }
        for end in ends(before, &bytes[before.len()..bracket]) {
            self.call(end, modules);
        }
    }

    /// The name at the end of `before` is called, if one is there.
    fn call(&mut self, before: &[u8], modules: &FxHashSet<u64>) {
        let (rest, word) = split_last_word(before);
        if word.is_empty() {
            return;
        }
        let rest = rest.trim_ascii_end();
        if let (_, b"def" | b"class") = split_last_word(rest) {
            return; // it is defined
        }
        let name = hash(word);
        self.called.push(name);
        let Some(object) = rest.strip_suffix(b".") else {
            self.bare.push(name);
            return;
        };
        let gap = object.iter().rev().position(|byte| is_part(*byte));
        let end = object.len() - gap.unwrap_or(object.len());
        let (object, gap) = object.split_at(end);
        if gap.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            self.scattered.push(name);
        } else if gap.trim_ascii().is_empty() {
            let (_, module) = split_last_word(object);
            if modules.contains(&hash(module)) {
                self.qualified.push(pair(module, word));
            }
        }
    }

    /// What gets another name by an import of these: `load as l`.
    fn rename(&mut self, names: &[u8], modules: &FxHashSet<u64>) {
        for renaming in words(names, b"as") {
            let before = joined(&names[..renaming.start]);
            for end in ends(before, &names[before.len()..renaming.start]) {
                let (_, name) = split_last_word(end);
                let name = hash(name);
                self.called.push(name);
                self.bare.push(name);
                if modules.contains(&name) {
                    self.renaming.push(name);
                }
            }
        }
    }
}

/// Where a word stands as a whole one.
fn words<'b>(bytes: &'b [u8], word: &'static [u8]) -> impl Iterator<Item = Range<usize>> + 'b {
    memmem::find_iter(bytes, word)
        .map(|start| start..start + word.len())
        .filter(|range| is_whole(bytes, range))
}

/// The first word of `bytes`, and what comes after it.
fn next_word(bytes: &[u8]) -> (&[u8], &[u8]) {
    let start = bytes.iter().position(|byte| is_part(*byte));
    let from = &bytes[start.unwrap_or(bytes.len())..];
    let length = from.iter().position(|byte| !is_part(*byte));
    from.split_at(length.unwrap_or(from.len()))
}

/// `bytes` up to where its code may end: its end and, where `gap` after it goes to another line, what may be a
/// comment in its last lines.
fn ends<'b>(bytes: &'b [u8], gap: &[u8]) -> impl Iterator<Item = &'b [u8]> {
    let mut ends = Vec::new();
    let mut above = bytes;
    let mut is_above = gap.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    while is_above {
        let start = memrchr2(b'\r', b'\n', above).map_or(0, |end| end + 1);
        let line = &above[start..];
        ends.extend(memchr_iter(b'#', line).map(|at| joined(&above[..start + at])));
        is_above = start > 0 && line.trim_ascii_start().first() == Some(&b'#');
        if is_above {
            above = joined(&above[..start]);
            ends.push(above);
        }
    }
    std::iter::once(joined(bytes)).chain(ends)
}

/// `bytes` without the blanks, ends of lines and backslashes at its end.
fn joined(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().rev().position(|byte| !is_between(*byte));
    &bytes[..bytes.len() - length.unwrap_or(bytes.len())]
}

/// Whether a byte may stand between two tokens, be they in two lines.
fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'\\'
}

/// Whether nothing but blanks comes before this place in its line.
fn starts_line(bytes: &[u8], place: usize) -> bool {
    let before = bytes[..place].iter().rev();
    let mut blanks = before.skip_while(|byte| matches!(byte, b' ' | b'\t'));
    blanks
        .next()
        .is_none_or(|byte| matches!(byte, b'\r' | b'\n'))
}

/// What comes after an `import`, up to the end of the statement.
fn imported(after: &[u8]) -> &[u8] {
    let start = after.iter().position(|byte| !is_between(*byte));
    if start.is_some_and(|start| after[start] == b'(') {
        return bracketed(after);
    }
    let mut ends = memchr2_iter(b'\r', b'\n', after);
    let end = ends.find(|end| {
        let line = after[..*end].strip_suffix(b"\r").unwrap_or(&after[..*end]);
        line.last() != Some(&b'\\')
    });
    &after[..end.unwrap_or(after.len())]
}

/// `bytes` up to the first closing bracket that is in no comment.
fn bracketed(bytes: &[u8]) -> &[u8] {
    let mut from = 0;
    while let Some(at) = memchr2(b')', b'#', &bytes[from..]) {
        let at = from + at;
        if bytes[at] == b')' {
            return &bytes[..at];
        }
        let line = memchr2(b'\r', b'\n', &bytes[at..]);
        from = at + line.unwrap_or(bytes.len() - at);
    }
    bytes
}

/// A name as [`Outline`] has it.
pub fn hash(name: &[u8]) -> u64 {
    FxBuildHasher.hash_one(name)
}

/// What is called on the name of a module.
pub fn pair(module: &[u8], name: &[u8]) -> u64 {
    FxBuildHasher.hash_one((module, name))
}

/// Whether code in a file can run a coroutine: whatever can do it has such a word.
fn may_run_coroutines(bytes: &[u8]) -> bool {
    ["async", "await", "run_until_complete", "trio"]
        .iter()
        .any(|word| memmem::find(bytes, word.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use rustc_hash::FxHashSet;

    use super::{Outline, hash, pair};

    #[test]
    fn what_may_be_called_is_seen() {
        let called = |text: &str| {
            let text = format!("import asyncio\n{text}");
            let outline = Outline::of(text.as_bytes(), &FxHashSet::default());
            outline.called.contains(&hash(b"load"))
        };
        for text in [
            "x = load",
            "run(load)",
            "def load(): ...",
            "load.x()",
            "load_all()",
            "class load(): ...",
            "with load as l: ...",
            "x = load + 1",
        ] {
            assert!(!called(text), "{text}");
        }
        for text in [
            "load()",
            "a.load ()",
            "load[int]()",
            "load\\\n()",
            "(load\n())",
            "(load  # why\n())",
            "from m import load as l",
            "(load\r\n())",
            "(load)()",
            "(\n  a.load  # why\n)()",
            "(load\n# why\n# and (how)\n\n())",
            "(load  # a # b\n ())",
            "from m import (\n  load  # why (x)\n  # or what\n  as l,\n)",
            "from m import (a, b as c,\r\n load as l)",
            "from m import \\\n load as l",
        ] {
            assert!(called(text), "{text}");
        }
        let none = FxHashSet::default();
        let outline = Outline::of(b"async def load(): ...\n  def  g (): ...\n", &none);
        let mut defined = [hash(b"load"), hash(b"g")];
        defined.sort_unstable();
        assert_eq!(outline.defined, defined);
        let outline = Outline::of(b"def load(): save()\n", &none);
        assert!(outline.defined.is_empty());
    }

    #[test]
    fn what_may_be_reached_through_a_module_is_seen() {
        let modules = FxHashSet::from_iter([hash(b"m")]);
        // As the project looks for it.
        let may_reach = |text: &str| {
            let text = format!("import asyncio\n{text}");
            let outline = Outline::of(text.as_bytes(), &modules);
            let (module, name) = (hash(b"m"), hash(b"load"));
            outline.qualified.contains(&pair(b"m", b"load"))
                || outline.importing.contains(&module) && outline.bare.contains(&name)
                || outline.renaming.contains(&module)
                || outline.scattered.contains(&name)
        };
        for text in [
            "from n import load\nload()",
            "m.save()",
            "m = 1\nload()",
            "from m import save\na.load()",
            "mm.load()",
            "m().load()",
            "from p import m\nm\nload()",
        ] {
            assert!(!may_reach(text), "{text}");
        }
        for text in [
            "m.load()",
            "p.m.load()",
            "m . load ()",
            "(m\n.load())",
            "(m  # f()\n.load())",
            "from m import load\nload()",
            "from .p.m import (save, load)\nload()",
            "from m \\\n import load\nload ()",
            "from m import load as l\nl()",
            "from m import (\n  load  # why\n  as l)\nl()",
            "import p.m as l\nl.load()",
            "from p import (\n  m  # why\n  as l)\nl.load()",
        ] {
            assert!(may_reach(text), "{text}");
        }
    }
}
