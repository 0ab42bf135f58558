//! GitLab.
//!
//! Source: GitLab Docs, "Merge requests API" and "Users API".

use serde_json::{Value, json};
use service::{Method, Request};

use crate::github::escaped;
use crate::hub::{Hub, People, Pull, State, Wanted};

/// A project.
#[derive(Clone, Debug)]
pub struct GitLab {
    /// Its path: `group/name`.
    pub project: String,
}

/// What stands before the title of a draft: GitLab tells one by its title, and by nothing else.
const DRAFT: &str = "Draft: ";

impl GitLab {
    fn path(&self) -> String {
        format!(
            "/projects/{}/merge_requests",
            self.project.replace('/', "%2F")
        )
    }
}

fn title(wanted: &Wanted, is_draft: bool) -> String {
    let before = if is_draft { DRAFT } else { "" };
    format!("{before}{}", wanted.title)
}

impl Hub for GitLab {
    fn of_branch(&self, wanted: &Wanted) -> String {
        let (branch, base) = (escaped(&wanted.branch), escaped(&wanted.base));
        let path = self.path();
        format!("{path}?state=all&source_branch={branch}&target_branch={base}&order_by=created_at")
    }

    fn one(&self, number: u64) -> Request {
        Request::get(format!("{}/{number}", self.path()))
    }

    fn create(&self, wanted: &Wanted) -> Request {
        Request::post(
            self.path(),
            json!({
                "title": title(wanted, wanted.draft),
                "source_branch": wanted.branch,
                "target_branch": wanted.base,
                "description": wanted.body,
                "remove_source_branch": true,
            }),
        )
    }

    fn update(&self, pull: &Pull, wanted: &Wanted) -> Request {
        let title = title(wanted, pull.is_draft);
        let body = json!({ "title": title, "description": wanted.body });
        let path = format!("{}/{}", self.path(), pull.number);
        Request::new(Method::Put, path, Some(body))
    }

    fn read(&self, answer: &Value, wanted: &Wanted) -> Option<Pull> {
        let is_it = answer["source_branch"] == *wanted.branch
            && answer["target_branch"] == *wanted.base
            && answer["source_project_id"] == answer["target_project_id"];
        let state = match answer["state"].as_str()? {
            // `locked` is for the moment in which it is merged.
            "opened" | "locked" => State::Open,
            "merged" => State::Merged,
            _ => State::Closed,
        };
        is_it.then_some(Pull {
            number: answer["iid"].as_u64()?,
            url: answer["web_url"].as_str()?.to_string(),
            state,
            // The older name is that of GitLab before 13.2.
            is_draft: answer["draft"] == true || answer["work_in_progress"] == true,
        })
    }

    fn look_up(&self, people: &People) -> Vec<(String, Request)> {
        let request = |name: &String| {
            let path = format!("/users?username={}", escaped(name));
            (name.clone(), Request::get(path))
        };
        people.users.iter().map(request).collect()
    }

    fn ask(&self, number: u64, _: &People, found: &[Value]) -> Vec<Request> {
        let ids: Vec<u64> = found.iter().filter_map(|it| it[0]["id"].as_u64()).collect();
        if ids.is_empty() {
            return Vec::new();
        }
        // Without a licence only the first of them is taken.
        let path = format!("{}/{number}", self.path());
        let body = json!({ "assignee_ids": ids });
        vec![Request::new(Method::Put, path, Some(body))]
    }
}
