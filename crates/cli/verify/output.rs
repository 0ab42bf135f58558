//! What a command prints: its last lines, and the names of the tests that failed. However much it
//! prints, little of it is kept.

use std::collections::{BTreeSet, VecDeque};

/// How many of the last lines are kept.
pub const LINES: usize = 40;

/// Longer lines are cut. In bytes.
const LENGTH: usize = 2000;

/// More names than these are not kept.
const NAMES: usize = 20_000;

/// What was kept of what a command printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// The last lines.
    pub tail: Vec<String>,
    /// The tests that failed, by name.
    pub failed: BTreeSet<String>,
    /// Whether it said that it stopped before all tests had run.
    pub is_cut: bool,
}

/// Takes in what a command prints, as it comes.
#[derive(Debug, Default)]
pub struct Output {
    /// The last line, which has no end yet.
    line: Vec<u8>,
    tail: VecDeque<String>,
    failed: BTreeSet<String>,
    is_cut: bool,
    /// Whether the lines are those of pytest's short summary.
    is_summary: bool,
    /// Whether the line before was one of `=`, as unittest prints before a failure.
    is_ruled: bool,
}

impl Output {
    pub fn take(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, end) = match part.split_last() {
                Some((end @ (b'\n' | b'\r'), text)) => (text, Some(*end)),
                _ => (part, None),
            };
            let room = LENGTH.saturating_sub(self.line.len());
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            match end {
                Some(b'\n') => self.end_line(),
                // What is printed over the line, as progress is. Of `\r\n` the line stays.
                Some(_) => self.line.push(b'\r'),
                None => {}
            }
        }
    }

    pub fn finish(mut self) -> Printed {
        if !self.line.is_empty() {
            self.end_line();
        }
        Printed {
            tail: self.tail.into(),
            failed: self.failed,
            is_cut: self.is_cut,
        }
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches('\r');
        let text = text.rsplit('\r').next().unwrap_or_default();
        let text = console::strip_ansi_codes(text);
        let text = text.trim_end();
        if let Some(name) = self.name(text)
            && self.failed.len() < NAMES
        {
            self.failed.insert(name.to_string());
        }
        self.is_ruled = text.len() >= 60 && text.bytes().all(|byte| byte == b'=');
        // Blank lines at the beginning say nothing, and there is no end of them at the end.
        if text.is_empty() && self.tail.back().is_none_or(String::is_empty) {
            return;
        }
        if self.tail.len() == LINES {
            self.tail.pop_front();
        }
        let shown = text.replace('\t', "    ");
        self.tail
            .push_back(shown.chars().filter(|it| !it.is_control()).collect());
    }

    /// The name of the test that failed, where the line says so.
    fn name<'t>(&mut self, line: &'t str) -> Option<&'t str> {
        // `=========== short test summary info ===========`, and what ends it.
        if line.starts_with("==") && line.ends_with("==") {
            self.is_summary = line.contains(" short test summary info ");
            return None;
        }
        let of_pytest = ["FAILED ", "ERROR "];
        let of_unittest = ["FAIL: ", "ERROR: ", "UNEXPECTED SUCCESS: "];
        let strip = |prefixes: &[&str]| prefixes.iter().find_map(|it| line.strip_prefix(it));
        if self.is_ruled {
            return strip(&of_unittest);
        }
        if !self.is_summary {
            return None;
        }
        // `!!!!!! stopping after 1 failures !!!!!!`, `!!!!!! Interrupted: 1 error during collection !!!!!!`
        self.is_cut |= line.starts_with("!!!") && line.ends_with("!!!");
        let name = strip(&of_pytest)?;
        // `tests/a.py::test[a - b] - assert 1 == 2`
        let parameters = match name.find(" - ") {
            Some(end) if !name[..end].contains('[') => return Some(&name[..end]),
            Some(_) => name.find("] - ").map(|end| &name[..=end]),
            None => None,
        };
        Some(parameters.unwrap_or(name))
    }
}

#[cfg(test)]
mod tests {
    use super::{LENGTH, LINES, Output, Printed};

    fn read(text: &[u8]) -> (Vec<String>, Vec<String>) {
        let mut output = Output::default();
        // As pipes give it: in pieces.
        for piece in text.chunks(7) {
            output.take(piece);
        }
        let Printed { tail, failed, .. } = output.finish();
        (tail, failed.into_iter().collect())
    }

    #[test]
    fn pytest_says_that_it_stopped() {
        let summary = "===== short test summary info =====\nFAILED a::b\n";
        let is_cut = |text: String| {
            let mut output = Output::default();
            output.take(text.as_bytes());
            output.finish().is_cut
        };
        assert!(!is_cut(format!(
            "!!! by a test !!!\n{summary}===== 1 failed =====\n"
        )));
        assert!(is_cut(format!(
            "{summary}!!!!! stopping after 1 failures !!!!!\n"
        )));
    }

    #[test]
    fn names_of_pytest_are_read_from_its_summary() {
        let text =
            b"FAILED not::yet\n=========== \x1b[31mshort test summary info\x1b[0m ===========\n\
            \x1b[31mFAILED\x1b[0m tests/a.py::\x1b[1mtest_x\x1b[0m - assert 1 == 2\r\n\
            FAILED tests/a.py::test_y[a - b] - ValueError: x - y\n\
            FAILED tests/a.py::test_z[1 2]\n\
            ERROR tests/b.py - ImportError: no\n\
            !!!!!! stopping after 4 failures !!!!!!\n\
            ====== 3 failed, 1 error in 0.1s ======\nFAILED nothing::more\n";
        assert_eq!(
            read(text).1,
            [
                "tests/a.py::test_x",
                "tests/a.py::test_y[a - b]",
                "tests/a.py::test_z[1 2]",
                "tests/b.py"
            ]
        );
    }

    #[test]
    fn names_of_unittest_stand_below_a_line() {
        let line = "=".repeat(70);
        let text = format!(
            "ERROR: of a log\n.FE\n{line}\nFAIL: test_a (t.T.test_a)\n----\nERROR: x\n{line}\n\
             ERROR: setUpClass (t.U)\n"
        );
        assert_eq!(
            read(text.as_bytes()).1,
            ["setUpClass (t.U)", "test_a (t.T.test_a)"]
        );
    }

    #[test]
    fn the_last_lines_are_kept_as_text() {
        let (tail, failed) = read(b"\n\n\xff\x1b[2Ka\tb\n\n\n 10%\r 20%\r 30%\r\nend\x07");
        assert_eq!(tail, ["\u{fffd}a    b", "", " 30%", "end"]);
        assert!(failed.is_empty());

        let long = vec![b'x'; 3 * LENGTH];
        assert_eq!(read(&long).0, ["x".repeat(LENGTH)]);
        let (tail, _) = read("line\n".repeat(LINES + 10).as_bytes());
        assert_eq!(tail.len(), LINES);
    }
}
