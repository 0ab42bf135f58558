//! What plain functions reach, through any number of calls and modules.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use engine::{Context, Definition};
use python::NodeId;
use python::ast::{AnyNodeRef, StmtFunctionDef};

use super::summary::{self, Own, Runs, Summary};

/// What a function and the functions that it calls do.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    /// The shortest way to a call that blocks.
    pub(super) path: Option<Path>,
    /// Why it must stay in the event loop's thread.
    pub(super) obstacle: Option<String>,
    /// Why nobody knows whether it may go to another.
    pub(super) doubt: Option<String>,
    /// What looks at the exception that is handled where it is called.
    pub(super) looks: Option<String>,
}

/// A way from a function to a call that blocks.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// The functions on the way, and the call.
    pub(super) names: Vec<String>,
    /// The file that the call is in, where that is another one.
    pub(super) file: Option<String>,
    /// The line that the call is on, from 1.
    pub(super) line: usize,
}

impl Path {
    /// `handler -> load -> requests.get, line 12`, `handler -> load -> requests.get, load.py:12`
    pub(super) fn shown(&self, coroutine: &StmtFunctionDef) -> String {
        let place = match &self.file {
            Some(file) => format!("{file}:{}", self.line),
            None => format!("line {}", self.line),
        };
        let names = self.names.join(" -> ");
        format!("{} -> {names}, {place}", coroutine.name)
    }
}

/// More functions than these are not followed from one call.
const MOST: usize = 256;

/// A function: the number of its file, none for the file in hand, and its own.
type Place = (Option<usize>, NodeId);

/// What `function` reaches. Each function's own code is looked at once; a way that comes back to
/// where it was ends there.
pub(super) fn of<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Rc<Reach> {
    let id = cx.module.id(function);
    cx.remember("reach", id, || Ways::default().follow(cx, (None, id)))
}

/// What a call of something imported reaches, by its dotted name; none where the files of the run
/// do not show it.
pub(super) fn of_imported(cx: &Context<'_, '_>, name: &str) -> Option<Rc<Reach>> {
    let root = cx.module.id(cx.module.root());
    let known = cx.remember("imported", root, RefCell::<HashMap<_, _>>::default);
    if let Some(reach) = known.borrow().get(name) {
        return Option::clone(reach);
    }
    let mut ways = Ways::default();
    let reach = ways.runs(cx, None, name).map(|runs| {
        Rc::new(match runs {
            Target::Function(place) => ways.follow(cx, place),
            Target::Nothing => Reach::default(),
        })
    });
    known.borrow_mut().insert(name.to_string(), reach.clone());
    reach
}

/// The modules on the ways from one function.
#[derive(Default)]
struct Ways {
    modules: HashMap<usize, (String, Arc<Summary>)>,
}

/// What a call runs.
enum Target {
    Function(Place),
    /// Nothing but what makes an instance.
    Nothing,
}

/// A function on a way.
struct Step {
    place: Place,
    /// The one that calls it.
    caller: Option<usize>,
    /// What it is called.
    name: String,
    /// Whether it is reached only the first time that something on the way is called.
    first_time: bool,
}

impl Ways {
    fn follow(&mut self, cx: &Context<'_, '_>, start: Place) -> Reach {
        let mut reach = Reach::default();
        let mut steps = vec![Step {
            place: start,
            caller: None,
            name: String::new(),
            first_time: false,
        }];
        let mut seen = HashMap::from([(start, false)]);
        // The functions in the order of their distance.
        let mut next: VecDeque<usize> = VecDeque::from([0]);
        while let Some(position) = next.pop_front() {
            let Some((place, first_time)) = steps
                .get(position)
                .map(|step| (step.place, step.first_time))
            else {
                break;
            };
            let Some(own) = self.own(cx, place) else {
                reach
                    .doubt
                    .get_or_insert_with(|| "it calls what is not known".to_string());
                continue;
            };
            if let Some(step) = steps.get_mut(position) {
                step.name.clone_from(&own.name);
            }
            let file = place.0.and_then(|file| self.modules.get(&file));
            let file = file.map(|(shown, _)| shown.clone());
            let within = |why: &String| match (&file, position) {
                (_, 0) => format!("in `{}`: {why}", own.name),
                (Some(file), _) if place.0 != start.0 => {
                    format!("in `{}` of {file}, which it calls: {why}", own.name)
                }
                _ => format!("in `{}`, which it calls: {why}", own.name),
            };
            if reach.obstacle.is_none() {
                reach.obstacle = own.obstacle.as_ref().map(within);
            }
            if reach.doubt.is_none() {
                reach.doubt = own.doubt.as_ref().map(within);
            }
            if reach.looks.is_none() {
                reach.looks = own.looks.as_ref().map(within);
            }
            if let Some((call, line)) = &own.blocks
                && reach.path.is_none()
                && !first_time
            {
                let mut names = vec![call.clone()];
                let mut at = Some(position);
                while let Some(step) = at.and_then(|at| steps.get(at)) {
                    names.insert(0, step.name.clone());
                    at = step.caller;
                }
                reach.path = Some(Path {
                    names,
                    file: file.clone(),
                    line: *line,
                });
            }
            let mut called: Vec<(Place, bool)> = own
                .calls
                .iter()
                .map(|call| ((place.0, call.function), first_time || call.first_time))
                .collect();
            for call in &own.imported {
                match self.runs(cx, place.0, &call.name) {
                    Some(Target::Function(runs)) => {
                        called.push((runs, first_time || call.first_time));
                    }
                    Some(Target::Nothing) => {}
                    None if reach.doubt.is_none() => reach.doubt = Some(within(&call.doubt)),
                    None => {}
                }
            }
            for (place, first_time) in called {
                // What is reached the first time only is gone through again where it is always.
                if seen.get(&place).is_some_and(|known| !known || first_time) {
                    continue;
                }
                seen.insert(place, first_time);
                if steps.len() >= MOST {
                    reach
                        .doubt
                        .get_or_insert_with(|| format!("it reaches more than {MOST} functions"));
                    break;
                }
                next.push_back(steps.len());
                steps.push(Step {
                    place,
                    caller: Some(position),
                    name: String::new(),
                    first_time,
                });
            }
        }
        reach
    }

    fn own(&self, cx: &Context<'_, '_>, (file, id): Place) -> Option<Rc<Own>> {
        if let Some(file) = file {
            let (_, summary) = self.modules.get(&file)?;
            return summary.own(id).cloned().map(Rc::new);
        }
        let AnyNodeRef::StmtFunctionDef(function) = cx.module.node(id) else {
            return None;
        };
        Some(cx.remember("own", id, || Own::of(cx, function)))
    }

    /// What a call of `name` in a file runs; none where nobody knows.
    fn runs(&mut self, cx: &Context<'_, '_>, from: Option<usize>, name: &str) -> Option<Target> {
        let Definition {
            file,
            shown,
            name,
            summary,
        } = cx.elsewhere(from, name, summary::of)?;
        let summary = summary.downcast::<Summary>().ok()?;
        let runs = match summary.runs(&name)? {
            Runs::Function(function) => Target::Function((Some(file), function)),
            Runs::Nothing => Target::Nothing,
        };
        self.modules.entry(file).or_insert((shown, summary));
        Some(runs)
    }
}
