"""A plugin of pytest that writes each test's outcome as a line of JSON while it runs.

Unlike a report at the end it is there when a test takes the process down, and it has the names that --deselect takes.
It is copied into the environment of the tested project, whatever Python that is of.
"""

import json
import os

FILE = os.environ.get("ECOSYSTEM_OUTCOMES")


def write(name, outcome):
    with open(FILE, "a", encoding="utf-8") as file:
        file.write(json.dumps([name, outcome]) + "\n")


class Outcomes:
    def __init__(self):
        self.process = os.getpid()

    def pytest_collectreport(self, report):
        # A module that cannot be imported.
        if report.failed and os.getpid() == self.process:
            write(report.nodeid, "failed")

    def pytest_runtest_logreport(self, report):
        # Setup, test and teardown report one after the other: only a failure and the test itself count.
        if os.getpid() != self.process:
            return
        if report.failed or report.skipped or report.when == "call":
            write(report.nodeid, report.outcome)


def pytest_configure(config):
    # Tests of pytest's plugins run pytest themselves: only the outermost counts.
    if FILE and "ECOSYSTEM_TAKEN" not in os.environ:
        os.environ["ECOSYSTEM_TAKEN"] = "1"
        config.pluginmanager.register(Outcomes(), "ecosystem-outcomes")
