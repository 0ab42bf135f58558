//! GitLab: a discussion for each suggestion, and one note for the summary.
//!
//! Source: GitLab Docs, "Discussions API", "Notes API", "Merge requests API", and "Suggest
//! changes".

use std::collections::BTreeSet;

use serde_json::{Value, json};
use service::{Client, Failure, Method, Request};

use crate::carry_out::{Place, carry_out};
use crate::comment;
use crate::fingerprint;
use crate::plan::{Comment, Limits, Plan};
use crate::posted::{Done, Posted, Said};
use crate::summary::summary;

/// A merge request.
#[derive(Clone, Debug)]
pub struct GitLab {
    /// The number of its project, or the project's path with `%2F` between its parts.
    pub project: String,
    /// Its number in the project.
    pub number: String,
    /// Its last commit, whose lines the comments are about.
    pub commit: String,
    /// The commit that its diff begins at.
    pub base: String,
}

/// The commits that GitLab wants to know a place by.
#[derive(Clone, Debug)]
struct Refs {
    base: String,
    start: String,
    head: String,
}

/// How many lines above, and below, the line that it is on a suggestion may take in.
const REACH: usize = 100;

/// The characters of a note: a million.
const SUMMARY_SIZE: usize = 900_000;

/// How several suggestions are applied in one commit.
const BATCH: &str = "*Add suggestion to batch* for each, then *Apply suggestions*.";

/// Where the discussion of a comment, and the comment in it, are.
#[derive(Clone, Debug)]
struct Id {
    discussion: String,
    note: u64,
}

impl GitLab {
    /// How much can be said, with so many comments.
    pub fn limits(comments: usize) -> Limits {
        Limits {
            comments,
            rows: 2 * REACH + 1,
        }
    }

    /// The requests of a merge request on which nothing stands yet, and whose target branch did
    /// not move: what it is now GitLab would tell.
    pub fn requests(&self, plan: &Plan) -> Vec<Request> {
        let refs = Refs {
            base: self.base.clone(),
            start: self.base.clone(),
            head: self.commit.clone(),
        };
        let discussions = plan.comments.iter().map(|it| self.discussion(it, &refs));
        let summary = summary(plan, SUMMARY_SIZE);
        let summary = summary.map(|body| self.note(&body));
        discussions.chain(summary).collect()
    }

    /// Makes the merge request say what the plan says. The error says why it does not; what was
    /// said by then stays.
    pub fn carry_out(&self, plan: Plan, client: &mut Client) -> Result<Said, Failure> {
        let user = client.send(&Request::get("/user"))?;
        let me = user["id"].as_u64().ok_or_else(|| {
            Failure::Broken("/user: the answer does not say who the token belongs to".to_string())
        })?;
        let refs = self.refs(client)?;
        let seen = Seen {
            request: self,
            me,
            refs,
        };
        carry_out(&seen, plan, client)
    }

    fn path(&self) -> String {
        format!("/projects/{}/merge_requests/{}", self.project, self.number)
    }

    fn refs(&self, client: &mut Client) -> Result<Refs, Failure> {
        let answer = client.send(&Request::get(self.path()))?;
        let sha = |name: &str| answer["diff_refs"][name].as_str().map(str::to_string);
        let (Some(base), Some(start), Some(head)) =
            (sha("base_sha"), sha("start_sha"), sha("head_sha"))
        else {
            let path = self.path();
            return Err(Failure::Broken(format!(
                "{path}: the answer has no diff_refs"
            )));
        };
        if head != self.commit {
            return Err(Failure::Invalid(format!(
                "the merge request has moved on from {} to {head}: the pipeline of that commit has \
                 the say",
                self.commit
            )));
        }
        Ok(Refs { base, start, head })
    }

    /// The request that makes a comment: on its last line, or, where that is too far from its
    /// first, above.
    fn discussion(&self, comment: &Comment, refs: &Refs) -> Request {
        let (above, _) = around(comment);
        let row = comment.rows.start + above;
        let mut position = json!({
            "position_type": "text",
            "base_sha": refs.base,
            "start_sha": refs.start,
            "head_sha": refs.head,
            "old_path": comment.old_path,
            "new_path": comment.path,
            "new_line": row,
        });
        // A line that stayed is known by both.
        if let Some(Some(old)) = comment.old_rows.get(above) {
            position["old_line"] = json!(old);
        }
        Request::post(
            format!("{}/discussions", self.path()),
            json!({ "body": body(comment), "position": position }),
        )
    }

    fn note(&self, body: &str) -> Request {
        Request::post(format!("{}/notes", self.path()), json!({ "body": body }))
    }
}

/// A merge request, as the owner of a token sees it.
struct Seen<'a> {
    request: &'a GitLab,
    me: u64,
    refs: Refs,
}

impl Place for Seen<'_> {
    type Id = Id;

    const SUMMARY_SIZE: usize = SUMMARY_SIZE;

    fn body(&self, comment: &Comment) -> String {
        body(comment)
    }

    fn posted(&self, client: &mut Client) -> Result<Vec<Posted<Id>>, Failure> {
        let all = client.list(&format!("{}/discussions", self.request.path()))?;
        let posted = |discussion: &Value| {
            let notes = discussion["notes"].as_array()?;
            let first = notes.first()?;
            let body = first["body"].as_str()?;
            let is_ours = first["author"]["id"].as_u64() == Some(self.me);
            is_ours.then_some(Posted {
                id: id_of(discussion, first)?,
                fingerprint: fingerprint::read(body)?.to_string(),
                body: body.to_string(),
                // GitLab moves the place of a note along with its line, where that is still there.
                is_outdated: first["position"]["head_sha"].as_str() != Some(&self.refs.head),
                is_answered: notes.iter().skip(1).any(|it| it["system"] != json!(true)),
            })
        };
        Ok(all.iter().filter_map(posted).collect())
    }

    /// One after the other.
    fn create(
        &self,
        comments: &[Comment],
        client: &mut Client,
        plan: &mut Plan,
        done: &mut Done,
    ) -> Result<(), Failure> {
        let units: BTreeSet<usize> = comments.iter().map(|it| it.unit).collect();
        for unit in units {
            let mut made = Vec::new();
            for comment in comments.iter().filter(|it| it.unit == unit) {
                match client.send(&self.request.discussion(comment, &self.refs)) {
                    Ok(discussion) => {
                        done.created += 1;
                        made.extend(id_of(&discussion, &discussion["notes"][0]));
                    }
                    Err(Failure::Invalid(refusal)) => {
                        for id in made.drain(..) {
                            client.send(&self.removal(&id))?;
                        }
                        plan.give_up(unit, "GitLab does not accept it as a suggestion");
                        done.warnings.push(refusal);
                        break;
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(())
    }

    fn change(&self, id: &Id, body: &str) -> Request {
        let body = Some(json!({ "body": body }));
        Request::new(Method::Put, self.removal(id).path, body)
    }

    fn removal(&self, id: &Id) -> Request {
        let Id { discussion, note } = id;
        let path = self.request.path();
        Request::delete(format!("{path}/discussions/{discussion}/notes/{note}"))
    }

    fn summaries(&self, client: &mut Client) -> Result<Vec<(u64, String)>, Failure> {
        let all = client.list(&self.request.note("").path)?;
        let is_ours = |it: &&Value| it["author"]["id"].as_u64() == Some(self.me);
        let summary = |it: &Value| Some((it["id"].as_u64()?, it["body"].as_str()?.to_string()));
        Ok(all.iter().filter(is_ours).filter_map(summary).collect())
    }

    fn summary(&self, body: &str) -> Request {
        self.request.note(body)
    }

    fn summary_change(&self, id: u64, body: &str) -> Request {
        let path = format!("{}/notes/{id}", self.request.path());
        Request::new(Method::Put, path, Some(json!({ "body": body })))
    }
}

/// How many of the rows are above and below the one that a comment stands at.
fn around(comment: &Comment) -> (usize, usize) {
    let others = comment.rows.len() - 1;
    let above = others.min(REACH);
    (above, others - above)
}

fn body(comment: &Comment) -> String {
    let (above, below) = around(comment);
    comment::body(comment, &format!("suggestion:-{above}+{below}"), BATCH)
}

fn id_of(discussion: &Value, note: &Value) -> Option<Id> {
    Some(Id {
        discussion: discussion["id"].as_str()?.to_string(),
        note: note["id"].as_u64()?,
    })
}
