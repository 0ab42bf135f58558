//! Whom the server asks: what is found in a text, and what a fix makes of it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edit::Applicability;
use engine::{Codemod, Finding};
use serde::{Deserialize, Serialize};

/// Whoever knows the codemods, the files and the configuration. It is asked from several threads.
///
/// A panic is its own to catch: the thread that it is asked from would be lost.
pub trait Analyst: Send + Sync + 'static {
    /// What is found in a text. `is_outdated` says whether nobody waits for the answer any longer,
    /// which can then be anything.
    fn look(&self, text: &Text, depth: Depth, is_outdated: &IsOutdated) -> Result<Look, Problem>;

    /// What the parts of a text become, by their numbers: those that change.
    fn change(
        &self,
        text: &Text,
        change: &Change,
        is_outdated: &IsOutdated,
    ) -> Result<Vec<(usize, String)>, Problem>;

    /// Where the page of a codemod can be read.
    fn url(&self, codemod: &'static Codemod) -> String;

    /// The folders that are open in the editor, absolute.
    fn set_folders(&self, folders: Vec<PathBuf>);

    /// What an open file holds, whatever is on the disk; none where it is closed.
    fn set_open(&self, path: &Path, content: Option<Content>);

    /// Something on the disk is not what it was: these files, as far as that is known.
    fn changed(&self, what: Outside, files: Vec<PathBuf>);
}

/// Whether nobody waits for an answer any longer.
pub type IsOutdated = Arc<dyn Fn() -> bool + Send + Sync>;

/// The text of a document.
#[derive(Clone, Debug)]
pub struct Text {
    /// The file that it is, or that it would be when it were saved; none where the editor has not
    /// said yet.
    pub path: Option<PathBuf>,
    /// What it holds.
    pub content: Content,
}

/// What a document holds, in parts that have numbers from 0 on.
#[derive(Clone, Debug)]
pub enum Content {
    /// One part, the text of a file.
    Plain(Arc<str>),
    /// The cells of a notebook.
    Notebook(Arc<[Cell]>),
}

/// A cell of a notebook.
#[derive(Clone, Debug)]
pub struct Cell {
    /// What it holds.
    pub kind: CellKind,
    /// Its text.
    pub text: Arc<str>,
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Code, of Python if no magic says otherwise.
    Python,
    /// Code of another language.
    OtherCode,
    /// What is for no kernel.
    Raw,
    /// What is for people.
    Markup,
}

/// How much is asked of what lies outside of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What takes no time: no types, no callers.
    Quick,
    /// All.
    Whole,
}

/// What was found in a text.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// By position, each with its part.
    pub findings: Vec<Found>,
    /// Comments that silence nothing, and what is wrong with them.
    pub useless: Vec<Useless>,
    /// Whether a look at [`Depth::Whole`] would give the same.
    pub is_final: bool,
    /// The highest applicability that fixing all applies.
    pub apply: Option<Applicability>,
    /// Whether withheld findings are to be seen.
    pub show_withheld: bool,
}

/// A finding, and where it is.
#[derive(Clone, Debug)]
pub struct Found {
    /// The number of the part.
    pub part: usize,
    /// Its places are byte offsets into the part.
    pub finding: Finding,
}

/// A comment that silences nothing.
#[derive(Clone, Debug)]
pub struct Useless {
    /// The number of the part.
    pub part: usize,
    /// Byte offsets into the part.
    pub range: Range<usize>,
    /// What is wrong with it.
    pub message: String,
}

/// What is to be done to a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// What `--fix` does.
    FixAll,
    /// The fix of one finding.
    Fix(Site),
    /// A comment that silences a finding, with this reason.
    Silence(Site, String),
}

/// Which finding of a text is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The codemod's name.
    pub codemod: String,
    /// The number of the part.
    pub part: usize,
    /// Byte offsets into the part.
    pub range: Range<usize>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The text cannot be parsed, or is in no encoding: nothing is known of it.
    Unreadable(String),
    /// The user has to set something right before anything is known: in the configuration, say.
    Configuration(String),
    /// A fault of ours.
    Ours(String),
}

/// What changed on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// A file of Python: others may be asked about it.
    Files,
    /// A configuration, or it may have been one.
    Configuration,
}
