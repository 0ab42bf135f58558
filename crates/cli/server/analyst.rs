//! Looks at one text as a run over its folder does, and makes of it what `--fix` makes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use edit::Applicability;
use engine::{Admission, Asking, Codemod, Host, Settings, Silence, Taken};
use server::{
    Analyst, Change, Content, Depth, Found, IsOutdated, Look, Outside, Problem, Text, Useless,
};
use types::Pool;

use crate::arguments::Run;
use crate::baseline::Baselines;
use crate::guard::guarded;
use crate::meaning::{self, Meaning};
use crate::page;
use crate::report::{Failure, ignores};
use crate::review::choice::Listing;
use crate::run::{self, Analysed, Around, analyse_as, is_generated};
use crate::source::Source;
use crate::unused::Unused;
use crate::walk::{File, Files};

use super::known::{Known, Unreadable};
use super::only::Only;
use super::parts::Parts;

/// Whom the server asks.
pub struct Desk {
    known: Known,
    threads: rayon::ThreadPool,
    /// Children that infer types.
    types: Arc<Pool>,
}

impl Desk {
    /// The error is one of the system, which starts no threads.
    pub fn new(arguments: Run) -> Result<Self> {
        let threads = arguments.threads();
        let types = Arc::new(meaning::pool());
        Ok(Self {
            known: Known::new(arguments, threads, Arc::clone(&types)),
            threads: run::threads(threads)?,
            types,
        })
    }

    /// Does `work` with the text as a file among the others; `otherwise` where nothing is to be
    /// looked for in it. A panic is a fault of ours, and no more: whoever asks has other texts.
    fn with<T: Send>(
        &self,
        text: &Text,
        is_outdated: &IsOutdated,
        otherwise: T,
        work: impl FnOnce(&Opened<'_, '_>) -> Result<T, Problem> + Send,
    ) -> Result<T, Problem> {
        guarded(|| self.with_file(text, is_outdated, otherwise, work))
            .unwrap_or_else(|panic| Err(Problem::Ours(format!("panicked: {panic}"))))
    }

    fn with_file<T: Send>(
        &self,
        text: &Text,
        is_outdated: &IsOutdated,
        otherwise: T,
        work: impl FnOnce(&Opened<'_, '_>) -> Result<T, Problem> + Send,
    ) -> Result<T, Problem> {
        let files = self.known.files_with(text.path.as_deref(), &text.content);
        let Some((files, number)) = files.map_err(of_configuration)? else {
            return Ok(otherwise);
        };
        let file = &files[number];
        let settings = file.settings();
        let bytes = file.content.clone().unwrap_or_default();
        if settings.codemods.is_empty() || is_generated(&bytes) {
            return Ok(otherwise);
        }
        let source = file.decode(bytes);
        let source = source.map_err(|unreadable| Problem::Unreadable(unreadable.message))?;
        let Some(source) = source else {
            return Ok(otherwise);
        };
        let parts = Parts::new(&text.content, &source)?;
        let with_baseline: &[File] = match &file.folder.baseline {
            Some(_) => &files,
            None => &[],
        };
        self.types.restart();
        let meaning = Meaning::lasting(&files, Arc::clone(&self.types), Arc::clone(is_outdated));
        self.threads.install(|| {
            let baselines = Baselines::read(with_baseline, None, &[], false);
            let baselines = baselines.map_err(of_configuration)?;
            work(&Opened {
                files: &files,
                file,
                settings: &settings,
                source: &source,
                parts: &parts,
                around: Around {
                    meaning: &meaning,
                    baselines: &baselines,
                    changes: None,
                },
                threads: &self.threads,
            })
        })
    }
}

/// A text as a file among the others of its folder.
struct Opened<'m, 'a> {
    files: &'a [File],
    file: &'a File,
    settings: &'m Settings,
    source: &'m Source,
    parts: &'m Parts<'m>,
    around: Around<'m, 'a>,
    threads: &'m rayon::ThreadPool,
}

impl<'a> Opened<'_, 'a> {
    fn look(&self, depth: Depth) -> Result<Look, Problem> {
        let oracle = self.around.meaning.of(self.file);
        let asking = match depth {
            Depth::Quick => Asking::Later(&oracle),
            Depth::Whole => Asking::Oracle(&oracle),
        };
        let listing = Listing::new(self.around.filter(self.file));
        let host = Host {
            asking,
            taken: &|_| Taken::Unknown,
            admission: &listing,
        };
        let analysed = self.analyse(self.settings, host)?;
        let is_final = !analysed.rewritten.undecided;
        let counted = listing.into_first().into_iter();
        let counted = counted.filter_map(|(finding, counts)| counts.then_some(finding));
        let suppressions = &analysed.rewritten.suppressions;
        let useless = if is_final {
            ignores::problems(suppressions, &self.settings.codemods)
        } else {
            Vec::new() // what is not found yet may need them
        };
        let found = counted.filter_map(|mut finding| {
            let (part, range) = self.parts.place(&finding.range)?;
            finding.range = range;
            Some(Found { part, finding })
        });
        let useless = useless.into_iter().filter_map(|(range, message)| {
            let (part, range) = self.parts.place(&range)?;
            Some(Useless {
                part,
                range,
                message,
            })
        });
        Ok(Look {
            findings: found.collect(),
            useless: useless.collect(),
            is_final,
            apply: Some(self.settings.apply),
            show_withheld: self.file.folder.show_withheld,
        })
    }

    fn change(&self, change: &Change) -> Result<Vec<(usize, String)>, Problem> {
        let only = |site| Only {
            text: self.source.text.as_str(),
            parts: self.parts,
            site,
        };
        match change {
            Change::FixAll => self.fixed(self.settings, || self.around.filter(self.file)),
            Change::Fix(site) => {
                // This one is meant, whatever fixing all applies.
                let settings = Settings {
                    apply: Applicability::Unsafe,
                    ..self.settings.clone()
                };
                self.fixed(&settings, || only(site))
            }
            Change::Silence(site, reason) => {
                let settings = Settings {
                    silence: Some(Silence {
                        reason: reason.clone(),
                        after_fixes: false,
                    }),
                    ..self.settings.clone()
                };
                let analysed = self.rewritten(&settings, &only(site), &|_| Taken::Unknown)?;
                self.output(&analysed)
            }
        }
    }

    /// What becomes of the text by the fixes that are admitted, without the imports that they leave
    /// unused and that no other file uses.
    fn fixed<A: Admission>(
        &self,
        settings: &Settings,
        admission: impl Fn() -> A,
    ) -> Result<Vec<(usize, String)>, Problem> {
        let files = Files {
            looked_at: self.files,
            known: self.files,
        };
        let rewrite =
            |taken: &(dyn Fn(&str) -> Taken + Sync)| self.rewritten(settings, &admission(), taken);
        let analysed = Unused::new(files, self.threads).removed(|kept| kept, rewrite)?;
        self.output(&analysed)
    }

    fn rewritten(
        &self,
        settings: &Settings,
        admission: &dyn Admission,
        taken: &dyn Fn(&str) -> Taken,
    ) -> Result<Analysed<'a>, Problem> {
        let oracle = self.around.meaning.of(self.file);
        let host = Host {
            asking: Asking::Oracle(&oracle),
            taken,
            admission,
        };
        self.analyse(settings, host)
    }

    fn analyse(&self, settings: &Settings, host: Host<'_>) -> Result<Analysed<'a>, Problem> {
        let source = self.source.clone();
        let analysed = analyse_as(settings, self.file, None, source, host);
        analysed.map_err(|failure: Failure| {
            if failure.ours {
                Problem::Ours(failure.to_string())
            } else {
                Problem::Unreadable(failure.to_string())
            }
        })
    }

    fn output(&self, analysed: &Analysed<'_>) -> Result<Vec<(usize, String)>, Problem> {
        match &analysed.rewritten.output {
            Some(text) => self.parts.of(text),
            None => Ok(Vec::new()),
        }
    }
}

impl Analyst for Desk {
    fn look(&self, text: &Text, depth: Depth, is_outdated: &IsOutdated) -> Result<Look, Problem> {
        let nothing = Look {
            is_final: true,
            ..Look::default()
        };
        self.with(text, is_outdated, nothing, |opened| opened.look(depth))
    }

    fn change(
        &self,
        text: &Text,
        change: &Change,
        is_outdated: &IsOutdated,
    ) -> Result<Vec<(usize, String)>, Problem> {
        self.with(text, is_outdated, Vec::new(), |opened| {
            opened.change(change)
        })
    }

    fn url(&self, codemod: &'static Codemod) -> String {
        page::url(codemod)
    }

    fn set_folders(&self, folders: Vec<PathBuf>) {
        self.known.set_folders(folders);
    }

    fn set_open(&self, path: &Path, content: Option<Content>) {
        self.known.set_open(path, content);
    }

    fn changed(&self, what: Outside, files: Vec<PathBuf>) {
        self.types.changed(files); // stubs and ignored files, which are not listed
        match what {
            Outside::Files => self.known.files_changed(),
            Outside::Configuration => self.known.configuration_changed(),
        }
    }
}

fn of_configuration(error: anyhow::Error) -> Problem {
    match error.downcast::<Unreadable>() {
        Ok(unreadable) => Problem::Unreadable(unreadable.0),
        Err(error) => Problem::Configuration(format!("{error:#}")),
    }
}
