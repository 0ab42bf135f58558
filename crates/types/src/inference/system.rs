//! The file system as the inference sees it: a generated table is a module of which nothing is
//! known.

use ruff_db::system::{
    DirectoryEntry, Metadata, OsSystem, Result, System, SystemPath, SystemPathBuf,
    SystemVirtualPath, WhichResult, WritableSystem, walk_directory::WalkDirectoryBuilder,
};
use ruff_notebook::{Notebook, NotebookError};

use crate::table::is_table;

/// The operating system's files, without what takes the inference gigabytes or minutes.
#[derive(Clone, Debug)]
pub(super) struct GuardedSystem(OsSystem);

impl GuardedSystem {
    /// Relative paths start from `folder`.
    pub(super) fn new(folder: &SystemPath) -> Self {
        Self(OsSystem::new(folder))
    }
}

/// What stands for a generated table: every name of it exists, and is anything.
const ANYTHING: &str = "def __getattr__(name): ...\n";

impl System for GuardedSystem {
    fn read_to_string(&self, path: &SystemPath) -> Result<String> {
        let text = self.0.read_to_string(path)?;
        Ok(if is_table(&text) {
            ANYTHING.to_string()
        } else {
            text
        })
    }

    fn path_metadata(&self, path: &SystemPath) -> Result<Metadata> {
        self.0.path_metadata(path)
    }

    fn canonicalize_path(&self, path: &SystemPath) -> Result<SystemPathBuf> {
        self.0.canonicalize_path(path)
    }

    fn is_same_file(&self, first: &SystemPath, second: &SystemPath) -> Result<bool> {
        self.0.is_same_file(first, second)
    }

    fn which(&self, binary_name: &str) -> WhichResult {
        self.0.which(binary_name)
    }

    fn read_to_notebook(&self, path: &SystemPath) -> std::result::Result<Notebook, NotebookError> {
        self.0.read_to_notebook(path)
    }

    fn read_virtual_path_to_string(&self, path: &SystemVirtualPath) -> Result<String> {
        self.0.read_virtual_path_to_string(path)
    }

    fn read_virtual_path_to_notebook(
        &self,
        path: &SystemVirtualPath,
    ) -> std::result::Result<Notebook, NotebookError> {
        self.0.read_virtual_path_to_notebook(path)
    }

    fn current_directory(&self) -> &SystemPath {
        self.0.current_directory()
    }

    fn user_config_directory(&self) -> Option<SystemPathBuf> {
        self.0.user_config_directory()
    }

    fn cache_dir(&self) -> Option<SystemPathBuf> {
        self.0.cache_dir()
    }

    fn read_directory<'a>(
        &'a self,
        path: &SystemPath,
    ) -> Result<Box<dyn Iterator<Item = Result<DirectoryEntry>> + 'a>> {
        self.0.read_directory(path)
    }

    fn walk_directory(&self, path: &SystemPath) -> WalkDirectoryBuilder {
        self.0.walk_directory(path)
    }

    fn env_var(&self, name: &str) -> std::result::Result<String, std::env::VarError> {
        self.0.env_var(name)
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
