//! What a file belongs to: the project's root, the folders that its imports start from, and the
//! environment that its packages are installed in.
//!
//! As ty looks for them (`ty_project`, which is not published): the closest folder upwards with a
//! project file is the root; it and its `src` folder are searched for modules; packages are in
//! `--python`, else `VIRTUAL_ENV`, else an activated conda environment, else the closest `.venv`; in a
//! hook of pre-commit the closest `.venv` comes before what is activated.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A project, as the inference wants it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Project {
    /// The folder of the project file, absolute.
    pub root: PathBuf,
    /// The folders that absolute imports start from, the first first; absolute.
    pub sources: Vec<PathBuf>,
    /// The environment's prefix, or its interpreter.
    pub environment: Option<PathBuf>,
    /// Whether the environment was named by the user, who wants to know if it is none.
    pub is_named: bool,
    /// Major and minor of the Python that the code is for.
    pub version: (u8, u8),
}

/// Where the user's packages are, before a project is known.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `--python`, or the configuration's `python`.
    pub named: Option<PathBuf>,
    /// `VIRTUAL_ENV`, or `CONDA_PREFIX` of an environment that is not conda's own.
    pub activated: Option<PathBuf>,
    /// The folder outside of which nothing says what is in it, absolute.
    pub top: Option<PathBuf>,
    /// Whether a `.venv` counts more than what is activated: in a hook of pre-commit that is the
    /// hook's own environment, which holds nothing of the user's.
    pub is_hook: bool,
}

/// The files that make a folder a project's root.
const ROOTS: &[&str] = &["pyproject.toml", "ty.toml", "setup.py", "setup.cfg", ".git"];

/// What was seen of folders: those of a tree have the same ones around them.
#[derive(Debug, Default)]
pub struct Folders(HashMap<PathBuf, Folder>);

/// What is in a folder, as far as somebody asked.
#[derive(Debug, Default)]
struct Folder {
    is_package: Option<bool>,
    is_root: Option<bool>,
    is_standard_library: Option<bool>,
    /// Whether its `src` is searched for modules.
    has_sources: Option<bool>,
    has_environment: Option<bool>,
}

impl Project {
    /// The project of the file at `path`, which is absolute.
    pub fn of(
        path: &Path,
        environment: &Environment,
        version: (u8, u8),
        seen: &mut Folders,
    ) -> Self {
        let folder = path.parent().unwrap_or(path);
        let top = environment.top.as_deref();
        let imports = seen.import_root(folder, top);
        // A module of a package may be called `setup.py` too.
        let root = up_to(imports, top)
            .find(|folder| seen.is_root(folder))
            .unwrap_or(imports);
        let mut sources = Vec::new();
        // The standard library as a project would hide the stubs that describe it.
        if !seen.is_standard_library(root) && !seen.is_standard_library(imports) {
            if seen.has_sources(root) {
                sources.push(root.join("src"));
            }
            sources.insert(0, root.to_path_buf());
            if imports != folder && !sources.iter().any(|source| source == imports) {
                sources.push(imports.to_path_buf());
            }
        }
        let mut local = || {
            up_to(root, top)
                .find(|folder| seen.has_environment(folder))
                .map(|folder| folder.join(".venv"))
        };
        Self {
            root: root.to_path_buf(),
            sources,
            is_named: environment.named.is_some(),
            environment: environment.named.clone().or_else(|| {
                let activated = environment.activated.clone();
                if environment.is_hook {
                    local().or(activated)
                } else {
                    activated.or_else(local)
                }
            }),
            version,
        }
    }
}

impl Folders {
    /// The folder that holds the outermost package around `folder`, or `top` where that is inside of it;
    /// `folder` itself where that is no package.
    fn import_root<'p>(&mut self, folder: &'p Path, top: Option<&Path>) -> &'p Path {
        up_to(folder, top)
            .find(|folder| !self.is_package(folder))
            .or_else(|| up_to(folder, top).last())
            .unwrap_or(folder)
    }

    fn is_package(&mut self, folder: &Path) -> bool {
        *self
            .of(folder)
            .is_package
            .get_or_insert_with(|| is_package(folder))
    }

    fn is_root(&mut self, folder: &Path) -> bool {
        let has_file = || ROOTS.iter().any(|name| folder.join(name).exists());
        *self.of(folder).is_root.get_or_insert_with(has_file)
    }

    fn is_standard_library(&mut self, folder: &Path) -> bool {
        let is_it =
            || folder.join("typing.py").is_file() && folder.join("asyncio/__init__.py").is_file();
        *self
            .of(folder)
            .is_standard_library
            .get_or_insert_with(is_it)
    }

    fn has_sources(&mut self, folder: &Path) -> bool {
        let has_sources = || {
            let src = folder.join("src");
            src.is_dir() && !is_package(&src)
        };
        *self.of(folder).has_sources.get_or_insert_with(has_sources)
    }

    fn has_environment(&mut self, folder: &Path) -> bool {
        let has_file = || folder.join(".venv/pyvenv.cfg").is_file();
        *self.of(folder).has_environment.get_or_insert_with(has_file)
    }

    fn of(&mut self, folder: &Path) -> &mut Folder {
        self.0.entry(folder.to_path_buf()).or_default()
    }
}

impl Environment {
    /// `named` by the configuration, else what is found in `top`, whatever is activated.
    pub fn within(top: PathBuf, named: Option<PathBuf>) -> Self {
        Self {
            named,
            top: Some(top),
            ..Self::default()
        }
    }

    /// `named` by the user, or activated in the shell whose variables `variable` gives.
    pub fn new(named: Option<PathBuf>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let conda = || {
            let is_base = set("CONDA_DEFAULT_ENV").is_none_or(|name| name == "base");
            set("CONDA_PREFIX").filter(|_| !is_base)
        };
        Self {
            named,
            top: None,
            activated: set("VIRTUAL_ENV").or_else(conda).map(PathBuf::from),
            // pre-commit sets it, and so do programs that read its configuration.
            is_hook: set("PRE_COMMIT").is_some(),
        }
    }
}

/// A folder and those around it, up to `top`.
fn up_to<'p>(folder: &'p Path, top: Option<&Path>) -> impl Iterator<Item = &'p Path> {
    let is_below = move |folder: &&Path| top.is_none_or(|top| folder.starts_with(top));
    folder.ancestors().take_while(is_below)
}

fn is_package(folder: &Path) -> bool {
    folder.join("__init__.py").is_file()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with these empty files.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[track_caller]
    fn check(files: &[&str], asked: &str, root: &str, sources: &[&str]) {
        let folder = folder(files);
        let path = folder.path();
        let project = Project::of(
            &path.join(asked),
            &Environment::default(),
            (3, 11),
            &mut Folders::default(),
        );
        assert_eq!(project.root, path.join(root));
        let sources: Vec<PathBuf> = sources.iter().map(|source| path.join(source)).collect();
        assert_eq!(project.sources, sources);
    }

    #[test]
    fn the_closest_project_file_marks_the_root() {
        check(&["pyproject.toml", "a/b.py"], "a/b.py", "", &[""]);
        check(
            &["pyproject.toml", "a/setup.cfg", "a/b.py"],
            "a/b.py",
            "a",
            &["a"],
        );
    }

    #[test]
    fn src_is_searched_unless_it_is_a_package() {
        check(
            &["pyproject.toml", "src/a/__init__.py"],
            "src/a/b.py",
            "",
            &["", "src"],
        );
        check(
            &["pyproject.toml", "src/__init__.py", "t.py"],
            "t.py",
            "",
            &[""],
        );
    }

    #[test]
    fn a_module_called_setup_is_no_project_file() {
        check(&["a/__init__.py", "a/setup.py"], "a/b.py", "", &[""]);
    }

    #[test]
    fn packages_below_other_folders_are_found() {
        check(
            &["pyproject.toml", "libs/a/__init__.py"],
            "libs/a/b.py",
            "",
            &["", "libs"],
        );
    }

    #[test]
    fn the_standard_library_does_not_hide_its_stubs() {
        check(
            &["typing.py", "asyncio/__init__.py", "setup.py"],
            "x.py",
            "",
            &[],
        );
        check(
            &["typing.py", "asyncio/__init__.py", "setup.py"],
            "asyncio/x.py",
            "",
            &[],
        );
    }

    #[test]
    fn nothing_is_looked_for_above_the_top() {
        let files = [
            "pyproject.toml",
            ".venv/pyvenv.cfg",
            "top/__init__.py",
            "top/a/__init__.py",
            "top/a/b.py",
        ];
        let folder = folder(&files);
        let top = folder.path().join("top");
        let within = Environment::within(top.clone(), None);
        let project = Project::of(
            &top.join("a/b.py"),
            &within,
            (3, 11),
            &mut Folders::default(),
        );
        assert_eq!((project.root, project.environment), (top.clone(), None));
        assert_eq!(project.sources, [top]);
    }

    #[test]
    fn the_closest_environment_counts_and_what_is_named_counts_more() {
        let files = [
            "pyproject.toml",
            ".venv/pyvenv.cfg",
            "a/pyproject.toml",
            "a/b.py",
        ];
        let folder = folder(&files);
        let path = folder.path().join("a/b.py");
        let environment = |named: Option<&str>, variables: &[(&str, &str)]| {
            let named = named.map(PathBuf::from);
            let variable = |name: &str| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_string())
            };
            let environment = Environment::new(named, variable);
            Project::of(&path, &environment, (3, 11), &mut Folders::default()).environment
        };
        assert_eq!(environment(None, &[]), Some(folder.path().join(".venv")));
        let activated = [("VIRTUAL_ENV", "/v")];
        assert_eq!(environment(None, &activated), Some("/v".into()));
        assert_eq!(environment(Some("/n"), &activated), Some("/n".into()));
        let hook = [("VIRTUAL_ENV", "/v"), ("PRE_COMMIT", "1")];
        assert_eq!(environment(None, &hook), Some(folder.path().join(".venv")));
        assert_eq!(environment(Some("/n"), &hook), Some("/n".into()));
        let base = [("CONDA_PREFIX", "/c"), ("CONDA_DEFAULT_ENV", "base")];
        assert_eq!(environment(None, &base), Some(folder.path().join(".venv")));
        let conda = [("CONDA_PREFIX", "/c"), ("CONDA_DEFAULT_ENV", "work")];
        assert_eq!(environment(None, &conda), Some("/c".into()));
    }
}
