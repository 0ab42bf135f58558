//! Replacing a file: at once, only if it is still the one that was read, and with what else
//! belongs to it.

mod attributes;
mod temporary;

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

/// What a file looked like when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// In bytes.
    length: u64,
    modified: Option<SystemTime>,
    /// The device and the file's number on it.
    #[cfg(unix)]
    identity: (u64, u64),
}

impl Stamp {
    /// The stamp of the file at `path`, which is none of its links.
    pub fn of(path: &Path) -> io::Result<Self> {
        std::fs::symlink_metadata(path).map(|metadata| Self::new(&metadata))
    }

    /// The stamp of the file that `metadata` was taken from.
    pub fn new(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            identity: (metadata.dev(), metadata.ino()),
        }
    }
}

/// What else is to be said of a file that was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    /// Other names of the file, which still have the old content: a rename cannot reach them.
    /// Writing in place could, but not at once, and a package installer's cache that shares the
    /// file would be changed behind its back.
    pub other_links: u64,
}

/// What is said of a file with other names.
pub fn linked(path: &Path) -> String {
    let path = path.display();
    format!("{path}: the file had other names (hard links), which keep the old content")
}

/// Replaces the content of `path`, which must be free of symbolic links and hold `before` still.
/// The error says what is the matter and what to do.
pub fn replace(path: &Path, read: Stamp, before: &[u8], after: &[u8]) -> Result<Written, String> {
    replace_as_of(None, path, read, before, after)
}

/// Like [`replace`]; the new file was modified at that time, if there is one.
pub fn replace_as_of(
    modified: Option<SystemTime>,
    path: &Path,
    read: Stamp,
    before: &[u8],
    after: &[u8],
) -> Result<Written, String> {
    let metadata = std::fs::symlink_metadata(path).map_err(|error| cannot("be read", &error))?;
    if Stamp::new(&metadata) != read || !holds(path, before) {
        return Err(CHANGED.to_string());
    }
    // A rename asks for no permission on the file itself: what is write-protected stays so.
    if metadata.permissions().readonly() {
        return Err("is read-only, and was left alone: make it writable".to_string());
    }
    let old = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(|error| cannot("be written", &error) + ": make it writable")?;
    let folder = path.parent().unwrap_or(Path::new("."));
    // Where anything fails from here on, dropping the temporary file removes it.
    let mut new = temporary::beside(folder, 0o600).map_err(|error| {
        let why = reason(&error);
        let folder = folder.display();
        format!("cannot be replaced: no file can be made in {folder} ({why}): make it writable")
    })?;
    new.write_all(after)
        .map_err(|error| cannot("be written", &error))?;
    if let Some(modified) = modified {
        new.as_file()
            .set_modified(modified)
            .map_err(|error| cannot("be given a time", &error))?;
    }
    prepare(&new, Some((&old, &metadata)))?;
    put_unless_changed(new, path, read)?;
    Ok(Written {
        other_links: links(&metadata).saturating_sub(1),
    })
}

/// Said of a file that is not the one that was read any more.
const CHANGED: &str = "changed while asyncfix ran, and was left alone: run again";

/// Gives `new` what belongs to the file in whose place it comes, and brings it to the disk.
fn prepare(new: &NamedTempFile, old: Option<(&File, &Metadata)>) -> Result<(), String> {
    if let Some((old, metadata)) = old {
        attributes::copy(old, metadata, new.as_file())?;
    }
    // Some systems say only here that there is no space, and without it a rename can be on the disk
    // before what was renamed.
    new.as_file()
        .sync_data()
        .map_err(|error| cannot("be written", &error))
}

/// Puts `new` in the place of `path`, if that is still what was read: to bring a file to the disk
/// takes long enough for somebody else to save it.
fn put_unless_changed(new: NamedTempFile, path: &Path, read: Stamp) -> Result<(), String> {
    let now = std::fs::symlink_metadata(path).map_err(|error| cannot("be read", &error))?;
    if Stamp::new(&now) != read {
        return Err(CHANGED.to_string());
    }
    put(new, path)
}

/// Puts `new` in the place of `path`.
fn put(new: NamedTempFile, path: &Path) -> Result<(), String> {
    new.persist(path)
        .map_err(|error| cannot("be replaced", &error.error))?;
    Ok(())
}

/// A file of our own that is being written: it is there when it is whole.
#[derive(Debug)]
pub enum NewFile {
    /// Nothing can stand in the place of a pipe or a device.
    Direct(BufWriter<File>),
    /// Takes the place of the file that the path leads to, if there is one.
    Beside(BufWriter<NamedTempFile>, PathBuf, Option<File>),
}

impl NewFile {
    /// For a new file, or in the place of what `path` leads to. The error says what is the matter
    /// and what to do.
    pub fn begin(path: &Path) -> Result<Self, String> {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let old = match std::fs::metadata(&path) {
            Err(_) => None,
            Ok(metadata) if metadata.is_file() && metadata.permissions().readonly() => {
                return Err("is read-only, and was left alone: make it writable".to_string());
            }
            Ok(metadata) => {
                let file = OpenOptions::new().write(true).open(&path);
                let file = file.map_err(|error| cannot("be written", &error))?;
                if !metadata.is_file() {
                    return Ok(Self::Direct(BufWriter::new(file)));
                }
                Some(file)
            }
        };
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        // As other programs make files: what the user's mask leaves of it.
        let new = temporary::beside(folder.unwrap_or(Path::new(".")), 0o666)
            .map_err(|error| cannot("be written", &error) + ": make its folder writable")?;
        Ok(Self::Beside(BufWriter::new(new), path, old))
    }

    /// Now it is whole.
    pub fn finish(self) -> Result<(), String> {
        match self {
            Self::Direct(mut file) => file.flush().map_err(|error| cannot("be written", &error)),
            Self::Beside(new, path, old) => {
                let new = new.into_inner();
                let new = new.map_err(|error| cannot("be written", error.error()))?;
                let old = old
                    .as_ref()
                    .and_then(|old| Some((old, old.metadata().ok()?)));
                let old = old.as_ref().map(|(old, metadata)| (*old, metadata));
                prepare(&new, old)?;
                put(new, &path)
            }
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Direct(file) => file.write(bytes),
            Self::Beside(new, ..) => new.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Direct(file) => file.flush(),
            Self::Beside(new, ..) => new.flush(),
        }
    }
}

/// Writes a file of our own: a new one, or at once in the place of what `path` leads to. The error
/// says what is the matter and what to do.
pub fn create(path: &Path, content: &[u8]) -> Result<(), String> {
    let mut new = NewFile::begin(path)?;
    new.write_all(content)
        .map_err(|error| cannot("be written", &error))?;
    new.finish()
}

/// Makes the file at `path` hold `content`, at once: as the file that it was, or as a new one.
/// Nothing happens where it does already.
pub fn whole(path: &Path, content: &[u8]) -> Result<(), String> {
    if holds(path, content) {
        return Ok(());
    }
    create(path, content)
}

/// Whether the file at `path` can be read and holds just this.
pub fn holds(path: &Path, expected: &[u8]) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes == expected)
}

#[cfg(unix)]
fn links(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn links(_metadata: &Metadata) -> u64 {
    1
}

fn cannot(what: &str, error: &io::Error) -> String {
    format!("cannot {what}: {}", reason(error))
}

/// The system's words, without the number, in the form of our messages.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    // tempfile adds the path after the reason.
    let text = text.split(" at path").next().unwrap_or(text);
    lowercase_first(text)
}

/// The words of others in the form of our messages: `Expected ...` as `expected ...`.
pub fn lowercase_first(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        // An abbreviation, or a name, stays: `EOF`, `F-string`.
        Some(first)
            if characters
                .as_str()
                .starts_with(|second: char| second.is_lowercase()) =>
        {
            first.to_lowercase().chain(characters).collect()
        }
        _ => text.to_string(),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::{CHANGED, Stamp, Written, create, put_unless_changed, replace, temporary};
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::path::{Path, PathBuf};

    fn file(folder: &Path, content: &str) -> (PathBuf, Stamp) {
        let path = folder.join("a.py");
        fs::write(&path, content).unwrap();
        let stamp = Stamp::new(&fs::metadata(&path).unwrap());
        (path, stamp)
    }

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_that_is_saved_while_the_new_one_is_written_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, stamp) = file(folder.path(), "old");
        let mut new = temporary::beside(folder.path(), 0o600).unwrap();
        new.write_all(b"new").unwrap();
        fs::write(&path, "saved").unwrap();
        let error = put_unless_changed(new, &path, stamp).unwrap_err();
        assert_eq!(error, CHANGED);
        assert_eq!(fs::read(&path).unwrap(), b"saved");
        assert_eq!(names(folder.path()), ["a.py"]);
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, stamp) = file(folder.path(), "old");
        fs::write(&path, "longer").unwrap();
        let error = replace(&path, stamp, b"old", b"new").unwrap_err();
        assert_eq!(
            error,
            "changed while asyncfix ran, and was left alone: run again"
        );
        assert_eq!(fs::read(&path).unwrap(), b"longer");

        // The same length, at the same time, in the same file: the bytes decide.
        let (path, stamp) = file(folder.path(), "old");
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "odd").unwrap();
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        assert_eq!(Stamp::new(&fs::metadata(&path).unwrap()), stamp);
        replace(&path, stamp, b"old", b"new").unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"odd");

        // Another file of the same name and content.
        let (path, stamp) = file(folder.path(), "old");
        fs::rename(&path, folder.path().join("b.py")).unwrap();
        file(folder.path(), "old");
        replace(&path, stamp, b"old", b"new").unwrap_err();

        fs::remove_file(&path).unwrap();
        let error = replace(&path, stamp, b"old", b"new").unwrap_err();
        assert_eq!(error, "cannot be read: no such file or directory");
        assert_eq!(names(folder.path()), ["b.py"]);
    }

    #[test]
    fn a_read_only_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, stamp) = file(folder.path(), "old");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let error = replace(&path, stamp, b"old", b"new").unwrap_err();
        assert_eq!(error, "is read-only, and was left alone: make it writable");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.py"]);
    }

    #[test]
    fn the_mode_and_the_owner_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (path, _) = file(folder.path(), "old");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o751)).unwrap();
        let before = fs::metadata(&path).unwrap();
        let written = replace(&path, Stamp::new(&before), b"old", b"new").unwrap();
        assert_eq!(written, Written { other_links: 0 });
        let after = fs::metadata(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(after.mode(), before.mode());
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_eq!(names(folder.path()), ["a.py"]);
    }

    #[test]
    fn a_file_of_our_own_is_replaced_behind_a_link_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.html");
        create(&path, b"new").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        create(&link, b"newer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(names(folder.path()).len(), 2);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

        let error = create(&folder.path().join("none/a.html"), b"").unwrap_err();
        assert!(
            error.starts_with("cannot be written: no such file"),
            "{error}"
        );
    }

    #[test]
    fn other_links_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let (path, stamp) = file(folder.path(), "old");
        let other = folder.path().join("other.py");
        fs::hard_link(&path, &other).unwrap();
        let written = replace(&path, stamp, b"old", b"new").unwrap();
        assert_eq!(written, Written { other_links: 1 });
        assert_eq!(fs::read(&other).unwrap(), b"old");
    }
}
