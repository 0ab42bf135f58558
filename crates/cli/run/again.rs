//! Further looks at files of the first: where a codemod asked for what lies outside of the module,
//! and where an import may go.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, IsTerminal};

use engine::{Asking, Host, Taken};
use rayon::prelude::*;

use crate::plan::{Plan, Verbosity};
use crate::progress::Progress;
use crate::report::Failure;
use crate::usage::{self, Module};
use crate::walk::{File, Files};

use super::analysed::Analysed;
use super::look::{Look, look_at};
use super::{Around, Looked, analyse};

/// Looks again at the files in which a codemod asked for what lies outside.
pub(super) fn decide<'a>(looked: &mut Looked<'a>, around: Around<'_, 'a>, plan: &Plan) {
    let asking = std::mem::take(&mut looked.asking);
    if asking.is_empty() {
        return;
    }
    let wanted = plan.verbosity >= Verbosity::Normal && io::stderr().is_terminal();
    let progress = Progress::new(asking.len(), wanted);
    let again: Vec<Look> = asking
        .into_par_iter()
        .with_max_len(1)
        .map_init(Vec::new, |buffer, file| {
            let oracle = around.meaning.of(file);
            // Those of its cells that are broken are known.
            let mut look = look_at(
                file,
                around,
                Asking::Oracle(&oracle),
                buffer,
                &mut Vec::new(),
            );
            look.keep_for(plan);
            progress.tick();
            look
        })
        .collect();
    progress.finish();
    for look in again {
        match look {
            Look::Found(analysed) => looked.analysed.push(*analysed),
            Look::Failed(failure) => looked.failures.push(*failure),
            Look::Skipped(note) => looked.notes.push(note),
            Look::Nothing | Look::Passed(..) | Look::Asks(_) => {}
        }
    }
    let by_path = |one: &Analysed, other: &Analysed| one.file.path.cmp(&other.file.path);
    looked.analysed.sort_by(by_path);
}

/// Rewrites the files again that can lose an import: now that all files are known, it is known
/// whether another one uses it.
pub(super) fn look_again<'a>(looked: &mut Looked<'a>, files: Files<'a>, around: Around<'_, 'a>) {
    let pending: Vec<(usize, Module)> = looked
        .analysed
        .iter()
        .enumerate()
        .filter_map(|(index, analysed)| Some((index, module(analysed, files.looked_at)?)))
        .collect();
    if pending.is_empty() {
        return;
    }
    let (indexes, modules): (Vec<usize>, Vec<Module>) = pending.into_iter().unzip();
    let used = usage::used(&modules, files.known, |file, buffer| {
        file.read_into(buffer).is_ok()
    });
    let again: Vec<(usize, Result<Analysed, Failure>)> = (indexes, modules, used)
        .into_par_iter()
        .map(|(index, module, used)| {
            let Analysed {
                file,
                stamp,
                source,
                ..
            } = &looked.analysed[index];
            let taken = |name: &str| {
                if !module.names.contains(name) {
                    Taken::Unknown
                } else if used.contains(name) || source.may_read(name) {
                    Taken::Somewhere
                } else {
                    Taken::Nowhere
                }
            };
            let oracle = around.meaning.of(file);
            let host = Host {
                asking: Asking::Oracle(&oracle),
                taken: &taken,
                ..Host::ALONE
            };
            let analysed = analyse(file, *stamp, source.clone(), host, around);
            (index, analysed)
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
