//! What a codemod is: a value and a plain function.

use edit::{Applicability, Edit};
use python::ast::{self, AnyNodeRef, NodeKind, PythonVersion};

use crate::context::Context;
use crate::sighting::Sighting;

/// One migration. A codemod is one folder under `codemods/` and one line in `codemods/lib.rs`.
#[derive(Debug)]
pub struct Codemod {
    /// Read after "apply": `gather-to-taskgroup`. Also its flag and its table in the configuration.
    pub name: &'static str,
    /// The text of its page, in Markdown: the contract, with examples that the tests execute.
    pub page: &'static str,
    /// The lowest target version that its output runs on.
    pub python: PythonVersion,
    /// Whether it runs when the user names no codemod.
    pub headline: bool,
    /// The rules of linters that are about the same defect, so that their `# noqa: ASYNC251`
    /// silences this one as well. Its page names them.
    pub rules: &'static [&'static str],
    /// What it takes out of asyncio's past; none where it does something else. Those that have it
    /// are the group that `--modernise` selects.
    pub dated: Option<Dated>,
    /// What the user can set, as `NAME.OPTION` in the configuration.
    pub options: &'static [OptionSpec],
    /// Where it starts from: prefilter, index look-up and documentation in one line.
    pub on: &'static [On],
}

impl Codemod {
    /// What it does, in one sentence: the first paragraph of its page.
    pub fn summary(&self) -> &'static str {
        self.page.split("\n\n").nth(1).unwrap_or_default().trim()
    }

    /// The same without its final stop, for lists and messages.
    pub fn title(&self) -> &'static str {
        self.summary().trim_end_matches('.')
    }

    /// What else it changes: the first paragraph under "Effect" on its page.
    pub fn effect(&self) -> &'static str {
        let effect = self
            .page
            .split("\n\n")
            .skip_while(|paragraph| paragraph.trim() != "## Effect")
            .nth(1);
        effect.unwrap_or_default().trim()
    }

    /// How much its fixes may change, from least to most: what stands behind the `diff` of the
    /// examples on its page. None: it only reports.
    pub fn applicabilities(&self) -> Vec<Applicability> {
        use Applicability::{Intended, Safe, Unsafe};
        let shown = |applicability: &Applicability| {
            let lines = self.page.lines().map(str::trim_start);
            let words = lines.filter_map(|line| line.strip_prefix("```diff "));
            let mut firsts = words.filter_map(|words| words.split(' ').next());
            firsts.any(|word| word == applicability.as_str())
        };
        [Safe, Intended, Unsafe].into_iter().filter(shown).collect()
    }
}

/// From which version on asyncio discourages, and no longer has, what a codemod takes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// The version that deprecates it, by a warning or in the documentation.
    pub deprecated: Option<PythonVersion>,
    /// The version in which it fails, wherever it stands.
    pub removed: Option<PythonVersion>,
}

impl Dated {
    /// It goes on working, and there is something newer.
    pub const SUPERSEDED: Self = Self {
        deprecated: None,
        removed: None,
    };

    /// Deprecated by this version, and still there in the newest.
    pub const fn deprecated(version: PythonVersion) -> Self {
        Self {
            deprecated: Some(version),
            removed: None,
        }
    }

    /// Deprecated by one version, and gone in another.
    pub const fn removed(deprecated: PythonVersion, removed: PythonVersion) -> Self {
        Self {
            deprecated: Some(deprecated),
            removed: Some(removed),
        }
    }
}

/// Where a codemod starts from.
#[derive(Debug)]
pub enum On {
    /// Calls of these qualified names (`time.sleep`), or, where the name starts with a dot, of
    /// any attribute of that name (`.run_until_complete`), whatever the receiver.
    Call(&'static [&'static str], Decide),
    /// The same, in files that hold this word too, as text, or two that follow each other
    /// (`async def`): for names that many files have and a codemod that wants few of their calls.
    CallBeside(&'static str, &'static [&'static str], Decide),
    /// The same, in files that hold a word of such a name which is not dismissed: for names of which
    /// most places show at a glance that they are no site.
    CallUnless(&'static [&'static str], Dismiss, Decide),
    /// Nodes of these kinds, in files that hold one of the words. A finding's place is the first
    /// line of the node.
    Node {
        /// The kinds.
        kinds: &'static [NodeKind],
        /// What a file must hold one of, as text, in any way of writing it: the rarer the better.
        words: &'static [&'static str],
        /// Asked for each such node.
        decide: DecideNode,
    },
}

/// Whether the text around a word shows that the codemod has nothing to say of a call by it, or that
/// nothing is called.
pub type Dismiss = fn(&Sighting<'_>) -> bool;

/// What a codemod says of one call: the plain function that it is.
pub type Decide = for<'a, 'm> fn(&Context<'a, 'm>, &'a ast::ExprCall) -> Verdict;

/// What a codemod says of one node.
pub type DecideNode = for<'a, 'm> fn(&Context<'a, 'm>, AnyNodeRef<'a>) -> Verdict;

/// One option of a codemod.
#[derive(Debug)]
pub struct OptionSpec {
    /// The key in the codemod's table: `exceptions`.
    pub name: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// What it may be set to; the first is the default.
    pub choices: Choices,
}

/// The values that an option takes.
#[derive(Debug)]
pub enum Choices {
    /// One of these words; the first is the default.
    Words(&'static [&'static str]),
    /// True or false; false is the default.
    Flag,
    /// A whole number of at least one; this is the default.
    Count(u32),
    /// The dotted name of something that can be imported; none is the default.
    Name,
    /// Any number of dotted names; none is the default. As text they are joined by commas.
    Names,
}

/// What a codemod says of one site.
pub type Verdict = Result<Rewrite, Refusal>;

/// Why a site is not rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not the defect: nothing is reported.
    NotOurs,
    /// The defect, but a person has to decide: the reason, in words that they can act on.
    Withheld(String),
}

/// What a codemod wants done at one site.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// What the finding says, in one line: what stands here and what it becomes.
    pub message: String,
    /// Whether and when it is applied.
    pub applicability: Applicability,
    /// The edits to the source, in any order. No two overlap.
    pub edits: Vec<Edit>,
    /// The target version that this very output needs, where that is more than the codemod's own.
    pub python: Option<PythonVersion>,
}
