"""What came out, kept between runs, and written as the snapshots that people review."""

import collections
import dataclasses
import json
import pathlib
from collections.abc import Collection, Iterator

from compare import Outcomes
from projects import Failure, Project

SHOWN = ("default", "all")
ORDER = ("passed", "failed", "skipped")


@dataclasses.dataclass(frozen=True)
class Tried:
    """What one selection did to a project."""

    files: int
    fixes: dict[str, int]
    broken: Outcomes
    mended: list[str]


@dataclasses.dataclass(frozen=True)
class Result:
    """What was seen of a project."""

    name: str
    # The hash of the program: after a fix not every project is run again, and the page says so.
    binary: str
    # How many tests had which outcome in all runs before the rewrite.
    base: dict[str, int]
    unstable: list[str]
    tried: dict[str, Tried]

    def write(self, file: pathlib.Path) -> None:
        """Keep it."""
        file.write_text(json.dumps(dataclasses.asdict(self), indent=1), "utf-8")


def read_result(file: pathlib.Path) -> Result:
    """What an earlier run kept."""
    values = json.loads(file.read_text("utf-8"))
    return Result(**{**values, "tried": {name: Tried(**tried) for name, tried in values["tried"].items()}})


def update(projects: list[Project], cache: pathlib.Path, snapshots: pathlib.Path) -> None:
    """Write the table and the patches; patches of projects that are no longer listed are removed."""
    results = {}
    for project in projects:
        file = cache / project.name / "result.json"
        results[project.name] = read_result(file) if file.exists() else None
    without = [name for name, result in results.items() if not result or not set(SHOWN) <= set(result.tried)]
    if without:
        raise Failure(f"nothing updated: no result of {', '.join(without)}: run them too")
    snapshots.mkdir(parents=True, exist_ok=True)
    for old in snapshots.glob("*.diff"):
        old.unlink()
    for project in projects:
        for selection in SHOWN:
            patch = (cache / project.name / f"{selection}.diff").read_bytes()
            if patch:
                (snapshots / f"{project.name}.{selection}.diff").write_bytes(patch)
    text = "\n".join(render(projects, results))
    (snapshots / "README.md").write_text(text.rstrip() + "\n", "utf-8")


def render(projects: list[Project], results: dict[str, Result]) -> Iterator[str]:
    """The page, line by line."""
    yield "# Real projects' own tests, before and after"
    yield ""
    yield "Written by `tests/ecosystem/ecosystem.py --update`; see [tests/ecosystem](../../tests/ecosystem/README.md)."
    yield "*default* is `asyncfix --fix`, *all* is `asyncfix --fix --all`, each with the Python that runs the tests as target."
    yield "A cell says how many fixes were written in how many files, and how many tests no longer pass."
    yield ""
    yield "| project | Python | tests: passed, failed, skipped | default | broken | all | broken |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    for project in projects:
        result = results[project.name]
        cells = [f"{project.name} {project.version}", project.python, before([result])]
        for selection in SHOWN:
            tried = result.tried[selection]
            patch = f"{project.name}.{selection}.diff"
            cells += [f"[{amount([tried])}]({patch})" if tried.files else "none", str(len(tried.broken))]
        yield f"| {' | '.join(cells)} |"
    cells = ["**all**", "", before(results.values())]
    for selection in SHOWN:
        tries = [result.tried[selection] for result in results.values()]
        cells += [amount(tries), str(sum(len(tried.broken) for tried in tries))]
    yield f"| {' | '.join(cells)} |"
    yield ""
    yield from builds(results)
    yield from by_codemod(results)
    yield from notes(projects, results)


def before(results: Collection[Result]) -> str:
    """How many tests passed, failed and were skipped before the rewrite."""
    return ", ".join(str(sum(result.base[outcome] for result in results)) for outcome in ORDER)


def amount(tries: Collection[Tried]) -> str:
    """How much was rewritten."""
    return f"{sum(sum(tried.fixes.values()) for tried in tries)} in {sum(tried.files for tried in tries)}"


def builds(results: dict[str, Result]) -> Iterator[str]:
    """Which results are of which program, where they are not all of one."""
    of: dict[str, list[str]] = {}
    for name, result in results.items():
        of.setdefault(result.binary, []).append(name)
    if len(of) > 1:
        yield "Not all were run with one build of asyncfix:"
        yield ""
        for binary, names in of.items():
            yield f"- `{binary[:12]}`: {', '.join(names)}"
        yield ""


def by_codemod(results: dict[str, Result]) -> Iterator[str]:
    """How often each codemod was put to the test."""
    sums = {selection: collections.Counter() for selection in SHOWN}
    for result in results.values():
        for selection, counter in sums.items():
            counter.update(result.tried[selection].fixes)
    yield "| codemod | fixes: default | all |"
    yield "| --- | ---: | ---: |"
    for codemod in sorted(set().union(*sums.values())):
        yield f"| {codemod} | {' | '.join(str(sums[selection][codemod]) for selection in SHOWN)} |"
    yield ""


def notes(projects: list[Project], results: dict[str, Result]) -> Iterator[str]:
    """What is to be known about each project: what its patches are like, and what broke and why."""
    for project in projects:
        parts = [f"## {project.name}", project.review, "\n".join(remarks(project, results[project.name]))]
        for part in filter(None, parts):
            yield part
            yield ""


def remarks(project: Project, result: Result) -> Iterator[str]:
    """What happened to single tests."""
    for selection in SHOWN:
        tried = result.tried[selection]
        reasons = {entry.test: entry.reason for entry in project.expected if entry.selection == selection}
        for test, outcome in sorted(tried.broken.items()):
            yield f"- {selection}: newly {outcome}: `{test}`: {reasons.get(test, 'not expected')}"
        for test in tried.mended:
            yield f"- {selection}: newly passed: `{test}`"
    for entry in project.left_out:
        yield f"- left out: `{entry.test}`: {entry.reason}"
    if result.unstable:
        yield f"- not counted, since they come and go: {', '.join(f'`{test}`' for test in result.unstable)}"
