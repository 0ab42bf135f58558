//! A server that answers one request after the other, as a function says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// What came in.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Without what follows `?`.
    pub path: String,
    pub query: Vec<(String, String)>,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Null where there is none.
    pub body: Value,
}

/// What goes out.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Null where there is none.
    pub body: Value,
    /// Whether the connection ends before any of it is sent.
    is_lost: bool,
}

impl Answer {
    pub fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            is_lost: false,
        }
    }

    /// One that never arrives.
    pub fn lost() -> Self {
        Self {
            is_lost: true,
            ..Self::new(0, Value::Null)
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_string(), value.to_string()));
        self
    }
}

/// A service that is asked.
pub trait Service: Send + 'static {
    fn answer(&mut self, request: &Request) -> Answer;
}

/// Serves until the tests end; the address, as `http://127.0.0.1:1234`.
pub fn serve(service: &Arc<Mutex<impl Service>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let service = service.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if let Some(request) = read(&stream) {
                // A test that failed holds it no more, and leaves it poisoned.
                let Ok(mut service) = service.lock() else {
                    return;
                };
                write(&mut stream, &service.answer(&request));
            }
        }
    });
    address
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_string(), words.next()?.to_string());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_string());
    }
    let length = headers.get("content-length");
    let length = length.map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_string(), value.to_string())
    };
    Some(Request {
        method,
        path: path.to_string(),
        query: query
            .split('&')
            .filter(|it| !it.is_empty())
            .map(pair)
            .collect(),
        headers,
        body: if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap()
        },
    })
}

fn write(stream: &mut TcpStream, answer: &Answer) {
    if answer.is_lost {
        return;
    }
    let body = match &answer.body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let mut lines = vec![
        format!("HTTP/1.1 {} x", answer.status),
        "connection: close".to_string(),
    ];
    let headers = answer.headers.iter();
    lines.extend(headers.map(|(name, value)| format!("{name}: {value}")));
    // A 204 has no length.
    if answer.status != 204 {
        lines.push(format!("content-length: {}", body.len()));
    }
    let text = format!("{}\r\n\r\n{body}", lines.join("\r\n"));
    stream.write_all(text.as_bytes()).unwrap();
}
