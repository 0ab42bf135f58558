//! Paths, from the URIs of files.

use std::path::PathBuf;

use lsp_types::Uri;
use percent_encoding::percent_decode_str;

/// The path of a file's URI; none where it is of something else, as of a text without a name.
pub fn path(uri: &Uri) -> Option<PathBuf> {
    let (scheme, rest) = uri.0.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("file") {
        return None;
    }
    let rest = rest.split(['?', '#']).next()?;
    // `file:///a`, `file://localhost/a`, and `file:/a`, as some clients write it.
    let local = match rest.strip_prefix("//") {
        Some(rest) => &rest[rest.find('/')?..],
        None => rest,
    };
    let bytes: Vec<u8> = percent_decode_str(local).collect();
    if bytes.is_empty() || bytes.contains(&0) {
        return None;
    }
    of_bytes(bytes)
}

#[cfg(unix)]
fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
    path.is_absolute().then_some(path)
}

#[cfg(not(unix))]
fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    let text = String::from_utf8(bytes).ok()?;
    // `/c:/a`
    let path = PathBuf::from(text.strip_prefix('/').unwrap_or(&text));
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn paths_are_what_uris_of_files_say() {
        let of = |uri: &str| path(&Uri(uri.to_string()));
        let known = |path: &str| Some(PathBuf::from(path));
        assert_eq!(of("file:///a/b.py"), known("/a/b.py"));
        assert_eq!(of("file://localhost/a%20b/%C3%A9.py"), known("/a b/é.py"));
        assert_eq!(of("FILE:/a%3Ab.py?x#y"), known("/a:b.py"));
        for none in [
            "untitled:Untitled-1",
            "file://",
            "file:a.py",
            "/a.py",
            "",
            "file:///a%00",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
