//! The first look at each file: read, pass over, or decode and analyse.

use std::io::{self, IsTerminal};

use engine::{Asking, Elsewhere, Host, Taken};
use rayon::prelude::*;

use crate::baseline::Seen;
use crate::guard::guarded;
use crate::plan::{Plan, Verbosity};
use crate::progress::Progress;
use crate::report::Failure;
use crate::source::{Source, Unreadable};
use crate::walk::File;
use crate::write::Stamp;

use super::analysed::Analysed;
use super::{Around, Looked, analyse, unparsed};

/// What looking at one file gave.
pub(super) enum Look<'a> {
    Nothing,
    /// The file can be decoded, has so many bytes, and holds no place for a codemod.
    Passed(&'a File, u64),
    Skipped(String),
    Found(Box<Analysed<'a>>),
    /// A codemod asks for what lies outside of the module: nothing is kept, since many files ask
    /// and most hold nothing.
    Asks(&'a File),
    Failed(Box<Failure>),
}

impl Look<'_> {
    /// Lets go of what the run does not need, while others are looked at.
    pub(super) fn keep_for(&mut self, plan: &Plan) {
        if let Look::Found(analysed) = self {
            analysed.shrink();
            if !plan.has_rewrites() {
                analysed.forget_rewrite();
            }
        }
    }
}

pub(super) fn look_at_all<'a>(
    files: &'a [File],
    around: Around<'_, 'a>,
    plan: &Plan,
) -> Looked<'a> {
    let wanted = plan.verbosity >= Verbosity::Normal && io::stderr().is_terminal();
    let progress = Progress::new(files.len(), wanted);
    let looks: Vec<(Look, Vec<Failure>)> = files
        .par_iter()
        .map_init(buffer, |buffer, file| {
            let mut broken = Vec::new();
            let meaning = around.meaning.of(file);
            // Only types are worth a second look: whoever knows them is slow to start.
            let asking = if meaning.has_types() {
                Asking::Later(&meaning)
            } else {
                Asking::Oracle(&meaning)
            };
            let mut look = look_at(file, around, asking, buffer, &mut broken);
            look.keep_for(plan);
            progress.tick();
            (look, broken)
        })
        .filter(|(look, broken)| !matches!(look, Look::Nothing) || !broken.is_empty())
        .collect();
    progress.finish();
    let mut looked = Looked::default();
    let (mut passed, mut bytes) = (Vec::new(), 0);
    for (look, broken) in looks {
        looked.failures.extend(broken);
        match look {
            Look::Nothing => {}
            Look::Passed(file, length) => {
                passed.push(file);
                bytes += length;
            }
            Look::Skipped(note) => looked.notes.push(note),
            Look::Found(analysed) => looked.analysed.push(*analysed),
            Look::Asks(file) => looked.asking.push(file),
            Look::Failed(failure) => looked.failures.push(*failure),
        }
    }
    if bytes > PARSED && plan.has_summary() {
        looked.beside.unparsed = passed.len();
    } else {
        let failures = passed.par_iter().map_init(buffer, |buffer, file| {
            let failure = check(file, buffer);
            if failure.is_some() {
                around.baselines.lost(file);
            }
            failure
        });
        looked.failures.par_extend(failures.flatten());
    }
    looked
}

/// For files one after the other, of which few are longer: to grow by steps would touch twice the memory.
fn buffer() -> Vec<u8> {
    Vec::with_capacity(256 << 10)
}

/// Files without a place for the codemods are parsed as well, to say which cannot be, if they have
/// no more bytes than this: a tenth of a second of one core. A report about a larger tree would
/// take half as long again, and its summary says instead how many were not parsed. Where nobody
/// reads a summary all are parsed: what a program is told is complete, or it looks clean.
const PARSED: u64 = 8 << 20;

/// What keeps a file from being analysed, if there is a reason.
pub(super) fn check(file: &File, buffer: &mut Vec<u8>) -> Option<Failure> {
    if let Err(error) = file.read_into(buffer) {
        return Some(Failure::io(&file.path, "read", &error));
    }
    if is_generated(buffer) {
        return None;
    }
    let source = match Source::decode(buffer.clone()) {
        Ok(source) => source,
        Err(Unreadable { message, row }) => {
            return Some(Failure::new(&file.path, message).at_row(row));
        }
    };
    match guarded(|| engine::check(&source.text, &file.settings())) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(unparsed::whole(file, &source, &error)),
        Err(panic) => Some(Failure::ours(&file.path, &format!("panicked: {panic}"))),
    }
}

/// Reads the file into `buffer`, and goes on only if it can hold a finding, which most cannot, or
/// was named. Cells of a notebook that cannot be parsed are `broken`.
pub(super) fn look_at<'a>(
    file: &'a File,
    around: Around<'_, 'a>,
    asking: Asking,
    buffer: &mut Vec<u8>,
    broken: &mut Vec<Failure>,
) -> Look<'a> {
    if around
        .changes
        .is_some_and(|changes| changes.of(file).is_none())
    {
        return Look::Nothing;
    }
    if file.settings().codemods.is_empty() {
        return Look::Nothing; // as `per-file-ignores` wants it
    }
    let metadata = match file.read_into(buffer) {
        Ok(metadata) => metadata,
        Err(error) => return Look::Failed(Box::new(Failure::io(&file.path, "read", &error))),
    };
    // Those that changed are few.
    let is_asked_for = file.is_named || file.is_notebook() || around.changes.is_some();
    if !is_asked_for && !file.folder.prefilter.may_match(buffer) {
        if let Err(Unreadable { message, row }) = Source::check(buffer) {
            return Look::Failed(Box::new(Failure::new(&file.path, message).at_row(row)));
        }
        around.baselines.saw(file, Seen::default());
        return Look::Passed(file, buffer.len() as u64);
    }
    if is_generated(buffer) {
        return Look::Skipped(format!("{}: skipped: it is generated", file.path.display()));
    }
    let source = match decode(file, buffer.clone()) {
        Ok(Some(source)) => source,
        Ok(None) => {
            let path = file.path.display();
            return Look::Skipped(format!("{path}: skipped: its language is not Python"));
        }
        Err(failure) => return Look::Failed(Box::new(failure)),
    };
    if source.notebook.is_some() {
        broken.extend(unparsed::cells(file, &source, &source.text));
        // The text of the file has escapes, and outputs.
        let prefilter = &file.folder.notebook_prefilter;
        if !prefilter.may_match(source.text.as_bytes()) {
            around.baselines.saw(file, Seen::default());
            return Look::Nothing;
        }
    }
    match analyse(
        file,
        metadata.as_ref().map(Stamp::new),
        source,
        // Before all files have been read nobody knows which imports can go.
        Host {
            asking,
            taken: &|_| Taken::Unknown,
            ..Host::ALONE
        },
        around,
    ) {
        Ok(analysed) if analysed.rewritten.undecided => Look::Asks(file),
        Ok(analysed) if analysed.is_empty() => Look::Nothing,
        Ok(analysed) => Look::Found(Box::new(analysed)),
        Err(failure) => Look::Failed(Box::new(failure)),
    }
}

/// The text of a file that was read; none where it is a notebook of another language.
pub fn decode(file: &File, bytes: Vec<u8>) -> Result<Option<Source>, Failure> {
    file.decode(bytes)
        .map_err(|Unreadable { message, row }| Failure::new(&file.path, message).at_row(row))
}

/// Whether the first lines say that the file is written by a program: what is changed in it is lost
/// the next time. A comment says it, or a line of the docstring.
pub fn is_generated(bytes: &[u8]) -> bool {
    let has = |line: &[u8], words: &[u8]| line.windows(words.len()).any(|window| window == words);
    bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .take(10)
        .any(|line| {
            let line = line.trim_ascii_start();
            let is_comment = line.starts_with(b"#");
            let quote = |byte: &u8| matches!(byte, b'#' | b'"' | b'\'' | b' ');
            let said = line.iter().position(|byte| !quote(byte)).unwrap_or(0);
            is_comment && has(line, b"@generated")
                || (is_comment || line[said..].starts_with(b"Code generated"))
                    && has(line, b"Code generated")
                    && [&b"DO NOT EDIT"[..], b"manual changes will be lost"]
                        .iter()
                        .any(|words| has(line, words))
        })
}

#[cfg(test)]
mod tests {
    use super::is_generated;

    #[test]
    fn generated_files_say_so_in_a_comment_at_the_top() {
        for text in [
            "# @generated by protoc\n",
            "#!/usr/bin/python\n\n# Code generated by x. DO NOT EDIT.\n",
            "\"\"\"doc\"\"\"\r\n  # @generated\r\n",
            "\"\"\"Code generated by x (https://example.org). DO NOT EDIT.\"\"\"\n",
            "# coding: utf-8\n\n\"\"\"\nCode generated by x, manual changes will be lost - read more\n\"\"\"\n",
        ] {
            assert!(is_generated(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "x = '@generated'\n",
            "x = 'Code generated by x. DO NOT EDIT.'\n",
            "\"\"\"Removes what says \"Code generated by x. DO NOT EDIT.\"\"\"\"\n",
            "\"\"\"@generated is what we look for.\"\"\"\n",
            "# Code generated by hand\n",
            "\n\n\n\n\n\n\n\n\n\n\n# @generated\n",
        ] {
            assert!(!is_generated(text.as_bytes()), "{text}");
        }
    }
}
