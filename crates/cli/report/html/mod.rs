//! A run as one page, for those who decide about a migration: no network, no other file.
//!
//! [`About`] says what was run, [`Document`] is what the page knows, as plain data; the page shows
//! it by `assets/`. What a page without scripts shows is written here as well.

mod about;
mod document;
mod escape;
mod still;

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

pub use about::About;
pub use document::Document;
pub use escape::html as escaped;
pub use still::{code, markdown, noun, number, tile};

const PAGE: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/style.css");
/// Runs before anything is shown.
const THEME: &str = include_str!("assets/theme.js");
/// One script, whose parts use what stands above them.
const SCRIPT: &str = concat!(
    include_str!("assets/text.js"),
    include_str!("assets/diff.js"),
    include_str!("assets/state.js"),
    include_str!("assets/charts.js"),
    include_str!("assets/list.js"),
    include_str!("assets/app.js"),
);

/// What a page shows, as HTML but for its title, and what its scripts know.
pub struct Parts<'a> {
    pub title: &'a str,
    pub about: String,
    pub totals: String,
    pub failures: String,
    /// What stands above the charts.
    pub more: String,
    /// The findings for those who run no scripts.
    pub findings: String,
    /// JSON, as [`Document`] is written.
    pub data: String,
}

/// The page of `document`.
pub fn page(document: &Document) -> io::Result<String> {
    Ok(assemble(&Parts {
        title: &document.about.title,
        about: still::about(document),
        totals: still::totals(document),
        failures: still::failures(document),
        more: String::new(),
        findings: still::findings(document),
        data: serde_json::to_string(document)?,
    }))
}

/// The page with these parts.
pub fn assemble(parts: &Parts) -> String {
    let data = escape::json(&parts.data);
    let policy = format!(
        "default-src 'none'; script-src {} {}; style-src {}; base-uri 'none'; form-action 'none'",
        hash(THEME),
        hash(SCRIPT),
        hash(STYLE)
    );
    filled(PAGE, |name| match name {
        "policy" => policy.clone(),
        "style" => STYLE.to_string(),
        "theme" => THEME.to_string(),
        "script" => SCRIPT.to_string(),
        "data" => data.clone(),
        "title" => escape::html(parts.title),
        "about" => parts.about.clone(),
        "totals" => parts.totals.clone(),
        "failures" => parts.failures.clone(),
        "more" => parts.more.clone(),
        "findings" => parts.findings.clone(),
        _ => String::new(),
    })
}

/// What a policy calls the only script or style that it lets in (Content Security Policy Level 3,
/// "Hash source").
fn hash(content: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content)))
}

/// The template with `value(NAME)` for each `{{NAME}}`. What is put in is not looked at again.
fn filled(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut parts = template.split("{{");
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        text.push_str(&value(name));
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_the_template_is_not_looked_at_again() {
        let value = |name: &str| format!("{{{{{name}}}}}");
        assert_eq!(filled("a {{b}} c {{d}}", value), "a {{b}} c {{d}}");
        assert_eq!(filled("{{b}}{{d}}", |_| "{{b".to_string()), "{{b{{b");
    }

    #[test]
    fn scripts_and_styles_do_not_end_before_their_end() {
        for asset in [STYLE, THEME, SCRIPT] {
            for end in ["</script", "</style", "<!--", "{{"] {
                assert!(!asset.contains(end), "{end}");
            }
        }
    }
}
