#!/usr/bin/env python3
"""Time asyncfix beside other tools on the same files: each group of commands in one run of hyperfine.

usage: compare.py TREE [--binary PATH] [--runs N] [--groups NAME ...] [--save FILE]

  tree      the whole tree: ripgrep, cat, ruff, ast-grep; asyncfix with its default, with --diff and with --all
  few       those folders of the tree in which fewer than 5 % of the files hold `async`
  types     one project: ty, and asyncfix with and without type inference
  sample    some hundred files with asyncio: a LibCST codemod, flake8-async, and asyncfix
  start     an empty folder: what it costs to start

Caches are warm: each command runs before it is timed. The output goes through a pipe, so that no tool can tell
that nobody reads it. --save writes the tables to benches/results/FILE. What is compared, and what is not, is told in
benches/README.md. Exit status 2 says that a tool is missing, and how to install it, or that a command failed.
Standard library only; needs Python 3.11 or newer.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple, NoReturn

HERE = pathlib.Path(__file__).resolve().parent
BINARY = HERE.parent / "target" / "release" / "asyncfix"
TIME = "/usr/bin/time"
TOOLS = {
    "hyperfine": "apt-get install hyperfine",
    "rg": "apt-get install ripgrep",
    "ruff": "pip install ruff",
    "ast-grep": "pip install ast-grep-cli",
    "ty": "pip install ty",
    "flake8": "pip install flake8-async",
    TIME: "apt-get install time",
}
WARMUP = 1
FEW = 0.05  # of the files of a folder
SAMPLE = 300  # files
PROJECT = "aiohttp"
MEBI = 1024 * 1024
RUFF = ["ruff", "check", "--no-cache", "--isolated", "--select", "ASYNC,RUF006", "-q"]


class Group(NamedTuple):
    """Commands that are compared."""

    title: str
    commands: dict[str, list[str]]
    """By the names that they have in the table."""
    references: list[str]
    """Those that ratios are taken to."""


class Row(NamedTuple):
    """What one command took: seconds, and peak memory in bytes."""

    name: str
    median: float
    spread: tuple[float, float]
    cpu: float
    memory: int


def main() -> int:
    """Measure, print the tables, and save them where that is asked for."""
    args = parse_arguments()
    require_tools(args.binary)
    report = describe(args)
    print("\n".join(report), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in args.groups:
            group = GROUPS[name](args, pathlib.Path(scratch))
            table = ["", f"## {group.title}", "", *render(measure(group.commands, args.runs), group.references)]
            print("\n".join(table), flush=True)
            report += table
    if args.save:
        args.save.parent.mkdir(parents=True, exist_ok=True)
        args.save.write_text("\n".join([*report, ""]), "utf-8")
    return 0


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path, help="folder of Python files (benches/corpus.py makes one)")
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help="default: target/release/asyncfix")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each command")
    parser.add_argument("--groups", nargs="+", choices=list(GROUPS), default=list(GROUPS), help="default: all")
    parser.add_argument("--save", metavar="FILE", type=lambda name: HERE / "results" / name)
    args = parser.parse_args()
    if not args.tree.is_dir():
        parser.error(f"{args.tree} is no folder: make a tree with benches/corpus.py")
    return args


def require_tools(binary: pathlib.Path) -> None:
    """Stop where something that is to be compared, or that measures, is not there."""
    missing = [f"{tool}: {how}" for tool, how in TOOLS.items() if not shutil.which(tool)]
    if not shutil.which(binary):
        missing.append(f"{binary}: cargo build --release")
    if subprocess.run([sys.executable, "-c", "import libcst"], check=False, stderr=subprocess.DEVNULL).returncode:
        missing.append("libcst: pip install libcst, for the Python that runs this")
    if missing:
        fail("missing:", *missing)


def fail(*lines: str) -> NoReturn:
    """Say what is wrong, and stop."""
    print("error:", "\n  ".join(lines), file=sys.stderr)
    sys.exit(2)


def over_tree(args: argparse.Namespace, scratch: pathlib.Path) -> Group:
    """Everything."""
    files = list_files(args.tree)
    cat = ["xargs", "-0", "-a", listing(scratch, files), "cat"]
    commands = {
        **searches([args.tree]),
        "cat": cat,
        "ruff check --select ASYNC,RUF006": [*RUFF, str(args.tree)],
        "ast-grep": ["ast-grep", "run", "-l", "py", "-p", "asyncio.gather($$$A)", str(args.tree)],
        **ours(args.binary, ["--no-types"], ["--no-types", "--diff"], ["--no-types", "--all"], on=[args.tree]),
    }
    return Group(f"The tree: {len(files):,} files", commands, ["rg -l async", "ruff check --select ASYNC,RUF006"])


def over_few(args: argparse.Namespace, _scratch: pathlib.Path) -> Group:
    """Folders like most code: hardly a file in them holds `async`."""
    folders = [folder for folder in sorted(args.tree.iterdir()) if folder.is_dir() and share(folder) < FEW]
    if not folders:
        fail(f"no folder in {args.tree} has fewer than {FEW:.0%} of files with `async`")
    count = sum(len(list_files(folder)) for folder in folders)
    commands = {
        **searches(folders),
        "ruff check --select ASYNC,RUF006": [*RUFF, *map(str, folders)],
        **ours(args.binary, ["--no-types"], ["--no-types", "--all"], [], on=folders),
    }
    title = f"{len(folders)} folders in which fewer than {FEW:.0%} of the files hold `async`: {count:,} files"
    return Group(title, commands, ["rg -l async", "ruff check --select ASYNC,RUF006"])


def over_project(args: argparse.Namespace, _scratch: pathlib.Path) -> Group:
    """One project, as its maintainer would run it. Nothing that it imports is installed."""
    folders = sorted(args.tree.glob(f"{PROJECT}[-=]*")) or fail(f"{args.tree} has no {PROJECT}")
    commands = {
        "ty check": ["ty", "check", "--exit-zero", "-q", str(folders[0])],
        **ours(args.binary, [], ["--all"], ["--all", "--no-types"], on=folders[:1]),
    }
    return Group(f"Types: {folders[0].name}", commands, ["ty check"])


def over_sample(args: argparse.Namespace, scratch: pathlib.Path) -> Group:
    """A sample for those that would need hours for the tree."""
    found = output(["rg", "-l", "asyncio", "-g", "*.py", str(args.tree)]).splitlines()
    folder = scratch / "sample"
    folder.mkdir()
    for number, file in enumerate(random.Random(1).sample(sorted(found), min(SAMPLE, len(found)))):
        shutil.copy(file, folder / f"module_{number}.py")
    files = list_files(folder)
    commands = {
        "LibCST codemod": [sys.executable, str(HERE / "peers" / "libcst_codemod.py"), *files],
        "flake8-async": ["flake8", "--isolated", "--select", "ASYNC", str(folder)],
        **ours(args.binary, ["--no-types"], ["--no-types", "--ensure-future-to-create-task", "--diff"], on=[folder]),
    }
    return Group(f"A sample: {len(files)} files with `asyncio`", commands, ["LibCST codemod", "flake8-async"])


def over_nothing(args: argparse.Namespace, scratch: pathlib.Path) -> Group:
    """An empty folder."""
    folder = scratch / "empty"
    folder.mkdir()
    commands = {**searches([folder]), "ruff": [*RUFF, str(folder)], **ours(args.binary, [], on=[folder])}
    return Group("An empty folder", commands, ["rg -l async"])


GROUPS = {"tree": over_tree, "few": over_few, "types": over_project, "sample": over_sample, "start": over_nothing}


def searches(paths: list[pathlib.Path]) -> dict[str, list[str]]:
    """What a run should cost where few files matter."""
    return {"rg -l async": ["rg", "-l", "async", "-g", "*.py", *map(str, paths)]}


def ours(binary: pathlib.Path, *flags: list[str], on: list[pathlib.Path]) -> dict[str, list[str]]:
    """Runs of asyncfix, by their flags."""
    return {" ".join(["asyncfix", *some]): [str(binary), "--isolated", *some, *map(str, on)] for some in flags}


def list_files(tree: pathlib.Path) -> list[str]:
    """The Python files of a tree, as ripgrep walks it."""
    return output(["rg", "--files", "-g", "*.py", str(tree)]).splitlines()


def listing(scratch: pathlib.Path, files: list[str]) -> str:
    """A file that names files."""
    path = scratch / "files"
    path.write_bytes(b"\0".join(map(os.fsencode, files)))
    return str(path)


def share(folder: pathlib.Path) -> float:
    """The share of the files of a folder that hold `async`."""
    files = list_files(folder)
    return len(output(["rg", "-l", "async", "-g", "*.py", str(folder)]).splitlines()) / len(files) if files else 1.0


def describe(args: argparse.Namespace) -> list[str]:
    """The machine, the versions and the tree, as a list in Markdown."""
    files = list_files(args.tree)
    if not files:
        fail(f"ripgrep finds no Python file in {args.tree}: is it in a folder that a .gitignore names?")
    size = sum(os.path.getsize(file) for file in files)
    words = {
        word: len(output(["rg", "-l", word, "-g", "*.py", str(args.tree)]).splitlines())
        for word in ("async", "asyncio")
    }
    held = f"{len(files):,} files, {size / MEBI:,.0f} MiB, " + ", ".join(
        f"{n:,} with `{word}`" for word, n in words.items()
    )
    names = [[str(args.binary)], ["rg"], ["ruff"], ["ast-grep"], ["ty"], ["flake8"], ["hyperfine"]]
    versions = ", ".join(output([*name, "--version"]).partition("\n")[0] or name[0] for name in names)
    load = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    machine = f"{processor()}, {os.cpu_count()} cores, {memory_size()}, {platform.platform()}"
    return [
        f"Measured {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {args.runs} runs each after {WARMUP} to warm up.",
        "",
        f"- machine: {machine}; load before: {load}",
        f"- versions: {versions}",
        f"- tree: {held}",
    ]


def output(command: list[str]) -> str:
    """What a command prints on standard output, whatever its exit status."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip()


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def memory_size() -> str:
    """How much memory the machine has."""
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1024**3:.0f} GiB"


def measure(commands: dict[str, list[str]], runs: int) -> list[Row]:
    """Time the commands side by side, then take each one's peak memory in a run of its own."""
    with tempfile.NamedTemporaryFile(suffix=".json") as export:
        hyperfine = ["hyperfine", "--shell=none", "--ignore-failure", "--output=pipe", "--style=none"]
        hyperfine += [f"--warmup={WARMUP}", f"--runs={runs}", f"--export-json={export.name}"]
        command = [*hyperfine, *map(shlex.join, commands.values())]
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
        # It warns of each exit status 1, which is what a search that found something else ends with.
        for line in done.stderr.splitlines():
            if line.strip() not in ("", "Warning: Ignoring non-zero exit code."):
                print(line.strip(), file=sys.stderr)
        if done.returncode:
            fail(f"hyperfine ended with exit status {done.returncode}")
        results = json.load(export)["results"]
    rows = []
    for (name, command), result in zip(commands.items(), results, strict=True):
        # 1 says "found" or "found nothing"; anything above, that the command did not do its work.
        if failed := {code for code in result["exit_codes"] if code not in (0, 1)}:
            fail(f"exit status {failed} from: {shlex.join(command)}")
        spread = (result["min"], result["max"])
        rows.append(Row(name, result["median"], spread, result["user"] + result["system"], peak_memory(command)))
    return rows


def peak_memory(command: list[str]) -> int:
    """The most memory that a command held at a time.

    It is asked of time(1), since the kernel counts what a process held before it became another program: as a child
    of this Python, each command would seem to need as much as Python does.
    """
    with tempfile.NamedTemporaryFile("r") as report:
        measured = [TIME, "--format=%M", f"--output={report.name}", *command]
        subprocess.run(measured, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return int(report.read().split()[-1]) * 1024


def render(rows: list[Row], references: list[str]) -> list[str]:
    """The table, in Markdown."""
    others = [next(row for row in rows if row.name == name) for name in references]
    ratios = [f"{what} / `{name}`" for name in references for what in ("time", "CPU")]
    titles = ["command", "median", "min to max", "CPU", *ratios, "memory"]
    lines = [f"| {' | '.join(titles)} |", f"| --- |{' ---: |' * (len(titles) - 1)}"]
    for row in rows:
        cells = [f"`{row.name}`", f"{row.median:.3f} s", f"{row.spread[0]:.3f} to {row.spread[1]:.3f} s"]
        cells.append(f"{row.cpu:.3f} s")
        for other in others:
            cells += [f"{row.median / other.median:.3g}", f"{row.cpu / other.cpu:.3g}"]
        lines.append(f"| {' | '.join([*cells, f'{row.memory / MEBI:.0f} MiB'])} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
