//! A text on standard input, taken for the file that `--stdin-filename` names.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::folder::Folders;
use crate::report::{Failure, Standard};
use crate::walk::{File, Walked};

/// What stands for standard input among the paths.
pub const DASH: &str = "-";

/// What a text without a name is called in messages and patches.
pub const UNNAMED: &str = "<stdin>";

/// The text on standard input as the only file of a run, and its bytes as they came.
///
/// Nothing but `folders` can fail, and then the bytes are there nevertheless: whoever fixes in a
/// pipe gets them back.
pub fn take(name: Option<&Path>, folders: &Folders) -> (Vec<u8>, Result<Walked>) {
    let path = name.unwrap_or(Path::new(UNNAMED));
    let mut bytes = Vec::new();
    if let Err(error) = io::stdin().lock().read_to_end(&mut bytes) {
        let failures = vec![Failure::io(path, "read", &error)];
        // The half of a text is worse than none.
        return (
            Vec::new(),
            Ok(Walked {
                failures,
                ..Walked::default()
            }),
        );
    }
    let walked = named(name, bytes.clone(), folders);
    (bytes, walked)
}

/// The text as the only file of a run. An error is one of configuration, or of the name.
pub fn named(name: Option<&Path>, bytes: Vec<u8>, folders: &Folders) -> Result<Walked> {
    let path = name.unwrap_or(Path::new(UNNAMED));
    let mut walked = Walked::default();
    let Some(canonical) = canonical(path) else {
        if name.is_none() {
            bail!("the current directory cannot be used: go to one that is there");
        }
        bail!(
            "--stdin-filename {}: this is the name of no file",
            path.display()
        );
    };
    if folders.leave_out(&canonical, false)? {
        walked.leave_out(path);
        return Ok(walked);
    }
    walked.files.push(File {
        path: path.to_path_buf(),
        folder: folders.of_file(&canonical)?,
        canonical,
        is_named: true,
        content: Some(bytes),
    });
    Ok(walked)
}

/// The path, absolute and without symbolic links as far as it exists: an editor's new file is in no
/// folder yet.
pub fn canonical(path: &Path) -> Option<PathBuf> {
    if path.as_os_str().is_empty() {
        // Not of a folder that was removed: nothing is in it, and no other.
        return std::fs::canonicalize(".").ok();
    }
    if let Ok(canonical) = std::fs::canonicalize(path) {
        return Some(canonical);
    }
    Some(canonical(path.parent()?)?.join(path.file_name()?))
}

/// Writes a text to standard output.
pub fn give_back(bytes: &[u8]) -> Result<()> {
    let mut out = Standard::lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(())
}
