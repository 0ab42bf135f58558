"""A client that is not ours speaks to `asyncfix server`, with the capabilities that editors were recorded to have.

Needs what requirements.txt lists; ASYNCFIX_BIN names the binary. pytest-lsp reads each message by the protocol's own
model, and what a client cannot do is an error if it is sent.
"""

import asyncio
import collections.abc
import contextlib
import os
import pathlib
import subprocess

import pytest
from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

BINARY = pathlib.Path(os.environ.get("ASYNCFIX_BIN", "target/debug/asyncfix")).resolve()

# Those that pytest-lsp ships.
EDITORS = [
    "emacs_v29.1",
    "neovim_v0.6.1",
    "neovim_v0.7.0",
    "neovim_v0.8.0",
    "neovim_v0.9.1",
    "neovim_v0.10.0",
    "neovim_v0.11.0",
    "visual_studio_code_v1.65.2",
]

TEXT = """\
import asyncio
import time

print(time.time())


async def fetch(path):
    print("é𝒳", path); time.sleep(1)  # 𝒳
    return path


async def main():
    return await asyncio.gather(fetch("é"), fetch("𝒳"))
"""
SLEEP = "time.sleep(1)"
UNITS = {"utf-8": 1, "utf-16": 2, "utf-32": 4}

# Types are asked for, so that an answer takes a while.
ASKS = """\
import asyncio


async def main(x):
    await asyncio.gather(x.f(), x.g())
"""


@contextlib.asynccontextmanager
async def server(
    root: pathlib.Path, capabilities: types.ClientCapabilities
) -> collections.abc.AsyncIterator[tuple[LanguageClient, types.InitializeResult]]:
    client = make_test_lsp_client()
    await client.start_io(str(BINARY), "server", cwd=root)
    folder = types.WorkspaceFolder(uri=root.as_uri(), name="project")
    parameters = types.InitializeParams(capabilities=capabilities, workspace_folders=[folder])
    result = await client.initialize_session(parameters)
    yield client, result
    await client.shutdown_session()
    assert client._server and client._server.returncode == 0
    await client.stop()


def document(root: pathlib.Path, name: str = "a.py") -> types.TextDocumentIdentifier:
    return types.TextDocumentIdentifier(uri=(root / name).as_uri())


def open_text(client: LanguageClient, identifier: types.TextDocumentIdentifier, text: str) -> None:
    item = types.TextDocumentItem(uri=identifier.uri, language_id="python", version=1, text=text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))


def units(text: str, encoding: str) -> int:
    # `utf-16` would begin with a byte order mark.
    codec = encoding if encoding == "utf-8" else f"{encoding}-le"
    return len(text.encode(codec)) // UNITS[encoding]


def place(text: str, part: str, encoding: str) -> types.Range:
    before, _, _ = text.partition(part)
    lines = before.split("\n")
    start = units(lines[-1], encoding)
    return types.Range(
        types.Position(len(lines) - 1, start),
        types.Position(len(lines) - 1, start + units(part, encoding)),
    )


def offset(text: str, position: types.Position, encoding: str) -> int:
    lines = text.split("\n")
    before = "\n".join(lines[: position.line]) + ("\n" if position.line else "")
    line = lines[position.line] if position.line < len(lines) else ""
    column = 0
    while units(line[:column], encoding) < position.character:
        column += 1
    return len(before) + column


def applied(text: str, edit: types.WorkspaceEdit, uri: str, encoding: str) -> str:
    edits: list[types.TextEdit] = []
    if edit.document_changes:
        for change in edit.document_changes:
            assert isinstance(change, types.TextDocumentEdit)
            if change.text_document.uri == uri:
                edits += [it for it in change.edits if isinstance(it, types.TextEdit)]
    else:
        edits += (edit.changes or {}).get(uri, [])
    for it in sorted(edits, key=lambda it: (it.range.start.line, it.range.start.character), reverse=True):
        start, end = offset(text, it.range.start, encoding), offset(text, it.range.end, encoding)
        text = text[:start] + it.new_text + text[end:]
    return text


async def diagnostics(
    client: LanguageClient, identifier: types.TextDocumentIdentifier
) -> collections.abc.Sequence[types.Diagnostic]:
    """All that is found, asked for or waited for as the client does it."""
    capabilities = client.capabilities
    if capabilities and capabilities.text_document and capabilities.text_document.diagnostic:
        parameters = types.DocumentDiagnosticParams(text_document=identifier)
        while True:
            report = await client.text_document_diagnostic_async(parameters)
            assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
            if is_final(report.items):
                return report.items
            await asyncio.sleep(0.05)
    while identifier.uri not in client.diagnostics or not is_final(client.diagnostics[identifier.uri]):
        await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    return client.diagnostics[identifier.uri]


def is_final(found: collections.abc.Sequence[types.Diagnostic]) -> bool:
    return all((it.data or {}).get("isFinal", True) for it in found)


async def actions(
    client: LanguageClient, identifier: types.TextDocumentIdentifier, at: types.Range, only: list[str] | None = None
) -> list[types.CodeAction]:
    context = types.CodeActionContext(diagnostics=[], only=only)
    parameters = types.CodeActionParams(text_document=identifier, range=at, context=context)
    found = await client.text_document_code_action_async(parameters) or []
    chosen = []
    for action in found:
        assert isinstance(action, types.CodeAction)
        # As editors do it: the edit comes with the action, or when it is chosen.
        chosen.append(action if action.edit else await client.code_action_resolve_async(action))
    return chosen


def fixed(root: pathlib.Path, name: str, text: str) -> str:
    (root / name).write_text(text, encoding="utf-8")
    subprocess.run([BINARY, "--fix", "--quiet", name], cwd=root, check=False)
    return (root / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("editor", EDITORS)
async def test_an_editor_sees_findings_and_fixes_them(editor: str, tmp_path: pathlib.Path) -> None:
    uri = document(tmp_path)
    async with server(tmp_path, client_capabilities(editor.replace("_v", "@"))) as (client, result):
        encoding = str(types.PositionEncodingKind(result.capabilities.position_encoding or "utf-16").value)
        open_text(client, uri, TEXT)
        found = await diagnostics(client, uri)
        assert [it.code for it in found] == ["await-sleep", "gather-to-taskgroup"]
        at = place(TEXT, SLEEP, encoding)
        assert found[0].range == at
        fix, ignore = await actions(client, uri, at, [types.CodeActionKind.QuickFix])
        assert fix.title == "Apply await-sleep (intended)" and fix.is_preferred
        assert fix.edit and applied(TEXT, fix.edit, uri.uri, encoding) == TEXT.replace(SLEEP, f"await asyncio.{SLEEP[5:]}")
        assert ignore.edit and "# asyncfix: ignore[await-sleep]" in applied(TEXT, ignore.edit, uri.uri, encoding)
        (fix_all,) = await actions(client, uri, at, ["source.fixAll"])
        assert fix_all.edit and applied(TEXT, fix_all.edit, uri.uri, encoding) == fixed(tmp_path, "a.py", TEXT)
        hover = await client.text_document_hover_async(types.HoverParams(text_document=uri, position=at.start))
        assert hover and isinstance(hover.contents, types.MarkupContent) and "# await-sleep" in hover.contents.value


@pytest.mark.parametrize("encoding", UNITS)
async def test_places_are_counted_as_agreed(encoding: str, tmp_path: pathlib.Path) -> None:
    general = types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind(encoding)])
    uri = document(tmp_path)
    async with server(tmp_path, types.ClientCapabilities(general=general)) as (client, result):
        assert result.capabilities.position_encoding == encoding
        open_text(client, uri, TEXT)
        found = await diagnostics(client, uri)
        assert found[0].range == place(TEXT, SLEEP, encoding)


async def test_requests_are_answered_whatever_the_order(tmp_path: pathlib.Path) -> None:
    slow, fast = document(tmp_path, "slow.py"), document(tmp_path, "fast.py")
    async with server(tmp_path, types.ClientCapabilities()) as (client, _):
        open_text(client, slow, ASKS)
        open_text(client, fast, TEXT)
        at = place(TEXT, SLEEP, "utf-16")
        done: list[str] = []

        async def ask(kind: str, uri: types.TextDocumentIdentifier) -> None:
            if kind == "hover":
                parameters = types.HoverParams(text_document=uri, position=at.start)
                await client.text_document_hover_async(parameters)
            else:
                assert await actions(client, uri, at, ["quickfix"]) or uri is slow
            done.append(f"{kind} {uri.uri.rpartition('/')[2]}")

        asked = [ask(kind, uri) for kind in ["actions", "hover"] for uri in [slow, fast] * 5]
        await asyncio.gather(*asked)
        assert len(done) == 20
        # What takes a while keeps nobody waiting.
        assert done.index("hover fast.py") < max(number for number, it in enumerate(done) if it == "actions slow.py")


async def test_what_is_cancelled_is_refused(tmp_path: pathlib.Path) -> None:
    uri = document(tmp_path)
    async with server(tmp_path, types.ClientCapabilities()) as (client, _):
        open_text(client, uri, ASKS)
        context = types.CodeActionContext(diagnostics=[])
        at = place(ASKS, "x.f()", "utf-16")
        parameters = types.CodeActionParams(text_document=uri, range=at, context=context)
        method = types.TEXT_DOCUMENT_CODE_ACTION
        names = [f"request {number}" for number in range(8)]
        asked = [client.protocol.send_request_async(method, parameters, msg_id=name) for name in names]
        asked = [asyncio.ensure_future(it) for it in asked]
        await asyncio.sleep(0)  # they are sent
        for name in names[1:]:
            client.cancel_request(types.CancelParams(id=name))
        results = await asyncio.gather(*asked, return_exceptions=True)
        refused = [it for it in results[1:] if getattr(it, "code", None) == types.LSPErrorCodes.RequestCancelled]
        assert len(refused) >= 6 and isinstance(results[0], (list, tuple)), results


async def test_cells_of_a_notebook_are_documents(tmp_path: pathlib.Path) -> None:
    texts = {
        "#1": "# asyncio.run(main())",
        "#2": "from time import sleep",
        "#3": "async def f():\n    sleep(1)  # é𝒳\n    print(sleep)",
    }
    notebook = document(tmp_path, "a.ipynb").uri
    uris = {name: notebook.replace("file:", "vscode-notebook-cell:") + name for name in texts}
    cells = [
        types.NotebookCell(
            kind=types.NotebookCellKind.Markup if name == "#1" else types.NotebookCellKind.Code, document=uri
        )
        for name, uri in uris.items()
    ]
    items = [
        types.TextDocumentItem(
            uri=uris[name], language_id="markdown" if name == "#1" else "python", version=1, text=text
        )
        for name, text in texts.items()
    ]
    async with server(tmp_path, types.ClientCapabilities()) as (client, result):
        assert isinstance(result.capabilities.notebook_document_sync, types.NotebookDocumentSyncOptions)
        client.notebook_document_did_open(
            types.DidOpenNotebookDocumentParams(
                notebook_document=types.NotebookDocument(
                    uri=notebook, notebook_type="jupyter-notebook", version=1, cells=cells
                ),
                cell_text_documents=items,
            )
        )
        uri = types.TextDocumentIdentifier(uri=uris["#3"])
        found = await diagnostics(client, uri)
        assert [it.code for it in found] == ["await-sleep"]
        (fix, _) = await actions(client, uri, found[0].range, ["quickfix"])
        (fix_all,) = await actions(client, uri, found[0].range, ["notebook.source.fixAll"])
        for action in [fix, fix_all]:
            assert action.edit
            after = {name: applied(text, action.edit, uris[name], "utf-16") for name, text in texts.items()}
            assert after["#1"] == texts["#1"]
            assert after["#2"] == "import asyncio\nfrom time import sleep"
            assert after["#3"] == texts["#3"].replace("sleep(1)", "await asyncio.sleep(1)")
