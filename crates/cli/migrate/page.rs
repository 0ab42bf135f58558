//! A campaign as one page: the whole at a glance, each repository, and each finding.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use campaign::{Campaign, Row, State, Step, Summary};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use super::cells::{remark, repositories, state, time};
use crate::report::html::{self, Parts, code, escaped, markdown, noun, number, tile};

/// So many findings are shown with their code; the numbers are of all.
const SHOWN: usize = 20_000;

/// So many reasons are listed of each codemod.
const REASONS: usize = 10;

/// The page.
pub fn page(campaign: &Campaign, rows: &[Row]) -> Result<String> {
    let summary = Summary::new(rows);
    let found = Found::of(campaign, rows);
    let name = campaign.name();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default();
    let data = Data {
        about: json!({ "time": now.as_secs() }),
        codemods: found.codemods.values().collect(),
        files: &found.files,
        failures: [(); 0],
    };
    let mut findings = String::new();
    let _ = write!(
        findings,
        "<p>The {} findings are listed by a script, which this browser does not run.</p>",
        number(size(summary.found))
    );
    Ok(html::assemble(&Parts {
        title: &format!("Campaign {name}"),
        about: about(campaign, now),
        totals: totals(&summary),
        failures: failures(rows, &found),
        more: [
            codemods(&summary),
            reasons(&summary),
            problems(rows),
            table(campaign, rows, &found),
        ]
        .concat(),
        findings,
        data: serde_json::to_string(&data)?,
    }))
}

#[derive(Serialize)]
struct Data<'a> {
    about: Value,
    codemods: Vec<&'a Value>,
    files: &'a [Value],
    failures: [(); 0],
}

/// What asyncfix said of each repository that is done.
#[derive(Default)]
struct Found {
    codemods: BTreeMap<String, Value>,
    files: Vec<Value>,
    findings: usize,
    /// The repositories whose findings are not shown.
    left_out: usize,
    /// Those with findings on the page.
    shown: Vec<String>,
}

impl Found {
    fn of(campaign: &Campaign, rows: &[Row]) -> Self {
        let mut found = Self::default();
        for row in rows.iter().filter(|row| row.state == State::Done) {
            let name = &row.repository.name;
            let has_some = row.result.as_ref().is_some_and(|made| made.found > 0);
            let read = || -> Option<Value> {
                let bytes = fs_err::read(campaign.outcome(name)).ok()?;
                serde_json::from_slice(&bytes).ok()
            };
            let Some(mut outcome) = has_some.then(read).flatten() else {
                continue;
            };
            let page = outcome.get_mut("page").map(Value::take).unwrap_or_default();
            found.add(name, page);
        }
        found
    }

    fn add(&mut self, name: &str, mut page: Value) {
        let Some(Value::Array(files)) = page.get_mut("files").map(Value::take) else {
            return;
        };
        let count = |file: &Value| file["findings"].as_array().map_or(0, Vec::len);
        let more: usize = files.iter().map(count).sum();
        if self.findings + more > SHOWN {
            self.left_out += 1;
            return;
        }
        self.findings += more;
        self.shown.push(name.to_string());
        for mut file in files {
            let path = format!("{name}/{}", file["path"].as_str().unwrap_or_default());
            file["path"] = Value::String(path);
            self.files.push(file);
        }
        let codemods = page.get("codemods").and_then(Value::as_array);
        for codemod in codemods.into_iter().flatten() {
            if let Some(name) = codemod["name"].as_str() {
                self.codemods.insert(name.to_string(), codemod.clone());
            }
        }
    }
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn about(campaign: &Campaign, now: Duration) -> String {
    let config = &campaign.config;
    let mut text = String::new();
    let mut item = |name: &str, value: &str| {
        let _ = write!(text, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    };
    let when = httpdate::fmt_http_date(UNIX_EPOCH + now);
    item(
        "When",
        &format!("<time id=\"time\">{}</time>", escaped(&when)),
    );
    item(
        "Codemods",
        &if config.select.is_empty() {
            "what each repository configures, else the default ones".to_string()
        } else {
            let names: Vec<String> = config.select.iter().map(|it| code(it)).collect();
            names.join(", ")
        },
    );
    let fixes = match (config.safe_only, config.unsafe_fixes) {
        (true, _) => "safe",
        (_, true) => "safe, intended and unsafe",
        _ => "safe and intended",
    };
    item("Fixes", fixes);
    for (name, command) in [("Setup", &config.setup), ("Tests", &config.verify)] {
        if let Some(command) = command {
            item(name, &code(command));
        }
    }
    item("asyncfix", &escaped(env!("CARGO_PKG_VERSION")));
    text
}

fn totals(summary: &Summary) -> String {
    let mut text = String::new();
    let mut tile =
        |class, count, name: &str, detail: &str| text.push_str(&tile(class, count, name, detail));
    let detail = format!(
        "{} done, {} open",
        number(summary.done),
        number(summary.pending)
    );
    let name = if summary.repositories == 1 {
        "repository"
    } else {
        "repositories"
    };
    tile("all", summary.repositories, name, &detail);
    let detail = format!(
        "{} have tests that pass with them",
        number(summary.verified)
    );
    tile(
        "fixable",
        summary.changed,
        "with fixes on a branch",
        &detail,
    );
    let files = format!("in {} files", number(size(summary.checked)));
    tile(
        "all",
        size(summary.found),
        &noun(size(summary.found), "finding"),
        &files,
    );
    let detail = format!("{} more with other options", number(size(summary.left)));
    tile("fixable", size(summary.fixed), "fixed", &detail);
    tile(
        "withheld",
        size(summary.withheld),
        "withheld",
        "a person decides",
    );
    let failed = summary.retry + summary.permanent;
    if failed > 0 {
        let detail = match (summary.retry, summary.permanent) {
            (0, _) => "for good".to_string(),
            (_, 0) => "for now".to_string(),
            (retry, _) => format!("{} of them for now", number(retry)),
        };
        tile("failed", failed, "failed", &detail);
    }
    text
}

fn failures(rows: &[Row], found: &Found) -> String {
    let failed = |row: &&Row| matches!(row.state, State::Permanent | State::Retry);
    let failed: Vec<&Row> = rows.iter().filter(failed).collect();
    let mut text = String::new();
    if !failed.is_empty() {
        let _ = write!(
            text,
            "<section class=\"failures\" aria-labelledby=\"failures-title\"><h2 id=\"failures-title\">{} failed</h2>\
             <p>What such a repository holds is not among the findings.</p><ul>",
            repositories(failed.len())
        );
        for row in failed {
            let when = match row.state {
                State::Retry => "for now, at",
                _ => "at",
            };
            let step = row.step.map_or("", Step::as_str);
            let reason = markdown(row.reason.as_deref().unwrap_or_default());
            let name = code(&row.repository.name);
            let _ = write!(text, "<li>{name} {when} {step}: {reason}</li>");
        }
        text.push_str("</ul></section>");
    }
    if found.left_out > 0 {
        let _ = write!(
            text,
            "<p class=\"notes\">The findings of {} are counted, and not shown one by one: more than {} make a page too large.</p>",
            repositories(found.left_out),
            number(SHOWN)
        );
    }
    text
}

/// The beginning of a table. `numbers` are the columns that hold numbers.
fn head(text: &mut String, title: &str, columns: &[&str], numbers: Range<usize>) {
    let _ = write!(
        text,
        "<details class=\"campaign\" open><summary>{title}</summary><div><table><thead><tr>"
    );
    for (number, column) in columns.iter().enumerate() {
        let class = if numbers.contains(&number) {
            " class=\"n\""
        } else {
            ""
        };
        let _ = write!(text, "<th scope=\"col\"{class}>{column}</th>");
    }
    text.push_str("</tr></thead><tbody>");
}

const TAIL: &str = "</tbody></table></div></details>";

fn codemods(summary: &Summary) -> String {
    let mut text = String::new();
    if summary.codemods.is_empty() {
        return text;
    }
    head(
        &mut text,
        "By codemod",
        &[
            "Codemod",
            "Found",
            "Fixed",
            "Withheld",
            "Left to other options",
        ],
        1..5,
    );
    for it in &summary.codemods {
        let _ = write!(text, "<tr><th scope=\"row\">{}</th>", code(&it.name));
        for count in [it.found, it.fixed, it.withheld, it.left()] {
            let _ = write!(text, "<td class=\"n\">{}</td>", number(size(count)));
        }
        text.push_str("</tr>");
    }
    text.push_str(TAIL);
    text
}

fn reasons(summary: &Summary) -> String {
    let mut text = String::new();
    if summary.codemods.iter().all(|it| it.reasons.is_empty()) {
        return text;
    }
    head(
        &mut text,
        "Why findings are withheld",
        &["Codemod", "How many", "Reason", "One of them"],
        1..2,
    );
    for codemod in &summary.codemods {
        for reason in codemod.reasons.iter().take(REASONS) {
            let _ = write!(
                text,
                "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>",
                code(&codemod.name),
                number(size(reason.count)),
                markdown(&reason.reason),
                code(&reason.example)
            );
        }
    }
    text.push_str(TAIL);
    text
}

/// What went wrong with single files of what is done.
fn problems(rows: &[Row]) -> String {
    let done = rows.iter().filter(|row| row.state == State::Done);
    let made = done.filter_map(|row| Some((&row.repository.name, row.result.as_ref()?)));
    let made: Vec<_> = made.filter(|it| it.1.problems.count > 0).collect();
    let mut text = String::new();
    if made.is_empty() {
        return text;
    }
    head(
        &mut text,
        "Done, with problems in single files",
        &["Repository", "Problem"],
        0..0,
    );
    for (name, made) in made {
        let row = |text: &mut String, said: &str| {
            let name = escaped(name);
            let _ = write!(
                text,
                "<tr><th scope=\"row\">{name}</th><td>{said}</td></tr>"
            );
        };
        for problem in &made.problems.first {
            row(&mut text, &markdown(problem));
        }
        let more = size(made.problems.count).saturating_sub(made.problems.first.len());
        if more > 0 {
            let log = code(&format!("logs/{name}.transform.log"));
            row(&mut text, &format!("and {} more in {log}", number(more)));
        }
    }
    text.push_str(TAIL);
    text
}

fn table(campaign: &Campaign, rows: &[Row], found: &Found) -> String {
    let mut text = String::new();
    head(
        &mut text,
        "Repositories",
        &[
            "Repository",
            "State",
            "Found",
            "Fixed",
            "Withheld",
            "Left",
            "Tests, or what went wrong",
            "Commit",
            "Took",
        ],
        2..6,
    );
    for row in rows {
        let repository = &row.repository;
        let name = escaped(&repository.name);
        let name = if found.shown.contains(&repository.name) {
            // The filters of the page know what stands before the first slash as a package.
            let target = utf8_percent_encode(&repository.name, NON_ALPHANUMERIC);
            format!("<a href=\"#folder={target}\">{name}</a>")
        } else {
            name
        };
        let state_text = state(row, |run| campaign::is_alive(campaign, run));
        let _ = write!(
            text,
            "<tr class=\"{}\"><th scope=\"row\" title=\"{}\">{name}</th><td>{}</td>",
            row.state.as_str(),
            escaped(&repository.url),
            escaped(&state_text)
        );
        let made = row.result.as_ref().filter(|_| row.state == State::Done);
        let numbers = made.map_or([0; 4], |it| [it.found, it.fixed, it.withheld, it.left]);
        for count in numbers {
            let _ = write!(text, "<td class=\"n\">{}</td>", number(size(count)));
        }
        let said = markdown(&remark(row));
        let commit = made.and_then(|it| it.commit.as_ref());
        let commit = commit.map(|it| {
            let short = it.id.get(..12).unwrap_or(&it.id);
            format!("{} on {}", code(short), code(&it.branch))
        });
        let _ = write!(
            text,
            "<td>{said}</td><td>{}</td><td class=\"n\">{}</td></tr>",
            commit.unwrap_or_default(),
            time(row.took)
        );
    }
    text.push_str(TAIL);
    text
}
