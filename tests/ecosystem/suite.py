"""Run a project's tests, and read what became of each."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile

from compare import Outcomes
from prepare import REPORTERS, Place
from projects import Failure, Project

# What was seen of a test in its phases, the worst last.
ORDER = ("passed", "skipped", "failed")


def run_suite(project: Project, place: Place, log: pathlib.Path) -> Outcomes:
    """The outcome of each test. What the run printed goes to a file.

    A run that takes too long or that dies gives the outcomes up to there: the tests that follow are gone.
    """
    with tempfile.TemporaryDirectory(prefix="ecosystem-") as scratch:
        file = pathlib.Path(scratch) / "outcomes"
        home = pathlib.Path(scratch) / "home"
        home.mkdir()
        environment = {
            "PATH": f"{place.python.parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "TMPDIR": scratch,
            "LANG": "C.UTF-8",
            # Sets of strings have the same order in each run.
            "PYTHONHASHSEED": "0",
            "ECOSYSTEM_OUTCOMES": str(file),
            **project.environment,
        }
        ended = start(command_of(project, place), place.sources / project.folder, environment, project.limit, log)
        outcomes = read_outcomes(file)
    if not outcomes:
        raise Failure(f"{project.name}: no test ran ({ended}): see {log}")
    return outcomes


def command_of(project: Project, place: Place) -> list[str]:
    """The command that runs the tests that are not left out."""
    left_out = [word for entry in project.left_out for word in ("--deselect", entry.test)]
    if project.runner == "unittest":
        return [str(place.python), str(REPORTERS / "ecosystem_unittest.py"), *left_out, *project.arguments]
    plugin = ["-p", "ecosystem_pytest", "-p", "no:cacheprovider"]
    return [str(place.python), "-m", "pytest", *plugin, *project.arguments, *left_out]


def start(command: list[str], folder: pathlib.Path, environment: dict[str, str], limit: int, log: pathlib.Path) -> str:
    """Run a command in a session of its own, which is ended as a whole after the limit, and say how it ended."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return f"exit status {child.wait(limit)}"
        except subprocess.TimeoutExpired:
            return f"ended after {limit} seconds"
        finally:
            # Servers that the tests started and left behind, too.
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()


def read_outcomes(file: pathlib.Path) -> Outcomes:
    """The outcomes that a reporter wrote, one a line; of several of one test the worst counts."""
    outcomes: Outcomes = {}
    for line in file.read_text("utf-8").splitlines() if file.exists() else ():
        try:
            test, outcome = json.loads(line)
        except ValueError:
            # The line that was being written when the process was ended.
            continue
        outcomes[test] = max(outcome, outcomes.get(test, outcome), key=ORDER.index)
    return outcomes
