//! GitHub: one review with a comment for each suggestion, and one comment for the summary.
//!
//! Source: GitHub's REST description, operations `pulls/create-review`,
//! `pulls/list-review-comments`, `pulls/update-review-comment`, `pulls/delete-review-comment`,
//! `issues/list-comments`, `issues/create-comment`, `issues/update-comment` and
//! `users/get-authenticated`; "Incorporating feedback in your pull request" in GitHub Docs.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};
use service::{Client, Failure, Method, Request};

use crate::carry_out::{Place, carry_out};
use crate::comment;
use crate::fingerprint;
use crate::plan::{Comment, Limits, Plan};
use crate::posted::{Done, Posted, Said};
use crate::summary::summary;

/// A pull request.
#[derive(Clone, Debug)]
pub struct GitHub {
    /// `owner/name`.
    pub repository: String,
    /// Its number; not in digits only where it is not known, for show.
    pub number: String,
    /// Its last commit, whose lines the comments are about.
    pub commit: String,
}

/// The characters that a comment may have are 65536; a character has at least one byte.
const SUMMARY_SIZE: usize = 65_000;

/// How several suggestions are applied in one commit.
const BATCH: &str =
    "Under *Files changed*: *Add suggestion to batch* for each, then *Commit suggestions*.";

impl GitHub {
    /// How much can be said, with so many comments.
    pub fn limits(comments: usize) -> Limits {
        Limits {
            comments,
            rows: usize::MAX,
        }
    }

    /// The requests of a pull request on which nothing stands yet.
    pub fn requests(&self, plan: &Plan) -> Vec<Request> {
        let mut requests = Vec::new();
        if !plan.comments.is_empty() {
            requests.push(self.review(&plan.comments.iter().collect::<Vec<_>>()));
        }
        let summary = summary(plan, SUMMARY_SIZE);
        requests.extend(summary.map(|body| self.summary_request(&body)));
        requests
    }

    /// Makes the pull request say what the plan says. The error says why it does not; what was said
    /// by then stays.
    pub fn carry_out(&self, plan: Plan, client: &mut Client) -> Result<Said, Failure> {
        let me = Me::ask(client)?;
        carry_out(&Seen { pull: self, me }, plan, client)
    }

    /// The request that makes these comments.
    fn review(&self, comments: &[&Comment]) -> Request {
        let comments: Vec<Value> = comments.iter().map(|it| review_comment(it)).collect();
        Request::post(
            format!("/repos/{}/pulls/{}/reviews", self.repository, self.number),
            json!({
                "commit_id": self.commit,
                "event": "COMMENT",
                "body": "Rewrites proposed by `asyncfix suggest`.",
                "comments": comments,
            }),
        )
    }

    fn summary_request(&self, body: &str) -> Request {
        Request::post(
            format!("/repos/{}/issues/{}/comments", self.repository, self.number),
            json!({ "body": body }),
        )
    }
}

/// A pull request, as the owner of a token sees it.
struct Seen<'a> {
    pull: &'a GitHub,
    me: Me,
}

impl Place for Seen<'_> {
    type Id = u64;

    const SUMMARY_SIZE: usize = SUMMARY_SIZE;

    fn body(&self, comment: &Comment) -> String {
        body(comment)
    }

    fn posted(&self, client: &mut Client) -> Result<Vec<Posted<u64>>, Failure> {
        let GitHub {
            repository, number, ..
        } = self.pull;
        let all = client.list(&format!("/repos/{repository}/pulls/{number}/comments"))?;
        let answered: HashSet<u64> = all
            .iter()
            .filter_map(|it| it["in_reply_to_id"].as_u64())
            .collect();
        let posted = |comment: &Value| {
            let body = comment["body"].as_str()?;
            let id = comment["id"].as_u64()?;
            let is_ours = self.me.wrote(comment) && comment["in_reply_to_id"].is_null();
            is_ours.then_some(Posted {
                id,
                fingerprint: fingerprint::read(body)?.to_string(),
                body: body.to_string(),
                is_outdated: comment["line"].is_null(),
                is_answered: answered.contains(&id),
            })
        };
        Ok(all.iter().filter_map(posted).collect())
    }

    /// All in one review. Where the service refuses one, it does not say for which comment, so that
    /// halves of it are tried.
    fn create(
        &self,
        comments: &[Comment],
        client: &mut Client,
        plan: &mut Plan,
        done: &mut Done,
    ) -> Result<(), Failure> {
        if comments.is_empty() {
            return Ok(());
        }
        let request = self.pull.review(&comments.iter().collect::<Vec<_>>());
        let refusal = match client.send(&request) {
            Ok(_) => {
                done.created += comments.len();
                return Ok(());
            }
            Err(Failure::Invalid(refusal)) => refusal,
            Err(failure) => return Err(failure),
        };
        let units: BTreeSet<usize> = comments.iter().map(|it| it.unit).collect();
        let units: Vec<usize> = units.into_iter().collect();
        if let [unit] = units.as_slice() {
            plan.give_up(*unit, "GitHub does not accept it as a suggestion");
            done.warnings.push(refusal);
            return Ok(());
        }
        let (first, _) = units.split_at(units.len() / 2);
        let (first, second): (Vec<Comment>, Vec<Comment>) = comments
            .iter()
            .cloned()
            .partition(|it| first.contains(&it.unit));
        self.create(&first, client, plan, done)?;
        self.create(&second, client, plan, done)
    }

    fn change(&self, id: &u64, body: &str) -> Request {
        let path = format!("/repos/{}/pulls/comments/{id}", self.pull.repository);
        Request::new(Method::Patch, path, Some(json!({ "body": body })))
    }

    fn removal(&self, id: &u64) -> Request {
        Request::delete(format!(
            "/repos/{}/pulls/comments/{id}",
            self.pull.repository
        ))
    }

    fn summaries(&self, client: &mut Client) -> Result<Vec<(u64, String)>, Failure> {
        let all = client.list(&self.pull.summary_request("").path)?;
        let ours = all.iter().filter(|it| self.me.wrote(it));
        let summary = |it: &Value| Some((it["id"].as_u64()?, it["body"].as_str()?.to_string()));
        Ok(ours.filter_map(summary).collect())
    }

    fn summary(&self, body: &str) -> Request {
        self.pull.summary_request(body)
    }

    fn summary_change(&self, id: u64, body: &str) -> Request {
        let path = format!("/repos/{}/issues/comments/{id}", self.pull.repository);
        Request::new(Method::Patch, path, Some(json!({ "body": body })))
    }
}

fn body(comment: &Comment) -> String {
    comment::body(comment, "suggestion", BATCH)
}

/// A comment as a review has it: of a single line it has no start.
fn review_comment(comment: &Comment) -> Value {
    let last = comment.rows.end - 1;
    let mut value = json!({
        "path": comment.path,
        "line": last,
        "side": "RIGHT",
        "body": body(comment),
    });
    if comment.rows.start < last {
        value["start_line"] = json!(comment.rows.start);
        value["start_side"] = json!("RIGHT");
    }
    value
}

/// Who we are, so that nothing of others is touched.
enum Me {
    /// This account.
    User(u64),
    /// An app, whose token may not ask for its name.
    App,
}

impl Me {
    fn ask(client: &mut Client) -> Result<Self, Failure> {
        match client.send(&Request::get("/user")) {
            Ok(user) => Ok(user["id"].as_u64().map_or(Me::App, Me::User)),
            Err(Failure::Forbidden(_) | Failure::Missing(_)) => Ok(Me::App),
            Err(failure) => Err(failure),
        }
    }

    /// Whether we made the comment, as far as its author tells.
    fn wrote(&self, comment: &Value) -> bool {
        let user = &comment["user"];
        match self {
            Me::User(id) => user["id"].as_u64() == Some(*id),
            Me::App => user["type"].as_str() == Some("Bot"),
        }
    }
}
