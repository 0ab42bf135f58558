//! What `asyncfix --fix` says of a repository, as data: the file that `--outcome` names.

use serde::{Deserialize, Serialize};

/// What one run of asyncfix came to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// How many files were looked at.
    pub checked: u64,
    /// How many could not be analysed.
    pub not_analysed: u64,
    /// Those with most findings first.
    pub codemods: Vec<Codemod>,
    /// The files that were written, by path.
    pub written: Vec<Written>,
    /// What the command of `--verify` said.
    pub tests: Option<Tests>,
    /// Why nothing was written.
    pub stopped: Option<Stopped>,
    /// What went wrong with single files, as it was printed: they cannot be read, parsed or written,
    /// or a fix was dropped.
    pub problems: Vec<String>,
    /// How many of those are faults of asyncfix, by which a fix was dropped.
    pub faults: u64,
}

/// What is counted of one codemod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Codemod {
    /// Its name.
    #[serde(rename = "codemod")]
    pub name: String,
    /// Before anything was fixed.
    pub found: u64,
    /// How many files have such a finding.
    pub files: u64,
    /// How many fixes were written.
    pub fixed: u64,
    /// What is left and has a fix that is safe.
    pub safe: u64,
    /// What is left and has a fix that is intended.
    pub intended: u64,
    /// What is left and has a fix that is unsafe.
    #[serde(rename = "unsafe")]
    pub unsafe_: u64,
    /// What is left and has no fix.
    pub withheld: u64,
    /// Why, the most frequent first.
    pub reasons: Vec<Reason>,
}

/// Why findings are withheld.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Reason {
    /// In words; names that differ are left out.
    pub reason: String,
    /// How many there are.
    pub count: u64,
    /// Where one of them is.
    #[serde(default)]
    pub example: String,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Written {
    /// From the folder that asyncfix ran in, with `/`.
    pub path: String,
    /// The SHA-256 of what it holds, in hexadecimal digits.
    pub sha256: String,
}

/// What the command of `--verify` said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Tests {
    /// How often it ran.
    pub runs: u64,
    /// How many tests failed before any fix.
    pub failing: u64,
    /// Fixes that were taken back since they break it.
    pub culprits: u64,
    /// Fixes that were taken back since it is not known whether they do.
    pub undecided: u64,
    /// Whether it failed and passed with the same files.
    pub unstable: bool,
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Stopped {
    /// `tests`: the command failed before any fix; `late`: it took too long then; `trouble`: anything else.
    pub kind: String,
    /// In words.
    pub message: String,
}

impl Codemod {
    /// Adds what is counted of another one; what it is called, and the reasons, stay.
    pub fn add(&mut self, other: &Self) {
        self.found += other.found;
        self.files += other.files;
        self.fixed += other.fixed;
        self.safe += other.safe;
        self.intended += other.intended;
        self.unsafe_ += other.unsafe_;
        self.withheld += other.withheld;
    }

    /// How many fixes are left that need another option.
    pub fn left(&self) -> u64 {
        self.safe + self.intended + self.unsafe_
    }
}

impl Outcome {
    /// Reads what asyncfix wrote.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }

    /// Over all codemods.
    pub fn total(&self) -> Codemod {
        let mut total = Codemod::default();
        for it in &self.codemods {
            total.add(it);
        }
        total
    }
}
