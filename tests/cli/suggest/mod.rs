//! `asyncfix suggest`, against a server that knows GitHub's interface by its own description.

mod apply; // suggestions, applied as GitHub applies them
pub mod described; // a service, and the description of its interface
mod failures; // what services answer when they are not well
pub mod github; // the server
mod gitlab; // merge requests
mod manners; // what becomes of comments from one run to the next
mod places; // which lines a suggestion is about
pub mod pull; // a pull request
pub mod server; // what listens
mod usage; // what has to be known before
