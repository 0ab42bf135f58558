//! The loop: messages in, jobs and answers out. Nothing in it takes longer than a few
//! milliseconds.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId};
use lsp_types::{MessageType, PublishDiagnosticsParams, ShowMessageParams, Uri};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::actions::Data;
use crate::analyst::{Analyst, Depth, IsOutdated, Look, Outside, Problem};
use crate::client::{Client, Refused, value};
use crate::document::Document;
use crate::position::Places;
use crate::schedule::Schedule;
use crate::support::{Support, folders};
use crate::work::{Asked, Done, Job, Lane, Task};
use crate::{About, Ending, capabilities, diagnostics, uri};

/// What the loop waits for.
pub enum Event {
    Client(Message),
    /// What came was no message; the next may be one.
    Unreadable(String),
    /// The client is gone.
    Gone,
    Done(Done),
}

/// One client.
pub struct Session {
    about: About,
    analyst: Arc<dyn Analyst>,
    client: Client,
    events: Sender<Event>,
    running: Option<Running>,
    is_shut_down: bool,
}

/// What there is between `initialize` and `shutdown`.
struct Running {
    support: Arc<Support>,
    folders: Vec<PathBuf>,
    documents: HashMap<String, Document>,
    schedule: Schedule,
    /// What takes milliseconds.
    quick: Lane,
    /// What may wait for the inference.
    whole: Lane,
    pending: HashMap<RequestId, Pending>,
    /// The last thing that the user was told is wrong.
    told: Option<String>,
}

/// A request that is not answered yet.
struct Pending {
    uri: String,
    is_cancelled: Arc<AtomicBool>,
    is_of_diagnostics: bool,
}

impl Session {
    pub fn new(
        about: About,
        analyst: Arc<dyn Analyst>,
        client: Client,
        events: Sender<Event>,
    ) -> Self {
        Self {
            about,
            analyst,
            client,
            events,
            running: None,
            is_shut_down: false,
        }
    }

    /// Until the client says `exit`, or is gone.
    pub fn run(mut self, events: &Receiver<Event>) -> Ending {
        loop {
            let now = Instant::now();
            let wait = self.running.as_ref().and_then(|it| it.schedule.wait(now));
            let event = match wait {
                Some(wait) => events.recv_timeout(wait),
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(Event::Client(Message::Notification(it))) if it.method == "exit" => break,
                Ok(Event::Client(Message::Notification(it))) => self.notified(it),
                Ok(Event::Client(Message::Request(it))) => self.requested(it),
                // Of what it was asked nobody waits for an answer.
                Ok(Event::Client(Message::Response(_))) => {}
                Ok(Event::Unreadable(what)) => self.log(&what),
                Ok(Event::Done(done)) => self.done(done),
                Ok(Event::Gone) | Err(RecvTimeoutError::Disconnected) => {
                    return Ending::Lost;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(running) = &mut self.running {
                running.look_at_due(Instant::now());
            }
        }
        if self.is_shut_down {
            Ending::Orderly
        } else {
            Ending::Lost
        }
    }

    fn log(&self, what: &str) {
        let kind = MessageType::Warning;
        let message = format!("asyncfix: {what}");
        let shown = ShowMessageParams { kind, message };
        self.client.notify("window/logMessage", shown);
    }

    fn requested(&mut self, request: Request) {
        let Request { id, method, params } = request;
        let refused = if self.is_shut_down {
            Refused::new(ErrorCode::InvalidRequest, "the server is shut down")
        } else if method == "initialize" {
            match self.initialize(&params) {
                Ok(result) => return self.client.respond(id, Ok(result)),
                Err(refused) => refused,
            }
        } else if method == "shutdown" && self.running.is_some() {
            self.is_shut_down = true;
            if let Some(running) = self.running.take() {
                for id in running.pending.into_keys() {
                    let refused = Refused::new(ErrorCode::RequestCanceled, "the server ends");
                    self.client.respond(id, Err(refused));
                }
            }
            return self.client.respond(id, Ok(Value::Null));
        } else if let Some(running) = &mut self.running {
            match running.asked(&method, params) {
                Ok((uri, asked)) => match running.ask(&uri, &id, asked) {
                    Ok(()) => return,
                    Err(refused) => refused,
                },
                Err(refused) => refused,
            }
        } else {
            Refused::new(ErrorCode::ServerNotInitialized, "initialize comes first")
        };
        self.client.respond(id, Err(refused));
    }

    fn initialize(&mut self, parameters: &Value) -> Result<Value, Refused> {
        if self.running.is_some() {
            let message = "the server is initialized";
            return Err(Refused::new(ErrorCode::InvalidRequest, message));
        }
        let support = Arc::new(Support::of(parameters));
        let lane = |threads| {
            Lane::new(threads, &self.analyst, &support, &self.events).map_err(|error| {
                let message = format!("no thread can be started: {error}");
                Refused::new(ErrorCode::InternalError, message)
            })
        };
        let (quick, whole) = (lane(1)?, lane(2)?);
        let folders = folders(parameters);
        self.analyst.set_folders(folders.clone());
        let result = capabilities::result(&self.about, &support);
        self.running = Some(Running {
            support,
            folders,
            documents: HashMap::new(),
            schedule: Schedule::default(),
            quick,
            whole,
            pending: HashMap::new(),
            told: None,
        });
        Ok(result)
    }

    fn notified(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        let Some(running) = &mut self.running else {
            return; // to be dropped, says the protocol
        };
        let read = match method.as_str() {
            "initialized" => {
                if running.support.watches {
                    let watchers = capabilities::watchers();
                    self.client.request("client/registerCapability", watchers);
                }
                Ok(())
            }
            "$/cancelRequest" => read(params).map(|it| cancel(&self.client, running, &it)),
            "textDocument/didOpen" => read(params).map(|it| running.open(&*self.analyst, it)),
            "textDocument/didChange" => read(params).and_then(|it| {
                let uri = running.edit(&*self.analyst, it)?;
                drop_pending(&self.client, running, &uri);
                Ok(())
            }),
            "textDocument/didSave" => {
                read(params).map(|it: lsp_types::DidSaveTextDocumentParams| {
                    // Types of others are inferred from what is saved. Where nobody says that a
                    // configuration changed, it may have been now.
                    let saved = &it.text_document.uri.0;
                    if running.support.watches {
                        self.analyst.changed(Outside::Files, Vec::new());
                        running.look_again(&mut self.client, Some(saved));
                    } else {
                        self.analyst.changed(Outside::Configuration, Vec::new());
                        running.look_again(&mut self.client, None);
                    }
                })
            }
            "textDocument/didClose" => {
                read(params).map(|it: lsp_types::DidCloseTextDocumentParams| {
                    let uri = it.text_document.uri;
                    running.close(&*self.analyst, &uri);
                    drop_pending(&self.client, running, &uri.0);
                    if !running.support.pulls {
                        publish(&self.client, &uri, None, Vec::new());
                    }
                })
            }
            "workspace/didChangeWatchedFiles" => {
                read(params).map(|it: lsp_types::DidChangeWatchedFilesParams| {
                    let files = it.changes.iter().filter_map(|it| uri::path(&it.uri));
                    self.analyst.changed(outside(&it), files.collect());
                    running.look_again(&mut self.client, None);
                })
            }
            "workspace/didChangeWorkspaceFolders" => read(params).map(|it| {
                running.folders_changed(&*self.analyst, &it);
                running.look_again(&mut self.client, None);
            }),
            "workspace/didChangeConfiguration" => {
                self.analyst.changed(Outside::Configuration, Vec::new());
                running.look_again(&mut self.client, None);
                Ok(())
            }
            // Others are none of ours, or may be ignored.
            _ => Ok(()),
        };
        if let Err(problem) = read {
            self.log(&format!("{method}: {problem}"));
        }
    }

    fn done(&mut self, done: Done) {
        let Some(running) = &mut self.running else {
            return;
        };
        let Done {
            uri,
            generation,
            look,
            answer,
        } = done;
        // Whoever cancelled has been told.
        if let Some((id, answer)) = answer
            && running.pending.remove(&id).is_some()
        {
            self.client.respond(id, answer);
        }
        let Some(document) = running.documents.get_mut(&uri.0) else {
            return;
        };
        let (Some(look), true) = (look, document.generation() == generation) else {
            return;
        };
        let is_news = document.final_look().is_none();
        if !is_news {
            return;
        }
        let was_open = matches!(&document.known, Some(Ok(look)) if !look.is_final);
        let problem = look.as_ref().err().cloned();
        document.known = Some(look);
        match &document.known {
            Some(Ok(look)) if !look.is_final => running.schedule.go_on(&uri.0, Instant::now()),
            _ => running.schedule.is_settled(&uri.0),
        }
        if !running.support.pulls {
            let shown = shown(&*self.analyst, document, &running.support);
            publish(&self.client, &uri, Some(document.version), shown);
        } else if was_open && running.support.refreshes {
            self.client
                .request("workspace/diagnostic/refresh", Value::Null);
        }
        match problem {
            Some(Problem::Configuration(message)) => {
                if running.told.as_ref() != Some(&message) {
                    let kind = MessageType::Error;
                    running.told = Some(message.clone());
                    let message = format!("asyncfix: {message}");
                    let shown = ShowMessageParams { kind, message };
                    self.client.notify("window/showMessage", shown);
                }
            }
            Some(Problem::Ours(message)) => self.log(&message),
            Some(Problem::Unreadable(_)) => {}
            None => running.told = None,
        }
    }
}

impl Running {
    /// What a request asks, and about which document.
    fn asked(&self, method: &str, params: Value) -> Result<(String, Asked), Refused> {
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
                    version,
                    change,
                } = read(data).map_err(invalid)?;
                let current = self.documents.get(&uri).map(|it| it.version);
                if current != Some(version) {
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
    fn ask(&mut self, uri: &str, id: &RequestId, asked: Asked) -> Result<(), Refused> {
        let Some(document) = self.documents.get(uri) else {
            let message = format!("`{uri}` is not open");
            return Err(Refused::new(ErrorCode::InvalidParams, message));
        };
        let lane = match asked {
            Asked::Hover(_) | Asked::Diagnostics(Depth::Quick) => &self.quick,
            _ => &self.whole,
        };
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let pending = Pending {
            uri: uri.to_string(),
            is_cancelled: Arc::clone(&is_cancelled),
            is_of_diagnostics: matches!(asked, Asked::Diagnostics(_)),
        };
        let outdated = document.is_outdated();
        let is_outdated: IsOutdated =
            Arc::new(move || outdated() || is_cancelled.load(Ordering::SeqCst));
        lane.push(Job {
            is_outdated,
            ..job(document, Task::Answer(id.clone(), asked))
        });
        self.pending.insert(id.clone(), pending);
        Ok(())
    }

    fn look_at_due(&mut self, now: Instant) {
        for (uri, depth) in self.schedule.take(now) {
            let Some(document) = self.documents.get(&uri) else {
                continue;
            };
            let lane = match depth {
                Depth::Quick => &self.quick,
                Depth::Whole => &self.whole,
            };
            lane.push(job(document, Task::Look(depth)));
        }
    }

    fn open(&mut self, analyst: &dyn Analyst, opened: lsp_types::DidOpenTextDocumentParams) {
        let item = opened.text_document;
        let path = uri::path(&item.uri);
        let document = Document::new(item.uri, path, item.version, &item.text);
        if let Some(path) = &document.path {
            analyst.set_open(path, Some(&document.text));
        }
        let key = document.uri.0.clone();
        if !self.support.watches {
            // Nobody else says that a configuration changed.
            analyst.changed(Outside::Configuration, Vec::new());
        }
        self.documents.insert(key.clone(), document);
        self.changed(&key);
    }

    /// Changes the text, and gives the URI of its document.
    fn edit(
        &mut self,
        analyst: &dyn Analyst,
        changed: lsp_types::DidChangeTextDocumentParams,
    ) -> Result<String, String> {
        let identifier = changed.text_document;
        let uri = identifier.text_document_identifier.uri.0;
        let Some(document) = self.documents.get_mut(&uri) else {
            return Err(format!("`{uri}` is not open"));
        };
        document.edit(
            identifier.version,
            changed.content_changes,
            self.support.encoding,
        );
        if let Some(path) = &document.path {
            analyst.set_open(path, Some(&document.text));
        }
        self.changed(&uri);
        Ok(uri)
    }

    fn close(&mut self, analyst: &dyn Analyst, uri: &Uri) {
        if let Some(document) = self.documents.remove(&uri.0)
            && let Some(path) = &document.path
        {
            analyst.set_open(path, None);
        }
        self.schedule.forget(&uri.0);
    }

    fn folders_changed(
        &mut self,
        analyst: &dyn Analyst,
        changed: &lsp_types::DidChangeWorkspaceFoldersParams,
    ) {
        let paths = |folders: &[lsp_types::WorkspaceFolder]| -> Vec<PathBuf> {
            let paths = folders.iter().filter_map(|it| uri::path(&it.uri));
            paths.collect()
        };
        let removed = paths(&changed.event.removed);
        self.folders.retain(|folder| !removed.contains(folder));
        self.folders.extend(paths(&changed.event.added));
        analyst.set_folders(self.folders.clone());
    }

    /// All that is open, but for this one, may be found to be something else now.
    fn look_again(&mut self, client: &mut Client, except: Option<&str>) {
        let uris: Vec<String> = self.documents.keys().cloned().collect();
        let mut is_stale = false;
        for uri in uris.iter().filter(|uri| except != Some(uri)) {
            if let Some(document) = self.documents.get_mut(uri) {
                document.forget();
            }
            drop_pending(client, self, uri);
            self.changed(uri);
            is_stale = true;
        }
        if is_stale && self.support.pulls && self.support.refreshes {
            client.request("workspace/diagnostic/refresh", Value::Null);
        }
    }

    fn changed(&mut self, uri: &str) {
        if !self.support.pulls {
            self.schedule.changed(uri, Instant::now());
        }
    }
}

/// About a document as it is now.
fn job(document: &Document, task: Task) -> Job {
    Job {
        uri: document.uri.clone(),
        version: document.version,
        generation: document.generation(),
        text: document.text(),
        known: document.known.clone().and_then(Result::ok),
        is_outdated: document.is_outdated(),
        task,
    }
}

/// The parameters of a message.
fn read<T: DeserializeOwned>(params: Value) -> Result<T, String> {
    serde_json::from_value(params).map_err(|error| format!("it cannot be read: {error}"))
}

fn cancel(client: &Client, running: &mut Running, params: &lsp_types::CancelParams) {
    let id = match &params.id {
        lsp_types::Id::Int(id) => RequestId::from(*id),
        lsp_types::Id::String(id) => RequestId::from(id.clone()),
    };
    if let Some(pending) = running.pending.remove(&id) {
        pending.is_cancelled.store(true, Ordering::SeqCst);
        let refused = Refused::new(ErrorCode::RequestCanceled, "it was cancelled");
        client.respond(id, Err(refused));
    }
}

/// What is asked about a text that is no more gets no answer: the client asks again.
fn drop_pending(client: &Client, running: &mut Running, uri: &str) {
    let of = running.pending.iter().filter(|(_, it)| it.uri == uri);
    let ids: Vec<RequestId> = of.map(|(id, _)| id.clone()).collect();
    for id in ids {
        let Some(pending) = running.pending.remove(&id) else {
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

fn moved_on() -> Refused {
    Refused::new(ErrorCode::ContentModified, "the text moved on")
}

/// What the changes of files may change.
fn outside(changed: &lsp_types::DidChangeWatchedFilesParams) -> Outside {
    let is_python = |uri: &Uri| {
        let extension = uri.0.rsplit('.').next().unwrap_or_default();
        matches!(extension, "py" | "pyw" | "pyi" | "ipynb")
    };
    if changed.changes.iter().all(|it| is_python(&it.uri)) {
        Outside::Files
    } else {
        Outside::Configuration
    }
}

/// What is to be seen of a document.
fn shown(
    analyst: &dyn Analyst,
    document: &Document,
    support: &Support,
) -> Vec<lsp_types::Diagnostic> {
    match &document.known {
        Some(Ok(look)) => {
            let look: &Look = look;
            let places = Places::new(&document.text, support.encoding);
            diagnostics::all(analyst, look, &places)
        }
        Some(Err(_)) | None => Vec::new(),
    }
}

fn publish(
    client: &Client,
    uri: &Uri,
    version: Option<i32>,
    diagnostics: Vec<lsp_types::Diagnostic>,
) {
    let uri = uri.clone();
    let parameters = PublishDiagnosticsParams {
        uri,
        version,
        diagnostics,
    };
    client.notify("textDocument/publishDiagnostics", value(parameters));
}
