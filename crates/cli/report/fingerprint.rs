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

/// What GitHub's code scanning knows each line of a file by, from one commit to the next: a hash of
/// its first characters and of how often it was there before, by row.
///
/// It has to be the same as what its `upload-sarif` computes, which warns of another one.
/// Source: github/codeql-action, `src/fingerprints.ts`.
pub fn line_hashes(file: &str) -> Vec<String> {
    let mut units: Vec<u64> = Vec::with_capacity(file.len() + 1 + HASHED);
    // Where the lines start in the units.
    let mut starts = Vec::new();
    let mut is_start = true;
    let mut after_cr = false;
    for unit in file.encode_utf16().map(u64::from).chain([END_OF_FILE]) {
        let skipped = unit == u64::from(b' ')
            || unit == u64::from(b'\t')
            || after_cr && unit == u64::from(b'\n');
        after_cr = !skipped && unit == u64::from(b'\r');
        if skipped {
            continue;
        }
        if is_start {
            starts.push(units.len());
        }
        let unit = if after_cr { u64::from(b'\n') } else { unit };
        is_start = unit == u64::from(b'\n');
        units.push(unit);
    }
    units.resize(units.len() + HASHED, 0);

    let mut known: HashMap<u64, usize> = HashMap::new();
    let hash = |start: usize| {
        let line = units.iter().skip(start).take(HASHED);
        line.fold(0_u64, |hash, unit| {
            hash.wrapping_mul(37).wrapping_add(*unit)
        })
    };
    let mut print = |hash: u64| {
        let count = known.entry(hash).or_insert(0);
        *count += 1;
        format!("{hash:x}:{count}")
    };
    starts.into_iter().map(hash).map(&mut print).collect()
}

/// How many characters count, blanks not counted.
const HASHED: usize = 100;

/// Stands for the end of the file, where no character can be.
const END_OF_FILE: u64 = 65535;

#[cfg(test)]
mod tests {
    use super::{Fingerprints, line_hashes};

    #[test]
    fn lines_have_the_hashes_that_code_scanning_gives_them() {
        assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
        let hashes = [
            "271789c17abda88f:1",
            "54703d4cd895b18:1",
            "180aee12dab6264:1",
            "a23a3dc5e078b07b:1",
        ];
        assert_eq!(line_hashes(" a\nb\n  \t\tc\n d"), hashes);
        for ends in ["\n", "\r", "\r\n"] {
            let file = "x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n";
            let hashes = line_hashes(&file.replace('\n', ends));
            assert_eq!(hashes[0], "e54938cc54b302f1:1");
            assert_eq!(hashes[6], "f1b89f20de0d133:1");
            assert_eq!(hashes[7], "c129715d7a2bc9a3:1");
        }
        let hashes = line_hashes(&"Lorem ipsum dolor sit amet.\n".repeat(10));
        assert_eq!(hashes[5], "a7f2ff13bc495cf2:6");
        assert_eq!(hashes[6], "a7f2ff1481e87703:1");
    }

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
