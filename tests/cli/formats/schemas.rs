//! A run over the standard library's asyncio and the programs of this repository, in each format.

#[path = "../../pages/interpreter.rs"]
#[allow(dead_code)] // The other half of it is what tests/pages looks at.
mod interpreter;

use std::collections::BTreeSet;
use std::path::Path;

use boon::{Compiler, Draft, Schemas};
use serde_json::Value;

use crate::notebooks::{IMPORT, MAIN, MARKDOWN, RUN, notebook};

use super::{PEOPLE, PROGRAMS, apply, diagnostics, report, sarif_run, values};
use crate::project::Project;
use interpreter::Interpreter;

/// The project: a git repository with two folders.
fn project() -> Project {
    let project = Project::new([]);
    let script = "import os, shutil, sys, sysconfig
asyncio = os.path.join(sysconfig.get_path('stdlib'), 'asyncio')
shutil.copytree(asyncio, 'a b/asyncio', ignore=shutil.ignore_patterns('__pycache__'))
shutil.copytree(sys.argv[1], 'programs')";
    let interpreter = Interpreter::find().unwrap();
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let python = interpreter.path().to_str().unwrap();
    project.tool(python, &["-c", script, programs.to_str().unwrap()], b"");
    let cells = [MARKDOWN, IMPORT, MAIN, RUN];
    project.write("programs/a.ipynb", notebook(&cells));
    project.tool("git", &["init", "-q", "."], b"");
    project
}

/// The project with what cannot be parsed: a module, a notebook, and a cell between others.
fn with_broken(project: Project) -> Project {
    project.write("bad.py", "async def f(:\n    time.sleep(1)\n");
    project.write("bad.ipynb", "{\n \"cells\": [");
    let cells = [IMPORT, ("code", "asyncio.create_task(main("), MAIN];
    project.write("programs/b.ipynb", notebook(&cells));
    project
}

/// Fails with what is wrong.
#[track_caller]
fn validate(schema: &str, draft: Draft, value: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/schemas");
    let text = std::fs::read_to_string(folder.join(schema)).unwrap();
    let mut compiler = Compiler::new();
    compiler.set_default_draft(draft);
    compiler.enable_format_assertions();
    compiler
        .add_resource("schema.json", serde_json::from_str(&text).unwrap())
        .unwrap();
    let mut schemas = Schemas::new();
    let schema = compiler.compile("schema.json", &mut schemas).unwrap();
    let problem = schemas.validate(value, schema).err();
    let problem = problem.map_or_else(String::new, |error| format!("{error:#}"));
    assert_eq!(problem, "");
}

const EVERYTHING: &[&str] = &["--all", "--unsafe-fixes", "--target-version", "py311"];

#[test]
fn sarif_is_valid_and_its_fixes_are_those_of_fix() {
    let (project, fixed) = (with_broken(project()), with_broken(project()));
    let ran = report(&project, "sarif", EVERYTHING);
    validate("sarif-2.1.0.json", Draft::V2020_12, &values(&ran)[0]);
    let run = sarif_run(&ran);
    let results = run["results"].as_array().unwrap();
    let prints = results.iter().map(|it| {
        let prints = &it["partialFingerprints"];
        assert!(
            prints["primaryLocationLineHash"]
                .as_str()
                .unwrap()
                .contains(':')
        );
        prints["asyncfix/v1"].as_str().unwrap()
    });
    let prints: BTreeSet<&str> = prints.collect();
    assert_eq!(prints.len(), results.len());
    for result in results {
        let rule = &run["tool"]["driver"]["rules"][super::number(&result["ruleIndex"])];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    report(&fixed, "concise", &[EVERYTHING, &["--fix"]].concat());
    assert!(apply::file_fixes(&project, &run) > 3);
    assert_same(&project, &fixed);
}

#[test]
fn rdjson_is_valid_and_its_suggestions_are_those_of_fix() {
    for format in ["rdjson", "rdjsonl"] {
        let (project, fixed) = (with_broken(project()), with_broken(project()));
        let ran = report(&project, format, EVERYTHING);
        for value in values(&ran) {
            validate("rdformat.json", Draft::V7, &value);
        }
        report(&fixed, "concise", &[EVERYTHING, &["--fix"]].concat());
        assert!(apply::suggestions(&project, &diagnostics(&ran)) > 5);
        assert_same(&project, &fixed);
    }
}

fn assert_same(actual: &Project, expected: &Project) {
    let (actual, expected) = (actual.root().to_str(), expected.root().to_str());
    let arguments = ["-r", "-q", "-x", ".git", actual.unwrap(), expected.unwrap()];
    Project::new([]).tool("diff", &arguments, b"");
}

#[test]
fn junit_is_what_it_says() {
    let project = project();
    project.write("bad.py", "async def f(:\n    time.sleep(1)\n");
    project.write("\u{7}odd & <name>.py", crate::project::SLEEPS);
    let ran = report(&project, "junit", EVERYTHING);
    let script = "import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.stdin).getroot()
assert root.tag == 'testsuites' and root.get('name') == 'asyncfix'
suites = list(root)
for what in ['tests', 'failures', 'errors']:
    assert int(root.get(what)) == sum(int(suite.get(what)) for suite in suites), what
names = set()
for suite in suites:
    cases = list(suite)
    assert suite.tag == 'testsuite' and cases
    assert int(suite.get('tests')) == len(cases)
    for what, tag in [('failures', 'failure'), ('errors', 'error')]:
        assert int(suite.get(what)) == sum(case[0].tag == tag for case in cases), what
    for case in cases:
        assert case.tag == 'testcase' and len(case) == 1 and case[0].get('message')
        assert case.get('file') == suite.get('name')
        names.add((case.get('file'), case.get('name')))
assert len(names) == int(root.get('tests')) and len(suites) > 5
assert int(root.get('errors')) == 1
assert any('odd & <name>.py' in suite.get('name') for suite in suites)";
    let interpreter = Interpreter::find().unwrap();
    let python = interpreter.path().to_str().unwrap();
    project.tool(python, &["-c", script], ran.stdout.as_bytes());
    let objects = values(&report(&project, "json", EVERYTHING));
    let count = objects[0].as_array().unwrap().len();
    assert!(
        ran.stdout
            .contains(&format!("<testsuites name=\"asyncfix\" tests=\"{count}\""))
    );
}

#[test]
fn fingerprints_of_gitlab_are_unique() {
    let ran = report(&project(), "gitlab", EVERYTHING);
    let issues = values(&ran).remove(0);
    let issues = issues.as_array().unwrap();
    let prints: BTreeSet<&str> = issues
        .iter()
        .map(|it| it["fingerprint"].as_str().unwrap())
        .collect();
    assert!(prints.len() > 5);
    assert_eq!(prints.len(), issues.len());
}

#[test]
fn all_formats_say_the_same_and_to_a_file_too() {
    let project = project();
    let json = values(&report(&project, "json", EVERYTHING)).remove(0);
    let count = json.as_array().unwrap().len();
    for format in PROGRAMS.iter().chain(&PEOPLE) {
        let arguments = [EVERYTHING, &["--show-withheld"]].concat();
        let printed = report(&project, format, &arguments);
        let counted = match *format {
            "json" | "gitlab" => values(&printed)[0].as_array().unwrap().len(),
            "json-lines" => values(&printed).len(),
            "github" | "concise" => printed.stdout.lines().count(),
            "sarif" => sarif_run(&printed)["results"].as_array().unwrap().len(),
            "rdjson" | "rdjsonl" => {
                let found = diagnostics(&printed);
                found.iter().filter(|it| it["severity"] != "INFO").count()
            }
            "junit" => printed.stdout.matches("<failure ").count(),
            "grouped" => printed
                .stdout
                .lines()
                .filter(|line| line.starts_with("  "))
                .count(),
            "full" => {
                let is_place = |line: &&str| line.trim_start().starts_with("--> ");
                printed.stdout.lines().filter(is_place).count()
            }
            _ => unreachable!(),
        };
        assert_eq!(counted, count, "{format}");
        let outside = tempfile::tempdir().unwrap();
        let file = outside.path().join("report");
        let file = file.to_str().unwrap();
        let ran = report(
            &project,
            format,
            &[&arguments[..], &["--output-file", file]].concat(),
        );
        assert_eq!(ran.stdout, "");
        assert_eq!(
            std::fs::read_to_string(file).unwrap(),
            printed.stdout,
            "{format}"
        );
    }
}
