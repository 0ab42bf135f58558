//! The environment of a repository, by the user's own command; and what is not looked at since it
//! comes from there.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::Place;
use crate::child::Job;
use crate::failure::Failure;
use crate::folder;
use crate::git::names;

/// Runs the command, if there is one, and has git leave out what it made or changed.
pub fn setup(place: &Place) -> Result<(), Failure> {
    let repository = place.repository;
    let command = repository
        .setup
        .as_ref()
        .or(place.campaign.config.setup.as_ref());
    if let Some(command) = command {
        let (folder, log) = (place.root(), place.campaign.log(&repository.name, "setup"));
        let output = Job::shell(command, &folder, &place.lock)
            .variable("VIRTUAL_ENV", None)
            .variable("CONDA_PREFIX", None)
            .log_all(&log)
            .run(place.keeper, place.left())
            .map_err(|error| Failure::retry(format!("`{command}`: {error}")))?;
        if !output.is_success() {
            return Err(place.failure("the setup command", &output, &log));
        }
    }
    let changed = changed(place)?;
    let untracked = place
        .with_tree()
        .arguments([
            "ls-files",
            "--others",
            "--exclude-standard",
            "--directory",
            "-z",
        ])
        .stdout()?;
    let kept: Vec<u8> = changed
        .iter()
        .flat_map(|path| [path.as_os_str().as_encoded_bytes(), b"\0"].concat())
        .collect();
    folder::write(&place.campaign.beside_tree(&repository.name, "kept"), &kept)?;
    let mut excluded = String::new();
    for path in changed.iter().chain(&names(&untracked)) {
        let _ = writeln!(excluded, "/{}", pattern(&path.to_string_lossy()));
    }
    // What looks at the tree asks there, and git looks there too.
    let exclude = place.tree.join(".git/info/exclude");
    let io = |error: std::io::Error| Failure::retry(format!("`{}`: {error}", exclude.display()));
    if let Some(folder) = exclude.parent() {
        fs_err::create_dir_all(folder).map_err(io)?;
    }
    folder::write(&exclude, excluded.as_bytes())
}

/// The tracked files that are not as in the commit. Reads the commit into the campaign's index.
pub fn changed(place: &Place) -> Result<Vec<PathBuf>, Failure> {
    place.read_planned()?;
    // It fails where something changed, which is no failure here.
    place
        .with_tree()
        .arguments(["update-index", "-q", "--refresh"])
        .output()?;
    let changed = place
        .with_tree()
        .arguments(["diff-files", "--name-only", "--ignore-submodules=all", "-z"])
        .stdout()?;
    Ok(names(&changed))
}

/// What setup changed, which is not put back.
pub fn kept(place: &Place) -> Vec<PathBuf> {
    let path = place.campaign.beside_tree(&place.repository.name, "kept");
    names(&fs_err::read(path).unwrap_or_default())
}

/// A path as a pattern of .gitignore that means nothing else.
fn pattern(path: &str) -> String {
    let mut pattern = String::new();
    for character in path.chars() {
        if "\\*?[]!# ".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn a_path_is_no_pattern() {
        assert_eq!(pattern("a/b[1] *.py"), "a/b\\[1\\]\\ \\*.py");
    }
}
