"""Run asyncfix over a project's sources."""

import dataclasses
import json
import pathlib
import re
import subprocess

from prepare import Place
from projects import Failure, Project

LIMIT = 3600
PATCHED = re.compile(r"^\+\+\+ ", re.MULTILINE)
# The selections of codemods and of fixes, by the name that they have in the list, in reports and in snapshots.
SELECTIONS: dict[str, list[str]] = {
    "default": [],
    "all": ["--all"],
    "unsafe": ["--all", "--unsafe-fixes"],
}


@dataclasses.dataclass(frozen=True)
class Rewrite:
    """What was changed in the sources."""

    patch: str
    files: int
    # By codemod.
    fixes: dict[str, int]


def rewrite(project: Project, place: Place, binary: pathlib.Path, selection: str) -> Rewrite:
    """Write the fixes of a selection to the sources, as for a project that needs no older Python than its tests run on."""
    target = f"py{project.python.replace('.', '')}" if project.python else "py311"
    command = [str(binary), *SELECTIONS[selection], "--target-version", target]
    # A slow machine takes longer, and does not get another result.
    for setting in ("types-file-timeout=300", "types-timeout=3600"):
        command += ["--config", setting]
    if project.tree is None:
        command += ["--python", str(place.python)]
    patch = run(project, [*command, "--diff", "--quiet", "."], place.sources)
    counts = run(project, [*command, "--fix", "--statistics", "--output-format", "json", "."], place.sources)
    try:
        fixes = {row["codemod"]: row["fixed"] for row in json.loads(counts)["codemods"] if row["fixed"]}
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{project.name}: --statistics printed no counts ({error!r})") from error
    return Rewrite(patch, len(PATCHED.findall(patch)), fixes)


def run(project: Project, command: list[str], folder: pathlib.Path) -> str:
    """What one run of asyncfix prints on standard output; a fault, or wrong usage, ends the run of the project."""
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            # Sources in another encoding are in the patch as they are.
            errors="surrogateescape",
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{project.name}: asyncfix took more than {LIMIT} seconds") from error
    if done.returncode not in (0, 1):
        raise Failure(f"{project.name}: asyncfix ended with exit status {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout
