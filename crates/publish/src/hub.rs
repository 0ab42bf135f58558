//! What is the same for all services.

use serde_json::Value;
use service::Request;

/// A pull request that there is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// The branch that has the commits.
    pub branch: String,
    /// The branch that they are for.
    pub base: String,
    /// Whether it is not to be merged yet.
    pub draft: bool,
    /// Who is to look at it.
    pub people: People,
}

/// Those who own code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Their names, without `@`.
    pub users: Vec<String>,
    /// `organisation/team`, or a group, without `@`.
    pub teams: Vec<String>,
}

/// A pull request that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// Its number in the project.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// How it stands.
    pub state: State,
    /// Whether it is not to be merged yet.
    pub is_draft: bool,
}

/// How a pull request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It may be merged.
    Open,
    /// It was.
    Merged,
    /// Somebody does not want it.
    Closed,
}

impl State {
    /// Its name in the database and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Merged => "merged",
            State::Closed => "closed",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [State::Open, State::Merged, State::Closed];
        all.into_iter().find(|state| state.as_str() == name)
    }
}

/// One project of a service: which requests to make, and what the answers mean.
pub trait Hub {
    /// The list of the pull requests of a branch, the newest first.
    fn of_branch(&self, wanted: &Wanted) -> String;

    /// One pull request.
    fn one(&self, number: u64) -> Request;

    /// Makes it.
    fn create(&self, wanted: &Wanted) -> Request;

    /// Brings title and text up to date. Whether it is a draft stays as it is: that may be what
    /// somebody decided.
    fn update(&self, pull: &Pull, wanted: &Wanted) -> Request;

    /// A pull request in an answer; none where it is none of this branch and base, as services
    /// that know a filter by another name give.
    fn read(&self, answer: &Value, wanted: &Wanted) -> Option<Pull>;

    /// The users that have to be looked up before [`Hub::ask`], which knows them by number: their
    /// names, and the requests for lists of those who are named so.
    fn look_up(&self, people: &People) -> Vec<(String, Request)>;

    /// Asks these people to look at it. `found` are the answers to [`Hub::look_up`].
    fn ask(&self, number: u64, people: &People, found: &[Value]) -> Vec<Request>;
}
