"""What a rewrite did to a project's tests, from their outcomes before and after it. Pure functions."""

import dataclasses
from collections.abc import Iterable

from projects import Expected

# By the test's name: "passed", "failed" or "skipped".
Outcomes = dict[str, str]
GONE = "gone"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The tests whose outcome is another one, each with the outcome that it has now."""

    # They passed, and no longer do: failed, skipped and gone ones alike. And new ones that do not pass,
    # as which a module that can no longer be imported appears.
    broken: Outcomes
    # They failed, and now pass.
    mended: Outcomes


def compare(base: list[Outcomes], after: Outcomes) -> Comparison:
    """Compare one run with those before the rewrite; tests that these do not agree about do not count."""
    stable, unstable = settle(base)
    passed = [test for test, outcome in stable.items() if outcome == "passed"]
    broken = {test: after.get(test, GONE) for test in passed if after.get(test) != "passed"}
    known = stable.keys() | unstable
    broken |= {test: outcome for test, outcome in after.items() if outcome == "failed" and test not in known}
    mended = {test: "passed" for test, outcome in stable.items() if outcome == "failed" and after.get(test) == "passed"}
    return Comparison(broken, mended)


def settle(runs: list[Outcomes]) -> tuple[Outcomes, set[str]]:
    """The outcomes that all runs agree about, and the tests that they do not agree about."""
    first = runs[0]
    names = set().union(*runs)
    unstable = {name for name in names if any(run.get(name) != first.get(name) for run in runs)}
    return {name: outcome for name, outcome in first.items() if name not in unstable}, unstable


def confirm(comparison: Comparison, again: Comparison) -> Comparison:
    """What two runs of the same rewritten sources agree about: the rest comes and goes by itself."""
    broken = {test: outcome for test, outcome in comparison.broken.items() if test in again.broken}
    mended = {test: outcome for test, outcome in comparison.mended.items() if test in again.mended}
    return Comparison(broken, mended)


def unexpected(comparison: Comparison, selection: str, expected: Iterable[Expected]) -> tuple[list[str], list[str]]:
    """The broken tests that nobody expected, and the expected ones that did not break, which is to be noticed too."""
    names = {entry.test for entry in expected if entry.selection == selection}
    return sorted(set(comparison.broken) - names), sorted(names - set(comparison.broken))
