//! Files that are being written, beside those whose place they will take.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use tempfile::NamedTempFile;

use crate::lock::locked;

const PREFIX: &str = ".asyncfix-";
const SUFFIX: &str = ".tmp";

/// How many characters of chance stand in between: no word has as many of them.
const CHANCE: usize = 16;

/// A new file in `folder`, of this mode as far as the user's mask leaves it. What a run that was
/// killed left there is removed first.
///
/// It is locked until it is closed: what nobody holds is what a killed run left.
pub(super) fn beside(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    clear_once(folder);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(CHANCE);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    loop {
        let new = builder.tempfile_in(folder)?;
        // Where there are no locks, nobody takes it for left over either.
        let _ = new.as_file().lock();
        // Another run may have come between the two.
        if is_at(new.as_file(), new.path()) {
            return Ok(new);
        }
    }
}

/// The folders that this process has cleared.
static CLEARED: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);

fn clear_once(folder: &Path) {
    let mut cleared = locked(&CLEARED);
    if cleared.insert(folder.to_path_buf()) {
        clear(folder);
    }
}

/// Removes what is named like a file of ours and is held by nobody. What cannot be removed does no
/// harm.
fn clear(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(is_ours)
            && entry.file_type().is_ok_and(|it| it.is_file());
        if is_ours
            && let Ok(file) = OpenOptions::new().write(true).open(entry.path())
            && file.try_lock().is_ok()
            && is_at(&file, &entry.path())
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn is_ours(name: &str) -> bool {
    let chance = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX));
    chance
        .is_some_and(|it| it.len() == CHANCE && it.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Whether the open file is what `path` names.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let number = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let named = std::fs::symlink_metadata(path).map(number);
    file.metadata().map(number).ok() == named.ok()
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{beside, clear, is_ours};

    #[test]
    fn only_names_of_ours_are_taken_for_left_over() {
        assert!(is_ours(".asyncfix-Ab3dE6gH1jK2mN4p.tmp"));
        for name in [
            ".asyncfix-baseline.tmp",
            ".asyncfix-.tmp",
            ".asyncfix-Ab3dE6gH1jK2mN4p.json",
            ".asyncfix-Ab3dE6-H1jK2mN4p.tmp",
            "asyncfix-Ab3dE6gH1jK2mN4p.tmp",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }

    #[test]
    fn what_nobody_holds_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(".asyncfix-Ab3dE6gH1jK2mN4p.tmp");
        let other = folder.path().join(".asyncfix-notes.tmp");
        fs::write(&left, "half").unwrap();
        fs::write(&other, "").unwrap();
        let held = beside(folder.path(), 0o600).unwrap();
        assert!(!left.exists());
        // Another run, while this one writes.
        clear(folder.path());
        assert!(held.path().exists() && other.exists());
    }
}
