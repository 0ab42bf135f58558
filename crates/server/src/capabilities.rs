//! What the server offers, and what it reads of requests.

use lsp_types::{
    ChangeNotifications, CodeActionKind, CodeActionOptions, CodeActionProvider, DiagnosticOptions,
    DiagnosticProvider, HoverProvider, InitializeResult, Notebook,
    NotebookDocumentFilterWithNotebook, NotebookDocumentSync, NotebookDocumentSyncOptions,
    NotebookSelector, Position, Registration, RegistrationParams, Save, SaveOptions,
    ServerCapabilities, ServerInfo, TextDocumentIdentifier, TextDocumentSync, TextDocumentSyncKind,
    TextDocumentSyncOptions, WorkspaceFoldersServerCapabilities, WorkspaceOptions,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::About;
use crate::actions::{FIX_ALL, FIX_NOTEBOOK};
use crate::client::value;
use crate::diagnostics::SOURCE;
use crate::support::Support;

/// The result of `initialize`.
pub fn result(about: &About, support: &Support) -> Value {
    let capabilities = ServerCapabilities {
        position_encoding: Some(support.encoding.kind()),
        text_document_sync: Some(TextDocumentSync::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::Incremental),
            save: Some(Save::SaveOptions(SaveOptions {
                include_text: Some(false),
            })),
            ..TextDocumentSyncOptions::default()
        })),
        notebook_document_sync: Some(NotebookDocumentSync::Options(NotebookDocumentSyncOptions {
            // All cells: those of other languages may use what those of Python define.
            notebook_selector: vec![NotebookSelector::NotebookDocumentFilterWithNotebook(
                NotebookDocumentFilterWithNotebook {
                    notebook: Notebook::String("jupyter-notebook".to_string()),
                    cells: None,
                },
            )],
            save: Some(true),
        })),
        hover_provider: Some(HoverProvider::Bool(true)),
        code_action_provider: Some(CodeActionProvider::CodeActionOptions(CodeActionOptions {
            code_action_kinds: Some(vec![
                CodeActionKind::QuickFix,
                FIX_ALL.into(),
                FIX_NOTEBOOK.into(),
            ]),
            resolve_provider: Some(true),
            ..CodeActionOptions::default()
        })),
        diagnostic_provider: Some(DiagnosticProvider::DiagnosticOptions(DiagnosticOptions {
            identifier: Some(SOURCE.to_string()),
            inter_file_dependencies: true,
            workspace_diagnostics: false,
            ..DiagnosticOptions::default()
        })),
        workspace: Some(WorkspaceOptions {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(ChangeNotifications::Bool(true)),
            }),
            ..WorkspaceOptions::default()
        }),
        ..ServerCapabilities::default()
    };
    value(InitializeResult {
        capabilities,
        server_info: Some(ServerInfo {
            name: about.name.to_string(),
            version: Some(about.version.to_string()),
        }),
    })
}

/// Which files the client is to watch: those that decide how others are looked at.
pub fn watchers() -> RegistrationParams {
    let globs = [
        "**/*.{py,pyw,pyi,ipynb}",
        "**/*.toml",
        "**/setup.cfg",
        "**/.gitignore",
        "**/.ignore",
    ];
    let watchers: Vec<Value> = globs
        .into_iter()
        .map(|glob| json!({ "globPattern": glob }))
        .collect();
    RegistrationParams {
        registrations: vec![Registration {
            id: "asyncfix-files".to_string(),
            method: "workspace/didChangeWatchedFiles".to_string(),
            register_options: Some(json!({ "watchers": watchers })),
        }],
    }
}

/// What is read of `textDocument/codeAction`. Diagnostics of other servers come along, and may be
/// odd.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionsAsked {
    pub text_document: TextDocumentIdentifier,
    pub range: lsp_types::Range,
    #[serde(default)]
    pub context: ActionsContext,
}

/// Which actions are wanted.
#[derive(Debug, Default, Deserialize)]
pub struct ActionsContext {
    /// What the client shows there.
    #[serde(default)]
    diagnostics: Vec<Value>,
    pub only: Option<Vec<String>>,
}

impl ActionsContext {
    /// The places of those that are ours. Some clients send those of the whole line.
    pub fn places(&self) -> Vec<lsp_types::Range> {
        let ours = self.diagnostics.iter().filter(|it| it["source"] == SOURCE);
        let range = |it: &Value| serde_json::from_value(it["range"].clone()).ok();
        ours.filter_map(range).collect()
    }
}

/// What is read of requests about a document, or a place in it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceAsked {
    pub text_document: TextDocumentIdentifier,
    pub position: Option<Position>,
}
