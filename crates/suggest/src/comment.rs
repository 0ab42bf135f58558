//! What a comment says.

use edit::Applicability;

use crate::fingerprint;
use crate::input::{Finding, Outcome};
use crate::markdown::{block, lines, prose, span};
use crate::plan::Comment;

/// The comment's Markdown. `info` is what the service wants after the fence of a suggestion, and
/// `batch` a sentence on how several are applied in one commit.
pub fn body(comment: &Comment, info: &str, batch: &str) -> String {
    let mut parts = vec![fingerprint::mark(&comment.fingerprint)];
    let with = lines(&comment.with);
    let suggestions = if comment.with.len() == 1 {
        "suggestion"
    } else {
        "suggestions"
    };
    if comment.is_last {
        let (are, all) = match comment.with.as_slice() {
            [_] => ("is", "it"),
            _ => ("are", "all of them"),
        };
        parts.push(format!(
            "Nothing uses this import once the {suggestions} for {with} {are} applied. Apply it \
             last, or together with {all}.",
        ));
    } else if comment.findings.is_empty() {
        parts.push(format!(
            "What is suggested for {with} needs this too. {batch}"
        ));
    }
    let is_one_of_several = codemods(&comment.findings).len() > 1;
    for finding in &comment.findings {
        add(&mut parts, about(finding));
    }
    parts.push(block(info, &comment.shown()));
    for finding in &comment.findings {
        if let Some(effect) = effect(finding, is_one_of_several) {
            add(&mut parts, effect);
        }
    }
    if !comment.with.is_empty() && !comment.findings.is_empty() {
        parts.push(format!(
            "**Not alone:** it goes together with the {suggestions} for {with}. {batch}"
        ));
    }
    if !comment.removals.is_empty() && !comment.findings.is_empty() {
        parts.push(format!(
            "Nothing uses an import any longer then, which the suggestion for {} takes out.",
            lines(&comment.removals)
        ));
    }
    if !comment.unused.is_empty() && !comment.findings.is_empty() {
        let unused = lines(&comment.unused);
        parts.push(format!(
            "Nothing uses the import in {unused} any longer then."
        ));
    }
    parts.extend(silence(&comment.findings));
    parts.join("\n\n")
}

/// What is the same for several findings is said once.
fn add(parts: &mut Vec<String>, part: String) {
    if !parts.contains(&part) {
        parts.push(part);
    }
}

/// The codemods, each once.
fn codemods(findings: &[Finding]) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for finding in findings {
        let codemod = (finding.codemod.as_str(), finding.url.as_str());
        if !found.contains(&codemod) {
            found.push(codemod);
        }
    }
    found
}

/// What is the matter.
fn about(finding: &Finding) -> String {
    let place = match &finding.place {
        Some(place) => format!(" ({place})"),
        None => String::new(),
    };
    format!(
        "**{}**{place}: {}.",
        finding.codemod,
        prose(&finding.message)
    )
}

/// What the fix changes.
fn effect(finding: &Finding, is_one_of_several: bool) -> Option<String> {
    let Outcome::Fix { applicability, why } = &finding.outcome else {
        return None;
    };
    let whose = if is_one_of_several {
        format!(" of {}", finding.codemod)
    } else {
        String::new()
    };
    let warning = if *applicability == Applicability::Unsafe {
        "**unsafe**"
    } else {
        applicability.as_str()
    };
    Some(format!(
        "Effect{whose}: {} The fix is {warning}: {}",
        prose(&finding.effect),
        prose(why)
    ))
}

/// How to be rid of it, and where to read on.
fn silence(findings: &[Finding]) -> Option<String> {
    let codemods = codemods(findings);
    let (first, _) = codemods.first()?;
    let names: Vec<&str> = codemods.iter().map(|(name, _)| *name).collect();
    let pages: Vec<String> = codemods
        .iter()
        .map(|(name, url)| format!("[{name}]({url})"))
        .collect();
    Some(format!(
        "<sub>Not wanted here: end the line with {}. What it does, and why: {}, or {}.</sub>",
        span(&format!("# asyncfix: ignore[{}]", names.join(", "))),
        pages.join(", "),
        span(&format!("asyncfix explain {first}"))
    ))
}
