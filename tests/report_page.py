#!/usr/bin/env python3
"""Open the page of `asyncfix report` in headless Chromium, and use it as a person does.

usage: report_page.py --bin PATH [--chromium PATH] [--page PAGE] [--shots DIR]

Makes a small project with code that tries to break out of the page, reports it, and checks what the page shows, the
filters, the search, the keys, the link, the colours, and that nothing is loaded, logged or thrown. Times are printed, not
judged. --page only measures that page; --shots keeps pictures of it, light and dark, wide and narrow.
Exit status 1 means that something is not as it must be; 2 means wrong usage, or no browser. Standard library only.
"""

import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any, Self

HOSTILE = "</script><script>window.broken=1</script><!-- \u202e\u2028 &amp; \"'"

FILES = {
    "app/__init__.py": "",
    "app/sleeps.py": f"""import asyncio
import time

print(time.time())


async def main():
    note = "{HOSTILE.replace('"', "")}"
    time.sleep(1)
    return note
""",
    "app/gathers.py": """import asyncio


async def one():
    return 1


async def main():
    first, second = await asyncio.gather(one(), one())
    return first + second
""",
    "lib/withheld.py": """import asyncio
import time


async def main():
    try:
        pass
    finally:
        time.sleep(1)
""",
    "lib/loops.py": "import asyncio\n\n\nasync def main():\n"
    + "".join(f"    value_{index} = asyncio.get_event_loop()\n" for index in range(60)),
    "lib/<img src=x onerror=broken()>.py": "import asyncio, time\nprint(time)\nasync def main():\n    time.sleep(2)\n",
    "notebook.ipynb": json.dumps(
        {
            "cells": [
                {"cell_type": "code", "source": code, "metadata": {}, "outputs": [], "execution_count": None}
                for code in (["import time"], ["async def f():\n", "    time.sleep(3)\n", "    time.time()"])
            ],
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 4,
        }
    ),
    "broken.py": "async def f(:\n    pass\n",
}


class Failed(Exception):
    """The page is not as it must be."""


class Browser:
    """Chromium, driven by its DevTools protocol over two pipes."""

    def __init__(self, program: str, profile: str) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        arguments = [
            *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"),
            *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
            *("--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"),
        ]
        # The browser reads from 3 and writes to 4.
        script = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, program, *arguments],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.problems: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            chunk = os.read(self._read, 1 << 20)
            if not chunk:
                raise Failed("the browser ended")
            self._rest += chunk
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                self.problems.append(f"thrown: {details.get('exception', {}).get('description', details['text'])}")
            case "Runtime.consoleAPICalled":
                self.problems.append(f"console: {parameters['type']} {parameters['args']}")
            case "Log.entryAdded":
                self.problems.append(f"log: {parameters['entry']['text']}")
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case _:
                pass

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise Failed(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        deadline = time.monotonic() + 60
        while self.js("document.readyState") != "complete" or self.js("location.href.startsWith('about:')"):
            if time.monotonic() > deadline:
                raise Failed(f"{address} is not loaded in a minute")
            time.sleep(0.02)

    def js(self, expression: str) -> Any:
        """The value of an expression, which may be a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Failed(f"{expression}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        codes = {"Enter": 13, "Escape": 27, "Tab": 9}
        for key in keys:
            event = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()) if key.isalnum() else 0)}
            text = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
            self.call("Input.dispatchKeyEvent", type="keyDown", **event, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def wait(self, expression: str, what: str) -> None:
        deadline = time.monotonic() + 10
        while not self.js(expression):
            if time.monotonic() > deadline:
                raise Failed(f"{what}: `{expression}` does not become true")
            time.sleep(0.02)

    def look(self, width: int, height: int, dark: bool) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: pathlib.Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


def equal(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise Failed(f"{what}: {found!r}, and not {wanted!r}")


def true(condition: object, what: str) -> None:
    if not condition:
        raise Failed(what)


SHOWN = "list.shown.length"
COUNT = "document.getElementById('count').textContent"


def check(browser: Browser, page: pathlib.Path) -> None:
    address = page.as_uri()
    browser.look(1280, 900, dark=False)
    browser.open(address)
    known = browser.js("items.length")
    true(known > 60, f"only {known} findings are on the page")
    equal(browser.js(SHOWN), known, "findings shown at first")
    true("could not be analysed" in browser.js("document.querySelector('.failures').textContent"), "failures are not shown")

    # Text is text, and what is hidden in it is named.
    equal(browser.js("window.broken"), None, "code of a finding ran")
    equal(browser.js("document.querySelectorAll('img').length"), 0, "a path became markup")
    browser.js("list.blocks.forEach(renderBlock)")
    text = browser.js("document.getElementById('list').textContent")
    true("</script><script>" in text, "code is not shown as it is")
    true("U+202E" in text and "\u202e" not in text, "a character that turns the text is not named")

    # A diff, and the code of what is withheld.
    equal(browser.js("document.querySelectorAll('.finding').length"), known, "findings made")
    equal(browser.js("document.querySelectorAll('.finding:not(.withheld) .diff:not(.excerpt)').length"),
          browser.js("items.filter(it => it.fix).length"), "diffs")
    equal(browser.js("document.querySelectorAll('.finding.withheld .excerpt mark').length > 0"), True, "marks")
    true("await asyncio.sleep" in browser.js("[...document.querySelectorAll('.added')].map(it => it.textContent).join()"),
         "the rewrite is not shown")

    # In a notebook rows are those of the cell, and the import that comes in is in another one.
    cells = """(() => {
  const item = items.find((it) => data.files[it.file].path.endsWith(".ipynb"));
  return [...document.getElementById(`finding-${item.index}`).querySelectorAll("tr")].slice(1).map(
    (row) => [...row.cells].map((it) => it.textContent).join("|"));
})()"""
    equal(browser.js(cells), [
        "cell 1",
        "||1|import asyncio",
        "1|import time|2|import time",
        "cell 2",
        "1|async def f():|1|async def f():",
        "2|    time.sleep(3)|2|    await asyncio.sleep(3)",
        "3|    time.time()|3|    time.time()",
    ], "the diff of a notebook")

    # Filters: a chart, a state, the severity, a folder; and the address.
    browser.js("document.querySelector('#chart-codemod button[data-key=await-sleep]').click()")
    equal(browser.js(SHOWN), browser.js("items.filter(it => it.codemod === 'await-sleep').length"), "by codemod")
    equal(browser.js("location.hash"), "#codemod=await-sleep", "address")
    browser.js("document.querySelector('#states [data-state=withheld]').click()")
    equal(browser.js("list.shown.every(it => it.state === 'withheld' && it.codemod === 'await-sleep')"), True, "by state")
    true(" of " in browser.js(COUNT), "the count does not follow")
    shared = browser.js("location.href")
    browser.press("Escape")
    equal(browser.js(SHOWN), known, "after Escape")
    browser.js("document.querySelector('#chart-folder button').click()")
    true(0 < browser.js(SHOWN) < known, "by package")
    browser.press("Escape")
    browser.js("document.querySelector('#chart-reason button').click()")
    equal(browser.js("list.shown.length > 0 && list.shown.every(it => it.kind)"), True, "by reason")
    reasons = ["`f` is called at lib/one.py:12:5, and in a.ipynb", "`g` is called at other.pyw:3, and in b.ipynb"]
    kinds = browser.js(f"{json.dumps(reasons)}.map(kindOfReason)")
    equal(kinds, ["`…` is called at `…`, and in `…`"] * 2, "reasons that differ in names and places")
    browser.press("Escape")

    # Search, by keys alone.
    browser.press("/", *"value_7 loops.py")
    browser.wait(f"{SHOWN} === 1", "the search")
    browser.press("Enter")
    equal(browser.js("document.activeElement.className.includes('finding')"), True, "Enter leaves the search")
    browser.press("Enter")
    equal(browser.js("document.querySelectorAll('.finding .diff').length"), 0, "Enter hides the code")
    browser.press("Enter")
    equal(browser.js("document.querySelectorAll('.finding .diff').length"), 1, "Enter shows the code")
    browser.press("Escape")
    equal(browser.js(SHOWN), known, "Escape clears the search")
    browser.press("/", *"no such thing")
    browser.wait(f"{SHOWN} === 0", "the search for nothing")
    equal(browser.js("document.getElementById('nothing').hidden"), False, "nothing is said")
    browser.press("Escape", "Escape")

    # From finding to finding, and from file to file.
    browser.press("j", "j", "j", "k")
    equal(browser.js("list.current"), 1, "j and k")
    browser.press("J")
    equal(browser.js("list.shown[list.current].file !== list.shown[1].file"), True, "J")
    for index in range(0, known, 7):
        browser.js(f"goTo({index})")
        place = f"document.getElementById('finding-{index}').getBoundingClientRect().top"
        true(0 <= browser.js(place) < 900, f"finding {index} is not in view")
    browser.press("?")
    equal(browser.js("document.getElementById('dialog').open"), True, "?")
    browser.press("Escape")
    equal(browser.js("document.getElementById('dialog').open"), False, "Escape closes")
    browser.press("e")
    true("Effect" in browser.js("document.getElementById('dialog').textContent"), "e")
    browser.press("Escape")

    # Dark and light.
    background = "getComputedStyle(document.body).backgroundColor"
    light = browser.js(background)
    browser.press("d")
    dark = browser.js(background)
    true(light != dark, "d does not turn the page dark")
    browser.open(address + "?again")
    equal(browser.js(background), dark, "the choice is kept")
    browser.js("localStorage.clear()")
    browser.look(480, 900, dark=True)
    browser.open(address + "?narrow")
    equal(browser.js(background), dark, "the system's choice")
    equal(browser.js("document.documentElement.scrollWidth <= 480"), True, "it fits a narrow screen")
    true(browser.js("document.querySelector('.diff td.code.added').clientWidth > 300"), "code is too narrow there")
    for problem in contrasts(browser):
        raise Failed(problem)

    # What is shared is found again, also one finding.
    browser.look(1280, 900, dark=False)
    browser.open(shared.replace("#", "?shared#"))
    equal(browser.js("list.shown.every(it => it.state === 'withheld' && it.codemod === 'await-sleep')"), True, "shared")
    place = browser.js("items.at(-1).place")
    browser.js(f"location.hash = new URLSearchParams({{at: {json.dumps(place)}}})")
    browser.wait(f"list.current === {known - 1}", "a link to a finding")
    for problem in contrasts(browser):
        raise Failed(problem)

    # Without scripts.
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.call("Page.navigate", url=address + "?still")
    time.sleep(0.5)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    true("broken.py" in browser.js("document.body.innerText"), "failures are not shown without scripts")
    true("loops.py:5:" in browser.js("document.body.innerText"), "findings are not shown without scripts")

    equal(browser.problems, [], "errors in the browser")
    equal([it for it in browser.requests if not it.startswith(("file:", "about:"))], [], "requests")


def contrasts(browser: Browser) -> list[str]:
    """What is too faint: less than 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    return browser.js(
        """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (color, below) => {
    canvas.fillStyle = `rgb(${below})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (color) => {
    const [r, g, b] = color.map((it) => (it /= 255) <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const all = [];
    for (let it = element; it; it = it.parentElement) all.unshift(getComputedStyle(it).backgroundColor);
    return all.reduce((below, color) => rgb(color, below), [255, 255, 255]);
  };
  const faint = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script, style, noscript")) continue;
    const below = behind(element);
    const [one, other] = [light(rgb(getComputedStyle(element).color, below)), light(below)].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) faint.add(`faint, ${contrast.toFixed(2)} to 1: ${element.outerHTML.slice(0, 120)}`);
  }
  return [...faint];
})()"""
    )


def measure(browser: Browser, page: pathlib.Path, shots: pathlib.Path | None) -> None:
    browser.look(1280, 900, dark=False)
    started = time.monotonic()
    browser.open(page.as_uri())
    loaded = time.monotonic() - started
    painted = browser.js("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    ready = browser.js("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    size = page.stat().st_size / 1e6
    print(f"{browser.js('items.length')} findings, {size:.1f} MB: first paint {painted:.0f} ms, "
          f"ready {ready:.0f} ms, loaded {loaded * 1000:.0f} ms")
    frame = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
    for what, code in [
        ("by state", "document.querySelector('#states button:last-child').click()"),
        ("by codemod", "document.querySelector('#chart-codemod button').click()"),
        ("nothing chosen", "clearChoice(); update()"),
        ("first search", "chosen.q = 'await asyncio'; update()"),
        ("next search", "chosen.q = 'self._loop'; update()"),
        ("nothing chosen", "clearChoice(); update()"),
        ("to the last finding", "goTo(items.length - 1)"),
        ("to the middle", "goTo(Math.floor(items.length / 2))"),
        ("a page down", "scrollBy(0, 900)"),
    ]:
        took = browser.js(f"(async () => {{ const from = performance.now(); {code}; {frame}; return performance.now() - from }})()")
        print(f"  {what}: {took:.0f} ms, {browser.js(SHOWN)} findings shown")
    if shots:
        shots.mkdir(exist_ok=True)
        for width in (1280, 480):
            for dark in (False, True):
                browser.look(width, 1800, dark)
                browser.open(page.as_uri() + f"?{width}{dark}")
                time.sleep(0.3)
                browser.picture(shots / f"{width}-{'dark' if dark else 'light'}.png")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=pathlib.Path, help="the asyncfix to run")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("chromium-browser"))
    parser.add_argument("--page", type=pathlib.Path, help="only measure this page")
    parser.add_argument("--shots", type=pathlib.Path, help="keep pictures there")
    options = parser.parse_args()
    if not options.chromium:
        print("report_page.py: there is no chromium: `apt-get install chromium`, or --chromium PATH", file=sys.stderr)
        return 2
    if not options.page and not options.bin:
        parser.error("one of --bin and --page is needed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        root = pathlib.Path(folder)
        with Browser(options.chromium, str(root / "profile")) as browser:
            page = options.page and options.page.resolve()
            if page:
                measure(browser, page, options.shots)
                return 0
            for name, text in FILES.items():
                path = root / "project" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            page = root / "report.html"
            command = [options.bin.resolve(), "report", "project", "--html", page, "--all", "--isolated", "--no-types"]
            made = subprocess.run(command, check=False, cwd=root, capture_output=True, text=True)
            if made.returncode != 1:
                print(f"asyncfix report: status {made.returncode}: {made.stderr}", file=sys.stderr)
                return 1
            try:
                check(browser, page)
            except Failed as failure:
                print(f"report_page.py: {failure}", *browser.problems, sep="\n  ", file=sys.stderr)
                return 1
            measure(browser, page, options.shots)
    print("The page of a report does what it must.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
