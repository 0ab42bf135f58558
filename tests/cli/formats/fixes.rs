//! What a report proposes, applied by another program, is what `--fix` writes.

use super::{apply, diagnostics, report, sarif_run};
use crate::project::Project;

/// Two projects of these files, of which the second was fixed.
pub fn pair(files: &[(&str, &str)], arguments: &[&str]) -> (Project, Project) {
    let made = || Project::new(files.iter().copied());
    let fixed = made();
    report(&fixed, "concise", &[&["--fix"], arguments].concat());
    (made(), fixed)
}

#[track_caller]
fn assert_same(actual: &Project, expected: &Project, files: &[(&str, &str)]) {
    for (name, before) in files {
        let text = actual.read(name);
        assert_eq!(text, expected.read(name), "{name}");
        assert_ne!(text, *before, "{name}: nothing was fixed");
    }
}

/// Checks each format that carries what becomes of whole files.
#[track_caller]
pub fn check(files: &[(&str, &str)], arguments: &[&str]) {
    for format in ["rdjson", "rdjsonl"] {
        let (project, fixed) = pair(files, arguments);
        let found = diagnostics(&report(&project, format, arguments));
        apply::suggestions(&project, &found);
        assert_same(&project, &fixed, files);
    }
    let (project, fixed) = pair(files, arguments);
    let run = sarif_run(&report(&project, "sarif", arguments));
    assert_eq!(apply::file_fixes(&project, &run), files.len());
    assert_same(&project, &fixed, files);
}

const TWO: &str =
    "import time\n\n\nasync def f():\n    time.sleep(1); time.sleep(2)\n    time.sleep(3)\n";

#[test]
fn imports_that_come_and_go_are_proposed_too() {
    check(
        &[
            ("a.py", TWO),
            (
                "b c/\u{e9}.py",
                "import time\nasync def g(): time.sleep(1)\n",
            ),
        ],
        &[],
    );
}

#[test]
fn line_ends_and_byte_order_marks_are_kept() {
    let crlf = TWO.replace('\n', "\r\n");
    let cr = TWO.replace('\n', "\r");
    let mark = format!("\u{feff}{crlf}");
    let no_end = TWO.trim_end().to_string();
    let mixed = TWO.replacen('\n', "\r\n", 1);
    let files = [
        ("crlf.py", crlf.as_str()),
        ("cr.py", &cr),
        ("mark.py", &mark),
        ("mixed.py", &mixed),
        ("no_end.py", &no_end),
    ];
    check(&files, &[]);
}

#[test]
fn characters_of_any_width_are_kept() {
    let wide = TWO.replace(
        "time.sleep(1);",
        "x = '\u{e9}e\u{301}\u{1f600}'; time.sleep(1);",
    );
    check(&[("a.py", &wide)], &[]);
}

/// The inner call is fixed when the outer one is not in the way any longer.
const NESTED: &str = "\
import asyncio


async def f(x):
    await asyncio.gather(*[x(await asyncio.gather(*[x(i) for i in range(3)])) for _ in range(2)])
    await asyncio.wait_for(asyncio.gather(x(1), x(2)), 3)


async def x(y):
    asyncio.create_task(x(asyncio.create_task(x(1))))
";

#[test]
fn fixes_that_wait_for_others_are_proposed_with_them() {
    check(&[("a.py", NESTED)], &["--all", "--target-version", "py311"]);
}

#[test]
fn unsafe_fixes_are_suggested_where_they_are_applied() {
    let text = "import time\nasync def f(n): time.sleep(n)\n";
    let project = Project::of(text);
    for arguments in [&["--unsafe-fixes"][..], &[], &["--safe-only"]] {
        let (project, fixed) = pair(&[("a.py", text)], arguments);
        let found = diagnostics(&report(&project, "rdjson", arguments));
        apply::suggestions(&project, &found);
        assert_eq!(project.read("a.py"), fixed.read("a.py"), "{arguments:?}");
    }
    // What --safe-only leaves out is proposed by nothing but SARIF, which says what it is.
    let found = diagnostics(&report(&project, "rdjson", &["--safe-only"]));
    assert!(found[0]["suggestions"].is_null());
    let run = sarif_run(&report(&project, "sarif", &["--safe-only"]));
    let fixes = run["results"][0]["fixes"].as_array().unwrap();
    assert_eq!(fixes.len(), 1);
    assert_eq!(fixes[0]["properties"]["applicability"], "intended");
    assert_eq!(fixes[0]["properties"]["scope"], "finding");
}

#[test]
fn single_fixes_of_sarif_can_be_merged() {
    // Both add the import; the other one is used elsewhere, and stays.
    let text = format!("{TWO}\n\nprint(time.time())\n");
    let (project, fixed) = pair(&[("a.py", &text)], &[]);
    while apply::finding_fixes(&project, &sarif_run(&report(&project, "sarif", &[]))) > 0 {}
    assert_same(&project, &fixed, &[("a.py", &text)]);
}

#[test]
fn after_a_fix_nothing_is_proposed_again() {
    let (_, fixed) = pair(&[("a.py", TWO)], &[]);
    assert_eq!(diagnostics(&report(&fixed, "rdjson", &[])).len(), 0);
    let project = Project::of(TWO.replace(
        "time.sleep(3)",
        "try:\n        x()\n    finally:\n        time.sleep(3)",
    ));
    let ran = report(&project, "rdjson", &["--fix"]);
    let found = diagnostics(&ran);
    assert_eq!(found.len(), 1, "{}", ran.stdout);
    assert!(found[0]["suggestions"].is_null());
}

#[test]
fn what_belongs_to_a_suggestion_names_the_lines_that_need_it() {
    let found = diagnostics(&report(&Project::of(TWO), "rdjson", &[]));
    let shown: Vec<String> = found
        .iter()
        .map(|it| {
            let message = it["message"].as_str().unwrap();
            let related = it["related_locations"].as_array().map_or(0, Vec::len);
            format!(
                "{} {} {related}",
                it["severity"],
                message.split(':').next().unwrap()
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "\"INFO\" belongs to what is suggested for lines 5, 6 0",
            "\"WARNING\" `time.sleep` blocks the event loop 1",
            "\"WARNING\" `time.sleep` blocks the event loop 1",
            "\"WARNING\" `time.sleep` blocks the event loop 1",
        ]
    );
}
