#!/usr/bin/env python3
"""Run asyncfix over a tree of real code and check what must hold for every rewrite, whatever it is.

usage: real_code.py --bin PATH TREE [--all-flags] [--only WORD ...] [--python PYTHON] [--jobs N] [--patches DIR] [-- FLAG ...]

TREE holds one folder a package (benches/corpus.py makes such a tree) and is only read: each package is copied to a
temporary folder, where asyncfix runs five times over the whole of it. The checks, by the name under which each reports:
  crash      exit status 0 or 1, no panic, no fault of its own, no time-out
  json       --output-format json is an array of findings
  wrote      a report or --diff changes no byte; --fix leaves no file behind and removes none
  syntax     a changed file compiles with the reference CPython where it did before
  again      a second --fix changes nothing
  git-apply  the patch of --diff, applied by `git apply`, gives byte for byte what --fix wrote
  patch      the same for `patch -p1`
  promise    the files that changed are those with a finding whose fix applies under the flags
  comments   every comment is still there, with the same text
  text       every string and bytes constant is still there, with the same value
  endings    no line ending of a kind that the file did not have, and its byte order mark and last line end as before
Counts of findings follow, from the JSON. Exit status 1 means violations, which are listed; 2 means wrong usage.

--all-flags adds runs with every codemod and --unsafe-fixes, with --safe-only, and with each option turned from its
default. Flags after `--` replace all that by one run with these flags. --patches keeps the patches, for reading.
Standard library only; needs Python 3.11 or newer, git and patch.
"""

import argparse
import ast
import collections
import concurrent.futures
import dataclasses
import functools
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import tokenize
import warnings
from collections.abc import Iterable, Iterator

Snapshot = dict[str, bytes]

DEFAULT_FLAGS: dict[str, list[str]] = {"default": []}
ALL_FLAGS = DEFAULT_FLAGS | {
    "everything": ["--all", "--unsafe-fixes", "--target-version", "py313"],
    "safe-only": ["--all", "--safe-only", "--target-version", "py313"],
    "options": [
        "--unsafe-fixes",
        *("--target-version", "py313"),
        *("--config", 'gather-to-taskgroup.exceptions="unwrap"'),
        *("--config", "gather-to-taskgroup.wrap-awaitables=true"),
        *("--config", 'keep-task-reference.style="helper"'),
    ],
}
# A file may be called fault.py, or lie in a folder `bug`: words that are part of a path say nothing.
FAULT = re.compile(r"panicked at|stack overflow|internal error|(?<![\w./-])(?:fault|bug)s?(?![\w./-])", re.IGNORECASE)
PATCHED = re.compile(r"^(?:---|\+\+\+) [ab]/([^\t\n]+)", re.MULTILINE)
LINE_END = re.compile(rb"\r\n|\r|\n")
RUN_LIMIT = 1800
SHOWN = 20


@dataclasses.dataclass(frozen=True)
class Violation:
    """Something that must never be, and where it was seen."""

    check: str
    package: str
    variant: str
    file: str
    detail: str

    def __str__(self) -> str:
        return f"{self.check}: {self.package}/{self.file} [{self.variant}]: {self.detail}"


@dataclasses.dataclass
class Outcome:
    """What one package gave with one set of flags."""

    variant: str
    violations: list[Violation] = dataclasses.field(default_factory=list)
    fixable: collections.Counter[tuple[str, str]] = dataclasses.field(default_factory=collections.Counter)
    withheld: collections.Counter[tuple[str, str]] = dataclasses.field(default_factory=collections.Counter)
    unanalysed: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    changed: int = 0
    judged: int = 0


def main() -> int:
    """Check each package, print the violations and the counts."""
    args = parse_arguments()
    variants = {"given": args.flags} if args.flags else ALL_FLAGS if args.all_flags else DEFAULT_FLAGS
    packages = packages_of(args.tree, args.only)
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        running = {pool.submit(check_package, package, variants, args): package for package in packages}
        for number, done in enumerate(concurrent.futures.as_completed(running), 1):
            outcomes += done.result()
            bad = sum(len(outcome.violations) for outcome in done.result())
            print(f"{number}/{len(packages)} {running[done].name}: {bad} violations", file=sys.stderr, flush=True)
    for name in variants:
        print_counts(name, variants[name], [outcome for outcome in outcomes if outcome.variant == name])
    return print_violations([violation for outcome in outcomes for violation in outcome.violations])


def parse_arguments() -> argparse.Namespace:
    """Read the command line, and stop with status 2 where something it needs is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path, help="folder with one folder a package")
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="the asyncfix to check")
    parser.add_argument("--all-flags", action="store_true", help="more flags than the default ones")
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="packages whose name holds WORD")
    parser.add_argument("--python", help="the reference CPython (default: the newest that is found)")
    parser.add_argument("--jobs", type=int, default=2, help="packages at a time")
    parser.add_argument("--patches", type=pathlib.Path, metavar="DIR", help="keep each patch here")
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    args = parser.parse_args(words[:end])
    args.flags = words[end + 1 :]
    args.bin = args.bin.resolve()
    args.python = args.python or newest_python()
    for program in (str(args.bin), "git", "patch", args.python):
        if not shutil.which(program):
            parser.error(f"{program} cannot be run")
    if not args.tree.is_dir() or not packages_of(args.tree, args.only):
        parser.error(f"no package in {args.tree}: make the tree with benches/corpus.py")
    if args.patches:
        args.patches.mkdir(parents=True, exist_ok=True)
    return args


def newest_python() -> str:
    """The newest CPython on the PATH or among pyenv's; else the one that runs this."""
    folders = [pathlib.Path(folder) for folder in os.get_exec_path()]
    folders += pathlib.Path.home().glob(".pyenv/versions/*/bin")
    found = {}
    for folder in folders:
        for path in folder.glob("python3.[0-9]*"):
            # A pyenv shim has the name of a Python and may stand for none, so each is asked.
            if re.fullmatch(r"python3\.\d+", path.name) and (version := version_of(str(path))):
                found.setdefault(version, str(path))
    return found[max(found)] if found else sys.executable


@functools.cache
def version_of(python: str) -> tuple[int, ...] | None:
    """A Python's version, or nothing where it does not run."""
    command = [python, "-c", "import sys; print(*sys.version_info[:3])"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else None


def packages_of(tree: pathlib.Path, only: list[str]) -> list[pathlib.Path]:
    """The packages' folders, those with most files first, so that no worker starts a long one last."""
    folders = [path for path in tree.iterdir() if path.is_dir() and not path.name.startswith(".")]
    chosen = [path for path in folders if not only or any(word in path.name for word in only)]
    return sorted(chosen, key=lambda path: -sum(len(names) for _, _, names in os.walk(path)))


def check_package(package: pathlib.Path, variants: dict[str, list[str]], args: argparse.Namespace) -> list[Outcome]:
    """Check one package with each set of flags."""
    return [Check(package, name, flags, args).run() for name, flags in variants.items()]


class Check:
    """The checks of one package with one set of flags."""

    def __init__(self, package: pathlib.Path, variant: str, flags: list[str], args: argparse.Namespace) -> None:
        self.package = package
        self.flags = flags
        self.args = args
        self.outcome = Outcome(variant)

    def run(self) -> Outcome:
        """Report, preview, write, write again; then compare what came of it."""
        with tempfile.TemporaryDirectory(prefix="real-code-") as scratch:
            tree = pathlib.Path(scratch).resolve() / "tree"
            shutil.copytree(self.package, tree)
            before = snapshot(tree)
            findings = self.findings(tree)
            patch = self.asyncfix(tree, "--diff")
            self.same("wrote", before, snapshot(tree), "changed by a run without --fix")
            self.asyncfix(tree, "--fix")
            fixed = snapshot(tree)
            changed = self.changed(before, fixed)
            self.patch_gives(patch, tree, changed)
            self.promised(findings, changed)
            self.judge(tree, changed)
            self.asyncfix(tree, "--fix")
            self.same("again", fixed, snapshot(tree), "changed by a second run")
        if self.args.patches and patch:
            (self.args.patches / f"{self.package.name}.{self.outcome.variant}.patch").write_bytes(patch)
        return self.outcome

    def violation(self, check: str, file: str, detail: str) -> None:
        """Note something that must not be."""
        self.outcome.violations.append(Violation(check, self.package.name, self.outcome.variant, file, detail))

    def asyncfix(self, tree: pathlib.Path, *mode: str) -> bytes:
        """Run asyncfix over the copy, check that it came through, and return its standard output."""
        command = [str(self.args.bin), "--isolated", *self.flags, *mode, "."]
        shown = " ".join(["asyncfix", *command[1:]])
        try:
            done = subprocess.run(command, check=False, cwd=tree, capture_output=True, timeout=RUN_LIMIT)
        except subprocess.TimeoutExpired as expired:
            self.violation("crash", "", f"{shown}: not done after {RUN_LIMIT} seconds")
            return expired.stdout or b""
        messages = done.stderr.decode("utf-8", "replace").strip()
        if done.returncode not in (0, 1):
            self.violation("crash", "", f"{shown}: exit status {done.returncode}: {messages[-500:]}")
        for line in messages.splitlines():
            if FAULT.search(line):
                self.violation("crash", "", f"{shown}: {line}")
        return done.stdout

    def findings(self, tree: pathlib.Path) -> list[dict]:
        """Read the findings of a report, and count them."""
        output = self.asyncfix(tree, "--output-format", "json")
        try:
            findings = json.loads(output)
            for finding in findings:
                self.count(finding)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self.violation("json", "", f"not the array that was asked for: {error!r}")
            return []
        return findings

    def count(self, finding: dict) -> None:
        """Count one finding under what it came to."""
        codemod, fix, withheld = finding["codemod"], finding.get("fix"), finding.get("withheld")
        if codemod is None:
            self.outcome.unanalysed[normalised(finding["message"])] += 1
            if FAULT.search(finding["message"]):
                self.violation("crash", finding["filename"], finding["message"])
        elif (fix is None) == (withheld is None):
            self.violation("json", finding["filename"], f"{codemod}: neither or both of a fix and a reason")
        elif fix is None:
            self.outcome.withheld[codemod, normalised(withheld)] += 1
        else:
            self.outcome.fixable[codemod, fix["applicability"]] += 1

    def same(self, check: str, before: Snapshot, after: Snapshot, detail: str) -> None:
        """Check that two states of a tree are one."""
        for file in sorted(before.keys() | after.keys()):
            if before.get(file) != after.get(file):
                self.violation(check, file, detail)

    def changed(self, before: Snapshot, fixed: Snapshot) -> list[str]:
        """The files that --fix rewrote; it may neither add one nor take one away."""
        for file in sorted(before.keys() ^ fixed.keys()):
            self.violation("wrote", file, "removed by --fix" if file in before else "left behind by --fix")
        changed = sorted(file for file in before.keys() & fixed.keys() if before[file] != fixed[file])
        self.outcome.changed += len(changed)
        return changed

    def patch_gives(self, patch: bytes, fixed: pathlib.Path, changed: list[str]) -> None:
        """Check that the patch, applied to the files it names, gives what --fix wrote."""
        named = set(PATCHED.findall(patch.decode("utf-8", "replace")))
        files = sorted(named.intersection(snapshot(self.package)).union(changed))
        tools = {
            "git-apply": ["git", "apply", "--whitespace=nowarn", "-"],
            "patch": ["patch", "-p1", "--quiet", "--force", "--fuzz=0", "--no-backup-if-mismatch"],
        }
        for check, command in tools.items():
            patched = fixed.with_name(check)
            for file in files:
                (patched / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.package / file, patched / file)
            if patch:
                self.apply(check, command, patch, patched)
            for file in files:
                if (patched / file).read_bytes() != (fixed / file).read_bytes():
                    self.violation(check, file, "the patch does not give what --fix writes")

    def apply(self, check: str, command: list[str], patch: bytes, tree: pathlib.Path) -> None:
        """Apply a patch, as it would be in a folder that no repository holds and with no settings of anyone's."""
        tree.mkdir(exist_ok=True)
        nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        environment = {**os.environ, **nobody, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
        done = subprocess.run(command, check=False, cwd=tree, input=patch, env=environment, capture_output=True)
        if done.returncode:
            message = " ".join((done.stderr + done.stdout).decode("utf-8", "replace").split())
            self.violation(check, "", f"the patch does not apply: {message[:300]}")

    def promised(self, findings: list[dict], changed: list[str]) -> None:
        """Check that --fix changed the files for which the report shows a fix that applies, and no other."""
        applied = {"safe"}
        if "--safe-only" not in self.flags:
            applied.add("intended")
            if "--unsafe-fixes" in self.flags:
                applied.add("unsafe")
        fixes = (finding for finding in findings if finding.get("fix") and finding["fix"]["applicability"] in applied)
        promised = {os.path.normpath(finding["filename"]) for finding in fixes}
        for file in sorted(promised.difference(changed)):
            self.violation("promise", file, "a fix that applies is reported, and --fix changed nothing")
        for file in sorted(set(changed).difference(promised)):
            self.violation("promise", file, "changed, and no fix that applies is reported")

    def judge(self, fixed: pathlib.Path, changed: list[str]) -> None:
        """Have the reference CPython compare the changed files with what they were."""
        if not changed:
            return
        request = json.dumps({"before": str(self.package.resolve()), "after": str(fixed), "files": changed})
        command = [self.args.python, "-I", __file__, "--judge"]
        done = subprocess.run(command, check=True, input=request, stdout=subprocess.PIPE, text=True)
        answer = json.loads(done.stdout)
        self.outcome.judged += answer["judged"]
        for check, file, detail in answer["violations"]:
            self.violation(check, file, detail)


def snapshot(tree: pathlib.Path) -> Snapshot:
    """A digest of each file in a tree, by its path from there."""
    digests = {}
    for root, _, names in os.walk(tree):
        for name in names:
            path = pathlib.Path(root, name)
            digests[path.relative_to(tree).as_posix()] = hashlib.blake2b(path.read_bytes()).digest()
    return digests


def normalised(reason: str) -> str:
    """A reason without the code and the places it quotes, so that equal reasons count together."""
    reason = re.sub(r"`[^`]*`", "`...`", " ".join(reason.split()))
    return re.sub(r"\b(line|lines|row|column|byte) \d+(:\d+)?", r"\1 N", reason)


# ------------------------------------------------------------------ in the reference CPython


def judge() -> int:
    """Answer the request on standard input: compare the files before and after, and print what must not be."""
    request = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    violations = []
    judged = 0
    for file in request["files"]:
        before, after = (pathlib.Path(request[side], file).read_bytes() for side in ("before", "after"))
        differences = list(compare_bytes(before, after))
        # What the reference does not accept, it cannot judge: syntax newer or older than its own.
        if problem_of(before) is None:
            judged += 1
            differences += compare_meaning(before, after)
        violations += [(check, file, detail) for check, detail in differences]
    json.dump({"judged": judged, "violations": violations}, sys.stdout)
    return 0


def compare_bytes(before: bytes, after: bytes) -> Iterator[tuple[str, str]]:
    """What changed in a file beneath its text: byte order mark, line endings, the end of the last line."""
    mark = b"\xef\xbb\xbf"
    if before.startswith(mark) != after.startswith(mark):
        yield "endings", "byte order mark lost or added"
    had, has = set(LINE_END.findall(before)), set(LINE_END.findall(after))
    # A file of one line without an end has no kind of its own yet.
    if had and not has <= had:
        yield "endings", f"lines end with {sorted(has)}, before with {sorted(had)}"
    last = (b"\n", b"\r")
    if before.endswith(last) != after.endswith(last):
        yield "endings", "end of the last line lost or added"


def compare_meaning(before: bytes, after: bytes) -> Iterator[tuple[str, str]]:
    """What changed in a file that CPython accepted before: does it still, and are comments and texts there."""
    problem = problem_of(after)
    if problem is not None:
        yield "syntax", problem
        return
    for check, texts in (("comments", comments), ("text", constants)):
        had, has = collections.Counter(texts(before)), collections.Counter(texts(after))
        for lost in had - has:
            yield check, f"lost: {textwrap.shorten(lost, 200)}"


def problem_of(source: bytes) -> str | None:
    """Why CPython does not compile a source, or nothing where it does."""
    try:
        compile(source, "<file>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def comments(source: bytes) -> Iterable[str]:
    """The comments of a source, without the white space at their ends."""
    tokens = tokenize.tokenize(io.BytesIO(source).readline)
    try:
        return [token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT]
    except (tokenize.TokenError, SyntaxError):
        # The module `tokenize` is stricter than the compiler in a few corners: form feeds, lone carriage returns.
        return []


def constants(source: bytes) -> Iterable[str]:
    """The values of the string and bytes constants of a source, told apart by their notation."""
    nodes = ast.walk(ast.parse(source))
    return [
        repr(node.value) for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    ]


# ------------------------------------------------------------------ what is printed


def print_counts(name: str, flags: list[str], outcomes: list[Outcome]) -> None:
    """Print what was found with one set of flags."""
    total = Outcome(name)
    for outcome in outcomes:
        total.fixable += outcome.fixable
        total.withheld += outcome.withheld
        total.unanalysed += outcome.unanalysed
        total.changed += outcome.changed
        total.judged += outcome.judged
    print(f"\n{name}: asyncfix --isolated {' '.join(flags)}".rstrip())
    print(f"  {len(outcomes)} packages, {total.changed} files changed, {total.judged} of them judged by CPython")
    for codemod in sorted({key[0] for key in total.fixable} | {key[0] for key in total.withheld}):
        fixable = {key[1]: count for key, count in total.fixable.items() if key[0] == codemod}
        withheld = collections.Counter({key[1]: count for key, count in total.withheld.items() if key[0] == codemod})
        found = sum(fixable.values()) + withheld.total()
        parts = [f"{fixable[kind]} {kind}" for kind in ("safe", "intended", "unsafe") if kind in fixable]
        print(f"  {codemod}: {found} found: {', '.join([*parts, f'{withheld.total()} withheld'])}")
        for reason, count in withheld.most_common():
            print(f"  {count:7} {reason}")
    if total.unanalysed:
        print(f"  not analysed: {total.unanalysed.total()} files")
        for reason, count in total.unanalysed.most_common():
            print(f"  {count:7} {reason}")


def print_violations(violations: list[Violation]) -> int:
    """Print the violations by check, and return the exit status."""
    by_check = collections.Counter(violation.check for violation in violations)
    for check in sorted(by_check):
        print(f"\n{check}: {by_check[check]} violations")
        ours = [violation for violation in violations if violation.check == check]
        for violation in ours[:SHOWN]:
            print(f"  {violation}")
        if len(ours) > SHOWN:
            print(f"  ... and {len(ours) - SHOWN} more: look at one package with --only")
    print(f"\n{len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(judge() if sys.argv[1:] == ["--judge"] else main())
