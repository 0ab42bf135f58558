//! What every fix has to keep, whatever it rewrites: the comments, and the kinds of line endings.

use edit::Edit;
use python::{Module, TextRange, TextSize};

/// Why a fix with these edits cannot be applied; none where it keeps what is to be kept.
///
/// A codemod takes along the comments that people write in the code that it is about. There are more
/// places for a comment than that, though, between any two tokens in brackets, and each is a reason to
/// look at the code, not to drop the codemod for the whole file.
pub(crate) fn loss(module: &Module<'_>, edits: &[Edit]) -> Option<String> {
    if let Some((comment, is_lost)) = changed_comment(module, edits) {
        return Some(if is_lost {
            format!(
                "the comment `{comment}` stands in what is rewritten, and would be lost: move it above the statement"
            )
        } else {
            format!(
                "the comment `{comment}` stands in what is rewritten, and would come twice: move it above the statement"
            )
        });
    }
    joins_line_endings(module.source(), edits).then(|| {
        "the lines of the file end in different ways, and the rewrite would add one more: let all of them end alike".to_string()
    })
}

/// A comment in what the edits replace that what they write has not, or vice versa; and whether
/// it is the former.
fn changed_comment<'a>(module: &Module<'a>, edits: &'a [Edit]) -> Option<(&'a str, bool)> {
    let mut gone: Vec<&str> = Vec::new();
    let mut written: Vec<&str> = Vec::new();
    for edit in edits {
        let ends = (
            TextSize::try_from(edit.range.start),
            TextSize::try_from(edit.range.end),
        );
        if let (Ok(start), Ok(end)) = ends {
            let comments = module.comments(TextRange::new(start, end)).iter();
            gone.extend(comments.map(|comment| module.text(*comment)));
        }
        written.extend(python::comments(&edit.content));
    }
    for comment in gone {
        match written.iter().position(|it| *it == comment) {
            Some(at) => drop(written.swap_remove(at)),
            None => return Some((comment, true)),
        }
    }
    written.first().map(|comment| (*comment, false))
}

/// Whether a carriage return comes to stand before a line feed, in a file where none does.
fn joins_line_endings(source: &str, edits: &[Edit]) -> bool {
    let bytes = source.as_bytes();
    let is_joined = edits.iter().any(|edit| {
        let before = edit.range.start.checked_sub(1).and_then(|at| bytes.get(at));
        let after = bytes.get(edit.range.end);
        let content = edit.content.as_bytes();
        let joins = |first: Option<&u8>, second: Option<&u8>| {
            first == Some(&b'\r') && second == Some(&b'\n')
        };
        match (content.first(), content.last()) {
            (Some(first), Some(last)) => joins(before, Some(first)) || joins(Some(last), after),
            _ => joins(before, after),
        }
    });
    // The whole text is looked through for few fixes only.
    is_joined && !source.contains("\r\n")
}
