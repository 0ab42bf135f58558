//! A pull request: a repository with two branches, a service, and asyncfix as its CI runs it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::github::{GitHub, TOKEN};
use super::server::serve;
use crate::project::{Project, Ran};

pub struct Pull {
    pub project: Project,
    /// What is no part of the repository.
    pub beside: tempfile::TempDir,
    github: Arc<Mutex<GitHub>>,
    api: String,
}

/// What the CI's of the developer may have set.
pub const VARIABLES: &[&str] = &[
    "GITHUB_ACTIONS",
    "GITHUB_API_URL",
    "GITHUB_EVENT_PATH",
    "GITHUB_REPOSITORY",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_TOKEN",
    "GITEA_ACTIONS",
    "FORGEJO_ACTIONS",
    "GITLAB_CI",
    "GITLAB_TOKEN",
    "CI_API_V4_URL",
    "CI_COMMIT_SHA",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA",
    "CI_MERGE_REQUEST_IID",
    "CI_MERGE_REQUEST_PROJECT_ID",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

pub fn git(project: &Project, arguments: &[&str]) -> String {
    let who = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
    let more = ["-c", "core.autocrlf=false", "-c", "core.quotepath=off"];
    let output = project.tool("git", &[&who, &more, arguments].concat(), b"");
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_string()
}

pub fn commit(project: &Project, message: &str) {
    git(project, &["add", "--all"]);
    git(
        project,
        &["commit", "--quiet", "--allow-empty", "--message", message],
    );
}

/// A repository whose branch `feature`, which is checked out, turns `before` into `after`.
pub fn repository(before: &[(&str, &str)], after: &[(&str, &str)]) -> Project {
    let project = Project::new([]);
    git(&project, &["init", "--quiet", "--initial-branch", "main"]);
    for (name, text) in before {
        project.write(name, text);
    }
    commit(&project, "main");
    git(&project, &["checkout", "--quiet", "-b", "feature"]);
    for (name, _) in before {
        fs::remove_file(project.path(name)).unwrap();
    }
    for (name, text) in after {
        project.write(name, text);
    }
    commit(&project, "feature");
    project
}

impl Pull {
    pub fn new(before: &[(&str, &str)], after: &[(&str, &str)]) -> Self {
        Self::of(repository(before, after))
    }

    /// Whose head is `feature`, to be merged into `main`.
    pub fn of(project: Project) -> Self {
        let head = git(&project, &["rev-parse", "feature"]);
        let github = Arc::new(Mutex::new(GitHub::new(head, shown(&project))));
        let api = serve(&github);
        let pull = Self {
            project,
            beside: tempfile::tempdir().unwrap(),
            github,
            api,
        };
        pull.write_event();
        pull
    }

    pub fn github(&self) -> MutexGuard<'_, GitHub> {
        self.github.lock().unwrap()
    }

    fn write_event(&self) {
        let sha = |name: &str| git(&self.project, &["rev-parse", name]);
        let event = json!({
            "action": "synchronize",
            "pull_request": {
                "number": 7,
                "head": { "sha": sha("feature"), "ref": "feature" },
                "base": { "sha": sha("main"), "ref": "main" },
            },
        });
        fs::write(self.beside.path().join("event.json"), event.to_string()).unwrap();
    }

    /// Commits what was written on `feature`, and pushes it.
    pub fn push(&self) {
        commit(&self.project, "more");
        self.write_event();
        let mut github = self.github();
        github.head = git(&self.project, &["rev-parse", "feature"]);
        github.diff = shown(&self.project);
    }

    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        self.typed(&[&["--no-types"], arguments].concat())
    }

    /// The same with types.
    pub fn typed(&self, arguments: &[&str]) -> std::process::Command {
        let all = ["suggest"].iter().chain(arguments).copied();
        let mut command = self.project.command(all);
        for name in VARIABLES {
            command.env_remove(name);
        }
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_API_URL", &self.api)
            .env("GITHUB_REPOSITORY", "o/r")
            .env("GITHUB_EVENT_PATH", self.beside.path().join("event.json"))
            .env("GITHUB_STEP_SUMMARY", self.beside.path().join("summary.md"))
            .env("GITHUB_TOKEN", TOKEN);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let ran = Ran::of(&self.command(arguments).output().unwrap());
        for text in [&ran.stdout, &ran.stderr, &self.step_summary()] {
            assert!(!text.contains(TOKEN), "{text}");
        }
        for (_, request) in &self.github().desk.asked {
            assert!(!request.body.to_string().contains(TOKEN));
        }
        ran
    }

    /// What stands on the page of the job.
    pub fn step_summary(&self) -> String {
        fs::read_to_string(self.beside.path().join("summary.md")).unwrap_or_default()
    }

    /// The comment on the whole, if there is one.
    pub fn summary(&self) -> Option<String> {
        let comments = &self.github().issue_comments;
        assert!(comments.len() < 2);
        Some(comments.first()?["body"].as_str().unwrap().to_string())
    }

    /// The first and the last line of each suggestion, after its file.
    pub fn places(&self) -> Vec<String> {
        let place = |comment: &Value| {
            let path = comment["path"].as_str().unwrap();
            match &comment["start_line"] {
                Value::Null => format!("{path}:{}", comment["line"]),
                start => format!("{path}:{start}-{}", comment["line"]),
            }
        };
        let mut places: Vec<String> = self.github().comments.iter().map(place).collect();
        places.sort();
        places
    }

    pub fn bodies(&self) -> Vec<String> {
        let body = |comment: &Value| comment["body"].as_str().unwrap().to_string();
        self.github().comments.iter().map(body).collect()
    }
}

/// The rows of each file that the pull request shows, as git prints them with three lines of context.
fn shown(project: &Project) -> BTreeMap<String, Vec<RangeInclusive<u64>>> {
    let patch = git(project, &["diff", "-M", "main...feature"]);
    let mut files: BTreeMap<String, Vec<RangeInclusive<u64>>> = BTreeMap::new();
    let mut file = None;
    for line in patch.lines() {
        if let Some(name) = line.strip_prefix("+++ b/") {
            file = Some(name.trim_end_matches('\t').to_string());
        } else if let Some(header) = line.strip_prefix("@@ -") {
            let rows = header.split(['+', ' ']).nth(2).unwrap();
            let (start, count) = rows.split_once(',').unwrap_or((rows, "1"));
            let (start, count): (u64, u64) = (start.parse().unwrap(), count.parse().unwrap());
            if count > 0 {
                let hunks = files.entry(file.clone().unwrap()).or_default();
                hunks.push(start..=start + count - 1);
            }
        }
    }
    files
}
