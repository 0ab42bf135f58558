//! The part of a fix that a person edits: the lines around its changes, as they are to be.

use std::fmt::Write;
use std::ops::Range;

use edit::unified_diff;

/// What stands before each part. What follows says where the part is.
const MARK: &str = "# asyncfix> ";

/// The text to edit: each hunk of the change from `before` to `after`, as it is after it.
pub fn to_edit(path: &str, before: &str, after: &str) -> String {
    let mut text = format!(
        "# This is what {path} is to become. Edit it, save it, and leave the editor.\n\
         # Lines that start with `{MARK}` have to stay. Take all others away to change nothing.\n"
    );
    let lines: Vec<&str> = after.split_inclusive('\n').collect();
    for hunk in hunks(before, after) {
        let (first, last) = (hunk.start + 1, hunk.end);
        let _ = writeln!(text, "{MARK}lines {first} to {last}");
        for line in lines.get(hunk).unwrap_or_default() {
            text.push_str(line.trim_end_matches(['\n', '\r']));
            text.push('\n');
        }
    }
    text
}

/// The whole text with the parts as they were edited; none where nothing is left of them. The
/// error says what is wrong with the edited text.
pub fn edited(before: &str, after: &str, text: &str) -> Result<Option<String>, String> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    for line in text.lines() {
        if line.starts_with(MARK.trim_end()) {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(line);
        }
    }
    if parts.iter().flatten().all(|line| line.trim().is_empty()) {
        return Ok(None);
    }
    let hunks = hunks(before, after);
    if parts.len() != hunks.len() {
        return Err(format!(
            "a line that starts with `{MARK}` was taken away or added: they say what goes where"
        ));
    }
    let lines: Vec<&str> = after.split_inclusive('\n').collect();
    let mut whole = String::new();
    let mut copied = 0;
    for (hunk, part) in hunks.iter().zip(parts) {
        whole.extend(
            lines
                .get(copied..hunk.start)
                .unwrap_or_default()
                .iter()
                .copied(),
        );
        let old = lines.get(hunk.clone()).unwrap_or_default();
        let ending = match old.first().or(lines.first()) {
            Some(line) if line.ends_with("\r\n") => "\r\n",
            _ => "\n",
        };
        for line in &part {
            whole.extend([*line, ending]);
        }
        let is_last = hunk.end >= lines.len();
        if is_last && old.last().is_some_and(|line| !line.ends_with('\n')) && !part.is_empty() {
            whole.truncate(whole.len() - ending.len());
        }
        copied = hunk.end;
    }
    whole.extend(lines.get(copied..).unwrap_or_default().iter().copied());
    Ok(Some(whole))
}

/// The lines of `after`, by index, that the unified diff shows.
fn hunks(before: &str, after: &str) -> Vec<Range<usize>> {
    let patch = unified_diff("", before.as_bytes(), after.as_bytes(), &[]);
    let patch = String::from_utf8_lossy(&patch);
    let span = |line: &str| {
        let span = line
            .strip_prefix("@@ -")?
            .split(' ')
            .nth(1)?
            .strip_prefix('+')?;
        let (start, length) = span.split_once(',').unwrap_or((span, "1"));
        let (start, length): (usize, usize) = (start.parse().ok()?, length.parse().ok()?);
        // An empty span is named by the line that it follows.
        let start = if length == 0 { start } else { start - 1 };
        Some(start..start + length)
    };
    patch.split('\n').filter_map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::{edited, to_edit};

    const BEFORE: &str = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm";
    const AFTER: &str = "x\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nn";

    #[test]
    fn what_is_not_edited_is_the_fix() {
        let text = to_edit("a.py", BEFORE, AFTER);
        assert!(
            text.contains(
                "# asyncfix> lines 1 to 4\nx\na\nb\nc\n# asyncfix> lines 11 to 14\nj\nk\nl\nn\n"
            ),
            "{text}"
        );
        assert_eq!(edited(BEFORE, AFTER, &text), Ok(Some(AFTER.to_string())));
    }

    #[test]
    fn line_endings_stay() {
        let (before, after) = ("a\r\nb\r\n", "a\r\nc\r\n");
        let text = to_edit("a.py", before, after);
        assert!(!text.contains('\r'), "{text}");
        let text = text.replace("\nc\n", "\nd\ne\n");
        assert_eq!(
            edited(before, after, &text),
            Ok(Some("a\r\nd\r\ne\r\n".to_string()))
        );
    }

    #[test]
    fn nothing_left_is_nothing_changed() {
        assert_eq!(edited("a\n", "b\n", ""), Ok(None));
        assert_eq!(
            edited("a\n", "b\n", "# This\n# asyncfix> lines 1 to 1\n\n"),
            Ok(None)
        );
    }

    #[test]
    fn a_mark_that_is_gone_is_an_error() {
        let text = to_edit("a.py", BEFORE, AFTER).replace("# asyncfix> lines 1 ", "");
        let problem = edited(BEFORE, AFTER, &text).unwrap_err();
        assert!(problem.contains("was taken away"), "{problem}");
    }
}
