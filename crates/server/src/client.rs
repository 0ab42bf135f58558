//! What is sent to the client.

use std::sync::mpsc::Sender;

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::Serialize;
use serde_json::Value;

/// The way to the client. What cannot be sent is lost: whoever reads sees that it is gone.
#[derive(Debug)]
pub struct Client {
    out: Sender<Message>,
    requests: i32,
}

/// Why a request has no result.
#[derive(Debug)]
pub struct Refused {
    pub code: ErrorCode,
    pub message: String,
    pub data: Option<Value>,
}

impl Refused {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }
}

impl Client {
    pub fn new(out: Sender<Message>) -> Self {
        Self { out, requests: 0 }
    }

    pub fn notify(&self, method: &str, parameters: impl Serialize) {
        let params = value(parameters);
        let method = method.to_string();
        self.send(Message::Notification(Notification { method, params }));
    }

    /// Asks the client; nobody waits for what it answers.
    pub fn request(&mut self, method: &str, parameters: impl Serialize) {
        self.requests += 1;
        self.send(Message::Request(Request {
            id: RequestId::from(self.requests),
            method: method.to_string(),
            params: value(parameters),
        }));
    }

    pub fn respond(&self, id: RequestId, result: Result<Value, Refused>) {
        let response_result = result.map_err(|refused| lsp_server::ResponseError {
            code: refused.code as i32,
            message: refused.message,
            data: refused.data,
        });
        self.send(Message::Response(Response {
            id,
            response_result,
        }));
    }

    fn send(&self, message: Message) {
        let _ = self.out.send(message);
    }
}

/// As JSON. The types of the protocol all have some.
pub fn value(of: impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}
