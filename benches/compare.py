#!/usr/bin/env python3
"""Time asyncfix beside ripgrep and ruff on the same tree, in one run of hyperfine.

usage: compare.py TREE [--binary PATH] [--runs N] [--save FILE]

  rg -l asyncio -g '*.py'       what it costs to read every file and look for one word
  rg -l async -g '*.py'         the same for a word that more files hold
  ruff check ASYNC,RUF006       what it costs to parse every file and run a linter's rules on it
  asyncfix, asyncfix --diff     the report, and the patch

Caches are warm: each command runs twice before it is timed. The output goes through a pipe, so that no tool can tell
that nobody reads it. --save writes the table to benches/results/FILE. What is compared, and what is not, is told in
benches/README.md. Exit status 2 says that a tool is missing, and how to install it, or that a command failed.
Standard library only; needs Python 3.11 or newer.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
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
    TIME: "apt-get install time",
}
WARMUP = 2
MEBI = 1024 * 1024


class Row(NamedTuple):
    """What one command took: seconds, and peak memory in bytes."""

    name: str
    median: float
    spread: tuple[float, float]
    cpu: float
    memory: int


def main() -> int:
    """Measure, print the table, and save it where that is asked for."""
    args = parse_arguments()
    require_tools(args.binary)
    commands = commands_over(args.tree, args.binary)
    table = [*describe(args), "", *render(measure(commands, args.runs)), ""]
    text = "\n".join(table)
    print(text)
    if args.save:
        args.save.parent.mkdir(parents=True, exist_ok=True)
        args.save.write_text(text, "utf-8")
    return 0


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path, help="folder of Python files (benches/corpus.py makes one)")
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help="default: target/release/asyncfix")
    parser.add_argument("--runs", type=int, default=10, help="timed runs of each command")
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
    if missing:
        fail("missing:", *missing)


def fail(*lines: str) -> NoReturn:
    """Say what is wrong, and stop."""
    print("error:", "\n  ".join(lines), file=sys.stderr)
    sys.exit(2)


def commands_over(tree: pathlib.Path, binary: pathlib.Path) -> dict[str, list[str]]:
    """The commands to compare, by the name they have in the table; ripgrep's and ruff's are what ratios are taken to."""
    asyncfix = [str(binary), "--isolated"]
    ruff = ["ruff", "check", "--no-cache", "--isolated", "--select", "ASYNC,RUF006", "-q"]
    commands = {
        "rg -l asyncio": ["rg", "-l", "asyncio", "-g", "*.py"],
        "rg -l async": ["rg", "-l", "async", "-g", "*.py"],
        "ruff check --select ASYNC,RUF006": ruff,
        "asyncfix": [*asyncfix, "-q"],
        "asyncfix --diff": [*asyncfix, "--diff"],
    }
    return {name: [*command, str(tree)] for name, command in commands.items()}


def describe(args: argparse.Namespace) -> list[str]:
    """The machine, the versions and the tree, as a list in Markdown."""
    files = output(["rg", "--files", "-g", "*.py", str(args.tree)]).splitlines()
    if not files:
        fail(f"ripgrep finds no Python file in {args.tree}: is it in a folder that a .gitignore names?")
    size = sum(os.path.getsize(file) for file in files)
    mentioning = len(output(["rg", "-l", "asyncio", "-g", "*.py", str(args.tree)]).splitlines())
    by_ruff = output(["ruff", "check", "--isolated", "--show-files", str(args.tree)]).splitlines()
    walked = sum(file.endswith(".py") for file in by_ruff)
    tools = [["asyncfix", str(args.binary)], ["rg"], ["ruff"], ["hyperfine"]]
    versions = ", ".join(output([tool[-1], "--version"]).partition("\n")[0] or tool[0] for tool in tools)
    load = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    machine = f"{processor()}, {os.cpu_count()} cores, {memory_size()}, {platform.platform()}"
    held = f"{len(files):,} files, {size / MEBI:,.0f} MiB, {mentioning:,} with `asyncio`"
    return [
        f"Measured {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {args.runs} runs each after {WARMUP} to warm up.",
        "",
        f"- machine: {machine}; load before: {load}",
        f"- versions: {versions}",
        f"- tree: {held}; ruff walks {walked:,} files",
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


def render(rows: list[Row]) -> list[str]:
    """The table, in Markdown."""
    rg = next(row for row in rows if row.name.startswith("rg"))
    ruff = next(row for row in rows if row.name.startswith("ruff"))
    lines = [
        f"| command | median | min to max | CPU | time / `{rg.name}` | CPU / `{rg.name}` | time / ruff | CPU / ruff | memory |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        cells = [f"`{row.name}`", f"{row.median:.3f} s", f"{row.spread[0]:.3f} to {row.spread[1]:.3f} s"]
        cells.append(f"{row.cpu:.3f} s")
        for other in (rg, ruff):
            cells += [f"{row.median / other.median:.2f}", f"{row.cpu / other.cpu:.2f}"]
        lines.append(f"| {' | '.join([*cells, f'{row.memory / MEBI:.0f} MiB'])} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
