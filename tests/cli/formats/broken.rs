//! A tree with files that cannot be analysed looks clean in no format.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{PEOPLE, PROGRAMS, diagnostics, sarif_run, values};
use crate::project::{CLEAN, Project, Ran};

const BROKEN: [&str; 6] = [
    "cell.ipynb",
    "json.ipynb",
    "passed_over.py", // at first: it holds no word of a codemod
    "undecodable.py",
    "unparsable.py",
    "unreadable.py",
];

/// Nothing in it can be rewritten.
fn project() -> Project {
    let project = Project::new([
        ("clean.py", CLEAN),
        ("unparsable.py", "async def f(:\n    time.sleep(1)\n"),
        ("unreadable.py", CLEAN),
    ]);
    project.write("passed_over.py", "x = (\n");
    project.write("json.ipynb", "{\"cells\": [\n");
    let cells = [("code", "x = 1"), ("code", "time.sleep(")];
    project.write("cell.ipynb", crate::notebooks::notebook(&cells));
    project.write("undecodable.py", b"import time\n# \xff\ntime.sleep(1)\n");
    let nobodys = fs::Permissions::from_mode(0o000);
    fs::set_permissions(project.path("unreadable.py"), nobodys).unwrap();
    project.give_away();
    project
}

fn report(project: &Project, format: &str) -> Ran {
    let ran = project.run_unprivileged(["--isolated", "--output-format", format]);
    assert_eq!(ran.status, 1, "{format}: {}", ran.stderr);
    ran
}

#[test]
fn programs_are_told_of_each_file() {
    let project = project();
    for format in PROGRAMS {
        let ran = report(&project, format);
        for file in BROKEN {
            assert!(ran.stdout.contains(file), "{format}: {}", ran.stdout);
        }
        assert!(!ran.stdout.contains("clean.py"), "{format}: {}", ran.stdout);
    }
}

#[test]
fn people_are_told_on_standard_error_and_in_the_file() {
    let project = project();
    for format in PEOPLE {
        let ran = report(&project, format);
        assert!(ran.stderr.ends_with("6 files could not be analysed.\n"));
        let arguments = ["--output-format", format, "--output-file", "report", "-qq"];
        let ran_to_file = project.run_unprivileged([&["--isolated"], &arguments[..]].concat());
        assert_eq!((ran_to_file.status, ran_to_file.stderr.as_str()), (1, ""));
        for file in BROKEN {
            assert!(ran.stderr.contains(file), "{format}: {}", ran.stderr);
            let report = project.read("report");
            assert!(report.contains(file), "{format}: {report}");
        }
    }
}

#[test]
fn json_has_an_object_without_a_codemod() {
    let project = project();
    let objects = values(&report(&project, "json-lines"));
    let codemods = objects.iter().map(|it| it["codemod"].is_null());
    assert_eq!(codemods.collect::<Vec<_>>(), [true; BROKEN.len()]);
    assert_eq!(
        values(&report(&project, "json"))[0],
        serde_json::json!(objects)
    );
}

#[test]
fn services_get_an_error_for_each_file() {
    let project = project();
    let annotations = report(&project, "github").stdout;
    assert!(annotations.lines().all(|line| line.starts_with("::error ")));
    assert_eq!(annotations.lines().count(), BROKEN.len());
    let issues = values(&report(&project, "gitlab"));
    let severities = issues[0]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["severity"].as_str());
    assert_eq!(
        severities.collect::<Vec<_>>(),
        [Some("blocker"); BROKEN.len()]
    );
}

#[test]
fn a_run_of_sarif_was_not_successful() {
    let run = sarif_run(&report(&project(), "sarif"));
    assert_eq!(run["results"], serde_json::json!([]));
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notifications = invocation["toolExecutionNotifications"].as_array().unwrap();
    let files = notifications.iter().map(|it| {
        assert_eq!(it["level"], "error");
        assert_eq!(it["descriptor"]["id"], "not-analysed");
        it["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            .as_str()
            .unwrap()
    });
    assert_eq!(files.collect::<Vec<_>>(), BROKEN);
}

#[test]
fn a_clean_run_of_sarif_was_successful() {
    let run = sarif_run(&super::report(&Project::of(CLEAN), "sarif", &[]));
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    assert_eq!(
        invocation["toolExecutionNotifications"],
        serde_json::json!([])
    );
}

#[test]
fn reviewdog_gets_a_diagnostic_for_each_file() {
    for format in ["rdjson", "rdjsonl"] {
        let ran = report(&project(), format);
        let found = diagnostics(&ran);
        let files = found.iter().map(|it| {
            assert_eq!(it["severity"], "ERROR");
            it["location"]["path"].as_str().unwrap()
        });
        assert_eq!(files.collect::<Vec<_>>(), BROKEN);
    }
}

#[test]
fn junit_has_an_error_for_each_file() {
    let text = report(&project(), "junit").stdout;
    assert_eq!(text.matches("<error ").count(), BROKEN.len(), "{text}");
    assert!(
        text.contains(r#"tests="6" skipped="0" failures="0" errors="6""#),
        "{text}"
    );
}

#[test]
fn what_could_not_be_written_is_a_failure_of_the_run() {
    let project = Project::of(crate::project::SLEEPS);
    fs::create_dir(project.path("locked")).unwrap();
    fs::rename(project.path("a.py"), project.path("locked/a.py")).unwrap();
    project.give_away();
    let locked = fs::Permissions::from_mode(0o555);
    fs::set_permissions(project.path("locked"), locked).unwrap();
    let ran = project.run_unprivileged(["--isolated", "--fix", "--output-format", "sarif"]);
    let run = sarif_run(&ran);
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let id = &invocation["toolExecutionNotifications"][0]["descriptor"]["id"];
    assert_eq!(id, "not-written");
    assert_eq!(run["results"].as_array().unwrap().len(), 1);
}

#[test]
fn no_mode_looks_clean() {
    let project = project();
    for mode in [
        &["--diff"][..],
        &["--statistics"],
        &["--statistics", "--output-format", "json"],
        &["report", "--html", "-"],
    ] {
        let ran = project.run_unprivileged(mode.iter().copied());
        assert_eq!(ran.status, 1, "{mode:?}: {}", ran.stderr);
        for file in BROKEN {
            assert!(ran.stderr.contains(file), "{mode:?}: {}", ran.stderr);
        }
        let is_told = mode == ["--diff"] || ran.stdout.contains('6');
        assert!(is_told, "{mode:?}: {}", ran.stdout);
    }
}
