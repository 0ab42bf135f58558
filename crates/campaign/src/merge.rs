//! Parts of a campaign that were run apart, put together.

use std::path::{Path, PathBuf};

use crate::child::Keeper;
use crate::database::{Database, Imported};
use crate::failure::Failure;
use crate::folder::{self, Campaign, MARKER};
use crate::git::Git;
use crate::lock::{Lock, Repository};
use crate::steps;

/// What merging came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// How many repositories the campaign has.
    pub repositories: usize,
    /// How many of them were taken over from a part.
    pub taken: usize,
}

/// Puts what was found out in `parts` into the campaign in `into`, which is made where there is
/// none. The parts are campaigns with the same configuration; they stay as they are.
pub fn merge(parts: &[PathBuf], into: &Path, keeper: Keeper) -> Result<Merged, String> {
    let parts: Vec<Campaign> = parts
        .iter()
        .map(|part| Campaign::open(part))
        .collect::<Result<_, _>>()?;
    let campaign = target(&parts, into)?;
    let mut database = campaign.database()?;
    let rows = steps::aim(&campaign, &mut database)?;
    let mut merged = Merged {
        repositories: rows.len(),
        taken: 0,
    };
    for part in &parts {
        // It may be of an earlier version, which opening it mends.
        part.database()?;
        let path = part.folder().join("campaign.db");
        database.import(&path, |imported| {
            merged.taken += imported.len();
            for one in imported {
                take_files(part, &campaign, one, keeper)?;
            }
            Ok(())
        })?;
    }
    Ok(merged)
}

/// The campaign that is merged into, with all that the parts have planned.
fn target(parts: &[Campaign], into: &Path) -> Result<Campaign, String> {
    let Some(first) = parts.first() else {
        return Err("there is nothing to merge: name the folders of the parts".to_string());
    };
    let name = first.name();
    let known = if into.join("campaign.lock").exists() {
        Some(Campaign::open(into)?)
    } else {
        None
    };
    let mut config = first.config.clone();
    // The branches keep their name, whatever the folder is called.
    config.name = Some(name.clone());
    let mut repositories: Vec<Repository> = Vec::new();
    for campaign in known.iter().chain(parts) {
        let mut own = campaign.config.clone();
        own.name = Some(campaign.name());
        if own != config {
            return Err(format!(
                "`{}` and `{}` are not parts of one campaign: their campaign.toml differ",
                campaign.folder().display(),
                first.folder().display()
            ));
        }
        for repository in &campaign.lock.repositories {
            match repositories.iter().find(|it| it.name == repository.name) {
                None => repositories.push(repository.clone()),
                Some(known) if known == repository => {}
                Some(_) => {
                    return Err(format!(
                        "`{}` is planned differently in `{}`: their campaign.lock differ",
                        repository.name,
                        campaign.folder().display()
                    ));
                }
            }
        }
    }
    let folder = Campaign::create(into, &config)?;
    let write = |name: &str, text: &str| {
        folder::write(&folder.join(name), text.as_bytes()).map_err(|error| error.to_string())
    };
    Database::open(&folder.join("campaign.db"))?;
    write("campaign.lock", &Lock::new(repositories).to_text()?)?;
    Campaign::open(&folder)
}

/// Takes over the patch, what asyncfix said, the logs, and the branch.
fn take_files(
    part: &Campaign,
    campaign: &Campaign,
    one: &Imported,
    keeper: Keeper,
) -> Result<(), String> {
    let name = one.name.as_str();
    let patch = |it: &Campaign| it.folder().join(it.patch(name));
    let mut files = vec![
        (patch(part), patch(campaign)),
        (part.outcome(name), campaign.outcome(name)),
    ];
    for what in ["setup", "transform"] {
        files.push((part.log(name, what), campaign.log(name, what)));
    }
    for (from, to) in files {
        if from.exists() {
            let bytes = fs_err::read(&from).map_err(|error| error.to_string())?;
            folder::write(&to, &bytes).map_err(|error| error.to_string())?;
        } else if to.exists() {
            fs_err::remove_file(&to).map_err(|error| error.to_string())?;
        }
    }
    let repositories = &campaign.lock.repositories;
    let Some(repository) = repositories.iter().find(|it| it.name == name) else {
        return Ok(());
    };
    let (from, to) = (part.mirror(repository)?, campaign.mirror(repository)?);
    if !from.join(MARKER).exists() {
        return Ok(());
    }
    mirror(&from, &to, repository, one, keeper).map_err(|error| error.to_string())
}

/// Brings what a mirror has into another, which is made where there is none.
fn mirror(
    from: &Path,
    to: &Path,
    repository: &Repository,
    one: &Imported,
    keeper: Keeper,
) -> Result<(), Failure> {
    steps::alone_with_mirror(to, keeper, |git| fetch(from, to, repository, one, git))
}

fn fetch(
    from: &Path,
    to: &Path,
    repository: &Repository,
    one: &Imported,
    git: Git,
) -> Result<(), Failure> {
    steps::make_mirror(to, git, &repository.url)?;
    let from = from.to_string_lossy();
    let mut fetch = git
        .local(to)
        .arguments([
            "fetch",
            "--quiet",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
        ])
        .arguments(["--no-tags", "--force", "--", &from])
        .arguments(["+refs/remotes/*:refs/remotes/*", "+refs/tags/*:refs/tags/*"])
        .arguments(["+refs/asyncfix/*:refs/asyncfix/*"]);
    if let Some(branch) = &one.branch {
        let branch = format!("+refs/heads/{branch}:refs/heads/{branch}");
        fetch = fetch.arguments([branch.as_str()]);
    }
    fetch.stdout().map(drop)
}
