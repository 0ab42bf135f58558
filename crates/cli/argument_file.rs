//! `@FILE` on the command line: the arguments that a file holds, one a line.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Result, bail};

use crate::write;

/// Puts the lines of a file in the place of each `@FILE` before a `--`. A line is one argument, with
/// its spaces; empty ones are left out, and in a file `@` has no meaning.
pub fn expand(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<OsString>> {
    let mut expanded = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let name = argument.to_str().and_then(|text| text.strip_prefix('@'));
        match name {
            Some(name) => expanded.extend(lines(Path::new(name))?),
            None if argument == "--" => {
                expanded.push(argument);
                expanded.extend(arguments);
                break;
            }
            None => expanded.push(argument),
        }
    }
    Ok(expanded)
}

fn lines(path: &Path) -> Result<Vec<OsString>> {
    let shown = path.display();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => bail!(
            "the arguments in `{shown}` cannot be read: {}; a path that starts with `@` is written \
             `./@{shown}`",
            write::reason(&error)
        ),
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut arguments = Vec::new();
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let Some(argument) = argument(line) else {
            bail!("{shown}:{}: is not UTF-8", number + 1);
        };
        arguments.push(argument);
    }
    Ok(arguments)
}

/// A name of a file may be any bytes.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn argument(line: &[u8]) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Some(OsString::from_vec(line.to_vec()))
}

#[cfg(not(unix))]
fn argument(line: &[u8]) -> Option<OsString> {
    std::str::from_utf8(line).ok().map(OsString::from)
}
