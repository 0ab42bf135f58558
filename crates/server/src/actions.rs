//! What the user can choose at a place: a fix, all fixes, a comment that silences.

use std::collections::HashMap;
use std::ops::Range;

use edit::{Applicability, hunks};
use engine::{Finding, Outcome};
use lsp_types::{
    CodeAction, CodeActionKind, DocumentChange, Edit, OptionalVersionedTextDocumentIdentifier,
    TextDocumentEdit, TextDocumentIdentifier, TextEdit, Uri, WorkspaceEdit,
};
use serde::{Deserialize, Serialize};

use crate::analyst::{Analyst, Change, Look, Site};
use crate::diagnostics::{diagnostic, extent};
use crate::position::{Encoding, Places};
use crate::support::Support;

/// The kind of the action that fixes all.
pub const FIX_ALL: &str = "source.fixAll.asyncfix";

/// What makes the edit of an action that was chosen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Data {
    pub uri: String,
    pub version: i32,
    pub change: Change,
}

/// An action without its edit, and what makes that.
#[derive(Debug)]
pub struct Offer {
    pub action: CodeAction,
    pub change: Change,
}

/// What is offered at one of these bytes; only of these kinds, where there are some.
pub fn offers(
    analyst: &dyn Analyst,
    look: &Look,
    places: &Places,
    at: &[Range<usize>],
    only: Option<&[String]>,
    support: &Support,
) -> Vec<Offer> {
    let wanted = |kind: &str| {
        only.is_none_or(|only| {
            only.iter().any(|it| {
                let rest = kind.strip_prefix(it.as_str());
                it.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        })
    };
    let mut offers = Vec::new();
    if wanted("quickfix") {
        let touches = |it: &&Finding| {
            let mut at = at.iter();
            at.any(|at| it.range.start <= at.end && at.start <= it.range.end)
        };
        for finding in look.findings.iter().filter(touches) {
            let shown = diagnostic(analyst, look, finding, places);
            let site = Site {
                codemod: finding.codemod.name.to_string(),
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
    let is_applied = |it: &Finding| match &it.outcome {
        Outcome::Fix(fix) => fix.applicability <= apply,
        Outcome::Withheld(_) => false,
    };
    if wanted(FIX_ALL) && look.findings.iter().any(is_applied) {
        offers.push(Offer {
            action: CodeAction {
                title: format!("Apply {} of asyncfix", extent(apply)),
                kind: Some(FIX_ALL.into()),
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

/// What makes `after` of the text of a document, which is `before` at `version`.
pub fn workspace_edit(
    uri: &Uri,
    version: i32,
    before: &str,
    after: &str,
    support: &Support,
) -> WorkspaceEdit {
    let edits = text_edits(before, after, support.encoding);
    if support.versioned_edits {
        let document = OptionalVersionedTextDocumentIdentifier {
            version: Some(version),
            text_document_identifier: TextDocumentIdentifier { uri: uri.clone() },
        };
        let edit = TextDocumentEdit {
            text_document: document,
            edits: edits.into_iter().map(Edit::TextEdit).collect(),
        };
        WorkspaceEdit {
            document_changes: Some(vec![DocumentChange::TextDocumentEdit(edit)]),
            ..WorkspaceEdit::default()
        }
    } else {
        WorkspaceEdit {
            changes: Some(HashMap::from([(uri.clone(), edits)])),
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
