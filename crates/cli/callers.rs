//! Who calls a function, in the files of the run, and who calls those: the places that what it
//! raises passes on its way out.
//!
//! Files are looked at project by project, when somebody asks: one pass over their bytes finds
//! which file may call or define which name, and only those with a wanted one are parsed, once. What a call reaches is
//! what its module shows, else what its type says; a call on an object of unknown type reaches
//! the function if the project has no other of that name, or if the name is a telling one.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use engine::{CallSite, Caller, Calls, Reach};
use regex::Regex;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use types::{Answer, Ask, Question};

use crate::meaning::Meaning;
use crate::walk::File;

/// The callers of the functions of a run.
pub struct Callers<'a> {
    files: &'a [File],
    /// By the project's root.
    projects: OnceLock<HashMap<PathBuf, CallerProject<'a>>>,
}

/// The files of one project, and what they call, once somebody asks.
#[derive(Default)]
struct CallerProject<'a> {
    files: Vec<&'a File>,
    calling: OnceLock<Calling<'a>>,
    /// Words that were asked for, and whether one of the files has them.
    mentioned: Mutex<HashMap<String, bool>>,
}

/// The calls in the files of one project.
struct Calling<'a> {
    files: Vec<Called<'a>>,
    /// The files that may call a function of the project, by the function's name.
    callers: Names,
    /// The files that define it.
    defining: Names,
    /// The bases of the classes of the project, by name, as words: it is known before anything is
    /// parsed, so that no answer depends on what was asked before.
    bases: FxHashMap<String, Vec<String>>,
    /// Methods that were asked about, and whether a class has something else in their place.
    overridden: Mutex<HashMap<String, bool>>,
}

/// Files, by the hashes of names: a project has very many, and of two that have one hash both are
/// looked for.
type Names = FxHashMap<u64, Vec<u32>>;

struct Called<'a> {
    file: &'a File,
    /// What it calls, with its text where types may be asked for; none where it does not parse.
    calls: OnceLock<Option<(String, Calls)>>,
    /// What calls reach whose module does not show it, by their place in the list.
    reached: Mutex<HashMap<usize, Answer>>,
}

/// Beyond that many functions on the way out nobody follows.
const MAX_FUNCTIONS: usize = 400;

impl<'a> Callers<'a> {
    pub fn new(files: &'a [File]) -> Self {
        Self {
            files,
            projects: OnceLock::new(),
        }
    }

    /// The calls of the function of that path in `file`, and of the functions around them, from
    /// the closest on.
    pub fn of(&self, meaning: &Meaning<'a>, file: &File, function: &str) -> Vec<Caller> {
        let Some(calling) = self.project(meaning, file) else {
            return Vec::new();
        };
        let Some(start) = calling.position(file) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut waiting: VecDeque<(usize, Arc<str>)> = VecDeque::from([(start, function.into())]);
        while let Some((file, path)) = waiting.pop_front() {
            if !seen.insert((file, path.clone())) || seen.len() > MAX_FUNCTIONS {
                continue;
            }
            for (caller, site) in calling.calls_of(meaning, file, &path) {
                found.push(Caller {
                    file: calling.files[caller].file.path.clone(),
                    row: site.row,
                    catchers: site.catchers.clone(),
                });
                let leaves = !site.catchers.iter().any(python::Catcher::ends);
                if leaves && let Some(within) = &site.within {
                    waiting.push_back((caller, within.clone()));
                }
            }
        }
        found
    }

    /// Whether a word stands in a file of the project of `file`.
    pub fn mentions(&self, meaning: &Meaning<'a>, file: &File, word: &str) -> bool {
        let finder = memchr::memmem::Finder::new(word);
        let Some(project) = self.files_of(meaning, file) else {
            return false;
        };
        let mut known = project
            .mentioned
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known.entry(word.to_string()).or_insert_with(|| {
            let mut bytes = Vec::new();
            project
                .files
                .iter()
                .any(|file| file.read_into(&mut bytes).is_ok() && finder.find(&bytes).is_some())
        })
    }

    /// Whether a class of the project of `file` that derives from that of a method, as far as names
    /// tell, has something else than a coroutine function in its place.
    pub fn overridden(&self, meaning: &Meaning<'a>, file: &File, method: &str) -> bool {
        let calling = self.project(meaning, file);
        calling.is_some_and(|calling| calling.overridden(method))
    }

    fn project(&self, meaning: &Meaning<'a>, file: &File) -> Option<&Calling<'a>> {
        let project = self.files_of(meaning, file)?;
        Some(project.calling.get_or_init(|| Calling::new(&project.files)))
    }

    fn files_of(&self, meaning: &Meaning<'a>, file: &File) -> Option<&CallerProject<'a>> {
        let projects = self.projects.get_or_init(|| {
            let mut projects: HashMap<PathBuf, CallerProject> = HashMap::new();
            for file in self.files {
                let root = meaning.project(file).root.clone();
                projects.entry(root).or_default().files.push(file);
            }
            projects
        });
        projects.get(&meaning.project(file).root)
    }
}

impl<'a> Calling<'a> {
    fn new(files: &[&'a File]) -> Self {
        let outlines = on_threads(files, |buffer, file| {
            if file.read_into(buffer).is_err() {
                return Outline::default(); // which is said elsewhere
            }
            Outline::of(buffer)
        });
        let (mut callers, mut defining) = (Names::default(), Names::default());
        let mut bases: FxHashMap<String, Vec<String>> = FxHashMap::default();
        for (number, outline) in (0..).zip(&outlines) {
            for name in &outline.defined {
                defining.entry(*name).or_default().push(number);
            }
        }
        for (number, outline) in (0..).zip(outlines) {
            for name in outline.called {
                if defining.contains_key(&name) {
                    callers.entry(name).or_default().push(number);
                }
            }
            for (class, of) in outline.bases {
                bases.entry(class).or_default().extend(of);
            }
        }
        let called = |file: &&'a File| Called {
            file,
            calls: OnceLock::new(),
            reached: Mutex::default(),
        };
        Self {
            files: files.iter().map(called).collect(),
            callers,
            defining,
            bases,
            overridden: Mutex::default(),
        }
    }

    /// Whether a class that derives from that of the method has something else in its place.
    fn overridden(&self, method: &str) -> bool {
        let Some((class, name)) = method.rsplit_once('.') else {
            return false;
        };
        let base = last_part(class);
        let mut known = self
            .overridden
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known.entry(format!("{base}.{name}")).or_insert_with(|| {
            let is_derived = |class: &str| self.derives(class, base);
            if !self.bases.keys().any(|class| is_derived(class)) {
                return false;
            }
            let finder = memchr::memmem::Finder::new(name);
            self.files.iter().any(|called| {
                let mut bytes = Vec::new();
                if called.file.read_into(&mut bytes).is_err() || finder.find(&bytes).is_none() {
                    return false;
                }
                let Ok(Some(source)) = called.file.decode(bytes) else {
                    return false;
                };
                let version = called.file.folder.module.target.version;
                let is_notebook = called.file.is_notebook();
                engine::plain_methods(&source.text, version, is_notebook, name)
                    .is_some_and(|classes| classes.iter().any(|class| is_derived(class)))
            })
        })
    }

    fn position(&self, file: &File) -> Option<usize> {
        self.files
            .iter()
            .position(|called| called.file.canonical == file.canonical)
    }

    /// The calls that reach the function `path` of a file, with the files that they are in.
    fn calls_of(&self, meaning: &Meaning<'a>, file: usize, path: &str) -> Vec<(usize, &CallSite)> {
        let name = last_part(path);
        let numbers = |names: &Names| -> Vec<usize> {
            let files = names.get(&hash(name.as_bytes())).into_iter().flatten();
            files.map(|number| *number as usize).collect()
        };
        let is_only = LazyCell::new(|| {
            let functions = numbers(&self.defining)
                .into_iter()
                .filter_map(|file| self.calls(file));
            let functions = functions.flat_map(|(_, calls)| &calls.functions);
            let same = |path: &&Arc<str>| last_part(path) == name;
            functions.filter(same).take(2).count() == 1
        });
        let mut found = Vec::new();
        for caller in numbers(&self.callers) {
            let Some((text, calls)) = self.calls(caller) else {
                continue;
            };
            let sites: Vec<(usize, &CallSite)> = calls
                .sites
                .iter()
                .enumerate()
                .filter(|(_, site)| &*site.name == name)
                .collect();
            let asked = self.reached(meaning, caller, text, &sites);
            for ((_, site), answer) in sites.iter().zip(asked) {
                let reaches = match (&site.reaches, answer) {
                    (Reach::Local(local), _) => {
                        (caller == file && **local == *path) || self.overrides(path, local)
                    }
                    (_, Answer::Callee(function)) => {
                        let is_here = function.place.file == self.files[file].file.canonical;
                        (is_here && function.name == path) || self.overrides(path, &function.name)
                    }
                    (Reach::Imported(imported), _) => self.names_module(file, imported),
                    (Reach::Unknown, _) => is_telling(name) || *is_only,
                };
                if reaches {
                    found.push((caller, *site));
                }
            }
        }
        found
    }

    /// What the calls reach whose module does not show it. Asked once.
    fn reached(
        &self,
        meaning: &Meaning<'a>,
        file: usize,
        text: &str,
        sites: &[(usize, &CallSite)],
    ) -> Vec<Answer> {
        let called = &self.files[file];
        let mut known = called
            .reached
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let open: Vec<&(usize, &CallSite)> = sites
            .iter()
            .filter(|(number, site)| {
                !matches!(site.reaches, Reach::Local(_)) && !known.contains_key(number)
            })
            .collect();
        let questions: Vec<Question> = open
            .iter()
            .map(|(_, site)| Question {
                ask: Ask::Callee,
                range: site.func.clone(),
            })
            .collect();
        if !questions.is_empty() {
            let answers = meaning.types(called.file, text, &questions);
            known.extend(open.iter().map(|(number, _)| *number).zip(answers));
        }
        sites
            .iter()
            .map(|(number, _)| known.get(number).cloned().unwrap_or(Answer::Unknown(None)))
            .collect()
    }

    /// Whether a call of the method `reached` may run the method `path`, since the class of that
    /// derives from the class of this, as far as names tell.
    fn overrides(&self, path: &str, reached: &str) -> bool {
        let Some((base, reached)) = reached.rsplit_once('.') else {
            return false;
        };
        // Whatever has the methods of a protocol may stand for it, a module too.
        if last_part(path) == reached && self.is_protocol(base) {
            return true;
        }
        let Some((class, method)) = path.rsplit_once('.') else {
            return false;
        };
        if method != reached || class == base {
            return false;
        }
        let (class, base) = (last_part(class), last_part(base));
        class == base || self.derives(class, base)
    }

    /// Whether a class derives from another one, as far as their names tell.
    fn derives(&self, class: &str, base: &str) -> bool {
        let mut seen = HashSet::new();
        let mut waiting = vec![class];
        while let Some(class) = waiting.pop() {
            if seen.insert(class) {
                let bases = self.bases.get(class).into_iter().flatten();
                for next in bases.map(String::as_str) {
                    if next == base {
                        return true;
                    }
                    waiting.push(next);
                }
            }
        }
        false
    }

    /// Whether a class of this name is a protocol.
    fn is_protocol(&self, class: &str) -> bool {
        self.bases
            .get(last_part(class))
            .is_some_and(|bases| bases.iter().any(|base| base == "Protocol"))
    }

    /// Whether an imported name may be of that file: it names its module, or a package that the
    /// file is in and that may hand it on.
    fn names_module(&self, file: usize, imported: &str) -> bool {
        let path = &self.files[file].file.canonical;
        let module = imported.rsplit('.').nth(1).unwrap_or_default();
        let is_stem = path.file_stem().is_some_and(|stem| stem == module);
        let is_package = path
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.join("__init__.py").is_file())
            .any(|folder| folder.file_name().is_some_and(|name| name == module));
        is_stem || is_package
    }

    /// The text of a file and what is called in it; none where it cannot be read or parsed.
    fn calls(&self, file: usize) -> Option<&(String, Calls)> {
        let called = &self.files[file];
        let read = || {
            let mut bytes = Vec::new();
            called.file.read_into(&mut bytes).ok()?;
            let source = called.file.decode(bytes).ok()??;
            let version = called.file.folder.module.target.version;
            let is_notebook = called.file.is_notebook();
            let is_named = |name: &str| self.defining.contains_key(&hash(name.as_bytes()));
            let calls = engine::calls(&source.text, version, is_notebook, is_named)?;
            let is_asked = called.file.folder.types.wanted;
            Some((if is_asked { source.text } else { String::new() }, calls))
        };
        called.calls.get_or_init(read).as_ref()
    }
}

/// `fetch` of `Client.fetch`.
fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Whether a name says so much that a call on an object of unknown type is likely to mean it: one
/// of several words, `process_input_messages` but not `run`.
fn is_telling(name: &str) -> bool {
    name.trim_matches('_')
        .split('_')
        .filter(|word| !word.is_empty())
        .count()
        > 2
}

/// What `look` gives for each file, in their order; each thread has a buffer for it. Rayon is not asked: a thread of its pool that
/// waits may be given other work, and would wait for itself there.
fn on_threads<'f, 'a: 'f, T: Send>(
    files: &'f [&'a File],
    look: impl Fn(&mut Vec<u8>, &'a File) -> T + Sync,
) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let part = files.len().div_ceil(threads).max(1);
    let look = &look;
    std::thread::scope(|scope| {
        let parts: Vec<_> = files
            .chunks(part)
            .map(|files| {
                scope.spawn(move || {
                    let mut buffer = Vec::new();
                    let looks = files.iter().map(|file| look(&mut buffer, file));
                    looks.collect::<Vec<_>>()
                })
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|part| {
                part.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

/// The classes of a file, each with the words between its brackets, which name its bases.
fn classes(bytes: &[u8]) -> Vec<(String, Vec<String>)> {
    static HEADER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?m)^[ \t]*class[ \t]+(\w+)\s*(?:\[[^\]]*\]\s*)?\(([^)]*)\)").ok()
    });
    let text = String::from_utf8_lossy(bytes);
    let headers = HEADER.iter().flat_map(|header| header.captures_iter(&text));
    let class = |header: regex::Captures| {
        let bases = header[2]
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .filter(|word| !word.is_empty())
            .map(str::to_string)
            .collect();
        (header[1].to_string(), bases)
    };
    headers.map(class).collect()
}

/// What the bytes of a file show, before it is parsed.
#[derive(Default)]
struct Outline {
    /// The hashes of what may be called in it, if code in it can run a coroutine.
    called: FxHashSet<u64>,
    /// Those of what it defines.
    defined: FxHashSet<u64>,
    /// Its classes, with what names their bases.
    bases: Vec<(String, Vec<String>)>,
}

impl Outline {
    fn of(bytes: &[u8]) -> Self {
        let mut outline = Self {
            bases: classes(bytes),
            ..Self::default()
        };
        if !may_run_coroutines(bytes) {
            return outline;
        }
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
        let mut is_definition = false;
        let mut rest = bytes;
        while let Some(start) = rest.iter().position(is_part) {
            let from = &rest[start..];
            let length = from.iter().position(|byte| !is_part(byte));
            let (word, after) = from.split_at(length.unwrap_or(from.len()));
            rest = after;
            if is_definition {
                outline.defined.insert(hash(word));
            } else if is_called(after) {
                outline.called.insert(hash(word));
            }
            is_definition = word == b"def";
        }
        outline
    }
}

/// Whether a name before this may be called there, be it by another name.
fn is_called(after: &[u8]) -> bool {
    let next = after.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
    match &after[next.unwrap_or(after.len())..] {
        // `load()`, `load[int]()`; and in brackets, on the next line or after a comment.
        [b'(' | b'[' | b'\\' | b'\r' | b'\n' | b'#', ..] => true,
        // `from m import load as l`
        [b'a', b's', ..] => true,
        _ => false,
    }
}

fn hash(name: &[u8]) -> u64 {
    FxBuildHasher.hash_one(name)
}

/// Whether code in a file can run a coroutine: whatever can do it has such a word.
fn may_run_coroutines(bytes: &[u8]) -> bool {
    ["async", "await", "run_until_complete", "trio"]
        .iter()
        .any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::{Outline, hash};

    #[test]
    fn what_may_be_called_is_seen() {
        let called = |text: &str| {
            let outline = Outline::of(format!("import asyncio\n{text}").as_bytes());
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
        let outline = Outline::of(b"async def load(): ...\n  def  g (): ...\n");
        assert_eq!(
            outline.defined,
            [hash(b"load"), hash(b"g")].into_iter().collect()
        );
        assert!(Outline::of(b"def load(): save()\n").defined.is_empty());
    }
}
