#!/usr/bin/env python3
"""Have Emacs, without a window, open a project with `asyncfix server` by eglot, apply a quick fix and all fixes, and
save the file.

usage: emacs.py --bin PATH [--emacs PATH]

What has to come of it, tests/editors.py says. Exit status 1 means that something is not as it must be; 2 means wrong
usage, or no Emacs. Needs Emacs 28 with eglot (apt-get install emacs-nox elpa-eglot), or 29 and newer, which has it;
standard library only.
"""

import pathlib
import sys
from typing import Any

from editors import CODES, FIXED_FIRST, Editor, main

HERE = pathlib.Path(__file__).resolve().parent


def wrong(seen: dict[str, Any]) -> str | None:
    """What is not as it must be in what Emacs saw."""
    if len(seen["diagnostics"]) != len(CODES) or "time.sleep" not in seen["diagnostics"][0]:
        return f"other diagnostics than {CODES}: {seen['diagnostics']}"
    if seen["after_fix"] != FIXED_FIRST:
        return f"the quick fix made something else:\n{seen['after_fix']}"
    return None


EMACS = Editor(
    name="Emacs",
    program="emacs",
    install="apt-get install emacs-nox elpa-eglot",
    arguments=["--batch", "--no-init-file", "--load", str(HERE / "emacs.el")],
    environment=lambda root: {"HOME": str(root), "LC_ALL": "C.UTF-8"},
    wrong=wrong,
)

if __name__ == "__main__":
    sys.exit(main(__doc__, EMACS))
