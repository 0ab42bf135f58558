//! The database that ty's queries run on: one project, with the folders that its imports start
//! from and its environment.

use std::sync::Arc;

use ruff_db::Db as SourceDb;
use ruff_db::diagnostic::Diagnostic;
use ruff_db::files::{File, FileError, FileRootKind, Files, system_path_to_file};
use ruff_db::system::{System, SystemPath, SystemPathBuf};
use ruff_db::vendored::VendoredFileSystem;
use ruff_python_ast::PythonVersion;
use ty_module_resolver::{FallibleStrategy, SearchPathSettings};
use ty_python_core::ProgramFile;
use ty_python_core::platform::PythonPlatform;
use ty_python_core::program::{Program, ProgramSettings};
use ty_python_semantic::lint::{LintRegistry, RuleSelection};
use ty_python_semantic::{
    AnalysisSettings, PythonEnvironment, PythonVersionSource, PythonVersionWithSource,
    SysPrefixPathOrigin, default_lint_registry,
};

use super::system::GuardedSystem;
use crate::Project;

/// So that the interned `Program` can be kept by a query.
#[salsa::db]
pub(super) trait ProgramDb: ty_python_semantic::Db {
    fn program_settings(&self) -> &ProgramSettings;
}

#[salsa::tracked(returns(copy))]
fn program(db: &dyn ProgramDb) -> Program<'_> {
    Program::from_settings(db, db.program_settings())
}

#[salsa::db]
#[derive(Clone)]
pub(super) struct Database {
    storage: salsa::Storage<Self>,
    files: Files,
    system: Arc<GuardedSystem>,
    settings: Arc<Settings>,
}

struct Settings {
    program: ProgramSettings,
    rules: RuleSelection,
    analysis: AnalysisSettings,
}

impl Database {
    /// The database of a project, and what could not be set up: an environment that is none.
    pub(super) fn new(project: &Project) -> Result<(Self, Option<String>), String> {
        let root = system_path(&project.root)?;
        let system = GuardedSystem::new(&root);
        let vendored = ty_vendored::file_system();
        let sources = project
            .sources
            .iter()
            .map(|source| system_path(source))
            .collect::<Result<Vec<_>, _>>()?;
        let mut search = SearchPathSettings::new(sources);
        let mut problem = None;
        if let Some(environment) = &project.environment {
            match site_packages(&system_path(environment)?, &system) {
                Ok(paths) => search.site_packages_paths = paths,
                Err(error) => {
                    problem = Some(format!(
                        "`{}` is no Python environment: {error}",
                        environment.display()
                    ));
                }
            }
        }
        let search_paths = search
            .to_search_paths(&system, vendored, &FallibleStrategy)
            .map_err(|error| error.to_string())?;
        let (major, minor) = project.version;
        let version = PythonVersion { major, minor };
        let program = ProgramSettings {
            python_version: PythonVersionWithSource {
                version,
                source: PythonVersionSource::default(),
            },
            python_platform: PythonPlatform::default(),
            search_paths,
        };
        let database = Self {
            storage: salsa::Storage::new(None),
            files: Files::default(),
            system: Arc::new(system),
            settings: Arc::new(Settings {
                program,
                rules: RuleSelection::from_registry(default_lint_registry()),
                analysis: AnalysisSettings::default(),
            }),
        };
        // The module resolver looks up the root that each search path belongs to.
        let files = &database.files;
        files.try_add_root(&database, &root, FileRootKind::Project);
        let paths = &database.settings.program.search_paths;
        paths.try_register_static_roots(&database);
        Ok((database, problem))
    }

    pub(super) fn program(&self) -> Program<'_> {
        program(self)
    }

    /// The file at an absolute path may be new, or gone, or another one, and so may the folders that
    /// it is in. The outermost first: of what is new, the folder that it is in has to know.
    pub(super) fn sync(&mut self, path: &std::path::Path) {
        if let Some(path) = SystemPath::from_std_path(path) {
            let mut parts: Vec<&SystemPath> = path.ancestors().collect();
            while let Some(part) = parts.pop() {
                File::sync_path(self, part);
            }
        }
    }

    /// The file at an absolute path. What came on standard input may be on no disk: it gets one.
    pub(super) fn file(&mut self, path: &std::path::Path) -> Option<File> {
        let path = SystemPath::from_std_path(path)?;
        if let Err(FileError::NotFound) = system_path_to_file(self, path) {
            self.system.add(path);
            File::sync_path(self, path);
        }
        system_path_to_file(self, path).ok()
    }
}

fn system_path(path: &std::path::Path) -> Result<SystemPathBuf, String> {
    SystemPath::from_std_path(path)
        .map(SystemPath::to_path_buf)
        .ok_or_else(|| format!("`{}` is not Unicode", path.display()))
}

fn site_packages(
    environment: &SystemPath,
    system: &GuardedSystem,
) -> Result<Vec<SystemPathBuf>, String> {
    // It takes a prefix as well as an interpreter.
    let origin = SysPrefixPathOrigin::PythonCliFlag;
    PythonEnvironment::new(environment, origin, system)
        .and_then(|environment| environment.site_packages_paths(system))
        .map(ty_python_semantic::SitePackagesPaths::into_vec)
        .map_err(|error| error.to_string())
}

#[salsa::db]
impl SourceDb for Database {
    fn vendored(&self) -> &VendoredFileSystem {
        ty_vendored::file_system()
    }

    fn system(&self) -> &dyn System {
        &*self.system
    }

    fn files(&self) -> &Files {
        &self.files
    }
}

#[salsa::db]
impl ty_module_resolver::Db for Database {}

#[salsa::db]
impl ty_python_core::Db for Database {
    fn should_check_file(&self, file: File) -> bool {
        !file.path(self).is_vendored_path()
    }
}

#[salsa::db]
impl ty_python_semantic::Db for Database {
    fn check_file(&self, _file: File) -> Vec<Diagnostic> {
        Vec::new() // nobody asks for diagnostics
    }

    fn program_file(&self, file: File) -> ProgramFile<'_> {
        self.program().program_file(self, file)
    }

    fn python_version_with_source(&self, _file: File) -> &PythonVersionWithSource {
        &self.settings.program.python_version
    }

    fn rule_selection(&self, _file: File) -> &RuleSelection {
        &self.settings.rules
    }

    fn lint_registry(&self) -> &LintRegistry {
        default_lint_registry()
    }

    fn analysis_settings(&self, _file: File) -> &AnalysisSettings {
        &self.settings.analysis
    }

    fn verbose(&self) -> bool {
        false
    }

    fn is_open_file(&self, _file: File) -> bool {
        false
    }

    fn dyn_clone(&self) -> Box<dyn ty_python_semantic::Db> {
        Box::new(self.clone())
    }
}

#[salsa::db]
impl ProgramDb for Database {
    fn program_settings(&self) -> &ProgramSettings {
        &self.settings.program
    }
}

#[salsa::db]
impl salsa::Database for Database {}
