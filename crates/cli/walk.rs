//! From the paths that were typed to the files of the run.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use engine::Settings;
use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::folder::{Folder, Folders};
use crate::lock::locked;
use crate::place;
use crate::report::Failure;
use crate::source::{self, Source, Unreadable};

/// One Python file of the run.
#[derive(Clone)]
pub struct File {
    /// As the user would write it: what messages show.
    pub path: PathBuf,
    /// Absolute, and without symbolic links.
    pub canonical: PathBuf,
    /// What holds for it.
    pub folder: Arc<Folder>,
    /// Whether it was named itself, and not only a folder that it is in.
    pub is_named: bool,
    /// What it holds, where that is not on the disk.
    pub content: Option<Vec<u8>>,
}

impl File {
    /// Whether it is a notebook, by its name.
    pub fn is_notebook(&self) -> bool {
        self.path.extension().is_some_and(|it| it == NOTEBOOK)
    }

    /// What holds for it.
    pub fn settings(&self) -> Cow<'_, Settings> {
        if self.is_notebook() {
            return Cow::Borrowed(&self.folder.notebook);
        }
        let settings = self.folder.settings(&self.canonical);
        if !self.is_test() {
            return settings;
        }
        Cow::Owned(Settings {
            is_test: true,
            ..settings.into_owned()
        })
    }

    /// Whether it is one of tests, by its name and the folders below the current one that it is in.
    fn is_test(&self) -> bool {
        let is_named = self
            .path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .is_some_and(|stem| {
                stem.starts_with("test_") || stem.ends_with("_test") || stem == "conftest"
            });
        let has_folder = |path: &Path| {
            let mut folders = path.parent().into_iter().flat_map(Path::components);
            folders.any(|it| it.as_os_str() == "tests" || it.as_os_str() == "test")
        };
        is_named
            || has_folder(&self.path)
                && (self.path.is_relative() || has_folder(Path::new(&place::shown(&self.path))))
    }

    /// Its text and how it is written; none where it is a notebook of another language.
    pub fn decode(&self, bytes: Vec<u8>) -> Result<Option<Source>, Unreadable> {
        if self.is_notebook() {
            Source::decode_notebook(bytes, self.folder.module.target.version)
        } else {
            Source::decode(bytes).map(Some)
        }
    }

    /// Replaces the content of `buffer` with that of the file, and says what the file was then;
    /// nothing where it was not read from the disk.
    pub fn read_into(&self, buffer: &mut Vec<u8>) -> io::Result<Option<Metadata>> {
        match &self.content {
            None => source::read_into(&self.path, buffer).map(Some),
            Some(content) => {
                buffer.clone_from(content);
                Ok(None)
            }
        }
    }
}

/// The files of a run.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// Those that are looked at, sorted by path.
    pub looked_at: &'a [File],
    /// The same, and behind them those that are only known: who calls and who imports is looked
    /// for in all of them.
    pub known: &'a [File],
}

/// What the paths lead to.
#[derive(Default)]
pub struct Walked {
    /// Sorted by path; none twice.
    pub files: Vec<File>,
    /// What could not be read on the way.
    pub failures: Vec<Failure>,
    /// What was named and left out, in words.
    pub notes: Vec<String>,
}

impl Walked {
    /// Puts the files of `other` that are not among these behind them.
    pub fn know(&mut self, other: Self) {
        let here: HashSet<PathBuf> = self.files.iter().map(|it| it.canonical.clone()).collect();
        let others = other.files.into_iter();
        self.files
            .extend(others.filter(|file| !here.contains(&file.canonical)));
        self.failures.extend(other.failures);
    }

    /// Notes that a path that was named is left out.
    pub fn leave_out(&mut self, path: &Path) {
        let path = path.display();
        self.notes.push(format!("{path}: skipped: it is excluded"));
    }
}

/// Walks `paths` on `threads` threads. An error is one of configuration.
pub fn walk(paths: &[PathBuf], folders: &Folders, threads: usize) -> Result<Walked> {
    let mut walked = Walked::default();
    for path in paths {
        let found = std::fs::metadata(path)
            .and_then(|metadata| Ok((metadata, std::fs::canonicalize(path)?)));
        let (metadata, canonical) = match found {
            Ok(found) => found,
            Err(error) => {
                walked.failures.push(Failure::io(path, "read", &error));
                continue;
            }
        };
        if folders.leave_out(&canonical, metadata.is_dir())? {
            walked.leave_out(without_dot(path));
        } else if metadata.is_dir() {
            walk_folder(path, &canonical, folders, threads, &mut walked)?;
        } else if metadata.is_file() {
            walked.files.push(File {
                path: without_dot(path).to_path_buf(),
                folder: folders.of_file(&canonical)?,
                canonical,
                is_named: true,
                content: None,
            });
        } else {
            let failure = Failure::new(path, "is neither a file nor a directory");
            walked.failures.push(failure);
        }
    }
    walked.files.sort_by(by_path);
    if paths.len() > 1 {
        // Within one folder no file is reached twice: links are not followed there.
        let named = walked.files.iter().filter(|file| file.is_named);
        let named: HashSet<PathBuf> = named.map(|file| file.canonical.clone()).collect();
        let mut seen = HashSet::new();
        walked
            .files
            .retain(|file| seen.insert(file.canonical.clone()));
        for file in &mut walked.files {
            file.is_named = named.contains(&file.canonical);
        }
    }
    Ok(walked)
}

/// What the threads of one walk gather.
#[derive(Default)]
struct Gathered {
    files: Vec<File>,
    failures: Vec<Failure>,
    error: Option<anyhow::Error>,
}

fn walk_folder(
    root: &Path,
    canonical_root: &Path,
    folders: &Folders,
    threads: usize,
    walked: &mut Walked,
) -> Result<()> {
    let top = folders.top().filter(|top| canonical_root.starts_with(top));
    let is_asked = |folder: &&Path| top.is_none_or(|top| folder.starts_with(top));
    // The walker opens what is named like a list of patterns, and would wait for a pipe to speak.
    let mut asked = canonical_root.ancestors().take_while(is_asked);
    if let Some(list) = asked.find_map(unreadable_list) {
        walked.failures.push(not_regular(&list));
        return Ok(());
    }
    let unreadable: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let noted = Arc::clone(&unreadable);
    let all = Mutex::new(Gathered::default());
    let gathered = &all;
    // Where nothing around a folder counts, the walk begins there: the walker would ask all above.
    let way = top.map(|top| Way::new(top, canonical_root));
    let start = top.unwrap_or(root);
    let base = top.map_or(root, |_| canonical_root);
    let parallel = WalkBuilder::new(start)
        .threads(threads)
        .parents(top.is_none())
        // Patterns of the user's own.
        .git_global(top.is_none())
        .hidden(way.as_ref().is_none_or(|way| !way.is_hidden))
        .filter_entry(move |entry| {
            if way.as_ref().is_some_and(|way| !way.takes(entry.path())) {
                return false;
            }
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let list = is_folder.then(|| unreadable_list(entry.path())).flatten();
            let is_readable = list.is_none();
            locked(&noted).extend(list);
            is_readable
        })
        .build_parallel();
    parallel.run(|| {
        let mut batch = Batch {
            files: Vec::new(),
            all: gathered,
        };
        Box::new(move |entry| match entry {
            Ok(entry) => match visit(&entry, (root, base), canonical_root, folders) {
                Ok(Visit::Skip) => WalkState::Skip,
                Ok(Visit::Pass) => WalkState::Continue,
                Ok(Visit::Take(file)) => {
                    batch.files.push(file);
                    WalkState::Continue
                }
                Err(error) => {
                    locked(gathered).error.get_or_insert(error);
                    WalkState::Quit
                }
            },
            Err(error) => {
                locked(gathered).failures.push(walk_failure(root, &error));
                WalkState::Continue
            }
        })
    });
    let gathered = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = gathered.error {
        return Err(error);
    }
    walked.files.extend(gathered.files);
    walked.failures.extend(gathered.failures);
    let unreadable = locked(&unreadable);
    walked
        .failures
        .extend(unreadable.iter().map(|list| not_regular(list)));
    Ok(())
}

/// What is named like a list of patterns in a folder, and is neither a file nor a folder.
fn unreadable_list(folder: &Path) -> Option<PathBuf> {
    let lists = [".gitignore", ".ignore"].map(|name| folder.join(name));
    lists.into_iter().find(|list| {
        std::fs::metadata(list).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
    })
}

fn not_regular(list: &Path) -> Failure {
    let message = "cannot be read, and its folder is left out: it is no regular file";
    Failure::new(without_dot(list), message)
}

fn by_path(one: &File, other: &File) -> Ordering {
    one.path.cmp(&other.path)
}

/// The files of one thread, handed over when it ends: sorted, which leaves little to do for the one
/// that sorts them all.
struct Batch<'a> {
    files: Vec<File>,
    all: &'a Mutex<Gathered>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.files.sort_by(by_path);
        locked(self.all).files.append(&mut self.files);
    }
}

/// What becomes of an entry.
enum Visit {
    /// Not a file of ours; a folder is walked into.
    Pass,
    /// A folder that is not walked into.
    Skip,
    Take(File),
}

/// Down to the folder that is looked at, from one around it.
struct Way {
    folder: PathBuf,
    /// Whether a part of it is hidden.
    is_hidden: bool,
}

impl Way {
    fn new(top: &Path, folder: &Path) -> Self {
        let mut parts = folder.strip_prefix(top).into_iter().flatten();
        Self {
            folder: folder.to_path_buf(),
            is_hidden: parts.any(|part| part.as_encoded_bytes().starts_with(b".")),
        }
    }

    /// Whether an entry is on the way, or below its end and not hidden.
    fn takes(&self, entry: &Path) -> bool {
        let Ok(below) = entry.strip_prefix(&self.folder) else {
            return self.folder.starts_with(entry);
        };
        let mut parts = below.iter();
        !parts.any(|part| part.as_encoded_bytes().starts_with(b".")) || !self.is_hidden
    }
}

/// The root is as the user writes it, and as its entries are.
fn visit(
    entry: &DirEntry,
    (root, base): (&Path, &Path),
    canonical_root: &Path,
    folders: &Folders,
) -> Result<Visit> {
    let path = entry.path();
    let Some(kind) = entry.file_type() else {
        return Ok(Visit::Pass);
    };
    let Ok(below) = path.strip_prefix(base) else {
        return Ok(Visit::Pass);
    };
    let is_root = below.as_os_str().is_empty();
    if is_root || !(kind.is_dir() || kind.is_file() && is_python(path)) {
        return Ok(Visit::Pass);
    }
    let canonical = canonical_root.join(below);
    let folder = folders.get(canonical.parent().unwrap_or(canonical_root))?;
    Ok(if folder.excludes(&canonical, kind.is_dir()) {
        Visit::Skip
    } else if kind.is_dir() {
        Visit::Pass
    } else {
        let shown = if base == root {
            without_dot(path).to_path_buf()
        } else {
            without_dot(&root.join(below)).to_path_buf()
        };
        Visit::Take(File {
            path: shown,
            folder: folders.of_file(&canonical)?,
            canonical,
            is_named: false,
            content: None,
        })
    })
}

fn is_python(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "py" || extension == "pyw" || extension == NOTEBOOK)
}

/// The extension of notebooks.
const NOTEBOOK: &str = "ipynb";

/// `./a.py` as `a.py`, but not `.` as nothing.
fn without_dot(path: &Path) -> &Path {
    match path.strip_prefix(".") {
        Ok(rest) if !rest.as_os_str().is_empty() => rest,
        _ => path,
    }
}

fn walk_failure(root: &Path, error: &ignore::Error) -> Failure {
    /// The path that the error is about.
    fn path_of(error: &ignore::Error) -> Option<&Path> {
        match error {
            ignore::Error::WithPath { path, .. } => Some(path),
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                path_of(err)
            }
            ignore::Error::Loop { child, .. } => Some(child),
            _ => None,
        }
    }
    let path = without_dot(path_of(error).unwrap_or(root));
    match error.io_error() {
        Some(io) => Failure::io(path, "read", io),
        None => Failure::new(path, format!("cannot be read: {error}")),
    }
}
