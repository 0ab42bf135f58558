//! What a file belongs to: the project's root, the folders that its imports start from, and the
//! environment that its packages are installed in.
//!
//! As ty looks for them (`ty_project`, which is not published): the closest folder upwards with a
//! project file is the root; it and its `src` folder are searched for modules; packages are in
//! `--python`, else `VIRTUAL_ENV`, else an activated conda environment, else the closest `.venv`.

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
}

/// The files that make a folder a project's root.
const ROOTS: &[&str] = &["pyproject.toml", "ty.toml", "setup.py", "setup.cfg", ".git"];

impl Project {
    /// The project of the file at `path`, which is absolute.
    pub fn of(path: &Path, environment: &Environment, version: (u8, u8)) -> Self {
        let folder = path.parent().unwrap_or(path);
        let imports = import_root(folder);
        let root = folder
            .ancestors()
            .find(|folder| ROOTS.iter().any(|name| folder.join(name).exists()))
            .unwrap_or(imports);
        let mut sources = Vec::new();
        // The standard library as a project would hide the stubs that describe it.
        if !is_standard_library(root) && !is_standard_library(imports) {
            let src = root.join("src");
            if src.is_dir() && !is_package(&src) {
                sources.push(src);
            }
            sources.insert(0, root.to_path_buf());
            if imports != folder && !sources.iter().any(|source| source == imports) {
                sources.push(imports.to_path_buf());
            }
        }
        let local = || {
            root.ancestors()
                .map(|folder| folder.join(".venv"))
                .find(|folder| folder.join("pyvenv.cfg").is_file())
        };
        Self {
            root: root.to_path_buf(),
            sources,
            is_named: environment.named.is_some(),
            environment: environment
                .named
                .clone()
                .or_else(|| environment.activated.clone())
                .or_else(local),
            version,
        }
    }
}

impl Environment {
    /// `named` by the user, or activated in the shell whose variables `variable` gives.
    pub fn new(named: Option<PathBuf>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let conda = || {
            let is_base = set("CONDA_DEFAULT_ENV").is_none_or(|name| name == "base");
            set("CONDA_PREFIX").filter(|_| !is_base)
        };
        Self {
            named,
            activated: set("VIRTUAL_ENV").or_else(conda).map(PathBuf::from),
        }
    }
}

/// The folder that holds the outermost package around `folder`; itself where that is no package.
fn import_root(folder: &Path) -> &Path {
    folder
        .ancestors()
        .find(|folder| !is_package(folder))
        .unwrap_or(folder)
}

fn is_package(folder: &Path) -> bool {
    folder.join("__init__.py").is_file()
}

fn is_standard_library(folder: &Path) -> bool {
    folder.join("typing.py").is_file() && folder.join("asyncio/__init__.py").is_file()
}
