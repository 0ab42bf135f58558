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

/// How a value is related to what it is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It is that.
    Same,
    /// It is in it: `clients[0]`.
    Element,
    /// It holds it: `[client]`.
    Holder,
}

impl Step {
    /// This step after another one. How deep something is in what holds it is not counted.
    pub fn after(self, first: Step) -> Step {
        match (first, self) {
            (first, Step::Same) => first,
            (Step::Same, then) => then,
            (first, then) if first == then => then,
            _ => Step::Same,
        }
    }
}

/// What becomes of what is at a place.
#[derive(Debug, Default)]
pub struct Fate {
    /// It is closed.
    pub is_closed: bool,
    /// What it holds is closed.
    pub holds_closed: bool,
    /// Where it gets to.
    pub gets_to: HashSet<(Step, Target)>,
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
