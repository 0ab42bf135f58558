//! What the summary says: all that no comment can.

use std::collections::BTreeMap;

use crate::fingerprint::SUMMARY;
use crate::input::{Finding, Outcome};
use crate::markdown::{block, count, prose, span};
use crate::plan::{Plan, Rest};

/// The summary in Markdown, of at most `most` bytes; none where there is nothing that the comments
/// do not say.
pub fn summary(plan: &Plan, most: usize) -> Option<String> {
    if plan.rest.is_empty() && plan.withheld.is_empty() && plan.notes.is_empty() {
        return None;
    }
    let full = written(plan, true);
    Some(if full.len() <= most {
        full
    } else {
        cut(written(plan, false), most)
    })
}

/// The same for the page of a job, which may have 1 MiB.
/// Source: GitHub Docs, "Workflow commands for GitHub Actions".
pub fn for_page(plan: &Plan) -> Option<String> {
    summary(plan, 1_000_000)
}

/// What an earlier summary becomes when nothing is left to say.
pub fn settled() -> String {
    format!("{SUMMARY}\n**asyncfix**: nothing is left to say beside the suggestions, if any.")
}

fn written(plan: &Plan, with_patches: bool) -> String {
    let mut parts = vec![format!("{SUMMARY}\n{}", headline(plan))];
    if !plan.rest.is_empty() {
        parts.push(
            "These changes are not suggested line by line. `asyncfix --fix` makes them; each patch \
             applies with `git apply`."
                .to_string(),
        );
        parts.extend(plan.rest.iter().map(|rest| of_rest(rest, with_patches)));
    }
    if !plan.withheld.is_empty() {
        parts.push(of_withheld(&plan.withheld));
    }
    parts.extend(plan.notes.iter().cloned());
    if !with_patches {
        parts.push("The patches are too long for a comment: `asyncfix --diff` prints them.".into());
    }
    parts.join("\n\n")
}

/// `**asyncfix**: 3 suggestions; 2 changes that cannot be suggested; 1 finding withheld.`
fn headline(plan: &Plan) -> String {
    let mut parts = Vec::new();
    if !plan.comments.is_empty() {
        parts.push(count(plan.comments.len(), "suggestion", "suggestions"));
    }
    if !plan.rest.is_empty() {
        let rest = count(plan.rest.len(), "change", "changes");
        parts.push(format!("{rest} that cannot be suggested"));
    }
    if !plan.withheld.is_empty() {
        let withheld = count(plan.withheld.len(), "finding", "findings");
        parts.push(format!("{withheld} withheld"));
    }
    format!("**asyncfix**: {}.", parts.join("; "))
}

fn of_rest(rest: &Rest, with_patch: bool) -> String {
    let mut names: Vec<&str> = rest.findings.iter().map(|it| it.codemod.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let rows = rest
        .findings
        .first()
        .map(|it| format!(":{}", it.rows.start));
    let place = format!("{}{}", rest.path, rows.unwrap_or_default());
    let names = match names.join(", ") {
        none if none.is_empty() => "an import that nothing uses then".to_string(),
        names => names,
    };
    let mut lines = vec![format!(
        "<details><summary>{names} in <code>{}</code>: not suggested, since {}</summary>\n",
        escaped(&place),
        escaped(&rest.reason)
    )];
    for finding in &rest.findings {
        lines.push(format!("{}\n", sentence(finding)));
    }
    if with_patch {
        lines.push(block("diff", &rest.patch));
    }
    lines.push("\n</details>".to_string());
    lines.join("\n")
}

/// As the text of a tag.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn sentence(finding: &Finding) -> String {
    let effect = match &finding.outcome {
        Outcome::Fix { applicability, .. } => format!(
            " Effect: {} The fix is {}.",
            prose(&finding.effect),
            applicability.as_str()
        ),
        Outcome::Withheld(reason) => format!(" Withheld: {}.", prose(reason)),
    };
    let place = match &finding.place {
        Some(place) => place.clone(),
        None => format!("line {}", finding.rows.start),
    };
    format!(
        "- {place}, [{}]({}): {}.{effect}",
        finding.codemod,
        finding.url,
        prose(&finding.message)
    )
}

fn of_withheld(withheld: &[(String, Finding)]) -> String {
    let mut files: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for (path, finding) in withheld {
        files.entry(path).or_default().push(finding);
    }
    let count = count(withheld.len(), "finding is", "findings are");
    let mut lines = vec![format!(
        "<details><summary>{count} withheld: a person has to decide</summary>\n"
    )];
    for (path, findings) in files {
        lines.push(format!("{}\n", span(path)));
        lines.extend(findings.into_iter().map(sentence));
        lines.push(String::new());
    }
    lines.push("</details>".to_string());
    lines.join("\n")
}

/// Without its last lines where it is too long, which it says.
fn cut(text: String, most: usize) -> String {
    const END: &str = "\n\nThis is not all of it: `asyncfix --show-withheld` lists the rest.";
    if text.len() <= most {
        return text;
    }
    let mut short = String::new();
    for line in text.split_inclusive('\n') {
        if short.len() + line.len() + "</details>".len() + END.len() > most {
            break;
        }
        short.push_str(line);
    }
    if short.matches("<details>").count() > short.matches("</details>").count() {
        short.push_str("</details>");
    }
    short + END
}
