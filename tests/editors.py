"""What tests/neovim.py and tests/emacs.py share: a file, and what an editor has to make of it.

An editor opens the file with `asyncfix server`, applies one quick fix, then all fixes, and saves. What it wrote has to
equal, byte for byte, what `asyncfix --fix` makes of it; before that, the quick fix has to change what it is about and
nothing else. Once with `\\n` and once with `\\r\\n`, with characters of two and of four bytes before the findings.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

TEXT = """\
import asyncio
import time

print(time.time())


async def fetch(path):
    print("é𝒳", path); time.sleep(1)  # 𝒳
    return path


async def main():
    first, second = await asyncio.gather(
        fetch("é"),  # the first
        fetch("𝒳"),
    )
    time.sleep(2)
    return first, second
"""

FIXED_FIRST = TEXT.replace("time.sleep(1)", "await asyncio.sleep(1)")
CODES = ["await-sleep", "gather-to-taskgroup", "await-sleep"]


class Editor(NamedTuple):
    """An editor, and how it is asked."""

    name: str
    program: str
    install: str
    """How to get it, in a shell."""
    arguments: list[str]
    """What runs the script that does all of it, and writes what it saw to `$SEEN`."""
    environment: Callable[[pathlib.Path], dict[str, str]]
    """What else it is told, for a project in that folder."""
    wrong: Callable[[dict[str, Any]], str | None]
    """What is not as it must be in what it saw, before all is fixed."""


def main(doc: str | None, editor: Editor) -> int:
    """0, 1 where something is not as it must be, or 2 without the editor."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="the binary to test")
    parser.add_argument(f"--{editor.program}", dest="program", default=editor.program)
    arguments = parser.parse_args()
    program = shutil.which(arguments.program)
    if program is None:
        print(f"there is no {arguments.program}: {editor.install}", file=sys.stderr)
        return 2
    problems = 0
    for ending in ["\n", "\r\n"]:
        problem = check(editor, program, arguments.bin.resolve(), ending)
        print(f"{ending!r}: {problem or 'as --fix'}")
        problems += problem is not None
    return 1 if problems else 0


def check(editor: Editor, program: str, binary: pathlib.Path, ending: str) -> str | None:
    """What is not as it must be, in a file whose lines end so."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        before = TEXT.replace("\n", ending).encode()
        for name in ["edited.py", "fixed.py"]:
            (root / name).write_bytes(before)
        subprocess.run([binary, "--fix", "--quiet", "fixed.py"], cwd=root, check=True)
        fixed = (root / "fixed.py").read_bytes()
        (root / "fixed.py").unlink()
        if fixed == before:
            return "--fix changed nothing"
        environment = os.environ | {
            "PROJECT": str(root),
            "ASYNCFIX": str(binary),
            "NAME": "edited.py",
            "FINDINGS": str(len(CODES)),
            "SEEN": str(root / "seen.json"),
            **editor.environment(root),
        }
        command = [program, *editor.arguments]
        try:
            ran = subprocess.run(command, cwd=root, env=environment, timeout=240, capture_output=True, text=True)
        except subprocess.TimeoutExpired as expired:
            return f"{editor.name} did not end: {expired.stderr!r}"
        if not (root / "seen.json").exists():
            return f"{editor.name} ended with {ran.returncode}: {ran.stderr}"
        seen = json.loads((root / "seen.json").read_text(encoding="utf-8"))
        if problem := seen.get("problem"):
            return f"{problem}: {seen} {ran.stderr}"
        if problem := editor.wrong(seen):
            return problem
        written = (root / "edited.py").read_bytes()
        return None if written == fixed else f"wrote something else than --fix:\n{written.decode()}"
