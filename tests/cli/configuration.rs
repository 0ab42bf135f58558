//! Which settings hold for a file: precedence, detection, and errors.

use crate::project::{Project, SLEEPS};

/// What `-vv` says of the only file with findings.
fn holds(project: &Project, arguments: &[&str]) -> String {
    let arguments = [&["-vv"], arguments].concat();
    let ran = project.run(arguments);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    let line = ran
        .stderr
        .lines()
        .find(|line| line.contains(": for Python "));
    line.unwrap()
        .split_once(": for Python ")
        .unwrap()
        .1
        .to_string()
}

fn refusal(project: &Project, arguments: &[&str]) -> String {
    let ran = project.run(arguments.iter().copied());
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    ran.stderr
}

#[test]
fn the_target_version_is_the_flag_then_the_configuration_then_the_project() {
    let project = Project::of(SLEEPS);
    assert!(holds(&project, &[]).starts_with("3.11 (the default)"));
    project.write(
        "pyproject.toml",
        "[project]\nrequires-python = '>=3.9,<4'\n",
    );
    assert!(holds(&project, &[]).starts_with("3.9 (`requires-python` in pyproject.toml)"));
    assert!(holds(&project, &["--isolated"]).starts_with("3.11 (the default)"));
    project.write("asyncfix.toml", "target-version = 'py310'\n");
    assert!(holds(&project, &[]).starts_with("3.10 (`target-version` in asyncfix.toml)"));
    let config = ["--config", "target-version='3.12'"];
    assert!(holds(&project, &config).starts_with("3.12 (`target-version` `--config`)"));
    let both = [&config[..], &["--target-version", "py313"]].concat();
    assert!(holds(&project, &both).starts_with("3.13 (`--target-version`)"));
    let isolated = [&config[..], &["--isolated"]].concat();
    assert!(holds(&project, &isolated).starts_with("3.12 "));
}

#[test]
fn the_closest_project_says_what_it_requires() {
    for (name, text, expected) in [
        (
            "setup.cfg",
            "[metadata]\n[options]\npython_requires = >=3.8\n",
            "3.8 (`python_requires` in setup.cfg)",
        ),
        (
            "pyproject.toml",
            "[tool.poetry.dependencies]\npython = '^3.10'\n",
            "3.10 (`tool.poetry.dependencies.python` in pyproject.toml)",
        ),
        (
            "pyproject.toml",
            "[project]\nname = 'x'\n",
            "3.11 (the default)",
        ),
        (
            "pyproject.toml",
            "[project]\nrequires-python = 'three'\n",
            "3.11 (the default)",
        ),
        (
            "pyproject.toml",
            "[tool.other]\n",
            "3.9 (`requires-python` in pyproject.toml)",
        ),
    ] {
        let project = Project::new([
            ("pyproject.toml", "[project]\nrequires-python = '>=3.9'\n"),
            ("pkg/a.py", SLEEPS),
        ]);
        project.write(&format!("pkg/{name}"), text);
        let expected = expected.replace(name, &format!("pkg/{name}"));
        let expected = if text.contains("other") {
            expected.replace("pkg/", "")
        } else {
            expected
        };
        let holds = holds(&project, &[]);
        assert!(holds.starts_with(&expected), "{text}: {holds}");
    }
}

#[test]
fn the_line_length_is_the_formatters() {
    for (name, text, expected) in [
        ("pyproject.toml", "[tool.black]\nline-length = 100\n", 100),
        (
            "pyproject.toml",
            "[tool.black]\nline-length = 100\n[tool.ruff]\nline-length = 120\n",
            120,
        ),
        ("pyproject.toml", "[tool.black]\n[tool.ruff]\n", 88),
        ("ruff.toml", "line-length = 79\n", 79),
        (".ruff.toml", "", 88),
        ("asyncfix.toml", "line-length = 60\n", 60),
    ] {
        let project = Project::new([
            ("pyproject.toml", "[tool.ruff]\nline-length = 99\n"),
            ("pkg/a.py", SLEEPS),
        ]);
        assert!(holds(&project, &[]).contains("lines of 99 characters"));
        project.write(&format!("pkg/{name}"), text);
        let holds = holds(&project, &[]);
        assert!(
            holds.contains(&format!("lines of {expected} characters")),
            "{text}: {holds}"
        );
    }
}

#[test]
fn the_closest_file_counts_and_its_hidden_form_first() {
    let project = Project::new([("sub/a.py", SLEEPS)]);
    let length = |expected: usize| {
        let holds = holds(&project, &[]);
        assert!(holds.contains(&format!("lines of {expected} ")), "{holds}");
    };
    project.write("pyproject.toml", "[tool.asyncfix]\nline-length = 70\n");
    length(70);
    // A project without our table does not end the search.
    project.write("sub/pyproject.toml", "[tool.other]\n");
    length(70);
    project.write("sub/pyproject.toml", "[tool.asyncfix]\nline-length = 71\n");
    length(71);
    project.write("sub/asyncfix.toml", "line-length = 72\n");
    length(72);
    project.write("sub/.asyncfix.toml", "line-length = 73\n");
    length(73);
}

#[test]
fn a_named_file_takes_the_place_of_those_that_would_be_found() {
    let project = Project::of(SLEEPS);
    project.write(
        "asyncfix.toml",
        "line-length = 70\ntarget-version = 'py312'\n",
    );
    project.write("other.toml", "line-length = 71\n");
    let line = holds(&project, &["--config", "other.toml"]);
    assert!(
        line.starts_with("3.11 (the default), lines of 71 "),
        "{line}"
    );
    let line = holds(&project, &["--isolated", "--config", "other.toml"]);
    assert!(line.contains("lines of 71 "), "{line}");
    let line = holds(
        &project,
        &["--config", "line-length=72", "--config", "other.toml"],
    );
    assert!(line.contains("lines of 72 "), "{line}");
}

#[test]
fn a_file_extends_another() {
    let project = Project::new([
        ("sub/a.py", SLEEPS),
        ("base.toml", "line-length = 70\ntarget-version = 'py312'\n"),
    ]);
    project.write(
        "sub/asyncfix.toml",
        "extend = '../base.toml'\nline-length = 71\n",
    );
    assert!(
        holds(&project, &[])
            .starts_with("3.12 (`target-version` in sub/../base.toml), lines of 71 ")
    );
    project.write("base.toml", "extend = 'sub/asyncfix.toml'\n");
    let message = refusal(&project, &[]);
    assert!(
        message.starts_with(
            "error: `extend` goes round in a circle: sub/asyncfix.toml -> base.toml -> "
        ),
        "{message}"
    );
    project.write("base.toml", "line-lenth = 3\n");
    assert_eq!(
        refusal(&project, &[]),
        "error: in `sub/../base.toml`: unknown key `line-lenth`; did you mean `line-length`?\n"
    );
    std::fs::remove_file(project.path("base.toml")).unwrap();
    let message = refusal(&project, &[]);
    assert!(
        message.starts_with("error: in `sub/asyncfix.toml`: `extend`: "),
        "{message}"
    );
}

#[test]
fn the_configuration_selects_and_the_command_line_counts_more() {
    let project = Project::of(SLEEPS);
    project.write("asyncfix.toml", "ignore = ['await-sleep']\n");
    assert_eq!(project.run([]).status, 0);
    assert_eq!(project.run(["--await-sleep"]).status, 1);
    assert_eq!(project.run(["--config", "ignore=[]"]).status, 1);
    assert_eq!(project.run(["--isolated"]).status, 1);
    project.write("asyncfix.toml", "safe-only = true\n");
    assert_eq!(project.run(["--fix"]).status, 1);
    assert_eq!(project.read("a.py"), SLEEPS);
    assert_eq!(project.run(["--fix", "--unsafe-fixes"]).status, 0);
}

#[test]
fn a_wrong_configuration_stops_the_run_before_anything_is_written() {
    let project = Project::new([("a.py", SLEEPS), ("sub/b.py", SLEEPS)]);
    for (text, message) in [
        (
            "selct = []",
            "in `sub/asyncfix.toml`: unknown key `selct`; did you mean `select`?",
        ),
        (
            "[await-slep]",
            "in `sub/asyncfix.toml`: unknown key `await-slep`; did you mean `await-sleep`?",
        ),
        (
            "[await-sleep]\nfrob = 1",
            "in `sub/asyncfix.toml`: codemod `await-sleep` has no option `frob`; it has none",
        ),
        (
            "line-length = '88'",
            "in `sub/asyncfix.toml`: `line-length` takes a whole number from 1 to 1000, not text",
        ),
        ("a = ", "`sub/asyncfix.toml` is not valid TOML: row 1: "),
    ] {
        project.write("sub/asyncfix.toml", text);
        let refusal = refusal(&project, &["--fix", "--exit-zero"]);
        assert!(
            refusal.starts_with(&format!("error: {message}")),
            "{refusal}"
        );
        assert_eq!(project.read("a.py"), SLEEPS);
    }
}

#[test]
fn a_wrong_setting_is_refused() {
    let project = Project::of(SLEEPS);
    for (setting, message) in [
        (
            "selct=[]",
            "in `--config selct=[]`: unknown key `selct`; did you mean `select`?",
        ),
        (
            "line-length=x",
            "`--config line-length=x` is not valid TOML: text stands in quotes: 'line-length=\"x\"'",
        ),
        (
            "missing.toml",
            "`--config missing.toml` is neither a file nor a setting (KEY=VALUE)",
        ),
        (
            "extend='x.toml'",
            "`extend` belongs into a file; name the file with --config",
        ),
    ] {
        assert_eq!(
            refusal(&project, &["--config", setting]),
            format!("error: {message}\n")
        );
    }
}

#[test]
fn a_broken_project_file_is_passed_over_unless_it_configures_us() {
    let project = Project::of(SLEEPS);
    project.write("pyproject.toml", "[project\n");
    let ran = project.run([]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .starts_with("warning: pyproject.toml: is not valid TOML and is left out: row 1: "),
        "{}",
        ran.stderr
    );
    project.write("pyproject.toml", "[project\n[tool.asyncfix]\n");
    assert!(
        refusal(&project, &[]).starts_with("error: `pyproject.toml` is not valid TOML: row 1: ")
    );
}

#[test]
fn a_function_that_the_project_names_as_a_command_is_an_entry_point() {
    let program = "\
import asyncio


async def serve():
    await asyncio.sleep(0)


def main():
    loop = asyncio.get_event_loop()
    loop.run_until_complete(serve())
";
    let scripts = "[project.scripts]\nserve = 'package.server:main'\n";
    for (pyproject, file, status) in [
        ("", "src/package/server.py", false),
        (scripts, "src/package/server.py", true),
        (scripts, "src/package/other.py", false),
    ] {
        let project = Project::new([("pyproject.toml", pyproject), (file, program)]);
        let ran = project.run(["--run-until-complete-to-run", "--diff"]);
        assert_eq!(
            ran.stdout.contains("+    asyncio.run(serve())"),
            status,
            "{file}"
        );
    }
}
