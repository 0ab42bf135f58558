//! What a finding is known by from one run to the next.

use std::collections::HashMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Gives out fingerprints: the same for a finding whose line moved, and none twice in a run.
#[derive(Debug, Default)]
pub struct Fingerprints {
    /// How often each was asked for.
    known: HashMap<String, usize>,
}

impl Fingerprints {
    /// That of the finding of `codemod` in the file at `path`, of which `line` is the text of the
    /// first line. Of equal ones in a file, the order counts. 32 hexadecimal digits.
    pub fn next(&mut self, path: &str, codemod: &str, line: &str) -> String {
        let what = [path, codemod, line.trim()].join("\0");
        let count = self.known.entry(what.clone()).or_insert(0);
        *count += 1;
        let hash = Sha256::digest(format!("{what}\0{count}"));
        hash.iter().take(16).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprints;

    #[test]
    fn a_fingerprint_survives_another_indentation_and_is_unique() {
        let mut now = Fingerprints::default();
        let mut later = Fingerprints::default();
        let first = now.next("a.py", "await-sleep", "  time.sleep(1)");
        assert_eq!(first.len(), 32);
        assert_eq!(first, later.next("a.py", "await-sleep", "time.sleep(1)\r"));
        for (path, codemod, line) in [
            ("a.py", "await-sleep", "time.sleep(1)"), // the second of its kind
            ("b.py", "await-sleep", "time.sleep(1)"),
            ("a.py", "run-debug", "time.sleep(1)"),
            ("a.py", "await-sleep", "time.sleep(2)"),
        ] {
            assert_ne!(first, now.next(path, codemod, line));
        }
    }
}
