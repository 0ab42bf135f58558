#!/usr/bin/env python3
"""Rewrite real projects and run their own tests before and after: what passed has to pass.

usage: ecosystem.py --bin PATH [NAME ...] [--list FILE] [--cache DIR] [--selection NAME ...] [--update]

For each project of the list: its source distribution is fetched and installed with its pinned requirements, its tests
run three times as they are, and once more on a fresh copy for each selection of codemods, rewritten with --fix:

  default   the codemods that are on by default
  all       --all: every codemod, with the fixes that are safe or intended
  unsafe    --all --unsafe-fixes; only reported, and run only where it is asked for

A test that passed in all runs before, and neither passes after the rewrite nor when that is run again, is a failure of
the rewrite, unless the list expects it, with a reason. An expected failure that does not happen is an error too.

--update writes snapshots/ecosystem: the table, and the patches to review. What is downloaded, built and printed by tests
is kept below --cache; what exists there is used again, so that a run that was cut short is simply started again.
Exit status 1 means that tests broke, or did not break, unexpectedly; 2 means wrong usage, or a project without a result.
Standard library only; needs Python 3.11.4 or newer, git, and the Pythons that the list names.
"""

import argparse
import hashlib
import json
import pathlib
import shutil
import sys

import report
from compare import Comparison, Outcomes, compare, confirm, settle, unexpected
from prepare import INGREDIENTS, Place, prepare
from projects import Failure, Project, read_projects
from report import Result, Tried
from rewrite import SELECTIONS, rewrite
from suite import run_suite

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# What decides the outcomes of the tests before a rewrite.
BASE = (*INGREDIENTS, "runner", "arguments", "environment", "folder", "left_out")


def main() -> int:
    """Try each project, say what broke, and return the exit status."""
    args = parse_arguments()
    try:
        known = read_projects(args.list, list(SELECTIONS))
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    if unknown := sorted(set(args.names) - {project.name for project in known}):
        print(f"error: not in {args.list}: {', '.join(unknown)}", file=sys.stderr)
        return 2
    status = 0
    for project in known:
        if args.names and project.name not in args.names:
            continue
        try:
            result = try_project(project, args)
        except Failure as failure:
            print(f"error: {failure}", file=sys.stderr, flush=True)
            status = 2
            continue
        result.write(args.cache / project.name / "result.json")
        status = max(status, print_result(project, result))
    if args.update and status != 2:
        try:
            report.update(known, args.cache, args.snapshots)
        except Failure as failure:
            print(f"error: {failure}", file=sys.stderr)
            return 2
    return status


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these projects")
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="the asyncfix to try")
    parser.add_argument("--list", type=pathlib.Path, default=HERE / "projects.toml", help="default: projects.toml")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / "target" / "ecosystem", metavar="DIR")
    parser.add_argument("--selection", action="append", choices=SELECTIONS, help="default: default and all")
    parser.add_argument("--base-runs", type=int, default=3, metavar="N", help="runs before the rewrite")
    parser.add_argument("--update", action="store_true", help="write the table and the patches")
    parser.add_argument("--snapshots", type=pathlib.Path, default=ROOT / "snapshots" / "ecosystem", metavar="DIR")
    args = parser.parse_args()
    args.selection = args.selection or ["default", "all"]
    args.bin = args.bin.absolute()
    args.cache = args.cache.absolute()
    for program in (str(args.bin), "git"):
        if not shutil.which(program):
            parser.error(f"{program} cannot be run")
    return args


def try_project(project: Project, args: argparse.Namespace) -> Result:
    """Run a project's tests before and after each rewrite."""
    say(f"{project.name} {project.version}".rstrip())
    place = prepare(project, args.cache)
    base = base_runs(project, place, args.base_runs)
    stable, unstable = settle(base)
    if unstable:
        say(f"  come and go by themselves: {', '.join(sorted(unstable))}")
    result = Result(
        name=project.name,
        binary=hashlib.sha256(args.bin.read_bytes()).hexdigest(),
        base={outcome: list(stable.values()).count(outcome) for outcome in report.ORDER},
        unstable=sorted(unstable),
        tried={},
    )
    for selection in args.selection:
        result.tried[selection] = try_selection(project, place, base, args.bin, selection)
    return result


def base_runs(project: Project, place: Place, wanted: int) -> list[Outcomes]:
    """The outcomes of several runs before the rewrite: of this call, or of an earlier one with the same entry."""
    kept = place.folder / "base.json"
    fingerprint = project.fingerprint(*BASE)
    if project.tree is None and kept.exists():
        stored = json.loads(kept.read_text("utf-8"))
        if stored["fingerprint"] == fingerprint and len(stored["runs"]) >= wanted:
            return stored["runs"]
    runs = []
    for number in range(1, wanted + 1):
        place.restore()
        runs.append(run_suite(project, place, place.folder / f"base{number}.log"))
        say(f"  before, run {number}: {counts(runs[-1])}")
    kept.write_text(json.dumps({"fingerprint": fingerprint, "runs": runs}), "utf-8")
    return runs


def try_selection(project: Project, place: Place, base: list[Outcomes], binary: pathlib.Path, selection: str) -> Tried:
    """Rewrite a fresh copy with a selection, and compare its tests with those before."""
    place.restore()
    rewritten = rewrite(project, place, binary, selection)
    (place.folder / f"{selection}.diff").write_text(rewritten.patch, "utf-8", errors="surrogateescape")
    comparison = Comparison({}, {})
    if rewritten.files:
        comparison = compare(base, run_suite(project, place, place.folder / f"{selection}.log"))
        if comparison.broken:
            again = run_suite(project, place, place.folder / f"{selection}.again.log")
            comparison = confirm(comparison, compare(base, again))
    say(f"  {selection}: {sum(rewritten.fixes.values())} fixes in {rewritten.files} files: {counts(comparison.broken)}")
    return Tried(rewritten.files, rewritten.fixes, comparison.broken, sorted(comparison.mended))


def print_result(project: Project, result: Result) -> int:
    """Print what broke unexpectedly or did not, and return 1 if there is any."""
    status = 0
    for selection, tried in result.tried.items():
        comparison = Comparison(tried.broken, dict.fromkeys(tried.mended, "passed"))
        news, stale = unexpected(comparison, selection, project.expected)
        # What unsafe fixes break is told, and no failure of theirs.
        if selection != "unsafe":
            status = 1 if news or stale else status
        for test in news:
            print(f"{project.name}: {selection}: newly {tried.broken[test]}: {test}")
        for test in stale:
            print(f"{project.name}: {selection}: expected to break, and did not: {test}")
        for test in tried.mended:
            print(f"{project.name}: {selection}: newly passed: {test}")
    return status


def counts(outcomes: Outcomes) -> str:
    """How many tests had which outcome."""
    values = list(outcomes.values())
    return ", ".join(f"{values.count(value)} {value}" for value in sorted(set(values))) or "nothing broke"


def say(line: str) -> None:
    """Tell how far it is."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
