#!/usr/bin/env python3
"""Have VS Code, in a browser without a window, open a project with the extension in editors/vscode, apply a quick fix to
a file and to a cell of a notebook, and save both, which applies all fixes.

usage: run.py --bin PATH [--work FOLDER] [--chromium PATH]

What VS Code wrote has to be what `asyncfix --fix` makes of it: of the file byte for byte, of the notebook, which VS Code
formats anew, the text of each cell. VS Code itself comes with the package code-server of the npm registry: it and what
it needs (500 MB) are installed into FOLDER, once. Its native modules are not built: what runs here does without. Exit
status 1 means that something is not as it must be; 2 means wrong usage, or something that is needed is not there. Needs
npm, and Chromium (apt-get install chromium); standard library only. Not part of the checks of each change.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from editors import CODES, FIXED_FIRST, TEXT  # noqa: E402

# node is what code-server asks for.
PACKAGES = ["node@24", "code-server@4.139.1"]

# VS Code asks the first cell for what is to be done when a notebook is saved: it holds code.
CELLS = [
    ("code", "%load_ext autoreload\nfrom time import sleep"),
    ("markdown", "# asyncio.run(main())"),
    ("code", "async def main():\n    print('é𝒳'); sleep(1)\n    sleep(2)\n    print(sleep)"),
    ("code", "import asyncio\n\nasyncio.run(main())"),
]

# For native modules without which the extension host does not start: one that sees whether a parent lives, and a log.
STAND_INS = {
    "native-watchdog": "exports.start = () => {};\n",
    "spdlog": """\
const { appendFileSync, mkdirSync } = require("fs");
const { dirname } = require("path");
class Logger {
  constructor(_kind, _name, file) {
    mkdirSync(dirname(file), { recursive: true });
    this.file = file;
  }
}
for (const level of ["trace", "debug", "info", "warn", "error", "critical"]) {
  Logger.prototype[level] = function (text) { appendFileSync(this.file, `${level} ${text}\\n`); };
}
for (const name of ["setLevel", "setPattern", "clearFormatters", "flush", "drop"]) {
  Logger.prototype[name] = () => {};
}
Logger.prototype.getLevel = () => 2;
Object.assign(exports, { version: 1, Logger, setLevel() {}, setFlushOn() {} });
exports.createRotatingLogger = exports.createAsyncRotatingLogger = async (...it) => new Logger("", ...it);
""",
}

# What runs run.js.
RUNNER = {
    "name": "runner",
    "publisher": "asyncfix",
    "version": "0.0.1",
    "engines": {"vscode": "^1.91.0"},
    "main": "run.js",
    "activationEvents": ["onStartupFinished"],
}

# Where a cell's first finding is fixed.
FIXED_CELL = CELLS[2][1].replace("; sleep(1)", "; await asyncio.sleep(1)")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="the binary to test")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "vscode")
    parser.add_argument("--chromium", default="chromium")
    arguments = parser.parse_args()
    for needed in ["npm", arguments.chromium]:
        if shutil.which(needed) is None:
            print(f"there is no {needed}", file=sys.stderr)
            return 2
    work = arguments.work.resolve()
    install(work)
    problem = check(work, arguments.bin.resolve(), arguments.chromium)
    print(problem or "as --fix")
    return 1 if problem else 0


def install(work: pathlib.Path) -> None:
    code = work / "node_modules" / "code-server" / "lib" / "vscode"
    npm = ["npm", "install", "--omit=dev", "--no-audit", "--no-fund"]
    if not (work / "installed").exists():
        work.mkdir(parents=True, exist_ok=True)
        (work / "package.json").write_text('{"private": true}\n')
        subprocess.run([*npm, PACKAGES[0]], cwd=work, check=True)
        # Its installation would build native modules.
        subprocess.run([*npm, "--ignore-scripts", *PACKAGES], cwd=work, check=True)
        for folder in [code, code / "extensions"]:
            subprocess.run([*npm, "--ignore-scripts"], cwd=folder, check=True)
        (work / "installed").write_text("")
    # Nobody is asked for extensions, and nobody is told of what they do.
    product = json.loads((code / "product.json").read_text(encoding="utf-8"))
    product = {key: it for key, it in product.items() if key != "extensionsGallery" and "telemetry" not in key.lower()}
    (code / "product.json").write_text(json.dumps(product | {"enableTelemetry": False}), encoding="utf-8")
    for name in ["git", "git-base", "github", "github-authentication", "tunnel-forwarding"]:
        shutil.rmtree(code / "extensions" / name, ignore_errors=True)
    for name, text in STAND_INS.items():
        (code / "node_modules" / "@vscode" / name / "index.js").write_text(text)
    extension = work / "extension"
    shutil.copytree(ROOT / "editors" / "vscode", extension, dirs_exist_ok=True)
    if not (extension / "node_modules").exists():
        subprocess.run(npm, cwd=extension, check=True)


def notebook(cells: list[tuple[str, str]]) -> str:
    written = []
    for kind, text in cells:
        cell: dict[str, object] = {"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True)}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        written.append(cell)
    language = {"language_info": {"name": "python"}}
    return json.dumps({"cells": written, "metadata": language, "nbformat": 4, "nbformat_minor": 4}, indent=1)


def texts(file: pathlib.Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]]


def check(work: pathlib.Path, binary: pathlib.Path, chromium: str) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        project, data = root / "project", root / "data"
        (project / ".vscode").mkdir(parents=True)
        machine = data / "data" / "Machine"
        machine.mkdir(parents=True)
        (machine / "settings.json").write_text(json.dumps({"asyncfix.path": str(binary)}))
        shutil.copytree(work / "extension", data / "extensions" / "asyncfix.asyncfix-0.1.0")
        runner = data / "extensions" / "asyncfix.runner-0.0.1"
        runner.mkdir()
        shutil.copy(HERE / "run.js", runner)
        (runner / "package.json").write_text(json.dumps(RUNNER))
        settings = {
            "editor.codeActionsOnSave": {"source.fixAll.asyncfix": "explicit"},
            "notebook.codeActionsOnSave": {"notebook.source.fixAll.asyncfix": "explicit"},
        }
        (project / ".vscode" / "settings.json").write_text(json.dumps(settings))
        for name in ["edited", "fixed"]:
            (project / f"{name}.py").write_text(TEXT, encoding="utf-8")
            (project / f"{name}.ipynb").write_text(notebook(CELLS), encoding="utf-8")
        subprocess.run([binary, "--fix", "--quiet", "fixed.py", "fixed.ipynb"], cwd=project, check=True)
        fixed, fixed_cells = (project / "fixed.py").read_bytes(), texts(project / "fixed.ipynb")
        (project / "fixed.py").unlink()
        (project / "fixed.ipynb").unlink()
        seen = run(work, root, chromium)
        if isinstance(seen, str):
            return seen
        if problem := seen.get("problem"):
            return f"{problem}: {seen}"
        if seen["codes"] != CODES or "# await-sleep" not in seen["hover"]:
            return f"other findings: {seen}"
        if seen["afterFix"] != FIXED_FIRST:
            return f"the quick fix made something else:\n{seen['afterFix']}"
        if seen["cells"] != [[], [], ["await-sleep", "await-sleep"], ["await-nested-run"]]:
            return f"other findings in cells: {seen['cells']}"
        expected = [text for _, text in CELLS]
        expected[2] = FIXED_CELL
        if seen["cellsAfterFix"] != expected:
            return f"the quick fix made something else of the cells: {seen['cellsAfterFix']}"
        if (written := (project / "edited.py").read_bytes()) != fixed:
            return f"wrote something else than --fix:\n{written.decode()}"
        if (cells := texts(project / "edited.ipynb")) != fixed_cells:
            return f"wrote other cells than --fix: {cells}, {fixed_cells}"
        return None


def run(work: pathlib.Path, root: pathlib.Path, chromium: str) -> dict[str, object] | str:
    """What was seen, or why nothing was."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    host = f"127.0.0.1:{port}"
    data, seen = root / "data", root / "seen.json"
    environment = os.environ | {"PROJECT": str(root / "project"), "SEEN": str(seen), "HOME": str(root)}
    environment["EXTENSIONS_GALLERY"] = "{}"
    code = work / "node_modules" / "code-server" / "lib" / "vscode" / "out" / "server-main.js"
    options = ["--without-connection-token", "--accept-server-license-terms", "--disable-workspace-trust"]
    server = [work / "node_modules" / "node" / "bin" / "node", code, "--host", "127.0.0.1", "--port", str(port)]
    server += [*options, "--disable-telemetry", "--server-data-dir", data]
    query = urllib.parse.urlencode({"folder": str(root / "project")})
    browser = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1400,900"]
    browser += [f"--user-data-dir={root / 'browser'}", "--remote-debugging-port=0", f"http://{host}/?{query}"]
    log = (root / "log").open("wb")
    processes = []
    try:
        processes.append(subprocess.Popen(server, env=environment, stdout=log, stderr=log))
        end = time.monotonic() + 300
        while not answers(f"http://{host}/"):
            if time.monotonic() > end or processes[0].poll() is not None:
                return f"VS Code does not start: {(root / 'log').read_text()}"
            time.sleep(0.2)
        processes.append(subprocess.Popen(browser, env=environment, stdout=log, stderr=log))
        while not seen.exists():
            if time.monotonic() > end:
                logs = [root / "log", *data.rglob("*exthost*/*.log")]
                return "VS Code did not end:\n" + "\n".join(f"{log}\n{log.read_text()}" for log in logs)
            time.sleep(0.2)
        return dict(json.loads(seen.read_text(encoding="utf-8")))
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=20)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
