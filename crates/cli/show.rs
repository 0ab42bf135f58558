//! What a run shows of itself, in place of doing anything: its files, and what holds for its paths.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use crate::exit::Exit;
use crate::plan::{Input, Plan, Verbosity};
use crate::report::{self, Failure};
use crate::run::output;
use crate::walk::{File, walk};
use crate::{settings, stdin};

/// Prints the names of the files, a line each, and what went wrong on the way to them.
pub fn files(plan: &Plan) -> Result<Exit> {
    let walked = match &plan.input {
        Input::Paths(paths) => walk(paths, &plan.folders, plan.threads)?,
        Input::Stdin(name) => stdin::named(name.as_deref(), Vec::new(), &plan.folders)?,
    };
    let mut out = output(plan)?;
    for File { path, .. } in &walked.files {
        // As the system has it: what reads this has to find the file.
        out.write_all(path.as_os_str().as_encoded_bytes())?;
        out.write_all(b"\n")?;
    }
    out.finish()?;
    if plan.verbosity >= Verbosity::Verbose {
        for note in &walked.notes {
            report::line(note);
        }
    }
    Ok(exit(plan, &walked.failures))
}

/// Prints what holds for the paths.
pub fn settings(plan: &Plan) -> Result<Exit> {
    let mut texts = Vec::new();
    let mut failures = Vec::new();
    match &plan.input {
        Input::Paths(paths) => {
            for path in paths {
                match std::fs::canonicalize(path) {
                    Ok(canonical) => texts.push(settings::text(path, &canonical, &plan.folders)?),
                    Err(error) => failures.push(Failure::io(path, "read", &error)),
                }
            }
        }
        Input::Stdin(name) => {
            let path = name.as_deref().unwrap_or(Path::new(stdin::UNNAMED));
            let canonical = stdin::canonical(path).unwrap_or_default();
            texts.push(settings::text(path, &canonical, &plan.folders)?);
        }
    }
    let mut out = output(plan)?;
    out.write_all(texts.join("\n").as_bytes())?;
    out.finish()?;
    if plan.verbosity >= Verbosity::Normal {
        for warning in plan.folders.warnings() {
            report::line(&format!("warning: {warning}"));
        }
    }
    Ok(exit(plan, &failures))
}

/// The exit status where nothing was looked for. Says what went wrong.
fn exit(plan: &Plan, failures: &[Failure]) -> Exit {
    if plan.verbosity >= Verbosity::Quiet {
        failures.iter().for_each(report::message);
    }
    if failures.is_empty() || plan.exit_zero {
        Exit::Success
    } else {
        Exit::Findings
    }
}
