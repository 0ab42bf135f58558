//! A client of the Language Server Protocol that does what a test says.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::project::Project;

/// The client, and the server that it started.
pub struct Client {
    process: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// What came while something else was waited for.
    waiting: VecDeque<Value>,
    requests: i64,
    pub initialized: Value,
}

/// Longer nothing may take, on a machine that has other things to do.
const LONGEST: Duration = Duration::from_mins(1);

impl Client {
    /// Starts a server in the project, which is its only folder, and initializes it with these
    /// capabilities.
    pub fn new(project: &Project, capabilities: &Value) -> Self {
        Self::with(project, &[], &parameters(project, capabilities))
    }

    /// The same with arguments, and all parameters of `initialize`.
    pub fn with(project: &Project, arguments: &[&str], parameters: &Value) -> Self {
        let mut client = Self::raw(project, arguments);
        let id = client.request("initialize", parameters);
        client.initialized = client.result(id);
        client.notify("initialized", json!({}));
        client
    }

    /// A server that was told nothing yet.
    pub fn raw(project: &Project, arguments: &[&str]) -> Self {
        let arguments = ["server"].iter().chain(arguments).copied();
        let mut process = project
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = receive(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self {
            input: process.stdin.take(),
            process,
            messages,
            waiting: VecDeque::new(),
            requests: 0,
            initialized: Value::Null,
        }
    }

    pub fn process(&self) -> u32 {
        self.process.id()
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request, and gives its number.
    pub fn request(&mut self, method: &str, params: &Value) -> i64 {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// What a request gave.
    pub fn result(&mut self, id: i64) -> Value {
        let response = self.response(id);
        assert_eq!(response.get("error"), None, "{response}");
        response["result"].clone()
    }

    /// The code of the error that a request gave.
    pub fn refusal(&mut self, id: i64) -> i64 {
        let response = self.response(id);
        let code = response["error"]["code"].as_i64();
        code.unwrap_or_else(|| panic!("{response}"))
    }

    pub fn response(&mut self, id: i64) -> Value {
        self.wait(|it| it["id"] == id && it.get("method").is_none())
    }

    /// Sends a request, and waits for what it gives.
    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.request(method, params);
        self.result(id)
    }

    pub fn open(&mut self, uri: &str, text: &str) {
        self.notify(
            "textDocument/didOpen",
            json!({ "textDocument": {
                "uri": uri, "languageId": "python", "version": 1, "text": text,
            }}),
        );
    }

    /// Replaces the whole text.
    pub fn replace(&mut self, uri: &str, version: i64, text: &str) {
        self.change(uri, version, json!([{ "text": text }]));
    }

    pub fn change(&mut self, uri: &str, version: i64, changes: Value) {
        self.notify(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": uri, "version": version },
                "contentChanges": changes,
            }),
        );
    }

    /// What is pushed for a version of a document, once all is known.
    pub fn pushed(&mut self, uri: &str, version: i64) -> Vec<Value> {
        let is_final = |it: &Value| it["data"].get("isFinal") != Some(&json!(false));
        let message = self.wait(|it| {
            let params = &it["params"];
            it["method"] == "textDocument/publishDiagnostics"
                && params["uri"] == uri
                && params["version"] == version
                && params["diagnostics"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(is_final)
        });
        message["params"]["diagnostics"].as_array().unwrap().clone()
    }

    /// Waits until a document that was closed shows nothing.
    pub fn emptied(&mut self, uri: &str) {
        let expected = json!({ "uri": uri, "diagnostics": [] });
        self.wait(|it| {
            it["method"] == "textDocument/publishDiagnostics" && it["params"] == expected
        });
    }

    /// Drops what came and was not waited for.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }

    /// What is found in a document.
    pub fn pulled(&mut self, uri: &str) -> Vec<Value> {
        let params = json!({ "textDocument": { "uri": uri } });
        let report = self.ask("textDocument/diagnostic", &params);
        report["items"].as_array().unwrap().clone()
    }

    /// The actions that are offered at a range, of these kinds.
    pub fn actions(&mut self, uri: &str, range: &Value, only: &[&str]) -> Vec<Value> {
        let context = if only.is_empty() {
            json!({ "diagnostics": [] })
        } else {
            json!({ "diagnostics": [], "only": only })
        };
        let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": context });
        let actions = self.ask("textDocument/codeAction", &params);
        actions.as_array().unwrap().clone()
    }

    /// The next message of this method.
    pub fn told(&mut self, method: &str) -> Value {
        self.wait(|it| it["method"] == method)
    }

    /// Whether no message of this method comes for a while.
    pub fn is_silent(&mut self, method: &str, time: Duration) -> bool {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if let Ok(message) = self.messages.recv_timeout(left) {
                self.waiting.push_back(message);
            }
        }
        self.waiting.iter().all(|it| it["method"] != method)
    }

    /// The first message that is meant; others are kept, in their order.
    fn wait(&mut self, is_meant: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + LONGEST;
        if let Some(at) = self.waiting.iter().position(&is_meant) {
            return self.waiting.remove(at).unwrap();
        }
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left) {
                Ok(message) if is_meant(&message) => return message,
                Ok(message) => self.waiting.push_back(message),
                Err(RecvTimeoutError::Timeout) => panic!("nothing came: {:#?}", self.waiting),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the server is gone: {:#?}", self.waiting)
                }
            }
        }
    }

    /// Sends a message as it is.
    pub fn send(&mut self, message: &Value) {
        self.send_raw(message.to_string().as_bytes());
    }

    pub fn send_raw(&mut self, body: &[u8]) {
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
        input.write_all(body).unwrap();
        input.flush().unwrap();
    }

    /// Sends part of a message, and is gone.
    pub fn break_off(&mut self) {
        let mut input = self.input.take().unwrap();
        input.write_all(b"Content-Length: 99\r\n\r\n{").unwrap();
    }

    /// Is gone, without a word.
    pub fn hang_up(&mut self) {
        self.input = None;
    }

    /// Ends as the protocol wants it, and gives the server's exit status.
    pub fn end(mut self) -> i32 {
        let id = self.request("shutdown", &Value::Null);
        assert_eq!(self.result(id), Value::Null);
        self.notify("exit", Value::Null);
        self.status()
    }

    /// The server's exit status, once it has ended.
    pub fn status(&mut self) -> i32 {
        let end = Instant::now() + LONGEST;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < end, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The parameters of `initialize` in a project that is the only folder.
pub fn parameters(project: &Project, capabilities: &Value) -> Value {
    json!({
        "processId": std::process::id(),
        "rootUri": null,
        "capabilities": capabilities,
        "workspaceFolders": [{ "uri": uri_of(project, ""), "name": "project" }],
    })
}

/// The URI of a file of the project.
pub fn uri_of(project: &Project, name: &str) -> String {
    format!("file://{}", project.path(name).display())
}

fn receive(input: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(number) = line.strip_prefix("Content-Length: ") {
            length = number.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}

/// The text after a workspace edit of one document, in the units of an encoding.
pub fn applied(text: &str, edit: &Value, uri: &str, encoding: &str) -> String {
    assert_eq!(edited(edit), [uri]);
    applied_among(text, edit, uri, encoding)
}

/// The URIs of the documents that a workspace edit is of.
pub fn edited(edit: &Value) -> Vec<&str> {
    if let Some(changes) = edit.get("documentChanges") {
        let changes = changes.as_array().unwrap().iter();
        let uris = changes.map(|it| it["textDocument"]["uri"].as_str());
        return uris.map(Option::unwrap).collect();
    }
    let changes = edit["changes"].as_object().unwrap();
    changes.keys().map(String::as_str).collect()
}

/// The text after a workspace edit that may be of other documents too.
pub fn applied_among(text: &str, edit: &Value, uri: &str, encoding: &str) -> String {
    let edits = match edit.get("documentChanges") {
        Some(changes) => {
            let mut changes = changes.as_array().unwrap().iter();
            let of = changes.find(|it| it["textDocument"]["uri"] == uri);
            of.map_or(&Value::Null, |it| &it["edits"])
        }
        None => &edit["changes"][uri],
    };
    let Some(edits) = edits.as_array() else {
        return text.to_string();
    };
    let mut edits = edits.clone();
    let start = |edit: &Value| offset(text, &edit["range"]["start"], encoding);
    edits.sort_by_key(|it| std::cmp::Reverse(start(it)));
    let mut text = text.to_string();
    for edit in &edits {
        let range = start(edit)..offset(&text, &edit["range"]["end"], encoding);
        text.replace_range(range, edit["newText"].as_str().unwrap());
    }
    text
}

/// The byte at a place, found by counting.
pub fn offset(text: &str, position: &Value, encoding: &str) -> usize {
    let mut line = position["line"].as_u64().unwrap();
    let mut left = position["character"].as_u64().unwrap();
    let mut rest = text.char_indices().peekable();
    while line > 0 {
        let (_, character) = rest.next().unwrap();
        let is_first_of_two = character == '\r' && rest.peek().is_some_and(|it| it.1 == '\n');
        if character == '\n' || character == '\r' && !is_first_of_two {
            line -= 1;
        }
    }
    while left > 0 {
        let (_, character) = rest.next().unwrap();
        assert!(
            !matches!(character, '\n' | '\r'),
            "{position} is behind its line"
        );
        left -= match encoding {
            "utf-8" => character.len_utf8() as u64,
            "utf-16" => character.len_utf16() as u64,
            _ => 1,
        };
    }
    rest.peek().map_or(text.len(), |it| it.0)
}

/// A place as the protocol counts, found by counting.
pub fn position(text: &str, offset: usize, encoding: &str) -> Value {
    let (mut line, mut column) = (0, 0);
    let mut before = text[..offset].chars().peekable();
    while let Some(character) = before.next() {
        let is_first_of_two = character == '\r' && before.peek() == Some(&'\n');
        if character == '\n' || character == '\r' && !is_first_of_two {
            (line, column) = (line + 1, 0);
        } else {
            column += match encoding {
                "utf-8" => character.len_utf8(),
                "utf-16" => character.len_utf16(),
                _ => 1,
            };
        }
    }
    json!({ "line": line, "character": column })
}

/// The place of a part of the text.
pub fn range_of(text: &str, part: &str, encoding: &str) -> Value {
    let start = text.find(part).unwrap();
    json!({
        "start": position(text, start, encoding),
        "end": position(text, start + part.len(), encoding),
    })
}
