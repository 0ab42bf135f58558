//! Patches, as `git apply` and `patch -p1` read them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use edit::{Section, Touched, unified_diff};

use crate::source::Source;

/// How a patch names its files: relative to the current directory, or, where one lies outside of
/// it, all from the root of the file system. No tool applies a patch to `../x`.
pub struct Names {
    /// The current directory, or the root.
    base: PathBuf,
    /// Whether it is the root.
    pub absolute: bool,
}

impl Names {
    /// For patches of all these files, whose paths are absolute and without links.
    pub fn new(paths: &[&Path]) -> Result<Self> {
        let here = std::env::current_dir().and_then(fs_err::canonicalize);
        let here = here.context("the current directory cannot be used")?;
        let absolute = paths.iter().any(|path| !path.starts_with(&here));
        Ok(Self {
            base: if absolute { PathBuf::from("/") } else { here },
            absolute,
        })
    }

    /// The name of a file, to stand after `a/` and `b/`; none where it is not Unicode.
    pub fn of(&self, path: &Path) -> Option<String> {
        let path = path.strip_prefix(&self.base).unwrap_or(path);
        let parts: Option<Vec<&str>> = path
            .components()
            .map(|part| part.as_os_str().to_str())
            .collect();
        Some(parts?.join("/"))
    }
}

/// The patch that rewrites the file `name`, in the file's own encoding: `text` is what `source`
/// becomes, `after` its bytes, and `touched` tells which codemod wrote which part of `text`.
pub fn patch(
    name: &str,
    source: &Source,
    text: &str,
    after: &[u8],
    touched: &[Touched<&'static str>],
) -> Result<Vec<u8>> {
    let before = source
        .encode(&source.text)
        .map_err(|error| anyhow::anyhow!("{name}: {}", error.message))?;
    let file = source
        .file_text(text)
        .map_err(|error| anyhow::anyhow!("{name}: {}", error.message))?;
    let mut offsets = Offsets {
        source,
        text: file.as_str(),
        read: 0,
        written: source.text_start(),
    };
    let mut offset = |offset| offsets.of(file.place(offset));
    let sections: Vec<Section> = touched
        .iter()
        .map(|part| Section {
            range: offset(part.range.start)..offset(part.range.end),
            heading: part.tag,
        })
        .collect();
    Ok(unified_diff(name, &before, after, &sections))
}

/// Turns offsets into the file's text, asked for from first to last, into offsets into its bytes.
struct Offsets<'a> {
    source: &'a Source,
    text: &'a str,
    /// How far the text was read.
    read: usize,
    /// How many bytes of the file that is.
    written: usize,
}

impl Offsets<'_> {
    fn of(&mut self, offset: usize) -> usize {
        // Parts that touch may be given in either order; the earlier one begins there too.
        if offset > self.read {
            self.written += self.source.encoded_len(&self.text[self.read..offset]);
            self.read = offset;
        }
        self.written
    }
}

/// Prints a patch, byte for byte but for the colours.
pub fn print(patch: &[u8], color: bool, out: &mut impl Write) -> io::Result<()> {
    if !color {
        return out.write_all(patch);
    }
    // Colours of git.
    for line in patch.split_inclusive(|&byte| byte == b'\n') {
        let style = match line {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Style::new().bold(),
            [b'+', ..] => AnsiColor::Green.on_default(),
            [b'-', ..] => AnsiColor::Red.on_default(),
            [b'@', ..] => AnsiColor::Cyan.on_default(),
            _ => Style::new(),
        };
        let (line, end) = match line {
            [line @ .., b'\n'] => (line, "\n"),
            line => (line, ""),
        };
        write!(out, "{style}")?;
        out.write_all(line)?;
        write!(out, "{style:#}{end}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Offsets;
    use crate::source::Source;

    #[test]
    fn offsets_are_those_of_the_files_bytes() {
        let source = Source::decode("\u{feff}\u{e9}a".as_bytes().to_vec()).unwrap();
        let mut offsets = Offsets {
            source: &source,
            text: "\u{e9}ab",
            read: 0,
            written: source.text_start(),
        };
        assert_eq!([0, 2, 3].map(|offset| offsets.of(offset)), [3, 5, 6]);

        let source = Source::decode(b"# coding: latin-1\n\xe9a".to_vec()).unwrap();
        let mut offsets = Offsets {
            source: &source,
            text: "\u{e9}ab",
            read: 0,
            written: source.text_start(),
        };
        assert_eq!([0, 2, 3].map(|offset| offsets.of(offset)), [0, 1, 2]);
    }
}
