//! Findings as SARIF 2.1.0, for GitHub's code scanning, editors and archives.
//!
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; GitHub Docs,
//! "SARIF support for code scanning". Columns count code units of UTF-16: consumers that do not
//! look at `columnKind` count so. A byte order mark is in no column.
//!
//! A fix has the edits of its finding, each complete in itself, and its `properties` say how much
//! it may change. As one of two ways to fix it, the first finding of a file that `--fix` with the
//! same options fixes has the fix of the whole file, with `"scope": "file"`: that of all findings,
//! of what only comes up when those are fixed, and of imports that are left unused. So a program
//! that wants the bytes of `--fix` applies the fixes of that scope, one for each file. One that picks
//! fixes of single findings has to take equal replacements once (two that add the same import), and
//! to leave fixes that overlap for another run. Of a notebook, all places are in its JSON.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use edit::{Applicability, Change, Edit, Fix, merge};
use engine::{Codemod, Finding, Outcome};
use serde_json::{Value, json};

use super::fingerprint::{Fingerprints, line_hashes};
use super::remark::{Remark, shown};
use super::spot::{Spot, Spots};
use super::uri::{self, Root};
use super::{Entry, Failure, as_json};
use crate::page;
use crate::source::{Encoding, FileText};

/// Prints one run with all findings, the withheld ones too, and what went wrong.
pub fn print(entries: &[Entry], failures: &[Failure], out: &mut impl Write) -> io::Result<()> {
    let mut paths: Vec<PathBuf> = Vec::new();
    paths.extend(entries.iter().map(|entry| entry.canonical.to_path_buf()));
    paths.extend(failures.iter().map(|failure| canonical(&failure.path)));
    let places = Places(Root::of(paths.iter().map(PathBuf::as_path)));
    let notifications = notifications(entries, failures, &places);
    let mut fingerprints = Fingerprints::default();
    let results: Vec<Value> = entries
        .iter()
        .flat_map(|entry| results(entry, &places, &mut fingerprints))
        .collect();
    let artifacts: Vec<Value> = entries
        .iter()
        .filter(|entry| !entry.findings.is_empty())
        .map(|entry| places.artifact(entry))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver()},
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "originalUriBaseIds": {ROOT: {
                "uri": places.0.uri(),
                "description": {"text": "The root of the repository."},
            }},
            "columnKind": "utf16CodeUnits",
            "newlineSequences": ["\r\n", "\n", "\r"],
            "defaultEncoding": "UTF-8",
            "artifacts": artifacts,
            "results": results,
        }],
    });
    as_json::whole(&log, out)
}

/// The name of the folder that the URIs are relative to.
const ROOT: &str = "SRCROOT";

/// What can go wrong with a file.
const NOT_ANALYSED: &str = "not-analysed";
const NOT_WRITTEN: &str = "not-written";
const FAULT: &str = "internal-fault";

fn driver() -> Value {
    let notification = |id: &str, text: &str| {
        json!({
            "id": id,
            "name": pascal_case(id),
            "shortDescription": {"text": text},
            "fullDescription": {"text": text},
            "help": {"text": "The message says what is wrong, and what to do."},
        })
    };
    json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "informationUri": env!("CARGO_PKG_REPOSITORY"),
        "rules": codemods::ALL.iter().map(|codemod| rule(codemod)).collect::<Vec<_>>(),
        "notifications": [
            notification(NOT_ANALYSED, "A file could not be read, decoded or parsed."),
            notification(NOT_WRITTEN, "A file was analysed, and could not be written."),
            notification(FAULT, "A fault of asyncfix."),
        ],
    })
}

fn rule(codemod: &Codemod) -> Value {
    let summary = codemod.summary().replace('\n', " ");
    let effect = codemod.effect().replace('\n', " ");
    let url = page::url(codemod);
    let name = codemod.name;
    let mut properties = json!({
        "tags": ["asyncio"],
        "precision": "high",
        "problem.severity": "warning",
    });
    if let Some(dated) = codemod.dated {
        properties["tags"] = json!(["asyncio", "modernise"]);
        let versions = [("deprecated", dated.deprecated), ("removed", dated.removed)];
        for (key, version) in versions {
            if let Some(version) = version {
                properties[key] = json!(version.to_string());
            }
        }
    }
    json!({
        "id": name,
        "name": pascal_case(name),
        "shortDescription": {"text": &summary},
        "fullDescription": {"text": format!("{summary} What else changes: {effect}")},
        "help": {
            "text": format!("What else changes: {effect}\nMore by `asyncfix explain {name}`, or at {url}"),
            "markdown": format!("{summary}\n\n**What else changes:** {effect}\n\n[What is rewritten, what is left alone, and why]({url})"),
        },
        "helpUri": url,
        "defaultConfiguration": {"level": "warning"},
        "properties": properties,
    })
}

/// `AwaitSleep` for `await-sleep`.
fn pascal_case(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(word).collect()
}

fn notifications(entries: &[Entry], failures: &[Failure], places: &Places) -> Vec<Value> {
    let notification = |id: &str, message: &str, location: Value| {
        json!({
            "descriptor": {"id": id},
            "level": "error",
            "message": {"text": message},
            "locations": [{"physicalLocation": location}],
        })
    };
    let mut notifications: Vec<Value> = Vec::new();
    for failure in failures {
        let remark = Remark::of_failure(failure, String::new());
        let mut location = places.location(&canonical(&failure.path));
        if let Some(spot) = remark.start {
            location["region"] = match failure.column {
                Some(_) => region(spot, spot),
                None => json!({"startLine": spot.row}),
            };
        }
        let id = match failure {
            Failure { ours: true, .. } => FAULT,
            Failure {
                unwritten: true, ..
            } => NOT_WRITTEN,
            _ => NOT_ANALYSED,
        };
        notifications.push(notification(id, &remark.message, location));
    }
    for entry in entries {
        for fault in entry.faults {
            let location = places.location(entry.canonical);
            let problem = format!("a fix was dropped: {}", fault.problem);
            notifications.push(notification(FAULT, &problem, location));
        }
    }
    notifications
}

fn results(entry: &Entry, places: &Places, fingerprints: &mut Fingerprints) -> Vec<Value> {
    let spots = Spots::new(entry);
    let path = shown(entry.path);
    // As somebody reads it who knows nothing of Python's encodings.
    let file = entry.source.encode(entry.text);
    let file = file.as_deref().map(String::from_utf8_lossy);
    let hashes = line_hashes(file.as_deref().unwrap_or(entry.text));
    let fixed = entry
        .findings
        .iter()
        .position(|it| applied(it, entry).is_some());
    let of_finding = |(index, finding): (usize, &&Finding)| {
        let remark = Remark::of_finding(finding, path.clone(), &spots);
        let (name, level) = (finding.codemod.name, finding.severity.as_str());
        let mut location = places.location(entry.canonical);
        let mut prints = json!({"asyncfix/v1": fingerprints.next(&path, name, remark.line)});
        if let Some((start, end)) = remark.start.zip(remark.end) {
            location["region"] = region(start, end);
            prints["primaryLocationLineHash"] = json!(hashes.get(start.row - 1));
        }
        let mut result = json!({
            "ruleId": name,
            "ruleIndex": codemods::ALL.iter().position(|codemod| codemod.name == name),
            "level": level,
            "message": {"text": remark.message},
            "locations": [{"physicalLocation": location}],
            "partialFingerprints": prints,
        });
        match &finding.outcome {
            Outcome::Withheld(reason) => result["properties"] = json!({"withheld": reason}),
            Outcome::Fix(fix) => {
                let rewritten = entry.rewritten.filter(|_| fixed == Some(index));
                let ways = ways(finding, fix, rewritten, entry, &spots.file);
                let ways = ways.iter().map(|way| way.print(entry, &spots, places));
                result["fixes"] = ways.collect();
            }
        }
        result
    };
    entry.findings.iter().enumerate().map(of_finding).collect()
}

/// One way to fix a finding.
struct Way {
    description: String,
    applicability: Applicability,
    scope: &'static str,
    /// Of the file's text.
    edits: Vec<Edit>,
}

/// The ways to fix a finding: alone, and with its whole file, which holds `file`, if that is to be
/// `rewritten`.
fn ways(
    finding: &Finding,
    fix: &Fix,
    rewritten: Option<&str>,
    entry: &Entry,
    file: &FileText,
) -> Vec<Way> {
    let change = Change {
        edits: fix.edits.clone(),
        tag: (),
    };
    let alone = || merge(entry.text, std::slice::from_ref(&change), &[]).text;
    let edits = |text: &str| entry.source.file_text(text).map(|after| file.edits(&after));
    let own = Way {
        description: format!("{}: {}", finding.codemod.name, finding.codemod.title()),
        applicability: fix.applicability,
        scope: "finding",
        edits: match file {
            FileText::Plain(_) => fix.edits.clone(),
            FileText::Notebook(_) => edits(&alone()).unwrap_or_default(),
        },
    };
    let Some(rewritten) = rewritten else {
        return vec![own];
    };
    if alone() == rewritten {
        return vec![Way {
            scope: "file",
            ..own
        }];
    }
    let all = entry.findings.iter().filter_map(|it| applied(it, entry));
    let whole = Way {
        description: "all fixes of this file, as `--fix` writes them".to_string(),
        applicability: all
            .map(|fix| fix.applicability)
            .max()
            .unwrap_or(fix.applicability),
        scope: "file",
        edits: edits(rewritten).unwrap_or_default(),
    };
    vec![own, whole]
}

/// The fix of a finding, if `--fix` applies it.
fn applied<'a>(finding: &'a Finding, entry: &Entry) -> Option<&'a Fix> {
    match &finding.outcome {
        Outcome::Fix(fix) if fix.applicability <= entry.apply => Some(fix),
        _ => None,
    }
}

impl Way {
    fn print(&self, entry: &Entry, spots: &Spots, places: &Places) -> Value {
        let replacement = |edit: &Edit| {
            let region = region(
                spots.in_file(edit.range.start),
                spots.in_file(edit.range.end),
            );
            json!({"deletedRegion": region, "insertedContent": {"text": edit.content}})
        };
        json!({
            "description": {"text": self.description},
            "artifactChanges": [{
                "artifactLocation": places.artifact_location(entry.canonical),
                "replacements": self.edits.iter().map(replacement).collect::<Vec<_>>(),
            }],
            "properties": {
                "applicability": self.applicability.as_str(),
                "scope": self.scope,
            },
        })
    }
}

/// How files are named.
struct Places(Root);

impl Places {
    fn artifact_location(&self, path: &Path) -> Value {
        match self.0.relative(path) {
            Some(uri) => json!({"uri": uri, "uriBaseId": ROOT}),
            None => json!({"uri": uri::absolute(path)}),
        }
    }

    fn location(&self, path: &Path) -> Value {
        json!({"artifactLocation": self.artifact_location(path)})
    }

    fn artifact(&self, entry: &Entry) -> Value {
        let (key, kind) = match entry.source.notebook {
            None => ("sourceLanguage", "python"),
            Some(_) => ("mimeType", "application/x-ipynb+json"),
        };
        json!({
            "location": self.artifact_location(entry.canonical),
            key: kind,
            "encoding": match entry.source.encoding {
                Encoding::Utf8 => "UTF-8",
                Encoding::Ascii => "US-ASCII",
                Encoding::Latin1 => "ISO-8859-1",
                Encoding::Other(codec) => codec.name(),
            },
        })
    }
}

fn region(start: Spot, end: Spot) -> Value {
    json!({
        "startLine": start.row,
        "startColumn": start.utf16,
        "endLine": end.row,
        "endColumn": end.utf16,
    })
}

/// The path without links, as far as it is there.
fn canonical(path: &Path) -> PathBuf {
    let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    fs_err::canonicalize(path).unwrap_or_else(|_| absolute())
}
