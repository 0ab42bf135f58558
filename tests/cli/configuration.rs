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
            "setup.py",
            "from setuptools import setup\n\nsetup(name='x', python_requires='~=3.7')\n",
            "3.7 (`python_requires` in setup.py)",
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

/// The codemods that `-vv` names for each file that has findings.
fn ran(project: &Project, arguments: &[&str]) -> Vec<(String, String)> {
    let ran = project.run([&["-vv"], arguments].concat());
    let said = |line: &str| {
        let (path, rest) = line.split_once(": for Python ")?;
        Some((
            path.to_string(),
            rest.split_once(", by ").unwrap().1.to_string(),
        ))
    };
    ran.stderr.lines().filter_map(said).collect()
}

#[test]
fn codemods_are_left_out_in_some_files() {
    let project = Project::new([
        ("src/a.py", SLEEPS),
        ("tests/b.py", SLEEPS),
        ("c.py", SLEEPS),
    ]);
    let files = |arguments: &[&str]| {
        let ran = ran(&project, arguments).into_iter();
        let paths: Vec<String> = ran.map(|(path, _)| path).collect();
        paths.join(" ")
    };
    for (text, expected) in [
        ("'tests/**' = ['await-sleep']", "c.py src/a.py"),
        ("'tests' = ['await-sleep']", "c.py src/a.py"),
        ("'/*.py' = ['all']", "src/a.py tests/b.py"),
        ("'!src/**' = ['await-sleep']", "src/a.py"),
        ("'tests/**' = ['modernise']", "c.py src/a.py tests/b.py"),
        ("'src/**' = ['all']\n'tests/**' = ['await-sleep']", "c.py"),
    ] {
        project.write("asyncfix.toml", format!("[per-file-ignores]\n{text}\n"));
        for arguments in [&[][..], &["--await-sleep"], &["--all"]] {
            assert_eq!(files(arguments), expected, "{text} {arguments:?}");
        }
    }
    // The command line changes the rules, not what they are about.
    assert_eq!(
        files(&["--config", "per-file-ignores={}"]),
        "c.py src/a.py tests/b.py"
    );
    assert_eq!(
        files(&["--config", "extend-per-file-ignores.'c.py'=['all']"]),
        ""
    );
    assert_eq!(files(&["--isolated"]), "c.py src/a.py tests/b.py");
    assert_eq!(project.run(["src/a.py"]).status, 0);
}

#[test]
fn other_codemods_run_in_some_files() {
    let text = format!("{SLEEPS}    await asyncio.sleep(1, loop=None)\n");
    let project = Project::new([("old/a.py", text.as_str()), ("b.py", &text)]);
    project.write(
        "asyncfix.toml",
        "select = ['await-sleep']\nextend-select = ['run-debug']\n\
         [per-file-select]\n'old/**' = ['drop-loop-argument']\n",
    );
    let of = |arguments: &[&str]| {
        let ran = ran(&project, arguments).into_iter();
        let said: Vec<String> = ran
            .map(|(path, names)| format!("{path}: {names}"))
            .collect();
        said.join("; ")
    };
    assert_eq!(
        of(&[]),
        "b.py: await-sleep, run-debug; old/a.py: drop-loop-argument"
    );
    // Who names codemods on the command line means these.
    assert_eq!(
        of(&["--await-sleep"]),
        "b.py: await-sleep; old/a.py: await-sleep"
    );
    assert_eq!(
        of(&["--extend-select", "keep-task-reference"]),
        "b.py: await-sleep, keep-task-reference, run-debug; \
         old/a.py: keep-task-reference, drop-loop-argument"
    );
    assert_eq!(
        of(&["--ignore", "drop-loop-argument"]),
        "b.py: await-sleep, run-debug"
    );
}

#[test]
fn rules_for_some_files_are_relative_to_the_file_that_holds_them() {
    let project = Project::new([("pkg/tests/a.py", SLEEPS), ("pkg/sub/tests/b.py", SLEEPS)]);
    let rules = "[per-file-ignores]\n'/tests/*' = ['await-sleep']\n";
    let found = || {
        let ran = ran(&project, &[]).into_iter();
        ran.map(|(path, _)| path).collect::<Vec<String>>()
    };
    project.write("asyncfix.toml", rules);
    assert_eq!(found(), ["pkg/sub/tests/b.py", "pkg/tests/a.py"]);
    project.write("pkg/asyncfix.toml", rules);
    assert_eq!(found(), ["pkg/sub/tests/b.py"]);
    // What a file extends keeps its own place, and what it sets itself takes its place.
    project.write("pkg/sub/asyncfix.toml", "extend = '../asyncfix.toml'\n");
    project.write(
        "pkg/asyncfix.toml",
        "per-file-ignores.'/sub/tests' = ['all']\n",
    );
    assert_eq!(found(), ["pkg/tests/a.py"]);
    project.write(
        "pkg/sub/asyncfix.toml",
        "extend = '../asyncfix.toml'\nper-file-ignores = {}\n",
    );
    assert_eq!(found(), ["pkg/sub/tests/b.py", "pkg/tests/a.py"]);
}

#[test]
fn a_file_in_which_nothing_runs_is_not_parsed() {
    let project = Project::of("def f(:\n    time.sleep(1)  # asyncfix: ignore\n");
    assert_eq!(project.run(["--await-sleep"]).status, 1);
    let config = [
        "--await-sleep",
        "--config",
        "per-file-ignores.'*.py'=['all']",
    ];
    assert_eq!(project.run(config).status, 0);
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
        (
            "per-file-ignores = ['tests']",
            "in `sub/asyncfix.toml`: `per-file-ignores` takes a table of patterns, as in \
             { \"tests/**\" = [\"await-sleep\"] }, not a list",
        ),
        (
            "per-file-ignores.'tests/**' = ['await-slep']",
            "in `sub/asyncfix.toml`: `per-file-ignores.\"tests/**\"`: no codemod is named \
             `await-slep`; did you mean `await-sleep`?",
        ),
        (
            "per-file-select.'[z-a]' = ['all']",
            "in `sub/asyncfix.toml`: `per-file-select`: `[z-a]` is not a pattern as in .gitignore",
        ),
        (
            "per-file-ignore = {}",
            "in `sub/asyncfix.toml`: unknown key `per-file-ignore`; did you mean `per-file-ignores`?",
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
