//! What a file becomes without some of its fixes.

use std::collections::BTreeSet;
use std::collections::hash_map::{Entry, HashMap};

use engine::{Asking, Finding, Host, Outcome, Taken};

use crate::admission::Withheld;
use crate::report::{Failure, TakenBack};
use crate::run::{self, Analysed, Around};
use crate::unused::Unused;
use crate::walk::{File, Files};

use super::units;

/// Rewrites the files of a run.
pub struct Rewriting<'r, 'a> {
    around: Around<'r, 'a>,
    pool: &'r rayon::ThreadPool,
    unused: Unused<'r, 'a>,
}

impl<'r, 'a> Rewriting<'r, 'a> {
    pub fn new(files: Files<'a>, around: Around<'r, 'a>, pool: &'r rayon::ThreadPool) -> Self {
        Self {
            around,
            pool,
            unused: Unused::new(files, pool),
        }
    }

    /// The file again, without these fixes, and without the imports that go with the others.
    fn without(&self, all: &Analysed<'a>, withheld: &[Withheld]) -> Result<Analysed<'a>, Failure> {
        // What it took until here was the command's time.
        self.around.meaning.restart();
        let rewrite = |taken: &(dyn Fn(&str) -> Taken + Sync)| self.rewrite(all, withheld, taken);
        self.unused.removed(|kept| kept, rewrite)
    }

    /// The names of the imports that the rewrite left unused, and whether another file uses them.
    pub fn taken(&self, analysed: &Analysed<'a>) -> HashMap<String, Taken> {
        self.unused.of(analysed)
    }

    /// The file again, without these fixes. `taken` says whether other files use what an import
    /// binds.
    pub fn rewrite(
        &self,
        all: &Analysed<'a>,
        withheld: &[Withheld],
        taken: &(dyn Fn(&str) -> Taken + Sync),
    ) -> Result<Analysed<'a>, Failure> {
        let Analysed {
            file,
            stamp,
            source,
            ..
        } = all;
        self.pool.install(|| {
            let oracle = self.around.meaning.of(file);
            let host = Host {
                asking: Asking::Oracle(&oracle),
                taken,
                ..Host::ALONE
            };
            run::analyse_without(withheld, file, *stamp, source.clone(), host, self.around)
        })
    }
}

/// A file whose fixes are verified, and what it becomes by some of them.
pub struct Fixed<'a> {
    /// By all of them.
    all: Analysed<'a>,
    /// Groups of fixes, each with its findings.
    groups: Vec<Vec<Withheld>>,
    /// By the groups that are left out.
    partial: HashMap<BTreeSet<usize>, Analysed<'a>>,
}

impl<'a> Fixed<'a> {
    pub fn new(all: Analysed<'a>) -> Self {
        let apply = all.file.folder.module.apply;
        let withheld = |number: usize, finding: &Finding| Withheld {
            codemod: finding.codemod.name,
            range: finding.range.clone(),
            reason: mark(number),
        };
        let mut groups: Vec<Vec<Withheld>> = units::groups(&all.rewritten.findings, apply)
            .iter()
            .enumerate()
            .map(|(number, group)| {
                let group = group.iter();
                group.map(|finding| withheld(number, finding)).collect()
            })
            .collect();
        if groups.is_empty() {
            // What is rewritten nevertheless is taken or left as a whole.
            groups.push(Vec::new());
        }
        Self {
            all,
            groups,
            partial: HashMap::new(),
        }
    }

    pub fn file(&self) -> &'a File {
        self.all.file
    }

    /// The numbers of its groups.
    pub fn groups(&self) -> Vec<usize> {
        (0..self.groups.len()).collect()
    }

    /// How many findings the groups have.
    pub fn findings(&self, groups: &[usize]) -> usize {
        groups.iter().map(|number| self.groups[*number].len()).sum()
    }

    /// The file rewritten by these groups; nothing where that is none.
    pub fn by(
        &mut self,
        groups: &BTreeSet<usize>,
        rewriting: &mut Rewriting<'_, 'a>,
    ) -> Result<Option<&Analysed<'a>>, Failure> {
        if groups.is_empty() {
            return Ok(None);
        }
        let without: BTreeSet<usize> = self.groups().into_iter().collect();
        let without: BTreeSet<usize> = without.difference(groups).copied().collect();
        if without.is_empty() {
            return Ok(Some(&self.all));
        }
        let rewritten = match self.partial.entry(without) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let left_out = left_out(&self.groups, place.key());
                place.insert(rewriting.without(&self.all, &left_out)?)
            }
        };
        Ok(Some(rewritten))
    }

    /// The file without the groups that are taken back, each with the reason.
    pub fn into_final(
        mut self,
        back: Vec<(usize, TakenBack)>,
        rewriting: &mut Rewriting<'_, 'a>,
    ) -> Result<Analysed<'a>, Failure> {
        let without: BTreeSet<usize> = back.iter().map(|(number, _)| *number).collect();
        let mut analysed = match self.partial.remove(&without) {
            _ if without.is_empty() => return Ok(self.all),
            Some(known) => known,
            None => rewriting.without(&self.all, &left_out(&self.groups, &without))?,
        };
        let rewritten = &mut analysed.rewritten;
        if without.len() == self.groups.len() {
            analysed.after = None;
            rewritten.output = None;
            rewritten.remaining.clone_from(&rewritten.findings);
        }
        for finding in rewritten
            .findings
            .iter_mut()
            .chain(&mut rewritten.remaining)
        {
            if let Outcome::Withheld(reason) = &mut finding.outcome
                && let Some((_, back)) = back.iter().find(|(it, _)| mark(*it) == *reason)
            {
                reason.clone_from(&back.reason);
            }
        }
        analysed.taken_back = back.into_iter().map(|(_, back)| back).collect();
        Ok(analysed)
    }
}

fn left_out(groups: &[Vec<Withheld>], without: &BTreeSet<usize>) -> Vec<Withheld> {
    let left_out = without.iter().flat_map(|number| groups[*number].clone());
    left_out.collect()
}

/// What stands for the reason until it is known.
fn mark(group: usize) -> String {
    format!("group {group} of the fixes is left out")
}
