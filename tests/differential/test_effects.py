"""The predicates themselves: each allows what its codemod's page states, and refuses what is more.

A log is written as one event a line, `TIME WHO WHAT`; `(left) ...`, `(raised) ...` and the like are events of that kind.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import effects
from effects import EFFECTS, REPAIRS, SAFE, Event, Log, judged


def log(text: str) -> Log:
    """The events of a text."""
    events = []
    for line in filter(None, map(str.strip, text.splitlines())):
        time, rest = line.split(" ", 1)
        kind, text = "print", rest
        if rest.startswith("("):
            kind, text = rest[1:].split(")", 1)
        events.append(Event(float(time), kind, text.strip()))
    return events


# For each predicate: a log before, one that it allows, and those that it refuses.
CASES: dict[str, tuple[str, str, list[str]]] = {
    "gather-to-taskgroup": (
        "0 r1 start\n0 r2 start\n1 r1 fails\n1 main failed\n1 c start\n1 c got 1\n2 r2 end\n3 (left)\n3 (raised) ended",
        "0 r1 start\n0 r2 start\n1 r1 fails\n1 r2 cancelled\n1 main failed\n1 c start\n1 c got 1\n3 (left)\n3 (raised) ended",
        [
            # The sibling goes on.
            "0 r1 start\n0 r2 start\n1 r1 fails\n1 main failed\n2 r2 end\n2 r2 step\n3 (raised) ended",
            # The failure is not seen, or something else is done about it.
            "0 r1 start\n0 r2 start\n1 r1 fails\n1 r2 cancelled\n3 (left)\n3 (raised) ended",
            "0 r1 start\n0 r2 start\n1 r1 fails\n1 r2 cancelled\n1 main failed\n3 (left)\n3 (raised) ExceptionGroup[OSError(a)]",
            # Somebody else does something else.
            "0 r1 start\n0 r2 start\n1 r1 fails\n1 r2 cancelled\n1 main failed\n1 c start\n2 c end\n3 (left)\n3 (raised) ended",
            # What came before the failure is different.
            "0 r2 start\n0 r1 start\n1 r1 fails\n1 r2 cancelled\n1 main failed\n3 (left)\n3 (raised) ended",
        ],
    ),
    "gather-to-taskgroup of some": (
        "0 r1 start\n0 k1 start\n1 r1 fails\n1 main failed\n2 k1 end",
        "0 r1 start\n0 k1 start\n1 r1 fails\n1 main failed\n2 k1 end\n3 k1 over",
        ["0 r1 start\n0 k1 start\n1 r1 fails\n2 k1 end"],
    ),
    "gather-to-taskgroup unwrapped of some": (
        "0 r1 start\n1 r1 fails\n1 (raised) OSError(r1)",
        "0 r1 start\n1 r1 fails\n1 k1 end\n1 (raised) OSError(r1)",
        ["0 r1 start\n1 r1 fails\n1 (raised) ExceptionGroup[OSError(r1)]"],
    ),
    "gather-to-taskgroup unwrapped": (
        "0 a start\n1 a fails\n1 (left)\n1 (raised) OSError(a)",
        "0 a start\n1 a fails\n1 (left)\n1 (raised) OSError(a)",
        ["0 a start\n1 a fails\n1 (left)\n1 (raised) ExceptionGroup[OSError(a)]"],
    ),
    "run-until-complete-to-run": (
        "0 main end\n0 (left) ticker\n0 program end\n0 (raised) ended",
        "0 main end\n0 (left) ticker\n0 z cancelled\n0 program end\n0 (raised) ended",
        [
            "0 main end\n0 (left) ticker\n0 z tick\n0 program end\n0 (raised) ended",
            "0 main end\n0 (left) ticker\n0 (raised) ended",
            "1 main end\n1 (left) ticker\n1 program end\n1 (raised) ended",
            "0 main end\n0 (left) ticker\n0 program end\n0 (raised) RuntimeError()",
        ],
    ),
    "await-sleep": (
        "0 main sleeps\n1 main slept\n1 z tick\n1 a start\n2 a end\n2 (raised) ended",
        "0 main sleeps\n0 a start\n0.5 z tick\n1 a end\n1 main slept\n1 (raised) ended",
        [
            # It does not sleep as long for others, but says something else; or is later than before.
            "0 main sleeps\n0 a start\n0.5 z tick\n1 a end\n1 (raised) ended",
            "0 main sleeps\n3 main slept\n3 z tick\n3 a start\n4 a end\n4 (raised) ended",
            "0 main sleeps\n1 main slept\n1 z tick\n1 a start\n1 a fails\n2 (raised) ended",
        ],
    ),
    "limit-concurrency": (
        "0 q0_main start\n0 q1_main start\n0 q2_main start\n1 q0_main end\n1 q1_main end\n1 q2_main end\n1 main end",
        "0 q0_main start\n0 q1_main start\n1 q0_main end\n1 q1_main end\n1 q2_main start\n2 q2_main end\n2 main end",
        [
            "0 q0_main start\n0 q1_main start\n0 q2_main start\n1 q0_main end\n1 q1_main end\n1 q2_main end\n1 main end",
            "0 q0_main start\n0 q1_main start\n1 q0_main end\n1 q1_main end\n2 main end",
            "0 q0_main start\n0 q1_main start\n1 q0_main end\n1 q1_main end\n1 q2_main start\n2 q2_main end\n2 main over",
        ],
    ),
    "limit-concurrency of some": (
        "0 q0_main start\n1 q0_main end\n1 main end",
        "0 q0_main start\n2 q0_main end\n2 main end",
        ["0 q0_main start\n1 q0_main end\n1 main over"],
    ),
    "run-debug": (
        "0 debug False\n1 main end",
        "0 debug True\n1 main end",
        ["0 debug True\n2 main end", "0 debug True"],
    ),
    "close-async-generator": (
        "0 main number 0\n0 main after\n1 z tick\n1 main cleanup",
        "0 main number 0\n0 main cleanup\n0 main after\n1 z tick",
        [
            "0 main number 0\n0 main after\n0 main cleanup\n2 z tick",
            "0 main number 0\n0 main after\n1 z tick",
            "0 main number 0\n0 main cleanup\n0 main number 1\n0 main after\n1 z tick",
            "0 main number 0\n0 main after\n0.5 main cleanup\n1 z tick",
        ],
    ),
    "blocking-to-thread": (
        "0 main blocks\n1 main went on\n1 z tick\n1 (raised) ended",
        "0 main blocks\n0.5 z tick\n1.001 main went on\n1.001 (raised) ended",
        [
            "0 main blocks\n0.5 z tick\n1.001 main got 1\n1.001 (raised) ended",
            "0 main blocks\n1 z tick\n1.001 (raised) ended",
        ],
    ),
    "wait-for-to-timeout": (
        "0 a start\n1 a end\n1 main var nothing\n1 (raised) ended",
        "0 a start\n1 a end\n1 main var a\n1 (raised) ended",
        ["0 a start\n1 main var a\n1 (raised) ended", "0 a start\n1 a end\n1 main late\n1 (raised) ended"],
    ),
    "executor-to-thread": (
        "0 main var nothing\n0 main got 1",
        "0 main var H1\n0 main got 1",
        ["0 main var H1\n0 main got 2", "0 main got 1\n0 main var H1"],
    ),
    "reraise-cancelled": (
        "0 a tries\n1 a cancelled\n1 a goes on\n1 main went on\n1 program end",
        "0 a tries\n1 a cancelled\n1 main gone\n1 program end",
        [
            "0 a tries\n1 a cancelled\n1 main gone\n1 a goes on\n1 program end",
            "1 a cancelled\n1 main gone\n1 program end",
            "0 a tries\n1 a cancelled\n1 main gone",
        ],
    ),
    "await-coroutine": (
        "0 main over\n0 (warning) coroutine 'work' was never awaited",
        "0 a start\n1 a end\n1 main over",
        ["0 a start\n1 a end", "0 main over\n0 (warning) coroutine 'work' was never awaited\n0 main over"],
    ),
    "keep-task-reference": (
        "0 a fails\n0 (loop) never retrieved\n0 (left)",
        "0 a fails\n0 (left)\n0 (loop) never retrieved",
        ["0 a fails\n0 (left)", "0 a fails\n1 (left)\n1 (loop) never retrieved"],
    ),
    "inspect-iscoroutinefunction": ("0 main got True", "0 main got True", ["0 main got False"]),
    "task-to-create-task": ("0 a start", "0 a start", ["0 a start\n0 a end"]),
}

# The same, for what is stated beside it.
MORE: list[tuple[str, str, str, list[str]]] = [
    # One who fails without a word, at the moment at which all begin.
    (
        "gather-to-taskgroup",
        "0 r1 start\n0 r2 start\n0 r2 end\n0 (left)\n0 (raised) KeyError()",
        "0 r1 start\n0 r2 start\n0 r2 finally\n0 (left)\n0 (raised) ExceptionGroup[KeyError()]",
        ["0 r1 start\n0 r2 start\n0 r2 finally\n0 (left)\n0 (raised) ExceptionGroup[OSError()]"],
    ),
    # One who waits for the lock of those who are cancelled, and would be cancelled for that failure as well.
    (
        "gather-to-taskgroup",
        "0 r1 start\n0 r2 start\n0 r1 fails\n0 H1 failed\n0 (left)\n0 (raised) ExceptionGroup[KeyError()]",
        "0 r1 start\n0 r2 start\n0 r1 fails\n0 H1 failed\n0 r2 fails\n0 H2 failed\n0 (left)\n0 (raised) ExceptionGroup[OSError()]",
        [
            # Later; another one, who was not cancelled; nobody at first.
            "0 r1 start\n0 r2 start\n0 r1 fails\n0 H1 failed\n1 r2 fails\n1 H2 failed\n1 (left)\n1 (raised) OSError()",
            "0 r1 start\n0 r2 start\n0 r1 fails\n0 H2 failed\n0 (left)\n0 (raised) ExceptionGroup[KeyError()]",
        ],
    ),
    (
        "gather-to-taskgroup",
        "0 r1 start\n0 r1 fails\n0 H1 failed\n0 H2 gathered\n0 (raised) ended",
        "0 r1 start\n0 r1 fails\n0 H1 failed\n0 H2 gathered\n0 (raised) ended",
        ["0 r1 start\n0 r1 fails\n0 H1 failed\n0 H2 failed\n0 (raised) ended"],
    ),
    # Two who take turns at a lock, where the first came to its end before the second began.
    (
        "await-sleep",
        "0 H1 sleeps\n1 H1 held\n1 H1 sleeps\n2 H1 held\n2 H2 sleeps\n3 H2 held",
        "0 H1 sleeps\n0 H2 sleeps\n1 H1 held\n1 H1 sleeps\n2 H2 held\n3 H1 held",
        [
            "0 H1 sleeps\n0 H2 sleeps\n1 H1 held\n1 H1 sleeps\n2 H2 held\n4 H1 held",
            "0 H1 sleeps\n0 H2 sleeps\n1 H1 held\n1 H1 sleeps\n2 H2 held",
        ],
    ),
    # A cleanup that the time limit cuts short.
    (
        "wait-for-to-timeout",
        "0 a start\n1 a cancelled\n3 a cleaned\n3 main saw cancelled\n3 (left)\n3 (raised) ended",
        "0 a start\n1 a cancelled\n2 main saw cancelled\n2 (left)\n2 (raised) ended",
        [
            "0 a start\n1 a cancelled\n2 main late\n2 (left)\n2 (raised) ended",
            "1 a cancelled\n2 main saw cancelled\n2 (left)\n2 (raised) ended",
        ],
    ),
    # One who swallowed the cancellation at the end of the run, which it kept up.
    (
        "wait-for-to-timeout",
        "0 a start\n1 main end\n1 (left) work\n2 a end\n2 (raised) ended",
        "0 a start\n1 main end\n1 (left) work\n1 (raised) ended",
        [
            "0 a start\n1 main end\n1 (left) work\n2 a end\n3 (raised) ended",
            "0 a start\n1 main end\n1 (left) work\n1 (raised) KeyError()",
        ],
    ),
    # Two fail at a time, of whom one is in a gather of its own.
    (
        "gather-to-taskgroup",
        "0 r1 start\n0 r3 start\n0 r1 fails\n0 r3 fails\n0 (left) fetch\n0 (raised) KeyError(r3)",
        "0 r1 start\n0 r3 start\n0 r1 fails\n0 r3 fails\n0 (left)\n0 (raised) ExceptionGroup[KeyError(r1), KeyError(r3)]",
        [
            "0 r1 start\n0 r3 start\n0 r1 fails\n0 r3 fails\n0 (left)\n0 (raised) ExceptionGroup[KeyError(r1), OSError(r3)]",
        ],
    ),
    # Two who are called the same: one is gone, the other one goes on.
    (
        "gather-to-taskgroup",
        "0 r2 start\n0 r2 start\n1 r1 fails\n1 H1 caught\n2 r2 end\n2 r2 end\n2 (left)\n2 (raised) ended",
        "0 r2 start\n0 r2 start\n1 r1 fails\n1 r2 cancelled\n1 H1 caught\n2 r2 end\n2 (left)\n2 (raised) ended",
        [
            "0 r2 start\n1 r1 fails\n1 r2 cancelled\n1 H1 caught\n2 r2 end\n2 (left)\n2 (raised) ended",
            "0 r2 start\n0 r2 start\n1 r1 fails\n1 r2 cancelled\n2 r2 end\n2 (left)\n2 (raised) ended",
        ],
    ),
    # Somebody starts while the cleanup waits, and no longer behind the call that blocks.
    (
        "close-async-generator",
        "0 H1 number 0\n0 H1 over\n0 H3 sleeps\n1 H1 cleanup\n1 H1 cleanup waits\n1 H1 cleanup over\n2 main end\n2 (left)\n2 (raised) ended",
        "0 H1 number 0\n0 H1 cleanup\n0 H1 cleanup waits\n0 H1 cleanup over\n0 H1 over\n0 H3 sleeps\n1 main end\n1 (left)\n1 (raised) ended",
        [
            "0 H1 number 0\n0 H1 cleanup\n0 H1 cleanup waits\n0 H1 cleanup over\n0 H1 over\n0 H3 sleeps\n3 main end\n3 (left)\n3 (raised) ended",
            "0 H1 number 0\n0 H1 cleanup\n0 H1 cleanup waits\n0 H1 cleanup over\n0 H1 over\n1 main end\n1 (left)\n1 (raised) ended",
        ],
    ),
    # A generator that nobody closes, and whose cleanup the end of the run cuts off.
    (
        "await-sleep",
        "0 H1 number 0\n0 H2 sleeps\n0 main end\n0 (left)\n0 H1 cleanup\n0 H1 cleanup waits\n0 H1 cleanup over\n0 (raised) ended",
        "0 H1 number 0\n0 H2 sleeps\n0 main end\n0 H1 cleanup\n0 H1 cleanup waits\n0 (left)\n0 (raised) ended",
        [
            "0 H1 number 1\n0 H2 sleeps\n0 main end\n0 H1 cleanup\n0 H1 cleanup waits\n0 (left)\n0 (raised) ended",
            "0 H1 number 0\n0 H2 sleeps\n0 H1 cleanup\n0 H1 cleanup waits\n0 (left)\n0 (raised) ended",
        ],
    ),
    # One who fails at the end of the run, and was left over.
    (
        "wait-for-to-timeout",
        "0 b start\n0 (left) fetch ticker\n0 (raised) TypeError()",
        "0 b start\n0 b fails\n0 (left) ticker\n0 (raised) TypeError()\n0 (loop) Task exception was never retrieved: Broken()",
        [
            "0 b start\n0 b fails\n0 (left) fetch ticker\n0 (raised) TypeError()\n0 (loop) Task exception was never retrieved: Broken()",
            "0 b start\n0 b fails\n0 (left) ticker\n0 (raised) TypeError()\n0 (loop) a future belongs to another loop",
        ],
    ),
    (
        "wait-for-to-timeout",
        "0 a start\n1 a end\n2 main end\n2 (left)\n2 (raised) ended",
        "0 a start\n1 a end\n2 main end\n2 (left)\n2 (raised) ended",
        ["0 a start\n1 a end\n2 main end\n2 (left)\n1 (raised) ended"],
    ),
    # One who swallows the cancellation at the end of the run.
    (
        "run-until-complete-to-run",
        "0 main end\n0 (left) guarded\n0 program end\n0 (raised) ended",
        "0 main end\n0 (left) guarded\n0 e cancelled\n0 e goes on\n0 program end\n0 (raised) ended",
        ["0 main end\n0 (left) guarded\n0 e goes on\n0 program end\n0 (raised) ended"],
    ),
    # The second generator is cancelled while it waits.
    (
        "close-async-generator",
        "0 H1 number 0\n0 H1 finally\n0 H1 cleanup\n1 H1 cleanup\n1 main saw cancelled",
        "0 H1 number 0\n0 H1 cleanup\n0 H1 finally\n1 H1 cleanup\n1 main saw cancelled",
        [
            "0 H1 number 0\n0 H1 cleanup\n0 H1 finally\n0.5 H1 cleanup\n1 main saw cancelled",
            "0 H1 number 0\n0 H1 finally\n1 H1 cleanup\n1 H1 cleanup\n1 main saw cancelled",
        ],
    ),
    # Its cleanup waits, and is cancelled there; before, the end of the run cut it short.
    (
        "close-async-generator",
        "0 H1 number 1\n0 H1 found 1\n0 main not cancelled\n0 (left)\n0 H1 cleanup\n0 H1 cleanup waits\n0 (raised) ended",
        "0 H1 number 1\n0 H1 cleanup\n0 H1 cleanup waits\n0 H1 finally\n0 main saw cancelled\n0 (left)\n0 (raised) ended",
        [
            # What does not wait cannot be cancelled; it is not, if nobody sees it; and nothing is lost before.
            "0 H1 number 1\n0 H1 cleanup\n0 H1 finally\n0 main saw cancelled\n0 (left)\n0 (raised) ended",
            "0 H1 number 1\n0 H1 cleanup\n0 H1 cleanup waits\n0 H1 finally\n0 (left)\n0 (raised) ended",
            "0 H1 cleanup\n0.5 H1 cleanup waits\n0.5 H1 finally\n0.5 main saw cancelled\n0.5 (left)\n0.5 (raised) ended",
        ],
    ),
    # A time limit around it.
    (
        "limit-concurrency",
        "0 q0_main start\n0 q1_main start\n0 q2_main start\n1 q0_main end\n1 q1_main end\n1 q2_main end\n1 (raised) ended",
        "0 q0_main start\n0 q1_main start\n1 q0_main end\n1 q1_main end\n1 q2_main start\n2 (raised) TimeoutError()",
        ["0 q0_main start\n0 q1_main start\n1 q0_main end\n1 q1_main end\n1 q2_main start\n2 (raised) OSError()"],
    ),
]
ALL = [(name, *case) for name, case in CASES.items()] + MORE


class Effects(unittest.TestCase):
    """Each predicate, and how it is chosen."""

    def test_every_predicate_has_cases(self) -> None:
        self.assertEqual(CASES.keys(), EFFECTS.keys())

    def test_what_is_stated_is_allowed(self) -> None:
        for name, before, allowed, _ in ALL:
            with self.subTest(name, before=before):
                self.assertIsNone(EFFECTS[name](log(before), log(allowed)))

    def test_equal_logs_are_allowed(self) -> None:
        for name, (before, _, _) in CASES.items():
            with self.subTest(name):
                self.assertIsNone(judged(name.split()[0], {"intended"}, log(before), log(before)))

    def test_what_is_more_is_refused(self) -> None:
        for name, before, _, refused in ALL:
            for number, text in enumerate(refused):
                with self.subTest(name, before=before, number=number):
                    self.assertIsNotNone(EFFECTS[name](log(before), log(text)))

    def test_a_safe_fix_changes_nothing(self) -> None:
        for name in EFFECTS.keys() - REPAIRS.keys() - SAFE.keys():
            before, allowed, _ = CASES[name]
            if before != allowed:
                with self.subTest(name):
                    self.assertIsNotNone(judged(name, {"safe"}, log(before), log(allowed)))

    def test_what_did_not_fail_is_not_repaired(self) -> None:
        for name in REPAIRS:
            with self.subTest(name):
                self.assertIsNotNone(judged(name, {"safe"}, log("0 main got 1"), log("0 main got 2")))

    def test_a_repair_is_of_its_own_error(self) -> None:
        after = log("0 main got 1\n0 (raised) ended")
        self.assertIsNone(judged("async-with", {"safe"}, log("0 (raised) TypeError()"), after))
        self.assertIsNotNone(judged("await-nested-run", {"safe"}, log("0 main got 2\n0 (raised) ended"), after))

    def test_a_codemod_without_a_predicate_changes_nothing(self) -> None:
        self.assertIsNotNone(judged("wrong-drops-sleep", {"intended"}, log("1 main end"), log("0 main end")))

    def test_a_group_is_taken_off(self) -> None:
        text = "raised: ExceptionGroup[BaseExceptionGroup[KeyError(a)], OSError(b)]"
        self.assertEqual(effects.ungrouped(text), "raised: KeyError(a)")


if __name__ == "__main__":
    unittest.main()
