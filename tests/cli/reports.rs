//! What is printed for findings.

use crate::project::{AWAITS, Project, SLEEPS, WITHHELD, assert_snapshot};

fn project() -> Project {
    let tabs = "async def \u{65e5}\u{672c}():\n\tx = '\u{65e5}\u{672c}'; sleep(\n\t\t1\n\t)\n";
    let tabs = format!("import asyncio\nfrom time import sleep, time\nprint(time)\n{tabs}");
    let long = format!(
        "    x = '{}'; time.sleep(1); y = '{0}'\n",
        "long ".repeat(40)
    );
    let long = SLEEPS.replace("    time.sleep(1)\n", &long);
    Project::new([
        ("bad.py", "async def f(:\n    time.sleep(1)\n"),
        ("long.py", &long),
        ("plain.py", SLEEPS),
        ("tabs.py", &tabs),
        ("withheld.py", WITHHELD),
    ])
}

#[test]
fn full_shows_the_source() {
    let ran = project().run([]);
    assert_snapshot("full", &ran.stdout);
    assert_snapshot("full-messages", &ran.stderr);
}

#[test]
fn withheld_findings_are_listed_on_demand() {
    let ran = project().run(["--show-withheld", "withheld.py"]);
    assert_snapshot("full-withheld", &ran.stdout);
    assert_eq!(ran.stderr, "Found 1 finding in 1 of 1 file: 1 withheld.\n");
    let ran = project().run(["--diff", "--show-withheld", "withheld.py"]);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr.starts_with("withheld.py:9:9: await-sleep: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn concise_is_one_line_each() {
    let ran = project().run(["--output-format", "concise", "--show-withheld"]);
    assert_snapshot("concise", &ran.stdout);
}

#[test]
fn json_has_all_of_it() {
    let ran = project().run([
        "--output-format",
        "json",
        "bad.py",
        "tabs.py",
        "withheld.py",
    ]);
    assert_snapshot("json", &ran.stdout);
    let objects: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let codemods: Vec<_> = objects
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["codemod"].as_str())
        .collect();
    assert_eq!(codemods, [None, Some("await-sleep"), Some("await-sleep")]);
}

#[test]
fn json_is_an_array_when_there_is_nothing_to_say() {
    let ran = Project::of(AWAITS).run(["--output-format", "json"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, "[]\n"));
}

#[test]
fn the_edits_of_json_make_the_rewrite() {
    let project = Project::of(format!("\u{feff}x = '\u{1f600}'\n{SLEEPS}"));
    let ran = project.run(["--output-format", "json"]);
    let objects: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let edit = &objects[0]["fix"]["edits"][0];
    assert_eq!(edit["content"], "await asyncio.sleep");
    assert_eq!(edit["location"], serde_json::json!({"row": 9, "column": 5}));
    assert_eq!(
        edit["end_location"],
        serde_json::json!({"row": 9, "column": 15})
    );
    assert_eq!(objects[0]["fix"]["applicability"], "intended");
    assert_eq!(objects[0]["filename"], "a.py");
}

#[test]
fn after_a_fix_what_remains_is_reported_at_its_new_place() {
    let text = WITHHELD
        .replace("        pass\n", "        time.sleep(2)\n")
        .replace("import asyncio\n", "");
    let project = Project::of(text);
    let ran = project.run(["--fix", "--output-format", "json"]);
    assert_eq!(ran.status, 1);
    let objects: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(objects.as_array().unwrap().len(), 1);
    assert_eq!(
        objects[0]["location"],
        serde_json::json!({"row": 9, "column": 9})
    );
    assert!(objects[0]["withheld"].is_string());
    assert!(
        ran.stderr
            .starts_with("Fixed 1 finding in 1 of 1 file (1 intended). 1 withheld.")
    );
}

#[test]
fn colour_follows_the_flag_then_no_color_then_force_color() {
    let project = Project::of(SLEEPS);
    let colored = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = project.command(arguments.iter().copied());
        let output = command.envs(environment.iter().copied()).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    for format in ["full", "concise"] {
        let with = |rest: &[&'static str]| [&["--output-format", format], rest].concat();
        assert!(!colored(&with(&[]), &[]));
        assert!(colored(&with(&["--color", "always"]), &[("NO_COLOR", "1")]));
        assert!(colored(&with(&[]), &[("FORCE_COLOR", "1")]));
        assert!(!colored(
            &with(&[]),
            &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]
        ));
        assert!(!colored(
            &with(&["--color", "never"]),
            &[("FORCE_COLOR", "1")]
        ));
    }
    assert!(!colored(
        &["--output-format", "json", "--color", "always"],
        &[]
    ));
}

#[test]
fn grouped_names_each_file_once() {
    let ran = project().run(["--output-format", "grouped", "--show-withheld"]);
    assert_snapshot("grouped", &ran.stdout);
}

#[test]
fn json_lines_are_the_objects_of_json() {
    let lines = project().run(["--output-format", "json-lines"]).stdout;
    let array = project().run(["--output-format", "json"]).stdout;
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let array: Vec<serde_json::Value> = serde_json::from_str(&array).unwrap();
    assert_eq!(lines, array);
    assert!(lines.iter().any(|object| object["codemod"].is_null()));
}

#[test]
fn annotations_of_github_have_all_of_it() {
    let ran = project().run(["--output-format", "github"]);
    assert_snapshot("github", &ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.starts_with("::")));
}

#[test]
fn a_report_of_gitlab_knows_each_finding_by_another_fingerprint() {
    let report = |project: &Project| -> Vec<serde_json::Value> {
        let ran = project.run(["--output-format", "gitlab"]);
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let twice = SLEEPS.replace("time.sleep(1)\n", "time.sleep(1)\n    time.sleep(1)\n");
    let project = Project::new([
        ("a.py", twice.as_str()),
        ("bad.py", "async def f(:\n    time.sleep(1)\n"),
    ]);
    let before = report(&project);
    let paths: Vec<_> = before
        .iter()
        .map(|it| it["location"]["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["a.py", "a.py", "bad.py"]);
    let severities: Vec<_> = before
        .iter()
        .map(|it| it["severity"].as_str().unwrap())
        .collect();
    assert_eq!(severities, ["major", "major", "blocker"]);
    let fingerprints = |issues: &[serde_json::Value]| -> Vec<String> {
        issues
            .iter()
            .map(|it| it["fingerprint"].as_str().unwrap().to_string())
            .collect()
    };
    let known = fingerprints(&before);
    let unique: std::collections::BTreeSet<&String> = known.iter().collect();
    assert_eq!(unique.len(), 3);
    // Lines move, and findings stay what they are.
    project.write("a.py", format!("# first\n{twice}"));
    let after = report(&project);
    assert_eq!(fingerprints(&after), known);
    assert_eq!(after[0]["location"]["lines"]["begin"], 9);
}

#[test]
fn findings_and_patches_go_to_a_file_on_demand() {
    let project = Project::of(SLEEPS);
    for arguments in [["--output-format", "json"], ["--diff", "--isolated"]] {
        let printed = project.run(arguments);
        let ran = project.run(arguments.into_iter().chain(["--output-file", "out"]));
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
        assert_eq!(project.read("out"), printed.stdout);
    }
    let ran = project.run(["--output-file", "missing/out"]);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("missing/out"), "{}", ran.stderr);
}

/// Python 3.10 removed the argument.
const LOOP: &str = "\
import asyncio


async def main(loop):
    await asyncio.sleep(1, loop=loop)
    await asyncio.sleep(2, loop=make())
";

#[test]
fn what_the_target_version_no_longer_has_is_an_error() {
    let project = Project::of(LOOP);
    let severities = |version: &str| -> Vec<String> {
        let arguments = ["--modernise", "--target-version", version];
        let arguments = [&arguments[..], &["--output-format", "json"]].concat();
        let ran = project.run(arguments);
        let objects: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let objects = objects.as_array().unwrap().iter();
        objects
            .map(|it| it["severity"].as_str().unwrap().to_string())
            .collect()
    };
    assert_eq!(severities("py39"), ["warning", "warning"]);
    assert_eq!(severities("py310"), ["error", "error"]);
    assert_eq!(severities("py314"), ["error", "error"]);
}

#[test]
fn an_error_is_listed_even_where_it_is_withheld() {
    let project = Project::of(LOOP);
    let ran = project.run(["--drop-loop-argument", "--output-format", "concise"]);
    let starts: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| line.split(": ").take(3).collect::<Vec<_>>().join(": "))
        .collect();
    assert_eq!(
        starts,
        [
            "a.py:5:11: error: drop-loop-argument",
            "a.py:6:11: error: drop-loop-argument"
        ]
    );
    let ran = project.run(["--drop-loop-argument"]);
    assert!(ran.stdout.starts_with("error: drop-loop-argument[safe]: "));
    assert!(ran.stdout.contains("error: drop-loop-argument[withheld]: "));
    let ran = project.run(["--drop-loop-argument", "--diff"]);
    assert!(
        ran.stderr
            .starts_with("a.py:6:11: error: drop-loop-argument: ")
    );
    let arguments = ["--target-version", "py39", "--output-format", "concise"];
    let ran = project.run([&["--drop-loop-argument"], &arguments[..]].concat());
    assert_eq!(ran.stdout, "");
}

#[test]
fn code_that_is_prepared_for_the_removal_is_no_error() {
    for text in [
        "import asyncio\nasync def f(loop):\n    try:\n        await asyncio.sleep(1, loop=loop)\n    except TypeError:\n        await asyncio.sleep(1)\n",
        "import asyncio, sys\nasync def f(loop):\n    if sys.version_info < (3, 10):\n        await asyncio.sleep(1, loop=loop)\n",
        "import asyncio\ntry:\n    @asyncio.coroutine\n    def f():\n        yield from x()\nexcept AttributeError:\n    pass\n",
    ] {
        let ran = Project::of(text).run(["--modernise", "--show-withheld"]);
        assert!(!ran.stdout.is_empty(), "{text}");
        assert!(!ran.stdout.contains("error: "), "{text}\n{}", ran.stdout);
    }
}
