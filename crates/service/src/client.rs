//! The one connection: requests to the host of one interface, sent one after the other, with the
//! patience that a service asks for and no more.

use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use ureq::Agent;
use ureq::http::{self, HeaderMap};
use ureq::tls::{RootCerts, TlsConfig};

use crate::request::{Method, Request};

/// What a service lets us in with. It cannot be printed.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The token as the environment has it.
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The token itself, for a program that has to have it. It is not to be printed.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The text without the token.
    pub fn hidden_in(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_string();
        }
        text.replace(&self.0, "***")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// Why a request was not carried out. The text says what the service said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The token does not allow it.
    Forbidden(String),
    /// The token is none, or too old.
    Unauthorized(String),
    /// There is nothing there, or the token may not know of it.
    Missing(String),
    /// The service does not accept what was sent.
    Invalid(String),
    /// More than can be waited for.
    Limited(String),
    /// It may have been carried out, or not.
    Unclear(String),
    /// The service does not answer, or not as it should.
    Broken(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Forbidden(text)
            | Failure::Unauthorized(text)
            | Failure::Missing(text)
            | Failure::Invalid(text)
            | Failure::Limited(text)
            | Failure::Unclear(text)
            | Failure::Broken(text) => f.write_str(text),
        }
    }
}

/// Speaks to one interface.
pub struct Client {
    agent: Agent,
    /// As `https://api.github.com`, without a slash at the end.
    base: String,
    token: Token,
    /// The header that has the token, and what stands before it.
    authorization: (&'static str, &'static str),
    headers: &'static [(&'static str, &'static str)],
    /// What lies between two requests that change something.
    pause: Duration,
    changed: Option<Instant>,
    /// How long it may still be waited.
    patience: Duration,
    waits: Waits,
}

/// Waits so long, and says whether it did: not where somebody wants it to end.
type Waits = Box<dyn Fn(Duration) -> bool>;

/// How long all waiting together may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// The bytes that an answer may have: a hundred comments, with the lines that they are about.
const LARGEST: u64 = 64 << 20;

/// How long the answer to one request may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// How often a request is repeated that failed through no fault of its own, and how long is waited
/// before: twice as long each time.
const REPEATS: u32 = 3;
const BACKOFF: Duration = Duration::from_secs(1);

/// What is waited where a service says that there were too many requests, and not until when.
/// Source: GitHub Docs, "Best practices for using the REST API".
const LIMITED: Duration = Duration::from_mins(1);

impl Client {
    /// For the interface at `base`.
    pub fn new(
        base: &str,
        token: Token,
        authorization: (&'static str, &'static str),
        headers: &'static [(&'static str, &'static str)],
        pause: Duration,
    ) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // The token goes to this host only.
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("asyncfix/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build();
        Self {
            agent: config.new_agent(),
            base: base.trim_end_matches('/').to_string(),
            token,
            authorization,
            headers,
            pause,
            changed: None,
            patience: PATIENCE,
            waits: Box::new(|time| {
                sleep(time);
                true
            }),
        }
    }

    /// Waits so from here on: the function is told for how long, and says whether it did.
    pub fn set_waits(&mut self, waits: impl Fn(Duration) -> bool + 'static) {
        self.waits = Box::new(waits);
    }

    /// Waits so long at most from here on, in all.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Sends it, and again where the service asks to wait, or where it failed and doing it twice is
    /// doing it once. Gives the answer's JSON; null where it has none.
    pub fn send(&mut self, request: &Request) -> Result<Value, Failure> {
        let mut repeats = 0;
        loop {
            match self.send_once(request) {
                Answer::Good(value) => return Ok(value),
                Answer::Bad(failure) => return Err(failure),
                Answer::Wait(failure, wait) => {
                    if !self.wait(wait) {
                        return Err(failure);
                    }
                }
                Answer::Failed(text) if !request.method.is_idempotent() => {
                    return Err(Failure::Unclear(text));
                }
                Answer::Failed(text) => {
                    if !self.back_off(repeats) {
                        return Err(Failure::Broken(text));
                    }
                    repeats += 1;
                }
            }
        }
    }

    /// All that the list at `path` holds, which the service gives in pages.
    pub fn list(&mut self, path: &str) -> Result<Vec<Value>, Failure> {
        /// As many as a page may have.
        const PAGE: usize = 100;
        let mut all = Vec::new();
        // A list without an end is none.
        for page in 1..=100 {
            let joint = if path.contains('?') { '&' } else { '?' };
            let request = Request::get(format!("{path}{joint}per_page={PAGE}&page={page}"));
            let Value::Array(items) = self.send(&request)? else {
                return Err(Failure::Broken(format!("{path}: the answer is no list")));
            };
            let is_last = items.len() < PAGE;
            all.extend(items);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Waits before something is tried again that failed so often; whether there is time for it.
    pub fn back_off(&mut self, repeats: u32) -> bool {
        repeats < REPEATS && self.wait(BACKOFF * 2_u32.pow(repeats))
    }

    fn wait(&mut self, wait: Duration) -> bool {
        match self.patience.checked_sub(wait) {
            None => false,
            Some(left) => {
                self.patience = left;
                (self.waits)(wait)
            }
        }
    }

    fn send_once(&mut self, request: &Request) -> Answer {
        let changes = request.method != Method::Get;
        if let Some(changed) = self.changed.filter(|_| changes) {
            sleep(self.pause.saturating_sub(changed.elapsed()));
        }
        let (name, before) = self.authorization;
        let mut built = http::Request::builder()
            .method(request.method.as_str())
            .uri(format!("{}{}", self.base, request.path))
            .header(name, format!("{before}{}", self.token.0));
        for (name, value) in self.headers {
            built = built.header(*name, *value);
        }
        let answer = match &request.body {
            Some(body) => built
                .header("content-type", "application/json")
                .body(body.to_string())
                .map(|built| self.agent.run(built)),
            None => built.body(()).map(|built| self.agent.run(built)),
        };
        if changes {
            self.changed = Some(Instant::now());
        }
        let what = format!("{} {}{}", request.method.as_str(), self.base, request.path);
        let said = |text: &str| self.token.hidden_in(&format!("{what}: {text}"));
        let mut response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if is_before_sending(&error) => {
                return Answer::Bad(Failure::Broken(said(&error.to_string())));
            }
            Ok(Err(error)) => return Answer::Failed(said(&error.to_string())),
            // What the token or the address cannot be.
            Err(_) => {
                return Answer::Bad(Failure::Broken(said(
                    "it cannot be sent: the address of \
                the interface or the token holds what HTTP does not allow",
                )));
            }
        };
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(LARGEST);
        let body = match body.read_to_string() {
            Ok(body) => body,
            Err(error) => return Answer::Failed(said(&error.to_string())),
        };
        let value: Option<Value> = serde_json::from_str(&body).ok();
        if (200..300).contains(&status) {
            return match value {
                Some(value) => Answer::Good(value),
                None if body.trim().is_empty() => Answer::Good(Value::Null),
                None => Answer::Bad(Failure::Broken(said("the answer is no JSON"))),
            };
        }
        let text = said(&format!("{status} {}", complaint(value.as_ref())));
        judge(status, response.headers(), text)
    }
}

enum Answer {
    Good(Value),
    Bad(Failure),
    /// Not carried out, and to be tried again after this time.
    Wait(Failure, Duration),
    /// Perhaps carried out.
    Failed(String),
}

/// What an answer means that is none of success.
fn judge(status: u16, headers: &HeaderMap, text: String) -> Answer {
    match status {
        403 | 429 => match limit(headers, SystemTime::now()) {
            Some(wait) => Answer::Wait(Failure::Limited(text), wait),
            None if status == 429 => Answer::Wait(Failure::Limited(text), LIMITED),
            None => Answer::Bad(Failure::Forbidden(text)),
        },
        401 => Answer::Bad(Failure::Unauthorized(text)),
        404 | 410 => Answer::Bad(Failure::Missing(text)),
        400 | 409 | 422 => Answer::Bad(Failure::Invalid(text)),
        500.. => Answer::Failed(text),
        _ => Answer::Bad(Failure::Broken(text)),
    }
}

/// How long to wait, where the answer says that there were too many requests.
fn limit(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(after) = text("retry-after") {
        if let Ok(seconds) = after.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(after).ok()?;
        return Some(until.duration_since(now).unwrap_or_default());
    }
    let names = [
        ("x-ratelimit-remaining", "x-ratelimit-reset"), // GitHub
        ("ratelimit-remaining", "ratelimit-reset"),     // GitLab
    ];
    let (_, reset) = names
        .into_iter()
        .find(|(remaining, _)| text(remaining) == Some("0"))?;
    let reset: u64 = text(reset)?.parse().ok()?;
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(reset);
    // The clocks may differ a little.
    Some(until.duration_since(now).unwrap_or_default() + Duration::from_secs(1))
}

/// Whether nothing was sent, and nothing will be.
fn is_before_sending(error: &ureq::Error) -> bool {
    matches!(
        error,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl
    )
}

/// What a service complains of, in one line.
fn complaint(answer: Option<&Value>) -> String {
    let Some(answer) = answer else {
        return String::new();
    };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let fields = ["message", "error", "errors"].map(|name| answer.get(name).map(text));
    let said: Vec<String> = fields.into_iter().flatten().collect();
    let said = said.join(": ");
    said.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(400)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use ureq::http::{HeaderMap, HeaderName};

    use super::{Token, limit};

    fn wait(headers: &[(&str, &str)], now: u64) -> Option<Duration> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                let name: HeaderName = name.parse().unwrap();
                (name, value.parse().unwrap())
            })
            .collect();
        limit(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(now))
    }

    #[test]
    fn what_says_nothing_of_a_limit_is_none() {
        assert_eq!(wait(&[], 0), None);
        assert_eq!(
            wait(
                &[("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "9")],
                0
            ),
            None
        );
    }

    #[test]
    fn limits_say_how_long_to_wait() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(wait(&[("retry-after", "7")], 0), seconds(7));
        let date = "Thu, 01 Jan 1970 00:01:00 GMT";
        assert_eq!(wait(&[("retry-after", date)], 20), seconds(40));
        let reset = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "90")];
        assert_eq!(wait(&reset, 60), seconds(31));
        assert_eq!(wait(&reset, 100), seconds(1));
        assert_eq!(
            wait(
                &[("ratelimit-remaining", "0"), ("ratelimit-reset", "90")],
                60
            ),
            seconds(31)
        );
    }

    #[test]
    fn a_token_is_not_printed() {
        let token = Token::new("ghs_secret".to_string());
        assert_eq!(format!("{token:?}"), "Token");
        assert_eq!(token.hidden_in("a ghs_secret b"), "a *** b");
    }
}
