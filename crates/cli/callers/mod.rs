//! Who calls a function, in the files of the run, and who calls those: the places that what it
//! raises passes on its way out.
//!
//! Files are looked at project by project, when somebody asks: one pass over their bytes finds
//! which file may call or define which name and which modules it names (`outline.rs`), and only those are
//! parsed, once, in which a call can reach the function. What a call reaches is what its module shows, else
//! what its type says; a call on an object of unknown type reaches the function if the project has
//! no other of that name, or if the name is a telling one.

mod outline;

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsStr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use engine::{CallSite, Caller, Calls, Reach};
use memchr::memmem::Finder;
use rustc_hash::{FxHashMap, FxHashSet};
use types::{Answer, Ask, Question};

use crate::lock::locked;
use crate::meaning::Meaning;
use crate::walk::File;

use outline::{Outline, hash, pair};

/// The callers of the functions of a run.
pub struct Callers<'a> {
    files: &'a [File],
    /// By the project's root.
    projects: OnceLock<HashMap<PathBuf, CallerProject<'a>>>,
    /// The roots of those whose calls are known, from the one that was asked about last.
    recent: Mutex<Vec<PathBuf>>,
}

/// The files of one project, and what they call, once somebody asks.
#[derive(Default)]
struct CallerProject<'a> {
    files: Vec<&'a File>,
    calling: Mutex<Option<Arc<Calling<'a>>>>,
    /// Words that were asked for, and whether one of the files has them.
    mentioned: Mutex<HashMap<String, bool>>,
    /// Words that were asked for with others beside them, and the files that have them.
    naming: Mutex<HashMap<(String, String), Naming<'a>>>,
}

/// The files that have a word.
type Naming<'a> = Arc<Vec<&'a File>>;

/// The calls in the files of one project.
#[derive(Default)]
struct Calling<'a> {
    files: Vec<Called<'a>>,
    positions: FxHashMap<&'a Path, usize>,
    /// The files that may call a function of the project, by the function's name.
    callers: Names,
    /// Those of them in which it may be called by that name alone.
    bare: Names,
    /// Those in which it is called on something that may stand in another line.
    scattered: Names,
    /// The files that define it.
    defining: Names,
    /// The files that call something on the name of a module, by both names.
    qualified: Names,
    /// The files that import something from a module, by its name.
    importing: Names,
    /// The files that give a module another name.
    renaming: Names,
    /// The files that have a class, by its name.
    classes: Names,
    /// The bases of the classes of the project, all as hashes of their names: it is known before
    /// anything is parsed, so that no answer depends on what was asked before.
    bases: FxHashMap<u64, Vec<u64>>,
    /// Those that are protocols.
    protocols: Vec<u64>,
    /// Methods that were asked about, and whether a class has something else in their place.
    overridden: Mutex<HashMap<String, bool>>,
}

/// Files, by the hashes of names: a project has very many, and of two that have one hash both are
/// looked for.
#[derive(Default)]
struct Names(FxHashMap<u64, Vec<u32>>);

struct Called<'a> {
    file: &'a File,
    /// The names under which something of it may be imported, once somebody asks.
    names: OnceLock<Vec<String>>,
    /// What it calls, with its text where types may be asked for; none where it does not parse.
    calls: OnceLock<Option<(String, Calls)>>,
    /// What calls reach whose module does not show it, by where it stands.
    reached: Mutex<HashMap<Range<usize>, Answer>>,
}

/// Beyond that many functions on the way out nobody follows.
const MAX_FUNCTIONS: usize = 400;

impl<'a> Callers<'a> {
    pub fn new(files: &'a [File]) -> Self {
        Self {
            files,
            projects: OnceLock::new(),
            recent: Mutex::default(),
        }
    }

    /// Of the calls of the function of that path in `file`, and of the functions around them, from
    /// the closest on, the first that is `wanted`.
    pub fn first(
        &self,
        meaning: &Meaning<'a>,
        file: &File,
        function: &str,
        wanted: &dyn Fn(&Caller) -> bool,
    ) -> Option<Caller> {
        let calling = self.project(meaning, file)?;
        let start = calling.position(file)?;
        let mut seen = HashSet::new();
        // With each whether it is seen to run the function.
        let mut waiting: VecDeque<(usize, &str, bool)> = VecDeque::from([(start, function, true)]);
        while let Some((file, path, runs)) = waiting.pop_front() {
            if !seen.insert((file, path)) || seen.len() > MAX_FUNCTIONS {
                continue;
            }
            for (number, site, is_seen) in calling.calls_of(meaning, file, path) {
                let runs = runs && is_seen && site.at_once && site.catchers.is_empty();
                let coroutine = site.within.filter(|_| runs && site.in_coroutine);
                let caller = Caller {
                    file: calling.files[number].file.path.clone(),
                    row: site.row,
                    catchers: site.catchers.to_vec(),
                    coroutine: coroutine.map(str::to_string),
                };
                if wanted(&caller) {
                    return Some(caller);
                }
                let leaves = !site.catchers.iter().any(python::Catcher::ends);
                if leaves && let Some(within) = site.within {
                    // A coroutine runs when it is awaited, wherever it is called.
                    waiting.push_back((number, within, runs && !site.in_coroutine));
                }
            }
        }
        None
    }

    /// For each of these words, whether it stands in a file of the project of `file`. Those that
    /// were not asked for before are looked for in one pass.
    pub fn mentions(&self, meaning: &Meaning<'a>, file: &File, words: &[String]) -> Vec<bool> {
        let Some(project) = self.files_of(meaning, file) else {
            return vec![false; words.len()];
        };
        let mut known = locked(&project.mentioned);
        let is_new = |word: &&String| !known.contains_key(*word);
        let mut open: Vec<(&String, Finder)> = words
            .iter()
            .filter(is_new)
            .map(|word| (word, Finder::new(word)))
            .collect();
        known.extend(open.iter().map(|(word, _)| ((*word).clone(), false)));
        let mut bytes = Vec::new();
        for file in &project.files {
            if open.is_empty() {
                break;
            }
            if file.read_into(&mut bytes).is_ok() {
                open.retain(|(word, finder)| {
                    let is_found = finder.find(&bytes).is_some();
                    if is_found {
                        known.insert((*word).clone(), true);
                    }
                    !is_found
                });
            }
        }
        let is_known = |word: &String| known.get(word).copied().unwrap_or_default();
        words.iter().map(is_known).collect()
    }

    /// The files of the project of `file` in which this word stands, and one of those `beside` it
    /// if there are any, in their order.
    pub fn naming(
        &self,
        meaning: &Meaning<'a>,
        file: &File,
        word: &str,
        beside: &[&str],
    ) -> Vec<&'a File> {
        let Some(project) = self.files_of(meaning, file) else {
            return Vec::new();
        };
        let key = (word.to_string(), beside.join(" "));
        let mut known = locked(&project.naming);
        let found = known.entry(key).or_insert_with(|| {
            let finder = Finder::new(word);
            let has_word = |text: &[u8]| {
                let starts = finder.find_iter(text);
                starts
                    .map(|start| start..start + word.len())
                    .any(|range| engine::is_whole(text, &range))
            };
            let beside: Vec<Finder> = beside.iter().map(Finder::new).collect();
            let names = on_threads(&project.files, |buffer, file| {
                file.read_into(buffer).is_ok()
                    && has_word(buffer)
                    && (beside.is_empty() || beside.iter().any(|it| it.find(buffer).is_some()))
            });
            let files = project.files.iter().zip(names);
            Arc::new(
                files
                    .filter_map(|(file, names)| names.then_some(*file))
                    .collect(),
            )
        });
        found.to_vec()
    }

    /// Whether a class of the project of `file` that derives from that of a method, as far as names
    /// tell, has something else than a coroutine function in its place.
    pub fn overridden(&self, meaning: &Meaning<'a>, file: &File, method: &str) -> bool {
        let calling = self.project(meaning, file);
        calling.is_some_and(|calling| calling.overridden(method))
    }

    /// The files of the project of `file` that have a class which derives from one of this name, as
    /// far as names tell, in their order.
    pub fn deriving(&self, meaning: &Meaning<'a>, file: &File, class: &str) -> Vec<&'a File> {
        let calling = self.project(meaning, file);
        calling.map_or_else(Vec::new, |calling| calling.deriving(class))
    }

    fn project(&self, meaning: &Meaning<'a>, file: &File) -> Option<Arc<Calling<'a>>> {
        let project = self.files_of(meaning, file)?;
        let calling = {
            let mut known = locked(&project.calling);
            let made = || Arc::new(Calling::new(&project.files));
            Arc::clone(known.get_or_insert_with(made))
        };
        self.forget_others(&meaning.project(file).root);
        Some(calling)
    }

    /// Lets go of the calls of projects that nobody asks about any more: those of all that a run
    /// goes through would be most of its memory. Files are looked at in the order of their paths,
    /// so that each thread is in one project at a time.
    fn forget_others(&self, root: &Path) {
        let forgotten = {
            let mut recent = locked(&self.recent);
            match recent.iter().position(|it| it == root) {
                Some(at) => recent[..=at].rotate_right(1),
                None => recent.insert(0, root.to_path_buf()),
            }
            let kept = recent.len().min(rayon::current_num_threads() + 2);
            recent.split_off(kept)
        };
        for root in forgotten {
            let project = self.projects.get().and_then(|it| it.get(&root));
            project.map(|project| locked(&project.calling).take());
        }
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
        let modules = module_names(files);
        let outlines = on_threads(files, |buffer, file| {
            if file.read_into(buffer).is_err() {
                return Outline::default(); // which is said elsewhere
            }
            Outline::of(buffer, &modules)
        });
        let mut calling = Self::default();
        for (number, outline) in (0..).zip(&outlines) {
            calling.defining.extend(number, &outline.defined);
        }
        for (number, outline) in (0..).zip(outlines) {
            let defining = &calling.defining.0;
            let is_defined = |name: &&u64| defining.contains_key(name);
            for (names, found) in [
                (&mut calling.callers, &outline.called),
                (&mut calling.bare, &outline.bare),
                (&mut calling.scattered, &outline.scattered),
            ] {
                names.extend(number, found.iter().filter(is_defined));
            }
            calling.qualified.extend(number, &outline.qualified);
            calling.importing.extend(number, &outline.importing);
            calling.renaming.extend(number, &outline.renaming);
            calling.classes.extend(number, &outline.classes);
            for (class, base) in outline.bases {
                calling.bases.entry(class).or_default().push(base);
            }
        }
        let protocol = hash(b"Protocol");
        let protocols = calling.bases.iter();
        let protocols = protocols.filter(|(_, bases)| bases.contains(&protocol));
        calling.protocols = protocols.map(|(class, _)| *class).collect();
        let called = |file: &&'a File| Called {
            file,
            names: OnceLock::new(),
            calls: OnceLock::new(),
            reached: Mutex::default(),
        };
        calling.files = files.iter().map(called).collect();
        let paths = files.iter().map(|file| file.canonical.as_path());
        calling.positions = paths.zip(0..).collect();
        calling
    }

    /// Whether a class that derives from that of the method has something else in its place.
    fn overridden(&self, method: &str) -> bool {
        let Some((class, name)) = method.rsplit_once('.') else {
            return false;
        };
        let base = last_part(class);
        let mut known = locked(&self.overridden);
        *known.entry(format!("{base}.{name}")).or_insert_with(|| {
            let base = hash(base.as_bytes());
            let is_derived = |class: u64| self.derives(class, base);
            if !self.bases.keys().any(|class| is_derived(*class)) {
                return false;
            }
            let finder = Finder::new(name);
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
                engine::plain_methods(&source.text, version, is_notebook, name).is_some_and(
                    |classes| {
                        let mut classes = classes.iter().map(|class| hash(class.as_bytes()));
                        classes.any(is_derived)
                    },
                )
            })
        })
    }

    /// The files that have a class which derives from one of this name.
    fn deriving(&self, class: &str) -> Vec<&'a File> {
        let base = hash(class.as_bytes());
        let classes = self.bases.keys().copied();
        let derived = classes.filter(|class| self.derives(*class, base));
        let mut files: Vec<u32> = derived
            .flat_map(|class| self.classes.at(class))
            .copied()
            .collect();
        files.sort_unstable();
        files.dedup();
        let file = |number: u32| self.files.get(number as usize).map(|called| called.file);
        files.into_iter().filter_map(file).collect()
    }

    fn position(&self, file: &File) -> Option<usize> {
        self.positions.get(file.canonical.as_path()).copied()
    }

    /// The calls that reach the function `path` of a file, with the files that they are in, and
    /// whether they are seen to reach it and no other. A file is parsed when it is its turn.
    fn calls_of<'c>(
        &'c self,
        meaning: &'c Meaning<'a>,
        file: usize,
        path: &'c str,
    ) -> impl Iterator<Item = (usize, CallSite<'c>, bool)> {
        let name = last_part(path);
        let is_only = LazyCell::new(move || self.is_only(file, name));
        let reachable = self.reachable(file, path);
        self.callers.of(name).iter().flat_map(move |number| {
            let caller = *number as usize;
            let may_reach = self.files[caller].file.folder.types.wanted
                || caller == file
                || reachable.contains(number)
                || is_telling(name)
                || *is_only;
            if !may_reach {
                return Vec::new();
            }
            let Some((text, calls)) = self.calls(caller) else {
                return Vec::new();
            };
            let sites: Vec<CallSite> = calls.of(name).collect();
            let asked = self.reached(meaning, caller, text, &sites);
            let mut found = Vec::new();
            for (site, answer) in sites.into_iter().zip(asked) {
                let (is_seen, may_reach) = match (site.reaches, answer) {
                    (Reach::Local(local), _) => {
                        let is_seen = caller == file && local == path;
                        (is_seen, self.overrides(path, local))
                    }
                    (_, Answer::Callee(function)) => {
                        let is_here = function.place.file == self.files[file].file.canonical;
                        let is_seen = is_here && function.name == path;
                        (is_seen, self.overrides(path, &function.name))
                    }
                    (Reach::Imported(imported), _) => {
                        let is_seen = !path.contains('.') && self.is_module(file, imported);
                        (is_seen, self.names_module(file, imported))
                    }
                    (Reach::Unknown, _) => (false, is_telling(name) || *is_only),
                };
                if is_seen || may_reach {
                    found.push((caller, site, is_seen));
                }
            }
            found
        })
    }

    /// Whether the project has one function of this name only, which is in that file.
    fn is_only(&self, file: usize, name: &str) -> bool {
        // The file first: it is parsed for its own calls too.
        let (here, others): (Vec<usize>, Vec<usize>) = self
            .defining
            .of(name)
            .iter()
            .map(|number| *number as usize)
            .partition(|number| *number == file);
        let functions = here
            .into_iter()
            .chain(others)
            .filter_map(|file| self.calls(file))
            .flat_map(|(_, calls)| &calls.functions)
            .map(AsRef::as_ref);
        let same = |path: &&str| last_part(path) == name;
        functions.filter(same).take(2).count() == 1
    }

    /// The other files in which a call may reach the function `path` of a file, as far as names
    /// tell: what [`Self::overrides`] and [`Self::names_module`] say yes to stands in them. Types
    /// may tell otherwise.
    fn reachable(&self, file: usize, path: &str) -> FxHashSet<u32> {
        let name = last_part(path);
        let mut reachable = FxHashSet::default();
        // As a function that the other file defines.
        let mut classes: Vec<&[u32]> = self
            .protocols
            .iter()
            .map(|it| self.classes.at(*it))
            .collect();
        if let Some((class, _)) = path.rsplit_once('.') {
            let class = hash(last_part(class).as_bytes());
            let alike = std::iter::once(class).chain(self.above(class));
            classes.extend(alike.map(|class| self.classes.at(class)));
        }
        let defining = self.defining.of(name);
        let is_defining = |number: &&u32| defining.binary_search(number).is_ok();
        reachable.extend(classes.into_iter().flatten().filter(is_defining));
        // As something that it imports.
        let bare = self.bare.of(name);
        let is_bare = |number: &&u32| bare.binary_search(number).is_ok();
        for module in self.names_of(file) {
            reachable.extend(self.qualified.at(pair(module.as_bytes(), name.as_bytes())));
            reachable.extend(self.importing.of(module).iter().filter(is_bare));
            reachable.extend(self.renaming.of(module));
        }
        reachable.extend(self.scattered.of(name));
        reachable
    }

    /// What the calls reach whose module does not show it. Asked once.
    fn reached(
        &self,
        meaning: &Meaning<'a>,
        file: usize,
        text: &str,
        sites: &[CallSite],
    ) -> Vec<Answer> {
        let called = &self.files[file];
        let mut known = locked(&called.reached);
        let open: Vec<Range<usize>> = sites
            .iter()
            .filter(|site| !matches!(site.reaches, Reach::Local(_)))
            .map(CallSite::func)
            .filter(|func| !known.contains_key(func))
            .collect();
        let question = |range: &Range<usize>| Question {
            ask: Ask::Callee,
            range: range.clone(),
        };
        let questions: Vec<Question> = open.iter().map(question).collect();
        if !questions.is_empty() {
            let answers = meaning.types(called.file, text, &questions);
            known.extend(open.into_iter().zip(answers));
        }
        let answer = |site: &CallSite| known.get(&site.func()).cloned();
        let answers = sites.iter().map(answer);
        answers
            .map(|it| it.unwrap_or(Answer::Unknown(None)))
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
        // Functions inside of functions override none.
        class != "<locals>"
            && (class == base || self.derives(hash(class.as_bytes()), hash(base.as_bytes())))
    }

    /// Whether a class derives from another one, as far as their names tell, of which these are the
    /// hashes.
    fn derives(&self, class: u64, base: u64) -> bool {
        self.above(class).any(|above| above == base)
    }

    /// The classes that a class derives from, as far as their names tell.
    fn above(&self, class: u64) -> impl Iterator<Item = u64> {
        let mut seen = FxHashSet::default();
        let mut waiting = vec![class];
        let bases = std::iter::from_fn(move || {
            let class = waiting.pop()?;
            let bases = self.bases.get(&class).filter(|_| seen.insert(class));
            let bases = bases.map_or(&[][..], Vec::as_slice);
            waiting.extend(bases);
            Some(bases.iter().copied())
        });
        bases.flatten()
    }

    /// Whether a class of this name is a protocol.
    fn is_protocol(&self, class: &str) -> bool {
        self.protocols.contains(&hash(last_part(class).as_bytes()))
    }

    /// Whether an imported name may be of that file: it names its module, or a package that the
    /// file is in and that may hand it on.
    fn names_module(&self, file: usize, imported: &str) -> bool {
        let module = imported.rsplit('.').nth(1).unwrap_or_default();
        self.names_of(file).iter().any(|name| name == module)
    }

    /// Whether an imported name is that of something in the module of that file, whose path ends
    /// in all parts of the module's name.
    fn is_module(&self, file: usize, imported: &str) -> bool {
        let path = self.files[file].file.canonical.with_extension("");
        let mut folders = path.iter().rev().skip_while(|it| *it == "__init__");
        let parts = imported.rsplit('.').skip(1).filter(|it| !it.is_empty());
        parts
            .map(OsStr::new)
            .all(|part| folders.next() == Some(part))
    }

    fn names_of(&self, file: usize) -> &[String] {
        let Called { file, names, .. } = &self.files[file];
        names.get_or_init(|| {
            names_of_module(&file.canonical)
                .map(str::to_string)
                .collect()
        })
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
            let is_named = |name: &str| !self.defining.of(name).is_empty();
            let calls = engine::calls(&source.text, version, is_notebook, is_named)?;
            let is_asked = called.file.folder.types.wanted;
            Some((if is_asked { source.text } else { String::new() }, calls))
        };
        called.calls.get_or_init(read).as_ref()
    }
}

/// The last parts of the names under which something of a module may be imported: that of its
/// file, and those of the packages around it.
fn names_of_module(path: &Path) -> impl Iterator<Item = &str> {
    let packages = path
        .ancestors()
        .skip(1)
        .take_while(|folder| folder.join("__init__.py").is_file())
        .filter_map(Path::file_name);
    let names = path.file_stem().into_iter().chain(packages);
    names.filter_map(OsStr::to_str)
}

/// The hashes of all of these, of a project's files: of any folder, be it a package or not.
fn module_names(files: &[&File]) -> FxHashSet<u64> {
    let mut folders: FxHashSet<&Path> = FxHashSet::default();
    let mut names = FxHashSet::default();
    let mut add = |name: Option<&OsStr>| {
        let name = name.and_then(OsStr::to_str);
        names.extend(name.map(|name| hash(name.as_bytes())));
    };
    for file in files {
        add(file.canonical.file_stem());
        let around = file.canonical.ancestors().skip(1);
        for folder in around.take_while(|folder| folders.insert(folder)) {
            add(folder.file_name());
        }
    }
    names
}

impl Names {
    /// Adds a file, whose number is higher than those before.
    fn extend<'n>(&mut self, number: u32, names: impl IntoIterator<Item = &'n u64>) {
        for name in names {
            self.0.entry(*name).or_default().push(number);
        }
    }

    /// The files under a name, in ascending order.
    fn of(&self, name: &str) -> &[u32] {
        self.at(hash(name.as_bytes()))
    }

    /// The same by the name's hash.
    fn at(&self, hash: u64) -> &[u32] {
        self.0.get(&hash).map_or(&[], Vec::as_slice)
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
