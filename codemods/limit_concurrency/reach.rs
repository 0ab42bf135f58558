//! Whether a coroutine is seen to reach what lies outside of the program, through any number of
//! functions and modules.
//!
//! Names of functions do not tell: `resolve_peer` may look into a table, and `fetch` ask a client
//! that keeps ten connections. So each function is read, and those that it waits for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use engine::{Context, Definition};
use python::NodeId;
use python::ast::{AnyNodeRef, Expr, ExprCall};
use types::Answer;

use super::classes::{Class, Receiver};
use super::elsewhere::{self, Seen};
use super::lists::{Element, Within};
use super::own::{Next, Own};
use super::{fanout, outside};

/// More functions than these are not followed from one element.
const MOST: usize = 64;

/// Classes that derive from each other, and methods that are there to be overridden, are followed no
/// further than this.
const DEPTH: usize = 8;

/// A function: the number of its file, none for the file in hand, and its own.
type At = (Option<usize>, NodeId);

/// What is seen on the ways from a function.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It reaches this, outside of the program.
    Outside(String),
    /// Something lets so many through and no more.
    Limited,
    /// It waits for threads only.
    Threads,
    /// It waits for what is not seen.
    Unseen,
    /// All that it waits for is seen, and lies in the program.
    Inside,
}

/// What the coroutine that is made for an element opens or asks: none where that is not seen, or
/// where something on the way to it lets so many through and no more.
///
/// What sleeps, and does nothing else, has no limit but time. It stands for work where no time passes
/// meanwhile, or where its time is limited: nobody limits that of a mere sleep.
pub(super) fn of<'a>(cx: &Context<'a, '_>, element: &Element<'a>) -> Option<String> {
    let mut first = Own {
        only_sleeps: true,
        ..Own::default()
    };
    let is_timed = matches!(element.expr, Expr::Call(call)
        if cx.module.refers_to(&call.func, "asyncio.wait_for"));
    if let Within::Map(_) = element.within {
        first.runs(cx, element.expr, None);
    }
    for call in fanout::calls(cx, element) {
        first.runs(cx, &call.func, Some(call));
    }
    // What it costs to ask for types is spent where nothing else tells.
    let first = Arc::new(first);
    let ways = || Ways {
        is_timed,
        ..Ways::default()
    };
    let mut outcome = ways().follow(cx, None, first.clone(), false, 0);
    if matches!(
        outcome,
        Outcome::Unseen | Outcome::Inside | Outcome::Threads
    ) {
        outcome = ways().follow(cx, None, first, true, 0);
    }
    match outcome {
        Outcome::Outside(name) => Some(name),
        _ => None,
    }
}

/// The modules on the ways from one element.
#[derive(Default)]
struct Ways {
    /// Whether the element has so much time and no more.
    is_timed: bool,
    modules: HashMap<usize, Arc<Seen>>,
}

/// A class: the number of its file, none for the file in hand, and its path.
type ClassAt = (Option<usize>, String);

/// What a call runs.
enum Target {
    Function(At),
    /// What this name stands for, outside of the program.
    Outside(String),
}

impl Ways {
    fn follow(
        &mut self,
        cx: &Context<'_, '_>,
        file: Option<usize>,
        first: Arc<Own>,
        typed: bool,
        depth: usize,
    ) -> Outcome {
        let mut found = None;
        let (mut sleeps, mut only_sleeps) = (false, true);
        let mut takes_time = false;
        let (mut threads, mut is_seen) = (false, true);
        let mut seen: HashSet<At> = HashSet::new();
        let mut next: VecDeque<(Option<usize>, Arc<Own>)> = VecDeque::from([(file, first)]);
        let mut is_first = depth == 0;
        while let Some((file, own)) = next.pop_front() {
            if own.needs_no_limit {
                return Outcome::Limited;
            }
            sleeps |= own.sleeps;
            only_sleeps &= own.only_sleeps;
            takes_time |= own.takes_time;
            if found.is_none() {
                found.clone_from(&own.reaches);
            }
            if let Some((class, method)) = &own.stub {
                match self.overriding(cx, &(file, class.clone()), method, depth) {
                    Outcome::Outside(name) => found = found.or(Some(name)),
                    Outcome::Limited => return Outcome::Limited,
                    Outcome::Threads => threads = true,
                    Outcome::Unseen => is_seen = false,
                    Outcome::Inside => {}
                }
                only_sleeps = false;
                continue;
            }
            threads |= own.only_threads;
            for step in &own.next {
                let target = match &step.runs {
                    Next::Here(function) => Some(Target::Function((file, *function))),
                    Next::Imported(name) => self.imported(cx, file, name),
                    Next::Method(receiver) => self.method(cx, file, receiver),
                    Next::Typed(call) if typed && file.is_none() => match cx.module.node(*call) {
                        AnyNodeRef::ExprCall(call) => callee(cx, call).and_then(|name| {
                            if outside::is_known(&name) {
                                return Some(Target::Outside(name));
                            }
                            self.imported(cx, None, &name)
                        }),
                        _ => None,
                    },
                    Next::Typed(_) => None,
                };
                let place = match target {
                    Some(Target::Function(place)) => place,
                    Some(Target::Outside(name)) => {
                        if found.is_none() && step.is_own {
                            found = Some(name);
                        }
                        continue;
                    }
                    None => {
                        only_sleeps &= !step.is_awaited;
                        is_seen &= !step.is_awaited || own.only_threads;
                        continue;
                    }
                };
                let Some(own) = self.own(cx, place) else {
                    continue;
                };
                // As in `gather(load(), check())`.
                if !step.is_awaited && !own.is_async {
                    continue;
                }
                // What mostly gives what is there would only be slowed down.
                let is_quick = own.is_async && own.stub.is_none() && !own.waits;
                if is_first && is_quick && matches!(step.runs, Next::Method(_) | Next::Typed(_)) {
                    return Outcome::Limited;
                }
                if seen.len() < MOST && seen.insert(place) {
                    next.push_back((place.0, own));
                }
            }
            is_first = false;
        }
        match found {
            Some(name) => Outcome::Outside(name),
            None if depth == 0 && sleeps && only_sleeps && (!takes_time || self.is_timed) => {
                Outcome::Outside("asyncio.sleep".to_string())
            }
            None if is_seen && threads => Outcome::Threads,
            None if is_seen => Outcome::Inside,
            None => Outcome::Unseen,
        }
    }

    /// What a method that is there to be overridden reaches: what it does in the classes of the
    /// project that derive from its own. None of them may be seen to stay in the program, and of
    /// those that do not only wait for threads most have to be seen.
    fn overriding(
        &mut self,
        cx: &Context<'_, '_>,
        class: &ClassAt,
        method: &str,
        depth: usize,
    ) -> Outcome {
        if depth >= DEPTH {
            return Outcome::Unseen;
        }
        let name = class.1.rsplit('.').next().unwrap_or_default();
        let mut outside: Vec<String> = Vec::new();
        let (mut threads, mut unseen) = (0, 0);
        let mut modules: Vec<(Option<usize>, Arc<Seen>)> = Vec::new();
        for (file, summary) in cx.deriving(name, elsewhere::summarise) {
            if let Ok(module) = summary.downcast::<Seen>() {
                self.modules.entry(file).or_insert_with(|| module.clone());
                modules.push((Some(file), module));
            }
        }
        modules.extend(self.functions(cx, None).map(|module| (None, module)));
        for (file, module) in &modules {
            let functions = &module.functions;
            if functions.has_tests {
                continue; // it stands in for the others
            }
            for path in functions.classes.keys() {
                let method = format!("{path}.{method}");
                let own = functions.by_path.get(&method);
                let Some(own) = own.and_then(|id| functions.own.get(id)) else {
                    continue;
                };
                let derived = (*file, path.clone());
                if own.stub.is_some() || !self.derives(cx, &derived, class, 0) {
                    continue;
                }
                match self.follow(cx, *file, own.clone(), false, depth + 1) {
                    Outcome::Outside(name) => outside.push(name),
                    Outcome::Threads => threads += 1,
                    Outcome::Unseen => unseen += 1,
                    outcome @ (Outcome::Limited | Outcome::Inside) => return outcome,
                }
            }
        }
        if outside.is_empty() && unseen == 0 && threads > 0 {
            return Outcome::Threads;
        }
        if outside.len() < unseen {
            return Outcome::Unseen;
        }
        // The one that most of them reach.
        outside.sort_unstable();
        let most = outside
            .chunk_by(|one, other| one == other)
            .rev()
            .max_by_key(|same| same.len());
        let name = most.and_then(|same| same.first());
        name.cloned().map_or(Outcome::Unseen, Outcome::Outside)
    }

    /// Whether a class derives from another one.
    fn derives(
        &mut self,
        cx: &Context<'_, '_>,
        class: &ClassAt,
        base: &ClassAt,
        depth: usize,
    ) -> bool {
        if depth >= DEPTH {
            return false;
        }
        let Some(module) = self.functions(cx, class.0) else {
            return false;
        };
        let Some(members) = module.functions.classes.get(&class.1) else {
            return false;
        };
        members.bases.iter().any(|it| {
            let Some(it) = self.class(cx, class.0, it) else {
                return false;
            };
            // Which number the file in hand has for others is not known.
            let is_base = it.1 == base.1 && (it.0 == base.0 || base.0.is_none());
            is_base || self.derives(cx, &it, base, depth + 1)
        })
    }

    fn own(&self, cx: &Context<'_, '_>, (file, id): At) -> Option<Arc<Own>> {
        if let Some(file) = file {
            return self.modules.get(&file)?.functions.own.get(&id).cloned();
        }
        let AnyNodeRef::StmtFunctionDef(function) = cx.module.node(id) else {
            return None;
        };
        let own = cx.remember("reach", id, || Arc::new(Own::of(cx, function)));
        Some(Arc::clone(&own))
    }

    /// The functions and classes of a file.
    fn functions(&self, cx: &Context<'_, '_>, file: Option<usize>) -> Option<Arc<Seen>> {
        if let Some(file) = file {
            return self.modules.get(&file).cloned();
        }
        let root = cx.module.id(cx.module.root());
        let seen = cx.remember("functions", root, || elsewhere::seen(cx));
        Some(Arc::clone(&seen))
    }

    /// The class that a module names so, as far as the run holds it.
    fn class(
        &mut self,
        cx: &Context<'_, '_>,
        from: Option<usize>,
        class: &Class,
    ) -> Option<ClassAt> {
        match class {
            Class::Here(path) => Some((from, path.clone())),
            Class::Imported(name) => {
                let (file, path) = self.defined(cx, from, name)?;
                Some((Some(file), path))
            }
        }
    }

    /// What a call of a method runs.
    fn method(
        &mut self,
        cx: &Context<'_, '_>,
        from: Option<usize>,
        receiver: &Receiver,
    ) -> Option<Target> {
        let mut from = from;
        let mut class = receiver.class.clone();
        for attribute in &receiver.attributes {
            if let Class::Imported(name) = &class
                && outside::is_service(name)
            {
                return Some(Target::Outside(name.clone()));
            }
            let at = self.class(cx, from, &class)?;
            (from, class) = self.attribute(cx, at, attribute, 0)?;
        }
        if let Class::Imported(name) = &class {
            let method = format!("{name}.{}", receiver.method);
            if outside::is_known(&method) {
                return Some(Target::Outside(method));
            }
            if outside::is_service(name) {
                return Some(Target::Outside(name.clone()));
            }
        }
        let at = self.class(cx, from, &class)?;
        self.method_of(cx, at, &receiver.method, 0)
            .map(Target::Function)
    }

    /// What class an attribute of a class has, its own or one that it has from a base, and the file
    /// that says so.
    fn attribute(
        &mut self,
        cx: &Context<'_, '_>,
        (file, path): ClassAt,
        name: &str,
        depth: usize,
    ) -> Option<(Option<usize>, Class)> {
        let module = self.functions(cx, file)?;
        let members = module.functions.classes.get(&path)?;
        if let Some(class) = members.attributes.get(name) {
            return Some((file, class.clone()));
        }
        members.bases.iter().find_map(|base| {
            let base = self.class(cx, file, base).filter(|_| depth < DEPTH)?;
            self.attribute(cx, base, name, depth + 1)
        })
    }

    /// A method of a class, its own or one that it has from a base.
    fn method_of(
        &mut self,
        cx: &Context<'_, '_>,
        (file, path): ClassAt,
        name: &str,
        depth: usize,
    ) -> Option<At> {
        let module = self.functions(cx, file)?;
        if let Some(id) = module.functions.by_path.get(&format!("{path}.{name}")) {
            return Some((file, *id));
        }
        let members = module.functions.classes.get(&path)?;
        members.bases.iter().find_map(|base| {
            let base = self.class(cx, file, base).filter(|_| depth < DEPTH)?;
            self.method_of(cx, base, name, depth + 1)
        })
    }

    /// What a dotted name stands for in a file: the file that defines it, as far as the run holds
    /// that, and the name there.
    fn defined(
        &mut self,
        cx: &Context<'_, '_>,
        from: Option<usize>,
        name: &str,
    ) -> Option<(usize, String)> {
        let Definition {
            file,
            name,
            summary,
            ..
        } = cx.elsewhere(from, name, elsewhere::summarise)?;
        let module = summary.downcast::<Seen>().ok()?;
        self.modules.entry(file).or_insert(module);
        Some((file, name))
    }

    /// What a call of a dotted name runs: a function, a method of a class, or of an object that the
    /// module has.
    fn imported(
        &mut self,
        cx: &Context<'_, '_>,
        from: Option<usize>,
        name: &str,
    ) -> Option<Target> {
        let (file, name) = self.defined(cx, from, name)?;
        let module = self.functions(cx, Some(file))?;
        if let Some(id) = module.functions.by_path.get(&name) {
            return Some(Target::Function((Some(file), *id)));
        }
        let (object, method) = name.rsplit_once('.')?;
        if module.functions.classes.contains_key(object) {
            let at = (Some(file), object.to_string());
            return self.method_of(cx, at, method, 0).map(Target::Function);
        }
        let mut parts = object.split('.').map(str::to_string);
        let class = module.functions.names.get(&parts.next()?)?.clone();
        let receiver = Receiver {
            class,
            attributes: parts.collect(),
            method: method.to_string(),
        };
        self.method(cx, Some(file), &receiver)
    }
}

/// The dotted name of the function that a call runs, by its type.
fn callee(cx: &Context<'_, '_>, call: &ExprCall) -> Option<String> {
    match cx.callee(&call.func) {
        Answer::Callee(function) => Some(format!("{}.{}", function.module?, function.name)),
        _ => None,
    }
}
