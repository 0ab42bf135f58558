//! `asyncfix migrate run` and `asyncfix migrate retry`.

use std::num::NonZeroUsize;

use anyhow::{Context, Result, anyhow, bail};
use campaign::{Campaign, Keeper, Options, Ran, Shard};

use super::arguments::{Retry, Run};
use super::cells::repositories;
use super::live::Live;
use super::plan::check;
use super::{is_interrupted, open, program, watch_signals};
use crate::exit::Exit;
use crate::report;

/// Works on what is open, and says how the campaign stands.
pub fn run(arguments: &Run) -> Result<Exit> {
    let campaign = open(&arguments.folder)?;
    work(&campaign, arguments)
}

/// Opens what failed, and works on what is open.
pub fn retry(arguments: &Retry) -> Result<Exit> {
    let campaign = open(&arguments.run.folder)?;
    let known = |name: &&String| {
        let mut repositories = campaign.lock.repositories.iter();
        repositories.all(|it| it.name != **name)
    };
    if let Some(name) = arguments.names.iter().find(known) {
        bail!(
            "no repository of the campaign is named `{name}`: `asyncfix migrate status` names them"
        );
    }
    let mut database = campaign.database().map_err(|problem| anyhow!(problem))?;
    let opened = database
        .retry(&arguments.names)
        .map_err(|problem| anyhow!(problem))?;
    if !arguments.run.quiet {
        report::line(&format!("Tried again: {}.", repositories(opened)));
    }
    work(&campaign, &arguments.run)
}

fn work(campaign: &Campaign, arguments: &Run) -> Result<Exit> {
    check(&campaign.config).context("campaign.toml")?;
    let shard = arguments.shard.as_deref().map(shard).transpose()?;
    watch_signals()?;
    let program = program()?;
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let options = Options {
        jobs: arguments.jobs.map_or(cores.div_ceil(2), NonZeroUsize::get),
        shard,
        keep_trees: arguments.keep_trees,
        keeper: Keeper {
            program: &program,
            is_interrupted: &is_interrupted,
        },
    };
    let rows = campaign.database().and_then(|database| database.rows());
    let mut rows = rows.map_err(|problem| anyhow!(problem))?;
    if let Some(shard) = shard {
        rows.retain(|row| shard.has_url(&row.repository.url));
    }
    let live = Live::new(&rows, arguments.quiet);
    let ran = campaign::run(campaign, &options, &live);
    live.finish();
    let ran = ran.map_err(|problem| anyhow!(problem))?;
    if !arguments.quiet {
        report::line(&sentence(&ran));
        if !ran.interrupted && ran.done > 0 {
            let folder = arguments.folder.campaign.display();
            report::line(&format!(
                "Next: asyncfix migrate report --campaign {folder}"
            ));
        }
    }
    Ok(exit(&ran))
}

/// The exit status that says how a campaign stands.
fn exit(ran: &Ran) -> Exit {
    if ran.interrupted {
        Exit::Interrupted
    } else if ran.retry > 0 || ran.pending > 0 {
        Exit::Findings
    } else if ran.permanent > 0 {
        Exit::Permanent
    } else {
        Exit::Success
    }
}

/// `I/N`, or `N` with the variable that Kubernetes sets.
fn shard(text: &str) -> Result<Shard> {
    const INDEX: &str = "JOB_COMPLETION_INDEX";
    if text.contains('/') {
        return text
            .parse()
            .map_err(|problem| anyhow!("--shard: {problem}"));
    }
    let Ok(index) = std::env::var(INDEX) else {
        bail!("--shard {text}: {INDEX} is not set: write `--shard I/{text}`, from 0/{text} on");
    };
    format!("{index}/{text}")
        .parse()
        .map_err(|problem| anyhow!("--shard {text} with {INDEX}={index}: {problem}"))
}

fn sentence(ran: &Ran) -> String {
    let mut parts = vec![format!("{} of {} done", ran.done, ran.planned)];
    if ran.troubled > 0 {
        parts.push(format!("{} of them with problems", ran.troubled));
    }
    for (count, what) in [
        (ran.retry, "failed for now"),
        (ran.permanent, "failed"),
        (ran.pending, "open"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let said = parts.join(", ");
    if ran.interrupted {
        format!("Interrupted: {said}. The same command goes on.")
    } else if ran.retry > 0 {
        format!("{said}. The same command tries what failed for now.")
    } else {
        format!("{said}.")
    }
}
