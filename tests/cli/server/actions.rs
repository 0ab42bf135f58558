//! What can be chosen at a finding.

use serde_json::{Value, json};

use super::client::{Client, applied, parameters, range_of, uri_of};
use crate::project::{AWAITS, Project, SLEEPS, WITHHELD};

/// A client that does what today's editors do.
fn modern() -> Value {
    json!({
        "textDocument": {
            "codeAction": {
                "dataSupport": true,
                "resolveSupport": { "properties": ["edit"] },
            },
            "hover": { "contentFormat": ["markdown", "plaintext"] },
        },
        "workspace": { "workspaceEdit": { "documentChanges": true } },
    })
}

const FIX_ALL: &str = "source.fixAll.asyncfix";

fn titles(actions: &[Value]) -> Vec<&str> {
    let titles = actions.iter().map(|it| it["title"].as_str().unwrap());
    titles.collect()
}

/// The text after an action that was chosen.
fn chosen(client: &mut Client, action: &Value, uri: &str, text: &str) -> String {
    let action = if action.get("edit").is_some() {
        action.clone()
    } else {
        client.ask("codeAction/resolve", action)
    };
    applied(text, &action["edit"], uri, "utf-16")
}

#[test]
fn a_fix_is_offered_with_how_much_it_may_change() {
    let project = Project::of(SLEEPS);
    let uri = uri_of(&project, "a.py");
    for capabilities in [modern(), json!({})] {
        let mut client = Client::new(&project, &capabilities);
        client.open(&uri, SLEEPS);
        let at = range_of(SLEEPS, "sleep", "utf-16");
        let actions = client.actions(&uri, &at, &[]);
        assert_eq!(
            titles(&actions),
            [
                "Apply await-sleep (intended)",
                "Ignore await-sleep here",
                "Apply all safe and intended fixes of asyncfix",
            ]
        );
        assert_eq!(actions[0]["isPreferred"], true);
        assert_eq!(actions[0]["kind"], "quickfix");
        assert_eq!(actions[0]["diagnostics"][0]["code"], "await-sleep");
        assert_eq!(actions[2]["kind"], FIX_ALL);
        for number in [0, 2] {
            let fixed = chosen(&mut client, &actions[number], &uri, SLEEPS);
            assert_eq!(fixed, AWAITS);
        }
        // In the same line, where the client says that it shows the finding there.
        let start = json!({ "line": 7, "character": 0 });
        let found = client.pushed(&uri, 1);
        let params = json!({
            "textDocument": { "uri": uri },
            "range": { "start": start, "end": start },
            "context": { "diagnostics": [{ "source": 7 }, found[0]], "only": ["quickfix"] },
        });
        let beside = client.ask("textDocument/codeAction", &params);
        assert_eq!(titles(beside.as_array().unwrap()).len(), 2);
        // Elsewhere only what is about all of the text.
        let at = range_of(SLEEPS, "import asyncio", "utf-16");
        assert_eq!(titles(&client.actions(&uri, &at, &[])).len(), 1);
        assert!(client.actions(&uri, &at, &["quickfix"]).is_empty());
        for only in ["source", "source.fixAll", FIX_ALL] {
            assert_eq!(client.actions(&uri, &at, &[only]).len(), 1, "{only}");
        }
        assert!(
            client
                .actions(&uri, &at, &["source.organizeImports", "source.fix"])
                .is_empty()
        );
    }
}

#[test]
fn an_edit_names_the_text_that_it_is_for() {
    let project = Project::of(SLEEPS);
    let uri = uri_of(&project, "a.py");
    let mut client = Client::new(&project, &modern());
    client.open(&uri, SLEEPS);
    let at = range_of(SLEEPS, "sleep", "utf-16");
    let actions = client.actions(&uri, &at, &["quickfix"]);
    assert_eq!(actions[0].get("edit"), None);
    let resolved = client.ask("codeAction/resolve", &actions[0]);
    let document = &resolved["edit"]["documentChanges"][0]["textDocument"];
    assert_eq!(*document, json!({ "uri": uri, "version": 1 }));
    client.replace(&uri, 2, &format!("\n{SLEEPS}"));
    let id = client.request("codeAction/resolve", &actions[0]);
    assert_eq!(client.refusal(id), -32801);

    let mut client = Client::new(&project, &json!({}));
    client.open(&uri, SLEEPS);
    let actions = client.actions(&uri, &at, &["quickfix"]);
    assert!(actions[0]["edit"]["changes"][&uri].is_array());
}

#[test]
fn an_unsafe_fix_says_so_and_is_not_preferred() {
    let text = "\
import asyncio
import time


async def work():
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        time.sleep(0.05)
        raise
";
    let project = Project::of("");
    let uri = uri_of(&project, "a.py");
    let arguments = parameters(&project, &modern());
    let mut seen = 0;
    for options in [&[][..], &["--unsafe-fixes"]] {
        let mut client = Client::with(&project, options, &arguments);
        client.open(&uri, text);
        let at = range_of(text, "time.sleep", "utf-16");
        for action in client.actions(&uri, &at, &["quickfix"]) {
            if action["title"].as_str().unwrap().contains("(unsafe: ") {
                seen += 1;
                assert_eq!(action.get("isPreferred"), None, "{action}");
                assert_ne!(chosen(&mut client, &action, &uri, text), text);
            }
        }
    }
    assert_eq!(seen, 2);
}

#[test]
fn one_fix_leaves_the_others_alone() {
    let text = SLEEPS.to_string() + "    time.sleep(2)\n";
    let project = Project::of(&text);
    let uri = uri_of(&project, "a.py");
    let mut client = Client::new(&project, &modern());
    client.open(&uri, &text);
    let at = range_of(&text, "sleep(2)", "utf-16");
    let actions = client.actions(&uri, &at, &["quickfix"]);
    let fixed = chosen(&mut client, &actions[0], &uri, &text);
    assert_eq!(
        fixed,
        text.replace("time.sleep(2)", "await asyncio.sleep(2)")
    );
}

#[test]
fn a_finding_is_silenced_with_a_reason() {
    let project = Project::of(WITHHELD);
    let uri = uri_of(&project, "a.py");
    let mut arguments = parameters(&project, &modern());
    for (options, reason) in [
        (Value::Null, "left as it is"),
        (
            json!({ "ignoreReason": "it is a script" }),
            "it is a script",
        ),
    ] {
        arguments["initializationOptions"] = options;
        let mut client = Client::with(&project, &[], &arguments);
        client.open(&uri, WITHHELD);
        let at = range_of(WITHHELD, "sleep(1)", "utf-16");
        let actions = client.actions(&uri, &at, &["quickfix"]);
        assert_eq!(titles(&actions), ["Ignore await-sleep here"]);
        let silenced = chosen(&mut client, &actions[0], &uri, WITHHELD);
        let line = format!("time.sleep(1)  # asyncfix: ignore[await-sleep] {reason}\n");
        assert_eq!(silenced, WITHHELD.replace("time.sleep(1)\n", &line));
        client.replace(&uri, 2, &silenced);
        assert!(client.pushed(&uri, 2).is_empty());
    }
}

#[test]
fn the_page_is_shown_on_the_finding() {
    let project = Project::of(SLEEPS);
    let uri = uri_of(&project, "a.py");
    for (capabilities, kind) in [(modern(), "markdown"), (json!({}), "plaintext")] {
        let mut client = Client::new(&project, &capabilities);
        client.open(&uri, SLEEPS);
        let at = range_of(SLEEPS, "time.sleep(1)", "utf-16");
        let mut hover = |position: &Value| {
            let document = json!({ "uri": uri });
            let params = json!({ "textDocument": document, "position": position });
            client.ask("textDocument/hover", &params)
        };
        let shown = hover(&at["start"]);
        assert_eq!(shown["range"], at);
        assert_eq!(shown["contents"]["kind"], kind);
        let text = shown["contents"]["value"].as_str().unwrap();
        assert!(
            text.contains("# await-sleep") && text.contains("## Effect"),
            "{text}"
        );
        assert_eq!(hover(&json!({ "line": 0, "character": 0 })), Value::Null);
    }
}

/// The programs of the repository, and one whose import another file uses.
fn programs() -> Project {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs");
    let project = Project::new([
        ("uses.py", "from keeps import time\n\nprint(time)\n"),
        (
            "keeps.py",
            "import time\nimport asyncio\n\n\nasync def main():\n    time.sleep(1)\n",
        ),
        (
            "drops.py",
            "import time\nimport asyncio\n\n\nasync def main():\n    time.sleep(1)\n",
        ),
        ("crlf.py", &SLEEPS.replace('\n', "\r\n")),
        ("old.py", &SLEEPS.replace('\n', "\r")),
        ("bare.py", SLEEPS.trim_end()),
    ]);
    for name in ["crawler.py", "guarded.py", "worker.py"] {
        project.write(name, std::fs::read(format!("{folder}/{name}")).unwrap());
    }
    project
}

#[test]
fn all_fixes_are_those_of_fix() {
    for options in [&[][..], &["--all", "--unsafe-fixes"]] {
        let project = programs();
        let names = project.names();
        let arguments = parameters(&project, &modern());
        let mut client = Client::with(&project, options, &arguments);
        let mut fixed = Vec::new();
        for name in &names {
            let (uri, text) = (uri_of(&project, name), project.read(name));
            client.open(&uri, &text);
            let whole = json!({
                "start": { "line": 0, "character": 0 },
                "end": { "line": 0, "character": 0 },
            });
            let actions = client.actions(&uri, &whole, &[FIX_ALL]);
            fixed.push(match actions.as_slice() {
                [] => text,
                [action] => chosen(&mut client, action, &uri, &text),
                more => panic!("{more:?}"),
            });
            client.notify(
                "textDocument/didClose",
                json!({ "textDocument": { "uri": uri } }),
            );
        }
        assert_eq!(client.end(), 0);
        let before: Vec<String> = names.iter().map(|name| project.read(name)).collect();
        let ran = project.run(["--fix", "."].iter().chain(options).copied());
        assert!(ran.status < 2, "{ran:?}");
        let after: Vec<String> = names.iter().map(|name| project.read(name)).collect();
        assert_eq!(fixed, after, "{options:?}");
        assert_ne!(before, after, "{options:?}");
    }
}
