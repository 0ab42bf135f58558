//! What a file becomes by the fixes that are chosen.

use std::ops::Range;

use edit::Applicability;
use engine::{Admission, Asking, Finding, Host, Silence, Taken};

use super::choice::{Choice, Found, Listing};
use super::file::Open;
use crate::admission::Filter;
use crate::report::Failure;
use crate::run::{self, Analysed, Around};
use crate::source::Source;
use crate::unused::Unused;
use crate::walk::Files;

/// Rewrites the files of a run.
pub struct Rewriting<'r, 'a> {
    around: Around<'r, 'a>,
    pool: &'r rayon::ThreadPool,
    unused: Unused<'r, 'a>,
}

/// What a rewrite gave, and what is found in it, each with its place in the text before.
pub struct Looked<'a> {
    pub analysed: Analysed<'a>,
    pub found: Vec<(Finding, Range<usize>)>,
}

/// What a file is to become.
pub struct Fixed {
    pub text: String,
    pub bytes: Vec<u8>,
    /// How many fixes that is.
    pub fixes: usize,
    /// The highest of them.
    pub applicability: Applicability,
    /// What is found then, each with its place in the text before.
    pub found: Vec<(Finding, Range<usize>)>,
}

impl<'r, 'a> Rewriting<'r, 'a> {
    pub fn new(files: Files<'a>, around: Around<'r, 'a>, pool: &'r rayon::ThreadPool) -> Self {
        Self {
            around,
            pool,
            unused: Unused::new(files, pool),
        }
    }

    /// The file by the fixes that are chosen, without the imports that they leave unused and that
    /// no other file uses.
    pub fn fixed(&self, open: &Open<'a>, choice: &Choice) -> Result<Looked<'a>, Failure> {
        let rewrite = |taken: &(dyn Fn(&str) -> Taken + Sync)| {
            self.rewrite(open, &open.source.text, choice, None, taken)
        };
        self.unused.removed(|looked| &looked.analysed, rewrite)
    }

    /// The file as if it held `text`, by the fixes that are chosen. All imports stay.
    pub fn with(
        &self,
        open: &Open<'a>,
        text: &str,
        choice: &Choice,
        silence: Option<Silence>,
    ) -> Result<Looked<'a>, Failure> {
        self.rewrite(open, text, choice, silence, &|_| Taken::Unknown)
    }

    /// What is found in the file as it is, each with whether it counts.
    pub fn listed(
        &self,
        open: &Open<'a>,
        filter: Filter<'_>,
    ) -> Result<Vec<(Finding, bool)>, Failure> {
        let text = &open.source.text;
        let (_, listing) =
            self.rewrite_as(open, text, Listing::new(filter), None, &|_| Taken::Unknown)?;
        Ok(listing.into_first())
    }

    fn rewrite(
        &self,
        open: &Open<'a>,
        text: &str,
        choice: &Choice,
        silence: Option<Silence>,
        taken: &(dyn Fn(&str) -> Taken + Sync),
    ) -> Result<Looked<'a>, Failure> {
        let (analysed, found) = self.rewrite_as(open, text, Found::new(choice), silence, taken)?;
        Ok(Looked {
            analysed,
            found: found.into_last(),
        })
    }

    fn rewrite_as<A: Admission + Send>(
        &self,
        open: &Open<'a>,
        text: &str,
        admission: A,
        silence: Option<Silence>,
        taken: &(dyn Fn(&str) -> Taken + Sync),
    ) -> Result<(Analysed<'a>, A), Failure> {
        let file = open.file;
        let mut settings = file.settings().into_owned();
        settings.silence = silence;
        let source = Source {
            text: text.to_string(),
            ..open.source.clone()
        };
        self.pool.install(|| {
            let oracle = self.around.meaning.of(file);
            let host = Host {
                asking: Asking::Oracle(&oracle),
                taken,
                admission: &admission,
            };
            let analysed = run::analyse_as(&settings, file, Some(open.stamp), source, host)?;
            Ok((analysed, admission))
        })
    }
}
