//! A request of an interface, as it is sent.

use serde::Serialize;
use serde_json::Value;

/// What is asked of a service. It holds no token: that is added when it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is done.
    pub method: Method,
    /// Where, from the base of the interface: `/repos/o/r/pulls/1/reviews`.
    pub path: String,
    /// What is sent along.
    pub body: Option<Value>,
}

/// A request as it is printed.
#[derive(Serialize)]
struct Printed<'a> {
    method: Method,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a Value>,
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "HTTP defines them")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Whether doing it twice is doing it once.
    pub fn is_idempotent(self) -> bool {
        self != Method::Post
    }
}

impl Request {
    /// As JSON, for the interface at `base`.
    pub fn printed(&self, base: &str) -> impl Serialize {
        Printed {
            method: self.method,
            url: format!("{}{}", base.trim_end_matches('/'), self.path),
            body: self.body.as_ref(),
        }
    }

    /// What is at `path`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path, None)
    }

    /// Makes something below `path`.
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::Post, path, Some(body))
    }

    /// Removes what is at `path`.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::Delete, path, None)
    }

    /// Any of them.
    pub fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self {
            method,
            path: path.into(),
            body,
        }
    }
}
