//! `asyncfix server`, asked by a client that speaks the protocol over standard input and output.

#![allow(
    clippy::needless_pass_by_value,
    clippy::panic,
    reason = "a test writes `json!` where it is wanted, and ends where something is not as it says"
)]

mod actions; // fixes, comments that silence, and the page of a codemod
mod client; // who asks
mod edits; // a document that changes, in each encoding
mod ends; // requests out of order, and how it ends
mod findings; // what is shown, and when it is shown anew
mod notebooks; // cell by cell
mod sheet; // a notebook as the client has it
