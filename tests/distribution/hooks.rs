//! The hooks for pre-commit, run on the files that pre-commit would name.

use yaml_rust2::Yaml;

use crate::documents;
use crate::project::{AWAITS, Project, Ran, SLEEPS, WITHHELD};

/// The hooks of this repository.
pub fn hooks() -> Vec<Yaml> {
    let documents = documents(".pre-commit-hooks.yaml");
    documents[0].as_vec().unwrap().clone()
}

/// Runs the hook of that name on these files.
fn run(id: &str, project: &Project, files: &[&str]) -> Ran {
    let hooks = hooks();
    let hook = hooks
        .iter()
        .find(|hook| hook["id"].as_str() == Some(id))
        .unwrap();
    let mut words = hook["entry"].as_str().unwrap().split(' ');
    assert_eq!(words.next(), Some("asyncfix"));
    let arguments = hook["args"].as_vec().unwrap().iter();
    let arguments = arguments.map(|it| it.as_str().unwrap());
    project.run(words.chain(arguments).chain(files.iter().copied()))
}

#[test]
fn what_is_excluded_is_left_alone_though_it_is_named() {
    let project = Project::new([
        ("asyncfix.toml", "extend-exclude = [\"vendored\"]\n"),
        ("vendored/a.py", SLEEPS),
    ]);
    for hook in ["asyncfix", "asyncfix-fix"] {
        let ran = run(hook, &project, &["vendored/a.py"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(project.read("vendored/a.py"), SLEEPS);
    }
}

#[test]
fn what_is_withheld_fails_with_its_reason() {
    let project = Project::of(WITHHELD);
    for hook in ["asyncfix", "asyncfix-fix"] {
        let ran = run(hook, &project, &["a.py"]);
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.stdout.contains("await-sleep[withheld]"), "{ran:?}");
        assert_eq!(project.read("a.py"), WITHHELD);
    }
}

#[test]
fn the_rest_of_the_project_is_known() {
    let before = "import asyncio\nimport time\n\n\nasync def main():\n    time.sleep(1)\n";
    let project = Project::new([("a.py", before), ("b.py", "from a import time\n")]);
    assert_eq!(run("asyncfix-fix", &project, &["a.py"]).status, 0);
    assert!(
        project
            .read("a.py")
            .starts_with("import asyncio\nimport time\n")
    );
}

#[test]
fn the_first_hook_fails_and_writes_nothing() {
    let project = Project::of(SLEEPS);
    let ran = run("asyncfix", &project, &["a.py"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stdout.contains("await-sleep[intended]"), "{ran:?}");
    assert_eq!(project.read("a.py"), SLEEPS);
}

#[test]
fn the_second_hook_fixes_and_passes_the_second_time() {
    let project = Project::of(SLEEPS);
    // pre-commit itself fails, since a file changed.
    assert_eq!(run("asyncfix-fix", &project, &["a.py"]).status, 0);
    assert_eq!(project.read("a.py"), AWAITS);
    assert_eq!(run("asyncfix-fix", &project, &["a.py"]).status, 0);
    assert_eq!(project.read("a.py"), AWAITS);
}

#[test]
fn a_run_sees_all_files_at_once() {
    for hook in hooks() {
        assert_eq!(hook["require_serial"].as_bool(), Some(true), "{hook:?}");
        let types = hook["types_or"].as_vec().unwrap();
        let types: Vec<_> = types.iter().map(|it| it.as_str().unwrap()).collect();
        assert_eq!(types, ["python", "jupyter"]);
    }
}
