#!/usr/bin/env python3
"""Make the tree of real code that the benchmark and tests/real_code.py run over.

usage: corpus.py TREE [--list FILE] [--jobs N] [NAME==VERSION ...]

Each pinned package becomes a folder TREE/NAME-VERSION with its .py files and the few files that steer a tool
(pyproject.toml, setup.cfg, .gitignore), as plain copies: no links, no git. What exists is not fetched again.
TREE/PINS.txt lists what the tree holds, and the last lines printed say what could not be had (exit status 1).

The source distribution is taken where there is one, since it holds the tests. pip insists on running a package's
build backend when it downloads one; here it runs in an environment that has no backend, is asked to leave the unpacked
sources behind when it stops for that, and so runs no code of the package's. Where that fails, the wheel is taken.
Nothing is installed. Standard library only; needs Python 3.11.4 or newer.
"""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator

STEERING = {"pyproject.toml", "setup.cfg", ".gitignore"}
TRIES = 3
PIP_LIMIT = 900
# What pip says when the registry has answered: asking again would get the same answer.
FINAL = ("No matching distribution", "Could not find a version")


class Failure(Exception):
    """A package that could not be had, with the reason in one line."""


def main() -> int:
    """Fetch what is missing, list what is there, and say what failed."""
    args = parse_arguments()
    pins = args.pins or read_pins(args.list)
    args.tree.mkdir(parents=True, exist_ok=True)
    failures = fetch_all(pins, args.tree, args.jobs)
    print_counts(args.tree)
    write_pins(args.tree)
    for pin, reason in failures.items():
        print(f"error: {pin}: {reason}", file=sys.stderr)
    return 1 if failures else 0


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path, help="folder to fill")
    parser.add_argument("pins", nargs="*", metavar="NAME==VERSION", help="only these packages")
    parser.add_argument("--list", type=pathlib.Path, default=pathlib.Path(__file__).with_name("corpus.txt"))
    parser.add_argument("--jobs", type=int, default=2, help="downloads at a time")
    args = parser.parse_args()
    for pin in args.pins:
        if "==" not in pin:
            parser.error(f"{pin} has no version: write NAME==VERSION")
    return args


def read_pins(file: pathlib.Path) -> list[str]:
    """The lines of a list of packages that are neither empty nor comments."""
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    return [line for line in lines if line]


def fetch_all(pins: list[str], tree: pathlib.Path, jobs: int) -> dict[str, str]:
    """Fetch the packages that the tree does not have, and return the reason for each that failed."""
    missing = [pin for pin in pins if not folder_of(pin, tree).exists()]
    if not missing:
        return {}
    failures = {}
    with tempfile.TemporaryDirectory(prefix="corpus-") as scratch:
        pip = bare_pip(pathlib.Path(scratch) / "pip")
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            waiting = {pool.submit(fetch, pip, pin, tree): pin for pin in missing}
            for number, done in enumerate(concurrent.futures.as_completed(waiting), 1):
                pin = waiting[done]
                try:
                    outcome = done.result()
                except (Failure, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
                    outcome = failures[pin] = str(error)
                print(f"{number}/{len(missing)} {pin}: {outcome}", file=sys.stderr, flush=True)
    return failures


def folder_of(pin: str, tree: pathlib.Path) -> pathlib.Path:
    """Where a package is kept."""
    name, _, version = pin.partition("==")
    return tree / f"{name}-{version}"


def bare_pip(folder: pathlib.Path) -> list[str]:
    """A pip in an environment of its own from which no build backend can be imported."""
    venv.create(folder, with_pip=True)
    python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    quiet = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*quiet, "install", "--upgrade", "pip"], check=True)
    subprocess.run([*quiet, "uninstall", "--yes", "setuptools", "wheel"], check=True, stderr=subprocess.DEVNULL)
    return [python, "-m", "pip"]


def fetch(pip: list[str], pin: str, tree: pathlib.Path) -> str:
    """Put one package into the tree, and say what it was made from."""
    reasons = []
    for kind, flags in (("source", ["--no-binary", ":all:"]), ("wheel", ["--only-binary", ":all:"])):
        # In the tree itself, so that the last step is a rename: a folder that exists is complete.
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=tree) as scratch:
            try:
                sources = download(pip, pin, flags, pathlib.Path(scratch))
            except Failure as error:
                reasons.append(f"{kind}: {error}")
                continue
            kept = pathlib.Path(scratch) / "kept"
            if copies := copy_python(sources, kept):
                kept.rename(folder_of(pin, tree))
                return f"{copies} files from its {kind}"
            reasons.append(f"{kind}: no Python file in it")
    raise Failure("; ".join(reasons))


def download(pip: list[str], pin: str, flags: list[str], scratch: pathlib.Path) -> pathlib.Path:
    """The folder of one package's unpacked sources."""
    reason = ""
    for attempt in range(TRIES):
        work = scratch / str(attempt)
        (work / "archive").mkdir(parents=True)
        output = run_pip(pip, pin, flags, work)
        if archives := list((work / "archive").iterdir()):
            unpack(archives[0], work / "unpacked")
            return work / "unpacked"
        if left_behind := [path for path in work.glob("pip-download-*/*") if path.is_dir()]:
            return left_behind[0]
        reason = next((line for line in output.splitlines() if line.startswith("ERROR:")), "pip left nothing")
        reason = reason.removeprefix("ERROR: ").partition(" (from versions")[0]
        if any(answer in output for answer in FINAL):
            break
    raise Failure(reason)


def run_pip(pip: list[str], pin: str, flags: list[str], work: pathlib.Path) -> str:
    """Run `pip download` so that whatever it unpacks stays below `work`, and return what it printed."""
    command = [*pip, "download", "--no-deps", "--ignore-requires-python", "--no-build-isolation", "--no-clean"]
    command += [*flags, "--dest", str(work / "archive"), pin]
    environment = {**os.environ, "TMPDIR": str(work), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=PIP_LIMIT)
    except subprocess.TimeoutExpired:
        return f"ERROR: pip took more than {PIP_LIMIT} seconds"
    return done.stdout + done.stderr


def unpack(archive: pathlib.Path, target: pathlib.Path) -> None:
    """Unpack a source archive or a wheel, and refuse members that would land elsewhere."""
    target.mkdir()
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for member in opened.namelist():
                if not stays_inside(member, target):
                    raise Failure(f"{archive.name} holds {member!r}, which lies outside it")
            opened.extractall(target)
        return
    with tarfile.open(archive) as opened:
        opened.extractall(target, filter="data")


def stays_inside(member: str, target: pathlib.Path) -> bool:
    """Whether a zip member's name leads to a place below the target."""
    if "\\" in member or ":" in member.split("/")[0]:
        return False
    return (target / member).resolve().is_relative_to(target.resolve())


def copy_python(sources: pathlib.Path, target: pathlib.Path) -> int:
    """Copy the files that count, and return how many hold Python."""
    # An archive of sources holds one folder, NAME-VERSION, that says nothing more.
    entries = list(sources.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and not (entries[0] / "__init__.py").exists():
        sources = entries[0]
    copies = 0
    for path in plain_files(sources):
        if path.suffix == ".py" or path.name in STEERING:
            copy = target / path.relative_to(sources)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            copies += path.suffix == ".py"
    return copies


def plain_files(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Every regular file below a folder; links are passed over, so that no file is met twice."""
    for root, _, names in os.walk(folder):
        for name in names:
            path = pathlib.Path(root, name)
            if path.is_file() and not path.is_symlink():
                yield path


def packages(tree: pathlib.Path) -> list[pathlib.Path]:
    """The packages' folders in a tree, by name."""
    return sorted(path for path in tree.iterdir() if path.is_dir() and not path.name.startswith("."))


def print_counts(tree: pathlib.Path) -> None:
    """Print each package's number of Python files, and of those that mention asyncio."""
    total = mentioning = 0
    for package in packages(tree):
        contents = [path.read_bytes() for path in plain_files(package) if path.suffix == ".py"]
        with_asyncio = sum(b"asyncio" in content for content in contents)
        print(f"{package.name:40} {len(contents):6} {with_asyncio:6}")
        total += len(contents)
        mentioning += with_asyncio
    print(f"{'files, and files with asyncio':40} {total:6} {mentioning:6}")


def write_pins(tree: pathlib.Path) -> None:
    """List what the tree holds, in the form that this program reads."""
    pins = ("==".join(package.name.rsplit("-", 1)) for package in packages(tree))
    (tree / "PINS.txt").write_text("".join(f"{pin}\n" for pin in pins), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
