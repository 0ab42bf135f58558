//! What the page shows without scripts.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use super::about::Target;
use super::document::{Counts, Document};
use super::escape::html;

/// Where there are more findings, a page without scripts does not list them.
const LISTED: usize = 1000;

/// What was run, where and when.
pub fn about(document: &Document) -> String {
    let about = &document.about;
    let time = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(about.time));
    let mut text = String::new();
    let mut item = |name: &str, value: &str| {
        let _ = write!(text, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    };
    item("When", &format!("<time id=\"time\">{}</time>", html(&time)));
    if let Some(revision) = &about.revision {
        let commit = revision.commit.get(..12).unwrap_or(&revision.commit);
        let commit = format!(
            "<code title=\"{}\">{}</code>",
            html(&revision.commit),
            html(commit)
        );
        let branch = revision
            .branch
            .as_deref()
            .map(|it| format!(" on {}", code(it)));
        item("Revision", &(commit + &branch.unwrap_or_default()));
    }
    let targets = targets(&about.targets);
    item("For", &targets);
    let names: Vec<String> = about.codemods.iter().map(|it| code(it)).collect();
    item(
        "Codemods",
        &match names.len() {
            0..=4 => names.join(", "),
            count if count == codemods::ALL.len() => format!("all {count}"),
            count => format!(
                "<details><summary>{count}</summary>{}</details>",
                names.join(", ")
            ),
        },
    );
    item("Command", &code(&about.command));
    item("asyncfix", &html(about.version));
    text
}

/// The versions, with who says so where that is short.
fn targets(targets: &[Target]) -> String {
    if let [target] = targets {
        let (version, origin) = (html(&target.version), markdown(&target.origin));
        return format!("Python {version} <small>({origin})</small>");
    }
    let by_version = targets.chunk_by(|one, other| one.version == other.version);
    let versions: Vec<String> = by_version
        .map(|same| {
            let files = same.iter().map(|target| target.files).sum();
            let (version, count) = (html(&same[0].version), number(files));
            format!(
                "Python {version} <small>({count} {})</small>",
                noun(files, "file")
            )
        })
        .collect();
    versions.join(", ")
}

/// How many there are of something, large. `name` and `detail` are HTML.
pub fn tile(class: &str, count: usize, name: &str, detail: &str) -> String {
    format!(
        "<li class=\"tile {class}\"><strong>{}</strong> <span>{name}</span><small>{detail}</small></li>",
        number(count)
    )
}

/// How much there is of what.
pub fn totals(document: &Document) -> String {
    let counts = Counts::of(document.items());
    let all = counts.all();
    let mut text = String::new();
    let mut tile =
        |class, count, name: &str, detail: &str| text.push_str(&tile(class, count, name, detail));
    let files = format!(
        "in {} of {} files",
        number(document.files.len()),
        number(document.about.checked)
    );
    tile("all", all, &noun(all, "finding"), &files);
    let share = |count: usize| match (count * 200 + all).checked_div(2 * all) {
        Some(share) => format!("{share} %"),
        None => String::new(),
    };
    tile(
        "fixable",
        counts.fixable(),
        "can be rewritten",
        &match counts.unsafe_ {
            0 => share(counts.fixable()),
            some => format!(
                "{}; {} of them unsafe",
                share(counts.fixable()),
                number(some)
            ),
        },
    );
    tile(
        "withheld",
        counts.withheld,
        "withheld",
        &format!("{}: a person decides", share(counts.withheld)),
    );
    if counts.errors > 0 {
        tile(
            "error",
            counts.errors,
            &noun(counts.errors, "error"),
            "gone in the target version",
        );
    }
    if document.unanalysed() > 0 {
        let failed = document.unanalysed();
        tile(
            "failed",
            failed,
            "not analysed",
            "what is in them is not known",
        );
    }
    text
}

/// What went wrong: what is not known must not look clean.
pub fn failures(document: &Document) -> String {
    let mut text = String::new();
    let failures = &document.failures;
    if !failures.is_empty() {
        let title = match document.unanalysed() {
            0 => "Not all went well".to_string(),
            count => format!(
                "{} {} could not be analysed",
                number(count),
                noun(count, "file")
            ),
        };
        let _ = write!(
            text,
            "<section class=\"failures\" aria-labelledby=\"failures-title\"><h2 id=\"failures-title\">{title}</h2>\
             <p>What such a file holds is not among the findings.</p><ul>"
        );
        for failure in failures {
            let (place, message) = (code(&failure.place), markdown(&failure.message));
            let _ = write!(text, "<li>{place} {message}</li>");
        }
        text.push_str("</ul></section>");
    }
    let about = &document.about;
    for (title, lines) in [
        ("Warnings", &about.warnings),
        ("Skipped, or decided with less", &about.notes),
    ] {
        if lines.is_empty() {
            continue;
        }
        let _ = write!(
            text,
            "<details class=\"notes\"><summary>{title} ({})</summary><ul>",
            number(lines.len())
        );
        for line in lines {
            let _ = write!(text, "<li>{}</li>", markdown(line));
        }
        text.push_str("</ul></details>");
    }
    text
}

/// The findings as tables, for those who run no scripts.
pub fn findings(document: &Document) -> String {
    let mut text = String::from(
        "<table><caption>Findings by codemod</caption><thead><tr><th>Codemod</th><th>Safe</th><th>Intended</th><th>Unsafe</th><th>Withheld</th></tr></thead><tbody>",
    );
    for codemod in &document.codemods {
        let own = document.items().filter(|it| it.codemod == codemod.name);
        let counts = Counts::of(own);
        let _ = write!(text, "<tr><th>{}</th>", html(codemod.name));
        for count in [
            counts.safe,
            counts.intended,
            counts.unsafe_,
            counts.withheld,
        ] {
            let _ = write!(text, "<td>{}</td>", number(count));
        }
        text.push_str("</tr>");
    }
    text.push_str("</tbody></table>");
    let count = document.items().count();
    if count > LISTED {
        let _ = write!(
            text,
            "<p>The {} findings are listed by a script, which this browser does not run.</p>",
            number(count)
        );
        return text;
    }
    text.push_str("<table><caption>Findings</caption><thead><tr><th>Place</th><th>Codemod</th><th>State</th><th>What</th></tr></thead><tbody>");
    for file in &document.files {
        for item in &file.findings {
            let place = format!("{}:{}", file.path, item.at);
            let reason = item
                .withheld
                .map(|reason| format!("<br>{}", markdown(reason)));
            let _ = write!(
                text,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}{}</td></tr>",
                code(&place),
                html(item.codemod),
                item.state(),
                markdown(item.message),
                reason.unwrap_or_default()
            );
        }
    }
    text.push_str("</tbody></table>");
    text
}

/// As code.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", html(text))
}

/// Text with backticks around code.
pub fn markdown(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(index, part)| {
            if index % 2 == 1 {
                code(part)
            } else {
                html(part)
            }
        })
        .collect()
}

/// With a comma between thousands.
pub fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Of several, where there are not just one.
pub fn noun(count: usize, noun: &str) -> String {
    if count == 1 {
        noun.to_string()
    } else {
        format!("{noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_thousands() {
        assert_eq!(
            [1, 999, 1000, 1_234_567].map(number),
            ["1", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn backticks_are_code_and_markup_is_text() {
        assert_eq!(
            markdown("a `<b>` <c>"),
            "a <code>&lt;b&gt;</code> &lt;c&gt;"
        );
    }
}
