//! The file system as the inference sees it: a generated table is a module of which nothing is
//! known, and a text that is on no disk has a file.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use ruff_db::file_revision::FileRevision;
use ruff_db::system::{
    DirectoryEntry, FileType, Metadata, OsSystem, Result, System, SystemPath, SystemPathBuf,
    SystemVirtualPath, WhichResult, WritableSystem, walk_directory::WalkDirectoryBuilder,
};
use ruff_notebook::{Notebook, NotebookError};

use crate::table::is_table;

/// The operating system's files, without what takes the inference gigabytes or minutes.
#[derive(Clone, Debug)]
pub(super) struct GuardedSystem {
    os: OsSystem,
    /// Files that are on no disk, and are taken to be there, without text.
    added: Arc<RwLock<HashSet<SystemPathBuf>>>,
}

impl GuardedSystem {
    /// Relative paths start from `folder`.
    pub(super) fn new(folder: &SystemPath) -> Self {
        Self {
            os: OsSystem::new(folder),
            added: Arc::default(),
        }
    }

    /// From now on there is a file at `path`, which is absolute, if there is nothing.
    pub(super) fn add(&self, path: &SystemPath) {
        let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
        added.insert(path.to_path_buf());
    }

    /// The added files that are in a folder.
    fn added_in(&self, folder: &SystemPath) -> Vec<DirectoryEntry> {
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
        let files = added.iter().filter(|path| path.parent() == Some(folder));
        files
            .map(|file| DirectoryEntry::new(file.clone(), FileType::File))
            .collect()
    }

    fn is_added(&self, path: &SystemPath) -> bool {
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
        added.contains(path)
    }
}

/// What stands for a generated table: every name of it exists, and is anything.
const ANYTHING: &str = "def __getattr__(name): ...\n";

impl System for GuardedSystem {
    fn read_to_string(&self, path: &SystemPath) -> Result<String> {
        let text = match self.os.read_to_string(path) {
            Err(_) if self.is_added(path) => return Ok(String::new()),
            read => read?,
        };
        Ok(if is_table(&text) {
            ANYTHING.to_string()
        } else {
            text
        })
    }

    fn path_metadata(&self, path: &SystemPath) -> Result<Metadata> {
        match self.os.path_metadata(path) {
            Err(_) if self.is_added(path) => {
                Ok(Metadata::new(FileRevision::new(0), None, FileType::File))
            }
            metadata => metadata,
        }
    }

    fn canonicalize_path(&self, path: &SystemPath) -> Result<SystemPathBuf> {
        self.os.canonicalize_path(path)
    }

    fn is_same_file(&self, first: &SystemPath, second: &SystemPath) -> Result<bool> {
        self.os.is_same_file(first, second)
    }

    fn which(&self, binary_name: &str) -> WhichResult {
        self.os.which(binary_name)
    }

    fn read_to_notebook(&self, path: &SystemPath) -> std::result::Result<Notebook, NotebookError> {
        self.os.read_to_notebook(path)
    }

    fn read_virtual_path_to_string(&self, path: &SystemVirtualPath) -> Result<String> {
        self.os.read_virtual_path_to_string(path)
    }

    fn read_virtual_path_to_notebook(
        &self,
        path: &SystemVirtualPath,
    ) -> std::result::Result<Notebook, NotebookError> {
        self.os.read_virtual_path_to_notebook(path)
    }

    fn current_directory(&self) -> &SystemPath {
        self.os.current_directory()
    }

    fn user_config_directory(&self) -> Option<SystemPathBuf> {
        self.os.user_config_directory()
    }

    fn cache_dir(&self) -> Option<SystemPathBuf> {
        self.os.cache_dir()
    }

    fn read_directory<'a>(
        &'a self,
        path: &SystemPath,
    ) -> Result<Box<dyn Iterator<Item = Result<DirectoryEntry>> + 'a>> {
        let added = self.added_in(path).into_iter().map(Ok);
        Ok(Box::new(self.os.read_directory(path)?.chain(added)))
    }

    fn walk_directory(&self, path: &SystemPath) -> WalkDirectoryBuilder {
        self.os.walk_directory(path)
    }

    fn env_var(&self, name: &str) -> std::result::Result<String, std::env::VarError> {
        self.os.env_var(name)
    }

    fn as_writable(&self) -> Option<&dyn WritableSystem> {
        None
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn std::any::Any {
        self
    }

    fn dyn_clone(&self) -> Box<dyn System> {
        Box::new(self.clone())
    }
}
