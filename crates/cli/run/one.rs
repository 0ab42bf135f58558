//! A run over one file, as a value: nothing is written or printed.

use engine::{Asking, Host, Taken};

use crate::report::Failure;
use crate::unused::Unused;
use crate::walk::{File, Files};

use super::Around;
use super::analysed::{Analysed, analyse_as};
use super::look::{Look, check, look_at};

/// What a run over one file gives.
#[derive(Default)]
pub struct One<'a> {
    /// None where nothing was found.
    pub analysed: Option<Analysed<'a>>,
    /// Why the file, or a cell of it, could not be analysed, and fixes that were dropped.
    pub failures: Vec<Failure>,
}

/// Looks at the only one of `files`, whose types nobody infers. It is parsed in any case, so that
/// no file looks clean that is none of Python's.
pub fn look_at_one<'a>(
    files: &'a [File],
    around: Around<'_, 'a>,
    pool: &rayon::ThreadPool,
) -> One<'a> {
    let mut one = One::default();
    let Some(file) = files.first() else {
        return one;
    };
    let oracle = around.meaning.of(file);
    let mut buffer = Vec::new();
    let look = look_at(
        file,
        around,
        Asking::Oracle(&oracle),
        &mut buffer,
        &mut one.failures,
    );
    match look {
        Look::Found(analysed) => match without_unused(*analysed, files, around, pool) {
            Ok(analysed) => {
                one.failures.extend(analysed.faults());
                one.analysed = Some(analysed);
            }
            Err(failure) => one.failures.push(failure),
        },
        Look::Failed(failure) => one.failures.push(*failure),
        Look::Passed(file, _) => one.failures.extend(check(file, &mut buffer)),
        Look::Nothing | Look::Skipped(_) | Look::Asks(_) => {}
    }
    one
}

/// The same without the imports that the rewrite leaves unused.
fn without_unused<'a>(
    analysed: Analysed<'a>,
    files: &'a [File],
    around: Around<'_, 'a>,
    pool: &rayon::ThreadPool,
) -> Result<Analysed<'a>, Failure> {
    let all = Files {
        looked_at: files,
        known: files,
    };
    let again = |analysed: Analysed<'a>, taken: &(dyn Fn(&str) -> Taken + Sync)| {
        let file = analysed.file;
        let oracle = around.meaning.of(file);
        let host = Host {
            asking: Asking::Oracle(&oracle),
            taken,
            ..Host::ALONE
        };
        analyse_as(&file.settings(), file, None, analysed.source, host)
    };
    Unused::new(all, pool).removed_from(analysed, |kept| kept, again)
}
