//! A work tree of the campaign's own, from the mirror. The source repository is never worked in.

use std::path::Path;

use super::Place;
use crate::failure::Failure;
use crate::folder::{self, MARKER};

/// Makes it, at the planned commit. What an earlier run left of it goes.
pub fn checkout(place: &Place) -> Result<(), Failure> {
    remove(place)?;
    let tree = place.tree.as_path();
    let io = |error: std::io::Error| Failure::retry(format!("`{}`: {error}", tree.display()));
    fs_err::create_dir_all(tree).map_err(io)?;
    let git = || place.git().local(tree);
    // The marker comes first, so that what is half done is known as ours.
    fs_err::create_dir_all(tree.join(".git")).map_err(io)?;
    let name = format!("{}\n", place.repository.name);
    folder::write(&tree.join(".git").join(MARKER), name.as_bytes())?;
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

/// Whether the campaign made it.
pub fn is_ours(tree: &Path) -> bool {
    tree.join(".git").join(MARKER).is_file()
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
        if is_link || !(is_ours(tree) || is_empty()) {
            return Err(Failure::Permanent(format!(
                "`{}` is there, and the campaign did not make it: move it away",
                tree.display()
            )));
        }
        // The marker goes last: what is left of a removal that was killed is known as ours.
        let entries = fs_err::read_dir(tree).map_err(io)?;
        for entry in entries {
            let entry = entry.map_err(io)?;
            if entry.file_name() == ".git" {
                continue;
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder {
                remove_folder(&entry.path()).map_err(io)?;
            } else {
                fs_err::remove_file(entry.path()).map_err(io)?;
            }
        }
        if tree.join(".git").exists() {
            remove_folder(&tree.join(".git")).map_err(io)?;
        }
        fs_err::remove_dir(tree).map_err(io)?;
    }
    for what in ["index", "index.lock", "kept", "excluded"] {
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
