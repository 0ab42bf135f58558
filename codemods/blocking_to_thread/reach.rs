//! What plain functions reach, through any number of calls and modules.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use engine::{Context, Definition};
use python::NodeId;
use python::ast::{AnyNodeRef, StmtFunctionDef};

use super::arguments::Given;
use super::conditions::{Values, are_excluded};
use super::summary::{self, Made, Own, Runs, Summary};
use super::thread_local;

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
    /// Whether it is a generator function itself, whose code runs where what it gives is iterated.
    pub(super) is_generator: bool,
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

/// What a call of `function` reaches. Each function's own code is looked at once; a way
/// that comes back to where it was ends there.
pub(super) fn of<'a>(
    cx: &Context<'a, '_>,
    function: &'a StmtFunctionDef,
    given: Given,
) -> Rc<Reach> {
    let id = cx.module.id(function);
    let known = cx.remember("reach", id, RefCell::<HashMap<Given, Rc<Reach>>>::default);
    if let Some(reach) = known.borrow().get(&given) {
        return reach.clone();
    }
    let reach = Rc::new(Ways::default().follow(cx, (None, id), &given));
    known.borrow_mut().insert(given, reach.clone());
    reach
}

/// What a call of something imported reaches, by its dotted name; none where the files of the run
/// do not show it.
pub(super) fn of_imported(cx: &Context<'_, '_>, name: &str, given: Given) -> Option<Rc<Reach>> {
    type Answers = RefCell<HashMap<(String, Given), Option<Rc<Reach>>>>;
    let root = cx.module.id(cx.module.root());
    let known = cx.remember("imported", root, Answers::default);
    let key = (name.to_string(), given);
    if let Some(reach) = known.borrow().get(&key) {
        return Option::clone(reach);
    }
    let mut ways = Ways::default();
    let reach = ways.runs(cx, None, name).map(|runs| {
        Rc::new(match runs {
            Target::Function(place) => ways.follow(cx, place, &key.1),
            Target::Nothing => Reach::default(),
            Target::ThreadLocal(object) => Reach {
                obstacle: Some(thread_local::reason(&object)),
                ..Reach::default()
            },
        })
    });
    known.borrow_mut().insert(key, reach.clone());
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
    /// Something of this object, of which each thread has its own.
    ThreadLocal(String),
}

/// A function on a way.
struct Step {
    place: Place,
    /// The one that calls it.
    caller: Option<usize>,
    /// What it is called.
    name: String,
    /// What is known in it; none where it is reached only the first time that something on the way
    /// is called, or never with what is given.
    values: Option<Values>,
    /// Whether what it gives is gone through by its caller.
    is_consumed: bool,
}

impl Ways {
    fn follow(&mut self, cx: &Context<'_, '_>, start: Place, given: &Given) -> Reach {
        let mut reach = Reach::default();
        let values = self
            .own(cx, start)
            .map(|own| own.bind(given, &Values::new()));
        let first = Step {
            place: start,
            caller: None,
            name: String::new(),
            values: values.or_else(|| Some(Values::new())),
            is_consumed: given.is_consumed,
        };
        let mut seen = HashSet::from([(start, first.values.clone(), first.is_consumed)]);
        let mut steps = vec![first];
        // The functions in the order of their distance.
        let mut next: VecDeque<usize> = VecDeque::from([0]);
        while let Some(position) = next.pop_front() {
            let Some(step) = steps.get(position) else {
                break;
            };
            let (place, values) = (step.place, step.values.clone());
            let is_consumed = step.is_consumed;
            let Some(own) = self.own(cx, place) else {
                reach
                    .doubt
                    .get_or_insert_with(|| "it calls what is not known".to_string());
                continue;
            };
            if let Some(step) = steps.get_mut(position) {
                step.name.clone_from(&own.name);
            }
            reach.is_generator |= position == 0 && own.is_generator;
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
            if reach.obstacle.is_none() && own.is_generator && !is_consumed {
                reach.obstacle = Some(within(&format!(
                    "`{}` is a generator function, whose code runs where it is iterated",
                    own.name
                )));
            }
            if reach.doubt.is_none() {
                reach.doubt = own.doubt.as_ref().map(within);
            }
            if reach.looks.is_none() {
                reach.looks = own.looks.as_ref().map(within);
            }
            let waits = values.as_ref().and_then(|values| {
                let mut blocks = own.blocks.iter();
                blocks.find(|waits| !are_excluded(&waits.when, values))
            });
            if let Some(waits) = waits
                && reach.path.is_none()
            {
                let mut names = vec![waits.name.clone()];
                let mut at = Some(position);
                while let Some(step) = at.and_then(|at| steps.get(at)) {
                    names.insert(0, step.name.clone());
                    at = step.caller;
                }
                reach.path = Some(Path {
                    names,
                    file: file.clone(),
                    line: waits.line,
                });
            }
            let mut called: Vec<(Place, &Made)> = own
                .calls
                .iter()
                .map(|call| ((place.0, call.function), &call.made))
                .collect();
            for call in &own.imported {
                match self.runs(cx, place.0, &call.name) {
                    Some(Target::Function(runs)) => called.push((runs, &call.made)),
                    Some(Target::Nothing) => {}
                    Some(Target::ThreadLocal(object)) => {
                        let why = thread_local::reason(&object);
                        reach.obstacle.get_or_insert_with(|| within(&why));
                    }
                    None if reach.doubt.is_none() => reach.doubt = Some(within(&call.doubt)),
                    None => {}
                }
            }
            for (place, made) in called {
                let reached = values
                    .as_ref()
                    .filter(|values| !made.first_time && !are_excluded(&made.when, values));
                let values = reached.map(|values| match self.own(cx, place) {
                    Some(own) => own.bind(&made.given, values),
                    None => Values::new(),
                });
                let is_consumed = made.given.is_consumed;
                if !seen.insert((place, values.clone(), is_consumed)) {
                    continue;
                }
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
                    values,
                    is_consumed,
                });
            }
        }
        reach
    }

    fn own(&self, cx: &Context<'_, '_>, (file, id): Place) -> Option<Arc<Own>> {
        if let Some(file) = file {
            let (_, summary) = self.modules.get(&file)?;
            return summary.own(id).cloned();
        }
        let AnyNodeRef::StmtFunctionDef(function) = cx.module.node(id) else {
            return None;
        };
        let own = cx.remember("own", id, || Arc::new(Own::of(cx, function)));
        Some(Arc::clone(&own))
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
        if let Some(object) = summary.thread_local(&name) {
            return Some(Target::ThreadLocal(object.to_string()));
        }
        let runs = match summary.runs(&name)? {
            Runs::Function(function) => Target::Function((Some(file), function)),
            Runs::Nothing => Target::Nothing,
        };
        self.modules.entry(file).or_insert((shown, summary));
        Some(runs)
    }
}
