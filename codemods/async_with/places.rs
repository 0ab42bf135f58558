//! Where values get to in a file, as far as names tell, and what is closed there: plain data, so
//! that what is said of one file can be followed from another.

use std::collections::{HashMap, HashSet};

use python::NodeId;

/// Where a value may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A name of a function, by the node that binds it first.
    Local(NodeId),
    /// A name of the module itself.
    Global(String),
    /// An attribute of this name, whatever it belongs to, or a key: `app["session"]`.
    Attribute(String),
    /// An attribute whose name is not written out: `getattr(self, name)`.
    Unnamed,
    /// What a function of this name returns, or a property gives.
    Returned(String),
    /// What a generator of this name yields.
    Yielded(String),
    /// What is given to a function of this name.
    Argument(String, Slot),
}

/// Which argument of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// By position, from 0.
    Position(usize),
    /// By name.
    Name(String),
}

/// What a value gets into.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A place that no other file can mean.
    Here(Place),
    /// One that other files may mean.
    Anywhere(Place),
    /// An attribute that a class of the file gives to its objects.
    Own(String, String),
    /// An attribute of something else, whose class may be that of any file.
    Others(String),
}

/// How a value is related to what it is taken from: so many levels into that (`clients[0]`), and
/// then in so many others (`[client]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    into: u8,
    within: u8,
}

impl Step {
    /// It is that.
    pub const SAME: Step = Step { into: 0, within: 0 };
    /// It is in it: `clients[0]`.
    pub const ELEMENT: Step = Step { into: 1, within: 0 };
    /// It holds it: `[client]`.
    pub const HOLDER: Step = Step { into: 0, within: 1 };

    /// More levels than that are taken for that many.
    const MAX: u8 = 4;

    /// This step after another one.
    pub fn after(self, first: Step) -> Step {
        let both = self.into.min(first.within);
        Step {
            into: (first.into + self.into - both).min(Self::MAX),
            within: (first.within - both + self.within).min(Self::MAX),
        }
    }

    /// How many levels deep something is in the value that is that deep in what it is taken from;
    /// none where the value cannot hold it.
    pub fn depth(self, depth: u8) -> Option<u8> {
        let outer = depth.checked_sub(self.into)?;
        Some((outer + self.within).min(Self::MAX))
    }

    /// How deep something has to be in what the value is taken from to be in the value.
    pub fn levels_into(self) -> u8 {
        self.into
    }
}

/// What becomes of what is at a place.
#[derive(Debug, Default)]
pub struct Fate {
    /// It is closed, where it is so many levels deep in it, or deeper.
    pub closed: Option<u8>,
    /// Where it gets to.
    pub gets_to: HashSet<(Step, Target)>,
}

impl Fate {
    /// The value that is taken from the place by this step is closed.
    pub fn close(&mut self, step: Step) {
        let depth = step.levels_into();
        self.closed = Some(self.closed.map_or(depth, |known| known.min(depth)));
    }

    /// Whether what is that deep in it is closed.
    pub fn closes(&self, depth: u8) -> bool {
        self.closed.is_some_and(|closed| depth >= closed)
    }
}

/// What a file shows of sessions and who closes them.
#[derive(Debug, Default)]
pub struct Summary {
    /// What becomes of places, as the file itself means them.
    pub here: HashMap<Place, Fate>,
    /// The same as far as they may be those of other files: `it.session`, where `self.session`
    /// is the class's own.
    pub outside: HashMap<Place, Fate>,
    /// The attributes that are given to a call, whose function may close them.
    pub handed: HashSet<String>,
    /// The bases of each class: the names of classes of the module, and the dotted names of what
    /// is imported.
    pub bases: HashMap<String, Vec<String>>,
}
