//! A work tree of the campaign's own, from the mirror. The source repository is never worked in.

use std::path::{Path, PathBuf};

use super::Place;
use crate::failure::Failure;
use crate::folder;

/// Makes it, at the planned commit. What an earlier run left of it goes.
pub fn checkout(place: &Place) -> Result<(), Failure> {
    remove(place)?;
    let tree = place.tree.as_path();
    let io = |error: std::io::Error| Failure::retry(format!("`{}`: {error}", tree.display()));
    // First, so that what is half done is known as ours.
    folder::write(&marker(place), b"")?;
    fs_err::create_dir_all(tree).map_err(io)?;
    let git = || place.git().local(tree);
    git()
        .arguments(["init", "--quiet", "--template=", "."])
        .stdout()?;
    let objects = place.mirror.join("objects");
    let information = tree.join(".git/objects/info");
    fs_err::create_dir_all(&information).map_err(io)?;
    let alternate = format!("{}\n", objects.display());
    folder::write(&information.join("alternates"), alternate.as_bytes())?;
    // Versions are told from tags.
    git()
        .arguments([
            "fetch",
            "--quiet",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
            "--",
        ])
        .arguments([&*place.mirror.to_string_lossy(), "+refs/tags/*:refs/tags/*"])
        .stdout()?;
    git()
        .arguments(["checkout", "--quiet", "--force", "--detach"])
        .arguments([place.repository.commit.as_str()])
        .stdout()?;
    let (path, commit) = (&place.repository.path, &place.repository.commit);
    if !place.root().is_dir() {
        return Err(Failure::Permanent(format!(
            "there is no folder `{path}` at commit {commit}"
        )));
    }
    // A link of the repository's may lead anywhere.
    let (root, tree) = (
        fs_err::canonicalize(place.root()),
        fs_err::canonicalize(tree),
    );
    if !root.map_err(io)?.starts_with(tree.map_err(io)?) {
        return Err(Failure::Permanent(format!(
            "the folder `{path}` is a link that leads out of the repository"
        )));
    }
    Ok(())
}

/// Whether it is there, and the campaign made it.
pub fn is_ours(place: &Place) -> bool {
    place.tree.is_dir() && marker(place).is_file()
}

/// The file beside the tree that says so. It is there before the tree, and goes after it.
fn marker(place: &Place) -> PathBuf {
    place.campaign.beside_tree(&place.repository.name, "ours")
}

/// Removes the work tree, and what belongs to it. One that the campaign did not make is refused.
pub fn remove(place: &Place) -> Result<(), Failure> {
    let tree = place.tree.as_path();
    let io = |error: std::io::Error| Failure::retry(format!("`{}`: {error}", tree.display()));
    if tree.symlink_metadata().is_ok() {
        let is_empty = || {
            let entries = fs_err::read_dir(tree).map(|mut entries| entries.next().is_none());
            entries.unwrap_or(false)
        };
        let is_link = tree.symlink_metadata().is_ok_and(|it| it.is_symlink());
        if is_link || !(is_ours(place) || is_empty()) {
            return Err(Failure::Permanent(format!(
                "`{}` is there, and the campaign did not make it: move it away",
                tree.display()
            )));
        }
        remove_folder(tree).map_err(io)?;
    }
    for what in ["index", "index.lock", "kept", "paths", "message", "ours"] {
        let path = place.campaign.beside_tree(&place.repository.name, what);
        if path.exists() {
            fs_err::remove_file(path).map_err(io)?;
        }
    }
    Ok(())
}

/// Removes a folder, also what a command made read-only in it.
fn remove_folder(folder: &Path) -> std::io::Result<()> {
    if fs_err::remove_dir_all(folder).is_ok() {
        return Ok(());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut folders = vec![folder.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let mode = std::fs::Permissions::from_mode(0o700);
            let _ = fs_err::set_permissions(&folder, mode);
            for entry in fs_err::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(entry.path());
                }
            }
        }
    }
    fs_err::remove_dir_all(folder)
}
