//! The file system as the inference sees it: a generated table is a module of which nothing is
//! known.

use ruff_db::system::{
    DirectoryEntry, Metadata, OsSystem, Result, System, SystemPath, SystemPathBuf,
    SystemVirtualPath, WhichResult, WritableSystem, walk_directory::WalkDirectoryBuilder,
};
use ruff_notebook::{Notebook, NotebookError};

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

/// With so many keys set at module level, ty 0.0.10 takes gigabytes: memory and time grow with
/// the square (4,000 keys: 2.8 GB and 10 s).
const MANY_KEYS: usize = 800;

/// Whether a module sets so many keys one by one, `TABLE["key"] = value` in the first column.
pub(super) fn is_table(text: &str) -> bool {
    let sets_key = |line: &&str| {
        line.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && line.split_once('[').is_some_and(|(name, rest)| {
                name.chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
                    && rest.contains("] =")
            })
    };
    text.lines().filter(sets_key).nth(MANY_KEYS).is_some()
}

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

#[cfg(test)]
mod tests {
    use super::{MANY_KEYS, is_table};

    #[test]
    fn a_module_that_sets_many_keys_is_a_table() {
        let keys = |count: usize| "ids[\"x\"] = 1\n".repeat(count);
        assert!(is_table(&keys(MANY_KEYS + 1)));
        assert!(is_table(&"Ids.names[7] = 'y'\n".repeat(MANY_KEYS + 1)));
        assert!(!is_table(&keys(MANY_KEYS)));
        assert!(
            !is_table(&"    ids[1] = 2\n".repeat(MANY_KEYS + 1)),
            "in a function"
        );
        assert!(!is_table(&"print(ids[1])\n".repeat(MANY_KEYS + 1)));
        assert!(!is_table(&"x: list[int] = []\n".repeat(MANY_KEYS + 1)));
    }
}
