"""Makes a program that differs as small as it gets, while it differs in the same way."""

import ast
import dataclasses
from collections.abc import Iterator

from comparing import Comparison, Counts, Difference
from programs import Program
from running import Interpreters

# As many candidates are tried in one run of asyncfix.
WIDTH = 60
ROUNDS = 40


def shrunk(difference: Difference, binary: str, interpreters: Interpreters) -> Difference:
    """The smallest program that is found to differ for the same reason, in the same interpreter."""
    only = Interpreters({})
    only.all = {difference.python: interpreters.all[difference.python]}
    comparison = Comparison(binary, difference.way, only)
    kind = difference.problem.split(":")[0]
    for _ in range(ROUNDS):
        candidates = list(smaller(difference.program))
        for start in range(0, len(candidates), WIDTH):
            found = comparison.of(candidates[start : start + WIDTH], Counts())
            same = [it for it in found if it.problem.split(":")[0] == kind and not is_broken(it)]
            if same:
                difference = min(same, key=lambda it: len(it.program.template))
                break
        else:
            break
    name = difference.program.name.split("_")[0]
    return dataclasses.replace(difference, program=dataclasses.replace(difference.program, name=name))


def is_broken(difference: Difference) -> bool:
    """Whether the smaller program fails only because something that it needs was left out."""
    return any("NameError" in event.text or "UnboundLocalError" in event.text for event in difference.logs[0])


def smaller(program: Program) -> Iterator[Program]:
    """Programs with something left out: the largest parts first."""
    lines = program.template.splitlines()
    tried = set()
    texts = sorted(set(cuts(lines)), key=len)
    for number, text in enumerate(texts):
        candidate = dataclasses.replace(program, template=text, name=f"{program.name.split('_')[0]}_{number}")
        if text not in tried and compiles(candidate):
            tried.add(text)
            yield candidate


def cuts(lines: list[str]) -> Iterator[str]:
    """Texts without one line and what is deeper, without what is between, or with a suite in the place of its statement."""
    depths = [len(line) - len(line.lstrip()) if line.strip() else None for line in lines]
    for index, depth in enumerate(depths):
        if depth is None:
            continue
        end = index + 1
        while end < len(lines) and (depths[end] is None or depths[end] > depth):
            end += 1
        suite = [line for line in lines[index + 1 : end] if line.strip()]
        rest = lines[end:]
        yield joined([*lines[:index], *rest])
        yield joined([*lines[:index], lines[index][:depth] + "pass", *rest])
        if suite:
            inner = len(suite[0]) - len(suite[0].lstrip())
            lifted = [lines[index][:depth] + line[inner:] for line in suite]
            yield joined([*lines[:index], *lifted, *rest])
            # `try:` and its clauses go together.
            clauses = end
            while clauses < len(lines) and lines[clauses].strip().startswith(("except", "finally", "else", "elif")):
                clauses += 1
                while clauses < len(lines) and (depths[clauses] is None or depths[clauses] > depth):
                    clauses += 1
            if clauses > end:
                yield joined([*lines[:index], *lifted, *lines[clauses:]])
                yield joined([*lines[:index], *lines[clauses:]])
    for old, new in (("  # remark", None), ("1.5", "1"), (" else None", None)):
        for index, line in enumerate(lines):
            if old in line:
                cut = line.split(old)[0] if new is None else line.replace(old, new)
                yield joined([*lines[:index], cut, *lines[index + 1 :]])


def joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def compiles(program: Program) -> bool:
    """Whether both forms of it are programs."""
    try:
        for text in (program.before(), program.reference()):
            ast.parse(text)
            compile(text, "<program>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True
