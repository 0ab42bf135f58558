#!/usr/bin/env python3
"""Measure how time and memory grow with the number of files, their size, and the findings in one file.

usage: growth.py TREE [--binary PATH] [--runs N] [--series NAME ...] [--largest N] [--save NAME]

  files      1,000 to 100,000 files: whole packages of the tree, and copies of them
  size       one file of 100 KB to 10 MB, with one finding at its end
  findings   one file with 100 to 100,000 findings

Each row has, for each command, the median processor time of N runs (user and system: others use the machine too), the peak
memory of one, and the exponent: the slope to the row before it, where time is read as size to that power. 1 is linear, 2
is quadratic; below a tenth of a second nothing is said. An exponent above 1.4 makes the exit status 1. --save writes the table and the plots to benches/results/NAME.md and
NAME-*.svg. Standard library only; needs Python 3.11 or newer, GNU time, and half a gigabyte of temporary space.
"""

import argparse
import datetime
import itertools
import math
import os
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import NamedTuple, NoReturn

HERE = pathlib.Path(__file__).resolve().parent
BINARY = HERE.parent / "target" / "release" / "asyncfix"
TIME = "/usr/bin/time"
MEBI = 1024 * 1024
STEEP = 1.4
FLOOR = 0.1  # seconds: below them, what it costs to start hides the growth
PLOT = (640, 400)
MARGIN = (60, 20, 30, 45)  # left, right, top, bottom
COLOURS = ["#1b6ca8", "#c8553d", "#2e7d32", "#7b4fa3", "#b8860b", "#444444"]


class Command(NamedTuple):
    """A run of asyncfix."""

    flags: list[str]
    writes: bool = False
    """Whether it changes the files, which are then put back before the next run."""


class Point(NamedTuple):
    """What one size took: seconds, and peak memory in bytes."""

    size: int
    seconds: float
    memory: int


class Series(NamedTuple):
    """Sizes of one kind, and what is run on them."""

    title: str
    unit: str
    sizes: list[int]
    make: Callable[[pathlib.Path, pathlib.Path, int], None]
    """Makes the files of a size in a folder, from the tree."""
    commands: dict[str, Command]


def main() -> int:
    """Measure, print the tables, and save them with their plots where that is asked for."""
    args = parse_arguments()
    report = describe(args.binary, args.runs)
    print("\n".join(report), flush=True)
    steep: list[str] = []
    for name in args.series:
        series = SERIES[name]
        points = measure(series, args)
        table = ["", f"## {series.title}", "", *render(series, points)]
        print("\n".join(table), flush=True)
        report += table
        steep += [f"{name}: {command}" for command, found in points.items() if is_steep(found)]
        if args.save:
            report += ["", f"![{series.title}]({args.save}-{name}.svg)"]
            plot = HERE / "results" / f"{args.save}-{name}.svg"
            plot.write_text(draw(series, points), "utf-8")
    if args.save:
        (HERE / "results" / f"{args.save}.md").write_text("\n".join([*report, ""]), "utf-8")
    if steep:
        print(f"steeper than size to the power of {STEEP}:", *steep, sep="\n  ", file=sys.stderr)
    return 1 if steep else 0


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path, help="folder of Python files (benches/corpus.py makes one)")
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help="default: target/release/asyncfix")
    parser.add_argument("--runs", type=int, default=3, help="timed runs of each command")
    parser.add_argument("--series", nargs="+", choices=list(SERIES), default=list(SERIES), help="default: all")
    parser.add_argument("--largest", type=int, default=10**9, help="leave out larger sizes")
    parser.add_argument("--save", metavar="NAME", help="write NAME.md and NAME-*.svg to benches/results")
    args = parser.parse_args()
    if not args.tree.is_dir():
        parser.error(f"{args.tree} is no folder: make a tree with benches/corpus.py")
    for needed, how in ((TIME, "apt-get install time"), (args.binary, "cargo build --release")):
        if not shutil.which(needed):
            fail(f"{needed} is missing: {how}")
    return args


def fail(message: str) -> NoReturn:
    """Say what is wrong, and stop."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def describe(binary: pathlib.Path, runs: int) -> list[str]:
    """When and with what it was measured."""
    version = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    load = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    day = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    return [
        f"Measured {day} with {version}, medians of {runs} runs on {os.cpu_count()} cores; load before: {load}.",
        "The exponent is the slope to the row before: 1 is linear.",
    ]


def make_files(tree: pathlib.Path, folder: pathlib.Path, size: int) -> None:
    """Whole packages of the tree up to a number of files, then packages again, as other projects."""
    packages = sorted(it for it in tree.iterdir() if it.is_dir())
    random.Random(1).shuffle(packages)
    files = {package: sorted(package.rglob("*.py")) for package in packages}
    left, copy = size, 0
    while left > 0:
        for package in packages:
            # A project file tells projects apart, as in the tree.
            extra = [it for it in (package / "pyproject.toml", package / "setup.cfg") if it.is_file() and left > 0]
            taken = files[package][:left]
            for file in [*extra, *taken]:
                target = folder / f"copy{copy}" / file.relative_to(tree)
                target.parent.mkdir(parents=True, exist_ok=True)
                place(file, target)
            left -= len(taken)
        copy += 1


def place(file: pathlib.Path, target: pathlib.Path) -> None:
    """Put a file that nobody writes elsewhere, without copying it where that can be."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)


def make_size(_tree: pathlib.Path, folder: pathlib.Path, size: int) -> None:
    """One file of that many bytes: classes with methods, and at its end what a codemod wants."""
    parts = ["import asyncio\nimport logging\n\nlogger = logging.getLogger(__name__)\n"]
    length = len(parts[0])
    number = 0
    while length < size:
        parts.append(CLASS.replace("NUMBER", str(number)))
        length += len(parts[-1])
        number += 1
    parts.append(FINDING.replace("NUMBER", "0"))
    (folder / "module.py").write_text("".join(parts), "utf-8")


def make_findings(_tree: pathlib.Path, folder: pathlib.Path, size: int) -> None:
    """One file with that many findings, each in a function of its own."""
    body = "".join(FINDING.replace("NUMBER", str(number)) for number in range(size))
    (folder / "module.py").write_text("import asyncio\n" + body, "utf-8")


CLASS = '''

class ClientNUMBER(Base):
    """A client that keeps what it was told."""

    def __init__(self, url: str, *, retries: int = 3, headers: dict[str, str] | None = None) -> None:
        super().__init__()
        self.url = url
        self.retries = retries
        self.headers = dict(headers or {})
        self._cache: dict[str, bytes] = {}

    async def load(self, path: str) -> bytes:
        if path in self._cache:
            return self._cache[path]
        for attempt in range(self.retries):
            try:
                response = await self.request("GET", f"{self.url}/{path}", headers=self.headers)
            except OSError as error:
                logger.warning("attempt %d of %s failed: %s", attempt, path, error)
                await asyncio.sleep(2**attempt)
            else:
                self._cache[path] = [part for part in response.parts if part is not None][0]
                return self._cache[path]
        raise LookupError(f"{path!r} cannot be loaded from {self.url!r}")
'''

FINDING = """

async def start_NUMBER(job):
    task = asyncio.ensure_future(job())
    return await task
"""

PLAIN = ["--no-types"]
SERIES = {
    "files": Series(
        "The number of files",
        "files",
        [1_000, 3_000, 10_000, 30_000, 100_000],
        make_files,
        {"report": Command(PLAIN), "--all": Command([*PLAIN, "--all"])},
    ),
    "size": Series(
        "The size of a file",
        "bytes",
        [100_000, 300_000, 1_000_000, 3_000_000, 10_000_000],
        make_size,
        {
            "report": Command(PLAIN),
            "--all": Command([*PLAIN, "--all"]),
            "--all --diff": Command([*PLAIN, "--all", "--diff"]),
        },
    ),
    "findings": Series(
        "The findings in one file",
        "findings",
        [100, 1_000, 10_000, 100_000],
        make_findings,
        {
            "report": Command([*PLAIN, "--ensure-future-to-create-task"]),
            "--diff": Command([*PLAIN, "--ensure-future-to-create-task", "--diff"]),
            "--fix": Command([*PLAIN, "--ensure-future-to-create-task", "--fix"], writes=True),
            "json": Command([*PLAIN, "--ensure-future-to-create-task", "--output-format", "json"]),
            "rdjson": Command([*PLAIN, "--ensure-future-to-create-task", "--output-format", "rdjson"]),
            "--all": Command([*PLAIN, "--all"]),
        },
    ),
}


def measure(series: Series, args: argparse.Namespace) -> dict[str, list[Point]]:
    """Run each command on each size."""
    points: dict[str, list[Point]] = {name: [] for name in series.commands}
    for size in series.sizes:
        if size > args.largest:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "tree"
            folder.mkdir()
            series.make(args.tree, folder, size)
            for name, command in series.commands.items():
                point = run(args.binary, command, folder, args.runs)
                points[name].append(point._replace(size=size))
    return points


def run(binary: pathlib.Path, command: Command, folder: pathlib.Path, runs: int) -> Point:
    """Run a command so many times, once more to warm up, and once more for its memory."""
    arguments = [str(binary), "--isolated", *command.flags, str(folder)]
    kept = folder.with_name("kept")
    if command.writes:
        shutil.copytree(folder, kept)

    def once(before: list[str]) -> float:
        if command.writes:
            shutil.rmtree(folder)
            shutil.copytree(kept, folder)
        start = processor_seconds()
        done = subprocess.run([*before, *arguments], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        seconds = processor_seconds() - start
        if done.returncode not in (0, 1):
            fail(f"exit status {done.returncode} from {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
        return seconds

    # The kernel counts what a process held before it became another program: time(1) is small.
    with tempfile.NamedTemporaryFile("r") as report:
        once([TIME, "--format=%M", f"--output={report.name}"])
        memory = int(report.read().split()[-1]) * 1024
    seconds = statistics.median(once([]) for _ in range(runs))
    if command.writes:
        shutil.rmtree(folder)
        kept.rename(folder)
    return Point(0, seconds, memory)


def processor_seconds() -> float:
    """What the children of this process that have ended took, user and system."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def exponent(before: Point, after: Point) -> float | None:
    """How steeply time grew between two sizes; none where it is too short to tell."""
    if before.seconds < FLOOR:
        return None
    return math.log(after.seconds / before.seconds) / math.log(after.size / before.size)


def is_steep(points: list[Point]) -> bool:
    """Whether time grew faster than it may."""
    slopes = [exponent(before, after) for before, after in itertools.pairwise(points)]
    return any(slope is not None and slope > STEEP for slope in slopes)


def render(series: Series, points: dict[str, list[Point]]) -> list[str]:
    """The table, in Markdown."""
    lines = [f"| command | {series.unit} | processor time | memory | exponent |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, found in points.items():
        before = None
        for point in found:
            slope = exponent(before, point) if before else None
            cells = [f"`{name}`", f"{point.size:,}", f"{point.seconds:.3f} s", f"{point.memory / MEBI:.0f} MiB"]
            lines.append(f"| {' | '.join([*cells, '' if slope is None else f'{slope:.2f}'])} |")
            before = point
    return lines


def draw(series: Series, points: dict[str, list[Point]]) -> str:
    """Time against size, both logarithmic, as SVG."""
    width, height = PLOT
    left, right, top, bottom = MARGIN
    sizes = [point.size for found in points.values() for point in found]
    times = [point.seconds for found in points.values() for point in found]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    first, last = math.log10(min(sizes)), math.log10(max(sizes))

    def x(size: float) -> float:
        return left + (math.log10(size) - first) / ((last - first) or 1) * (width - left - right)

    def y(seconds: float) -> float:
        return height - bottom - (math.log10(seconds) - low) / ((high - low) or 1) * (height - top - bottom)

    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="18">{series.title}: processor seconds by {series.unit}</text>',
    ]
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{10**power:g} s</text>')
    for size in sorted(set(sizes)):
        at = x(size)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{height - bottom}" stroke="#eee"/>')
        parts.append(f'<text x="{at:.1f}" y="{height - bottom + 18}" text-anchor="middle">{size:,}</text>')
    for colour, (name, found) in zip(COLOURS, points.items(), strict=False):
        line = " ".join(f"{x(point.size):.1f},{y(point.seconds):.1f}" for point in found)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(point.size):.1f}" cy="{y(point.seconds):.1f}" r="3" fill="{colour}"/>' for point in found
        ]
        row = top + 16 * (list(points).index(name) + 1)
        parts.append(f'<text x="{left + 10}" y="{row}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    sys.exit(main())
