#!/usr/bin/env python3
"""Have Emacs, without a window, open a project with `asyncfix server` by eglot, apply a quick fix and all fixes, and
save the file.

usage: emacs.py --bin PATH [--emacs PATH]

As tests/neovim.py: the file that Emacs wrote has to equal, byte for byte, what `asyncfix --fix` makes of it, and before
that one quick fix has to change what it is about and nothing else. Exit status 1 means that something is not as it must
be; 2 means wrong usage, or no Emacs. Needs Emacs 28 with eglot (apt-get install emacs-nox elpa-eglot), or 29 and newer,
which has it; standard library only.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from neovim import CODES, FIXED_FIRST, TEXT

HERE = pathlib.Path(__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="the binary to test")
    parser.add_argument("--emacs", default="emacs")
    arguments = parser.parse_args()
    emacs = shutil.which(arguments.emacs)
    if emacs is None:
        print(f"there is no {arguments.emacs}: apt-get install emacs-nox elpa-eglot", file=sys.stderr)
        return 2
    problems = 0
    for ending in ["\n", "\r\n"]:
        problem = check(emacs, arguments.bin.resolve(), ending)
        print(f"{ending!r}: {problem or 'as --fix'}")
        problems += problem is not None
    return 1 if problems else 0


def check(emacs: str, binary: pathlib.Path, ending: str) -> str | None:
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
            "HOME": str(root),
            "LC_ALL": "C.UTF-8",
        }
        command = [emacs, "--batch", "--no-init-file", "--load", str(HERE / "emacs.el")]
        try:
            ran = subprocess.run(command, cwd=root, env=environment, timeout=240, capture_output=True, text=True)
        except subprocess.TimeoutExpired as expired:
            return f"Emacs did not end: {expired.stderr!r}"
        if not (root / "seen.json").exists():
            return f"Emacs ended with {ran.returncode}: {ran.stderr}"
        seen = json.loads((root / "seen.json").read_text(encoding="utf-8"))
        if problem := seen.get("problem"):
            return f"{problem}: {seen} {ran.stderr}"
        if len(seen["diagnostics"]) != len(CODES) or "time.sleep" not in seen["diagnostics"][0]:
            return f"other diagnostics than {CODES}: {seen['diagnostics']}"
        if seen["after_fix"] != FIXED_FIRST:
            return f"the quick fix made something else:\n{seen['after_fix']}"
        written = (root / "edited.py").read_bytes()
        return None if written == fixed else f"wrote something else than --fix:\n{written.decode()}"


if __name__ == "__main__":
    sys.exit(main())
