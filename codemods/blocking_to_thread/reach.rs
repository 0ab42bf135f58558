//! What plain functions of the module reach, through any number of calls.

use std::collections::VecDeque;
use std::rc::Rc;

use engine::Context;
use python::NodeId;
use python::ast::{AnyNodeRef, StmtFunctionDef};

use super::effects;
use super::table::Category;

/// What a function and the functions of the module that it calls do.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    /// The shortest way to a call that blocks.
    pub(super) path: Option<Path>,
    /// Why it must stay in the event loop's thread.
    pub(super) obstacle: Option<String>,
    /// Why nobody knows whether it may go to another.
    pub(super) doubt: Option<String>,
}

/// A way from a function to a call that blocks.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// The functions on the way, and the call.
    pub(super) names: Vec<String>,
    /// The line that the call is on, from 1.
    pub(super) line: usize,
}

impl Path {
    /// `handler -> load -> requests.get, line 12`
    pub(super) fn shown(&self, coroutine: &StmtFunctionDef) -> String {
        format!(
            "{} -> {}, line {}",
            coroutine.name,
            self.names.join(" -> "),
            self.line
        )
    }
}

/// More functions than these are not followed from one call.
const MOST: usize = 256;

/// What `function` reaches. Each function's own code is looked at once; a way that comes back to
/// where it was ends there.
pub(super) fn of<'a>(cx: &Context<'a, '_>, function: &'a StmtFunctionDef) -> Rc<Reach> {
    let module = cx.module;
    cx.remember("reach", module.id(function), || {
        let mut reach = Reach::default();
        // The functions in the order of their distance, each with the one that calls it.
        let mut seen: Vec<(NodeId, Option<usize>)> = vec![(module.id(function), None)];
        let mut next: VecDeque<usize> = VecDeque::from([0]);
        while let Some(position) = next.pop_front() {
            let Some((id, _)) = seen.get(position).copied() else {
                break;
            };
            let AnyNodeRef::StmtFunctionDef(current) = module.node(id) else {
                continue;
            };
            let effects = effects::of_function(cx, current);
            let within = |why: &String| match position {
                0 => format!("in `{}`: {why}", current.name),
                _ => format!("in `{}`, which it calls: {why}", current.name),
            };
            if reach.obstacle.is_none() {
                reach.obstacle = effects.obstacle.as_ref().map(within);
            }
            if reach.doubt.is_none() {
                reach.doubt = effects.doubt.as_ref().map(within);
            }
            let waits = effects.blocking.iter().find(|it| takes_time(it));
            if let Some(blocks) = waits
                && reach.path.is_none()
            {
                let mut names = vec![blocks.name.clone()];
                let mut at = Some(position);
                while let Some((id, caller)) = at.and_then(|at| seen.get(at).copied()) {
                    if let AnyNodeRef::StmtFunctionDef(on_the_way) = module.node(id) {
                        names.insert(0, on_the_way.name.to_string());
                    }
                    at = caller;
                }
                let line = module.row(python::Ranged::start(&module.node(blocks.call)));
                reach.path = Some(Path { names, line });
            }
            for (called, _) in &effects.calls {
                if seen.iter().any(|(known, _)| known == called) {
                    continue;
                }
                if seen.len() >= MOST {
                    reach
                        .doubt
                        .get_or_insert_with(|| format!("it reaches more than {MOST} functions"));
                    break;
                }
                next.push_back(seen.len());
                seen.push((*called, Some(position)));
            }
        }
        reach
    })
}

/// Whether a call is why a function takes time: what it asks a file system about one file, a
/// process that it only starts and a lock that is free are not.
fn takes_time(blocks: &effects::Blocks) -> bool {
    blocks.category != Category::Metadata
        && !matches!(blocks.name.as_str(), "subprocess.Popen" | "os.popen")
        && !blocks.name.ends_with(".acquire")
}
