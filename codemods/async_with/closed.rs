//! Whether anything in the project closes what is at a place, wherever it gets to.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use engine::Context;
use python::ast::Expr;

use super::gather::{summarise, summary};
use super::places::{Fate, Place, Summary, Target};
use super::sources::places;

/// Beyond that many places nobody follows a value.
const MAX_PLACES: usize = 400;

/// A class that derives from one that derives from another, and so on, is followed through no
/// more classes than these.
const MAX_BASES: usize = 50;

/// What stands in each file that closes something.
const CLOSES: &[&str] = &["close", "exit", "async with", "enter", "detach"];

/// Whether what gets into `target`, so many levels deep in what is there, is closed, or handed on
/// to be closed.
pub fn is_closed(cx: &Context<'_, '_>, target: Target, depth: u8) -> bool {
    let mut search = Search::new(cx);
    search.waiting.push((None, target, depth));
    search.run()
}

/// Whether the value of an expression, or what it holds, is closed, here or elsewhere.
pub fn is_value_closed(cx: &Context<'_, '_>, value: &Expr) -> bool {
    let mut search = Search::new(cx);
    for (place, step) in places(cx.module, value) {
        search
            .waiting
            .push((None, Target::Anywhere(place), step.levels_into()));
    }
    search.run()
}

/// A file that is looked at: this one, or one of another number.
#[derive(Clone)]
enum File {
    This(Rc<Summary>),
    Other(usize, Arc<Summary>),
}

impl File {
    fn number(&self) -> Option<usize> {
        match self {
            File::This(_) => None,
            File::Other(number, _) => Some(*number),
        }
    }

    fn summary(&self) -> &Summary {
        match self {
            File::This(summary) => summary,
            File::Other(_, summary) => summary,
        }
    }
}

struct Search<'a, 'c, 'm> {
    cx: &'c Context<'a, 'm>,
    own: File,
    /// What a value gets into, in which file, and how many levels deep it is in what is there.
    waiting: Vec<(Option<File>, Target, u8)>,
    seen: HashSet<(Option<usize>, Target, u8)>,
}

impl<'a, 'c, 'm> Search<'a, 'c, 'm> {
    fn new(cx: &'c Context<'a, 'm>) -> Self {
        let root = cx.module.id(cx.module.root());
        Self {
            cx,
            own: File::This(cx.remember("who closes what", root, || summary(cx))),
            waiting: Vec::new(),
            seen: HashSet::new(),
        }
    }

    fn run(&mut self) -> bool {
        while let Some((file, target, depth)) = self.waiting.pop() {
            let file = file.unwrap_or_else(|| self.own.clone());
            let key = (file.number(), target.clone(), depth);
            if self.seen.len() > MAX_PLACES || !self.seen.insert(key) {
                continue;
            }
            if self.is_closed_at(&file, target, depth) {
                return true;
            }
        }
        false
    }

    fn is_closed_at(&mut self, file: &File, target: Target, depth: u8) -> bool {
        match target {
            Target::Here(place) => self.here(file, &place, depth),
            Target::Anywhere(place) => {
                if self.here(file, &place, depth) {
                    return true;
                }
                let place = match place {
                    Place::Global(name) => Place::Attribute(name), // of the module
                    place => place,
                };
                self.in_others(file, &place, depth, |it| &it.outside)
            }
            Target::Others(name) => {
                let place = Place::Attribute(name);
                self.here(file, &place, depth) || self.in_others(file, &place, depth, |it| &it.here)
            }
            Target::Own(class, name) => {
                let place = Place::Attribute(name);
                self.here(file, &place, depth)
                    || self.in_family(file, &class, &place, depth)
                    || self.in_others(file, &place, depth, |it| &it.outside)
            }
        }
    }

    /// In the file itself.
    fn here(&mut self, file: &File, place: &Place, depth: u8) -> bool {
        let summary = file.summary();
        if let Place::Attribute(name) = place {
            if summary.handed.contains(name) {
                return true;
            }
            if self.is_at_end(file, summary.here.get(&Place::Unnamed), depth) {
                return true;
            }
        }
        self.is_at_end(file, summary.here.get(place), depth)
    }

    /// In the other files that name it, as those see it.
    fn in_others(
        &mut self,
        file: &File,
        place: &Place,
        depth: u8,
        view: fn(&Summary) -> &std::collections::HashMap<Place, Fate>,
    ) -> bool {
        let (name, beside) = match place {
            Place::Attribute(name) => (name.as_str(), CLOSES),
            Place::Returned(name) | Place::Yielded(name) => (name.as_str(), [].as_slice()),
            Place::Argument(name, _) => {
                // `Base.__init__` is where `Base` is.
                let name = name.split('.').next().unwrap_or(name);
                (name, [].as_slice())
            }
            Place::Local(_) | Place::Global(_) | Place::Unnamed => return false,
        };
        let mut files: Vec<File> = self
            .cx
            .naming(name, beside, summarise)
            .into_iter()
            .filter_map(|(number, summary)| other(number, summary))
            .collect();
        if file.number().is_some() {
            files.push(self.own.clone());
        }
        files.iter().any(|found| {
            found.number() != file.number()
                && self.is_at_end(found, view(found.summary()).get(place), depth)
        })
    }

    /// In the files of the classes from which a class inherits, and of those that derive from it.
    fn in_family(&mut self, file: &File, class: &str, place: &Place, depth: u8) -> bool {
        let mut family = self.bases(file, class);
        for (number, summary) in self.cx.deriving(class, summarise) {
            let Some(deriving) = other(number, summary) else {
                continue;
            };
            for derived in deriving.summary().bases.keys() {
                family.extend(self.bases(&deriving, derived));
            }
            family.push(deriving);
        }
        family.iter().any(|found| self.here(found, place, depth))
    }

    /// The files of the imported classes from which a class of a file inherits.
    fn bases(&self, file: &File, class: &str) -> Vec<File> {
        let mut waiting = bases_in(file.summary(), file.number(), class);
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        while let Some((from, base)) = waiting.pop() {
            if seen.len() > MAX_BASES || !seen.insert((from, base.clone())) {
                continue;
            }
            // It may be of a package that is not looked at.
            if let Some(found) = self.cx.elsewhere(from, &base, summarise)
                && let Some(file) = other(found.file, found.summary)
            {
                waiting.extend(bases_in(file.summary(), file.number(), &found.name));
                files.push(file);
            }
        }
        files
    }

    /// Whether it ends there; else it is followed to where it gets from there.
    fn is_at_end(&mut self, file: &File, fate: Option<&Fate>, depth: u8) -> bool {
        let Some(fate) = fate else {
            return false;
        };
        if fate.closes(depth) {
            return true;
        }
        for (step, target) in &fate.gets_to {
            if let Some(depth) = step.depth(depth) {
                self.waiting
                    .push((Some(file.clone()), target.clone(), depth));
            }
        }
        false
    }
}

fn other(number: usize, summary: engine::Summary) -> Option<File> {
    let summary = summary.downcast::<Summary>().ok()?;
    Some(File::Other(number, summary))
}

/// The imported classes from which a class of a file inherits, also through others of it, each
/// with the number of the file that imports it.
fn bases_in(summary: &Summary, file: Option<usize>, class: &str) -> Vec<(Option<usize>, String)> {
    let mut imported = Vec::new();
    let mut waiting = vec![class];
    let mut seen = HashSet::new();
    while let Some(class) = waiting.pop() {
        if !seen.insert(class) {
            continue;
        }
        match summary.bases.get(class) {
            Some(bases) => waiting.extend(bases.iter().map(String::as_str)),
            None => imported.push((file, class.to_string())),
        }
    }
    imported
}
