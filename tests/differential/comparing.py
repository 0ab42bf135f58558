"""Programs before and after: what is different that must not be."""

import dataclasses
import functools
import json
import subprocess

from effects import Log, equal, judged
from programs import Program
from running import Fixed, Interpreters, Way, fix
from shapes import SHAPES

PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))


@dataclasses.dataclass
class Counts:
    """What became of the programs of one codemod."""

    programs: int = 0
    rewritten: int = 0
    withheld: int = 0
    alone: int = 0
    compared: int = 0
    runs: int = 0
    failed: int = 0
    different: int = 0

    def add(self, other: "Counts") -> None:
        """Count what others counted."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


@dataclasses.dataclass
class Difference:
    """A program that does not do what it did."""

    program: Program
    way: Way
    python: tuple[int, int]
    problem: str
    after: str
    logs: tuple[Log, Log]

    def __str__(self) -> str:
        version = ".".join(map(str, self.python))
        lines = [
            f"---- {self.program.name} of {self.program.codemod}: {' '.join(self.way.arguments)}, CPython {version}"
        ]
        lines += [f"---- {self.problem}", "---- before", self.program.before(), "---- after", self.after]
        for title, log in zip(("what it did", "what it does"), self.logs, strict=True):
            lines += [f"---- {title}", *(f"{event.time:8} {event.kind:8} {event.text}" for event in log)]
        return "\n".join(lines)


class Comparison:
    """The comparison of programs that asyncfix rewrites in one way."""

    def __init__(self, binary: str, way: Way, interpreters: Interpreters) -> None:
        self.binary = binary
        self.way = way
        self.interpreters = interpreters.of(version for version in PYTHONS if version >= way.python)

    def of(self, programs: list[Program], counts: Counts) -> list[Difference]:
        """Rewrite the programs, run them and compare."""
        texts = {program.name: program.before() for program in programs}
        results = fix(self.binary, self.way, texts)
        steps = self.steps(texts) if self.way.codemod == "all" else {}
        differences = []
        for program in programs:
            result = results[program.name]
            counts.programs += 1
            if result.text == texts[program.name]:
                counts.withheld += bool(result.withheld)
                counts.alone += not result.withheld
                continue
            counts.rewritten += 1
            found = self.compare(program, result, steps.get(program.name, []), counts)
            if found:
                counts.different += 1
                differences.append(found)
        return differences

    def steps(self, texts: dict[str, str]) -> dict[str, list[tuple[str, Fixed]]]:
        """What the codemods make of the programs one after the other, in the order of their precedence, until nothing changes."""
        steps: dict[str, list[tuple[str, Fixed]]] = {name: [] for name in texts}
        changing = texts
        while changing:
            changed = dict(changing)
            for codemod in order_of(self.binary):
                for name, result in fix(self.binary, Way(codemod, self.way.flags, self.way.python), changed).items():
                    if result.text != changed[name]:
                        steps[name].append((codemod, result))
                        changed[name] = result.text
            changing = {name: text for name, text in changed.items() if text != changing[name]}
        return steps

    def compare(
        self, program: Program, result: Fixed, steps: list[tuple[str, Fixed]], counts: Counts
    ) -> Difference | None:
        """Run a program before and after, in each interpreter."""
        before = program.before()
        by_hand = self.way.codemod == program.codemod and self.all_done(program, result)
        counts.compared += by_hand
        for version, interpreter in self.interpreters:

            def differs(problem: str, text: str, *logs: Log, version: tuple[int, int] = version) -> Difference:
                return Difference(program, self.way, version, problem, text, logs)

            was = interpreter.observe(before)
            is_now = interpreter.observe(result.text)
            counts.runs += 1
            counts.failed += any(event.kind in ("raised", "stuck") and event.text != "ended" for event in was)
            if by_hand:
                wanted = interpreter.observe(program.reference())
                problem = equal(wanted, is_now)
                if problem:
                    return differs(f"not what a person would write: {problem}", result.text, wanted, is_now)
            if self.way.codemod != "all":
                for codemod, applied in result.applied.items():
                    problem = judged(codemod, applied, was, is_now, self.option(codemod, program, result))
                    if problem:
                        return differs(f"{codemod}: {problem}", result.text, was, is_now)
                continue
            for codemod, step in steps:
                then = interpreter.observe(step.text)
                for its, applied in step.applied.items():
                    problem = judged(its, applied, was, then)
                    if problem:
                        return differs(f"{codemod}, as one of all: {problem}", step.text, was, then)
                was = then
            problem = equal(was, is_now)
            if problem:
                return differs(f"all at a time is not one after the other: {problem}", result.text, was, is_now)
        return None

    def option(self, codemod: str, program: Program, result: Fixed) -> str:
        """What makes a codemod's effect another one."""
        some = codemod in result.withheld or (codemod == program.codemod and result.fixes < program.places())
        return " ".join(filter(None, (self.way.option, "of some" if some else "")))

    @staticmethod
    def all_done(program: Program, result: Fixed) -> bool:
        """Whether asyncfix changed every place that a person would change."""
        places = program.places() if program.reference() != program.before() else 0
        return bool(places) and program.codemod not in result.remaining | result.withheld and result.fixes >= places


@functools.cache
def order_of(binary: str) -> list[str]:
    """The codemods in the order of their precedence, which is that of the command `list`; without those that only report."""
    done = subprocess.run([binary, "list", "--output-format", "json"], check=True, capture_output=True, text=True)
    return [codemod["name"] for codemod in json.loads(done.stdout) if codemod["name"] in SHAPES]
