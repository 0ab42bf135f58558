//! The output of `git diff`: which rows of which file are new, and which are shown.
//!
//! Source: git's documentation, "Generating patch text with -p".

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;

/// What a patch changes in a file that is there afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patched {
    /// Its path before; none where it is new.
    pub old: Option<PathBuf>,
    /// In order. A file that only lost lines has, without context, none.
    pub hunks: Vec<Hunk>,
}

/// Lines that a patch shows in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// One-based rows of the file afterwards; at least one.
    pub rows: Range<usize>,
    /// Of each line of the context, the row afterwards, and the row before.
    pub unchanged: Vec<(usize, usize)>,
}

/// The files of the patch, by their paths.
pub fn read(patch: &[u8]) -> HashMap<PathBuf, Patched> {
    let mut files: HashMap<PathBuf, Patched> = HashMap::new();
    let mut old_name: Option<PathBuf> = None;
    let mut file: Option<PathBuf> = None;
    // Which lines of the current hunk are still to come: what stands in them may look like a
    // header.
    let (mut before, mut after) = (0..0, 0..0);
    for line in patch.split(|byte| *byte == b'\n') {
        match line {
            [b' ', ..] if !before.is_empty() && !after.is_empty() => {
                let hunks = file.as_ref().and_then(|file| files.get_mut(file));
                if let Some(hunk) = hunks.and_then(|file| file.hunks.last_mut()) {
                    hunk.unchanged.push((after.start, before.start));
                }
                before.start += 1;
                after.start += 1;
            }
            [b'-', ..] if !before.is_empty() => before.start += 1,
            [b'+', ..] if !after.is_empty() => after.start += 1,
            [b'd', b'i', b'f', b'f', b' ', ..] => (old_name, file) = (None, None),
            [b'-', b'-', b'-', b' ', name @ ..] => old_name = named(name, b"a/"),
            [b'+', b'+', b'+', b' ', name @ ..] => {
                file = named(name, b"b/");
                if let Some(file) = &file {
                    files.entry(file.clone()).or_default().old = old_name.take();
                }
            }
            [b'@', b'@', b' ', header @ ..] => {
                let Some(rows) = ranges(header) else {
                    continue;
                };
                (before, after) = rows;
                if let Some(file) = file.as_ref().and_then(|file| files.get_mut(file))
                    && !after.is_empty()
                {
                    file.hunks.push(Hunk {
                        rows: after.clone(),
                        unchanged: Vec::new(),
                    });
                }
            }
            _ => {}
        }
    }
    files
}

impl Patched {
    /// The rows that are shown.
    pub fn rows(&self) -> Vec<Range<usize>> {
        self.hunks.iter().map(|hunk| hunk.rows.clone()).collect()
    }
}

/// The path that `b/name` stands for; none for `/dev/null`, and so for a file that is gone, or new.
fn named(name: &[u8], side: &[u8]) -> Option<PathBuf> {
    let name = match name {
        [b'"', quoted @ .., b'"'] => unquoted(quoted),
        // A name that holds a blank is ended by a tab.
        [name @ .., b'\t'] | name => name.to_vec(),
    };
    name.strip_prefix(side).map(path)
}

/// What stands between the quotes of a name, which are those of C.
fn unquoted(quoted: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            name.push(byte);
            continue;
        }
        name.push(match bytes.next() {
            Some(b'a') => 0x07,
            Some(b'b') => 0x08,
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'v') => 0x0b,
            Some(b'f') => 0x0c,
            Some(b'r') => b'\r',
            Some(first @ b'0'..=b'7') => {
                let digits = [Some(first), bytes.next(), bytes.next()];
                let digits = digits.into_iter().flatten();
                digits.fold(0, |value: u8, digit| {
                    value.wrapping_mul(8).wrapping_add(digit.wrapping_sub(b'0'))
                })
            }
            Some(other) => other, // a quote or a backslash
            None => b'\\',
        });
    }
    name
}

/// The rows before and after, of `-2,3 +2 @@ ...`.
fn ranges(header: &[u8]) -> Option<(Range<usize>, Range<usize>)> {
    let mut parts = header.split(|byte| *byte == b' ');
    let old = rows(parts.next()?.strip_prefix(b"-")?)?;
    let new = rows(parts.next()?.strip_prefix(b"+")?)?;
    Some((old, new))
}

/// The rows of `2,3`, or of `2`, which is one row.
fn rows(text: &[u8]) -> Option<Range<usize>> {
    let text = std::str::from_utf8(text).ok()?;
    let (start, count) = text.split_once(',').unwrap_or((text, "1"));
    let start: usize = start.parse().ok()?;
    let count: usize = count.parse().ok()?;
    Some(start..start.checked_add(count)?)
}

/// A path as git prints it.
#[cfg(unix)]
pub fn path(bytes: &[u8]) -> PathBuf {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// A path as git prints it.
#[cfg(not(unix))]
pub fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Hunk, Patched, named, read};
    use std::path::PathBuf;

    #[test]
    fn names_are_taken_out_of_their_quotes() {
        assert_eq!(named(b"/dev/null", b"b/"), None);
        for (printed, name) in [
            (&b"b/a.py"[..], "a.py"),
            (b"b/a b/c.py\t", "a b/c.py"),
            (br#""b/a\tb\"\\\n\303\251.py""#, "a\tb\"\\\n\u{e9}.py"),
            ("b/\u{e9}.py".as_bytes(), "\u{e9}.py"),
        ] {
            assert_eq!(named(printed, b"b/"), Some(PathBuf::from(name)));
        }
    }

    #[test]
    fn lines_that_look_like_headers_are_lines() {
        let patch = b"diff --git a/a.py b/a.py\n\
            index 1..2 100644\n\
            --- a/a.py\n\
            +++ b/a.py\n\
            @@ -1 +1,3 @@\n\
            --- a/x\n\
            +++ b/b.py\n\
            +@@ -1 +1,9 @@\n\
            +diff --git\n\
            \\ No newline at end of file\n\
            @@ -9,2 +11,0 @@ def f():\n\
            -\n\
            -x\n\
            @@ -12 +13 @@\n\
            -x\n\
            +x\n\
            diff --git a/gone.py b/gone.py\n\
            --- a/gone.py\n\
            +++ /dev/null\n\
            @@ -1 +0,0 @@\n\
            -x\n\
            diff --git a/less.py b/less.py\n\
            --- a/less.py\n\
            +++ b/less.py\n\
            @@ -1 +0,0 @@\n\
            -x\n\
            diff --git a/c.py b/d.py\n\
            similarity index 90%\n\
            rename from c.py\n\
            rename to d.py\n\
            --- a/c.py\n\
            +++ b/d.py\n\
            @@ -5,0 +6,2 @@ x\n\
            +x\n\
            +y\n\
            @@ -9 +11 @@\n\
            -x\n\
            +x\n";
        let files = read(patch).into_iter();
        let mut files: Vec<_> = files.map(|(path, file)| (path, file.rows())).collect();
        files.sort_by(|(one, _), (other, _)| one.cmp(other));
        assert_eq!(
            files,
            [
                (PathBuf::from("a.py"), vec![1..4, 13..14]),
                (PathBuf::from("d.py"), vec![6..8, 11..12]),
                (PathBuf::from("less.py"), Vec::new()),
            ]
        );
    }

    #[test]
    fn context_is_known_by_both_rows() {
        let patch = b"diff --git a/c.py b/d.py\n\
            rename from c.py\n\
            rename to d.py\n\
            --- a/c.py\n\
            +++ b/d.py\n\
            @@ -4,4 +5,5 @@ x\n \n-x\n+x\n+y\n --- a\n z\n\
            @@ -20,2 +22 @@ x\n x\n-y\n\
            diff --git a/e.py b/e.py\n\
            new file mode 100644\n\
            --- /dev/null\n\
            +++ b/e.py\n\
            @@ -0,0 +1 @@\n\
            +x\n";
        let mut files = read(patch);
        let hunk = |rows, unchanged: &[_]| Hunk {
            rows,
            unchanged: unchanged.to_vec(),
        };
        assert_eq!(
            files.remove(&PathBuf::from("d.py")),
            Some(Patched {
                old: Some(PathBuf::from("c.py")),
                hunks: vec![
                    hunk(5..10, &[(5, 4), (8, 6), (9, 7)]),
                    hunk(22..23, &[(22, 20)])
                ],
            })
        );
        assert_eq!(
            files.remove(&PathBuf::from("e.py")),
            Some(Patched {
                old: None,
                hunks: vec![hunk(1..2, &[])],
            })
        );
    }
}
