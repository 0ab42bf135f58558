//! `asyncfix migrate run`.

use std::num::NonZeroUsize;

use anyhow::{Result, anyhow, bail};
use campaign::{Event, Failure, Keeper, Options, Ran, Shard, Watch};

use super::arguments::Run;
use super::{is_interrupted, open, program, watch_signals};
use crate::exit::Exit;
use crate::report;

/// Works on what is open, and says how the campaign stands.
pub fn run(arguments: &Run) -> Result<Exit> {
    let campaign = open(&arguments.folder)?;
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
    let lines = Lines {
        is_wanted: !arguments.quiet,
    };
    let ran = campaign::run(&campaign, &options, &lines).map_err(|problem| anyhow!(problem))?;
    if !arguments.quiet {
        report::line(&sentence(&ran));
    }
    Ok(exit(&ran))
}

/// The exit status that says how a campaign stands.
pub fn exit(ran: &Ran) -> Exit {
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
    for (count, what) in [
        (ran.retry, "failed, and may go well another time"),
        (ran.permanent, "failed for good"),
        (ran.pending, "open"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let said = parts.join(", ");
    if ran.interrupted {
        format!("Interrupted: {said}. The same command goes on.")
    } else {
        format!("{said}.")
    }
}

/// A line for each repository that is over.
struct Lines {
    is_wanted: bool,
}

impl Watch for Lines {
    fn on(&self, event: &Event) {
        match event {
            Event::Failed(
                repository,
                step,
                failure @ (Failure::Retry(_) | Failure::Permanent(_)),
            ) => {
                let name = &repository.name;
                report::line(&format!("{name}: {}: {failure}", step.as_str()));
            }
            Event::Done(repository, made) if self.is_wanted => {
                report::line(&format!(
                    "{}: {} found, {} fixed, {} withheld",
                    repository.name, made.found, made.fixed, made.withheld
                ));
            }
            _ => {}
        }
    }
}
