//! Paths that are no text, in every format.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::project::{AWAITS, Project, SLEEPS};

#[test]
fn a_path_that_is_no_text_is_reported_in_every_format() {
    let project = Project::new([]);
    let path = project.root().join(OsStr::from_bytes(b"caf\xe9.py"));
    fs::write(&path, SLEEPS).unwrap();
    let broken = project.root().join(OsStr::from_bytes(b"bad\xe9.py"));
    fs::write(broken, "def f(:\n").unwrap();
    let formats = project.run(["--output-format", "nothing"]).stderr;
    let formats = formats.split_once("[possible values: ").unwrap().1;
    let formats = formats.split_once(']').unwrap().0.split(", ");
    for format in formats {
        let output = project
            .command(["--output-format", format])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{format}");
        let text = String::from_utf8(output.stdout).expect(format);
        assert!(
            text.contains("caf\u{fffd}.py") || text.contains("caf%E9.py"),
            "{format}: {text}"
        );
        match format {
            "json" | "gitlab" | "sarif" | "rdjson" => {
                serde_json::from_str::<serde_json::Value>(&text).expect(format);
            }
            "json-lines" | "rdjsonl" => {
                for line in text.lines() {
                    serde_json::from_str::<serde_json::Value>(line).expect(format);
                }
            }
            _ => {}
        }
    }
    for arguments in [
        &["--diff"][..],
        &["--statistics"],
        &["--baseline", "known.json", "--update-baseline"],
        &["report", "--html", "page", "."],
        &["-vv"],
    ] {
        let ran = project.run(arguments.iter().copied());
        assert!(
            (0..2).contains(&ran.status),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    assert_eq!(project.run(["--fix"]).status, 1);
    assert_eq!(fs::read_to_string(path).unwrap(), AWAITS);
}
