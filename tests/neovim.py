#!/usr/bin/env python3
"""Have headless Neovim open a project with `asyncfix server`, apply a quick fix and all fixes, and write the file.

usage: neovim.py --bin PATH [--nvim PATH]

What has to come of it, tests/editors.py says. Exit status 1 means that something is not as it must be; 2 means wrong
usage, or no Neovim. Needs Neovim 0.7 or newer (apt-get install neovim); standard library only.
"""

import pathlib
import sys
from typing import Any

from editors import CODES, FIXED_FIRST, Editor, main

HERE = pathlib.Path(__file__).resolve().parent


def wrong(seen: dict[str, Any]) -> str | None:
    """What is not as it must be in what Neovim saw."""
    if [it["code"] for it in seen["diagnostics"]] != CODES:
        return f"other diagnostics than {CODES}: {seen['diagnostics']}"
    if any(it["source"] != "asyncfix" for it in seen["diagnostics"]):
        return f"of another source: {seen['diagnostics']}"
    if seen["after_fix"] + "\n" != FIXED_FIRST:
        return f"the quick fix made something else:\n{seen['after_fix']}"
    return None


NEOVIM = Editor(
    name="Neovim",
    program="nvim",
    install="apt-get install neovim",
    arguments=["--headless", "--clean", "-S", str(HERE / "neovim.lua")],
    environment=lambda root: {"XDG_STATE_HOME": str(root / "state"), "XDG_CACHE_HOME": str(root / "cache")},
    wrong=wrong,
)

if __name__ == "__main__":
    sys.exit(main(__doc__, NEOVIM))
