//! GitHub, as far as pull requests are made there. Each request has to be as GitHub's own
//! description says, and each answer is made of the description's example.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::hub::Seen;
use crate::suggest::described::{Described, Description, Desk};
use crate::suggest::github::greeted;
use crate::suggest::server::{Answer, Request};

pub struct GitHub {
    /// What came in, and what goes wrong.
    pub desk: Desk,
    /// By repository and number.
    pub pulls: BTreeMap<(String, u64), Value>,
}

impl GitHub {
    pub fn new() -> Self {
        Self {
            desk: Desk::new(Description::new("github-rest.json", greeted)),
            pulls: BTreeMap::new(),
        }
    }

    /// What people see of a pull request.
    pub fn seen(pull: &Value) -> Seen {
        let names = |value: &Value, name: &str| {
            let all = value.as_array().unwrap().iter();
            let name = |it: &Value| it.get(name).unwrap_or(it).as_str().unwrap().to_string();
            all.map(name).collect()
        };
        let text = |value: &Value| value.as_str().unwrap().to_string();
        Seen {
            url: text(&pull["html_url"]),
            title: text(&pull["title"]),
            body: text(&pull["body"]),
            base: text(&pull["base"]["ref"]),
            is_draft: pull["draft"] == true,
            users: names(&pull["assignees"], "login"),
            teams: names(&pull["requested_teams"], "slug"),
        }
    }

    fn create(&mut self, repository: String, body: &Value) -> Answer {
        let is_same = |(key, pull): (&(String, u64), &Value)| {
            key.0 == repository
                && pull["state"] == "open"
                && pull["head"]["ref"] == body["head"]
                && pull["base"]["ref"] == body["base"]
        };
        if self.pulls.iter().any(is_same) {
            let said = format!("A pull request already exists for o:{}.", body["head"]);
            let errors = json!([{ "message": said }]);
            return Answer::new(
                422,
                json!({ "message": "Validation Failed", "errors": errors }),
            );
        }
        let number = 1 + self.pulls.keys().filter(|it| it.0 == repository).count() as u64;
        let mut pull = self.desk.description.example("pulls/create");
        pull["number"] = json!(number);
        pull["html_url"] = json!(format!("https://github.com/o/{repository}/pull/{number}"));
        pull["merged_at"] = Value::Null;
        pull["assignees"] = json!([]);
        pull["requested_teams"] = json!([]);
        pull["head"]["ref"] = body["head"].clone();
        pull["head"]["label"] = json!(format!("o:{}", body["head"].as_str().unwrap()));
        pull["base"]["ref"] = body["base"].clone();
        for name in ["title", "body", "draft"] {
            pull[name] = body[name].clone();
        }
        self.pulls.insert((repository, number), pull.clone());
        Answer::new(201, pull)
    }
}

impl Described for GitHub {
    fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    fn carry_out(&mut self, id: &str, values: &[String], request: &Request) -> Answer {
        assert_eq!(values[0], "o");
        let repository = values[1].clone();
        let status = self.desk.description.status(id);
        let number = || values[2].parse::<u64>().unwrap();
        let asked = |name: &str| {
            let found = request.query.iter().find(|(it, _)| it == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        match id {
            "pulls/list" => {
                assert_eq!((asked("state"), asked("page")), ("all", "1"));
                let is_it = |pull: &&Value| {
                    pull["head"]["label"] == asked("head") && pull["base"]["ref"] == asked("base")
                };
                // The newest first.
                let of_it = self.pulls.iter().rev().filter(|it| it.0.0 == repository);
                let found: Vec<&Value> = of_it.map(|it| it.1).filter(is_it).collect();
                Answer::new(status, json!(found))
            }
            "pulls/get" => match self.pulls.get(&(repository, number())) {
                Some(pull) => Answer::new(status, pull.clone()),
                None => Answer::new(404, json!({ "message": "Not Found" })),
            },
            "pulls/create" => self.create(repository, &request.body),
            "pulls/update" => {
                let pull = self.pulls.get_mut(&(repository, number())).unwrap();
                for (name, value) in request.body.as_object().unwrap() {
                    pull[name] = value.clone();
                }
                Answer::new(status, pull.clone())
            }
            "issues/add-assignees" => {
                let pull = self.pulls.get_mut(&(repository, number())).unwrap();
                pull["assignees"] = request.body["assignees"].clone();
                Answer::new(status, self.desk.description.example(id))
            }
            "pulls/request-reviewers" => {
                let pull = self.pulls.get_mut(&(repository, number())).unwrap();
                pull["requested_teams"] = request.body["team_reviewers"].clone();
                Answer::new(status, self.desk.description.example(id))
            }
            _ => unreachable!("{id}"),
        }
    }
}
