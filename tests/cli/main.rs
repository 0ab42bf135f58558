//! The contract of the command line, checked on the binary: exit status, streams, and what is on
//! the disk afterwards.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it says"
)]

mod baseline; // findings that are known
mod blocking; // what functions of other modules do
mod callers; // which calls in other files reach a function
mod configuration; // which settings hold for a file
mod elsewhere; // what the modules of the run say of what is imported
mod encodings; // how files are read and written back
#[cfg(unix)]
mod faults; // what goes wrong around a run
mod formats; // what other programs read
mod ignores; // comments that silence findings
mod imports; // which unused imports go
mod known_files; // what is known beside the files that are looked at
#[cfg(unix)]
mod migrate; // campaigns over many repositories
mod notebooks; // cells
mod order; // codemods that come one after the other
mod overview; // what tells of codemods, files and settings
mod patches; // what --diff prints
mod project; // a folder to run in
mod publish; // pull requests of a campaign
mod report; // the page of a run
mod reports; // what is printed for findings
#[cfg(unix)]
mod review; // --review, in a terminal
mod selection; // which codemods run
mod server; // editors
#[cfg(unix)]
mod shell; // examples of the documentation
mod since; // findings on lines that changed
mod statuses; // exit status and streams
mod streams; // standard input, files of arguments, excluded paths that are named
mod suggest; // suggestions on a pull request
#[cfg(unix)]
mod terminal; // a pseudo-terminal to run in
mod types; // what other files decide
mod usage; // arguments, help and subcommands
#[cfg(unix)]
mod verify; // --verify
#[cfg(unix)]
mod verify_stops; // --verify that is broken off
mod walking; // which files are looked at
mod writing; // what --fix writes
