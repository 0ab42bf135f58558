"""Run unittest's tests and write each one's outcome as a line of JSON while it runs.

usage: ecosystem_unittest.py [--deselect NAME ...] [ARGUMENT ...]

The arguments are those of `python -m unittest`. NAME is a test's id.
"""

import json
import os
import sys
import unittest


def write(test, outcome):
    with open(os.environ["ECOSYSTEM_OUTCOMES"], "a", encoding="utf-8") as file:
        file.write(json.dumps([test.id(), outcome]) + "\n")


class Result(unittest.TextTestResult):
    def addSuccess(self, test):
        super().addSuccess(test)
        write(test, "passed")

    def addError(self, test, error):
        super().addError(test, error)
        write(test, "failed")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        write(test, "failed")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            write(test, "failed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        write(test, "skipped")

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        write(test, "skipped")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        write(test, "failed")


class Suite(unittest.TestSuite):
    left_out = frozenset()

    def addTest(self, test):
        if isinstance(test, unittest.TestSuite) or test.id() not in self.left_out:
            super().addTest(test)


def main():
    words = sys.argv[1:]
    left_out = set()
    while words[:1] == ["--deselect"]:
        left_out.add(words[1])
        words = words[2:]
    Suite.left_out = frozenset(left_out)
    unittest.TestLoader.suiteClass = Suite
    # As `python -m` does: the tests are found from here, and not from beside this file.
    sys.path[0] = os.getcwd()
    runner = unittest.TextTestRunner(resultclass=Result, verbosity=1)
    unittest.main(module=None, argv=["python -m unittest", *words], testRunner=runner)


if __name__ == "__main__":
    main()
