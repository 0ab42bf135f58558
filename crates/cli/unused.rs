//! Which imports of a file can go, asked about one file after the other.

use std::collections::HashMap;
use std::sync::Mutex;

use engine::Taken;

use crate::lock::locked;
use crate::run::{self, Analysed};
use crate::usage;
use crate::walk::{File, Files};

/// Looks for the uses of imports in the files of a run: for each at most once.
pub struct Unused<'r, 'a> {
    files: Files<'a>,
    pool: &'r rayon::ThreadPool,
    /// Whether other files use those that were asked about, by the number of their file.
    used: Mutex<HashMap<(usize, String), bool>>,
}

impl<'r, 'a> Unused<'r, 'a> {
    pub fn new(files: Files<'a>, pool: &'r rayon::ThreadPool) -> Self {
        Self {
            files,
            pool,
            used: Mutex::default(),
        }
    }

    /// What `rewrite` gives without the imports that it leaves unused and that no other file uses:
    /// where there are unused ones, it rewrites again. `analysed` is the file in what it gives.
    pub fn removed<T, E>(
        &self,
        analysed: impl Fn(&T) -> &Analysed<'a>,
        rewrite: impl Fn(&(dyn Fn(&str) -> Taken + Sync)) -> Result<T, E>,
    ) -> Result<T, E> {
        let kept = rewrite(&|_| Taken::Unknown)?;
        self.removed_from(kept, analysed, |_, taken| rewrite(taken))
    }

    /// The same where the first rewrite is there already: `kept`, which kept all imports.
    pub fn removed_from<T, E>(
        &self,
        kept: T,
        analysed: impl Fn(&T) -> &Analysed<'a>,
        again: impl FnOnce(T, &(dyn Fn(&str) -> Taken + Sync)) -> Result<T, E>,
    ) -> Result<T, E> {
        let unused = self.of(analysed(&kept));
        if unused.is_empty() {
            return Ok(kept);
        }
        again(kept, &|name| taken(&unused, name))
    }

    /// The names of the imports that the rewrite left unused, and whether another file uses them.
    pub fn of(&self, analysed: &Analysed<'a>) -> HashMap<String, Taken> {
        let Some(mut module) = run::module(analysed, self.files.looked_at) else {
            return HashMap::new();
        };
        let number = module.file;
        let names = module.names.clone();
        let mut known = locked(&self.used);
        module
            .names
            .retain(|name| !known.contains_key(&(number, name.clone())));
        if !module.names.is_empty() {
            let asked = module.names.clone();
            let read = |file: &File, buffer: &mut Vec<u8>| file.read_into(buffer).is_ok();
            let used = self
                .pool
                .install(|| usage::used(&[module], self.files.known, read));
            for name in asked {
                let is_used = used.iter().any(|used| used.contains(&name));
                known.insert((number, name), is_used);
            }
        }
        let taken = |name: String| {
            let is_used = known.get(&(number, name.clone())) == Some(&true);
            let taken = if is_used || analysed.source.may_read(&name) {
                Taken::Somewhere
            } else {
                Taken::Nowhere
            };
            (name, taken)
        };
        names.into_iter().map(taken).collect()
    }
}

/// Whether another file uses an import, by what [`Unused::of`] says.
pub fn taken(unused: &HashMap<String, Taken>, name: &str) -> Taken {
    unused.get(name).copied().unwrap_or(Taken::Unknown)
}
