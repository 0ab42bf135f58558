//! A bare copy of the repository on this machine. All entries of one address share it, and it is
//! fetched into only where a commit is missing.

use std::path::Path;

use super::Place;
use crate::child::Keeper;
use crate::failure::Failure;
use crate::folder::{self, MARKER, hold, wait_for_keepers};
use crate::git::Git;
use crate::plan::of_remote;

/// Makes it, or sees that it has the commit.
pub fn mirror(place: &Place) -> Result<(), Failure> {
    alone(&place.mirror, place.keeper, |git| fill(place, git))
}

fn fill(place: &Place, git: Git) -> Result<(), Failure> {
    let mirror = place.mirror.as_path();
    make(mirror, git, &place.repository.url)?;
    let commit = place.repository.commit.as_str();
    if has(mirror, git, commit)? {
        return Ok(());
    }
    let url = place.repository.address().map_err(Failure::Permanent)?;
    let limit = place.left().min(place.campaign.config.fetch_limit());
    let fetch = |what: &[&str]| {
        git.remote(mirror, limit)
            .arguments([
                "fetch",
                "--quiet",
                "--no-auto-maintenance",
                "--no-write-fetch-head",
            ])
            .arguments([
                "--no-recurse-submodules",
                "--no-tags",
                "--force",
                "--",
                url.as_str(),
            ])
            .arguments(what.iter().copied())
            .output()
    };
    let fetched = fetch(&[
        "+refs/heads/*:refs/remotes/origin/*",
        "+refs/tags/*:refs/tags/*",
    ])?;
    if !fetched.is_success() {
        return Err(of_remote(url.as_str(), &fetched.complaint()));
    }
    if has(mirror, git, commit)? {
        return Ok(());
    }
    // No branch leads to it any longer; some servers give it all the same.
    let kept = format!("+{commit}:refs/asyncfix/{commit}");
    let fetched = fetch(&[&kept])?;
    if fetched.is_success() && has(mirror, git, commit)? {
        return Ok(());
    }
    Err(Failure::Permanent(format!(
        "`{}` has no commit {commit} any longer: plan it again with --refresh",
        url.as_str()
    )))
}

/// An empty repository, where there is none.
pub fn make(mirror: &Path, git: Git, url: &str) -> Result<(), Failure> {
    let io = |error: std::io::Error| Failure::retry(format!("`{}`: {error}", mirror.display()));
    let marker = mirror.join(MARKER);
    if !marker.exists() {
        let is_empty = match fs_err::read_dir(mirror) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => !mirror.exists(),
        };
        // As it was when the marker was half written.
        let is_begun = mirror.join(format!("{MARKER}.part")).exists();
        if !is_empty && !is_begun {
            return Err(Failure::Permanent(format!(
                "`{}` is there, and the campaign did not make it: move it away",
                mirror.display()
            )));
        }
        fs_err::create_dir_all(mirror).map_err(io)?;
        folder::write(&marker, format!("{url}\n").as_bytes())?;
    }
    git.local(mirror)
        .arguments(["init", "--bare", "--quiet", "--template=", "."])
        .stdout()
        .map(drop)
}

/// Whether a ref leads to the commit. Of a fetch that was killed the commit may be there without
/// its files; refs are set when all is there.
fn has(mirror: &Path, git: Git, commit: &str) -> Result<bool, Failure> {
    let output = git
        .local(mirror)
        .arguments(["for-each-ref", "--count=1", "--contains", commit])
        .output()?;
    Ok(output.is_success() && !output.stdout.is_empty())
}

/// Does something with the mirror that sets refs, alone.
pub fn alone<T>(
    mirror: &Path,
    keeper: Keeper,
    work: impl FnOnce(Git) -> Result<T, Failure>,
) -> Result<T, Failure> {
    // Another entry of the same address may be at it, in this process or in another.
    let _held = hold(&mirror.with_extension("claim"), keeper.is_interrupted)?;
    let lock = mirror.with_extension("lock");
    wait_for_keepers(&lock, keeper.is_interrupted)?;
    remove_locks(mirror);
    work(Git {
        keeper,
        lock: &lock,
    })
}

/// Removes what a git that was killed left locked. Nobody else is at work here.
fn remove_locks(folder: &Path) {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && path.file_name().is_some_and(|name| name != "objects") {
                folders.push(path);
            } else if !is_folder && path.extension().is_some_and(|it| it == "lock") {
                let _ = fs_err::remove_file(&path);
            }
        }
    }
}
