#!/usr/bin/env python3
"""Time `asyncfix server` from a keystroke to the diagnostics, and look at its memory while a document is edited.

usage: server.py [--binary PATH] [--keys N] [--minutes N] [--lines N] [--save FILE]

The document has 2,000 lines, with findings that one module decides and findings that need types and callers of other
modules. A key is typed somewhere in it every 250 ms: the time until the first diagnostics of that version, and until
those with types, as the client reads them. Then the document is edited at random for some minutes, many keys a second,
and the resident memory of the server and of its children is read from /proc. Nothing is judged. --save writes the table
to benches/results/FILE. Needs Linux and Python 3.11 or newer; standard library only.
"""

import argparse
import json
import os
import pathlib
import platform
import queue
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
BINARY = HERE.parent / "target" / "release" / "asyncfix"

CLIENT = """\
class Client:
    async def fetch(self, path):
        return path
"""

CALLER = """\
from big import load_1


async def use(client):
    try:
        await load_1(client)
    except ValueError:
        pass
"""

HEAD = """\
import asyncio
import time

from client import Client

"""

BLOCK = """

async def load_{n}(client: Client, paths=()):
    # What is read: é, 𝒳.
    first, second = await asyncio.gather(client.fetch("a{n}"), client.fetch("b{n}"))
    return [first, second, *paths]


async def wait_{n}(seconds):
    time.sleep(seconds + {n})


def plain_{n}(values):
    total = 0
    for value in values:
        if value % {n} == 0:
            total += value
        else:
            total -= value
    return total
"""


class Client:
    """A client that speaks to one server, and notes when each message came."""

    def __init__(self, binary: pathlib.Path, root: pathlib.Path, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            [binary, "server", *arguments],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.messages: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.version = 0
        self.uri = (root / "big.py").as_uri()
        folder = {"uri": root.as_uri(), "name": "project"}
        parameters = {"capabilities": {}, "workspaceFolders": [folder], "processId": os.getpid(), "rootUri": None}
        self.send({"id": 1, "method": "initialize", "params": parameters})
        self.wait(lambda message: message.get("id") == 1)
        self.notify("initialized", {})

    def _read(self) -> None:
        output = self.process.stdout
        assert output
        while header := output.readline():
            length = int(header.removeprefix(b"Content-Length: "))
            output.readline()
            message = json.loads(output.read(length))
            self.messages.put((time.perf_counter(), message))

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self.send({"method": method, "params": params})

    def wait(self, is_meant: Any) -> tuple[float, dict[str, Any]]:
        while True:
            when, message = self.messages.get(timeout=120)
            if is_meant(message):
                return when, message

    def open(self, text: str) -> None:
        self.version += 1
        document = {"uri": self.uri, "languageId": "python", "version": self.version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def type(self, line: int, character: int, end: int, text: str) -> None:
        self.version += 1
        where = {"start": {"line": line, "character": character}, "end": {"line": line, "character": end}}
        document = {"uri": self.uri, "version": self.version}
        self.notify(
            "textDocument/didChange",
            {"textDocument": document, "contentChanges": [{"range": where, "text": text}]},
        )

    def diagnostics(self) -> tuple[float, list[dict[str, Any]]]:
        """The next of the version as it is."""
        when, message = self.wait(
            lambda it: it.get("method") == "textDocument/publishDiagnostics"
            and it["params"].get("version") == self.version
        )
        return when, message["params"]["diagnostics"]

    def end(self) -> None:
        self.send({"id": 2, "method": "shutdown"})
        self.wait(lambda message: message.get("id") == 2)
        self.notify("exit", {})
        self.process.wait(timeout=20)


def is_final(diagnostics: list[dict[str, Any]]) -> bool:
    return all(it.get("data", {}).get("isFinal", True) for it in diagnostics)


def project(root: pathlib.Path, lines: int) -> str:
    text = HEAD
    number = 1
    while text.count("\n") < lines:
        text += BLOCK.format(n=number)
        number += 1
    (root / "pyproject.toml").write_text("[project]\nrequires-python = '>=3.11'\n")
    (root / "client.py").write_text(CLIENT)
    (root / "caller.py").write_text(CALLER)
    (root / "big.py").write_text(text)
    return text


def keystrokes(client: Client, text: str, keys: int) -> tuple[list[float], list[float], int]:
    """Milliseconds to the first and to the last diagnostics of each key, and how many there are."""
    lines = text.split("\n")
    comments = [number for number, line in enumerate(lines) if line.startswith("    # What")]
    client.open(text)
    while not is_final(client.diagnostics()[1]):
        pass
    first, last, found = [], [], 0
    for key in range(keys + 5):
        line = random.choice(comments)
        start = time.perf_counter()
        client.type(line, 6, 6, "x")
        when, diagnostics = client.diagnostics()
        first.append((when - start) * 1000)
        while not is_final(diagnostics):
            when, diagnostics = client.diagnostics()
        last.append((when - start) * 1000)
        found = len(diagnostics)
        time.sleep(0.25)
        if key < 5:  # what is read for the first time
            first.clear()
            last.clear()
    return first, last, found


def resident(process: int) -> dict[str, int]:
    """The resident memory of a process and of its children, in KiB."""
    sizes = {"server": 0, "children": 0}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            status = dict(line.split(":\t", 1) for line in (entry / "status").read_text().splitlines() if ":\t" in line)
        except OSError:
            continue
        size = int(status.get("VmRSS", "0 kB").split()[0])
        if int(entry.name) == process:
            sizes["server"] += size
        elif status.get("PPid", "").strip() == str(process):
            sizes["children"] += size
    return sizes


def edited(client: Client, text: str, minutes: float) -> list[tuple[float, int, int, int]]:
    """After so many seconds and edits the memory of the server and of its children."""
    lines = text.split("\n")
    seen = []
    started = time.monotonic()
    last, edits = -60.0, 0
    while (now := time.monotonic() - started) < minutes * 60:
        if now - last >= 60:
            last = now
            sizes = resident(client.process.pid)
            seen.append((now, edits, sizes["server"], sizes["children"]))
        number = random.randrange(len(lines))
        line = lines[number]
        at = random.randrange(len(line) + 1) if line.isascii() else 0
        end = min(len(line), at + random.randrange(3)) if line.isascii() else 0
        part = random.choice(["x", " ", "(", ")", "'", "#", "y", ""])
        client.type(number, at, end, part)
        lines[number] = line[:at] + part + line[end:]
        edits += 1
        if edits % 40 == 0:
            # Else all of it is broken for ever.
            lines = text.split("\n")
            client.version += 1
            document = {"uri": client.uri, "version": client.version}
            client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
            time.sleep(0.6)
        time.sleep(random.random() / 20)
        while not client.messages.empty():
            client.messages.get()
    sizes = resident(client.process.pid)
    seen.append((time.monotonic() - started, edits, sizes["server"], sizes["children"]))
    return seen


def row(name: str, times: list[float]) -> str:
    times = sorted(times)
    p99 = times[min(len(times) - 1, round(len(times) * 0.99))]
    return f"| {name} | {len(times)} | {times[0]:.0f} | {statistics.median(times):.0f} | {p99:.0f} | {times[-1]:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--lines", type=int, default=2000)
    parser.add_argument("--save", metavar="FILE")
    arguments = parser.parse_args()
    if not arguments.binary.is_file():
        sys.exit(f"there is no {arguments.binary}: cargo build --release, or name another with --binary")
    random.seed(7)
    out: list[str] = []

    def say(*lines: str) -> None:
        print(*lines, sep="\n", flush=True)
        out.extend(lines)

    say(
        "# From a keystroke to the diagnostics",
        "",
        f"{arguments.binary}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start,",
        f"a document of {arguments.lines} lines, a key every 250 ms. Milliseconds, the wait after the last key included.",
        "",
        "| diagnostics | keys | least | median | 99th percentile | most |",
        "| --- | --- | --- | --- | --- | --- |",
    )
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        text = project(root, arguments.lines)
        client = Client(arguments.binary.resolve(), root, ["--no-types"])
        first, last, found = keystrokes(client, text, arguments.keys)
        client.end()
        say(row(f"first, `--no-types` ({found} findings)", first))
        say(row("last, `--no-types`: with callers", last))
        client = Client(arguments.binary.resolve(), root, [])
        first, last, found = keystrokes(client, text, arguments.keys)
        say(row(f"first ({found} findings)", first))
        say(row("last, with types and callers", last))
        say(
            "",
            "Memory while the document is edited at random, in MiB:",
            "",
            "| seconds | edits | server | children |",
            "| --- | --- | --- | --- |",
        )
        for seconds, edits, server, children in edited(client, text, arguments.minutes):
            say(f"| {seconds:.0f} | {edits} | {server / 1024:.0f} | {children / 1024:.0f} |")
        client.end()
    if arguments.save:
        (HERE / "results" / arguments.save).write_text("\n".join(out) + "\n")


main()
