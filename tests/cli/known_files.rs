//! `--project`: files that are known, and neither reported nor changed.

use crate::project::{AWAITS, Project, SLEEPS};

const BEFORE: &str = "import asyncio\nimport time\n\n\nasync def main():\n    time.sleep(1)\n";
const AFTER: &str =
    "import asyncio\nimport time\n\n\nasync def main():\n    await asyncio.sleep(1)\n";
const USER: &str = "from a import time\n";

const GATHERS: &str = "\
import asyncio


async def poll(device):
    return device.value


async def main(devices):
    return await asyncio.gather(*[poll(device) for device in devices])
";
const CATCHES: &str = "\
from a import main


async def run(devices):
    try:
        return await main(devices)
    except ValueError:
        return None
";

#[test]
fn a_caller_in_a_known_file_withholds() {
    let project = Project::new([("a.py", GATHERS), ("b.py", CATCHES)]);
    let alone = project.run(["--show-withheld", "a.py"]);
    assert!(alone.stdout.contains("[intended]"), "{alone:?}");
    let known = project.run(["--show-withheld", "--project", ".", "a.py"]);
    assert!(known.stdout.contains("[withheld]"), "{known:?}");
    assert!(
        known.stdout.contains("`except ValueError` in b.py:7"),
        "{known:?}"
    );
    assert!(
        known.stderr.contains("Found 1 finding in 1 of 1 file"),
        "{known:?}"
    );
}

#[test]
fn an_import_that_a_known_file_uses_stays() {
    for arguments in [&["--fix"][..], &["--fix", "--verify", "true"]] {
        let project = Project::new([("a.py", BEFORE), ("b.py", USER)]);
        let ran = project.run([arguments, &["--project", ".", "a.py"]].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(project.read("a.py"), AFTER);
    }
}

#[test]
fn it_is_known_beside_a_text_on_standard_input() {
    let project = Project::new([
        ("a.py", "what is on the disk does not count:\n"),
        ("b.py", USER),
    ]);
    let arguments = ["--fix", "--project", ".", "--stdin-filename", "a.py", "-"];
    let (ran, text) = project.pipe(arguments, BEFORE.as_bytes());
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(String::from_utf8(text).unwrap(), AFTER);
}

#[test]
fn known_files_are_neither_reported_nor_changed() {
    let project = Project::new([("a.py", SLEEPS), ("b/c.py", SLEEPS), ("d.py", "def f(:\n")]);
    let ran = project.run(["--fix", "--project", ".", "a.py"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.stderr, "Fixed 1 finding in 1 of 1 file (1 intended).\n");
    assert_eq!(project.read("a.py"), AWAITS);
    assert_eq!(project.read("b/c.py"), SLEEPS);
}

#[test]
fn a_baseline_keeps_what_it_says_of_known_files() {
    let project = Project::new([("a.py", SLEEPS), ("b.py", SLEEPS)]);
    let baseline = ["--baseline", "known.json"];
    project.run([&["--update-baseline"][..], &baseline].concat());
    project.write("b.py", AWAITS);
    project.write("a.py", AWAITS);
    project.run(
        [
            &["--update-baseline", "--project", ".", "a.py"][..],
            &baseline,
        ]
        .concat(),
    );
    let kept = project.read("known.json");
    assert!(kept.contains("b.py") && !kept.contains("a.py"), "{kept}");
}

#[test]
fn a_project_that_is_not_there_is_named() {
    let project = Project::of("x = 1\n");
    let ran = project.run(["--project", "nowhere", "a.py"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stderr.contains("nowhere: cannot be read"), "{ran:?}");
}
