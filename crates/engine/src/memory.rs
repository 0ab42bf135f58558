//! What a codemod has found out about nodes of a module, kept while the module is asked about.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use python::NodeId;
use rustc_hash::FxHashMap;

use crate::Context;

/// Whose question it was, which, and about what node.
type Key = (&'static str, &'static str, NodeId);

/// The answers of one round, by question and node.
#[derive(Debug, Default)]
pub(crate) struct Memory(RefCell<FxHashMap<Key, Rc<dyn Any>>>);

impl Context<'_, '_> {
    /// The answer to a question of the codemod about a node of this module, found out once for all
    /// sites. What is kept may hold the numbers of nodes, and no nodes.
    ///
    /// `ask` may itself remember answers, but not the one that it is to give: whoever follows
    /// calls through a module keeps a list of where it has been.
    pub fn remember<T: 'static>(
        &self,
        question: &'static str,
        node: NodeId,
        ask: impl FnOnce() -> T,
    ) -> Rc<T> {
        let key = (self.codemod.name, question, node);
        let known = self.memory.0.borrow().get(&key).cloned();
        if let Some(answer) = known.and_then(|known| known.downcast::<T>().ok()) {
            return answer;
        }
        let answer = Rc::new(ask());
        self.memory.0.borrow_mut().insert(key, answer.clone());
        answer
    }
}
