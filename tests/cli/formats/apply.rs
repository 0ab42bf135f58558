//! Programs that apply what a report proposes, written after what the formats say and knowing
//! nothing of asyncfix.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::number;
use crate::project::Project;

/// The lines of a text, each with what ends it.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        let length = if rest[end..].starts_with("\r\n") {
            2
        } else {
            1
        };
        let (line, after) = rest.split_at(end + length);
        lines.push(line);
        rest = after;
    }
    lines.push(rest);
    lines
}

/// Applies all suggestions of reviewdog's format. Equal ones are one; in other ones no line is
/// there twice. Gives how many there were.
pub fn suggestions(project: &Project, diagnostics: &[Value]) -> usize {
    let mut files: BTreeMap<&str, BTreeSet<(usize, usize, &str)>> = BTreeMap::new();
    for diagnostic in diagnostics {
        let Some(suggestions) = diagnostic["suggestions"].as_array() else {
            continue;
        };
        // Reporters show the first, and an error for each other.
        assert_eq!(suggestions.len(), 1, "{diagnostic}");
        for suggestion in suggestions {
            let (start, end) = (&suggestion["range"]["start"], &suggestion["range"]["end"]);
            assert!(start["column"].is_null() && end["column"].is_null());
            let text = suggestion["text"].as_str().unwrap();
            let path = diagnostic["location"]["path"].as_str().unwrap();
            let lines = (number(&start["line"]), number(&end["line"]), text);
            files.entry(path).or_default().insert(lines);
        }
    }
    for (path, suggestions) in &files {
        let text = project.read(path);
        let mut lines: Vec<String> = lines(&text).into_iter().map(str::to_string).collect();
        let mut next = usize::MAX;
        for (start, end, text) in suggestions.iter().rev() {
            assert!(*end < next, "{path}:{end}: suggestions overlap");
            next = *start;
            let last = &lines[end - 1];
            let ending = last.trim_start_matches(|it| it != '\n' && it != '\r');
            let line = format!("{text}{ending}");
            lines.splice(start - 1..*end, [line]);
        }
        project.write(path, lines.concat());
    }
    files.values().map(BTreeSet::len).sum()
}

/// Applies the fixes of SARIF that stand for a whole file. Gives how many there were.
pub fn file_fixes(project: &Project, run: &Value) -> usize {
    let mut changed = BTreeSet::new();
    for fix in fixes(run).filter(|fix| fix["properties"]["scope"] == "file") {
        let path = path(fix);
        let text = replaced(&project.read(&path), &replacements(fix));
        project.write(&path, text);
        assert!(changed.insert(path), "a second fix for the same file");
    }
    changed.len()
}

/// Applies the first fix of each finding of SARIF: equal replacements once, and none that overlaps
/// an earlier one. Gives how many were applied.
pub fn finding_fixes(project: &Project, run: &Value) -> usize {
    let mut files: BTreeMap<String, Vec<Replacement>> = BTreeMap::new();
    let mut count = 0;
    for result in run["results"].as_array().unwrap() {
        let fix = &result["fixes"][0];
        if fix.is_null() || fix["properties"]["applicability"] == "unsafe" {
            continue;
        }
        let taken = files.entry(path(fix)).or_default();
        let new: Vec<Replacement> = replacements(fix)
            .into_iter()
            .filter(|it| !taken.contains(it))
            .collect();
        if new
            .iter()
            .any(|it| taken.iter().any(|other| it.overlaps(other)))
        {
            continue;
        }
        count += 1;
        taken.extend(new);
    }
    for (path, replacements) in &files {
        project.write(path, replaced(&project.read(path), replacements));
    }
    count
}

/// `(row, column)`, one-based.
type Place = (usize, usize);

#[derive(Clone, PartialEq, Eq)]
struct Replacement {
    start: Place,
    end: Place,
    text: String,
}

impl Replacement {
    /// Insertions at one place do not, here.
    fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
            || self.start == other.start && self.end == other.end && self.start != self.end
    }
}

fn fixes(run: &Value) -> impl Iterator<Item = &Value> {
    let results = run["results"].as_array().unwrap().iter();
    results.flat_map(|result| result["fixes"].as_array().map_or(&[][..], Vec::as_slice))
}

/// The only file that a fix changes.
fn path(fix: &Value) -> String {
    let changes = fix["artifactChanges"].as_array().unwrap();
    assert_eq!(changes.len(), 1);
    let location = &changes[0]["artifactLocation"];
    assert_eq!(location["uriBaseId"], "SRCROOT");
    let uri = location["uri"].as_str().unwrap();
    let path = percent_encoding::percent_decode_str(uri);
    path.decode_utf8().unwrap().into_owned()
}

fn replacements(fix: &Value) -> Vec<Replacement> {
    let replacements = fix["artifactChanges"][0]["replacements"]
        .as_array()
        .unwrap();
    let replacement = |it: &Value| {
        let region = &it["deletedRegion"];
        let place = |row, column| (number(&region[row]), number(&region[column]));
        Replacement {
            start: place("startLine", "startColumn"),
            end: place("endLine", "endColumn"),
            text: it["insertedContent"]["text"]
                .as_str()
                .unwrap_or_default()
                .to_string(),
        }
    };
    replacements.iter().map(replacement).collect()
}

/// Columns count code units of UTF-16; a byte order mark counts for none.
fn replaced(text: &str, replacements: &[Replacement]) -> String {
    let (mark, text) = match text.strip_prefix('\u{feff}') {
        Some(text) => ("\u{feff}", text),
        None => ("", text),
    };
    let lines = lines(text);
    let offset = |(row, column): Place| {
        let before: usize = lines[..row - 1].iter().map(|line| line.len()).sum();
        let mut units = 1;
        let line = lines[row - 1];
        let reached = line.char_indices().find(|(_, character)| {
            let reached = units == column;
            units += character.len_utf16();
            reached
        });
        before + reached.map_or(line.len(), |(offset, _)| offset)
    };
    let mut sorted: Vec<&Replacement> = replacements.iter().collect();
    sorted.sort_by_key(|it| (it.start, it.end));
    let mut changed = mark.to_string();
    let mut copied = 0;
    for it in sorted {
        changed.push_str(&text[copied..offset(it.start)]);
        changed.push_str(&it.text);
        copied = offset(it.end);
    }
    changed + &text[copied..]
}
