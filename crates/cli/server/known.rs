//! What is known of the disk: configuration and the files of the open folders, each looked at when
//! somebody asks, and again when it changed.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use server::Content;
use types::Pool;

use crate::arguments::Run;
use crate::folder::Folders;
use crate::lock::locked;
use crate::plan;
use crate::stdin;
use crate::walk::{File, walk};
use crate::write::Stamp;

use super::parts;

/// The open folders and documents, and what is known of what is around them.
pub struct Known {
    arguments: Run,
    threads: usize,
    /// The folders that are open, without symbolic links.
    roots: Mutex<Vec<PathBuf>>,
    /// What open files hold, by their paths without symbolic links.
    open: Mutex<HashMap<PathBuf, Content>>,
    /// Counts the changes of files, and of configurations.
    files: AtomicU64,
    configurations: AtomicU64,
    disk: Mutex<Disk>,
    /// Children that infer types, who are told what changed.
    types: Arc<Pool>,
}

/// What was found on the disk, and after which changes.
#[derive(Default)]
struct Disk {
    files: u64,
    configurations: u64,
    folders: Option<Arc<Folders>>,
    listed: HashMap<PathBuf, Arc<Vec<File>>>,
    /// What the files below each folder were when they were listed last.
    stamps: HashMap<PathBuf, HashMap<PathBuf, Option<Stamp>>>,
}

impl Known {
    pub fn new(arguments: Run, threads: usize, types: Arc<Pool>) -> Self {
        Self {
            arguments,
            threads,
            roots: Mutex::default(),
            open: Mutex::default(),
            files: AtomicU64::default(),
            configurations: AtomicU64::default(),
            disk: Mutex::default(),
            types,
        }
    }

    pub fn set_folders(&self, folders: Vec<PathBuf>) {
        let roots = folders.into_iter();
        let roots = roots.map(|root| stdin::canonical(&root).unwrap_or(root));
        *locked(&self.roots) = roots.collect();
        self.configuration_changed();
    }

    pub fn set_open(&self, path: &Path, content: Option<Content>) {
        let path = canonical(path);
        let mut open = locked(&self.open);
        match content {
            Some(content) => open.insert(parts::path(&path, &content), content),
            None => open
                .remove(&path)
                .or_else(|| open.remove(&path.with_extension("ipynb"))),
        };
    }

    pub fn files_changed(&self) {
        self.files.fetch_add(1, Ordering::SeqCst);
    }

    pub fn configuration_changed(&self) {
        self.configurations.fetch_add(1, Ordering::SeqCst);
        self.files_changed();
    }

    /// The files of a run over the folder that the file at `path` is in, with what is open instead
    /// of what is on the disk, and the number of that file; none where the configuration leaves it
    /// out. A text without a name is one in the first folder.
    pub fn files_with(
        &self,
        path: Option<&Path>,
        content: &Content,
    ) -> Result<Option<(Vec<File>, usize)>> {
        let roots = locked(&self.roots).clone();
        let path = path.map_or_else(|| unnamed(&roots), canonical);
        let path = parts::path(&path, content);
        let around = roots.iter().filter(|root| path.starts_with(root));
        let root = around.max_by_key(|root| root.as_os_str().len());
        let (folders, listed) = self.on_disk(root)?;
        if let Some(root) = root
            && is_excluded(&folders, root, &path)?
        {
            return Ok(None);
        }
        let mut files = Vec::clone(&listed);
        let open = locked(&self.open).clone();
        for file in &mut files {
            if let Some(content) = open.get(&file.canonical) {
                file.content = parts::bytes(content).ok();
            }
        }
        let known = files.iter().position(|file| file.canonical == path);
        let number = known.unwrap_or_else(|| files.partition_point(|file| file.path < path));
        if known.is_none() {
            let file = File {
                path: path.clone(),
                folder: folders.of_file(&path)?,
                canonical: path,
                is_named: true,
                content: None,
            };
            files.insert(number, file);
        }
        files[number].content = Some(
            parts::bytes(content)
                .map_err(|unreadable| anyhow::anyhow!(Unreadable(unreadable.message)))?,
        );
        Ok(Some((files, number)))
    }

    /// The configuration, and the files below a folder.
    fn on_disk(&self, root: Option<&PathBuf>) -> Result<(Arc<Folders>, Arc<Vec<File>>)> {
        let mut disk = locked(&self.disk);
        let configurations = self.configurations.load(Ordering::SeqCst);
        let files = self.files.load(Ordering::SeqCst);
        if disk.configurations != configurations {
            disk.folders = None;
        }
        if disk.files != files {
            disk.listed.clear();
        }
        let is_another = (disk.configurations, disk.files) != (configurations, files);
        (disk.configurations, disk.files) = (configurations, files);
        let folders = match disk.folders.take() {
            Some(folders) => folders,
            None => Arc::new(plan::folders(self.arguments.clone())?),
        };
        disk.folders = Some(Arc::clone(&folders));
        let Some(root) = root else {
            if is_another {
                self.types.forget(); // nobody knows which files they have read
            }
            return Ok((folders, Arc::default()));
        };
        if let Some(listed) = disk.listed.get(root) {
            return Ok((folders, Arc::clone(listed)));
        }
        // A folder that was removed has none.
        let walked = walk(std::slice::from_ref(root), &folders, self.threads)?;
        let listed = Arc::new(walked.files);
        let stamp = |file: &File| (file.canonical.clone(), Stamp::of(&file.canonical).ok());
        let stamps: HashMap<PathBuf, Option<Stamp>> = listed.iter().map(stamp).collect();
        if let Some(before) = disk.stamps.get(root) {
            let is_same = |path: &&PathBuf| before.get(*path) == stamps.get(*path);
            let either = before.keys().chain(stamps.keys());
            let changed: HashSet<&PathBuf> = either.filter(|path| !is_same(path)).collect();
            self.types.changed(changed.into_iter().cloned());
        }
        disk.stamps.insert(root.clone(), stamps);
        disk.listed.insert(root.clone(), Arc::clone(&listed));
        Ok((folders, listed))
    }
}

/// A text that is in no encoding that Python knows, or not in the one that it declares.
#[derive(Debug)]
pub struct Unreadable(pub String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// What a text would be that has no name yet: a file in the first folder.
fn unnamed(roots: &[PathBuf]) -> PathBuf {
    let here = roots.first().cloned();
    let here = here.or_else(|| std::env::current_dir().ok());
    here.unwrap_or_default().join("untitled.py")
}

/// The path without symbolic links, as far as it is there.
fn canonical(path: &Path) -> PathBuf {
    stdin::canonical(path).unwrap_or_else(|| path.to_path_buf())
}

/// Whether a walk from `root` would leave the file out.
fn is_excluded(folders: &Folders, root: &Path, path: &Path) -> Result<bool> {
    for part in path.ancestors().take_while(|part| *part != root) {
        let folder = folders.get(part.parent().unwrap_or(root))?;
        if folder.excludes(part, part != path) {
            return Ok(true);
        }
    }
    Ok(false)
}
