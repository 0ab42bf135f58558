//! What asyncfix wrote, as a commit on a branch of the mirror, and as a patch. What else changed
//! in the work tree, by the user's commands, stays out of it.

use std::fmt::Write as _;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::{Place, mirror};
use crate::config::author_parts;
use crate::database::Commit;
use crate::failure::Failure;
use crate::folder;
use crate::message::message;
use crate::outcome::Outcome;

/// Makes both; nothing where nothing was written that is tracked.
pub fn commit(place: &Place) -> Result<Option<Commit>, Failure> {
    let (campaign, repository) = (place.campaign, place.repository);
    let bytes = fs_err::read(campaign.outcome(&repository.name))
        .map_err(|error| Failure::retry(error.to_string()))?;
    let outcome = Outcome::parse(&bytes).map_err(Failure::Permanent)?;
    let patch = campaign.patch(&repository.name);
    let patch_path = campaign.folder().join(&patch);
    let Some(tree) = tree_of(place, &outcome)? else {
        if patch_path.exists() {
            fs_err::remove_file(&patch_path).map_err(|error| Failure::retry(error.to_string()))?;
        }
        return Ok(None);
    };
    let branch = repository.fixes_branch(&campaign.name());
    let (title, body) = message(&outcome, repository);
    let id = committed(place, &tree, &format!("{title}\n\n{body}"))?;
    let reference = format!("refs/heads/{branch}");
    mirror::alone(&place.mirror, place.keeper, |git| {
        git.local(&place.mirror)
            .arguments(["update-ref", "--no-deref", &reference, &id])
            .stdout()
    })?;
    let text = place
        .git()
        .local(&place.mirror)
        .arguments([
            "format-patch",
            "--stdout",
            "-1",
            "--binary",
            "--full-index",
            "--no-signature",
        ])
        .arguments([
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--src-prefix=a/",
            "--dst-prefix=b/",
        ])
        .arguments([id.as_str()])
        .stdout()?;
    folder::write(&patch_path, &text)?;
    Ok(Some(Commit {
        id,
        branch,
        title,
        body,
        patch,
    }))
}

/// The tree with what was written; none where it is that of the planned commit.
fn tree_of(place: &Place, outcome: &Outcome) -> Result<Option<String>, Failure> {
    if outcome.written.is_empty() {
        return Ok(None);
    }
    let commit = place.repository.commit.as_str();
    let root = place.root();
    let mut paths = Vec::new();
    for written in &outcome.written {
        let file = root.join(&written.path);
        let content = fs_err::read(&file).map_err(|error| Failure::retry(error.to_string()))?;
        let mut hash = String::new();
        for byte in Sha256::digest(&content) {
            let _ = write!(hash, "{byte:02x}");
        }
        if hash != written.sha256 {
            return Err(Failure::Permanent(format!(
                "{} is not as asyncfix wrote it: the test command changes it",
                written.path
            )));
        }
        let mut path = PathBuf::from(&place.repository.path);
        path.push(&written.path);
        paths.push(path);
    }
    place.read_planned()?;
    // Of files that are tracked only.
    place.about(&paths, &["add", "--update"])?;
    let tree = place.with_tree().arguments(["write-tree"]).line()?;
    let before = place
        .git()
        .local(&place.mirror)
        .arguments(["rev-parse", "--verify", &format!("{commit}^{{tree}}")])
        .line()?;
    Ok((tree != before).then_some(tree))
}

/// The commit. It is the same however often it is made.
fn committed(place: &Place, tree: &str, message: &str) -> Result<String, Failure> {
    let file = place
        .campaign
        .beside_tree(&place.repository.name, "message");
    folder::write(&file, message.as_bytes())?;
    let author = place.campaign.config.author.as_deref().unwrap_or(AUTHOR);
    let (name, address) = author_parts(author).map_err(Failure::Permanent)?;
    let date = format!("{} +0000", place.repository.planned);
    let file_text = file.to_string_lossy();
    let id = place
        .git()
        .local(&place.mirror)
        .variable("GIT_AUTHOR_NAME", name)
        .variable("GIT_AUTHOR_EMAIL", address)
        .variable("GIT_AUTHOR_DATE", &date)
        .variable("GIT_COMMITTER_NAME", name)
        .variable("GIT_COMMITTER_EMAIL", address)
        .variable("GIT_COMMITTER_DATE", &date)
        .arguments(["commit-tree", tree, "-p", &place.repository.commit])
        .arguments(["-F", &file_text])
        .line()?;
    let _ = fs_err::remove_file(&file);
    Ok(id)
}

/// Who commits, where nothing else is said.
const AUTHOR: &str = "asyncfix <asyncfix@localhost>";
