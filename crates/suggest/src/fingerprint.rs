//! What a comment is known by from one run to the next.

use std::collections::HashMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Gives out fingerprints: the same for lines that moved, and none twice in a run.
#[derive(Debug, Default)]
pub struct Fingerprints {
    /// How often each was asked for.
    known: HashMap<String, usize>,
}

impl Fingerprints {
    /// That of the proposal that `lines` of the file at `path` become `content`. Of equal ones,
    /// the order counts. 32 hexadecimal digits.
    pub fn next(&mut self, path: &str, lines: &str, content: &str) -> String {
        let what = [path, lines, content].join("\0");
        let count = self.known.entry(what.clone()).or_insert(0);
        *count += 1;
        let hash = Sha256::digest(format!("{what}\0{count}"));
        hash.iter().take(16).fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// The hidden first line of a comment.
pub fn mark(fingerprint: &str) -> String {
    format!("{BEGIN}{fingerprint}{END}")
}

/// The fingerprint of the comment with this body; none where it is not one of ours. A person who
/// quotes one of ours writes something before it.
pub fn read(body: &str) -> Option<&str> {
    let rest = body.strip_prefix(BEGIN)?;
    let (fingerprint, _) = rest.split_once(END)?;
    let is_ours = fingerprint.len() == 32 && fingerprint.bytes().all(|it| it.is_ascii_hexdigit());
    is_ours.then_some(fingerprint)
}

/// The hidden first line of the summary.
pub const SUMMARY: &str = "<!-- asyncfix:summary -->";

const BEGIN: &str = "<!-- asyncfix:suggestion ";
const END: &str = " -->";

#[cfg(test)]
mod tests {
    use super::{Fingerprints, mark, read};

    #[test]
    fn what_is_not_ours_has_no_fingerprint() {
        let ours = mark(&"0a".repeat(16));
        assert_eq!(read(&format!("{ours}\nx")), Some("0a".repeat(16).as_str()));
        for other in [
            String::new(),
            format!("> {ours}"),
            format!(" {ours}"),
            mark("0a"),
            mark(&"0z".repeat(16)),
        ] {
            assert_eq!(read(&other), None, "{other}");
        }
    }

    #[test]
    fn equal_proposals_are_told_apart_by_their_order() {
        let (mut now, mut later) = (Fingerprints::default(), Fingerprints::default());
        let first = now.next("a.py", "x\n", "y\n");
        assert_eq!(first, later.next("a.py", "x\n", "y\n"));
        for (path, lines, content) in [
            ("a.py", "x\n", "y\n"), // the second of its kind
            ("b.py", "x\n", "y\n"),
            ("a.py", "z\n", "y\n"),
            ("a.py", "x\n", "z\n"),
        ] {
            assert_ne!(first, now.next(path, lines, content));
        }
    }
}
