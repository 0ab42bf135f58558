#!/usr/bin/env python3
"""Count the instructions of each phase of a run, by callgrind: the same on a busy machine as on a quiet one.

usage: instructions.py TREE [--binary PATH] [--files N] [--save FILE]

It runs asyncfix on a sample of the tree, half of it files with `asyncio`, in one thread, and prints for each phase how many
instructions were executed in it, its share of the run, and how many that makes for a file. A phase is a function with all
that it calls: "callers" holds parsing too. --save writes the table to benches/results/FILE.

The binary needs its symbols, which a release build keeps. Where the compiler has put a function into its caller, its row
says so. Exit status 2 says that a tool is missing, or that the run failed. Standard library only; needs Python 3.11 or newer.
"""

import argparse
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NoReturn

HERE = pathlib.Path(__file__).resolve().parent
BINARY = HERE.parent / "target" / "release" / "asyncfix"
RUNS = {"report": [], "--all --diff": ["--all", "--diff"]}
PHASES = {
    "walk": ["asyncfix::walk::walk"],
    "read": ["asyncfix::source::read_into"],
    "prefilter": ["asyncfix_engine::prefilter::Prefilter::may_match"],
    "decode": ["asyncfix::source::Source::decode", "asyncfix::source::Source::check"],
    "parse": ["ruff_python_parser::parser::Parser::parse", "ruff_python_parser::parse_unchecked"],
    "index": ["asyncfix_python::index::Index::new"],
    "codemods": ["asyncfix_engine::rewrite::Run::findings"],
    "callers": ["asyncfix::callers::Callers::of"],
    "merge": ["asyncfix_edit::merge::merge", "asyncfix_engine::rewrite::merge_changes"],
    "verify": ["asyncfix_engine::verify::verify"],
    "imports": ["asyncfix_engine::rewrite::Run::remove_imports"],
    "report": ["asyncfix::run::conclude::conclude"],
}
"""For each phase the functions that it is known by, of which the first counts that is found."""


def main() -> int:
    """Run, count, print."""
    args = parse_arguments()
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "sample"
        count = sample(args.tree, folder, args.files)
        lines.append(f"{count} files of the sample, instructions in millions, {version(args.binary)}.")
        for name, flags in RUNS.items():
            counts = measure(args.binary, flags, folder, pathlib.Path(scratch) / "callgrind.out")
            lines += ["", f"## {name}", "", *render(counts, count)]
    print("\n".join(lines))
    if args.save:
        args.save.write_text("\n".join([*lines, ""]), "utf-8")
    return 0


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path, help="folder of Python files (benches/corpus.py makes one)")
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help="default: target/release/asyncfix")
    parser.add_argument("--files", type=int, default=400, help="how many files to take")
    parser.add_argument("--save", metavar="FILE", type=lambda name: HERE / "results" / name)
    args = parser.parse_args()
    for needed, how in (("valgrind", "apt-get install valgrind"), (args.binary, "cargo build --release")):
        if not shutil.which(needed):
            fail(f"{needed} is missing: {how}")
    return args


def fail(message: str) -> NoReturn:
    """Say what is wrong, and stop."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def version(binary: pathlib.Path) -> str:
    """What the binary says it is."""
    return subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout.strip()


def sample(tree: pathlib.Path, folder: pathlib.Path, size: int) -> int:
    """Copy some files of the tree, always the same; says how many."""
    files = sorted(tree.rglob("*.py"))
    random.Random(1).shuffle(files)
    with_asyncio = [file for file in files[: 40 * size] if b"asyncio" in file.read_bytes()][: size // 2]
    taken = [*with_asyncio, *files[: size - len(with_asyncio)]]
    for number, file in enumerate(taken):
        target = folder / f"package{number % 10}" / f"module_{number}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return len(taken)


def measure(binary: pathlib.Path, flags: list[str], folder: pathlib.Path, out: pathlib.Path) -> dict[str, int]:
    """The instructions of each function with all that it calls, by its name."""
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--quiet"]
    command = [*valgrind, str(binary), "--isolated", "--no-types", "--jobs", "1", *flags, str(folder)]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        fail(f"exit status {done.returncode}: {done.stderr}")
    annotate = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(out)]
    text = subprocess.run(annotate, check=True, capture_output=True, text=True).stdout
    counts: dict[str, int] = {}
    for line in text.splitlines():
        if found := re.match(r"\s*([\d,]+) (?:\([ \d.]+%\) +)?(?:PROGRAM TOTALS|\S*?:(.+?)(?: \[\S+\])?$)", line):
            name = re.sub(r"::h[0-9a-f]{16}$|'\d+$", "", found[2] or "all")
            counts[name] = max(counts.get(name, 0), int(found[1].replace(",", "")))
    return counts


def render(counts: dict[str, int], files: int) -> list[str]:
    """The table, in Markdown."""
    whole = counts["all"]
    lines = ["| phase | instructions | share | for a file |", "| --- | ---: | ---: | ---: |"]
    for phase, functions in PHASES.items():
        found = next((counts[name] for name in functions if name in counts), None)
        if found is None:
            lines.append(f"| {phase} | in its caller | | |")
        else:
            lines.append(f"| {phase} | {found / 1e6:,.1f} | {found / whole:.1%} | {found / files / 1e6:.3f} |")
    return [*lines, f"| all | {whole / 1e6:,.1f} | 100.0% | {whole / files / 1e6:.3f} |"]


if __name__ == "__main__":
    sys.exit(main())
