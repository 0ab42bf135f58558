#!/usr/bin/env python3
"""Try the net itself: what it reports of programs that rewrite rightly, wrongly, or not at all.

usage: selftest.py --bin PATH [--wrong PATH ...]

The project that they rewrite lies in selftest/, and its tests need nothing but Python, so that this takes seconds.
--wrong names programs that are known to rewrite wrongly: the net has to report each. Exit status 1 means that it failed.
Standard library only; needs Python 3.11.4 or newer and git.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from compare import GONE, Comparison, compare, confirm, unexpected
from projects import Expected, Failure, read_projects
from rewrite import SELECTIONS

HERE = pathlib.Path(__file__).resolve().parent
LIST = HERE / "selftest" / "projects.toml"
LIMIT = 300
SIBLINGS = "test_jobs.Gathered.test_a_failure_leaves_the_siblings_running"
# A program with as much of the command line as the net uses, which replaces a text by another one.
MADE_UP = """#!{python}
import difflib, pathlib, sys
old, new = {old!r}, {new!r}
if old == "fault":
    sys.exit(2)
for file in sorted(pathlib.Path().rglob("*.py")):
    before = file.read_text()
    after = before.replace(old, new)
    if "--diff" in sys.argv:
        lines = difflib.unified_diff(*(text.splitlines(True) for text in (before, after)), f"a/{{file}}", f"b/{{file}}")
        sys.stdout.writelines(lines)
    else:
        file.write_text(after)
if "--fix" in sys.argv:
    print('{{"codemods": [{{"codemod": "made-up", "fixed": 1}}]}}')
"""

PROGRAMS = argparse.Namespace(bin=pathlib.Path(), wrong=[])


class Comparing(unittest.TestCase):
    """The comparison of outcomes."""

    def test_what_passed_and_does_not_is_broken(self):
        base = [{"a": "passed", "b": "passed", "c": "passed", "d": "passed"}]
        found = compare(base, {"a": "passed", "b": "failed", "c": "skipped"})
        self.assertEqual(found, Comparison({"b": "failed", "c": "skipped", "d": GONE}, {}))

    def test_what_fails_and_was_not_there_is_broken(self):
        found = compare([{"a": "passed"}], {"a": "passed", "test_module.py": "failed", "new": "passed"})
        self.assertEqual(found, Comparison({"test_module.py": "failed"}, {}))

    def test_what_failed_and_passes_is_mended(self):
        self.assertEqual(compare([{"a": "failed"}], {"a": "passed"}), Comparison({}, {"a": "passed"}))

    def test_what_comes_and_goes_does_not_count(self):
        base = [{"a": "passed", "b": "passed"}, {"a": "failed"}]
        self.assertEqual(compare(base, {"a": "failed", "b": "failed"}), Comparison({}, {}))

    def test_what_fails_once_is_not_confirmed(self):
        once = Comparison({"a": "failed", "b": "failed"}, {})
        self.assertEqual(confirm(once, Comparison({"b": "failed"}, {})), Comparison({"b": "failed"}, {}))

    def test_what_is_expected_has_to_happen(self):
        expected = [Expected("all", "a", "why"), Expected("all", "b", "why"), Expected("default", "c", "why")]
        found = unexpected(Comparison({"a": "failed", "c": "failed"}, {}), "all", expected)
        self.assertEqual(found, (["c"], ["b"]))


class Listing(unittest.TestCase):
    """The list of projects."""

    def refusal(self, text: str) -> str:
        """What is said about a list."""
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(text)
            file.flush()
            with self.assertRaises(Failure) as caught:
                read_projects(pathlib.Path(file.name), list(SELECTIONS))
        return str(caught.exception)

    def test_a_requirement_that_is_not_pinned_is_refused(self):
        entry = '[[project]]\nname = "a"\nversion = "1"\nsha256 = "0"\npython = "3.12"\nrequirements = ["pytest>=8"]\n'
        self.assertIn("not pinned: pytest>=8", self.refusal(entry))

    def test_a_test_that_is_left_out_without_a_reason_is_refused(self):
        entry = '[[project]]\nname = "a"\ntree = "t"\n[[project.left_out]]\ntest = "x"\nreason = ""\n'
        self.assertIn("each of these has test, reason", self.refusal(entry))

    def test_a_misspelt_key_is_refused(self):
        self.assertIn("unknown keys: left-out", self.refusal('[[project]]\nname = "a"\ntree = "t"\nleft-out = []\n'))

    def test_the_lists_of_this_repository_are_read(self):
        for file in (LIST, HERE / "projects.toml"):
            self.assertTrue(read_projects(file, list(SELECTIONS)), file)


class Trying(unittest.TestCase):
    """Whole runs over the little project."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="selftest-")))

    def try_program(self, program: pathlib.Path, *flags: str) -> subprocess.CompletedProcess[str]:
        """What the net says about a program."""
        command = [sys.executable, str(HERE / "ecosystem.py"), "--bin", str(program), "--list", str(LIST)]
        command += ["--cache", str(self.folder / "cache"), "--base-runs", "1", *flags]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT)

    def made_up(self, old: str, new: str) -> pathlib.Path:
        """A program that replaces one text by another."""
        program = self.folder / "program"
        program.write_text(MADE_UP.format(python=sys.executable, old=old, new=new), "utf-8")
        program.chmod(0o755)
        return program

    def test_a_wrong_rewrite_is_reported(self):
        program = self.made_up("zip(paths, found)", "zip(paths, found[::-1])")
        done = self.try_program(program, "--selection", "all")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("little: all: newly failed: test_jobs.Gathered.test_results_are_in_order", done.stdout)

    def test_a_module_that_cannot_be_imported_any_more_is_reported(self):
        done = self.try_program(self.made_up("import asyncio", "import asyncio as"), "--selection", "all")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"little: all: newly {GONE}: test_jobs.Waiting.test_later", done.stdout)

    def test_an_expected_failure_that_does_not_happen_is_reported(self):
        done = self.try_program(self.made_up("nothing", "nothing"), "--selection", "default")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, f"little: default: expected to break, and did not: {SIBLINGS}\n")

    def test_a_fault_of_the_program_is_no_result(self):
        done = self.try_program(self.made_up("fault", ""), "--selection", "default")
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("asyncfix ended with exit status 2", done.stderr)

    def test_right_rewrites_pass_and_are_written_down(self):
        done = self.try_program(PROGRAMS.bin, "--update", "--snapshots", str(self.folder / "snapshots"))
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        written = {path.name: path.read_text("utf-8") for path in (self.folder / "snapshots").iterdir()}
        self.assertEqual(sorted(written), ["README.md", "little.all.diff", "little.default.diff"])
        self.assertIn("asyncio.TaskGroup()", written["little.default.diff"])
        self.assertIn("a TaskGroup cancels the siblings", written["README.md"])

    def test_programs_that_are_known_to_be_wrong_are_reported(self):
        for program in PROGRAMS.wrong:
            with self.subTest(program):
                done = self.try_program(program)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("little: ", done.stdout)


def main() -> int:
    """Read the command line, and run the tests."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="the asyncfix that rewrites rightly")
    parser.add_argument("--wrong", type=pathlib.Path, action="append", default=[], help="one that does not; repeatable")
    parser.parse_args(namespace=PROGRAMS)
    for program in (PROGRAMS.bin, *PROGRAMS.wrong):
        if not shutil.which(program):
            parser.error(f"{program} cannot be run")
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner().run(suite)
    # So that those who only read the last line see that something ran.
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed", flush=True)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
