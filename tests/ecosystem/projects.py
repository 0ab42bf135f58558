"""The list of projects: what is tested, with what, and what is known about it."""

import dataclasses
import hashlib
import json
import pathlib
import re
import tomllib
from typing import Any, TypeVar

DEFAULT_LIMIT = 600
RUNNERS = ("pytest", "unittest")
NAME = re.compile(r"[\w.-]+")


class Failure(Exception):
    """What a person has to know to go on, in one line."""


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A test that is not run, or only some of one (pytest takes the beginning of a name), and why."""

    test: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Expected:
    """A test that no longer passes after a selection of codemods, because it pins what they exist to change."""

    selection: str
    test: str
    reason: str


Part = TypeVar("Part", LeftOut, Expected)


@dataclasses.dataclass(frozen=True)
class Project:
    """One entry of the list."""

    name: str
    version: str
    # Of the source distribution: what is tested is what was reviewed.
    sha256: str
    # Of the CPython that runs the tests, which is the target version of the rewrite too.
    python: str
    # Every package of the environment, pinned.
    requirements: tuple[str, ...]
    runner: str
    # What follows `python -m pytest` or `python -m unittest`.
    arguments: tuple[str, ...]
    # What the tests want to find in it, beside the little that every suite gets.
    environment: dict[str, str]
    # Where the tests are started, below the sources.
    folder: str
    # Seconds that a run of the tests may take.
    limit: int
    # A tree beside the list instead of a package of the registry, and no environment: for the self-test.
    tree: pathlib.Path | None
    left_out: tuple[LeftOut, ...]
    expected: tuple[Expected, ...]
    # What a reader of the patches found.
    review: str

    def fingerprint(self, *parts: str) -> str:
        """What has to be made again when one of these parts of the entry changes."""
        values = dataclasses.asdict(self)
        return hashlib.sha256(json.dumps([values[part] for part in parts], default=str).encode()).hexdigest()


def read_projects(file: pathlib.Path, selections: list[str]) -> list[Project]:
    """The entries of a list, checked."""
    try:
        entries = tomllib.loads(file.read_text("utf-8"))["project"]
    except (OSError, ValueError, KeyError) as error:
        raise Failure(f"{file}: not a list of projects ({error!r})") from error
    projects = [read_project(entry, file) for entry in entries]
    names = [project.name for project in projects]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Failure(f"{file}: there twice: {', '.join(twice)}")
    for project in projects:
        for expected in project.expected:
            if expected.selection not in selections:
                known = ", ".join(selections)
                raise Failure(f"{file}: {project.name}: no selection {expected.selection!r}: there are {known}")
    return projects


def read_project(entry: dict[str, Any], file: pathlib.Path) -> Project:
    """One entry, with what it leaves open."""
    known = {field.name for field in dataclasses.fields(Project)}
    name = entry.get("name", "")
    if not NAME.fullmatch(name):
        raise Failure(f"{file}: a project without a name, or with one that is no file's: {name!r}")
    if unknown := sorted(set(entry) - known):
        raise Failure(f"{file}: {name}: unknown keys: {', '.join(unknown)}")
    tree = entry.get("tree")
    if not tree and (missing := [key for key in ("version", "sha256", "python", "requirements") if key not in entry]):
        raise Failure(f"{file}: {name}: no {', '.join(missing)}")
    if entry.get("runner", "pytest") not in RUNNERS:
        raise Failure(f"{file}: {name}: the runner is one of {', '.join(RUNNERS)}")
    loose = [requirement for requirement in entry.get("requirements", ()) if "==" not in requirement]
    if loose:
        raise Failure(f"{file}: {name}: not pinned: {', '.join(loose)}")
    project = Project(
        name=name,
        version=entry.get("version", ""),
        sha256=entry.get("sha256", ""),
        python=entry.get("python", ""),
        requirements=tuple(entry.get("requirements", ())),
        runner=entry.get("runner", "pytest"),
        arguments=tuple(entry.get("arguments", ())),
        environment=entry.get("environment", {}),
        folder=entry.get("folder", "."),
        limit=entry.get("limit", DEFAULT_LIMIT),
        tree=file.parent / tree if tree else None,
        left_out=tuple(with_reason(LeftOut, part, name, file) for part in entry.get("left_out", ())),
        expected=tuple(with_reason(Expected, part, name, file) for part in entry.get("expected", ())),
        review=entry.get("review", "").strip(),
    )
    return project


def with_reason(kind: type[Part], part: dict[str, str], name: str, file: pathlib.Path) -> Part:
    """A part of an entry each of whose fields has to be there, the reason above all."""
    wanted = [field.name for field in dataclasses.fields(kind)]
    if sorted(part) != sorted(wanted) or not all(part.values()):
        raise Failure(f"{file}: {name}: each of these has {', '.join(wanted)}, and nothing else: {part}")
    return kind(**part)
