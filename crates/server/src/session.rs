//! The loop: messages in, jobs and answers out. Nothing in it takes longer than a few
//! milliseconds.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use lsp_server::{ErrorCode, Message, Notification, Request};
use lsp_types::{MessageType, PublishDiagnosticsParams, ShowMessageParams, Uri};
use serde_json::Value;

use crate::analyst::{Analyst, Outside, Problem};
use crate::client::{Client, Refused, value};
use crate::document::{Document, News};
use crate::running::{Running, WasKnown, read};
use crate::support::{Support, folders};
use crate::work::{Asked, Done, Lane};
use crate::{About, Ending, capabilities, parent, uri};

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
                Ok((uri, asked)) => {
                    if matches!(asked, Asked::Diagnostics(_)) {
                        for text in running.pulled(&uri) {
                            publish(&self.client, News::nothing(&text));
                        }
                    }
                    match running.ask(&uri, &id, asked) {
                        Ok(()) => return,
                        Err(refused) => refused,
                    }
                }
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
        parent::watch(parameters, &self.events);
        self.running = Some(Running::new(support, folders, quick, whole));
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
            "$/cancelRequest" => read(params).map(|it| running.cancel(&self.client, &it)),
            "textDocument/didOpen" => read(params).map(|it| {
                let uri = running.documents.open(it).uri.0.clone();
                running.opened(&*self.analyst, &uri);
            }),
            "textDocument/didChange" => read(params).and_then(|it| {
                let encoding = running.support.encoding;
                let uri = running.documents.edit(it, encoding)?.uri.0.clone();
                running.changed(&*self.analyst, &uri);
                running.drop_pending(&self.client, &uri);
                Ok(())
            }),
            "textDocument/didSave" => {
                read(params).map(|it: lsp_types::DidSaveTextDocumentParams| {
                    self.saved(&it.text_document.uri.0);
                })
            }
            "textDocument/didClose" => {
                read(params).map(|it: lsp_types::DidCloseTextDocumentParams| {
                    self.closed(&it.text_document.uri.0);
                })
            }
            "notebookDocument/didOpen" => read(params).map(|it| {
                let uri = running.documents.open_notebook(it).uri.0.clone();
                running.opened(&*self.analyst, &uri);
            }),
            "notebookDocument/didChange" => read(params).and_then(|it| {
                let encoding = running.support.encoding;
                let (document, closed) = running.documents.edit_notebook(it, encoding)?;
                let uri = document.uri.0.clone();
                running.changed(&*self.analyst, &uri);
                running.drop_pending(&self.client, &uri);
                if running.pushes(&uri) {
                    for cell in &closed {
                        publish(&self.client, News::nothing(cell));
                    }
                }
                Ok(())
            }),
            "notebookDocument/didSave" => {
                read(params).map(|it: lsp_types::DidSaveNotebookDocumentParams| {
                    self.saved(&it.notebook_document.uri.0);
                })
            }
            "notebookDocument/didClose" => {
                read(params).map(|it: lsp_types::DidCloseNotebookDocumentParams| {
                    self.closed(&it.notebook_document.uri.0);
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

    /// Types of others are inferred from what is saved. Where nobody says that a configuration
    /// changed, it may have been now.
    fn saved(&mut self, uri: &str) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.support.watches {
            self.analyst.changed(Outside::Files, Vec::new());
            running.look_again(&mut self.client, Some(uri));
        } else {
            self.analyst.changed(Outside::Configuration, Vec::new());
            running.look_again(&mut self.client, None);
        }
    }

    fn closed(&mut self, uri: &str) {
        let Some(running) = &mut self.running else {
            return;
        };
        let pushes = running.pushes(uri);
        let texts = running.close(&*self.analyst, uri);
        running.drop_pending(&self.client, uri);
        if pushes {
            for text in &texts {
                publish(&self.client, News::nothing(text));
            }
        }
    }

    fn done(&mut self, done: Done) {
        let Some(running) = &mut self.running else {
            return;
        };
        let Done {
            uri,
            generation,
            part,
            look,
            answer,
        } = done;
        // Whoever cancelled has been told.
        let asked = answer.is_some().then_some(part);
        if let Some((id, answer)) = answer
            && running.pending.remove(&id).is_some()
        {
            self.client.respond(id, answer);
        }
        let Some(look) = look else {
            return;
        };
        let problem = look.as_ref().err().cloned();
        let Some(was_known) = running.found(&uri.0, generation, look) else {
            return;
        };
        let news = running.news(&*self.analyst, &uri.0);
        if running.pushes(&uri.0) {
            for it in news {
                publish(&self.client, it);
            }
        } else if running.support.refreshes {
            // Cells other than the one that is asked about may have to be asked about again.
            let is_elsewhere = |it: &News| it.part.is_none() || it.part != asked;
            let is_notebook = running
                .documents
                .get(&uri.0)
                .is_some_and(Document::is_notebook);
            if was_known == WasKnown::InPart || is_notebook && news.iter().any(is_elsewhere) {
                self.client
                    .request("workspace/diagnostic/refresh", Value::Null);
            }
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

fn publish(client: &Client, news: News) {
    let parameters = PublishDiagnosticsParams {
        uri: news.uri,
        version: news.version,
        diagnostics: news.diagnostics,
    };
    client.notify("textDocument/publishDiagnostics", value(parameters));
}
