//! What holds for the files of one folder: the closest configuration, the closest project's
//! target version and line length, and the command line on top.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result};
use engine::{Prefilter, Settings, Target};
use toml::{Table, Value};
use types::{Environment, Limits};

use crate::config::{self, Baseline, Layer};
use crate::lock::locked;
use crate::requirement::Requirement;
use crate::{place, target};

/// Finds what holds for a folder. Each folder is looked at once.
pub struct Folders {
    /// The flags, which count more than all else.
    flags: Layer,
    /// Whether the flags say which codemods run, so that no configuration is asked.
    selected: bool,
    /// The settings of `--config KEY=VALUE`, on top of the files.
    settings: Layer,
    /// Whether files are looked for.
    search: Search,
    /// What is outside of this folder says nothing of what is in it.
    top: Option<PathBuf>,
    known: RwLock<HashMap<PathBuf, Arc<Folder>>>,
    warnings: Mutex<Vec<String>>,
}

/// Which files of the folders are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// Configuration and project files.
    All,
    /// Project files only: the configuration was named.
    Project,
    /// None.
    Nothing,
}

/// What holds for the files of a folder.
pub struct Folder {
    /// The settings for modules.
    pub module: Settings,
    /// The settings for `__init__` modules, whose imports are their interface.
    pub package: Settings,
    /// The settings for notebooks.
    pub notebook: Settings,
    /// For the selected codemods.
    pub prefilter: Prefilter,
    /// For those that run on notebooks.
    pub notebook_prefilter: Prefilter,
    /// Whether withheld findings are listed.
    pub show_withheld: bool,
    /// Whether types are inferred, where the packages are, and what that may take.
    pub types: Types,
    /// The file that has the known findings.
    pub baseline: Option<PathBuf>,
    /// The merged configuration.
    pub layer: Layer,
    /// What the closest files say, for the folders below.
    found: Found,
    /// What holds instead for the files that the configuration has rules for, by those rules.
    narrowed: Mutex<HashMap<Vec<bool>, Arc<Folder>>>,
}

/// How types are inferred for the files of a folder.
pub struct Types {
    pub wanted: bool,
    pub environment: Environment,
    pub limits: Limits,
}

/// What the files of a folder and of those above it say, the closest first.
#[derive(Clone, Default)]
struct Found {
    configuration: Option<Arc<Layer>>,
    target: Option<Requires>,
    /// And where it was set.
    line_length: Option<(usize, String)>,
    commands: Option<Arc<Vec<Command>>>,
}

/// A function that the project's metadata names as a command.
struct Command {
    /// The module as a path without its extension: `package/module`.
    module: PathBuf,
    function: String,
}

/// What the closest project says of its Python.
#[derive(Clone)]
enum Requires {
    /// Nothing, or nothing that is understood.
    Anything,
    Lowest(Target),
}

impl Folders {
    /// `flags` is the command line, `base` the merged `--config` files, `settings` the merged
    /// `--config KEY=VALUE`. Above `top`, an absolute path without links, no file is looked for.
    pub fn new(
        flags: Layer,
        selected: bool,
        base: Option<Layer>,
        settings: Layer,
        search: Search,
        top: Option<PathBuf>,
    ) -> Self {
        let folders = Self {
            flags,
            selected,
            settings,
            search,
            top,
            known: RwLock::default(),
            warnings: Mutex::default(),
        };
        // The root of the search, above all folders.
        let found = Found {
            configuration: base.map(Arc::new),
            ..Found::default()
        };
        let above_all = folders.folder(found);
        write(&folders.known).insert(PathBuf::new(), Arc::new(above_all));
        folders
    }

    /// What holds in `folder`, an absolute path.
    pub fn get(&self, folder: &Path) -> Result<Arc<Folder>> {
        if let Some(known) = read(&self.known).get(folder) {
            return Ok(Arc::clone(known));
        }
        let is_top = self.top.as_deref() == Some(folder);
        let above = folder.parent().filter(|_| !is_top);
        let above = self.get(above.unwrap_or(Path::new("")))?;
        let found = self.look(folder, above.found.clone())?;
        let new = match found {
            None => above,
            Some(found) => Arc::new(self.folder(found)),
        };
        write(&self.known).insert(folder.to_path_buf(), Arc::clone(&new));
        Ok(new)
    }

    /// Whether the path that was named, absolute and without symbolic links, is left out, since
    /// `force-exclude` holds there and it or a folder that it is in is excluded. Of the folders
    /// around the current directory nobody asks.
    pub fn leave_out(&self, path: &Path, is_folder: bool) -> Result<bool> {
        if self.around(path)?.layer.force_exclude != Some(true) {
            return Ok(false);
        }
        let here = std::env::current_dir().and_then(fs_err::canonicalize);
        let here = here.context("the current directory cannot be used")?;
        let is_below = path.starts_with(&here);
        for part in path.ancestors() {
            if is_below && part == here {
                break;
            }
            if self.around(part)?.excludes(part, is_folder || part != path) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What holds in the folder that an entry is in.
    fn around(&self, path: &Path) -> Result<Arc<Folder>> {
        self.get(path.parent().unwrap_or(path))
    }

    /// What holds for the file at `path`, which is absolute.
    pub fn of_file(&self, path: &Path) -> Result<Arc<Folder>> {
        let folder = self.get(path.parent().unwrap_or(Path::new("/")))?;
        let rules = folder.layer.rules(path);
        if !rules.contains(&true) {
            return Ok(folder);
        }
        let mut narrowed = locked(&folder.narrowed);
        let known = narrowed.entry(rules).or_insert_with(|| {
            let added = &self.flags.extend_select;
            let layer = folder.layer.clone().narrowed(path, added);
            Arc::new(Folder::new(layer, folder.found.clone(), self.top.clone()))
        });
        Ok(Arc::clone(known))
    }

    /// The folder outside of which nothing says what holds in it.
    pub fn top(&self) -> Option<&Path> {
        self.top.as_deref()
    }

    fn folder(&self, found: Found) -> Folder {
        Folder::new(self.layer(&found), found, self.top.clone())
    }

    /// What was odd in the files that were looked at, but does not stop the run.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = locked(&self.warnings).clone();
        warnings.sort();
        warnings.dedup();
        warnings
    }

    /// What the files in `folder` change in what was found above; none where it has none.
    fn look(&self, folder: &Path, mut found: Found) -> Result<Option<Found>> {
        if self.search == Search::Nothing {
            return Ok(None);
        }
        let mut changed = false;
        let pyproject_path = folder.join(config::PYPROJECT);
        let pyproject = self.table(&pyproject_path)?;
        if self.search == Search::All
            && let Some(layer) = configuration(folder, &pyproject_path, pyproject.as_ref())?
        {
            found.configuration = Some(Arc::new(layer));
            changed = true;
        }
        if let Some(requirement) = Requirement::of(folder, pyproject.as_ref()) {
            found.target = Some(self.required(folder, requirement));
            changed = true;
        }
        if let Some(commands) = pyproject.as_ref().map(commands)
            && !commands.is_empty()
        {
            found.commands = Some(Arc::new(commands));
            changed = true;
        }
        if let Some(length) = self.formatter_line_length(folder, pyproject.as_ref())? {
            found.line_length = Some(length);
            changed = true;
        }
        Ok(changed.then_some(found))
    }

    /// The table in a project's file; none where there is no such file, or where it cannot be
    /// read and does not configure us.
    fn table(&self, path: &Path) -> Result<Option<Table>> {
        let Ok(text) = read_text(path) else {
            return Ok(None);
        };
        match config::parse(&text) {
            Ok(table) => Ok(Some(table)),
            Err(error) if text.contains("tool.asyncfix") => {
                Err(error.context(format!("`{}` is not valid TOML", place::shown(path))))
            }
            Err(error) => {
                let shown = place::shown(path);
                self.warn(format!(
                    "{shown}: is not valid TOML and is left out: {error:#}"
                ));
                Ok(None)
            }
        }
    }

    fn required(&self, folder: &Path, requirement: Requirement) -> Requires {
        let (file, key, lowest) = match requirement {
            Requirement::None => return Requires::Anything,
            Requirement::Standard(text) => (
                config::PYPROJECT,
                "requires-python",
                target::lowest_required(&text),
            ),
            Requirement::Poetry(text) => (
                config::PYPROJECT,
                "tool.poetry.dependencies.python",
                target::lowest_required_poetry(&text),
            ),
            Requirement::Setup(file, text) => {
                (file, "python_requires", target::lowest_required(&text))
            }
        };
        let file = place::shown(&folder.join(file));
        match lowest {
            Ok(version) => Requires::Lowest(Target {
                version,
                origin: format!("`{key}` in {file}"),
            }),
            Err(error) => {
                self.warn(format!(
                    "{file}: `{key}` is not understood and is left out: {error}"
                ));
                Requires::Anything
            }
        }
    }

    fn formatter_line_length(
        &self,
        folder: &Path,
        pyproject: Option<&Table>,
    ) -> Result<Option<(usize, String)>> {
        let origin = |path: &Path| format!("of the formatter in {}", place::shown(path));
        for name in [".ruff.toml", "ruff.toml"] {
            let path = folder.join(name);
            if let Some(ruff) = self.table(&path)? {
                let length = length_in(&ruff).unwrap_or(LINE_LENGTH);
                return Ok(Some((length, origin(&path))));
            }
        }
        let Some(tool) = pyproject.and_then(|table| table.get("tool")?.as_table()) else {
            return Ok(None);
        };
        let of = |name: &str| tool.get(name).and_then(Value::as_table);
        let length = of("ruff")
            .and_then(length_in)
            .or_else(|| of("black").and_then(length_in));
        // A formatter that is configured without a length has this one; both have the same.
        let formatter = of("ruff").or_else(|| of("black"));
        let length = length.or_else(|| formatter.map(|_| LINE_LENGTH));
        Ok(length.map(|length| (length, origin(&folder.join(config::PYPROJECT)))))
    }

    fn warn(&self, warning: String) {
        locked(&self.warnings).push(warning);
    }

    /// Puts the layers on top of each other.
    fn layer(&self, found: &Found) -> Layer {
        let mut base = match &found.configuration {
            Some(configuration) => self.settings.clone().over(configuration),
            None => self.settings.clone(),
        };
        if self.selected {
            // Who names codemods on the command line means these.
            base.select = None;
            base.extend_select = Vec::new();
            base.ignore = None;
            base.per_file_select = None;
        }
        self.flags.clone().over(&base)
    }
}

impl Folder {
    fn new(layer: Layer, found: Found, top: Option<PathBuf>) -> Self {
        let target = layer
            .target
            .clone()
            .or_else(|| match &found.target {
                Some(Requires::Lowest(target)) => Some(target.clone()),
                Some(Requires::Anything) | None => None,
            })
            .unwrap_or_else(|| Target {
                version: target::DEFAULT,
                origin: "the default".to_string(),
            });
        let codemods = layer.selection(false);
        let prefilter = Prefilter::new(&codemods);
        let module = Settings {
            codemods,
            target,
            apply: layer.apply(),
            silence: layer.silence.clone(),
            options: layer.option_values(),
            line_length: layer
                .line_length
                .or(found.line_length.as_ref().map(|(length, _)| *length))
                .unwrap_or(LINE_LENGTH),
            entry_points: Vec::new(),
            is_package: false,
            is_test: false,
            is_notebook: false,
        };
        let notebook = Settings {
            codemods: layer.selection(true),
            is_notebook: true,
            ..module.clone()
        };
        Self {
            package: Settings {
                is_package: true,
                ..module.clone()
            },
            module,
            prefilter,
            notebook_prefilter: Prefilter::new(&notebook.codemods),
            notebook,
            show_withheld: layer.show_withheld == Some(true),
            types: Types {
                wanted: layer.types != Some(false),
                environment: match top {
                    None => Environment::new(layer.python.clone(), |name| std::env::var(name).ok()),
                    Some(top) => Environment::within(top, layer.python.clone()),
                },
                limits: Limits {
                    file: Duration::from_secs(layer.types_file_timeout.unwrap_or(20)),
                    run: Duration::from_secs(layer.types_timeout.unwrap_or(600)),
                    memory: layer.types_memory.unwrap_or(3072),
                },
            },
            baseline: match &layer.baseline {
                Some(Baseline::File(path)) => Some(path.clone()),
                Some(Baseline::None) | None => None,
            },
            layer,
            found,
            narrowed: Mutex::default(),
        }
    }

    /// The names of the codemods that look at its files.
    pub fn codemods(&self) -> impl Iterator<Item = &'static str> {
        self.module.codemods.iter().map(|codemod| codemod.name)
    }

    /// The settings for the file of that path.
    pub fn settings(&self, path: &Path) -> Cow<'_, Settings> {
        let is_package = path.file_stem().is_some_and(|stem| stem == "__init__");
        let settings = if is_package {
            &self.package
        } else {
            &self.module
        };
        let module = match path.parent().filter(|_| is_package) {
            Some(package) => package.to_path_buf(),
            None => path.with_extension(""),
        };
        let commands = self
            .found
            .commands
            .iter()
            .flat_map(|commands| commands.iter());
        let entry_points: Vec<String> = commands
            .filter(|command| module.ends_with(&command.module))
            .map(|command| command.function.clone())
            .collect();
        if entry_points.is_empty() {
            return Cow::Borrowed(settings);
        }
        Cow::Owned(Settings {
            entry_points,
            ..settings.clone()
        })
    }

    /// Which formatter's configuration the line length was taken from, unless ours sets it.
    pub fn line_length_origin(&self) -> Option<&str> {
        self.found
            .line_length
            .as_ref()
            .map(|(_, origin)| origin.as_str())
    }

    /// Whether the walk leaves out the entry at `path` (absolute), which is in this folder.
    pub fn excludes(&self, path: &Path, is_folder: bool) -> bool {
        let by_default = || {
            is_folder
                && path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .is_some_and(|name| EXCLUDED.contains(&name))
        };
        let excluded = match &self.layer.exclude {
            Some(globs) => globs.match_entry(path, is_folder),
            None => by_default(),
        };
        excluded
            || self
                .layer
                .extend_exclude
                .iter()
                .any(|globs| globs.match_entry(path, is_folder))
    }
}

/// Folders that are never a project's own code. Those whose names start with a dot are hidden, and
/// not walked into anyway; `build` and `dist` are names that packages of a project have too.
pub const EXCLUDED: [&str; 7] = [
    "__pycache__",
    "__pypackages__",
    "_build",
    "buck-out",
    "node_modules",
    "site-packages",
    "venv",
];

/// The line length of Black and of ruff's formatter.
const LINE_LENGTH: usize = 88;

/// The configuration in `folder`.
fn configuration(
    folder: &Path,
    pyproject_path: &Path,
    pyproject: Option<&Table>,
) -> Result<Option<Layer>> {
    for name in config::FILES {
        let path = folder.join(name);
        match read_text(&path) {
            Ok(text) => {
                let shown = place::shown(&path);
                let table =
                    config::parse(&text).with_context(|| format!("`{shown}` is not valid TOML"))?;
                return config::read_table(&path, &table).map(Some);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let shown = place::shown(&path);
                return Err(anyhow::Error::new(error).context(format!("`{shown}` cannot be read")));
            }
        }
    }
    match pyproject.and_then(config::tool_table) {
        Some(table) => config::read_table(pyproject_path, table).map(Some),
        None => Ok(None),
    }
}

/// The commands of `[project.scripts]`, `[project.gui-scripts]` and `[tool.poetry.scripts]`: each
/// is `name = "package.module:function"`.
fn commands(pyproject: &Table) -> Vec<Command> {
    let project = pyproject.get("project");
    let poetry = pyproject.get("tool").and_then(|tool| tool.get("poetry"));
    [
        project.and_then(|project| project.get("scripts")),
        project.and_then(|project| project.get("gui-scripts")),
        poetry.and_then(|poetry| poetry.get("scripts")),
    ]
    .into_iter()
    .flatten()
    .filter_map(Value::as_table)
    .flat_map(Table::values)
    .filter_map(|command| {
        let (module, function) = command.as_str()?.split_once(':')?;
        Some(Command {
            module: module.trim().split('.').collect(),
            function: function.trim().to_string(),
        })
    })
    .collect()
}

/// The text of a file that stands in a folder by chance. A pipe is none: nobody may ever write to it.
pub fn read_text(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    std::fs::read_to_string(path)
}

fn length_in(table: &Table) -> Option<usize> {
    let length = table.get("line-length")?.as_integer()?;
    usize::try_from(length).ok().filter(|length| *length > 0)
}

/// A lock that a panic of another thread does not poison: what is behind it is whole at all times.
fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
