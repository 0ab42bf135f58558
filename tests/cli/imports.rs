//! An import that a rewrite left unused goes, unless another file of the run may use it.

use crate::project::Project;

const BEFORE: &str = "import asyncio\nimport time\n\n\nasync def main():\n    time.sleep(1)\n";
const WITHOUT: &str = "import asyncio\n\n\nasync def main():\n    await asyncio.sleep(1)\n";
const WITH: &str =
    "import asyncio\nimport time\n\n\nasync def main():\n    await asyncio.sleep(1)\n";

/// What becomes of `pkg/utils.py` beside a file of that text.
fn beside(name: &str, text: &str, arguments: &[&str]) -> String {
    let project = Project::new([("pkg/utils.py", BEFORE), (name, text)]);
    let patched = Project::new([("pkg/utils.py", BEFORE), (name, text)]);
    let diff = patched.run([&["--diff"], arguments].concat());
    patched.tool("git", &["apply", "-"], diff.stdout.as_bytes());
    project.run([&["--fix"], arguments].concat());
    let after = project.read("pkg/utils.py");
    assert_eq!(patched.read("pkg/utils.py"), after);
    after
}

#[test]
fn nobody_uses_it() {
    assert_eq!(
        beside("user.py", "import time\nfrom pkg.utils import main\n", &[]),
        WITHOUT
    );
}

#[test]
fn another_file_uses_it() {
    for text in [
        "from pkg.utils import time\n",
        "from .utils import (main,\n    time)\n",
        "from pkg.utils import *\n",
        "from pkg import utils\n\nutils.time.sleep(1)\n",
        "from pkg import utils as u\n\nu.time.sleep(1)\n",
        "@mock.patch('pkg.utils.time.sleep')\ndef test(): ...\n",
        "monkeypatch.setattr(utils, \"time\", None)\n",
    ] {
        assert_eq!(beside("tests/test_it.py", text, &[]), WITH, "{text}");
    }
}

#[test]
fn what_does_no_good_while_the_import_stays_is_withheld() {
    let text = "from asyncio import coroutine, sleep\n\n\n@coroutine\ndef main():\n    yield from sleep(1)\n";
    for (user, is_fixed) in [
        ("from pkg.utils import main\n", true),
        ("from pkg.utils import coroutine\n", false),
    ] {
        let project = Project::new([("pkg/utils.py", text), ("user.py", user)]);
        let arguments = ["--select", "coroutine-to-async-def", "--target-version"];
        let ran = project.run([&arguments[..], &["3.12", "--fix", "--show-withheld"]].concat());
        let after = project.read("pkg/utils.py");
        assert_eq!(after != text, is_fixed, "{after}");
        let reason = "other files may take the name from this one";
        assert_eq!(!ran.stdout.contains(reason), is_fixed, "{}", ran.stdout);
    }
}

#[test]
fn only_files_of_the_run_are_asked() {
    let user = "from pkg.utils import time\n";
    assert_eq!(beside("user.py", user, &["pkg/utils.py"]), WITHOUT);
    assert_eq!(beside("user.py", user, &["pkg/utils.py", "user.py"]), WITH);
    assert_eq!(beside("node_modules/user.py", user, &[]), WITHOUT);
}

#[test]
fn a_package_keeps_its_imports() {
    let project = Project::new([("pkg/__init__.py", BEFORE)]);
    project.run(["--fix"]);
    assert_eq!(project.read("pkg/__init__.py"), WITH);
}
