//! Speaks to the interface of GitHub or GitLab: requests, sent one after the other.
//!
//! This is the only crate of the project that opens a connection: to the host of the interface that
//! it is given, and no other. What is asked, and what an answer means, others know.

mod client;
mod hosts;
mod request;

pub use client::{Client, Failure, Token};
pub use hosts::{github, gitlab};
pub use request::{Method, Request};
