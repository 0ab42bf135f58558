//! The page of a codemod, on its finding.

use lsp_types::{Contents, Hover, MarkupContent, MarkupKind, Position};

use crate::analyst::{Analyst, Look};
use crate::position::Places;

/// What is shown at a place; none where nothing is found there.
pub fn at(
    analyst: &dyn Analyst,
    look: &Look,
    part: usize,
    places: &Places,
    position: Position,
    markdown: bool,
) -> Option<Hover> {
    let offset = places.offset(position);
    let is_there = |range: &std::ops::Range<usize>| range.start <= offset && offset <= range.end;
    let findings = look.findings.iter().filter(|it| it.part == part);
    let findings = findings.map(|it| &it.finding);
    let mut here = findings.filter(|it| is_there(&it.range));
    // Of several the one that begins last is the innermost.
    let first = here.clone().max_by_key(|it| it.range.start)?;
    let mut said: Vec<&str> = Vec::new();
    let mut value = String::new();
    let others = here.by_ref().filter(|it| it.range != first.range);
    for finding in std::iter::once(first).chain(others) {
        let name = finding.codemod.name;
        if said.contains(&name) {
            continue;
        }
        said.push(name);
        let separator = if value.is_empty() { "" } else { "\n\n---\n\n" };
        let url = analyst.url(finding.codemod);
        value.push_str(separator);
        value.push_str(&finding.message_and_state());
        value.push_str("\n\n");
        value.push_str(finding.codemod.page.trim_end());
        value.push_str("\n\n");
        if markdown {
            value.extend(["[", name, "](", &url, ")"]);
        } else {
            value.push_str(&url);
        }
    }
    let kind = if markdown {
        MarkupKind::Markdown
    } else {
        MarkupKind::PlainText
    };
    Some(Hover {
        contents: Contents::MarkupContent(MarkupContent { kind, value }),
        range: Some(places.range(&first.range)),
    })
}
