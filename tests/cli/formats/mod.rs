//! What the formats for other programs promise: all of them over the same runs.

mod apply;
#[cfg(unix)]
mod broken;
mod columns;
mod fixes;
mod notebooks;
mod schemas;

use serde_json::Value;

use crate::project::{Project, Ran};

/// Those for programs, and those for people.
const PROGRAMS: [&str; 8] = [
    "json",
    "json-lines",
    "github",
    "gitlab",
    "sarif",
    "rdjson",
    "rdjsonl",
    "junit",
];
const PEOPLE: [&str; 3] = ["full", "concise", "grouped"];

/// A run with no configuration that reports in `format`.
fn report(project: &Project, format: &str, arguments: &[&str]) -> Ran {
    let format = ["--isolated", "--no-types", "--output-format", format];
    project.run([&format[..], arguments].concat())
}

/// What a format of JSON prints: one value, or one a line.
fn values(ran: &Ran) -> Vec<Value> {
    let values = serde_json::Deserializer::from_str(&ran.stdout).into_iter();
    values.map(Result::unwrap).collect()
}

/// The diagnostics of rdjson or rdjsonl.
fn diagnostics(ran: &Ran) -> Vec<Value> {
    let values = values(ran);
    match values.as_slice() {
        [result] if result["diagnostics"].is_array() => {
            result["diagnostics"].as_array().unwrap().clone()
        }
        _ => values,
    }
}

/// The only run of a SARIF log.
fn sarif_run(ran: &Ran) -> Value {
    let log = values(ran).remove(0);
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    log["runs"][0].clone()
}

fn number(value: &Value) -> usize {
    let number = value.as_u64();
    assert!(number.is_some(), "{value} is no number");
    usize::try_from(number.unwrap()).unwrap()
}
