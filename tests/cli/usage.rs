//! Arguments, help, and the subcommands that only print.

use crate::project::{CLEAN, Project, SLEEPS};

#[test]
fn help_and_version_go_to_standard_output() {
    let project = Project::new([]);
    for argument in ["--help", "-h", "--version"] {
        let ran = project.run([argument]);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{argument}");
        assert!(!ran.stdout.is_empty());
    }
    let help = project.run(["--help"]).stdout;
    for part in [
        "--await-sleep",
        "Examples:",
        "Exit status:",
        "explain",
        "--config",
    ] {
        assert!(help.contains(part), "{part}");
    }
}

#[test]
fn every_codemod_has_a_page_and_a_flag() {
    let project = Project::of(CLEAN);
    let list = project.run(["list", "--output-format", "json"]).stdout;
    let list: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
    for name in list.iter().map(|codemod| codemod["name"].as_str().unwrap()) {
        let page = project.run(["explain", name]);
        assert_eq!(page.status, 0);
        assert!(page.stdout.starts_with(&format!("# {name}\n")));
        assert_eq!(project.run([format!("--{name}").as_str()]).status, 0);
    }
}

#[test]
fn a_slip_gets_the_nearest_right_word() {
    let project = Project::new([]);
    for (arguments, hint) in [
        (&["--await-slep"][..], "'--await-sleep'"),
        (&["--show-witheld"], "'--show-withheld'"),
        (&["--output-format", "jsn"], "'json'"),
        (&["--select", "await-slep"], "did you mean `await-sleep`?"),
        (
            &["--ignore", "sleep-await"],
            "`asyncfix list` names them all",
        ),
        (&["explain", "await_sleep"], "did you mean `await-sleep`?"),
        (
            &["explian", "await-sleep"],
            "did you mean the subcommand `explain`?",
        ),
        (&["lst"], "did you mean the subcommand `list`?"),
        (&["await-sleep"], "`--await-sleep`"),
        (
            &["--config", "wait-sleep.x=1"],
            "did you mean `await-sleep`?",
        ),
    ] {
        let ran = project.run(arguments.iter().copied());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.contains(hint), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn a_path_can_be_named_like_a_subcommand() {
    let project = Project::new([("list/a.py", SLEEPS)]);
    assert!(project.run(["./list"]).stdout.contains("list/a.py:8:5"));
    assert!(project.run(["-q", "list"]).stdout.contains("list/a.py:8:5"));
    assert!(
        project
            .run(["list"])
            .stdout
            .starts_with(|first: char| first.is_lowercase())
    );
}
