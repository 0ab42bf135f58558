#!/usr/bin/env python3
"""Have headless Neovim open a project with `asyncfix server`, apply a quick fix and all fixes, and write the file.

usage: neovim.py --bin PATH [--nvim PATH]

The file that Neovim wrote has to equal, byte for byte, what `asyncfix --fix` makes of it; before that, one quick fix has
to change what it is about and nothing else. Once with `\\n` and once with `\\r\\n`, with characters of two and of four
bytes before the findings. Exit status 1 means that something is not as it must be; 2 means wrong usage, or no Neovim.
Needs Neovim 0.7 or newer (apt-get install neovim); standard library only.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

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


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="the binary to test")
    parser.add_argument("--nvim", default="nvim")
    arguments = parser.parse_args()
    nvim = shutil.which(arguments.nvim)
    if nvim is None:
        print(f"there is no {arguments.nvim}: apt-get install neovim", file=sys.stderr)
        return 2
    problems = 0
    for ending in ["\n", "\r\n"]:
        problem = check(nvim, arguments.bin.resolve(), ending)
        print(f"{ending!r}: {problem or 'as --fix'}")
        problems += problem is not None
    return 1 if problems else 0


def check(nvim: str, binary: pathlib.Path, ending: str) -> str | None:
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
            "XDG_STATE_HOME": str(root / "state"),
            "XDG_CACHE_HOME": str(root / "cache"),
        }
        command = [nvim, "--headless", "--clean", "-S", str(HERE / "neovim.lua")]
        try:
            ran = subprocess.run(command, cwd=root, env=environment, timeout=240, capture_output=True, text=True)
        except subprocess.TimeoutExpired as expired:
            return f"Neovim did not end: {expired.stderr!r}"
        if not (root / "seen.json").exists():
            return f"Neovim ended with {ran.returncode}: {ran.stderr}"
        seen = json.loads((root / "seen.json").read_text())
        if problem := seen.get("problem"):
            return f"{problem}: {seen} {ran.stderr}"
        if [it["code"] for it in seen["diagnostics"]] != CODES:
            return f"other diagnostics than {CODES}: {seen['diagnostics']}"
        if any(it["source"] != "asyncfix" for it in seen["diagnostics"]):
            return f"of another source: {seen['diagnostics']}"
        if seen["after_fix"] + "\n" != FIXED_FIRST:
            return f"the quick fix made something else:\n{seen['after_fix']}"
        written = (root / "edited.py").read_bytes()
        return None if written == fixed else f"wrote something else than --fix:\n{written.decode()}"


if __name__ == "__main__":
    sys.exit(main())
