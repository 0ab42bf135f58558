// What tests/vscode/run.py has VS Code do, within its extension host: open a file, wait for the diagnostics, apply a
// quick fix, and save the file, which applies all fixes; then the same with a notebook. What was seen goes to a file as
// JSON.

const fs = require("fs");
const path = require("path");
const vscode = require("vscode");

const seen = {};

async function waitFor(what, condition) {
  const end = Date.now() + 90000;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() > end) {
      throw new Error(`waited in vain for ${what}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}

function diagnostics(uri) {
  const found = vscode.languages.getDiagnostics(uri).filter((it) => it.source === "asyncfix");
  return found.sort((one, other) => one.range.start.compareTo(other.range.start));
}

// `code` may be that and a link.
const codes = (uri) => diagnostics(uri).map((it) => it.code.value ?? it.code);

async function actions(uri, range, kind) {
  return vscode.commands.executeCommand("vscode.executeCodeActionProvider", uri, range, kind, 20);
}

async function choose(document, title) {
  // Files that change meanwhile make what was asked outdated: VS Code asks again, and so does this.
  const chosen = await waitFor(title, async () => {
    const range = diagnostics(document.uri)[0]?.range;
    const offered = range ? await actions(document.uri, range, "quickfix") : [];
    return offered.find((it) => it.title.startsWith(title) && it.edit);
  });
  await vscode.workspace.applyEdit(chosen.edit);
}

async function text() {
  const document = await vscode.workspace.openTextDocument(path.join(process.env.PROJECT, "edited.py"));
  await vscode.window.showTextDocument(document);
  const { uri } = document;
  await waitFor("diagnostics", () => codes(uri).length >= 3);
  seen.codes = codes(uri);
  seen.hover = (await vscode.commands.executeCommand("vscode.executeHoverProvider", uri, diagnostics(uri)[0].range.start))
    .flatMap((hover) => hover.contents)
    .map((content) => content.value ?? content)
    .join("\n");
  await choose(document, "Apply await-sleep (intended)");
  seen.afterFix = document.getText();
  await document.save();
  await waitFor("no diagnostics", () => codes(uri).length === 0);
}

async function notebook() {
  const file = vscode.Uri.file(path.join(process.env.PROJECT, "edited.ipynb"));
  const notebook = await vscode.workspace.openNotebookDocument(file);
  await vscode.window.showNotebookDocument(notebook);
  const cells = notebook.getCells().map((it) => it.document);
  const all = () => cells.map((it) => codes(it.uri));
  await waitFor("diagnostics of cells", () => all().flat().length >= 3);
  seen.cells = all();
  await choose(cells[cells.length - 2], "Apply await-sleep (intended)");
  seen.cellsAfterFix = cells.map((it) => it.getText());
  // `notebook.save()` makes no code actions.
  await vscode.commands.executeCommand("workbench.action.files.save");
  await waitFor("no diagnostics of cells", () => all().flat().length === 0);
}

exports.activate = async () => {
  try {
    await text();
    await notebook();
  } catch (error) {
    const extension = vscode.extensions.getExtension("asyncfix.asyncfix");
    const program = vscode.workspace.getConfiguration("asyncfix").get("path");
    seen.problem = `${error.stack || error}\nthe extension is ${extension?.isActive ? "" : "not "}active, the program ${program}`;
  }
  fs.writeFileSync(`${process.env.SEEN}.part`, JSON.stringify(seen));
  fs.renameSync(`${process.env.SEEN}.part`, process.env.SEEN);
};
