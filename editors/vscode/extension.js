// Starts `formal lsp`, and proves a model in a terminal. Everything else is the server's.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

/** The words that start `formal`, with ${workspaceFolder} put in. */
function command() {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  const words = vscode.workspace.getConfiguration("formal").get("command", ["formal"]);
  return words.map((word) => word.replaceAll("${workspaceFolder}", folder));
}

async function start() {
  const [program, ...words] = command();
  client = new LanguageClient(
    "formal",
    "Formal",
    { command: program, args: [...words, "lsp"] },
    {
      documentSelector: [{ language: "formal" }],
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.dsl") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    vscode.window.showErrorMessage(
      `formal: cannot start \`${[program, ...words].join(" ")} lsp\`: ${error.message}. Is it installed, with the extra "lsp"? ` +
        "The setting formal.command says how it is started.",
    );
  }
}

async function restart() {
  await client?.dispose();
  await start();
}

function prove() {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== "formal") {
    return;
  }
  document.save().then(() => {
    const [program, ...words] = command();
    const task = new vscode.Task(
      { type: "formal" },
      vscode.TaskScope.Workspace,
      "prove",
      "formal",
      new vscode.ProcessExecution(program, [...words, "prove", document.uri.fsPath]),
    );
    vscode.tasks.executeTask(task);
  });
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("formal.restart", restart),
    vscode.commands.registerCommand("formal.prove", prove),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("formal.command") && restart()),
  );
  await start();
}

function deactivate() {
  return client?.stop();
}

module.exports = { activate, deactivate };
