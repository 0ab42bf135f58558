//! What the CI says of the pull request. Nothing of it is guessed: what is missing is an error
//! that names it, but where nothing is sent.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use service::Token;

use crate::arguments::Provider;
use crate::plan::Proposal;

/// Where, and by whose leave, something is to be said.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub service: Service,
    /// The base of its interface.
    pub api: String,
    /// None where nothing is sent.
    pub token: Option<Token>,
    /// What the pull request is to be merged into.
    pub base: Base,
    /// Its last commit; none for what is checked out.
    pub head: Option<Named>,
    /// Where the page of the job is written to.
    pub step_summary: Option<PathBuf>,
    /// The variables that something stands for, since nothing is sent, and what that is.
    pub missing: Vec<(&'static str, String)>,
}

/// A revision, and who names it.
#[derive(Clone, Debug)]
pub struct Named {
    pub revision: String,
    /// As messages name it: an option, or a variable.
    pub option: &'static str,
}

/// What a pull request is to be merged into.
#[derive(Clone, Debug)]
pub struct Base {
    /// What lines have to differ from to count.
    pub of_lines: Named,
    /// What the service's diff begins at.
    pub of_diff: Named,
}

/// A pull request of a service.
#[derive(Clone, Debug)]
pub enum Service {
    GitHub { repository: String, number: String },
    GitLab { project: String, number: String },
}

impl Service {
    /// As messages name it.
    pub fn shown(&self) -> String {
        match self {
            Service::GitHub { repository, number } => {
                format!("pull request {number} of {repository}")
            }
            Service::GitLab { project, number } => {
                format!("merge request {number} of project {project}")
            }
        }
    }

    /// The variable that holds the token.
    pub fn token_name(&self) -> &'static str {
        match self {
            Service::GitHub { .. } => "GITHUB_TOKEN",
            Service::GitLab { .. } => "GITLAB_TOKEN",
        }
    }

    /// What the token has to allow.
    pub fn permission(&self) -> &'static str {
        match self {
            Service::GitHub { .. } => "the job wants `permissions: pull-requests: write`",
            Service::GitLab { .. } => {
                "it wants the scope `api`, and the role of a reporter; CI_JOB_TOKEN cannot comment"
            }
        }
    }
}

/// The environment's variables, and what was asked of it in vain.
struct Variables<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    is_dry: bool,
    missing: Vec<(&'static str, String)>,
}

impl Variables<'_> {
    /// One that may be missing.
    fn get(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.is_empty())
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name).as_deref() == Some("true")
    }

    /// One that has to be there; where nothing is sent, `stand_in` does as well.
    fn need(&mut self, name: &'static str, why: &str, stand_in: &str) -> Result<String> {
        match self.get(name) {
            Some(value) => Ok(value),
            None if self.is_dry => {
                self.missing.push((name, stand_in.to_string()));
                Ok(stand_in.to_string())
            }
            None => bail!("{name} is not set: {why}"),
        }
    }
}

impl Surroundings {
    /// As the environment, whose variables `get` gives, and the arguments say.
    pub fn new(proposal: &Proposal, get: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let variables = Variables {
            get,
            is_dry: proposal.dry_run,
            missing: Vec::new(),
        };
        // Their variables are those of GitHub, with which they want to be compatible.
        for (name, service) in [("GITEA_ACTIONS", "Gitea"), ("FORGEJO_ACTIONS", "Forgejo")] {
            if variables.is_true(name) && proposal.provider.is_none() {
                bail!("{service} has no suggestions: `suggest` is for GitHub and GitLab");
            }
        }
        let provider = match proposal.provider {
            Some(provider) => provider,
            None if variables.is_true("GITHUB_ACTIONS") => Provider::Github,
            None if variables.is_true("GITLAB_CI") => Provider::Gitlab,
            None if proposal.dry_run => Provider::Github,
            None => bail!(
                "this is neither GitHub's CI nor GitLab's (GITHUB_ACTIONS, GITLAB_CI): use \
                 --dry-run to see what would be proposed, or name the service with --provider"
            ),
        };
        match provider {
            Provider::Github => github(proposal, variables),
            Provider::Gitlab => gitlab(proposal, variables),
        }
    }
}

/// Source: GitHub Docs, "Variables reference" and "Webhook events and payloads".
fn github(proposal: &Proposal, mut variables: Variables) -> Result<Surroundings> {
    let event = event(&mut variables)?;
    let number = match &event {
        None => "{pull_number}".to_string(),
        Some(event) => match event["number"].as_u64() {
            Some(number) => number.to_string(),
            None => bail!("the event of GITHUB_EVENT_PATH holds no pull_request.number"),
        },
    };
    let sha = |side: &str| {
        let sha = event.as_ref()?[side]["sha"].as_str()?;
        Some(sha.to_string())
    };
    let head = match (&event, sha("head")) {
        (Some(_), None) => bail!("the event of GITHUB_EVENT_PATH holds no pull_request.head.sha"),
        (_, sha) => sha.map(|revision| Named {
            revision,
            option: "pull_request.head.sha",
        }),
    };
    let base = sha("base").map(|revision| Named {
        revision,
        option: "pull_request.base.sha",
    });
    let repository = variables.need(
        "GITHUB_REPOSITORY",
        "it says whose pull request it is, as owner/name",
        "{owner}/{repo}",
    )?;
    let api = variables.need(
        "GITHUB_API_URL",
        "it is the address of the interface, as https://api.github.com",
        "https://api.github.com",
    )?;
    let token = token(
        &mut variables,
        "GITHUB_TOKEN",
        "give the step `env: GITHUB_TOKEN: ${{ github.token }}`, and the job `permissions: \
         pull-requests: write`",
    )?;
    Ok(Surroundings {
        service: Service::GitHub { repository, number },
        api,
        token,
        base: bases(proposal, base, "GITHUB_EVENT_PATH")?,
        head,
        step_summary: variables.get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
        missing: variables.missing,
    })
}

/// The pull request of the event; none where there is no event, and nothing is sent.
fn event(variables: &mut Variables) -> Result<Option<Value>> {
    let path = variables.need(
        "GITHUB_EVENT_PATH",
        "it is the file that says which pull request it is",
        "{pull_number}",
    )?;
    if variables.get("GITHUB_EVENT_PATH").is_none() {
        return Ok(None);
    }
    let text = fs_err::read_to_string(&path).context("GITHUB_EVENT_PATH cannot be read")?;
    let mut event: Value =
        serde_json::from_str(&text).context("GITHUB_EVENT_PATH holds no JSON")?;
    match event.get_mut("pull_request").map(Value::take) {
        Some(pull_request) if pull_request.is_object() => Ok(Some(pull_request)),
        _ => bail!(
            "the event of GITHUB_EVENT_PATH is not one of a pull request: run `asyncfix suggest` on \
             `pull_request`"
        ),
    }
}

/// Source: GitLab Docs, "Predefined CI/CD variables reference".
fn gitlab(proposal: &Proposal, mut variables: Variables) -> Result<Surroundings> {
    let number = variables.need(
        "CI_MERGE_REQUEST_IID",
        "the pipeline is not one of a merge request: run the job with `rules: - if: \
         $CI_PIPELINE_SOURCE == \"merge_request_event\"`",
        "{merge_request_iid}",
    )?;
    let project = variables.need(
        "CI_MERGE_REQUEST_PROJECT_ID",
        "it says whose merge request it is",
        "{id}",
    )?;
    let api = variables.need(
        "CI_API_V4_URL",
        "it is the address of the interface, as https://gitlab.com/api/v4",
        "https://gitlab.com/api/v4",
    )?;
    // A pipeline for merged results runs on a commit that is in no branch.
    let of_branch = variables
        .get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
        .map(|revision| Named {
            revision,
            option: "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA",
        });
    let of_pipeline = || {
        variables.get("CI_COMMIT_SHA").map(|revision| Named {
            revision,
            option: "CI_COMMIT_SHA",
        })
    };
    let head = of_branch.or_else(of_pipeline);
    if head.is_none() && !variables.is_dry {
        bail!("CI_COMMIT_SHA is not set: it is the commit that the comments are about");
    }
    let base = variables
        .get("CI_MERGE_REQUEST_DIFF_BASE_SHA")
        .map(|revision| Named {
            revision,
            option: "CI_MERGE_REQUEST_DIFF_BASE_SHA",
        });
    let token = token(
        &mut variables,
        "GITLAB_TOKEN",
        "make a token of the project with the scope `api`, and a masked variable of it; \
         CI_JOB_TOKEN cannot comment",
    )?;
    Ok(Surroundings {
        service: Service::GitLab { project, number },
        api,
        token,
        base: bases(proposal, base, "CI_MERGE_REQUEST_DIFF_BASE_SHA")?,
        head,
        step_summary: None,
        missing: variables.missing,
    })
}

fn bases(proposal: &Proposal, base: Option<Named>, name: &str) -> Result<Base> {
    let typed = proposal.base.clone().map(|revision| Named {
        revision,
        option: "--base",
    });
    let Some(of_lines) = typed.clone().or_else(|| base.clone()) else {
        bail!(
            "what the pull request is to be merged into is not known: name it, as in `--base main`, \
             or set {name}"
        );
    };
    Ok(Base {
        of_diff: base.unwrap_or_else(|| of_lines.clone()),
        of_lines,
    })
}

/// None where nothing is sent: there it is not even looked at.
fn token(variables: &mut Variables, name: &'static str, how: &str) -> Result<Option<Token>> {
    if variables.is_dry {
        return Ok(None);
    }
    let token = variables.need(name, how, "")?;
    Ok(Some(Token::new(token.trim().to_string())))
}
