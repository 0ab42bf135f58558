//! The steps of a repository.

/// The steps of a repository, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A copy of the repository on this machine has the commit.
    Mirror,
    /// A work tree of the campaign's own holds its files.
    Checkout,
    /// The environment was made.
    Setup,
    /// The fixes are in the files, and verified where there is a command for it.
    Transform,
    /// They are a commit on a branch of the mirror, and a patch.
    Commit,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Mirror,
        Self::Checkout,
        Self::Setup,
        Self::Transform,
        Self::Commit,
    ];

    /// Its name in the database and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Checkout => "checkout",
            Self::Setup => "setup",
            Self::Transform => "transform",
            Self::Commit => "commit",
        }
    }

    /// The step of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }
}
