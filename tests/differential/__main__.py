"""Run generated asyncio programs before and after asyncfix rewrote them, and compare what could be observed.

usage: python3 tests/differential --bin PATH [--programs N] [--seed S] [--codemods NAME ...] [--pythons 3.11 ...] [--jobs J]

Each program is made from the seed, its number and a codemod; rewritten by that codemod alone, or by all of them; and run in
virtual time (worker.py) by every CPython from 3.11 on that is here. Where the fixes are safe, the logs have to be equal;
where they are intended, the codemod's predicate in effects.py decides. Where the program says what a person would have
written, the log has to be that program's, too. What was rewritten by all codemods has to do what it does when they are
applied one after the other.

A difference is made as small as it gets, and printed with the program before and after and both logs; the exit status is
then 1. A table says how much was looked at: how many programs were rewritten, withheld and left alone, and how many ended
by an exception. Standard library only; needs Python 3.11 or newer.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import itertools
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import running
from comparing import Comparison, Counts, Difference
from programs import Program, program
from running import BrokenRunError, Interpreters, Way
from shapes import SHAPES, UNSAFE
from shrinking import shrunk

# As many programs lie in one folder.
BATCH = 400
SHOWN = 4


def main() -> int:
    """Make, rewrite, run and compare; print what differs and what was looked at."""
    args = parse_arguments()
    started = time.monotonic()
    work = planned(args)
    counts: dict[str, Counts] = collections.defaultdict(Counts)
    found: list[Difference] = []
    interpreters = threading.local()
    every: list[Interpreters] = []

    def compare(batch: tuple[Way, list[Program]]) -> tuple[str, Counts, list[Difference]]:
        if not hasattr(interpreters, "mine"):
            interpreters.mine = Interpreters(args.pythons)
            every.append(interpreters.mine)
        way, programs = batch
        its = Counts()
        return way.codemod, its, Comparison(args.bin, way, interpreters.mine).of(programs, its)

    try:
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            done = 0
            for (_, programs), (name, its, differences) in zip(work, pool.map(compare, work), strict=True):
                counts[name].add(its)
                found += differences
                for it in differences:
                    print(f"\r{it.program.name} of {it.way.codemod}: {it.problem}", file=sys.stderr)
                done += len(programs)
                print(f"\r{done} programs, {len(found)} differences ", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        print_table(counts)
        print_differences(found, args, Interpreters(args.pythons), every)
    except BrokenRunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        for mine in every:
            mine.close()
    versions = " ".join(".".join(map(str, version)) for version in args.pythons)
    print(f"{len(found)} differences, seed {args.seed}, CPython {versions}, {time.monotonic() - started:.0f} s")
    return 1 if found else 0


def parse_arguments() -> argparse.Namespace:
    """Read the command line, and stop with status 2 where something it needs is missing."""
    parser = argparse.ArgumentParser(prog="differential", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="the asyncfix to look at")
    parser.add_argument("--programs", type=int, default=1000, help="how many programs (default: 1000)")
    parser.add_argument("--seed", default="1", help="another one makes other programs")
    parser.add_argument("--codemods", nargs="+", default=sorted(SHAPES), metavar="NAME", help="default: all it knows")
    parser.add_argument("--pythons", nargs="+", metavar="VERSION", help="3.11 and so on (default: all that are here)")
    parser.add_argument(
        "--no-types", action="store_true", help="as asyncfix has it: quicker, with a debug build above all"
    )
    parser.add_argument("--jobs", type=int, default=2, help="batches at a time (default: 2)")
    parser.add_argument("--select", metavar="NAME", help="the codemod that rewrites, whatever the programs are about")
    parser.add_argument("--shown", type=int, default=SHOWN, help=f"how many differences to print (default: {SHOWN})")
    args = parser.parse_args()
    args.bin = str(args.bin.resolve())
    if not pathlib.Path(args.bin).is_file():
        parser.error(f"there is no {args.bin}: build asyncfix first")
    if unknown := set(args.codemods) - set(SHAPES):
        parser.error(f"no shape is known for {', '.join(sorted(unknown))}: see shapes.py")
    here = running.pythons_here()
    wanted = {version for version in here if not args.pythons or ".".join(map(str, version)) in args.pythons}
    args.pythons = {version: python for version, python in here.items() if version in wanted}
    if not args.pythons:
        parser.error("none of these Pythons is here")
    return args


def planned(args: argparse.Namespace) -> list[tuple[Way, list[Program]]]:
    """The programs, each with the way in which asyncfix is run over it."""
    ways: dict[Way, list[Program]] = collections.defaultdict(list)
    names = itertools.cycle(args.codemods)
    for index in range(args.programs):
        codemod = next(names)
        rng = random.Random(f"{args.seed}/{index}/way")
        way = way_of(codemod, rng, max(args.pythons), args.select)
        if args.no_types:
            way = dataclasses.replace(way, flags=(*way.flags, "--no-types"))
        ways[way].append(program(args.seed, index, codemod))
    batches = []
    for way, programs in ways.items():
        batches += [(way, programs[start : start + BATCH]) for start in range(0, len(programs), BATCH)]
    # The long ones first, so that no thread starts one last.
    return sorted(batches, key=lambda batch: -len(batch[1]))


def way_of(codemod: str, rng: random.Random, newest: tuple[int, int], selected: str | None) -> Way:
    """How a program of that codemod is rewritten."""
    flags: list[str] = []
    python = (3, 11)
    if rng.random() < 0.3 or codemod == "inspect-iscoroutinefunction":
        python = rng.choice(((3, 11), (3, 11), min(newest, (3, 13))))
        python = min(newest, (3, 13)) if codemod == "inspect-iscoroutinefunction" else python
        flags += ["--target-version", f"py{python[0]}{python[1]}"]
    if selected:
        return Way(selected, tuple(flags), python)
    if codemod in UNSAFE:
        flags += ["--unsafe-fixes"]
    elif rng.random() < 0.15:
        return Way("all", tuple(flags), python)
    if codemod == "limit-concurrency":
        flags += ["--config", "limit-concurrency.limit=2"]
    if codemod == "gather-to-taskgroup" and rng.random() < 0.25:
        flags += ["--config", 'gather-to-taskgroup.exceptions="unwrap"']
    if codemod == "keep-task-reference" and rng.random() < 0.3:
        flags += ["--config", 'keep-task-reference.style="helper"']
    return Way(codemod, tuple(flags), python)


# ------------------------------------------------------------------ what is printed


def print_table(counts: dict[str, Counts]) -> None:
    """Print what was looked at."""
    total = Counts()
    for its in counts.values():
        total.add(its)
    titles = ("programs", "rewritten", "withheld", "alone", "by hand", "runs", "failing", "different")
    width = max(len(name) for name in (*counts, "codemod"))
    print(f"{'codemod':{width}}", *(f"{title:>9}" for title in titles))
    for name, its in (*sorted(counts.items()), ("in all", total)):
        print(f"{name:{width}}", *(f"{number:9}" for number in dataclasses.astuple(its)))


def print_differences(
    found: list[Difference], args: argparse.Namespace, interpreters: Interpreters, every: list[Interpreters]
) -> None:
    """Print the differences that have been found, as small as they get: of each codemod one before any has two."""
    every.append(interpreters)
    by_codemod: dict[str, list[Difference]] = collections.defaultdict(list)
    for difference in found:
        by_codemod[difference.way.codemod].append(difference)
    turns = itertools.zip_longest(*by_codemod.values())
    ordered = [difference for turn in turns for difference in turn if difference is not None]
    for difference in ordered[: args.shown]:
        print(shrunk(difference, args.bin, interpreters), flush=True)
    for codemod, its in sorted(by_codemod.items()):
        print(f"{codemod}: {len(its)} differences: {' '.join(it.program.name for it in its[:20])}")


if __name__ == "__main__":
    sys.exit(main())
