//! Requests out of order, and how a server ends.

use serde_json::{Value, json};

use super::client::{Client, parameters, range_of, uri_of};
use crate::project::{Project, SLEEPS};
#[cfg(target_os = "linux")]
use crate::types::NEVER_ENDS;

fn at_the_start() -> Value {
    json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } })
}

#[test]
fn what_comes_too_early_or_too_late_is_refused() {
    let project = Project::of(SLEEPS);
    let uri = uri_of(&project, "a.py");
    let mut client = Client::raw(&project, &[]);
    let params = json!({ "textDocument": { "uri": uri }, "position": null });
    let id = client.request("textDocument/hover", &params);
    assert_eq!(client.refusal(id), -32002);
    let id = client.request("shutdown", &Value::Null);
    assert_eq!(client.refusal(id), -32002);
    client.open(&uri, SLEEPS); // to be dropped
    let initialize = parameters(&project, &json!({}));
    client.ask("initialize", &initialize);
    let id = client.request("initialize", &initialize);
    assert_eq!(client.refusal(id), -32600);
    let id = client.request("textDocument/hover", &params);
    assert_eq!(client.refusal(id), -32602); // it is not open
    let id = client.request("textDocument/rename", &params);
    assert_eq!(client.refusal(id), -32601);
    let id = client.request("textDocument/codeAction", &json!({ "range": 7 }));
    assert_eq!(client.refusal(id), -32602);
    client.ask("shutdown", &Value::Null);
    let id = client.request("textDocument/hover", &params);
    assert_eq!(client.refusal(id), -32600);
    client.notify("exit", Value::Null);
    assert_eq!(client.status(), 0);
}

#[test]
fn changes_of_what_is_not_open_are_passed_over() {
    let project = Project::of(SLEEPS);
    let uri = uri_of(&project, "a.py");
    let mut client = Client::new(&project, &json!({}));
    client.replace(&uri, 7, "x");
    let told = client.told("window/logMessage");
    let message = told["params"]["message"].as_str().unwrap();
    assert!(message.contains("is not open"), "{message}");
    client.notify(
        "textDocument/didClose",
        json!({ "textDocument": { "uri": uri } }),
    );
    client.notify("textDocument/didChange", json!({ "nonsense": [] }));
    client.notify("$/unknown", json!({}));
    client.send_raw(b"{ no JSON");
    client.send_raw(b"[]");
    client.open(&uri, SLEEPS);
    assert_eq!(client.pushed(&uri, 1).len(), 1);
    // Places that no text has are its edges.
    let range = json!({
        "start": { "line": 900, "character": 9 },
        "end": { "line": 3, "character": 900 },
    });
    client.change(
        &uri,
        2,
        json!([{ "range": range, "text": "    time.sleep(2)\n" }]),
    );
    assert_eq!(client.pushed(&uri, 2).len(), 2);
    assert_eq!(client.end(), 0);
}

/// Code for which a child is asked, so that the answer takes a while.
const ASKS: &str = "\
import asyncio


async def main(x):
    await asyncio.gather(x.f(), x.g())
";

#[test]
fn a_request_that_is_cancelled_is_refused_at_once() {
    let project = Project::of(ASKS);
    let uri = uri_of(&project, "a.py");
    let mut client = Client::new(&project, &json!({}));
    client.open(&uri, ASKS);
    let document = json!({ "uri": uri });
    let params = json!({
        "textDocument": document, "range": at_the_start(), "context": { "diagnostics": [] },
    });
    let asked: Vec<i64> = (0..20)
        .map(|_| client.request("textDocument/codeAction", &params))
        .collect();
    for id in &asked {
        client.notify("$/cancelRequest", json!({ "id": id }));
    }
    client.notify("$/cancelRequest", json!({ "id": "unknown" }));
    let mut refused = 0;
    for id in asked {
        let response = client.response(id);
        refused += usize::from(response["error"]["code"] == -32800);
    }
    assert!(refused >= 15, "{refused}");
    assert_eq!(client.end(), 0);
}

#[test]
fn what_is_asked_about_a_text_that_moved_on_is_refused() {
    let project = Project::of(ASKS);
    let uri = uri_of(&project, "a.py");
    let mut client = Client::new(&project, &json!({}));
    client.open(&uri, ASKS);
    let document = json!({ "uri": uri });
    let actions = json!({
        "textDocument": document, "range": at_the_start(), "context": { "diagnostics": [] },
    });
    let actions = client.request("textDocument/codeAction", &actions);
    let params = json!({ "textDocument": document });
    let pulled = client.request("textDocument/diagnostic", &params);
    client.replace(&uri, 2, SLEEPS);
    assert_eq!(client.refusal(actions), -32801);
    let response = client.response(pulled);
    assert_eq!(response["error"]["code"], -32802, "{response}");
    assert_eq!(response["error"]["data"]["retriggerRequest"], true);
    let at = range_of(SLEEPS, "sleep", "utf-16");
    assert_eq!(client.actions(&uri, &at, &["quickfix"]).len(), 2);
}

#[test]
fn requests_are_answered_whatever_the_order_of_answers() {
    let project = Project::of(ASKS);
    let (slow, fast) = (uri_of(&project, "a.py"), uri_of(&project, "b.py"));
    let mut client = Client::new(&project, &json!({}));
    client.open(&slow, ASKS);
    client.open(&fast, SLEEPS);
    let hover = |uri: &str| {
        json!({ "textDocument": { "uri": uri }, "position": {
            "line": 7, "character": 5,
        }})
    };
    let pull = |uri: &str| json!({ "textDocument": { "uri": uri } });
    let asked: Vec<(i64, bool)> = (0..40)
        .map(|number| {
            let uri = if number % 3 == 0 { &slow } else { &fast };
            let is_hover = number % 2 == 0;
            let id = if is_hover {
                client.request("textDocument/hover", &hover(uri))
            } else {
                client.request("textDocument/diagnostic", &pull(uri))
            };
            (id, is_hover)
        })
        .collect();
    for (id, is_hover) in asked.into_iter().rev() {
        let result = client.result(id);
        assert!(is_hover || result["items"].is_array(), "{result}");
    }
}

#[test]
fn it_ends_when_the_client_does() {
    let project = Project::of(SLEEPS);
    let mut client = Client::new(&project, &json!({}));
    client.hang_up();
    assert_eq!(client.status(), 1);
    let mut client = Client::raw(&project, &[]);
    client.break_off();
    assert_eq!(client.status(), 1);
    let mut client = Client::new(&project, &json!({}));
    client.notify("exit", Value::Null);
    assert_eq!(client.status(), 1);
    assert_eq!(Client::new(&project, &json!({})).end(), 0);
}

#[test]
fn it_takes_the_argument_that_clients_give_every_server() {
    let project = Project::of(SLEEPS);
    let mut client = Client::raw(&project, &["--stdio"]);
    client.ask("initialize", &parameters(&project, &json!({})));
    client.ask("shutdown", &Value::Null);
    client.notify("exit", Value::Null);
    assert_eq!(client.status(), 0);
}

#[cfg(unix)]
#[test]
fn it_ends_with_the_process_that_it_is_told_of() {
    let project = Project::of(SLEEPS);
    let mut editor = std::process::Command::new("sleep")
        .arg("300")
        .spawn()
        .unwrap();
    let mut arguments = parameters(&project, &json!({}));
    arguments["processId"] = editor.id().into();
    // The input stays open: somebody else has its other end.
    let mut client = Client::with(&project, &[], &arguments);
    let uri = uri_of(&project, "a.py");
    client.open(&uri, SLEEPS);
    assert_eq!(client.pushed(&uri, 1).len(), 1);
    editor.kill().unwrap();
    editor.wait().unwrap();
    assert_eq!(client.status(), 1);
    // One that was never there is one of another machine.
    let mut client = Client::with(&project, &[], &arguments);
    client.open(&uri, SLEEPS);
    assert_eq!(client.pushed(&uri, 1).len(), 1);
    assert_eq!(client.end(), 0);
    for odd in [
        json!("1"),
        json!(-1),
        json!(0),
        json!(1_u64 << 40),
        Value::Null,
    ] {
        arguments["processId"] = odd;
        assert_eq!(Client::with(&project, &[], &arguments).end(), 0);
    }
}

#[test]
fn what_a_server_has_no_use_for_is_refused() {
    let project = Project::of(SLEEPS);
    for (arguments, said) in [
        (
            &["server", "src"][..],
            "'[PATHS]...' cannot be used with 'server'",
        ),
        (&["server", "--fix"], "'--fix' cannot be used with 'server'"),
        (
            &["server", "--output-format", "json"],
            "'--output-format' cannot be used with 'server'",
        ),
        (
            &["server", "--select", "await-slep"],
            "did you mean `await-sleep`?",
        ),
        (&["server", "--config", "nothing.toml"], "nothing.toml"),
    ] {
        let ran = project.run(arguments.iter().copied());
        assert_eq!(ran.status, 2, "{ran:?}");
        assert!(ran.stderr.contains(said), "{ran:?}");
    }
}

/// The processes whose parent is this one.
#[cfg(target_os = "linux")]
fn children(parent: u32) -> Vec<u32> {
    let parent = parent.to_string();
    let numbers = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name();
        name.to_string_lossy().parse::<u32>().ok()
    });
    let is_child = |number: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        // The name, in brackets, may hold anything.
        let after = stat.rsplit(") ").next().unwrap_or_default();
        let mut words = after.split(' ');
        words.next() != Some("Z") && words.next() == Some(&*parent)
    };
    numbers.filter(is_child).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn its_children_end_with_it() {
    let project = Project::of(NEVER_ENDS);
    let uri = uri_of(&project, "a.py");
    for is_killed in [false, true] {
        let mut client = Client::new(&project, &json!({}));
        client.open(&uri, NEVER_ENDS);
        client.told("textDocument/publishDiagnostics");
        let mut at_work = Vec::new();
        let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
        while at_work.is_empty() {
            assert!(std::time::Instant::now() < deadline, "no child was started");
            std::thread::sleep(std::time::Duration::from_millis(20));
            at_work = children(client.process());
        }
        if is_killed {
            drop(client);
        } else {
            client.hang_up();
            assert_eq!(client.status(), 1);
        }
        let is_there = |number: &u32| {
            let stat = std::fs::read_to_string(format!("/proc/{number}/stat"));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        while at_work.iter().any(is_there) {
            assert!(std::time::Instant::now() < deadline, "a child is left");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}
