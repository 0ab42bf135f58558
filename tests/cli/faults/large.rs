//! Far too much of everything. Time and memory grow with what there is to do, and not with its
//! square: what took minutes here would be that.

use super::run_in_time;
use crate::project::Project;

const HEAD: &str = "import asyncio\nimport time\n\nprint(time.time())\n\n\n";

fn lines(ran: &str, words: &str) -> usize {
    ran.lines().filter(|line| line.contains(words)).count()
}

/// In all text formats, as a page and as a patch.
#[track_caller]
fn check(text: &str, count: usize) {
    let project = Project::of(text);
    for format in [
        "concise",
        "full",
        "json-lines",
        "sarif",
        "github",
        "rdjsonl",
        "gitlab",
    ] {
        let arguments = [
            "--no-types",
            "--output-file",
            "out",
            "--output-format",
            format,
        ];
        let ran = run_in_time(&project, arguments);
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        assert!(
            ran.stderr.contains(&format!("Found {count} findings ")),
            "{}",
            ran.stderr
        );
        let size = project.bytes("out").len();
        assert!(
            size < 4_000 * count,
            "{format}: {size} bytes for {count} findings"
        );
    }
    assert_eq!(
        lines(&project.run(["--statistics"]).stdout, "await-sleep"),
        1
    );
    for arguments in [
        &["--diff", "--output-file", "out"][..],
        &["report", "--html", "out", "."],
        &["--baseline", "known.json", "--update-baseline"],
        &["--baseline", "known.json"],
        &["--fix"],
    ] {
        let arguments = [arguments, &["--no-types"]].concat();
        let ran = run_in_time(&project, arguments.iter().copied());
        assert!(
            (0..2).contains(&ran.status),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    assert_eq!(
        project.run(["--no-types"]).stderr,
        "No findings in 1 file.\n"
    );
}

#[test]
fn many_findings_in_a_file() {
    let count = 1_000;
    check(
        &format!(
            "{HEAD}async def f():\n{}",
            "    time.sleep(1)\n".repeat(count)
        ),
        count,
    );
}

#[test]
fn many_findings_on_a_line() {
    let count = 1_000;
    check(
        &format!("{HEAD}async def f(): {}\n", "time.sleep(1); ".repeat(count)),
        count,
    );
}

#[test]
fn a_line_of_ten_megabytes() {
    let long = "x".repeat(10 << 20);
    let text = format!("{HEAD}async def f():\n    time.sleep(1); y = '{long}'; time.sleep(2)\n");
    let project = Project::of(&text);
    for format in ["concise", "full", "sarif"] {
        let arguments = [
            "--no-types",
            "--output-file",
            "out",
            "--output-format",
            format,
        ];
        assert_eq!(run_in_time(&project, arguments).status, 1);
    }
    assert_eq!(run_in_time(&project, ["--fix", "--no-types"]).status, 0);
    assert_eq!(
        project.bytes("a.py").len(),
        text.len() + 2 * "await asyncio.".len() - 2 * "time.".len()
    );
}

/// Each kind of nesting: what stands before, what is in the middle, and what stands behind.
const NESTED: &[(&str, &str, &str)] = &[
    ("(", "1", ")"),
    ("[", "1", "]"),
    ("{1: ", "1", "}"),
    ("f(", "1", ")"),
    ("-", "1", ""),
    ("not ", "1", ""),
    ("lambda: ", "1", ""),
    ("1 if 1 else ", "1", ""),
    ("1 + ", "1", ""),
    ("1 ** ", "1", ""),
    ("(1 + ", "1", ")"),
    ("", "f", "()"),
    ("", "f", ".x"),
    ("", "f", "[0]"),
    ("", "1", " + 1"),
    ("", "1", " and 1"),
    ("", "1", " < 1"),
    ("[1 for x in ", "y", "]"),
    ("(x := ", "1", ")"),
    ("*", "x", ","),
    ("f'{", "1", "}'"),
];

#[test]
fn code_is_nested_to_the_limit_and_beyond() {
    let project = Project::new([]);
    let mut count = 0;
    for (number, (before, middle, after)) in NESTED.iter().enumerate() {
        for depth in [190, 30_000] {
            // The parser takes the square of it for f-strings, of which CPython nests 150.
            let is_string = before.starts_with('f') && before.ends_with('{');
            let depth = if is_string { depth.min(500) } else { depth };
            let nested = [&before.repeat(depth), *middle, &after.repeat(depth)].concat();
            let text = format!("{HEAD}async def f():\n    time.sleep(1)\n    x = {nested}\n");
            project.write(&format!("a{number}_{depth}.py"), text);
            count += 1;
        }
    }
    for depth in [90, 1_000] {
        for (number, header) in ["if x:", "while x:", "with x:", "async def f():", "class A:"]
            .iter()
            .enumerate()
        {
            let mut text = HEAD.to_string();
            for level in 0..depth {
                text.push_str(&" ".repeat(level));
                text.push_str(header);
                text.push('\n');
            }
            text.push_str(&" ".repeat(depth));
            text.push_str("time.sleep(1)\n");
            project.write(&format!("b{number}_{depth}.py"), text);
            count += 1;
        }
        project.write(
            &format!("c_{depth}.py"),
            format!("{HEAD}if x: pass\n{}", "elif x: pass\n".repeat(depth)),
        );
        count += 1;
    }
    for arguments in [
        &["--all"][..],
        &["--diff", "--all"],
        &["--fix", "--unsafe-fixes"],
    ] {
        let arguments = [arguments, &["--no-types", "--output-file", "out"]].concat();
        let ran = run_in_time(&project, arguments.iter().copied());
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        let said = format!(" {count} file");
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    }
}
