//! What lies outside of a file, for the codemods: types from child processes, callers from the
//! other files of the run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use engine::{Caller, Definition, Elsewhere, Look, Oracle, Summary};
use types::{Answer, Folders, Lost, Pool, Project, Question};

use crate::callers::Callers;
use crate::dependencies;
use crate::lock::locked;
use crate::modules::Modules;
use crate::place;
use crate::walk::File;

/// Whom the codemods ask in this run. Nothing is read or started before they do.
pub struct Meaning<'a> {
    pool: Arc<Pool>,
    is_outdated: IsOutdated,
    projects: Projects,
    callers: Callers<'a>,
    modules: Modules<'a>,
}

/// Whether nobody waits for an answer any longer.
pub type IsOutdated = Arc<dyn Fn() -> bool + Send + Sync>;

/// Children of our own program. Where that cannot be found, nobody is asked.
pub fn pool() -> Pool {
    Pool::new(std::env::current_exe().unwrap_or_default())
}

/// The projects of the files, each looked for once for a folder.
#[derive(Default)]
pub struct Projects(Mutex<Known>);

#[derive(Default)]
struct Known {
    projects: HashMap<PathBuf, Arc<Project>>,
    folders: Folders,
}

impl<'a> Meaning<'a> {
    /// For the files of a run.
    pub fn new(files: &'a [File]) -> Self {
        Self::lasting(files, Arc::new(pool()), Arc::new(|| false))
    }

    /// For files that will be others soon, with children that stay. What is asked when it is
    /// outdated is unknown.
    pub fn lasting(files: &'a [File], pool: Arc<Pool>, is_outdated: IsOutdated) -> Self {
        Self {
            pool,
            is_outdated,
            projects: Projects::default(),
            callers: Callers::new(files),
            modules: Modules::new(files),
        }
    }

    /// For one of them.
    pub fn of<'m>(&'m self, file: &'a File) -> FileMeaning<'m, 'a> {
        FileMeaning {
            meaning: self,
            file,
        }
    }

    /// Gives the inference its time again: what it took was a person's.
    pub fn restart(&self) {
        self.pool.restart();
    }

    /// The files that the inference gave up, in words.
    pub fn notes(&self) -> Vec<String> {
        let said = |Lost { path, what }: Lost| {
            let path = place::shown(&path);
            format!("{path}: types are unknown: {what}")
        };
        let (children, asked) = self.pool.counts();
        let mut notes: Vec<String> = self.pool.lost().into_iter().map(said).collect();
        if children > 0 {
            notes.push(format!(
                "{asked} questions about types were answered by {children} processes"
            ));
        }
        notes
    }

    /// What the user set, and does not work.
    pub fn problems(&self) -> Vec<String> {
        self.pool.problems()
    }

    pub fn project(&self, file: &File) -> Arc<Project> {
        self.projects.of(file)
    }

    pub fn types(&self, file: &File, text: &str, questions: &[Question]) -> Vec<Answer> {
        let types = &file.folder.types;
        if !types.wanted {
            return vec![Answer::Unknown(None); questions.len()];
        }
        let project = self.project(file);
        // What ends in `.ipynb` would be read as JSON; there is no such module beside it.
        let path = if file.is_notebook() {
            file.canonical.with_extension("ipynb.py")
        } else {
            file.canonical.clone()
        };
        let is_outdated = &*self.is_outdated;
        self.pool
            .answer(&project, types.limits, &path, text, questions, is_outdated)
    }
}

impl Projects {
    fn of(&self, file: &File) -> Arc<Project> {
        let folder = file.canonical.parent().unwrap_or(Path::new("/"));
        let mut known = locked(&self.0);
        if let Some(project) = known.projects.get(folder) {
            return Arc::clone(project);
        }
        let version = file.folder.module.target.version;
        let environment = &file.folder.types.environment;
        let version = (version.major, version.minor);
        let project = Project::of(&file.canonical, environment, version, &mut known.folders);
        let project = Arc::new(project);
        known
            .projects
            .insert(folder.to_path_buf(), Arc::clone(&project));
        project
    }
}

/// What lies outside of one file.
pub struct FileMeaning<'m, 'a> {
    meaning: &'m Meaning<'a>,
    file: &'a File,
}

impl Elsewhere for FileMeaning<'_, '_> {
    fn definition(&self, from: Option<usize>, name: &str, look: Look) -> Option<Definition> {
        let modules = &self.meaning.modules;
        let file = match from {
            Some(number) => modules.file(number)?,
            None => self.file,
        };
        modules.definition(self.meaning, file, name, look)
    }

    fn has_types(&self) -> bool {
        types::HAS_INFERENCE && self.file.folder.types.wanted
    }
}

impl Oracle for FileMeaning<'_, '_> {
    fn types(&self, text: &str, questions: &[Question]) -> Vec<Answer> {
        self.meaning.types(self.file, text, questions)
    }

    fn caller(&self, function: &str, wanted: &dyn Fn(&Caller) -> bool) -> Option<Caller> {
        let callers = &self.meaning.callers;
        callers.first(self.meaning, self.file, function, wanted)
    }

    fn overridden(&self, methods: &[String]) -> Vec<bool> {
        let callers = &self.meaning.callers;
        methods
            .iter()
            .map(|method| callers.overridden(self.meaning, self.file, method))
            .collect()
    }

    fn deriving(&self, class: &str, look: Look) -> Vec<(usize, Summary)> {
        let Meaning {
            callers, modules, ..
        } = self.meaning;
        let files = callers.deriving(self.meaning, self.file, class);
        let others = files.into_iter();
        let others = others.filter(|file| file.canonical != self.file.canonical);
        others
            .filter_map(|file| modules.summary(file, look))
            .collect()
    }

    fn naming(&self, word: &str, beside: &[&str], look: Look) -> Vec<(usize, Summary)> {
        let Meaning {
            callers, modules, ..
        } = self.meaning;
        let files = callers.naming(self.meaning, self.file, word, beside);
        let others = files.into_iter();
        let others = others.filter(|file| file.canonical != self.file.canonical);
        others
            .filter_map(|file| modules.summary(file, look))
            .collect()
    }

    fn undeclared(&self, packages: &[String]) -> Vec<Option<String>> {
        let folder = self.file.canonical.parent();
        let top = self.file.folder.types.environment.top.as_deref();
        let undeclared = |package: &String| dependencies::undeclared(folder?, top, package);
        packages.iter().map(undeclared).collect()
    }

    fn mentions(&self, words: &[String]) -> Vec<bool> {
        let callers = &self.meaning.callers;
        callers.mentions(self.meaning, self.file, words)
    }
}
