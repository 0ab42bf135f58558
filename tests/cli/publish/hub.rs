//! What a scenario has to know of a service, whichever it is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::github::GitHub;
use super::gitlab::{self, GitLab};
use crate::suggest::described::Trouble;
use crate::suggest::github::TOKEN;
use crate::suggest::server::{Answer, Request, Service};

/// A service, as it is called by name.
#[derive(Clone, Copy)]
pub struct At {
    /// As `--provider` takes it.
    pub provider: &'static str,
    pub host: &'static str,
    /// The interface at its usual address.
    pub api: &'static str,
    /// What stands before the name of a repository.
    pub owner: &'static str,
    /// Whom git is to say that it is.
    pub user: &'static str,
    /// The variable with the token.
    pub variable: &'static str,
    pub token: &'static str,
    /// The operations that make a pull request, and change one.
    pub create: &'static str,
    pub update: &'static str,
    /// That which tells somebody to look at it.
    pub ask: &'static str,
    hub: fn() -> Hub,
}

pub const GITHUB: At = At {
    provider: "github",
    host: "github.com",
    api: "https://api.github.com",
    owner: "o",
    user: "x-access-token",
    variable: "GITHUB_TOKEN",
    token: TOKEN,
    create: "pulls/create",
    update: "pulls/update",
    ask: "issues/add-assignees",
    hub: || Hub::GitHub(GitHub::new()),
};

pub const GITLAB: At = At {
    provider: "gitlab",
    host: "gitlab.com",
    api: "https://gitlab.com/api/v4",
    // There are groups in groups.
    owner: "g/o",
    user: "oauth2",
    variable: "GITLAB_TOKEN",
    token: gitlab::TOKEN,
    create: "merge_requests/create",
    update: "merge_requests/update",
    ask: "users/list",
    hub: || Hub::GitLab(GitLab::new()),
};

impl At {
    pub fn hub(self) -> Hub {
        (self.hub)()
    }

    /// The page of a pull request.
    pub fn page(self, name: &str, number: u64) -> String {
        let Self { host, owner, .. } = self;
        match self.provider {
            "github" => format!("https://{host}/{owner}/{name}/pull/{number}"),
            _ => format!("https://{host}/{owner}/{name}/-/merge_requests/{number}"),
        }
    }
}

/// A service that runs.
pub enum Hub {
    GitHub(GitHub),
    GitLab(GitLab),
}

/// What people see of a pull request.
#[derive(Clone, Debug)]
pub struct Seen {
    pub url: String,
    /// Without what says that it is a draft.
    pub title: String,
    pub body: String,
    pub base: String,
    pub is_draft: bool,
    pub users: Vec<String>,
    pub teams: Vec<String>,
}

impl Service for Hub {
    fn answer(&mut self, request: &Request) -> Answer {
        match self {
            Self::GitHub(hub) => hub.answer(request),
            Self::GitLab(hub) => hub.answer(request),
        }
    }
}

impl Hub {
    /// What was asked, by operation.
    pub fn asked(&self) -> &[(String, Request)] {
        match self {
            Self::GitHub(hub) => &hub.desk.asked,
            Self::GitLab(hub) => &hub.desk.asked,
        }
    }

    /// What goes wrong from here on.
    pub fn go_wrong(&mut self, troubles: Vec<Trouble>) {
        match self {
            Self::GitHub(hub) => hub.desk.troubles = troubles,
            Self::GitLab(hub) => hub.desk.troubles = troubles,
        }
    }

    /// How often each operation was asked that changes something.
    pub fn changes(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for (operation, request) in self.asked() {
            if request.method != "GET" {
                *counts.entry(operation.as_str()).or_default() += 1;
            }
        }
        counts
    }

    fn pulls(&mut self) -> &mut BTreeMap<(String, u64), Value> {
        match self {
            Self::GitHub(hub) => &mut hub.pulls,
            Self::GitLab(hub) => &mut hub.pulls,
        }
    }

    /// The only pull request of a repository.
    #[track_caller]
    fn pull(&mut self, name: &str) -> &mut Value {
        let is_it = |key: &(String, u64)| key.0.rsplit('/').next() == Some(name);
        let mut of_it = self.pulls().iter_mut().filter(|it| is_it(it.0));
        let (_, pull) = of_it.next().unwrap();
        assert!(of_it.next().is_none(), "{name} has more than one");
        pull
    }

    /// The only pull request of a repository.
    #[track_caller]
    pub fn seen(&mut self, name: &str) -> Seen {
        let pull = self.pull(name).clone();
        match self {
            Self::GitHub(_) => GitHub::seen(&pull),
            Self::GitLab(_) => GitLab::seen(&pull),
        }
    }

    /// Those that have a pull request.
    pub fn names(&mut self) -> Vec<String> {
        let name = |key: &(String, u64)| key.0.rsplit('/').next().unwrap().to_string();
        self.pulls().keys().map(name).collect()
    }

    /// Somebody does not want it.
    pub fn close(&mut self, name: &str) {
        self.pull(name)["state"] = json!("closed");
    }

    /// Somebody merges it.
    pub fn merge(&mut self, name: &str) {
        let state = match self {
            Self::GitHub(_) => "closed",
            Self::GitLab(_) => "merged",
        };
        let pull = self.pull(name);
        pull["state"] = json!(state);
        pull["merged_at"] = json!("2026-11-27T00:00:00Z");
    }

    /// Somebody says that it may be merged.
    pub fn make_ready(&mut self, name: &str) {
        let title = self.seen(name).title;
        let pull = self.pull(name);
        pull["title"] = json!(title);
        for name in ["draft", "work_in_progress"] {
            if let Some(is_draft) = pull.get_mut(name) {
                *is_draft = json!(false);
            }
        }
    }

    /// Somebody takes it off those whom it was assigned to.
    pub fn unassign(&mut self, name: &str) {
        self.pull(name)["assignees"] = json!([]);
    }
}
