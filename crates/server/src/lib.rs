//! The Language Server Protocol: documents and their changes, positions in each encoding,
//! diagnostics and code actions.
//!
//! Knows no file and no configuration, and no codemod by name: what is found in a text, and what a
//! fix makes of it, says an [`Analyst`]. The way of a message: a thread reads it ([`serve`]), the
//! loop (`session`) changes a document or makes a job of it, a thread does the job (`work`), and
//! what came of it goes back to the loop, which alone speaks to the client.

mod actions;
mod analyst;
mod capabilities;
mod client;
mod diagnostics;
mod document;
mod documents;
mod hover;
mod parent;
mod position;
mod running;
mod schedule;
mod session;
mod support;
mod uri;
mod work;

use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use lsp_server::Message;

pub use analyst::{
    Analyst, Cell, CellKind, Change, Content, Depth, Found, IsOutdated, Look, Outside, Problem,
    Site, Text, Useless,
};

use client::Client;
use session::{Event, Session};

/// What the server calls itself.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The program's name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By `shutdown` and `exit`.
    Orderly,
    /// By `exit` alone, or without a word.
    Lost,
}

/// How long the client may take to read what was still to be said.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Speaks to one client until it ends, or is gone. Threads may still be at work then, on what
/// nobody waits for: the process is to end.
pub fn serve(
    analyst: Arc<dyn Analyst>,
    about: About,
    input: impl BufRead + Send + 'static,
    output: impl Write + Send + 'static,
) -> io::Result<Ending> {
    let (events, received) = channel();
    let (out, to_write) = channel::<Message>();
    let (written, is_written) = channel::<()>();
    let gone = events.clone();
    thread::Builder::new().spawn(move || {
        let mut output = output;
        for message in to_write {
            if message.write(&mut output).is_err() {
                let _ = gone.send(Event::Gone);
                break;
            }
        }
        drop(written);
    })?;
    let read = events.clone();
    thread::Builder::new().spawn(move || read_messages(input, &read))?;
    let session = Session::new(about, analyst, Client::new(out), events);
    let ending = session.run(&received);
    // The session is gone, and with it the way to the writer, which ends when all is written.
    let _ = is_written.recv_timeout(LAST_WORDS);
    Ok(ending)
}

/// Reads until the client is gone. What is no message is passed over.
fn read_messages(mut input: impl BufRead, events: &Sender<Event>) {
    loop {
        let event = match Message::read(&mut input) {
            Ok(Some(message)) => Event::Client(message),
            Ok(None) => Event::Gone,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Event::Unreadable(format!("a message cannot be read: {error}"))
            }
            Err(_) => Event::Gone,
        };
        let is_last = matches!(event, Event::Gone);
        if events.send(event).is_err() || is_last {
            return;
        }
    }
}
