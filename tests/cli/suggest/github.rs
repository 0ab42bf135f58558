//! GitHub, as far as asyncfix asks it. Each request has to be as GitHub's own description says, each
//! anchored line has to be in the diff of the pull request, and each answer is made of the
//! description's example.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::described::{Described, Description, Desk};
use super::server::{Answer, Request};

pub const TOKEN: &str = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";

/// The account that the token belongs to.
const BOT: u64 = 41_898_282;

pub struct GitHub {
    /// What came in, and what goes wrong.
    pub desk: Desk,
    /// Of the pull request: the rows that each piece of the diff shows of each file.
    pub diff: BTreeMap<String, Vec<RangeInclusive<u64>>>,
    pub head: String,
    /// What stands on the pull request.
    pub comments: Vec<Value>,
    pub issue_comments: Vec<Value>,
    next: u64,
}

/// Fails where a request does not say who asks, and for what.
pub fn greeted(request: &Request) {
    assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(request.headers["accept"], "application/vnd.github+json");
    assert_eq!(request.headers["x-github-api-version"], "2022-11-28");
    assert!(request.headers["user-agent"].starts_with("asyncfix/"));
}

impl GitHub {
    pub fn new(head: String, diff: BTreeMap<String, Vec<RangeInclusive<u64>>>) -> Self {
        Self {
            desk: Desk::new(Description::new("github-rest.json", greeted)),
            diff,
            head,
            comments: Vec::new(),
            issue_comments: Vec::new(),
            next: 1000,
        }
    }

    /// How often each operation was asked that changes something.
    pub fn changes(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for (operation, request) in &self.desk.asked {
            if request.method != "GET" {
                *counts.entry(operation.as_str()).or_default() += 1;
            }
        }
        counts
    }

    /// Somebody else says something.
    pub fn reply(&mut self, comment: usize, body: &str) {
        let id = self.comments[comment]["id"].clone();
        let mut reply = self.comments[comment].clone();
        reply["id"] = json!(self.number());
        reply["body"] = json!(body);
        reply["in_reply_to_id"] = id;
        reply["user"] = json!({ "login": "octocat", "id": 1, "type": "User" });
        self.comments.push(reply);
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Makes all comments, or none: GitHub does not say which was wrong.
    fn review(&mut self, review: &Value) -> Answer {
        assert_eq!(review["commit_id"], self.head.as_str());
        assert_eq!(review["event"], "COMMENT");
        assert!(!review["body"].as_str().unwrap().is_empty());
        let comments = review["comments"].as_array().unwrap();
        assert!(!comments.is_empty());
        for comment in comments {
            let line = comment["line"].as_u64().unwrap();
            let start = comment
                .get("start_line")
                .map_or(line, |it| it.as_u64().unwrap());
            assert_eq!(comment["side"], "RIGHT");
            assert_eq!(
                comment.get("start_line"),
                (start < line).then_some(&json!(start))
            );
            assert_eq!(
                comment.get("start_side"),
                (start < line).then_some(&json!("RIGHT"))
            );
            let hunks = self.diff.get(comment["path"].as_str().unwrap());
            let holds = |hunk: &RangeInclusive<u64>| hunk.contains(&start) && hunk.contains(&line);
            if !hunks.is_some_and(|hunks| hunks.iter().any(holds)) {
                let errors = json!(["Line could not be resolved"]);
                let body = json!({ "message": "Unprocessable Entity", "errors": errors });
                return Answer::new(422, body);
            }
        }
        for comment in comments {
            let mut made = self.desk.description.example("pulls/list-review-comments");
            made.as_object_mut().unwrap().remove("in_reply_to_id");
            made["id"] = json!(self.number());
            made["user"] = bot();
            for name in ["path", "body", "line", "side", "start_line", "start_side"] {
                made[name] = comment[name].clone();
            }
            self.comments.push(made);
        }
        Answer::new(200, self.desk.description.example("pulls/create-review"))
    }
}

impl Described for GitHub {
    fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    fn carry_out(&mut self, id: &str, values: &[String], request: &Request) -> Answer {
        let status = self.desk.description.status(id);
        let number = |at: usize| values[at].parse::<u64>().unwrap();
        if id != "users/get-authenticated" {
            assert_eq!(values[..2], ["o", "r"]);
        }
        match id {
            // As GitHub answers the token of a job.
            "users/get-authenticated" => Answer::new(
                403,
                json!({ "message": "Resource not accessible by integration" }),
            ),
            "pulls/create-review" => self.review(&request.body),
            "pulls/list-review-comments" => Answer::new(status, page(&self.comments, request)),
            "pulls/update-review-comment" => {
                let comment = find(&mut self.comments, number(2));
                comment["body"] = request.body["body"].clone();
                Answer::new(status, comment.clone())
            }
            "pulls/delete-review-comment" => {
                let before = self.comments.len();
                self.comments.retain(|it| it["id"] != json!(number(2)));
                assert_eq!(self.comments.len(), before - 1);
                Answer::new(status, Value::Null)
            }
            "issues/list-comments" => Answer::new(status, page(&self.issue_comments, request)),
            "issues/create-comment" => {
                let mut comment = self.desk.description.example(id);
                comment["id"] = json!(self.number());
                comment["body"] = request.body["body"].clone();
                comment["user"] = bot();
                self.issue_comments.push(comment.clone());
                Answer::new(status, comment)
            }
            "issues/update-comment" => {
                let comment = find(&mut self.issue_comments, number(2));
                comment["body"] = request.body["body"].clone();
                Answer::new(status, comment.clone())
            }
            _ => unreachable!("{id}"),
        }
    }
}

fn bot() -> Value {
    json!({ "login": "github-actions[bot]", "id": BOT, "type": "Bot" })
}

fn find(comments: &mut [Value], id: u64) -> &mut Value {
    let is_it = |it: &&mut Value| it["id"] == json!(id);
    comments.iter_mut().find(is_it).unwrap()
}

/// The page of a list that is asked for.
fn page(all: &[Value], request: &Request) -> Value {
    let number = |name: &str| -> usize {
        let found = request.query.iter().find(|(it, _)| it == name);
        found.unwrap().1.parse().unwrap()
    };
    let (page, size) = (number("page"), number("per_page"));
    assert!(size <= 100 && page > 0);
    json!(
        all.iter()
            .skip((page - 1) * size)
            .take(size)
            .collect::<Vec<_>>()
    )
}
