//! The modules of the run by their names, for codemods that follow calls from one into another.
//!
//! A name is looked for as an import looks for it: in the folders that the project's imports
//! start from, and, where it has dots, beside the file. Only files of the run are found, and each
//! is read once for a codemod, when a name leads to it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use engine::{Definition, Exported, Look, Outline, Summary};

use crate::guard::guarded;
use crate::lock::locked;
use crate::meaning::Meaning;
use crate::place;
use crate::source::Source;
use crate::walk::File;

/// The modules of a run.
pub struct Modules<'a> {
    files: &'a [File],
    by_path: OnceLock<ByPath<'a>>,
    outlines: Mutex<HashMap<(usize, &'static str), Once>>,
}

/// The files, and the folders that they are in, by their absolute paths.
#[derive(Default)]
struct ByPath<'a> {
    files: HashMap<&'a Path, usize>,
    folders: std::collections::HashSet<&'a Path>,
}

/// A file as others see it, once it has been read.
type Once = Arc<OnceLock<Option<Arc<Outline>>>>;

/// A name that is imported from a module that imports it from another one, and so on, is followed
/// through no more modules than these.
const MAX_IMPORTS: usize = 32;

impl<'a> Modules<'a> {
    pub fn new(files: &'a [File]) -> Self {
        Self {
            files,
            by_path: OnceLock::new(),
            outlines: Mutex::default(),
        }
    }

    /// Who defines what `name` stands for in `file`.
    pub fn definition(
        &self,
        meaning: &Meaning<'a>,
        file: &File,
        name: &str,
        look: Look,
    ) -> Option<Definition> {
        self.follow(meaning, file, name, look, &mut Vec::new())
    }

    /// The file of that number.
    pub fn file(&self, number: usize) -> Option<&'a File> {
        self.files.get(number)
    }

    /// What is said of a file of the run, with its number.
    pub fn summary(&self, file: &File, look: Look) -> Option<(usize, Summary)> {
        let number = self.number(&file.canonical)?;
        let outline = self.outline(number, look)?;
        Some((number, outline.summary.clone()))
    }

    fn follow(
        &self,
        meaning: &Meaning<'a>,
        file: &File,
        name: &str,
        look: Look,
        seen: &mut Vec<(usize, String)>,
    ) -> Option<Definition> {
        let (found, rest) = self.module_of(meaning, file, name)?;
        let step = (found, rest.to_string());
        if seen.len() >= MAX_IMPORTS || seen.contains(&step) {
            return None;
        }
        seen.push(step);
        let outline = self.outline(found, look)?;
        let (first, others) = rest.split_once('.').unwrap_or((rest, ""));
        match outline.exported(first) {
            Exported::Defined => Some(Definition {
                file: found,
                shown: place::shown(&self.files[found].path),
                name: rest.to_string(),
                summary: outline.summary.clone(),
            }),
            Exported::Imported(mut imported) => {
                if !others.is_empty() {
                    imported.push('.');
                    imported.push_str(others);
                }
                self.follow(meaning, &self.files[found], &imported, look, seen)
            }
            Exported::Unbound if first.starts_with('_') => None,
            Exported::Unbound => {
                let mut definitions = Vec::new();
                for star in outline.stars() {
                    let dot = if star.ends_with('.') { "" } else { "." };
                    let name = format!("{star}{dot}{rest}");
                    definitions.extend(self.follow(meaning, &self.files[found], &name, look, seen));
                }
                // Of two that have it nobody knows which one it is.
                match definitions.len() {
                    1 => definitions.pop(),
                    _ => None,
                }
            }
        }
    }

    /// The module that a dotted name starts with, as it is seen in `file`, and the rest of it.
    fn module_of<'n>(
        &self,
        meaning: &Meaning<'a>,
        file: &File,
        name: &'n str,
    ) -> Option<(usize, &'n str)> {
        let relative = name.trim_start_matches('.');
        let level = name.len() - relative.len();
        if level > 0 {
            let package = file.canonical.ancestors().nth(level)?;
            let init = self.number(&package.join("__init__.py"));
            return self.module_in(package, init.map(|init| (init, relative)), relative);
        }
        if python::is_of_standard_library(name) {
            return None;
        }
        let project = meaning.project(file);
        let beside = file.canonical.parent();
        let beside = beside.filter(|folder| !folder.join("__init__.py").is_file());
        project
            .sources
            .iter()
            .map(PathBuf::as_path)
            .chain(beside)
            .find_map(|folder| self.module_in(folder, None, name))
    }

    /// The same below a folder, whose own module is `found`.
    fn module_in<'n>(
        &self,
        folder: &Path,
        found: Option<(usize, &'n str)>,
        name: &'n str,
    ) -> Option<(usize, &'n str)> {
        let mut folder = folder.to_path_buf();
        let mut found = found;
        let mut name = name;
        // What is called is something in a module, and no module.
        while let Some((part, rest)) = name.split_once('.') {
            folder.push(part);
            if let Some(package) = self.number(&folder.join("__init__.py")) {
                found = Some((package, rest));
            } else if let Some(module) = self.number(&folder.with_extension("py")) {
                return Some((module, rest));
            } else if !self.by_path().folders.contains(folder.as_path()) {
                break;
            }
            name = rest;
        }
        found
    }

    fn number(&self, path: &Path) -> Option<usize> {
        self.by_path().files.get(path).copied()
    }

    fn by_path(&self) -> &ByPath<'a> {
        self.by_path.get_or_init(|| {
            let mut known = ByPath::default();
            for (number, file) in self.files.iter().enumerate() {
                known.files.insert(&file.canonical, number);
                for folder in file.canonical.ancestors().skip(1) {
                    if !known.folders.insert(folder) {
                        break;
                    }
                }
            }
            known
        })
    }

    fn outline(&self, number: usize, look: Look) -> Option<Arc<Outline>> {
        let once = {
            let mut outlines = locked(&self.outlines);
            let once = outlines.entry((number, look.codemod.name)).or_default();
            Arc::clone(once)
        };
        // Whoever looks at one file waits for no other.
        once.get_or_init(|| self.read(number, look).map(Arc::new))
            .clone()
    }

    /// None where the file cannot be read or parsed, which is said elsewhere.
    fn read(&self, number: usize, look: Look) -> Option<Outline> {
        let file = &self.files[number];
        let mut bytes = Vec::new();
        file.read_into(&mut bytes).ok()?;
        let source = Source::decode(bytes).ok()?;
        let settings = file.settings();
        guarded(|| Outline::of(source.text, &settings, look)).ok()?
    }
}
