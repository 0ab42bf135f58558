//! Findings, as the protocol shows them.

use edit::Applicability;
use engine::{Finding, Outcome, Severity};
use lsp_types::{
    Code, CodeDescription, Diagnostic, DiagnosticSeverity, DiagnosticTag, Message, Uri,
};
use serde_json::json;

use crate::analyst::{Analyst, Look};
use crate::position::Places;

/// Whose diagnostics they are.
pub const SOURCE: &str = "asyncfix";

/// What the client is to show of a part of a text.
pub fn all(analyst: &dyn Analyst, look: &Look, part: usize, places: &Places) -> Vec<Diagnostic> {
    let findings = look.findings.iter().filter(|it| it.part == part);
    let found = findings.map(|it| diagnostic(analyst, look, &it.finding, places));
    let useless = look.useless.iter().filter(|it| it.part == part);
    let useless = useless.map(|it| Diagnostic {
        range: places.range(&it.range),
        severity: Some(DiagnosticSeverity::Warning),
        code: None,
        code_description: None,
        source: Some(SOURCE.to_string()),
        message: Message::String(it.message.clone()),
        tags: Some(vec![DiagnosticTag::Unnecessary]),
        related_information: None,
        data: None,
    });
    found.chain(useless).collect()
}

/// One finding. What is withheld says why.
pub fn diagnostic(
    analyst: &dyn Analyst,
    look: &Look,
    finding: &Finding,
    places: &Places,
) -> Diagnostic {
    Diagnostic {
        range: places.range(&finding.range),
        severity: Some(severity(look, finding)),
        code: Some(Code::String(finding.codemod.name.to_string())),
        code_description: Some(CodeDescription {
            href: Uri(analyst.url(finding.codemod)),
        }),
        source: Some(SOURCE.to_string()),
        message: Message::String(finding.message_and_state()),
        tags: None,
        related_information: None,
        data: Some(json!({ "isFinal": look.is_final })),
    }
}

/// What the target version no longer has is an error in any case. What is withheld is for a person
/// to weigh, and stays in the background unless withheld findings are to be seen.
fn severity(look: &Look, finding: &Finding) -> DiagnosticSeverity {
    match (finding.severity, &finding.outcome) {
        (Severity::Error, _) => DiagnosticSeverity::Error,
        (Severity::Warning, Outcome::Withheld(_)) if look.show_withheld => {
            DiagnosticSeverity::Information
        }
        (Severity::Warning, Outcome::Withheld(_)) => DiagnosticSeverity::Hint,
        (Severity::Warning, Outcome::Fix(_)) => DiagnosticSeverity::Warning,
    }
}

/// The words for what fixing all applies.
pub fn extent(apply: Applicability) -> &'static str {
    match apply {
        Applicability::Safe => "all safe fixes",
        Applicability::Intended => "all safe and intended fixes",
        Applicability::Unsafe => "all fixes, unsafe ones too",
    }
}
