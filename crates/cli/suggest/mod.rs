//! `asyncfix suggest`: what is found, proposed on a pull request. What is said, and how, is decided
//! in the crate of that name; here is what it cannot know: the environment of the CI, git, files.
//!
//! Nothing of the pull request is executed: its files are read, and git is asked.

mod environment;
mod files;
mod pull_request;

use std::io::{self, Write};

use anyhow::{Result, bail};
use service::Failure as Refusal;
use suggest::{Done, File, GitHub, GitLab, Plan as Proposals, Said};

use crate::exit::Exit;
use crate::plan::{Plan, Verbosity};
use crate::report::{self, Entry, Failure, Standard, summary::plural};

use environment::{Service, Surroundings};

pub use files::files;
pub use pull_request::PullRequest;

/// Says it all on the pull request, or prints what would be sent.
pub fn propose(
    plan: &Plan,
    pull_request: &PullRequest,
    files: &[File],
    entries: &[Entry],
    failures: &[Failure],
) -> Result<Exit> {
    let surroundings = &pull_request.surroundings;
    let Some(proposal) = &plan.proposal else {
        return Ok(Exit::Success);
    };
    let limits = match &surroundings.service {
        Service::GitHub { .. } => GitHub::limits(proposal.comments),
        Service::GitLab { .. } => GitLab::limits(proposal.comments),
    };
    let proposals = suggest::plan(files, &pull_request.diff, &limits);
    if proposal.dry_run {
        return print_requests(plan, pull_request, &proposals);
    }
    let Some(token) = surroundings.token.clone() else {
        bail!(
            "there is no token: set {}",
            surroundings.service.token_name()
        );
    };
    let api = &surroundings.api;
    let said = match &surroundings.service {
        Service::GitHub { repository, number } => {
            let it = github(repository, number, pull_request);
            it.carry_out(proposals.clone(), &mut service::github(api, token))
        }
        Service::GitLab { project, number } => {
            let it = gitlab(project, number, pull_request);
            it.carry_out(proposals.clone(), &mut service::gitlab(api, token))
        }
    };
    match said {
        Ok(Said::All(done, unsaid)) => {
            for warning in &done.warnings {
                report::line(&format!("warning: {warning}"));
            }
            if let Some(summary) = unsaid {
                report::line("the summary cannot be a comment:");
                say_elsewhere(surroundings, &summary)?;
            }
            if plan.verbosity >= Verbosity::Normal {
                report::line(&sentence(&done, surroundings));
            }
            Ok(Exit::Success)
        }
        Ok(Said::NotAllowed(reason)) => {
            report::line(&format!(
                "{} does not allow comments on {}: {reason}. On the pull request of a fork it \
                 cannot; else {}. What was found is annotated instead.",
                surroundings.service.token_name(),
                surroundings.service.shown(),
                surroundings.service.permission(),
            ));
            say_without_comments(surroundings, &proposals, entries, failures)?;
            Ok(Exit::Success)
        }
        Err(failure) => {
            say_without_comments(surroundings, &proposals, entries, failures)?;
            report::error(&problem(&failure, &surroundings.service));
            Ok(Exit::Failure)
        }
    }
}

fn github(repository: &str, number: &str, pull_request: &PullRequest) -> GitHub {
    GitHub {
        repository: repository.to_string(),
        number: number.to_string(),
        commit: pull_request.head.clone(),
    }
}

fn gitlab(project: &str, number: &str, pull_request: &PullRequest) -> GitLab {
    GitLab {
        project: project.to_string(),
        number: number.to_string(),
        commit: pull_request.head.clone(),
        base: pull_request.parted.clone(),
    }
}

fn print_requests(plan: &Plan, pull_request: &PullRequest, proposals: &Proposals) -> Result<Exit> {
    let surroundings = &pull_request.surroundings;
    let requests = match &surroundings.service {
        Service::GitHub { repository, number } => {
            github(repository, number, pull_request).requests(proposals)
        }
        Service::GitLab { project, number } => {
            gitlab(project, number, pull_request).requests(proposals)
        }
    };
    let mut out = Standard::lock();
    let api = &surroundings.api;
    let printed: Vec<_> = requests.iter().map(|it| it.printed(api)).collect();
    serde_json::to_writer_pretty(&mut out, &printed).map_err(io::Error::from)?;
    writeln!(out)?;
    out.flush()?;
    if plan.verbosity >= Verbosity::Normal {
        for (name, stand_in) in &surroundings.missing {
            report::line(&format!("{name} is not set: `{stand_in}` stands for it"));
        }
        report::line(&format!(
            "Would suggest {} in {}. Nothing was sent.",
            plural(proposals.comments.len(), "rewrite"),
            plural(requests.len(), "request"),
        ));
    }
    Ok(Exit::Success)
}

/// Annotations where the service has them, and the summary with all patches.
fn say_without_comments(
    surroundings: &Surroundings,
    proposals: &Proposals,
    entries: &[Entry],
    failures: &[Failure],
) -> Result<()> {
    if matches!(surroundings.service, Service::GitHub { .. }) {
        let mut out = Standard::lock();
        report::github::print(entries, failures, &mut out)?;
        out.flush()?;
    }
    let all = proposals.without_comments("comments are not possible here");
    match suggest::summary(&all) {
        Some(summary) => say_elsewhere(surroundings, &summary),
        None => Ok(()),
    }
}

/// Says it on the page of the job, where there is one, else on standard output.
fn say_elsewhere(surroundings: &Surroundings, summary: &str) -> Result<()> {
    if let Some(path) = &surroundings.step_summary {
        let file = fs_err::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path);
        let written = file.and_then(|mut file| writeln!(file, "{summary}"));
        match written {
            Ok(()) => return Ok(()),
            Err(error) => report::line(&format!("GITHUB_STEP_SUMMARY: {error}")),
        }
    }
    // GitHub's runner takes a line that begins with `::`, blanks aside, for a command, and the patches
    // have lines of whoever made the pull request.
    let margin = match surroundings.service {
        Service::GitHub { .. } => "| ",
        Service::GitLab { .. } => "",
    };
    let mut out = Standard::lock();
    for line in summary.lines() {
        writeln!(out, "{margin}{line}")?;
    }
    out.flush()?;
    Ok(())
}

/// What is wrong, and what can be done about it.
fn problem(failure: &Refusal, service: &Service) -> String {
    let token = service.token_name();
    let advice = match failure {
        Refusal::Unauthorized(_) => format!("{token} is not valid: give it a new one"),
        Refusal::Forbidden(_) => format!("{token} does not allow it: {}", service.permission()),
        Refusal::Missing(_) => {
            format!("there is no such thing, or {token} may not know of it")
        }
        Refusal::Invalid(_) => "the service does not accept it".to_string(),
        Refusal::Limited(_) => {
            "the service has had too many requests, for longer than can be waited: run it again \
             later"
                .to_string()
        }
        Refusal::Unclear(_) | Refusal::Broken(_) => {
            "the service does not answer as it should: run it again later".to_string()
        }
    };
    format!("{failure}: {advice}")
}

/// `Suggested 3 rewrites on pull request 7 of o/r: 2 new, 1 as before. 4 are in the summary.`
fn sentence(done: &Done, surroundings: &Surroundings) -> String {
    let place = surroundings.service.shown();
    let parts = [
        (done.created, "new"),
        (done.updated, "changed"),
        (done.kept, "as before"),
        (done.deleted, "removed"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let suggested = if parts.is_empty() {
        format!("No suggestions on {place}.")
    } else {
        format!("Suggestions on {place}: {}.", parts.join(", "))
    };
    let rest = done.rest;
    if rest == 0 {
        return suggested;
    }
    format!(
        "{suggested} {} in the summary.",
        plural(rest, "more change")
    )
}
