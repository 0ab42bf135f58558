//! Patterns of paths in the configuration, and the codemods that are for what they match.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use engine::Codemod;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Patterns as in a .gitignore of the folder that they are relative to.
#[derive(Clone, Debug)]
pub struct Globs {
    matcher: Arc<Gitignore>,
    /// As they were written.
    pub patterns: Vec<String>,
}

impl Globs {
    /// Reads them. The error names the one that is wrong.
    pub fn new(patterns: &[&str], folder: &Path) -> Result<Self> {
        let folder = fs_err::canonicalize(if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        })?;
        let mut builder = GitignoreBuilder::new(folder);
        for pattern in patterns {
            builder
                .add_line(None, pattern)
                .with_context(|| format!("`{pattern}` is not a pattern as in .gitignore"))?;
        }
        Ok(Self {
            matcher: Arc::new(builder.build()?),
            patterns: patterns.iter().map(ToString::to_string).collect(),
        })
    }

    /// Whether one of them is about the entry at `path` (absolute) itself.
    pub fn match_entry(&self, path: &Path, is_folder: bool) -> bool {
        path.starts_with(self.matcher.path()) && self.matcher.matched(path, is_folder).is_ignore()
    }

    /// Whether one of them is about the file at `path` (absolute), or about a folder that it is in.
    fn match_file(&self, path: &Path) -> bool {
        path.starts_with(self.matcher.path())
            && self
                .matcher
                .matched_path_or_any_parents(path, false)
                .is_ignore()
    }
}

/// The codemods that are for the files of one pattern.
#[derive(Clone, Debug)]
pub struct PerFile {
    globs: Globs,
    /// Whether they are for all other files.
    negated: bool,
    /// As it was written.
    pub pattern: String,
    pub codemods: Vec<&'static Codemod>,
}

impl PerFile {
    /// For the files that `pattern` matches; where it starts with `!`, for those that it does not.
    pub fn new(pattern: &str, codemods: Vec<&'static Codemod>, folder: &Path) -> Result<Self> {
        let (glob, negated) = match pattern.strip_prefix('!') {
            Some(glob) => (glob, true),
            None => (pattern, false),
        };
        let globs = Globs::new(&[glob], folder)?;
        if globs.matcher.is_empty() {
            bail!("`{pattern}` is not a pattern as in .gitignore: it matches nothing");
        }
        Ok(Self {
            globs,
            negated,
            pattern: pattern.to_string(),
            codemods,
        })
    }

    /// Whether it is about the file at `path`, which is absolute.
    pub fn is_about(&self, path: &Path) -> bool {
        self.globs.match_file(path) != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["[z-a]", "", "!", "# tests"] {
            let error = PerFile::new(pattern, Vec::new(), Path::new(".")).unwrap_err();
            assert!(
                format!("{error:#}").contains("is not a pattern as in .gitignore"),
                "{error:#}"
            );
        }
    }

    #[test]
    fn a_pattern_is_about_files_below_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs_err::canonicalize(folder.path()).unwrap();
        for (pattern, about, not_about) in [
            ("tests/**", "tests/sub/a.py", "a/tests/a.py"),
            ("/tests", "tests/a.py", "sub/tests/a.py"),
            ("tests", "sub/tests/a.py", "tests.py"),
            ("tests/", "sub/tests/a.py", "tests"),
            ("test_*.py", "a/b/test_a.py", "a/b/a.py"),
            ("!src/**", "tests/a.py", "src/a.py"),
            ("!src/**", "../a.py", "src/a/b.py"),
            ("*.py", "a.py", "../a.py"),
        ] {
            let per_file = PerFile::new(pattern, Vec::new(), &root).unwrap();
            let path = |name: &str| match name.strip_prefix("../") {
                Some(name) => root.parent().unwrap().join(name),
                None => root.join(name),
            };
            assert!(per_file.is_about(&path(about)), "{pattern}");
            assert!(!per_file.is_about(&path(not_about)), "{pattern}");
        }
    }
}
