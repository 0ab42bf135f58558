//! What is shown of a document, pushed and pulled, and what makes it change.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Client, parameters, range_of, uri_of};
use crate::project::{CLEAN, Project, SLEEPS, WITHHELD};
use crate::types::NEVER_ENDS;

/// A client that shows what it is sent, and does nothing else.
fn plain() -> Value {
    json!({})
}

/// One that asks for diagnostics, and can be told to ask again.
fn pulling() -> Value {
    json!({
        "textDocument": { "diagnostic": {} },
        "workspace": { "diagnostics": { "refreshSupport": true } },
    })
}

fn codes(diagnostics: &[Value]) -> Vec<&str> {
    let codes = diagnostics.iter().map(|it| it["code"].as_str());
    codes.map(Option::unwrap_or_default).collect()
}

/// Two awaitables of which one module does not know what they are.
const ASKS: &str = "\
import asyncio

from client import Client


async def load(client: Client):
    await asyncio.gather(client.fetch('a'), client.fetch('b'))
";

const CLIENT: &str = "\
class Client:
    async def fetch(self, path):
        return path
";

#[test]
fn a_finding_is_pushed_with_its_page_and_state() {
    let project = Project::of(SLEEPS);
    let mut client = Client::new(&project, &plain());
    let uri = uri_of(&project, "a.py");
    client.open(&uri, SLEEPS);
    let found = client.pushed(&uri, 1);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        found[0]["range"],
        range_of(SLEEPS, "time.sleep(1)", "utf-16")
    );
    assert_eq!(found[0]["severity"], 2);
    assert_eq!(found[0]["code"], "await-sleep");
    assert_eq!(found[0]["source"], "asyncfix");
    let href = found[0]["codeDescription"]["href"].as_str().unwrap();
    assert!(href.ends_with("/codemods/await_sleep/README.md"), "{href}");
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.ends_with("[intended]"), "{message}");
    assert_eq!(client.end(), 0);
}

#[test]
fn what_is_withheld_stays_in_the_background_and_says_why() {
    let project = Project::of(WITHHELD);
    let mut client = Client::new(&project, &plain());
    let uri = uri_of(&project, "a.py");
    client.open(&uri, WITHHELD);
    let found = client.pushed(&uri, 1);
    assert_eq!(found[0]["severity"], 4, "{found:#?}");
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("[withheld: "), "{message}");

    project.write("asyncfix.toml", "show-withheld = true\n");
    let arguments = parameters(&project, &plain());
    let mut client = Client::with(&project, &[], &arguments);
    client.open(&uri, WITHHELD);
    assert_eq!(client.pushed(&uri, 1)[0]["severity"], 3);
}

#[test]
fn what_the_target_version_no_longer_has_is_an_error() {
    let project = Project::of("");
    let arguments = parameters(&project, &plain());
    let options = ["--modernise", "--target-version", "py311"];
    let mut client = Client::with(&project, &options, &arguments);
    let uri = uri_of(&project, "a.py");
    client.open(
        &uri,
        "import asyncio\n\n\n@asyncio.coroutine\ndef main():\n    yield from asyncio.sleep(1)\n",
    );
    let found = client.pushed(&uri, 1);
    assert_eq!(codes(&found), ["coroutine-to-async-def"]);
    assert_eq!(found[0]["severity"], 1);
}

#[test]
fn whoever_asks_for_findings_is_not_sent_them() {
    let project = Project::of(SLEEPS);
    let mut client = Client::new(&project, &pulling());
    let uri = uri_of(&project, "a.py");
    client.open(&uri, SLEEPS);
    assert_eq!(codes(&client.pulled(&uri)), ["await-sleep"]);
    client.replace(&uri, 2, CLEAN);
    assert!(client.pulled(&uri).is_empty());
    let time = Duration::from_millis(300);
    assert!(client.is_silent("textDocument/publishDiagnostics", time));
}

#[test]
fn a_first_answer_comes_without_types_and_then_one_with() {
    let project = Project::new([("a.py", ASKS), ("client.py", CLIENT)]);
    let uri = uri_of(&project, "a.py");
    let mut client = Client::new(&project, &plain());
    client.open(&uri, ASKS);
    let first = client.told("textDocument/publishDiagnostics");
    assert_eq!(first["params"]["diagnostics"][0]["data"]["isFinal"], false);
    let found = client.pushed(&uri, 1);
    assert_eq!(codes(&found), ["gather-to-taskgroup"]);
    assert!(
        found[0]["message"]
            .as_str()
            .unwrap()
            .ends_with("[intended]")
    );

    // Who asks is told to ask again.
    let mut client = Client::new(&project, &pulling());
    client.open(&uri, ASKS);
    let first = client.pulled(&uri);
    assert_eq!(first[0]["data"]["isFinal"], false);
    client.told("workspace/diagnostic/refresh");
    assert_eq!(client.pulled(&uri), found);

    // Or waits, where that is not known.
    let mut client = Client::new(&project, &json!({ "textDocument": { "diagnostic": {} } }));
    client.open(&uri, ASKS);
    assert_eq!(client.pulled(&uri), found);
}

/// What a client that watches files says of one.
fn watched(client: &mut Client, uri: &str, kind: u64) {
    let changes = json!({ "changes": [{ "uri": uri, "type": kind }] });
    client.notify("workspace/didChangeWatchedFiles", changes);
}

#[test]
fn types_are_those_of_the_files_as_they_are_now() {
    let project = Project::new([("a.py", ASKS)]);
    let uri = uri_of(&project, "a.py");
    let other = uri_of(&project, "client.py");
    let watching = json!({ "workspace": { "didChangeWatchedFiles": {
        "dynamicRegistration": true,
    }}});
    for capabilities in [watching, plain()] {
        let is_watching = capabilities != plain();
        let _ = std::fs::remove_file(project.path("client.py"));
        let mut client = Client::new(&project, &capabilities);
        client.open(&uri, ASKS);
        let message = |client: &mut Client, kind: Option<u64>| {
            match kind {
                Some(kind) if is_watching => watched(client, &other, kind),
                Some(_) => {
                    let saved = json!({ "textDocument": { "uri": other } });
                    client.notify("textDocument/didSave", saved);
                }
                None => {}
            }
            let found = client.pushed(&uri, 1);
            found[0]["message"].as_str().unwrap().to_string()
        };
        let missing = message(&mut client, None);
        assert!(missing.contains("[withheld: "), "{missing}");
        project.write("client.py", CLIENT); // a new file
        let known = message(&mut client, Some(1));
        assert!(known.ends_with("[intended]"), "{known}");
        project.write("client.py", CLIENT.replace("async def", "def"));
        let plain = message(&mut client, Some(2));
        assert!(plain.contains("[withheld: "), "{plain}");
        project.write("client.py", CLIENT);
        let known = message(&mut client, Some(2));
        assert!(known.ends_with("[intended]"), "{known}");
        std::fs::remove_file(project.path("client.py")).unwrap();
        assert_eq!(message(&mut client, Some(3)), missing);
        // A package in its place.
        project.write("client/__init__.py", CLIENT);
        let known = message(&mut client, Some(1));
        assert!(known.ends_with("[intended]"), "{known}");
        std::fs::remove_dir_all(project.path("client")).unwrap();
    }
}

#[test]
fn a_caller_that_is_open_and_not_saved_counts() {
    let project = Project::new([("a.py", ASKS), ("client.py", CLIENT), ("use.py", "")]);
    let uri = uri_of(&project, "a.py");
    let other = uri_of(&project, "use.py");
    let mut client = Client::new(&project, &plain());
    let catches = "from a import load\n\n\nasync def use(client):\n    try:\n        await load(client)\n    except ValueError:\n        pass\n";
    client.open(&other, catches);
    client.pushed(&other, 1);
    client.open(&uri, ASKS);
    let found = client.pushed(&uri, 1);
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("`except ValueError` in "), "{message}");
}

#[test]
fn a_text_that_cannot_be_parsed_has_no_findings() {
    let project = Project::of(SLEEPS);
    let mut client = Client::new(&project, &plain());
    let uri = uri_of(&project, "a.py");
    client.open(&uri, SLEEPS);
    assert_eq!(client.pushed(&uri, 1).len(), 1);
    let broken = SLEEPS.replace("time.sleep(1)", "time.sleep(");
    for (version, text) in [(2, &*broken), (3, "\0"), (4, "# coding: klingon\n")] {
        client.replace(&uri, version, text);
        assert!(client.pushed(&uri, version).is_empty(), "{text}");
    }
    client.replace(&uri, 5, SLEEPS);
    assert_eq!(client.pushed(&uri, 5).len(), 1);
    client.notify(
        "textDocument/didClose",
        json!({ "textDocument": { "uri": uri } }),
    );
    let closed = client.told("textDocument/publishDiagnostics");
    assert_eq!(closed["params"]["diagnostics"], json!([]));
}

#[test]
fn code_that_is_nested_too_deep_is_no_harm() {
    let project = Project::of(SLEEPS);
    let mut client = Client::new(&project, &plain());
    let uri = uri_of(&project, "a.py");
    client.open(&uri, SLEEPS);
    assert_eq!(client.pushed(&uri, 1).len(), 1);
    let repeated = |part: &str, count| part.repeat(count);
    let texts = [
        repeated("(", 100_000),
        repeated("x = [", 30_000) + &repeated("]", 30_000),
        format!("x = {}1{}", repeated("(", 30_000), repeated(")", 30_000)),
        format!("x = {}1", repeated("not ", 30_000)),
        format!("x = 1{}", repeated("+1", 30_000)),
        format!("{SLEEPS}    x = {}1", repeated("-", 30_000)),
    ];
    let mut version = 1;
    for text in texts {
        version += 1;
        client.replace(&uri, version, &text);
        client.pushed(&uri, version);
    }
    client.replace(&uri, 99, SLEEPS);
    assert_eq!(client.pushed(&uri, 99).len(), 1);
}

#[test]
fn what_cannot_be_read_beside_a_text_is_no_harm() {
    let project = Project::new([
        ("a.py", ASKS),
        ("client.py", "class Client:\n    async def fetch(self"),
        ("broken.py", "from a import load\nawait load("),
        ("b.ipynb", "{ \"cells\": load"),
        ("c.py", "# coding: klingon\nload\n"),
        ("d.py", "load\0\n"),
    ]);
    project.write("e.py", b"load = '\xff'\n");
    let mut client = Client::new(&project, &plain());
    let uri = uri_of(&project, "a.py");
    client.open(&uri, ASKS);
    assert_eq!(codes(&client.pushed(&uri, 1)), ["gather-to-taskgroup"]);
    let actions = client.actions(&uri, &range_of(ASKS, "import", "utf-16"), &[]);
    assert!(actions.len() <= 1, "{actions:?}");
    assert_eq!(client.end(), 0);
}

#[test]
fn a_comment_that_silences_nothing_is_shown() {
    let project = Project::of("");
    let mut client = Client::new(&project, &plain());
    let uri = uri_of(&project, "a.py");
    client.open(&uri, "x = 1  # asyncfix: ignore[await-sleep]\n");
    let found = client.pushed(&uri, 1);
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("silences nothing"), "{message}");
    assert_eq!(
        found[0]["range"]["start"],
        json!({ "line": 0, "character": 7 })
    );
}

#[test]
fn each_folder_has_its_configuration_and_it_is_read_again() {
    let project = Project::new([
        ("one/asyncfix.toml", "ignore = ['await-sleep']\n"),
        ("one/a.py", SLEEPS),
        ("two/a.py", SLEEPS),
        ("two/venv/a.py", SLEEPS),
    ]);
    let watching = json!({ "workspace": { "didChangeWatchedFiles": {
        "dynamicRegistration": true,
    }}});
    let folder = |name: &str| json!({ "uri": uri_of(&project, name), "name": name });
    let mut arguments = parameters(&project, &watching);
    arguments["workspaceFolders"] = json!([folder("one"), folder("two")]);
    let mut client = Client::with(&project, &[], &arguments);
    let registered = client.told("client/registerCapability");
    let registration = &registered["params"]["registrations"][0];
    assert_eq!(registration["method"], "workspace/didChangeWatchedFiles");
    let uris = ["one/a.py", "two/a.py", "two/venv/a.py"].map(|name| uri_of(&project, name));
    for (uri, found) in uris.iter().zip([0, 1, 0]) {
        client.open(uri, SLEEPS);
        assert_eq!(client.pushed(uri, 1).len(), found, "{uri}");
    }

    let configuration = uri_of(&project, "one/asyncfix.toml");
    let changed = json!({ "changes": [{ "uri": configuration, "type": 2 }] });
    project.write("one/asyncfix.toml", "ignore = []\n");
    client.notify("workspace/didChangeWatchedFiles", changed.clone());
    for (uri, found) in uris.iter().zip([1, 1, 0]) {
        assert_eq!(client.pushed(uri, 1).len(), found, "{uri}");
    }

    // What is wrong in it is said once, and nothing is shown until it is right.
    project.write("one/asyncfix.toml", "selct = []\n");
    client.notify("workspace/didChangeWatchedFiles", changed.clone());
    let told = client.told("window/showMessage");
    assert_eq!(told["params"]["type"], 1);
    let message = told["params"]["message"].as_str().unwrap();
    assert!(message.contains("did you mean `select`?"), "{message}");
    assert!(client.pushed(&uris[0], 1).is_empty());
    assert_eq!(client.pushed(&uris[1], 1).len(), 1);
    project.write("one/asyncfix.toml", "");
    client.notify("workspace/didChangeWatchedFiles", changed);
    assert_eq!(client.pushed(&uris[0], 1).len(), 1);
}

#[test]
fn who_cannot_watch_files_has_the_configuration_read_when_a_file_is_saved() {
    let project = Project::of(SLEEPS);
    let mut client = Client::new(&project, &plain());
    let uri = uri_of(&project, "a.py");
    client.open(&uri, SLEEPS);
    assert_eq!(client.pushed(&uri, 1).len(), 1);
    project.write("asyncfix.toml", "ignore = ['await-sleep']\n");
    client.notify(
        "textDocument/didSave",
        json!({ "textDocument": { "uri": uri } }),
    );
    assert!(client.pushed(&uri, 1).is_empty());
}

#[test]
fn a_folder_can_be_opened_and_closed_later() {
    let project = Project::new([
        ("one/asyncfix.toml", "extend-exclude = ['skipped']\n"),
        ("one/skipped/a.py", SLEEPS),
    ]);
    let mut arguments = parameters(&project, &plain());
    arguments["workspaceFolders"] = Value::Null;
    let mut client = Client::with(&project, &[], &arguments);
    let uri = uri_of(&project, "one/skipped/a.py");
    client.open(&uri, SLEEPS);
    assert_eq!(client.pushed(&uri, 1).len(), 1); // a file that is named
    let folders = [json!({ "uri": uri_of(&project, "one"), "name": "one" })];
    let event = json!({ "event": { "added": folders, "removed": [] } });
    client.notify("workspace/didChangeWorkspaceFolders", event);
    assert!(client.pushed(&uri, 1).is_empty());
    let event = json!({ "event": { "added": [], "removed": folders } });
    client.notify("workspace/didChangeWorkspaceFolders", event);
    assert_eq!(client.pushed(&uri, 1).len(), 1);
}

#[test]
fn a_folder_may_be_removed_underneath() {
    let project = Project::new([("in/a.py", SLEEPS), ("in/client.py", CLIENT)]);
    let mut arguments = parameters(&project, &plain());
    arguments["workspaceFolders"][0]["uri"] = uri_of(&project, "in").into();
    let mut client = Client::with(&project, &[], &arguments);
    let uri = uri_of(&project, "in/a.py");
    client.open(&uri, SLEEPS);
    assert_eq!(client.pushed(&uri, 1).len(), 1);
    std::fs::remove_dir_all(project.path("in")).unwrap();
    client.replace(&uri, 2, &format!("{SLEEPS}\n"));
    assert_eq!(client.pushed(&uri, 2).len(), 1);
    client.replace(&uri, 3, ASKS);
    client.pushed(&uri, 3);
    client.notify(
        "textDocument/didSave",
        json!({ "textDocument": { "uri": uri } }),
    );
    client.replace(&uri, 4, SLEEPS);
    assert_eq!(client.pushed(&uri, 4).len(), 1);
    assert_eq!(client.end(), 0);
}

#[test]
fn a_text_without_a_name_is_looked_at_as_well() {
    let project = Project::of("");
    let mut client = Client::new(&project, &plain());
    client.open("untitled:Untitled-1", SLEEPS);
    assert_eq!(client.pushed("untitled:Untitled-1", 1).len(), 1);
}

#[test]
fn an_inference_that_does_not_end_keeps_nobody_waiting() {
    let project = Project::new([("asyncfix.toml", "types-file-timeout = 4\n")]);
    let mut client = Client::new(&project, &plain());
    let uri = uri_of(&project, "a.py");
    let other = uri_of(&project, "b.py");
    client.open(&uri, NEVER_ENDS);
    client.told("textDocument/publishDiagnostics");
    client.open(&other, SLEEPS);
    assert_eq!(client.pushed(&other, 1).len(), 1);
    // The text that moves on takes the inference with it.
    client.replace(&uri, 2, SLEEPS);
    assert_eq!(client.pushed(&uri, 2).len(), 1);
    client.replace(&uri, 3, NEVER_ENDS);
    let found = client.pushed(&uri, 3);
    assert_eq!(codes(&found), ["gather-to-taskgroup"]);
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("withheld"), "{message}");
}
