//! Merge requests of GitLab. What its documentation says of the interface is checked by hand: it
//! publishes no schema of these operations.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::pull::{VARIABLES, git, repository};
use super::server::{Answer, Request, Service, serve};
use crate::project::{Project, Ran, SLEEPS};

const TOKEN: &str = "glpat-Ab1Cd2Ef3Gh4Ij5Kl6Mn";

/// GitLab, as far as asyncfix asks it.
struct GitLab {
    refs: [String; 3],
    discussions: Vec<Value>,
    notes: Vec<Value>,
    /// What was asked that changes something.
    asked: Vec<String>,
    /// What every discussion is answered with.
    trouble: Option<Answer>,
    next: u64,
}

impl Service for GitLab {
    fn answer(&mut self, request: &Request) -> Answer {
        assert_eq!(request.headers["private-token"], TOKEN);
        assert!(!request.headers.contains_key("authorization"));
        let body = &request.body;
        if request.method != "GET" {
            self.asked
                .push(format!("{} {}", request.method, request.path));
        }
        let author = json!({ "id": 5, "username": "project_1_bot" });
        let merge_request = "/projects/1/merge_requests/2";
        let rest = request.path.strip_prefix(merge_request);
        let parts: Vec<&str> = rest.unwrap_or_default().split('/').skip(1).collect();
        self.next += 1;
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", []) if rest.is_none() => {
                assert_eq!(request.path, "/user");
                Answer::new(200, author)
            }
            ("GET", []) => {
                let [base, start, head] = &self.refs;
                let refs = json!({ "base_sha": base, "start_sha": start, "head_sha": head });
                Answer::new(200, json!({ "iid": 2, "diff_refs": refs }))
            }
            ("GET", ["discussions"]) => Answer::new(200, json!(self.discussions)),
            ("GET", ["notes"]) => Answer::new(200, json!(self.notes)),
            ("POST", ["discussions"]) => {
                if let Some(trouble) = &self.trouble {
                    return trouble.clone();
                }
                let [base, start, head] = &self.refs;
                let position = &body["position"];
                assert_eq!(position["position_type"], "text");
                for (name, sha) in [("base_sha", base), ("start_sha", start), ("head_sha", head)] {
                    assert_eq!(position[name], sha.as_str());
                }
                let note = json!({ "id": self.next, "body": body["body"], "author": author,
                                   "position": position, "system": false });
                let id = format!("d{}", self.next);
                self.discussions.push(json!({ "id": id, "notes": [note] }));
                Answer::new(201, self.discussions.last().unwrap().clone())
            }
            ("POST", ["notes"]) => {
                let note = json!({ "id": self.next, "body": body["body"], "author": author });
                self.notes.push(note.clone());
                Answer::new(201, note)
            }
            ("PUT", ["notes", id]) => {
                let id: u64 = id.parse().unwrap();
                let note = self.notes.iter_mut().find(|it| it["id"] == id).unwrap();
                note["body"] = body["body"].clone();
                Answer::new(200, note.clone())
            }
            ("DELETE", ["discussions", id, "notes", _]) => {
                self.discussions.retain(|it| it["id"] != *id);
                Answer::new(204, Value::Null)
            }
            other => unreachable!("{other:?}"),
        }
    }
}

struct MergeRequest {
    project: Project,
    gitlab: Arc<Mutex<GitLab>>,
    api: String,
}

impl MergeRequest {
    fn new(before: &[(&str, &str)], after: &[(&str, &str)]) -> Self {
        let project = repository(before, after);
        let sha = |name: &str| git(&project, &["rev-parse", name]);
        let gitlab = Arc::new(Mutex::new(GitLab {
            refs: [sha("main"), sha("main"), sha("feature")],
            discussions: Vec::new(),
            notes: Vec::new(),
            asked: Vec::new(),
            trouble: None,
            next: 0,
        }));
        let api = serve(&gitlab);
        Self {
            project,
            gitlab,
            api,
        }
    }

    fn gitlab(&self) -> MutexGuard<'_, GitLab> {
        self.gitlab.lock().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let all = ["suggest", "--no-types"].iter().chain(arguments).copied();
        let mut command = self.project.command(all);
        for name in VARIABLES {
            command.env_remove(name);
        }
        let sha = |name: &str| git(&self.project, &["rev-parse", name]);
        command
            .env("GITLAB_CI", "true")
            .env("CI_API_V4_URL", &self.api)
            .env("CI_COMMIT_SHA", sha("feature"))
            .env("CI_MERGE_REQUEST_DIFF_BASE_SHA", sha("main"))
            .env("CI_MERGE_REQUEST_IID", "2")
            .env("CI_MERGE_REQUEST_PROJECT_ID", "1")
            .env("GITLAB_TOKEN", TOKEN);
        let ran = Ran::of(&command.output().unwrap());
        assert!(!ran.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN));
        ran
    }

    /// The place of each discussion, and the first line of its suggestion.
    fn suggestions(&self) -> Vec<(Value, String)> {
        let suggestion = |discussion: &Value| {
            let note = &discussion["notes"][0];
            let mut position = note["position"].clone();
            let object = position.as_object_mut().unwrap();
            object.retain(|name, _| !name.ends_with("_sha") && name != "position_type");
            let body = note["body"].as_str().unwrap();
            let line = body
                .lines()
                .find(|line| line.contains("```suggestion"))
                .unwrap();
            (position, line.to_string())
        };
        self.gitlab().discussions.iter().map(suggestion).collect()
    }
}

/// A call of `gather` with so many arguments, each on a line.
fn gather(count: usize) -> String {
    let calls = "        f(),\n".repeat(count);
    format!(
        "import asyncio\n\n\nasync def f():\n    pass\n\n\nasync def main():\n    await asyncio.gather(\n\
         {calls}    )\n"
    )
}

#[test]
fn a_suggestion_is_on_its_last_line_and_says_how_far_it_reaches() {
    let before =
        "x = 1\nimport time\n\nprint(time.time())\n\n\nasync def f():\n    time.sleep(1)\n";
    let after = before
        .replace("x = 1", "import asyncio")
        .replace("f()", "g()");
    let merge_request = MergeRequest::new(
        &[("old.py", before)],
        &[
            ("new.py", &after),
            ("gather.py", &gather(3)),
            ("long.py", &gather(150)),
        ],
    );
    let ran = merge_request.run(&["--filter", "context"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let place =
        |path: &str, line: u64| json!({ "old_path": path, "new_path": path, "new_line": line });
    let mut renamed = place("new.py", 8);
    renamed["old_path"] = json!("old.py");
    renamed["old_line"] = json!(8);
    assert_eq!(
        merge_request.suggestions(),
        [
            (place("gather.py", 13), "```suggestion:-4+0".to_string()),
            (place("long.py", 109), "```suggestion:-100+51".to_string()),
            (renamed, "```suggestion:-0+0".to_string()),
        ]
    );
}

#[test]
fn what_is_longer_than_a_suggestion_may_be_is_in_the_summary() {
    let merge_request = MergeRequest::new(&[], &[("long.py", &gather(250))]);
    assert_eq!(merge_request.run(&[]).status, 0);
    assert_eq!(merge_request.suggestions(), []);
    let notes = &merge_request.gitlab().notes;
    assert!(
        notes[0]["body"]
            .as_str()
            .unwrap()
            .contains("replaces more than 201 lines")
    );
}

#[test]
fn a_second_run_says_nothing_twice_and_what_is_fixed_goes() {
    let merge_request = MergeRequest::new(&[], &[("a.py", SLEEPS)]);
    assert_eq!(merge_request.run(&[]).status, 0);
    let ran = merge_request.run(&[]);
    assert_eq!(
        ran.stderr,
        "Suggestions on merge request 2 of project 1: 1 as before.\n"
    );
    assert_eq!(merge_request.gitlab().asked.len(), 1);
    merge_request
        .project
        .write("a.py", SLEEPS.replace("time.sleep", "await asyncio.sleep"));
    super::pull::commit(&merge_request.project, "fixed");
    merge_request.gitlab().refs[2] = git(&merge_request.project, &["rev-parse", "feature"]);
    let ran = merge_request.run(&[]);
    assert_eq!(
        ran.stderr,
        "Suggestions on merge request 2 of project 1: 1 removed.\n"
    );
    assert_eq!(merge_request.suggestions(), []);
}

#[test]
fn what_is_not_allowed_or_not_accepted_is_said_elsewhere() {
    let merge_request = MergeRequest::new(&[], &[("a.py", SLEEPS)]);
    merge_request.gitlab().trouble = Some(Answer::new(403, json!({ "message": "403 Forbidden" })));
    let ran = merge_request.run(&[]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.stdout.contains("+    await asyncio.sleep(1)"),
        "{}",
        ran.stdout
    );
    let problem = json!({ "message": "400 Bad request - line_code can't be blank" });
    merge_request.gitlab().trouble = Some(Answer::new(400, problem));
    let ran = merge_request.run(&[]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("line_code can't be blank"),
        "{}",
        ran.stderr
    );
    let notes = &merge_request.gitlab().notes;
    assert!(
        notes[0]["body"]
            .as_str()
            .unwrap()
            .contains("+    await asyncio.sleep(1)")
    );
}

#[test]
fn a_pipeline_that_was_overtaken_says_nothing() {
    let merge_request = MergeRequest::new(&[], &[("a.py", SLEEPS)]);
    merge_request.gitlab().refs[2] = "0".repeat(40);
    let ran = merge_request.run(&[]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.contains("the merge request has moved on"),
        "{}",
        ran.stderr
    );
    assert!(merge_request.gitlab().asked.is_empty());
}
