//! What a comment says.

use edit::Applicability;

use crate::fingerprint;
use crate::input::{Finding, Outcome};
use crate::markdown::{block, lines, prose, span};
use crate::plan::Comment;

/// How a service names several suggestions that are applied in one commit.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// What is clicked for each.
    pub add: &'static str,
    /// What is clicked then.
    pub apply: &'static str,
}

/// The comment's Markdown. `info` is what the service wants after the fence of a suggestion.
pub fn body(comment: &Comment, info: &str, batch: Batch) -> String {
    let mut parts = vec![fingerprint::mark(&comment.fingerprint)];
    for finding in &comment.findings {
        parts.push(about(finding));
    }
    if comment.is_last {
        parts.push(format!(
            "Nothing uses this import once the suggestions for {} are applied. Apply it last, or \
             together with all of them.",
            lines(&comment.with)
        ));
    } else if comment.findings.is_empty() {
        let with = lines(&comment.with);
        parts.push(format!("This belongs to what is suggested for {with}."));
    }
    parts.push(block(info, &comment.shown()));
    for finding in &comment.findings {
        parts.extend(effect(finding, comment.findings.len() > 1));
    }
    if !comment.with.is_empty() && !comment.is_last {
        parts.push(format!(
            "**Not alone:** the suggestions for {} belong to the same change. *{}* for each, then \
             *{}*.",
            lines(&comment.with),
            batch.add,
            batch.apply
        ));
    }
    if !comment.unused.is_empty() && !comment.findings.is_empty() {
        parts.push(format!(
            "Nothing uses the import in {} any longer then.",
            lines(&comment.unused)
        ));
    }
    parts.extend(silence(&comment.findings));
    parts.join("\n\n")
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
    let mut names: Vec<&str> = Vec::new();
    let mut pages = Vec::new();
    for finding in findings {
        if !names.contains(&finding.codemod.as_str()) {
            names.push(&finding.codemod);
            pages.push(format!("[{}]({})", finding.codemod, finding.url));
        }
    }
    let first = names.first()?;
    Some(format!(
        "<sub>Not wanted here: end the line with {}. What it does, and why: {}, or {}.</sub>",
        span(&format!("# asyncfix: ignore[{}]", names.join(", "))),
        pages.join(", "),
        span(&format!("asyncfix explain {first}"))
    ))
}
