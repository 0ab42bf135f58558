//! What is kept from one run to the next: outside of the project, where nobody commits it, in a
//! file of the user's state directory, one for each repository.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use sha2::{Digest, Sha256};

/// The repository around `here`, which is absolute and without links; where there is none, `here`.
pub fn root(here: &Path) -> PathBuf {
    let is_root = |folder: &&Path| {
        [".git", ".hg", ".jj"]
            .iter()
            .any(|it| folder.join(it).exists())
    };
    here.ancestors().find(is_root).unwrap_or(here).to_path_buf()
}

/// The file of a kind for the repository at `root`: `$XDG_STATE_HOME/asyncfix/KIND/HASH.json`,
/// usually below `~/.local/state`; on Windows below the local application data. None where the
/// system has no place for it.
pub fn path(kind: &str, root: &Path) -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    let state = base.state_dir().unwrap_or_else(|| base.cache_dir());
    let name = hash(root.as_os_str().as_encoded_bytes()) + ".json";
    Some(state.join("asyncfix").join(kind).join(name))
}

/// The first half of the SHA-256, in hexadecimal digits.
pub fn hash(bytes: &[u8]) -> String {
    let mut name = String::new();
    for byte in Sha256::digest(bytes).iter().take(16) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}
