//! GitLab, as far as merge requests are made there. Each request has to be as its documentation
//! says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::hub::Seen;
use crate::suggest::described::{Described, Description, Desk};
use crate::suggest::server::{Answer, Request};

pub const TOKEN: &str = "glpat-Ab1Cd2Ef3Gh4Ij5Kl6Mn";

/// Those whom it knows, and their numbers.
const USERS: [(&str, u64); 2] = [("ann", 11), ("bob", 12)];

pub struct GitLab {
    /// What came in, and what goes wrong.
    pub desk: Desk,
    /// By project and number.
    pub pulls: BTreeMap<(String, u64), Value>,
}

/// Fails where a request does not say who asks.
fn greeted(request: &Request) {
    assert_eq!(request.headers["private-token"], TOKEN);
    assert!(!request.headers.contains_key("authorization"));
    assert!(request.headers["user-agent"].starts_with("asyncfix/"));
}

impl GitLab {
    pub fn new() -> Self {
        Self {
            desk: Desk::new(Description::new("gitlab-rest.json", greeted)),
            pulls: BTreeMap::new(),
        }
    }

    /// What people see of a merge request.
    pub fn seen(pull: &Value) -> Seen {
        let text = |name: &str| pull[name].as_str().unwrap().to_string();
        let assignees = pull["assignees"].as_array().unwrap().iter();
        let is_draft = pull["draft"] == true;
        let title = text("title");
        // By its title it is one, and by nothing else.
        assert_eq!(is_draft, title.starts_with("Draft: "));
        Seen {
            url: text("web_url"),
            title: title.trim_start_matches("Draft: ").to_string(),
            body: text("description"),
            base: text("target_branch"),
            is_draft,
            users: assignees
                .map(|it| it["username"].as_str().unwrap().to_string())
                .collect(),
            teams: Vec::new(),
        }
    }

    fn user(&self, (name, id): (&str, u64)) -> Value {
        let mut user = self.desk.description.example("users/list");
        user["id"] = json!(id);
        user["username"] = json!(name);
        user
    }

    fn create(&mut self, project: String, body: &Value) -> Answer {
        let is_same = |(key, pull): &(&(String, u64), &Value)| {
            key.0 == project
                && pull["state"] == "opened"
                && pull["source_branch"] == body["source_branch"]
                && pull["target_branch"] == body["target_branch"]
        };
        if let Some(((_, number), _)) = self.pulls.iter().find(is_same) {
            let said = format!(
                "Another open merge request already exists for this source branch: !{number}"
            );
            return Answer::new(409, json!({ "message": [said] }));
        }
        let number = 1 + self.pulls.keys().filter(|it| it.0 == project).count() as u64;
        let mut pull = self.desk.description.example("merge_requests/create");
        pull["iid"] = json!(number);
        pull["web_url"] = json!(format!(
            "https://gitlab.com/{project}/-/merge_requests/{number}"
        ));
        self.change(&mut pull, body);
        self.pulls.insert((project, number), pull.clone());
        Answer::new(201, pull)
    }

    /// Writes into a merge request what a request has.
    fn change(&self, pull: &mut Value, body: &Value) {
        for (name, value) in body.as_object().unwrap() {
            match name.as_str() {
                "title" => {
                    let is_draft = value.as_str().unwrap().starts_with("Draft: ");
                    pull["draft"] = json!(is_draft);
                    pull["work_in_progress"] = json!(is_draft);
                    pull["title"] = value.clone();
                }
                "assignee_ids" => {
                    let has = |id: u64| value.as_array().unwrap().contains(&json!(id));
                    let named = USERS.into_iter().filter(|it| has(it.1));
                    pull["assignees"] = named.map(|it| self.user(it)).collect();
                }
                "remove_source_branch" => pull["force_remove_source_branch"] = value.clone(),
                "description" | "source_branch" | "target_branch" => pull[name] = value.clone(),
                _ => unreachable!("{name}"),
            }
        }
    }
}

impl Described for GitLab {
    fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    fn carry_out(&mut self, id: &str, values: &[String], request: &Request) -> Answer {
        let status = self.desk.description.status(id);
        let asked = |name: &str| {
            let found = request.query.iter().find(|(it, _)| it == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        if id == "users/list" {
            let found = USERS.into_iter().filter(|it| it.0 == asked("username"));
            return Answer::new(status, found.map(|it| self.user(it)).collect());
        }
        // One part of the path, which would be several if it were not encoded.
        let project = values[0].replace("%2F", "/");
        assert_eq!(project.split('/').count(), 3, "{project}");
        let key = || (project.clone(), values[1].parse().unwrap());
        match id {
            "merge_requests/list" => {
                assert_eq!((asked("state"), asked("page")), ("all", "1"));
                assert_ne!(asked("sort"), "asc");
                let is_it = |pull: &&Value| {
                    pull["source_branch"] == asked("source_branch")
                        && pull["target_branch"] == asked("target_branch")
                };
                // The newest first.
                let of_it = self.pulls.iter().rev().filter(|it| it.0.0 == project);
                let found: Vec<&Value> = of_it.map(|it| it.1).filter(is_it).collect();
                Answer::new(status, json!(found))
            }
            "merge_requests/get" => match self.pulls.get(&key()) {
                Some(pull) => Answer::new(status, pull.clone()),
                None => Answer::new(404, json!({ "message": "404 Not found" })),
            },
            "merge_requests/create" => self.create(project, &request.body),
            "merge_requests/update" => {
                let mut pull = self.pulls[&key()].clone();
                self.change(&mut pull, &request.body);
                self.pulls.insert(key(), pull.clone());
                Answer::new(status, pull)
            }
            _ => unreachable!("{id}"),
        }
    }
}
