//! `asyncfix report --html`: the file, and what is in it. How it behaves in a browser is checked by
//! `tests/report_page.py`.

use serde_json::Value;

use crate::project::{CLEAN, Project, SLEEPS, WITHHELD};

/// The page of the project.
fn page<'a>(project: &Project, arguments: impl IntoIterator<Item = &'a str>) -> String {
    let arguments = ["report", "--html", "-"].into_iter().chain(arguments);
    project.run(arguments).stdout
}

/// What the page knows.
fn data(page: &str) -> Value {
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"data\">")
        .unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn a_page_that_cannot_be_written_is_refused_at_once() {
    let project = Project::new([("a.py", SLEEPS), ("folder/b.py", SLEEPS)]);
    for (arguments, problem) in [
        (&["report"][..], "--html <OUT>"),
        (&["report", "--html", "a.py"], "`a.py` is a Python file"),
        (&["report", "--html", "folder"], "`folder` is a directory"),
        (&["report", "--html", "none/a.html"], "no directory `none`"),
        (
            &["report", "--html", "a.html", "--await-slep"],
            "'--await-sleep'",
        ),
    ] {
        let ran = project.run(arguments.iter().copied());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(
            ran.stderr.contains(problem),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    assert_eq!(project.read("a.py"), SLEEPS);
}

#[test]
fn what_writes_or_prints_otherwise_is_refused() {
    let project = Project::of(SLEEPS);
    for argument in [
        "--fix",
        "--diff",
        "--add-ignores",
        "--show-withheld",
        "--output-format=json",
        "--output-file=x",
        "--color=never",
    ] {
        let ran = project.run(["report", "--html", "a.html", argument]);
        assert_eq!(ran.status, 2, "{argument}");
        assert!(
            ran.stderr.contains("cannot be used with"),
            "{argument}: {}",
            ran.stderr
        );
    }
    assert_eq!(project.names(), ["a.py"]);
}

#[test]
fn the_status_is_that_of_a_report() {
    let project = Project::new([("a.py", SLEEPS), ("clean/a.py", CLEAN)]);
    for (arguments, status) in [
        (&["a.py"][..], 1),
        (&["a.py", "--exit-zero"], 0),
        (&["clean"], 0),
        (&["missing.py"], 1),
    ] {
        let all = ["report", "--html", "page.html"];
        let ran = project.run(all.into_iter().chain(arguments.iter().copied()));
        assert_eq!(ran.status, status, "{arguments:?}");
        assert_eq!(ran.stdout, "");
        assert!(
            project.read("page.html").ends_with("</html>\n"),
            "{arguments:?}"
        );
    }
    assert_eq!(project.names(), ["a.py", "clean", "page.html"]);
}

#[test]
fn the_page_has_every_finding_of_the_json_report() {
    let files = [
        ("a.py", SLEEPS),
        ("b/withheld.py", WITHHELD),
        ("bad.py", "f(\n"),
        (
            "b/emoji.py",
            "import time, asyncio\nprint(time)\nasync def f():\n    x = '\u{1f600}'; time.sleep(1)\n",
        ),
    ];
    let project = Project::new(files);
    let json: Value =
        serde_json::from_str(&project.run(["--output-format", "json"]).stdout).unwrap();
    let expected: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| !it["codemod"].is_null())
        .map(|it| {
            (
                it["filename"].clone(),
                Value::from(format!(
                    "{}:{}",
                    it["location"]["row"], it["location"]["column"]
                )),
                it["message"].clone(),
                it["withheld"].clone(),
                it["fix"]["applicability"].clone(),
                it["fix"]["edits"][0]["content"].clone(),
            )
        })
        .collect();
    assert_eq!(expected.len(), 3);
    let data = data(&page(&project, []));
    let mut found = Vec::new();
    for file in data["files"].as_array().unwrap() {
        for item in file["findings"].as_array().unwrap() {
            found.push((
                file["path"].clone(),
                item["at"].clone(),
                item["message"].clone(),
                item["withheld"].clone(),
                item["fix"]["applicability"].clone(),
                item["fix"]["edits"][0]["content"].clone(),
            ));
        }
    }
    assert_eq!(found, expected);
    // The character before it is two units of UTF-16.
    let edit = &data["files"][1]["findings"][0]["fix"]["edits"][0];
    assert_eq!(edit["range"], serde_json::json!([4, 14, 4, 24]));
}

#[test]
fn only_lines_that_are_shown_are_in_the_page() {
    let far = "secret = 1\n".repeat(50);
    let project = Project::of(format!("{far}{SLEEPS}{far}"));
    let data = data(&page(&project, []));
    assert_eq!(
        data["files"][0]["lines"],
        serde_json::json!([{
            "row": 55,
            "lines": ["", "", "async def main():", "    time.sleep(1)", "secret = 1", "secret = 1", "secret = 1"]
        }])
    );
}

#[test]
fn rows_of_a_notebook_are_those_of_the_cell() {
    let project = Project::new([("a.ipynb", NOTEBOOK)]);
    let data = data(&page(&project, ["--await-sleep"]));
    let file = &data["files"][0];
    assert_eq!(file["findings"][0]["at"], "cell 3:2:5");
    assert_eq!(file["cells"][1][0], 3);
    let lines = file["lines"].to_string();
    assert!(
        lines.contains("async def f") && !lines.contains("end of the cell"),
        "{lines}"
    );
}

/// The second cell is no code.
const NOTEBOOK: &str = r#"{"cells": [
 {"cell_type": "code", "source": ["import time\n", "import asyncio\n", "time.time()"], "metadata": {}, "outputs": [], "execution_count": null},
 {"cell_type": "markdown", "source": ["text"], "metadata": {}},
 {"cell_type": "code", "source": ["async def f():\n", "    time.sleep(1)"], "metadata": {}, "outputs": [], "execution_count": null}
], "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 4}
"#;

#[test]
fn the_page_loads_nothing() {
    let page = page(&Project::of(SLEEPS), []);
    for load in [
        "src=", "url(", "@import", "import(", "fetch(", "<link", "<iframe", "<form",
    ] {
        assert!(!page.contains(load), "{load}");
    }
    assert!(page.contains("content=\"default-src 'none'; script-src 'sha256-"));
    let links = page.split("href=\"").skip(1);
    assert!(links.map(|it| &it[..1]).all(|it| it == "#"));
}

#[test]
fn nothing_that_was_found_becomes_markup_or_turns_the_text() {
    let hostile = "</script><!-- \u{202e}\u{2028}\u{2066} {{data}} '\\ud800'";
    let text = SLEEPS.replace("sleep(1)", &format!("sleep(1)  # {hostile}"));
    let project = Project::new([("a.py", SLEEPS), ("b\u{202e}<b>.py", &text)]);
    #[cfg(unix)]
    {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let name = OsStr::from_bytes(b"\xff<script>.py");
        std::fs::write(project.root().join(name), SLEEPS).unwrap();
    }
    let harmless = page(&Project::of(SLEEPS), []);
    let page = page(&project, ["."]);
    for markup in ["<script", "</script", "<!--", "<b>"] {
        let count = |page: &str| page.matches(markup).count();
        assert_eq!(count(&page), count(&harmless), "{markup}");
    }
    assert!(!page.contains(['\u{202e}', '\u{2028}', '\u{2066}']));
    let data = data(&page);
    let paths: Vec<_> = data["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert!(paths.contains(&"b\u{202e}<b>.py"), "{paths:?}");
    let lines = data["files"][1]["lines"][0]["lines"].to_string();
    assert!(
        serde_json::from_str::<Vec<String>>(&lines)
            .unwrap()
            .iter()
            .any(|line| line.ends_with(hostile))
    );
}

#[test]
fn a_run_with_files_that_could_not_be_analysed_does_not_look_clean() {
    let project = Project::new([
        ("a.py", CLEAN),
        ("bad.py", "async def f(:\n    time.sleep(1)\n"),
    ]);
    let page = page(&project, []);
    assert!(page.contains("1 file could not be analysed</h2>"));
    assert!(page.contains("<code>bad.py:1:13</code> cannot be parsed"));
    assert_eq!(data(&page)["failures"][0]["place"], "bad.py:1:13");
    let clean = self::page(&Project::of(CLEAN), []);
    assert!(!clean.contains("could not be analysed</h2>"));
}

#[test]
fn codemods_are_selected_as_in_a_run() {
    let project = Project::of(SLEEPS);
    assert_eq!(
        data(&page(&project, ["--gather-to-taskgroup"]))["files"],
        serde_json::json!([])
    );
    let data = data(&page(&project, ["--await-sleep"]));
    assert_eq!(
        data["about"]["codemods"],
        serde_json::json!(["await-sleep"])
    );
    assert_eq!(data["codemods"][0]["name"], "await-sleep");
    assert_eq!(data["files"][0]["path"], "a.py");
}

#[test]
fn the_page_names_the_revision() {
    let project = Project::of(SLEEPS);
    assert!(data(&page(&project, []))["about"]["revision"].is_null());
    for arguments in [
        &["init", "-q", "-b", "topic"][..],
        &["add", "a.py"],
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "-qm",
            "a",
        ],
    ] {
        project.tool("git", arguments, b"");
    }
    let commit = project.tool("git", &["rev-parse", "HEAD"], b"").stdout;
    let revision = &data(&page(&project, []))["about"]["revision"];
    assert_eq!(
        revision["commit"],
        String::from_utf8(commit).unwrap().trim()
    );
    assert_eq!(revision["branch"], "topic");
}
