//! Which codemods run.

use crate::project::{Project, SLEEPS};

/// The codemods that run, as `-vv` says.
fn selected(arguments: &[&str]) -> Vec<String> {
    let project = Project::of(SLEEPS);
    let arguments = [&["-vv"], arguments].concat();
    let ran = project.run(arguments);
    let names = ran
        .stderr
        .lines()
        .find_map(|line| line.split_once(" characters, by "));
    let names = names.map(|(_, names)| names.split(", ").map(str::to_string).collect());
    names.unwrap_or_default()
}

/// The names that `asyncfix list` prints, and whether each is a default.
fn listed() -> Vec<(String, bool)> {
    let ran = Project::new([]).run(["list"]);
    let lines = ran.stdout.lines().filter(|line| !line.starts_with(' '));
    lines
        .map(|line| match line.strip_suffix(" (default)") {
            Some(name) => (name.to_string(), true),
            None => (line.to_string(), false),
        })
        .collect()
}

#[test]
fn nothing_named_runs_the_defaults() {
    let defaults = listed().into_iter().filter(|(_, default)| *default);
    let defaults: Vec<String> = defaults.map(|(name, _)| name).collect();
    assert_eq!(selected(&[]), defaults);
}

#[test]
fn all_runs_all() {
    let all: Vec<String> = listed().into_iter().map(|(name, _)| name).collect();
    assert_eq!(selected(&["--all"]), all);
}

#[test]
fn a_flag_or_select_runs_only_what_it_names() {
    assert_eq!(selected(&["--await-sleep"]), ["await-sleep"]);
    assert_eq!(selected(&["--select", "await-sleep"]), ["await-sleep"]);
    assert_eq!(
        selected(&["--select=await-sleep,await-sleep"]),
        ["await-sleep"]
    );
}

#[test]
fn ignore_takes_out_whatever_put_in() {
    for arguments in [
        &["--ignore", "await-sleep"][..],
        &["--await-sleep", "--ignore", "await-sleep"],
        &["--all", "--ignore", "await-sleep"],
        &["--extend-select", "await-sleep", "--ignore", "await-sleep"],
    ] {
        assert!(
            !selected(arguments).contains(&"await-sleep".to_string()),
            "{arguments:?}"
        );
    }
}

#[test]
fn what_the_command_line_names_is_not_changed_by_the_configuration() {
    let project = Project::of(SLEEPS);
    project.write("asyncfix.toml", "select = []\n");
    assert_eq!(project.run([]).status, 0);
    for arguments in [
        &["--await-sleep"][..],
        &["--select", "await-sleep"],
        &["--extend-select", "await-sleep"],
        &["--all"],
    ] {
        assert_eq!(
            project.run(arguments.iter().copied()).status,
            1,
            "{arguments:?}"
        );
    }
}
