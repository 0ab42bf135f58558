//! `asyncfix migrate plan`.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use campaign::{Config, Keeper, Planning, Problem};

use super::arguments::Plan;
use super::cells::repositories;
use super::{is_interrupted, program, watch_signals};
use crate::exit::Exit;
use crate::report::{self, summary::plural};
use crate::{arguments, target};

/// Plans, and says what could not be planned.
pub fn plan(arguments: &Plan) -> Result<Exit> {
    let (list, base) = read(&arguments.list)?;
    let config = config(arguments)?;
    watch_signals()?;
    let program = program()?;
    let is_table = arguments
        .list
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("csv"));
    let planning = Planning {
        list: &list,
        is_table,
        base: &base,
        folder: &arguments.folder.campaign,
        config,
        refresh: arguments.refresh,
        jobs: arguments.jobs.get(),
        keeper: Keeper {
            program: &program,
            is_interrupted: &is_interrupted,
        },
    };
    let planned = campaign::plan(&planning).map_err(|problem| anyhow!(problem))?;
    if planned.interrupted {
        report::line("Interrupted: campaign.lock is as it was.");
        return Ok(Exit::Interrupted);
    }
    let shown = arguments.list.display();
    let tell = |problems: &[Problem], what: &str| {
        for Problem { line, message } in problems {
            report::line(&format!("{shown}:{line}: {what}{message}"));
        }
    };
    tell(&planned.duplicates, "warning: ");
    tell(&planned.permanent, "");
    tell(&planned.retry, "for now: ");
    let failed = planned.permanent.len() + planned.retry.len();
    let left = if failed == 0 {
        String::new()
    } else {
        format!(", {} cannot be planned", plural(failed, "line"))
    };
    let kept = if planned.kept == 0 {
        String::new()
    } else {
        format!(" ({} as before)", planned.kept)
    };
    report::line(&format!(
        "Planned {}{kept}{left}. Next: asyncfix migrate run --campaign {}",
        repositories(planned.repositories),
        arguments.folder.campaign.display()
    ));
    Ok(if !planned.retry.is_empty() {
        Exit::Findings
    } else if !planned.permanent.is_empty() {
        Exit::Permanent
    } else {
        Exit::Success
    })
}

/// The list, and where paths in it start.
fn read(path: &Path) -> Result<(String, std::path::PathBuf)> {
    let here = || std::env::current_dir().context("the current directory cannot be used");
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok((text, here()?));
    }
    let text = fs_err::read_to_string(path)?;
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    Ok((text, here()?.join(folder.unwrap_or(Path::new("")))))
}

/// What `campaign.toml` says, and above it what was typed.
fn config(arguments: &Plan) -> Result<Config> {
    let path = arguments.folder.campaign.join("campaign.toml");
    let mut config = if path.exists() {
        let text = fs_err::read_to_string(&path)?;
        Config::parse(&text).map_err(|problem| anyhow!("`{}`: {problem}", path.display()))?
    } else {
        Config::default()
    };
    let typed = |value: &Option<String>, known: Option<String>| value.clone().or(known);
    config.name = typed(&arguments.name, config.name);
    config.target_version = typed(&arguments.target_version, config.target_version);
    config.setup = typed(&arguments.setup, config.setup);
    config.verify = typed(&arguments.verify, config.verify);
    config.author = typed(&arguments.author, config.author);
    if !arguments.select.is_empty() {
        config.select.clone_from(&arguments.select);
    }
    if !arguments.settings.is_empty() {
        config.settings.clone_from(&arguments.settings);
    }
    if arguments.unsafe_fixes || arguments.safe_only {
        (config.unsafe_fixes, config.safe_only) = (arguments.unsafe_fixes, arguments.safe_only);
    }
    config.no_types |= arguments.no_types;
    config.verify_timeout = arguments.verify_timeout.or(config.verify_timeout);
    config.verify_runs = arguments.verify_runs.or(config.verify_runs);
    config.timeout = arguments.timeout.or(config.timeout);
    config.fetch_timeout = arguments.fetch_timeout.or(config.fetch_timeout);
    if config.author.is_none() {
        config.author = campaign::git_author();
    }
    check(&config)?;
    Ok(config)
}

/// Whether asyncfix will take what the configuration gives it: better known before than of each
/// repository.
pub fn check(config: &Config) -> Result<()> {
    for name in &config.select {
        arguments::find(name).map_err(|problem| anyhow!("`select`: {problem}"))?;
    }
    if let Some(version) = &config.target_version {
        target::parse_version(version).map_err(|problem| anyhow!("`target-version`: {problem}"))?;
    }
    for setting in &config.settings {
        if !setting.contains('=') {
            bail!("`settings` are KEY=VALUE, and no file: `{setting}`");
        }
        crate::config::read_argument(setting)?;
    }
    Ok(())
}
