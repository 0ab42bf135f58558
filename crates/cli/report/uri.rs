//! Files by their place in the repository, as URIs.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// The folder that files are named from.
pub struct Root(PathBuf);

impl Root {
    /// The root of the repository that holds the current directory; where no file lies in it, of
    /// the one that holds the first file; the current directory where there is none. The paths are
    /// absolute and without links.
    pub fn of<'a>(mut paths: impl Iterator<Item = &'a Path>) -> Self {
        let here = std::env::current_dir().and_then(fs_err::canonicalize);
        let here = here.unwrap_or_else(|_| PathBuf::from("/"));
        let first = paths.next();
        let root = repository(&here).unwrap_or(&here);
        let is_outside = |path: &Path| !path.starts_with(root);
        if let Some(first) = first
            && is_outside(first)
            && paths.all(is_outside)
            && let Some(other) = repository(first)
        {
            return Self(other.to_path_buf());
        }
        Self(root.to_path_buf())
    }

    /// Its own URI, which ends in `/`.
    pub fn uri(&self) -> String {
        let uri = absolute(&self.0);
        if uri.ends_with('/') { uri } else { uri + "/" }
    }

    /// The URI of the file relative to the root; none where it lies outside of it.
    pub fn relative(&self, path: &Path) -> Option<String> {
        path.strip_prefix(&self.0).ok().map(encoded)
    }
}

/// The URI of a file whose path is absolute.
pub fn absolute(path: &Path) -> String {
    let path = encoded(path);
    format!(
        "file://{}{path}",
        if path.starts_with('/') { "" } else { "/" }
    )
}

/// The closest folder above that git looks after.
fn repository(path: &Path) -> Option<&Path> {
    path.ancestors().find(|folder| folder.join(".git").exists())
}

fn encoded(path: &Path) -> String {
    let parts: Vec<String> = path
        .components()
        .map(|part| match part {
            std::path::Component::RootDir => String::new(),
            part => percent_encode(part.as_os_str().as_encoded_bytes(), ESCAPED).to_string(),
        })
        .collect();
    if parts.len() == 1 && path.has_root() {
        return "/".to_string();
    }
    parts.join("/")
}

/// All but what RFC 3986 calls unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_relative_to_the_root_and_escaped() {
        let root = Root(PathBuf::from("/work/a b"));
        assert_eq!(root.uri(), "file:///work/a%20b/");
        let relative = |path: &str| root.relative(Path::new(path));
        assert_eq!(
            relative("/work/a b/c/\u{e9}%#.py").as_deref(),
            Some("c/%C3%A9%25%23.py")
        );
        assert_eq!(relative("/work/a b/x:y.py").as_deref(), Some("x%3Ay.py"));
        assert_eq!(relative("/work/a.py"), None);
        assert_eq!(absolute(Path::new("/work/a.py")), "file:///work/a.py");
        assert_eq!(Root(PathBuf::from("/")).uri(), "file:///");
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_unicode_are_escaped_byte_by_byte() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/\xff.py"));
        assert_eq!(absolute(path), "file:///%FF.py");
    }
}
