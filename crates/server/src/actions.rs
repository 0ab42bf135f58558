//! What the user can choose at a place: a fix, all fixes, a comment that silences.

use std::ops::Range;

use edit::{Applicability, hunks};
use engine::{Finding, Outcome};
use lsp_types::{
    CodeAction, CodeActionKind, DocumentChange, Edit, OptionalVersionedTextDocumentIdentifier,
    TextDocumentEdit, TextDocumentIdentifier, TextEdit, WorkspaceEdit,
};
use serde::{Deserialize, Serialize};

use crate::analyst::{Analyst, Change, Found, Look, Site};
use crate::diagnostics::{diagnostic, extent};
use crate::document::Part;
use crate::position::{Encoding, Places};
use crate::support::Support;

/// The kind of the action that fixes all of a text.
pub const FIX_ALL: &str = "source.fixAll.asyncfix";

/// And of the one that fixes all cells of a notebook, as VS Code asks for it. For the other kind it
/// asks once for each cell, at the same time: the same edits would be made several times.
pub const FIX_NOTEBOOK: &str = "notebook.source.fixAll.asyncfix";

/// What makes the edit of an action that was chosen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Data {
    /// Of the document.
    pub uri: String,
    /// Which text of it.
    pub edition: u64,
    pub change: Change,
}

/// What the client asks about a part of a document.
pub struct Wish<'a> {
    pub part: usize,
    pub is_cell: bool,
    /// At one of these bytes.
    pub at: &'a [Range<usize>],
    /// Only of these kinds, where there are some.
    pub only: Option<&'a [String]>,
}

/// An action without its edit, and what makes that.
#[derive(Debug)]
pub struct Offer {
    pub action: CodeAction,
    pub change: Change,
}

/// What is offered.
pub fn offers(
    analyst: &dyn Analyst,
    look: &Look,
    places: &Places,
    wish: &Wish,
    support: &Support,
) -> Vec<Offer> {
    let wanted = |kind: &str| {
        wish.only.is_none_or(|only| {
            only.iter().any(|it| {
                let rest = kind.strip_prefix(it.as_str());
                it.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        })
    };
    let mut offers = Vec::new();
    if wanted("quickfix") {
        let touches = |it: &&Finding| {
            let mut at = wish.at.iter();
            at.any(|at| it.range.start <= at.end && at.start <= it.range.end)
        };
        let here = look.findings.iter().filter(|it| it.part == wish.part);
        for finding in here.map(|it| &it.finding).filter(touches) {
            let shown = diagnostic(analyst, look, finding, places);
            let site = Site {
                codemod: finding.codemod.name.to_string(),
                part: wish.part,
                range: finding.range.clone(),
            };
            let mut offer = |title: String, is_preferred: bool, change: Change| {
                offers.push(Offer {
                    action: CodeAction {
                        title,
                        kind: Some(CodeActionKind::QuickFix),
                        diagnostics: Some(vec![shown.clone()]),
                        is_preferred: is_preferred.then_some(true),
                        ..CodeAction::default()
                    },
                    change,
                });
            };
            if let Outcome::Fix(fix) = &finding.outcome {
                let is_applied = look.apply.is_none_or(|apply| fix.applicability <= apply);
                offer(
                    title(finding, fix.applicability),
                    is_applied && fix.applicability < Applicability::Unsafe,
                    Change::Fix(site.clone()),
                );
            }
            offer(
                format!("Ignore {} here", finding.codemod.name),
                false,
                Change::Silence(site, support.ignore_reason.clone()),
            );
        }
    }
    let apply = look.apply.unwrap_or(Applicability::Intended);
    let is_applied = |it: &Found| match &it.finding.outcome {
        Outcome::Fix(fix) => fix.applicability <= apply,
        Outcome::Withheld(_) => false,
    };
    let (kind, place) = if wish.is_cell {
        (FIX_NOTEBOOK, " in the notebook")
    } else {
        (FIX_ALL, "")
    };
    if wanted(kind) && look.findings.iter().any(is_applied) {
        offers.push(Offer {
            action: CodeAction {
                title: format!("Apply {} of asyncfix{place}", extent(apply)),
                kind: Some(kind.into()),
                ..CodeAction::default()
            },
            change: Change::FixAll,
        });
    }
    offers
}

/// What applies a fix, with how much it may change.
fn title(finding: &Finding, applicability: Applicability) -> String {
    let name = finding.codemod.name;
    match applicability {
        Applicability::Safe | Applicability::Intended => {
            format!("Apply {name} ({})", applicability.as_str())
        }
        Applicability::Unsafe => {
            format!("Apply {name} (unsafe: may change more than its stated effect)")
        }
    }
}

/// What makes of the parts of a document what they become.
pub fn workspace_edit(
    parts: &[Part],
    changed: &[(usize, String)],
    support: &Support,
) -> WorkspaceEdit {
    let edits = changed.iter().filter_map(|(number, after)| {
        let part = parts.get(*number)?;
        Some((part, text_edits(&part.text, after, support.encoding)))
    });
    if support.versioned_edits {
        let edit = |(part, edits): (&Part, Vec<TextEdit>)| {
            let document = OptionalVersionedTextDocumentIdentifier {
                version: Some(part.version),
                text_document_identifier: TextDocumentIdentifier {
                    uri: part.uri.clone(),
                },
            };
            DocumentChange::TextDocumentEdit(TextDocumentEdit {
                text_document: document,
                edits: edits.into_iter().map(Edit::TextEdit).collect(),
            })
        };
        WorkspaceEdit {
            document_changes: Some(edits.map(edit).collect()),
            ..WorkspaceEdit::default()
        }
    } else {
        let edits = edits.map(|(part, edits)| (part.uri.clone(), edits));
        WorkspaceEdit {
            changes: Some(edits.collect()),
            ..WorkspaceEdit::default()
        }
    }
}

/// What makes `after` of `before`: whole lines, so that no edit ends within a line break.
fn text_edits(before: &str, after: &str, encoding: Encoding) -> Vec<TextEdit> {
    let places = Places::new(before, encoding);
    let edit = |hunk: edit::Hunk| TextEdit {
        range: places.range(&hunk.range),
        new_text: hunk.content,
    };
    hunks(before, after).into_iter().map(edit).collect()
}
