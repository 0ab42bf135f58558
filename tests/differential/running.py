"""asyncfix over folders of programs, and programs in interpreters."""

import collections
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable

from effects import Log, log_of

HERE = pathlib.Path(__file__).parent
# Seconds of real time: for a whole folder, and for one program in which everything waits for something real.
FOLDER_LIMIT = 600
PROGRAM_LIMIT = 30


class BrokenRunError(Exception):
    """asyncfix did not do its work: the exit status, and what it said."""


@dataclasses.dataclass(frozen=True)
class Way:
    """How asyncfix is run over a program: the same for all programs of one folder."""

    codemod: str
    flags: tuple[str, ...] = ()
    python: tuple[int, int] = (3, 11)

    @property
    def arguments(self) -> list[str]:
        """The flags, with those that select the codemods."""
        return [*(["--all"] if self.codemod == "all" else ["--select", self.codemod]), *self.flags]

    @property
    def option(self) -> str:
        """The option that changes what the codemod's effect is."""
        return "unwrapped" if any("unwrap" in flag for flag in self.flags) else ""


@dataclasses.dataclass
class Fixed:
    """What asyncfix made of one program."""

    text: str
    applied: dict[str, set[str]]
    withheld: set[str]
    remaining: set[str]
    fixes: int = 0


def fix(binary: str, way: Way, texts: dict[str, str]) -> dict[str, Fixed]:
    """What asyncfix makes of programs, all of them in one folder."""
    with tempfile.TemporaryDirectory(prefix="differential-") as folder:
        for name, text in texts.items():
            pathlib.Path(folder, f"{name}.py").write_bytes(text.encode())
        findings = by_file(asyncfix(binary, folder, way.arguments))
        left = by_file(asyncfix(binary, folder, [*way.arguments, "--fix"]))
        return {name: fixed(pathlib.Path(folder, f"{name}.py"), findings, left, way) for name in texts}


def asyncfix(binary: str, folder: str, arguments: list[str]) -> list[dict]:
    """One run, and its findings."""
    command = [binary, "--isolated", *arguments, "--output-format", "json", "."]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=FOLDER_LIMIT)
    if done.returncode not in (0, 1):
        raise BrokenRunError(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()[-1500:]}")
    return json.loads(done.stdout)


def by_file(findings: list[dict]) -> dict[str, list[dict]]:
    """The findings of each file, by its stem."""
    files: dict[str, list[dict]] = collections.defaultdict(list)
    for finding in findings:
        files[pathlib.Path(finding["filename"]).stem].append(finding)
    return files


def fixed(path: pathlib.Path, findings: dict[str, list[dict]], left: dict[str, list[dict]], way: Way) -> Fixed:
    """What became of one program."""
    result = Fixed(
        path.read_bytes().decode(), {}, set(), {finding["codemod"] or "error" for finding in left[path.stem]}
    )
    applies = {"safe", "intended"} | ({"unsafe"} if "--unsafe-fixes" in way.flags else set())
    for finding in findings[path.stem]:
        codemod, edit = finding["codemod"], finding["fix"]
        if edit and edit["applicability"] in applies:
            result.applied.setdefault(codemod, set()).add(edit["applicability"])
            result.fixes += 1
        elif codemod:
            result.withheld.add(codemod)
    return result


class Interpreter:
    """One CPython that runs programs, and is started again where one of them ends it."""

    def __init__(self, python: str) -> None:
        self.python = python
        self.process: subprocess.Popen | None = None

    def observe(self, text: str) -> Log:
        """The log of a program."""
        if self.process is None:
            # Not the path of this folder, nor what the user has installed: programs see the standard library only.
            command = [self.python, "-I", str(HERE / "worker.py")]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        timer = threading.Timer(PROGRAM_LIMIT, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(json.dumps({"text": text}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            timer.cancel()
        if not answer:
            self.close()
            return log_of([[0.0, "stuck", "the interpreter ended"]])
        return log_of(json.loads(answer))

    def close(self) -> None:
        """End the interpreter."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None


class Interpreters:
    """The interpreters of one thread, by version."""

    def __init__(self, pythons: dict[tuple[int, int], str]) -> None:
        self.all = {version: Interpreter(python) for version, python in pythons.items()}

    def of(self, versions: Iterable[tuple[int, int]]) -> list[tuple[tuple[int, int], Interpreter]]:
        """Those of these versions."""
        return [(version, self.all[version]) for version in versions if version in self.all]

    def close(self) -> None:
        """End them all."""
        for interpreter in self.all.values():
            interpreter.close()


def version_of(python: str) -> tuple[int, int] | None:
    """A Python's version; none where it does not run."""
    command = [python, "-c", "import sys; print(sys.version_info[0], sys.version_info[1])"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    except OSError:
        return None
    major, minor, *_ = [*map(int, done.stdout.split()), 0, 0]
    return (major, minor) if done.returncode == 0 else None


def pythons_here() -> dict[tuple[int, int], str]:
    """Every CPython from 3.11 on, of pyenv or on the PATH: the one that runs this included."""
    found = {}
    candidates = [sys.executable, *(shutil.which(f"python3.{minor}") for minor in range(11, 20))]
    candidates += [str(path) for path in sorted(pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python"))]
    for python in filter(None, candidates):
        version = version_of(python)
        if version and version >= (3, 11):
            found.setdefault(version, python)
    return dict(sorted(found.items()))
