//! asyncfix on the work tree, in a process of its own.

use std::path::PathBuf;

use super::{Place, setup};
use crate::child::{Ended, Job};
use crate::failure::Failure;
use crate::folder;
use crate::outcome::Outcome;

/// Writes the fixes that the configuration wants, and with which the tests pass. What an earlier
/// run left half done is put back first.
pub fn transform(place: &Place) -> Result<Outcome, Failure> {
    restore(place)?;
    let (config, repository) = (&place.campaign.config, place.repository);
    let path = place.campaign.outcome(&repository.name);
    let part = path.with_extension("part");
    if part.exists() {
        fs_err::remove_file(&part).map_err(|error| Failure::retry(error.to_string()))?;
    }
    let (folder, log) = (
        place.root(),
        place.campaign.log(&repository.name, "transform"),
    );
    let mut job = Job::new(place.keeper.program, &folder, &place.lock)
        .arguments(["--fix", "--output-format=json", "--color=never"])
        .arguments([format!("--outcome={}", part.display())])
        .arguments([format!("--jobs={}", place.threads)])
        // Around the campaign may be anything.
        .arguments([format!("--within={}", place.tree.display())])
        .arguments(config.arguments());
    if !repository.path.is_empty() {
        job = job.arguments([format!("--project={}", place.tree.display())]);
    }
    if let Some(command) = repository.verify.as_ref().or(config.verify.as_ref()) {
        job = job.arguments([format!("--verify={command}")]);
        if let Some(seconds) = config.verify_timeout {
            job = job.arguments([format!("--verify-timeout={seconds}")]);
        }
        if let Some(runs) = config.verify_runs {
            job = job.arguments([format!("--verify-runs={runs}")]);
        }
    }
    if repository.setup.is_some() || config.setup.is_some() {
        // The environment is the repository's.
        job = job
            .variable("VIRTUAL_ENV", None)
            .variable("CONDA_PREFIX", None);
    }
    let output = job
        .arguments(["."])
        .log(&log)
        .run(place.keeper, place.left())
        .map_err(|error| Failure::retry(format!("asyncfix cannot be started: {error}")))?;
    match output.ended {
        Ended::Status(0..=2) => {}
        // It says so where somebody interrupts it.
        Ended::Status(130) => return Err(Failure::retry("asyncfix was interrupted")),
        _ => return Err(place.failure("asyncfix", &output, &log)),
    }
    let Ok(bytes) = fs_err::read(&part) else {
        let complaint = output.complaint();
        return Err(Failure::Permanent(format!("asyncfix failed: {complaint}")));
    };
    let outcome = Outcome::parse(&bytes)
        .map_err(|error| Failure::Permanent(format!("what asyncfix says is not clear: {error}")))?;
    if let Some(stopped) = &outcome.stopped {
        let message = stopped.message.clone();
        return Err(match stopped.kind.as_str() {
            "late" | "changed" => Failure::Retry(message),
            _ => Failure::Permanent(message),
        });
    }
    if outcome.checked > 0 && outcome.not_analysed == outcome.checked {
        let first = outcome.problems.first().cloned().unwrap_or_default();
        let count = outcome.checked;
        return Err(Failure::Permanent(format!(
            "none of its {count} Python files could be analysed: {first}"
        )));
    }
    folder::write(&path, &bytes)?;
    let _ = fs_err::remove_file(&part);
    Ok(outcome)
}

/// Puts back the files that are not as setup left them.
fn restore(place: &Place) -> Result<(), Failure> {
    let kept = setup::kept(place);
    let changed = setup::changed(place)?.into_iter();
    let changed: Vec<PathBuf> = changed.filter(|path| !kept.contains(path)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let commit = place.repository.commit.as_str();
    place.about(&changed, &["checkout", "--quiet", "--force", commit])
}
