//! What there is between `initialize` and `shutdown`: what is open, and what is asked about it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use lsp_server::{ErrorCode, RequestId};
use lsp_types::{DidChangeWorkspaceFoldersParams, Uri, WorkspaceFolder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::actions::Data;
use crate::analyst::{Analyst, Depth, IsOutdated, Look, Outside, Problem};
use crate::client::{Client, Refused};
use crate::document::{Document, News};
use crate::documents::Documents;
use crate::position::Places;
use crate::schedule::Schedule;
use crate::support::Support;
use crate::work::{Asked, Job, Lane, Task};
use crate::{capabilities, diagnostics, uri};

/// One session while it runs.
pub struct Running {
    pub support: Arc<Support>,
    folders: Vec<PathBuf>,
    pub documents: Documents,
    pub schedule: Schedule,
    /// What takes milliseconds.
    quick: Lane,
    /// What may wait for the inference.
    whole: Lane,
    pub pending: HashMap<RequestId, Pending>,
    /// The last thing that the user was told is wrong.
    pub told: Option<String>,
}

/// A request that is not answered yet.
pub struct Pending {
    /// The document that it is about.
    uri: String,
    is_cancelled: Arc<AtomicBool>,
    is_of_diagnostics: bool,
}

impl Running {
    pub fn new(support: Arc<Support>, folders: Vec<PathBuf>, quick: Lane, whole: Lane) -> Self {
        Self {
            support,
            folders,
            documents: Documents::default(),
            schedule: Schedule::default(),
            quick,
            whole,
            pending: HashMap::new(),
            told: None,
        }
    }

    /// What a request asks, and about which text or document.
    pub fn asked(&self, method: &str, params: Value) -> Result<(String, Asked), Refused> {
        let invalid = |problem| Refused::new(ErrorCode::InvalidParams, problem);
        match method {
            "textDocument/codeAction" => {
                let asked: capabilities::ActionsAsked = read(params).map_err(invalid)?;
                let mut at = asked.context.places();
                at.push(asked.range);
                let only = asked.context.only;
                Ok((asked.text_document.uri.0, Asked::Actions { at, only }))
            }
            "codeAction/resolve" => {
                let action: lsp_types::CodeAction = read(params).map_err(invalid)?;
                let data = action.data.clone().unwrap_or_default();
                let Data {
                    uri,
                    edition,
                    change,
                } = read(data).map_err(invalid)?;
                let current = self.documents.get(&uri).map(Document::edition);
                if current != Some(edition) {
                    return Err(moved_on());
                }
                Ok((uri, Asked::Resolve(Box::new(action), change)))
            }
            "textDocument/diagnostic" => {
                let asked: capabilities::PlaceAsked = read(params).map_err(invalid)?;
                // Whoever cannot be told that there is more waits for all.
                let depth = if self.support.refreshes {
                    Depth::Quick
                } else {
                    Depth::Whole
                };
                Ok((asked.text_document.uri.0, Asked::Diagnostics(depth)))
            }
            "textDocument/hover" => {
                let asked: capabilities::PlaceAsked = read(params).map_err(invalid)?;
                let position = asked.position.unwrap_or_default();
                Ok((asked.text_document.uri.0, Asked::Hover(position)))
            }
            _ => Err(Refused::new(
                ErrorCode::MethodNotFound,
                format!("`{method}` is not known here"),
            )),
        }
    }

    /// Has the request answered beside the loop.
    pub fn ask(&mut self, uri: &str, id: &RequestId, asked: Asked) -> Result<(), Refused> {
        let found = match asked {
            // About all of the document, which this is the URI of.
            Asked::Resolve(..) => self.documents.get(uri).map(|it| (it, 0)),
            _ => self.documents.find(uri),
        };
        let Some((document, part)) = found else {
            let message = format!("`{uri}` is not open");
            return Err(Refused::new(ErrorCode::InvalidParams, message));
        };
        let lane = match asked {
            Asked::Hover(_) | Asked::Diagnostics(Depth::Quick) => &self.quick,
            _ => &self.whole,
        };
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let pending = Pending {
            uri: document.uri.0.clone(),
            is_cancelled: Arc::clone(&is_cancelled),
            is_of_diagnostics: matches!(asked, Asked::Diagnostics(_)),
        };
        let outdated = document.is_outdated();
        let is_outdated: IsOutdated =
            Arc::new(move || outdated() || is_cancelled.load(Ordering::SeqCst));
        lane.push(Job {
            is_outdated,
            ..job(document, part, Task::Answer(id.clone(), asked))
        });
        self.pending.insert(id.clone(), pending);
        Ok(())
    }

    /// Looks at what is due.
    pub fn look_at_due(&mut self, now: Instant) {
        for (uri, depth) in self.schedule.take(now) {
            let Some(document) = self.documents.get(&uri) else {
                continue;
            };
            let lane = match depth {
                Depth::Quick => &self.quick,
                Depth::Whole => &self.whole,
            };
            lane.push(job(document, 0, Task::Look(depth)));
        }
    }

    /// A document was opened or changed.
    pub fn changed(&mut self, analyst: &dyn Analyst, uri: &str) {
        let Some(document) = self.documents.get(uri) else {
            return;
        };
        if let Some(path) = &document.path {
            analyst.set_open(path, Some(document.text().content));
        }
        self.look_soon(uri);
    }

    /// A document was opened: nobody else may say that a configuration changed.
    pub fn opened(&mut self, analyst: &dyn Analyst, uri: &str) {
        if !self.support.watches {
            analyst.changed(Outside::Configuration, Vec::new());
        }
        self.changed(analyst, uri);
    }

    /// Closes a document, and gives the URIs of its texts.
    pub fn close(&mut self, analyst: &dyn Analyst, uri: &str) -> Vec<Uri> {
        self.schedule.forget(uri);
        let Some(document) = self.documents.close(uri) else {
            return Vec::new();
        };
        if let Some(path) = &document.path {
            analyst.set_open(path, None);
        }
        document.uris().cloned().collect()
    }

    /// Other folders are open.
    pub fn folders_changed(
        &mut self,
        analyst: &dyn Analyst,
        changed: &DidChangeWorkspaceFoldersParams,
    ) {
        let paths = |folders: &[WorkspaceFolder]| -> Vec<PathBuf> {
            let paths = folders.iter().filter_map(|it| uri::path(&it.uri));
            paths.collect()
        };
        let removed = paths(&changed.event.removed);
        self.folders.retain(|folder| !removed.contains(folder));
        self.folders.extend(paths(&changed.event.added));
        analyst.set_folders(self.folders.clone());
    }

    /// All that is open, but for this document, may be found to be something else now.
    pub fn look_again(&mut self, client: &mut Client, except: Option<&str>) {
        let mut is_stale = false;
        for uri in self.documents.uris() {
            if except == Some(uri.as_str()) {
                continue;
            }
            if let Some(document) = self.documents.get_mut(&uri) {
                document.forget();
            }
            self.drop_pending(client, &uri);
            self.look_soon(&uri);
            is_stale = true;
        }
        if is_stale && self.support.pulls && self.support.refreshes {
            client.request("workspace/diagnostic/refresh", Value::Null);
        }
    }

    /// Whether the client is sent the diagnostics of this document. VS Code asks for those of texts, and
    /// for those of cells it does not.
    pub fn pushes(&self, uri: &str) -> bool {
        let document = self.documents.get(uri);
        let waits = document.is_some_and(|it| it.is_notebook() && !it.is_pulled);
        !self.support.pulls || waits
    }

    /// The client asks for the diagnostics of a text. Gives the texts for which it is to forget what it
    /// was sent, so that it does not show that twice.
    pub fn pulled(&mut self, uri: &str) -> Vec<Uri> {
        let pulls = self.support.pulls;
        let Some(document) = self.documents.find_mut(uri) else {
            return Vec::new();
        };
        if !pulls || document.is_pulled || !document.is_notebook() {
            return Vec::new();
        }
        document.is_pulled = true;
        let told = document.known.is_some();
        document.tell_again();
        let uris = document.uris().filter(|_| told);
        uris.cloned().collect()
    }

    fn look_soon(&mut self, uri: &str) {
        if self.pushes(uri) {
            self.schedule.changed(uri, Instant::now());
        }
    }

    /// What is to be seen of a document now, and was not said.
    pub fn news(&mut self, analyst: &dyn Analyst, uri: &str) -> Vec<News> {
        let encoding = self.support.encoding;
        let Some(document) = self.documents.get_mut(uri) else {
            return Vec::new();
        };
        if !document.is_notebook() {
            document.tell_again(); // a client may have dropped what was of another version
        }
        let known = document.known.clone();
        document.news(|number, part| match &known {
            Some(Ok(look)) => {
                let places = Places::new(&part.text, encoding);
                diagnostics::all(analyst, look, number, &places)
            }
            Some(Err(_)) | None => Vec::new(),
        })
    }

    /// Keeps what was found of a document, and says what was known of it before; nothing where it
    /// has moved on, or all was known.
    pub fn found(
        &mut self,
        uri: &str,
        generation: u64,
        look: Result<Arc<Look>, Problem>,
    ) -> Option<WasKnown> {
        let document = self.documents.get_mut(uri)?;
        if document.generation() != generation || document.final_look().is_some() {
            return None;
        }
        let was_open = matches!(&document.known, Some(Ok(look)) if !look.is_final);
        document.known = Some(look);
        match &document.known {
            Some(Ok(look)) if !look.is_final => self.schedule.go_on(uri, Instant::now()),
            _ => self.schedule.is_settled(uri),
        }
        Some(if was_open {
            WasKnown::InPart
        } else {
            WasKnown::Not
        })
    }

    /// The client no longer wants an answer.
    pub fn cancel(&mut self, client: &Client, params: &lsp_types::CancelParams) {
        let id = match &params.id {
            lsp_types::Id::Int(id) => RequestId::from(*id),
            lsp_types::Id::String(id) => RequestId::from(id.clone()),
        };
        if let Some(pending) = self.pending.remove(&id) {
            pending.is_cancelled.store(true, Ordering::SeqCst);
            let refused = Refused::new(ErrorCode::RequestCanceled, "it was cancelled");
            client.respond(id, Err(refused));
        }
    }

    /// What is asked about a document that is no more gets no answer: the client asks again.
    pub fn drop_pending(&mut self, client: &Client, uri: &str) {
        let of = self.pending.iter().filter(|(_, it)| it.uri == uri);
        let ids: Vec<RequestId> = of.map(|(id, _)| id.clone()).collect();
        for id in ids {
            let Some(pending) = self.pending.remove(&id) else {
                continue;
            };
            let refused = if pending.is_of_diagnostics {
                Refused {
                    data: Some(json!({ "retriggerRequest": true })),
                    ..Refused::new(ErrorCode::ServerCancelled, "the text moved on")
                }
            } else {
                moved_on()
            };
            client.respond(id, Err(refused));
        }
    }
}

/// What was known of a document before something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WasKnown {
    Not,
    InPart,
}

/// About a document as it is now.
fn job(document: &Document, part: usize, task: Task) -> Job {
    Job {
        uri: document.uri.clone(),
        edition: document.edition(),
        generation: document.generation(),
        text: document.text(),
        parts: document.parts.clone(),
        part,
        is_notebook: document.is_notebook(),
        known: document.known.clone().and_then(Result::ok),
        is_outdated: document.is_outdated(),
        task,
    }
}

fn moved_on() -> Refused {
    Refused::new(ErrorCode::ContentModified, "the text moved on")
}

/// The parameters of a message.
pub fn read<T: DeserializeOwned>(params: Value) -> Result<T, String> {
    serde_json::from_value(params).map_err(|error| format!("it cannot be read: {error}"))
}
