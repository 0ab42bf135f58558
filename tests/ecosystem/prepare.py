"""What a project's tests need before they run: its sources as they were released, and an environment."""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

from projects import Failure, Project

PIP_LIMIT = 900
REPORTERS = pathlib.Path(__file__).parent / "reporters"
# Of the entry of a project: what its environment, and the sources with what was built in them, are made from.
INGREDIENTS = ("version", "sha256", "python", "requirements", "tree")


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a project lies on the disk."""

    # Everything about it.
    folder: pathlib.Path
    # The sources as they are tested, under one name whatever was done to them: the environment refers to it.
    sources: pathlib.Path
    python: pathlib.Path

    @property
    def pristine(self) -> pathlib.Path:
        """The sources as they were released, with what was built in them."""
        return self.folder / "pristine"

    def restore(self) -> None:
        """Put fresh sources where they are tested."""
        shutil.rmtree(self.sources, ignore_errors=True)
        shutil.copytree(self.pristine, self.sources, symlinks=True)
        # Its own repository, so that no ignore file above it counts, such as the one that names this cache.
        git = ["git", "-c", "init.defaultBranch=main", "init", "--quiet", str(self.sources)]
        subprocess.run(git, check=True)


def prepare(project: Project, cache: pathlib.Path) -> Place:
    """Make what is missing; what an earlier run made from the same ingredients is taken as it is."""
    folder = cache / project.name
    environment = folder / "environment"
    python = environment / "bin" / "python" if project.tree is None else pathlib.Path(sys.executable)
    place = Place(folder, folder / "sources", python)
    mark = folder / "prepared"
    fingerprint = project.fingerprint(*INGREDIENTS)
    if project.tree is None and mark.exists() and mark.read_text("utf-8") == fingerprint:
        return place
    for old in (mark, environment, place.sources, place.pristine):
        shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    if project.tree is None:
        unpack(download(project, cache / "archives"), place.sources)
        install(project, environment, place)
        place.sources.rename(place.pristine)
    else:
        shutil.copytree(project.tree, place.pristine, ignore=shutil.ignore_patterns("__pycache__"))
    mark.write_text(fingerprint, "utf-8")
    return place


def download(project: Project, archives: pathlib.Path) -> pathlib.Path:
    """The source distribution, which is the one that the list names by its hash."""
    folder = archives / f"{project.name}-{project.version}"
    if not folder.exists() or not list(folder.iterdir()):
        folder.mkdir(parents=True, exist_ok=True)
        pin = f"{project.name}=={project.version}"
        command = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", project.name, "--dest", str(folder)]
        run([find_python(project.python), *command, pin], f"{project.name}: download")
    archive = next(folder.iterdir())
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != project.sha256:
        raise Failure(f"{project.name}: {archive} has the hash {found}, and not the one in the list")
    return archive


def unpack(archive: pathlib.Path, target: pathlib.Path) -> None:
    """Unpack a source distribution, whose files all lie in one folder."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(scratch)
        else:
            with tarfile.open(archive) as opened:
                opened.extractall(scratch, filter="data")
        (root,) = pathlib.Path(scratch).iterdir()
        root.rename(target)


def install(project: Project, environment: pathlib.Path, place: Place) -> None:
    """Make the environment: the pinned requirements, the project in place, and what reports outcomes."""
    run([find_python(project.python), "-m", "venv", str(environment)], f"{project.name}: environment")
    pip = [str(place.python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    run([*pip, *project.requirements], f"{project.name}: requirements")
    run([*pip, "--no-deps", "--editable", str(place.sources)], f"{project.name}: installing it")
    packages = next((environment / "lib").glob("python*/site-packages"))
    for reporter in REPORTERS.glob("*.py"):
        shutil.copy(reporter, packages)


def find_python(version: str) -> str:
    """A CPython of that version, on the PATH or among pyenv's."""
    folders = [pathlib.Path(folder) for folder in os.get_exec_path()]
    folders += sorted(pathlib.Path.home().glob(".pyenv/versions/*/bin"))
    for folder in folders:
        path = folder / f"python{version}"
        # A shim of pyenv has the name and may stand for nothing, so it is asked.
        if path.is_file() and subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode == 0:
            return str(path)
    raise Failure(f"no python{version} on the PATH or in ~/.pyenv/versions: install it")


def run(command: list[str], what: str) -> None:
    """Run one step; what it printed is shown if it fails."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=PIP_LIMIT, env=environment, errors="replace"
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{what}: took more than {PIP_LIMIT} seconds") from error
    if done.returncode:
        raise Failure(f"{what}: exit status {done.returncode}\n{(done.stdout + done.stderr)[-3000:]}")
