//! What the bytes of a file show of its calls, before it is parsed.
//!
//! What is wrongly taken for a call, or for the name of a module, costs a parse; nothing is missed.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use regex::Regex;
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

/// What stands before a name.
#[derive(Clone, Copy)]
enum Before<'a> {
    /// No dot.
    Nothing,
    /// A dot, and this name before it.
    Name(&'a [u8]),
    /// A dot, and something else.
    Expression,
    /// A dot, and the end of a line before it.
    Line,
}

impl Outline {
    /// `modules` are the hashes of the names that modules have.
    pub fn of(bytes: &[u8], modules: &FxHashSet<u64>) -> Self {
        let mut outline = Self {
            bases: bases(bytes),
            ..Self::default()
        };
        if !may_run_coroutines(bytes) {
            return outline;
        }
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
        let mut last: &[u8] = b"";
        let mut rest = bytes;
        while let Some(start) = rest.iter().position(is_part) {
            let (gap, from) = rest.split_at(start);
            let length = from.iter().position(|byte| !is_part(byte));
            let (word, after) = from.split_at(length.unwrap_or(from.len()));
            rest = after;
            let after = unblanked(after);
            match last {
                b"def" => outline.defined.push(hash(word)),
                b"class" => outline.classes.push(hash(word)),
                _ if is_called(after) => outline.call(before(last, gap), word, modules),
                _ => {}
            }
            if may_be_import(after) && modules.contains(&hash(word)) {
                outline.import(word, after);
            }
            last = word;
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
    }

    fn call(&mut self, before: Before, word: &[u8], modules: &FxHashSet<u64>) {
        let name = hash(word);
        self.called.push(name);
        match before {
            Before::Nothing => self.bare.push(name),
            Before::Line => self.scattered.push(name),
            Before::Name(module) if modules.contains(&hash(module)) => {
                self.qualified.push(pair(module, word));
            }
            Before::Name(_) | Before::Expression => {}
        }
    }

    fn import(&mut self, module: &[u8], after: &[u8]) {
        let token = token(after);
        if token.starts_with(b"import") {
            self.importing.push(hash(module));
        } else if token.starts_with(b"as") {
            self.renaming.push(hash(module));
        }
    }
}

/// What the gap between two names says of the second.
fn before<'a>(last: &'a [u8], gap: &[u8]) -> Before<'a> {
    let gap = gap.trim_ascii_end();
    let Some(around) = gap.strip_suffix(b".") else {
        return Before::Nothing;
    };
    if around.is_empty() {
        Before::Name(last)
    } else if around.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        Before::Line
    } else if around.trim_ascii().is_empty() {
        Before::Name(last)
    } else {
        Before::Expression
    }
}

/// `bytes` without the blanks at their start.
fn unblanked(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
    &bytes[start.unwrap_or(bytes.len())..]
}

/// Whether a name before this may be called there, be it by another name.
fn is_called(after: &[u8]) -> bool {
    match after {
        // `load()`, `load[int]()`; and in brackets, on the next line or after a comment.
        [b'(' | b'[' | b'\\' | b'\r' | b'\n' | b'#', ..] => true,
        // `from m import load as l`
        [b'a', b's', ..] => true,
        _ => false,
    }
}

/// Whether a name before this may be that of a module in an import: `from m import load`,
/// `import m as l`.
fn may_be_import(after: &[u8]) -> bool {
    matches!(
        after,
        [b'\\' | b'\r' | b'\n' | b'#', ..] | [b'i', b'm', ..] | [b'a', b's', ..]
    )
}

/// What the next token starts with, be it in another line.
fn token(after: &[u8]) -> &[u8] {
    let mut rest = after;
    loop {
        rest = match rest {
            [b' ' | b'\t' | b'\x0c' | b'\\' | b'\r' | b'\n', rest @ ..] => rest,
            [b'#', ..] => {
                let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                &rest[end.unwrap_or(rest.len())..]
            }
            _ => return rest,
        };
    }
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
        .any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some())
}

/// The classes of a file, each with every word between its brackets, which name its bases.
fn bases(bytes: &[u8]) -> Vec<(u64, u64)> {
    static HEADER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?m)^[ \t]*class[ \t]+(\w+)\s*(?:\[[^\]]*\]\s*)?\(([^)]*)\)").ok()
    });
    let text = match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    };
    let headers = HEADER.iter().flat_map(|header| header.captures_iter(&text));
    let mut bases = Vec::new();
    for header in headers {
        let class = hash(header[1].as_bytes());
        let words = header[2].split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let words = words.filter(|word| !word.is_empty());
        bases.extend(words.map(|word| (class, hash(word.as_bytes()))));
    }
    bases.sort_unstable();
    bases.dedup();
    bases
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
