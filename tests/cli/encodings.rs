//! How files are read, and written back as they were.

use crate::project::{AWAITS, Project, SLEEPS};

/// What `--fix` makes of the file.
fn fixed(bytes: impl AsRef<[u8]>) -> String {
    let project = Project::of(bytes);
    let ran = project.run(["--fix"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    project.bytes("a.py").escape_ascii().to_string()
}

fn escaped(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().escape_ascii().to_string()
}

fn after(head: &[u8], text: &str) -> Vec<u8> {
    [head, text.as_bytes()].concat()
}

#[test]
fn the_byte_order_mark_stays() {
    let mark = b"\xef\xbb\xbf";
    assert_eq!(fixed(after(mark, SLEEPS)), escaped(after(mark, AWAITS)));
}

#[test]
fn line_ends_stay() {
    for end in ["\r\n", "\r"] {
        let text = SLEEPS.replace('\n', end);
        assert_eq!(fixed(text), escaped(AWAITS.replace('\n', end)));
    }
    let mixed = SLEEPS.replacen('\n', "\r\n", 3);
    assert_eq!(fixed(mixed), escaped(AWAITS.replacen('\n', "\r\n", 3)));
}

#[test]
fn a_missing_final_newline_stays_missing() {
    assert_eq!(fixed(SLEEPS.trim_end()), escaped(AWAITS.trim_end()));
}

#[test]
fn declared_encodings_stay() {
    for head in [
        &b"# coding: latin-1\n# \xe9\x80\x85\n"[..],
        b"#!/usr/bin/env python\n# -*- coding: cp1252 -*-\n# \x80\n",
        b"# coding: iso-8859-15\n# \xa4\n",
        b"# coding: koi8-r\n# \xc1\xc2\n",
        b"# coding: gbk\n# \xc4\xe3\xba\xc3\n",
        b"# coding: euc-jp\n# \xa4\xa2\n",
        b"# coding: shift_jis\n# \x82\xa0\x83\x5c\n",
    ] {
        assert_eq!(fixed(after(head, SLEEPS)), escaped(after(head, AWAITS)));
    }
}

#[test]
fn what_cannot_be_decoded_is_named_and_left_alone() {
    for (bytes, message) in [
        (
            after(b"# \xe9\n", SLEEPS),
            "a.py:1: byte 0xe9 at offset 2 is not UTF-8: declare the file's encoding",
        ),
        (
            after(b"# coding: ascii\n# \xe9\n", SLEEPS),
            "a.py:2: byte 0xe9 at offset 18 is not ASCII: ",
        ),
        (
            after(b"# coding: klingon\n", SLEEPS),
            "a.py:1: is declared to be klingon, which is not supported: ",
        ),
        (
            after(b"\xef\xbb\xbf# coding: latin-1\n", SLEEPS),
            "a.py:1: starts with the byte order mark of UTF-8, but is ",
        ),
        (
            after(b"# coding: shift_jis\n# \x87\x90\n", SLEEPS),
            "a.py: does not survive being decoded as Shift_JIS ",
        ),
        (
            after(b"# a\0b\n", SLEEPS),
            "a.py:1: holds a NUL byte (offset 3), which Python refuses\n",
        ),
    ] {
        let project = Project::of(&bytes);
        let ran = project.run(["--fix"]);
        assert_eq!(ran.status, 1);
        assert!(ran.stderr.starts_with(message), "{}", ran.stderr);
        assert!(
            ran.stderr
                .ends_with("No findings in 1 file. 1 file could not be analysed.\n")
        );
        assert_eq!(project.bytes("a.py"), bytes);
    }
}
