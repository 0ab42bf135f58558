//! How places are named in messages.

use std::path::{Path, PathBuf};

use crate::state;

/// The path as a message shows it: relative to the current directory where it lies below, or around
/// it in the same repository; so a message says the same wherever the repository is.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let relative = here.as_deref().and_then(|here| below(here, path));
    let path = relative.as_deref().unwrap_or(path);
    let path = path.strip_prefix(".").unwrap_or(path);
    path.display().to_string()
}

/// `a/b.py`, or `../pyproject.toml`.
fn below(here: &Path, path: &Path) -> Option<PathBuf> {
    if let Ok(below) = path.strip_prefix(here) {
        return Some(below.to_path_buf());
    }
    let root = state::root(here);
    let mut up = PathBuf::new();
    for folder in here.ancestors().take_while(|it| it.starts_with(&root)) {
        if let Ok(below) = path.strip_prefix(folder) {
            return Some(up.join(below));
        }
        up.push("..");
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::below;

    #[test]
    fn what_is_in_the_repository_is_told_from_here() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("r");
        fs::create_dir_all(root.join(".git")).unwrap();
        let here = root.join("a/b");
        let of = |path: &Path| below(&here, path).map(|it| it.display().to_string());
        assert_eq!(of(&here.join("c.py")).as_deref(), Some("c.py"));
        let above = root.join("pyproject.toml");
        assert_eq!(of(&above).as_deref(), Some("../../pyproject.toml"));
        let beside = root.join("a/x/y.py");
        assert_eq!(of(&beside).as_deref(), Some("../x/y.py"));
        assert_eq!(of(&folder.path().join("pyproject.toml")), None);
    }
}
