//! Further looks at files of the first: where a codemod asked for what lies outside of the module,
//! and where an import may go.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, IsTerminal};

use engine::{Asking, Host};
use rayon::prelude::*;

use crate::plan::{Plan, Verbosity};
use crate::progress::Progress;
use crate::report::Failure;
use crate::usage::{self, Module};
use crate::walk::File;

use super::analysed::Analysed;
use super::{Around, KEEPING, Looked, analyse};

/// Rewrites the files again in which a codemod asked for what lies outside.
pub(super) fn decide<'a>(looked: &mut Looked<'a>, around: Around<'_, 'a>, plan: &Plan) {
    let undecided: Vec<usize> = looked
        .analysed
        .iter()
        .enumerate()
        .filter(|(_, analysed)| analysed.rewritten.undecided)
        .map(|(index, _)| index)
        .collect();
    if undecided.is_empty() {
        return;
    }
    let wanted = plan.verbosity >= Verbosity::Normal && io::stderr().is_terminal();
    let progress = Progress::new(undecided.len(), wanted);
    let again: Vec<(usize, Result<Analysed, Failure>)> = undecided
        .into_par_iter()
        .with_max_len(1)
        .map(|index| {
            let Analysed {
                file,
                stamp,
                source,
                ..
            } = &looked.analysed[index];
            let oracle = around.meaning.of(file);
            let host = Host {
                asking: Asking::Oracle(&oracle),
                ..KEEPING
            };
            let analysed = analyse(file, *stamp, source.clone(), host, around);
            progress.tick();
            (index, analysed)
        })
        .collect();
    progress.finish();
    put_back(looked, again);
    looked.analysed.retain(|analysed| !analysed.is_empty());
}

/// Rewrites the files again that can lose an import: now that all files are known, it is known
/// whether another one uses it.
pub(super) fn look_again<'a>(looked: &mut Looked<'a>, files: &'a [File], around: Around<'_, 'a>) {
    let pending: Vec<(usize, Module)> = looked
        .analysed
        .iter()
        .enumerate()
        .filter_map(|(index, analysed)| Some((index, module(analysed, files)?)))
        .collect();
    if pending.is_empty() {
        return;
    }
    let (indexes, modules): (Vec<usize>, Vec<Module>) = pending.into_iter().unzip();
    let used = usage::used(&modules, files, |file, buffer| {
        file.read_into(buffer).is_ok()
    });
    let again: Vec<(usize, Result<Analysed, Failure>)> = (indexes, modules, used)
        .into_par_iter()
        .filter_map(|(index, module, used)| {
            let unused: HashSet<String> = module
                .names
                .into_iter()
                .filter(|name| !used.contains(name))
                .collect();
            if unused.is_empty() {
                return None;
            }
            let Analysed {
                file,
                stamp,
                source,
                ..
            } = &looked.analysed[index];
            let may_remove = |name: &str| unused.contains(name) && !source.may_read(name);
            let oracle = around.meaning.of(file);
            let host = Host {
                asking: Asking::Oracle(&oracle),
                may_remove: &may_remove,
                ..Host::ALONE
            };
            let analysed = analyse(file, *stamp, source.clone(), host, around);
            Some((index, analysed))
        })
        .collect();
    put_back(looked, again);
}

/// Takes what looking again at files gave in the place of what was there.
fn put_back<'a>(looked: &mut Looked<'a>, again: Vec<(usize, Result<Analysed<'a>, Failure>)>) {
    let mut failed = HashSet::new();
    for (index, result) in again {
        match result {
            Ok(analysed) => looked.analysed[index] = analysed,
            Err(failure) => {
                failed.insert(index);
                looked.failures.push(failure);
            }
        }
    }
    let mut index = 0;
    looked.analysed.retain(|_| {
        index += 1;
        !failed.contains(&(index - 1))
    });
}

/// The module as the search for uses wants it; none where no import is to go.
pub fn module(analysed: &Analysed, files: &[File]) -> Option<Module> {
    let Analysed {
        file, rewritten, ..
    } = analysed;
    // The imports of a package are its interface.
    if rewritten.unused_imports.is_empty() || file.settings().is_package {
        return None;
    }
    let position = files
        .binary_search_by(|other| other.path.cmp(&file.path))
        .ok()?;
    let stem = file.canonical.file_stem()?.to_string_lossy().into_owned();
    let names: BTreeSet<String> = rewritten
        .unused_imports
        .iter()
        .map(|import| import.name.clone())
        .collect();
    Some(Module {
        file: position,
        stem,
        names,
    })
}
