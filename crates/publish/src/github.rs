//! GitHub.
//!
//! Source: GitHub's REST description, operations `pulls/list`, `pulls/get`, `pulls/create`,
//! `pulls/update`, `issues/add-assignees` and `pulls/request-reviewers`.

use serde_json::{Value, json};
use service::{Method, Request};

use crate::hub::{Hub, People, Pull, State, Wanted};

/// A repository.
#[derive(Clone, Debug)]
pub struct GitHub {
    /// `owner/name`.
    pub repository: String,
}

/// As many as can be assigned. Source: GitHub Docs, "Assigning issues and pull requests".
const ASSIGNEES: usize = 10;

impl GitHub {
    fn owner(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }
}

impl Hub for GitHub {
    fn of_branch(&self, wanted: &Wanted) -> String {
        let (repository, owner) = (&self.repository, self.owner());
        let (branch, base) = (escaped(&wanted.branch), escaped(&wanted.base));
        format!("/repos/{repository}/pulls?state=all&head={owner}:{branch}&base={base}")
    }

    fn one(&self, number: u64) -> Request {
        Request::get(format!("/repos/{}/pulls/{number}", self.repository))
    }

    fn create(&self, wanted: &Wanted) -> Request {
        Request::post(
            format!("/repos/{}/pulls", self.repository),
            json!({
                "title": wanted.title,
                "head": wanted.branch,
                "base": wanted.base,
                "body": wanted.body,
                "draft": wanted.draft,
            }),
        )
    }

    fn update(&self, pull: &Pull, wanted: &Wanted) -> Request {
        let path = format!("/repos/{}/pulls/{}", self.repository, pull.number);
        let body = json!({ "title": wanted.title, "body": wanted.body });
        Request::new(Method::Patch, path, Some(body))
    }

    fn read(&self, answer: &Value, wanted: &Wanted) -> Option<Pull> {
        let is_it =
            answer["head"]["ref"] == *wanted.branch && answer["base"]["ref"] == *wanted.base;
        let state = match answer["state"].as_str()? {
            "open" => State::Open,
            _ if answer["merged_at"].is_string() => State::Merged,
            _ => State::Closed,
        };
        is_it.then_some(Pull {
            number: answer["number"].as_u64()?,
            url: answer["html_url"].as_str()?.to_string(),
            state,
            is_draft: answer["draft"] == true,
        })
    }

    fn look_up(&self, _: &People) -> Vec<(String, Request)> {
        Vec::new()
    }

    fn ask(&self, number: u64, people: &People, _: &[Value]) -> Vec<Request> {
        let repository = &self.repository;
        let mut requests = Vec::new();
        if !people.users.is_empty() {
            let users: Vec<&String> = people.users.iter().take(ASSIGNEES).collect();
            requests.push(Request::post(
                format!("/repos/{repository}/issues/{number}/assignees"),
                json!({ "assignees": users }),
            ));
        }
        // A team cannot be assigned, but asked for a review: one of the repository's owner.
        let own = format!("{}/", self.owner().to_lowercase());
        let of_owner = |team: &&String| team.to_lowercase().starts_with(&own);
        let slug = |team: &String| team.split('/').nth(1).map(str::to_string);
        let teams: Vec<String> = people
            .teams
            .iter()
            .filter(of_owner)
            .filter_map(slug)
            .collect();
        if !teams.is_empty() {
            requests.push(Request::post(
                format!("/repos/{repository}/pulls/{number}/requested_reviewers"),
                json!({ "team_reviewers": teams }),
            ));
        }
        requests
    }
}

/// As it stands in a query.
pub(crate) fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
