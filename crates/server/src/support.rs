//! What the client can do, and what was agreed upon.

use std::path::PathBuf;

use lsp_types::Uri;
use serde_json::Value;

use crate::position::Encoding;
use crate::uri;

/// What the client can do.
///
/// It is read from the JSON, not from the types of the protocol: of what clients put there, one
/// odd value that nobody needs would refuse them all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a capability")]
pub struct Support {
    pub encoding: Encoding,
    /// Asks for diagnostics, and needs none to be pushed.
    pub pulls: bool,
    /// Can be told to ask again.
    pub refreshes: bool,
    /// Edits can name the version of the text that they are for.
    pub versioned_edits: bool,
    /// The edit of a code action can come when it is chosen.
    pub resolves_edits: bool,
    /// Shows Markdown.
    pub markdown: bool,
    /// Watches files where it is asked to.
    pub watches: bool,
    /// What the comments that silence a finding give as the reason.
    pub ignore_reason: String,
}

/// What stands behind `# asyncfix: ignore[NAME]` where the client sets nothing else.
const IGNORE_REASON: &str = "left as it is";

impl Support {
    /// What the parameters of `initialize` say.
    pub fn of(parameters: &Value) -> Self {
        let at = |path: &str| parameters.pointer(&format!("/capabilities{path}"));
        let is = |path: &str| at(path).and_then(Value::as_bool) == Some(true);
        let has = |path: &str, word: &str| texts(at(path)).iter().any(|it| it == word);
        let reason = parameters.pointer("/initializationOptions/ignoreReason");
        let reason = reason.and_then(Value::as_str).unwrap_or(IGNORE_REASON);
        Self {
            encoding: Encoding::negotiated(&texts(at("/general/positionEncodings"))),
            pulls: at("/textDocument/diagnostic").is_some_and(Value::is_object),
            refreshes: is("/workspace/diagnostics/refreshSupport")
                || is("/workspace/diagnostic/refreshSupport"),
            versioned_edits: is("/workspace/workspaceEdit/documentChanges"),
            resolves_edits: is("/textDocument/codeAction/dataSupport")
                && has("/textDocument/codeAction/resolveSupport/properties", "edit"),
            markdown: has("/textDocument/hover/contentFormat", "markdown"),
            watches: is("/workspace/didChangeWatchedFiles/dynamicRegistration"),
            // A comment ends with its line.
            ignore_reason: reason.lines().next().unwrap_or_default().to_string(),
        }
    }
}

/// The folders that are open, from the parameters of `initialize`.
pub fn folders(parameters: &Value) -> Vec<PathBuf> {
    let text = |value: &Value| value.as_str().map(|it| Uri(it.to_string()));
    let listed = parameters.get("workspaceFolders").and_then(Value::as_array);
    let listed = listed.into_iter().flatten();
    let folders: Vec<PathBuf> = listed
        .filter_map(|folder| uri::path(&text(folder.get("uri")?)?))
        .collect();
    if !folders.is_empty() {
        return folders;
    }
    // As clients said it before there were several.
    let root = parameters.get("rootUri").and_then(text);
    let path = parameters.get("rootPath").and_then(Value::as_str);
    let root = root.and_then(|root| uri::path(&root));
    root.or(path.map(PathBuf::from)).into_iter().collect()
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    let texts = list.filter_map(Value::as_str);
    texts.map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_client_that_says_nothing_can_do_nothing() {
        let support = Support::of(&json!({"capabilities": {}}));
        assert_eq!(support, Support::of(&Value::Null));
        assert_eq!(support.encoding, Encoding::Utf16);
        assert!(!support.pulls && !support.versioned_edits && !support.resolves_edits);
    }

    #[test]
    fn odd_values_do_not_matter() {
        let support = Support::of(&json!({
            "capabilities": {
                "general": {"positionEncodings": ["utf-8", 7]},
                "textDocument": {"diagnostic": {}, "hover": {"contentFormat": "markdown"}},
                "workspace": {"workspaceEdit": {"documentChanges": true, "failureHandling": 3}},
            },
            "initializationOptions": {"ignoreReason": "why\nnot"},
        }));
        assert_eq!(support.encoding, Encoding::Utf8);
        assert!(support.pulls && support.versioned_edits && !support.markdown);
        assert_eq!(support.ignore_reason, "why");
    }

    #[cfg(unix)]
    #[test]
    fn folders_are_said_in_three_ways() {
        let known = |parameters| folders(&parameters);
        let both = json!({
            "workspaceFolders": [{"uri": "file:///a", "name": ""}, {"uri": "x:1", "name": ""}],
            "rootUri": "file:///b",
        });
        assert_eq!(known(both), [PathBuf::from("/a")]);
        let root = json!({"workspaceFolders": null, "rootUri": "file:///b", "rootPath": "/c"});
        assert_eq!(known(root), [PathBuf::from("/b")]);
        let path = json!({"rootUri": null, "rootPath": "/c"});
        assert_eq!(known(path), [PathBuf::from("/c")]);
        assert!(known(json!({})).is_empty());
    }
}
