//! How each service wants to be spoken to.

use std::time::Duration;

use crate::client::{Client, Token};

/// What speaks to GitHub's interface at `base`, as `https://api.github.com`.
pub fn github(base: &str, token: Token) -> Client {
    let headers = &[
        ("accept", "application/vnd.github+json"),
        ("x-github-api-version", "2022-11-28"),
    ];
    // Source: GitHub Docs, "Best practices for using the REST API".
    let pause = Duration::from_secs(1);
    Client::new(base, token, ("authorization", "Bearer "), headers, pause)
}

/// What speaks to GitLab's interface at `base`, as `https://gitlab.com/api/v4`.
pub fn gitlab(base: &str, token: Token) -> Client {
    Client::new(base, token, ("private-token", ""), &[], Duration::ZERO)
}
