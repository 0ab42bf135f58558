//! Executes the pages of the codemods: every example is rewritten and compared, and where it says
//! `run`, both sides are run by CPython. One test a page; `cargo test --test pages NAME`.

mod check;
mod harness;
#[allow(dead_code)] // Another half of it is what the other tests look at.
mod interpreter;
mod page;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use interpreter::Interpreter;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // What a script starts in the background ignores SIGINT, and so would a program that sends it to itself. Of
    // what has a handler here they begin with the default.
    let handled = ctrlc::set_handler(|| std::process::exit(130));
    assert!(handled.is_ok(), "SIGINT cannot be handled: {handled:?}");
    let python = Arc::new(Interpreter::find());
    let mut trials: Vec<Trial> = harness::trials(&python);
    for codemod in codemods::ALL {
        let python = Arc::clone(&python);
        trials.push(Trial::test(codemod.name, move || {
            let python = python.as_ref().as_ref()?;
            Ok(check::page(codemod, codemod.page, python)?)
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
