//! Pull requests of a campaign: what they say, and how GitHub and GitLab are told.
//!
//! A [`Wanted`] pull request goes in; [`publish()`] sees to it that there is one, and one only,
//! however often it is called and whatever answers are lost. [`pause`] says when the next may come,
//! [`Owners`] who is to be asked.
//!
//! Knows no terminal, no file, no environment, no database and no git: that a branch is there is
//! seen to by the caller.

mod body;
mod github;
mod gitlab;
mod hub;
mod owners;
mod place;
mod publish;
mod throttle;

pub use body::{Summary, Tests, body};
pub use github::GitHub;
pub use gitlab::GitLab;
pub use hub::{Hub, People, Pull, State, Wanted};
pub use owners::{GITHUB_PLACES, GITLAB_PLACES, Owners};
pub use place::Place;
pub use publish::{Published, ask, look_up, publish};
pub use throttle::pause;
