//! Which codemods run.

use crate::project::{Project, SLEEPS};

/// The codemods that run, as `-vv` says.
fn selected(arguments: &[&str]) -> Vec<String> {
    let project = Project::of(format!("{SLEEPS}    await asyncio.sleep(1, loop=loop)\n"));
    let arguments = [&["-vv"], arguments].concat();
    let ran = project.run(arguments);
    let names = ran
        .stderr
        .lines()
        .find_map(|line| line.split_once(" characters, by "));
    let names = names.map(|(_, names)| names.split(", ").map(str::to_string).collect());
    names.unwrap_or_default()
}

/// What `asyncfix list` says of each codemod.
fn list() -> Vec<serde_json::Value> {
    let ran = Project::new([]).run(["list", "--output-format", "json"]);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The names of those that it says `what` of.
fn listed(what: impl Fn(&serde_json::Value) -> bool) -> Vec<String> {
    let codemods = list().into_iter().filter(|codemod| what(codemod));
    codemods
        .map(|codemod| codemod["name"].as_str().unwrap().to_string())
        .collect()
}

#[test]
fn nothing_named_runs_the_defaults() {
    assert_eq!(selected(&[]), listed(|codemod| codemod["default"] == true));
}

#[test]
fn all_runs_all() {
    let all = listed(|_| true);
    for arguments in [
        &["--all"][..],
        &["--select", "all"],
        &["--config", "select=['all']"],
    ] {
        assert_eq!(selected(arguments), all, "{arguments:?}");
    }
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
fn the_group_is_named_by_a_flag_in_lists_and_in_the_configuration() {
    let group = listed(|codemod| codemod["group"] == "modernise");
    assert!(group.contains(&"drop-loop-argument".to_string()));
    assert!(!group.contains(&"await-sleep".to_string()));
    for arguments in [
        &["--modernise"][..],
        &["--modernize"],
        &["--select", "modernise"],
        &["--select=modernize"],
        &["--config", "select=['modernise']"],
        &["--modernise", "--running-loop"],
        &["--modernise", "--await-sleep", "--ignore", "await-sleep"],
    ] {
        assert_eq!(selected(arguments), group, "{arguments:?}");
    }
    let with_more = selected(&["--modernise", "--await-sleep"]);
    assert_eq!(with_more.len(), group.len() + 1);
    let rest = selected(&["--all", "--ignore", "modernise"]);
    assert!(rest.len() > 4 && rest.iter().all(|name| !group.contains(name)));
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
