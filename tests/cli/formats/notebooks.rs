//! Findings in notebooks: services read the file, whose lines are those of its JSON.

use serde_json::Value;

use super::{apply, diagnostics, fixes, number, report, sarif_run, values};
use crate::notebooks::{IMPORT, MAIN, MARKDOWN, RUN, notebook};
use crate::project::Project;

/// Imports that go and come, a definition at the end of a cell, and two cells that change.
const CELLS: [(&str, &str); 6] = [
    MARKDOWN,
    ("code", "import time\nfrom os import sep"),
    ("code", "# \u{e9}\u{1f600}\nprint(sep)"),
    (
        "code",
        "async def f():\n    time.sleep(1); x = '\u{e9}\u{1f600}'; time.sleep(2)\n    print(x)",
    ),
    (
        "code",
        "import asyncio\n\nasync def g():\n    asyncio.create_task(f())\n    await asyncio.gather(f(), f())\n",
    ),
    RUN,
];

/// Without white space, as some programs write them.
fn on_one_line(text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap();
    value.to_string()
}

#[test]
fn what_is_proposed_is_what_fix_writes() {
    let pretty = notebook(&CELLS);
    let line = on_one_line(&pretty);
    let ascii = |text: &str| {
        text.replace('\u{e9}', "\\u00e9")
            .replace('\u{1f600}', "\\ud83d\\ude00")
    };
    let strings = pretty
        .replace("\\n\",\n    \"", "\\n")
        .replace("[\n    \"", "\"");
    let strings = strings.replace("\"\n   ]", "\"");
    let written: Value = serde_json::from_str(&strings).unwrap();
    assert_eq!(written["cells"][1]["source"], CELLS[1].1);
    let files = [
        ("pretty.ipynb", pretty.clone()),
        ("ascii.ipynb", ascii(&pretty)),
        ("crlf.ipynb", pretty.replace('\n', "\r\n")),
        ("no end.ipynb", pretty.trim_end().to_string()),
        ("mark.ipynb", format!("\u{feff}{pretty}")),
        ("strings.ipynb", strings),
        ("one line.ipynb", line.clone()),
        ("one line with end.ipynb", line.clone() + "\n"),
        ("one line ascii.ipynb", ascii(&line)),
        ("one line mark.ipynb", format!("\u{feff}{line}")),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    for arguments in [&[][..], &["--all", "--unsafe-fixes"], &["--safe-only"]] {
        fixes::check(&files, arguments);
    }
}

#[test]
fn a_cell_that_loses_all_lines_or_gets_its_first_is_proposed_too() {
    let text = notebook(&[
        ("code", "import time"),
        ("code", "import asyncio"),
        ("code", "async def f():\n    time.sleep(1)"),
    ]);
    fixes::check(&[("a.ipynb", &text)], &[]);
}

#[test]
fn single_fixes_of_sarif_can_be_merged() {
    for text in [notebook(&CELLS), on_one_line(&notebook(&CELLS))] {
        let files = [("a.ipynb", text.as_str())];
        let (project, fixed) = fixes::pair(&files, &[]);
        while apply::finding_fixes(&project, &sarif_run(&report(&project, "sarif", &[]))) > 0 {}
        // Imports that are left unused belong to no finding.
        let left = project.run(["--isolated", "--no-types"]);
        assert_eq!(left.stdout, "");
        let unused = "    \"import time\\n\",\n";
        let (actual, expected) = (project.read("a.ipynb"), fixed.read("a.ipynb"));
        assert_eq!(
            actual
                .replace(unused, "")
                .replace("\"import time\\n\",", ""),
            expected
        );
    }
}

/// Of the only finding: its row, its columns and its message.
fn found(project: &Project, format: &str) -> (usize, [usize; 2], String) {
    let ran = report(project, format, &[]);
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let numbers = |values: [&Value; 3]| {
        let [row, start, end] = values.map(number);
        (row, [start, end])
    };
    let ((row, columns), message) = match format {
        "sarif" => {
            let run = sarif_run(&ran);
            let result = &run["results"][0];
            let region = &result["locations"][0]["physicalLocation"]["region"];
            let places = ["startLine", "startColumn", "endColumn"].map(|it| &region[it]);
            (numbers(places), text(&result["message"]["text"]))
        }
        "rdjson" => {
            let found = diagnostics(&ran);
            let first = found.iter().find(|it| it["severity"] != "INFO").unwrap();
            let (start, end) = (
                &first["location"]["range"]["start"],
                &first["location"]["range"]["end"],
            );
            assert_eq!(start["line"], end["line"]);
            let places = [&start["line"], &start["column"], &end["column"]];
            (numbers(places), text(&first["message"]))
        }
        "gitlab" => {
            let issue = &values(&ran)[0][0];
            let row = number(&issue["location"]["lines"]["begin"]);
            ((row, [0, 0]), text(&issue["description"]))
        }
        "github" => {
            let (place, message) = ran.stdout[2..].split_once("::").unwrap();
            let number = |key: &str| {
                let (_, rest) = place.split_once(key).unwrap();
                let end = rest.find([',', ' ']).unwrap_or(rest.len());
                rest[..end].parse().unwrap()
            };
            let columns = [number(",col="), number(",endColumn=")];
            ((number(",line="), columns), message.to_string())
        }
        "junit" => {
            let attribute = |key: &str| {
                let (_, rest) = ran.stdout.split_once(&format!(" {key}=\"")).unwrap();
                rest[..rest.find('"').unwrap()].to_string()
            };
            let (_, rest) = ran.stdout.split_once("message=\"").unwrap();
            let message = rest[..rest.find('"').unwrap()].to_string();
            let (_, case) = ran.stdout.split_once("<testcase name=\"").unwrap();
            assert!(case.starts_with("await-sleep at cell 3:2:16\""), "{case}");
            ((attribute("line").parse().unwrap(), [0, 0]), message)
        }
        _ => unreachable!(),
    };
    (row, columns, message)
}

#[test]
fn places_are_those_of_the_json_and_messages_name_the_cell() {
    let cell = "async def f():\n    x = '\u{e9}\u{1f600}\"'; time.sleep(1)";
    let text = notebook(&[MARKDOWN, IMPORT, ("code", cell)]);
    let row = 1 + text
        .split_once("time.sleep")
        .unwrap()
        .0
        .matches('\n')
        .count();
    let line = text.lines().nth(row - 1).unwrap();
    let at = line.find("time.sleep(1)").unwrap();
    let utf8 = 1 + at;
    let characters = 1 + line[..at].chars().count();
    let project = Project::new([("a.ipynb", text.as_str())]);
    let ends = |column: usize| [column, column + "time.sleep(1)".len()];
    for (format, columns) in [
        ("sarif", ends(characters + 1)),
        ("rdjson", ends(utf8)),
        ("github", ends(characters)),
        ("gitlab", [0, 0]),
        ("junit", [0, 0]),
    ] {
        let (found, at, message) = found(&project, format);
        assert_eq!((found, at), (row, columns), "{format}");
        assert!(
            message.starts_with("cell 3:2:16: `time.sleep` blocks"),
            "{format}: {message}"
        );
    }
    // All of it is in the first line.
    project.write("a.ipynb", on_one_line(&text));
    let text = project.read("a.ipynb");
    let at = text.find("time.sleep(1)").unwrap();
    assert_eq!(found(&project, "rdjson").1, ends(1 + at));
    for format in ["sarif", "github", "gitlab", "junit"] {
        assert_eq!(found(&project, format).0, 1, "{format}");
    }
}

#[test]
fn a_fingerprint_of_gitlab_does_not_change_with_the_outputs() {
    let text = notebook(&[MARKDOWN, IMPORT, MAIN]);
    let print = |text: &str| {
        let project = Project::new([("a.ipynb", text)]);
        values(&report(&project, "gitlab", &[]))[0][0]["fingerprint"].clone()
    };
    assert_eq!(print(&text), print(&text.replace("{}", "{\n\n}")));
    assert_eq!(print(&text), print(&on_one_line(&text)));
}

/// Where a cell that cannot be parsed is said to be: rows of the file, and the messages.
fn broken(project: &Project, arguments: &[&str]) -> (Vec<usize>, Vec<String>) {
    let ran = report(project, "sarif", arguments);
    let notification = sarif_run(&ran)["invocations"][0]["toolExecutionNotifications"][0].clone();
    let region = &notification["locations"][0]["physicalLocation"]["region"];
    let mut rows = vec![number(&region["startLine"])];
    let mut messages = vec![notification["message"]["text"].clone()];
    if arguments.is_empty() {
        let found = diagnostics(&report(project, "rdjson", &[]));
        let error = found.iter().find(|it| it["severity"] == "ERROR").unwrap();
        rows.push(number(&error["location"]["range"]["start"]["line"]));
        messages.push(error["message"].clone());
        let issues = values(&report(project, "gitlab", &[])).remove(0);
        let issues = issues.as_array().unwrap().iter();
        let issue = issues
            .clone()
            .find(|it| it["severity"] == "blocker")
            .unwrap();
        rows.push(number(&issue["location"]["lines"]["begin"]));
        messages.push(issue["description"].clone());
    }
    let messages = messages.iter().map(|it| it.as_str().unwrap().to_string());
    (rows, messages.collect())
}

#[test]
fn a_broken_cell_is_where_the_file_has_it_before_and_after_a_fix() {
    let cells = [
        ("code", "from time import sleep"),
        ("code", "async def f():\n    sleep(1)\n    print(sleep)"),
        ("code", "x = 1\nsleep(1"),
    ];
    let project = Project::new([("a.ipynb", notebook(&cells).as_str())]);
    let row = || {
        let text = project.read("a.ipynb");
        1 + text
            .split_once("\"sleep(1\"")
            .unwrap()
            .0
            .matches('\n')
            .count()
    };
    let (before, message) = (row(), "cell 3:2:8: cannot be parsed: ");
    let (rows, messages) = broken(&project, &[]);
    assert_eq!(rows, [before; 3]);
    assert!(
        messages.iter().all(|it| it.starts_with(message)),
        "{messages:?}"
    );
    let (rows, messages) = broken(&project, &["--fix"]);
    assert_eq!(rows, [before + 1]);
    assert_eq!(rows, [row()]);
    assert!(messages[0].starts_with(message), "{messages:?}");
}
