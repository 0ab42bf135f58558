//! The component of GitLab: its script lines, with the inputs that somebody sets.

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::documents;
use crate::project::{Project, Ran, SLEEPS, WITHHELD};

/// Where the component installs to.
const INSTALLED: &str = "/tmp/asyncfix";

/// Runs the lines of the job of that name that come after the installation.
fn run(project: &Project, job: &str, args: &str, paths: &str) -> Ran {
    let documents = documents("templates/asyncfix.yml");
    let jobs = &documents[1];
    let lines = |job: &str, key: &str| -> Vec<String> {
        let lines = jobs[job][key].as_vec().unwrap().iter();
        lines
            .map(|line| line.as_str().unwrap().to_string())
            .collect()
    };
    let mut script = lines(".asyncfix", "before_script");
    // The last line of the installation.
    let installed = script.iter().position(|line| line.ends_with("--version"));
    let mut script = script.split_off(installed.unwrap());
    script.extend(lines(job, "script"));

    let tools = tempfile::tempdir().unwrap();
    std::fs::create_dir(tools.path().join("bin")).unwrap();
    symlink(
        env!("CARGO_BIN_EXE_asyncfix"),
        tools.path().join("bin/asyncfix"),
    )
    .unwrap();
    let script = script
        .join("\n")
        .replace(INSTALLED, tools.path().to_str().unwrap());
    let output = Command::new("sh")
        .args(["-e", "-c", &script])
        .current_dir(project.root())
        .env("ASYNCFIX_ARGS", args)
        .env("ASYNCFIX_PATHS", paths)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran::of(&output)
}

#[test]
fn inputs_are_words_and_never_code() {
    let project = Project::new([("a b/c.py", SLEEPS)]);
    let ran = run(&project, "asyncfix", "--isolated", "'a b' $(touch made)");
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stderr.contains("$(touch"), "{ran:?}");
    assert_eq!(project.names(), ["a b", "gl-code-quality-report.json"]);
}

#[test]
fn the_report_lists_what_is_found() {
    let project = Project::new([("a.py", SLEEPS), ("b.py", WITHHELD)]);
    let ran = run(&project, "asyncfix", "", ".");
    assert_eq!(ran.status, 1, "{ran:?}");
    let report = project.read("gl-code-quality-report.json");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let paths: Vec<_> = report
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["location"]["path"].as_str())
        .collect();
    assert_eq!(paths, [Some("a.py"), Some("b.py")]);
}

#[test]
fn the_second_job_asks_for_suggestions() {
    let project = Project::new([("a.py", "x = 1\n")]);
    crate::commit(&project, "first");
    project.write("a.py", SLEEPS);
    crate::commit(&project, "second");
    let ran = run(&project, "asyncfix-suggest", "--dry-run --base HEAD~1", ".");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.stdout.contains("await asyncio.sleep(1)"), "{ran:?}");
}

#[test]
fn no_input_is_part_of_a_script() {
    let documents = documents("templates/asyncfix.yml");
    for job in [".asyncfix", "asyncfix", "asyncfix-suggest"] {
        for key in ["before_script", "script"] {
            for line in documents[1][job][key].as_vec().into_iter().flatten() {
                assert!(!line.as_str().unwrap().contains("$[["), "{line:?}");
            }
        }
    }
}

#[test]
fn every_input_is_used() {
    let text = crate::read("templates/asyncfix.yml");
    let documents = documents("templates/asyncfix.yml");
    for input in crate::keys(&documents[0]["spec"]["inputs"]) {
        assert!(text.contains(&format!("$[[ inputs.{input} ]]")), "{input}");
    }
}
