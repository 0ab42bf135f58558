// Starts `asyncfix server`, and lets it speak to the editor.

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

/** @type {LanguageClient | undefined} */
let client;

function start() {
  const settings = vscode.workspace.getConfiguration("asyncfix");
  const server = {
    command: settings.get("path") || "asyncfix",
    // It speaks on standard input and output. To name that as the transport would add an argument, `--stdio`.
    args: ["server", ...(settings.get("arguments") || [])],
  };
  client = new LanguageClient("asyncfix", "asyncfix", server, {
    documentSelector: [
      { language: "python", scheme: "file" },
      { language: "python", scheme: "untitled" },
      { language: "python", scheme: "vscode-notebook-cell" },
    ],
    initializationOptions: { ignoreReason: settings.get("ignoreReason") },
  });
  return client.start().catch((error) => {
    vscode.window.showErrorMessage(
      `asyncfix: \`${server.command}\` cannot be started (${error.message}): install it, or set asyncfix.path`,
    );
  });
}

async function stop() {
  const running = client;
  client = undefined;
  if (running && running.needsStop()) {
    await running.stop();
  }
}

async function activate(context) {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(
    vscode.commands.registerCommand("asyncfix.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("asyncfix")) {
        return restart();
      }
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
