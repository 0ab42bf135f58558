//! Notebooks, whose cells are documents of their own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::client::{Client, applied, edited, parameters, range_of, uri_of};
use super::edits::{Random, places};
use super::sheet::{FIX_NOTEBOOK, Sheet, at_the_start, fixed_in_file, texts};
use crate::notebooks::{IMPORT, MAIN, MARKDOWN, RUN, notebook};
use crate::project::Project;

/// A client that asks, and waits for all.
fn pulling() -> Value {
    json!({ "textDocument": { "diagnostic": {} } })
}

#[test]
fn the_client_is_told_which_notebooks_are_meant() {
    let project = Project::new([]);
    let client = Client::new(&project, &json!({}));
    let capabilities = &client.initialized["capabilities"];
    assert_eq!(
        capabilities["notebookDocumentSync"],
        json!({ "notebookSelector": [{ "notebook": "jupyter-notebook" }], "save": true })
    );
    let kinds = capabilities["codeActionProvider"]["codeActionKinds"].as_array();
    assert!(kinds.unwrap().contains(&json!(FIX_NOTEBOOK)));
}

#[test]
fn cells_that_hold_no_python_are_left_alone() {
    let sleep = "import time\nasync def f():\n    time.sleep(1)";
    let magic = format!("%%cython\n{sleep}");
    let automagic = format!("cd /\n{sleep}");
    let project = Project::new([]);
    let mut client = Client::new(&project, &pulling());
    let cells = [
        MARKDOWN,
        IMPORT,
        ("markdown", sleep),
        ("raw", sleep),
        ("shellscript", sleep),
        ("code", &*magic),
        ("code", &*automagic),
        ("code", "x = 1\ntime.sleep("),
        MAIN,
    ];
    let sheet = Sheet::open(&mut client, &uri_of(&project, "a.ipynb"), &cells);
    let codes = sheet.codes(&mut client);
    assert!(codes[..8].iter().all(Vec::is_empty), "{codes:?}");
    assert_eq!(codes[8], ["await-sleep"]);
    let fixed = sheet.fixed(&mut client, 0);
    let mut expected: Vec<String> = cells.iter().map(|it| it.1.to_string()).collect();
    expected[8] = MAIN.1.replace("time.sleep", "await asyncio.sleep");
    assert_eq!(fixed, expected);
    assert_eq!(fixed_in_file(&project, &sheet, &[]), expected);
}

#[test]
fn a_cell_that_cannot_be_parsed_takes_only_itself_away() {
    let project = Project::new([]);
    let mut client = Client::new(&project, &pulling());
    let uri = uri_of(&project, "a.ipynb");
    let mut sheet = Sheet::open(&mut client, &uri, &[IMPORT, MAIN, MAIN]);
    let (none, one) = (Vec::<&str>::new(), vec!["await-sleep"]);
    assert_eq!(sheet.codes(&mut client), [&none[..], &one, &one]);
    sheet.replace(&mut client, 1, "async def main(:");
    assert_eq!(sheet.codes(&mut client), [&none[..], &none, &one]);
    sheet.replace(&mut client, 0, "import asyncio, time(");
    assert!(sheet.codes(&mut client).iter().all(Vec::is_empty));
    sheet.replace(&mut client, 0, IMPORT.1);
    assert_eq!(sheet.codes(&mut client), [&none[..], &none, &one]);
}

#[test]
fn another_language_is_none_of_our_business() {
    let project = Project::new([]);
    let mut client = Client::new(&project, &pulling());
    let cells = [("r", IMPORT.1), ("r", MAIN.1)];
    let sheet = Sheet::open(&mut client, &uri_of(&project, "a.ipynb"), &cells);
    assert!(sheet.codes(&mut client).iter().all(Vec::is_empty));
}

#[test]
fn what_is_wrong_about_cells_is_passed_over() {
    let project = Project::new([]);
    let mut client = Client::new(&project, &pulling());
    let uri = uri_of(&project, "a.ipynb");
    let mut sheet = Sheet::open(&mut client, &uri, &[IMPORT, MAIN]);
    for params in [
        json!({ "nonsense": [] }),
        json!({ "notebookDocument": { "uri": "file:///no.ipynb", "version": 2 }, "change": {} }),
        json!({ "notebookDocument": { "uri": sheet.uri, "version": 2 }, "change": { "cells": {
            "textContent": [{ "document": { "uri": "x:1", "version": 2 }, "changes": [] }],
        }}}),
    ] {
        client.notify("notebookDocument/didChange", params);
        client.told("window/logMessage");
    }
    // Cells beyond the end, and one whose text was never said.
    sheet.change(
        &mut client,
        json!({ "structure": { "array": {
            "start": 77, "deleteCount": 7, "cells": [{ "kind": 2, "document": "x:2" }],
        }}}),
    );
    assert!(client.pulled("x:2").is_empty());
    assert_eq!(sheet.codes(&mut client)[1], ["await-sleep"]);
    sheet.close(&mut client);
    for uri in [&sheet.cells[0].uri, &sheet.uri, "x:2"] {
        let params = json!({ "textDocument": { "uri": uri } });
        let id = client.request("textDocument/diagnostic", &params);
        assert_eq!(client.refusal(id), -32602);
    }
    sheet.close(&mut client);
    assert_eq!(client.end(), 0);
}

#[test]
fn findings_are_pushed_for_the_cell_that_they_are_in() {
    let project = Project::new([]);
    let mut client = Client::new(&project, &json!({}));
    let uri = uri_of(&project, "a.ipynb");
    let mut sheet = Sheet::open(&mut client, &uri, &[MARKDOWN, IMPORT, MAIN, RUN]);
    let uris: Vec<String> = sheet.cells.iter().map(|it| it.uri.clone()).collect();
    assert!(client.pushed(&uris[0], 1).is_empty());
    assert!(client.pushed(&uris[1], 1).is_empty());
    let found = client.pushed(&uris[2], 1);
    assert_eq!(found[0]["code"], "await-sleep");
    assert_eq!(
        found[0]["range"],
        range_of(MAIN.1, "time.sleep(1)", "utf-16")
    );
    let found = client.pushed(&uris[3], 1);
    assert_eq!(found[0]["code"], "await-nested-run");
    assert_eq!(found[0]["severity"], 1);

    // An import that goes takes the findings of other cells with it, whose texts are the same.
    sheet.replace(&mut client, 1, "import asyncio");
    assert!(client.pushed(&uris[1], 2).is_empty());
    assert!(client.pushed(&uris[2], 1).is_empty());

    // What is closed shows nothing.
    sheet.splice(&mut client, 3, 1, vec![]);
    client.emptied(&uris[3]);
    // Not even if a cell of the same name comes back.
    sheet.replace(&mut client, 1, IMPORT.1);
    assert_eq!(client.pushed(&uris[2], 1).len(), 1);
    let mut again = sheet.clone().new_cell(RUN.0, RUN.1);
    again.uri.clone_from(&uris[3]);
    sheet.splice(&mut client, 3, 0, vec![again]);
    assert_eq!(client.pushed(&uris[3], 1).len(), 1);
    sheet.close(&mut client);
    for uri in &uris {
        client.emptied(uri);
    }
}

#[test]
fn whoever_asks_for_one_cell_is_told_to_ask_for_the_others() {
    let project = Project::new([]);
    let mut capabilities = pulling();
    capabilities["workspace"] = json!({ "diagnostics": { "refreshSupport": true } });
    let mut client = Client::new(&project, &capabilities);
    let uri = uri_of(&project, "a.ipynb");
    let mut sheet = Sheet::open(&mut client, &uri, &[IMPORT, MAIN]);
    let uris: Vec<String> = sheet.cells.iter().map(|it| it.uri.clone()).collect();
    assert_eq!(client.pulled(&uris[1]).len(), 1);
    client.told("workspace/diagnostic/refresh");
    sheet.replace(&mut client, 0, "import asyncio");
    assert!(client.pulled(&uris[0]).is_empty());
    client.told("workspace/diagnostic/refresh");
    assert!(client.pulled(&uris[1]).is_empty());
    // What changes one cell only is said once.
    sheet.replace(&mut client, 0, "import asyncio\n");
    assert!(client.pulled(&uris[0]).is_empty());
    let time = std::time::Duration::from_millis(200);
    assert!(client.is_silent("workspace/diagnostic/refresh", time));
}

#[test]
fn whoever_asks_for_texts_and_not_for_cells_is_sent_those() {
    let project = Project::new([]);
    let mut client = Client::new(&project, &pulling());
    let uri = uri_of(&project, "a.ipynb");
    let mut sheet = Sheet::open(&mut client, &uri, &[IMPORT, MAIN]);
    let main = sheet.cells[1].uri.clone();
    assert_eq!(client.pushed(&main, 1).len(), 1);
    sheet.replace(&mut client, 0, "import asyncio");
    assert!(client.pushed(&main, 1).is_empty());
    sheet.replace(&mut client, 0, IMPORT.1);
    assert_eq!(client.pushed(&main, 1).len(), 1);
    // Nothing is shown twice once it does ask.
    assert_eq!(client.pulled(&main).len(), 1);
    client.emptied(&main);
    client.forget();
    sheet.replace(&mut client, 0, "import asyncio");
    assert!(client.pulled(&main).is_empty());
    let time = std::time::Duration::from_millis(200);
    assert!(client.is_silent("textDocument/publishDiagnostics", time));
}

#[test]
fn a_fix_edits_the_cells_that_it_touches() {
    let project = Project::new([]);
    let imports = ("code", "%load_ext autoreload\nfrom time import sleep");
    let main = ("code", "async def f():\n    sleep(1)\n    print(sleep)");
    for is_versioned in [false, true] {
        let capabilities = json!({
            "workspace": { "workspaceEdit": { "documentChanges": is_versioned } },
        });
        let mut client = Client::new(&project, &capabilities);
        let uri = uri_of(&project, "a.ipynb");
        let mut sheet = Sheet::open(&mut client, &uri, &[MARKDOWN, imports, main, MAIN]);
        sheet.edit(&mut client, 2, 0..0, "# 𝒳\n", "utf-16");
        let at = range_of(&sheet.cells[2].text, "sleep(1)", "utf-16");
        let actions = client.actions(&sheet.cells[2].uri, &at, &["quickfix"]);
        let titles: Vec<&str> = actions
            .iter()
            .map(|it| it["title"].as_str().unwrap())
            .collect();
        assert_eq!(
            titles,
            ["Apply await-sleep (intended)", "Ignore await-sleep here"]
        );
        let edit = &actions[0]["edit"];
        let touched = [&sheet.cells[1].uri, &sheet.cells[2].uri];
        assert_eq!(edited(edit), touched);
        if is_versioned {
            let version = |number: usize| &edit["documentChanges"][number]["textDocument"];
            assert_eq!(version(0)["version"], 1);
            assert_eq!(version(1)["version"], 2);
        }
        let fixed = sheet.applied(edit, "utf-16");
        assert_eq!(
            fixed[1],
            "%load_ext autoreload\nimport asyncio\nfrom time import sleep"
        );
        let expected = main.1.replace("sleep(1)", "await asyncio.sleep(1)");
        assert_eq!(fixed[2], format!("# 𝒳\n{expected}"));
        let silenced = applied(
            &sheet.cells[2].text,
            &actions[1]["edit"],
            &sheet.cells[2].uri,
            "utf-16",
        );
        assert!(
            silenced.contains("sleep(1)  # asyncfix: ignore[await-sleep] left as it is\n"),
            "{silenced}"
        );
        let params = json!({
            "textDocument": { "uri": sheet.cells[2].uri }, "position": at["start"],
        });
        let hover = client.ask("textDocument/hover", &params);
        assert_eq!(hover["range"], at);
        // At the same place of another cell there is nothing.
        let params = json!({
            "textDocument": { "uri": sheet.cells[0].uri }, "position": at["start"],
        });
        assert_eq!(client.ask("textDocument/hover", &params), Value::Null);
        assert!(
            client
                .actions(&sheet.cells[1].uri, &at, &["quickfix"])
                .is_empty()
        );
    }
}

#[test]
fn all_fixes_are_those_of_the_notebook() {
    let project = Project::new([]);
    let mut client = Client::new(&project, &json!({}));
    let uri = uri_of(&project, "a.ipynb");
    let sheet = Sheet::open(&mut client, &uri, &[MARKDOWN, IMPORT, MAIN, RUN]);
    let cell = &sheet.cells[0].uri;
    for only in ["notebook", "notebook.source.fixAll", FIX_NOTEBOOK] {
        let actions = client.actions(cell, &at_the_start(), &[only]);
        assert_eq!(actions[0]["kind"], FIX_NOTEBOOK, "{only}");
        assert_eq!(
            actions[0]["title"],
            "Apply all safe and intended fixes of asyncfix in the notebook"
        );
    }
    // VS Code would ask for it once for each cell, and make the edits of each answer.
    for only in ["source", "source.fixAll", "source.fixAll.asyncfix"] {
        assert!(
            client.actions(cell, &at_the_start(), &[only]).is_empty(),
            "{only}"
        );
    }
    let fixed = sheet.fixed(&mut client, 0);
    assert_eq!(fixed[3], "await main()");
    assert_eq!(fixed, fixed_in_file(&project, &sheet, &[]));
}

/// What notebooks are made of.
const CELLS: [(&str, &str); 17] = [
    MARKDOWN,
    IMPORT,
    MAIN,
    RUN,
    ("code", "import asyncio\nimport time"),
    ("code", "from time import sleep\n"),
    (
        "code",
        "async def f():\n    sleep(1)\n    # é𝒳\n    time.sleep(2)",
    ),
    (
        "code",
        "async def both():\n    await asyncio.gather(main(), main())\n\nawait both()",
    ),
    ("code", "await asyncio.gather(main(), main())"),
    ("code", "%%time\nasyncio.run(main())"),
    ("code", "%timeit time.sleep(1)\nx = 1"),
    (
        "code",
        "loop = asyncio.get_event_loop()\nloop.run_until_complete(main())\n",
    ),
    ("code", "time.sleep(1"),
    ("code", ""),
    ("raw", "time.sleep(1)"),
    ("shellscript", "time.sleep 1"),
    ("code", "%%bash\ntime.sleep 1"),
];

#[test]
fn all_fixes_are_those_of_fix() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut changed = 0;
    for options in [&[][..], &["--all", "--unsafe-fixes", "--no-types"]] {
        let project = Project::new([]);
        let arguments = parameters(&project, &json!({}));
        let mut client = Client::with(&project, options, &arguments);
        for number in 0..24 {
            let count = 2 + random.below(7);
            let cells: Vec<(&str, &str)> = (0..count)
                .map(|_| CELLS[random.below(CELLS.len())])
                .collect();
            let uri = uri_of(&project, &format!("{number}.ipynb"));
            let sheet = Sheet::open(&mut client, &uri, &cells);
            let fixed = sheet.fixed(&mut client, random.below(count));
            let expected = fixed_in_file(&project, &sheet, options);
            assert_eq!(fixed, expected, "{options:?} {cells:#?}");
            changed += usize::from(fixed != texts(&sheet.file()));
            sheet.close(&mut client);
        }
    }
    assert!(changed > 20, "{changed}");
}

#[test]
fn an_action_is_for_the_notebook_as_it_was() {
    let project = Project::new([]);
    let capabilities = json!({ "textDocument": { "codeAction": {
        "dataSupport": true, "resolveSupport": { "properties": ["edit"] },
    }}});
    let mut client = Client::new(&project, &capabilities);
    let uri = uri_of(&project, "a.ipynb");
    let mut sheet = Sheet::open(&mut client, &uri, &[IMPORT, MAIN, RUN]);
    let at = range_of(MAIN.1, "time.sleep(1)", "utf-16");
    let cell = sheet.cells[1].uri.clone();
    let actions = client.actions(&cell, &at, &["quickfix"]);
    client.ask("codeAction/resolve", &actions[0]);
    for change in 0..3 {
        let actions = client.actions(&cell, &at, &["quickfix"]);
        assert_eq!(actions.len(), 2);
        match change {
            0 => sheet.edit(&mut client, 2, 0..0, "\n", "utf-16"),
            1 => sheet.swap(&mut client, 1, 2),
            _ => {
                sheet.close(&mut client);
                sheet.open_again(&mut client);
            }
        }
        let id = client.request("codeAction/resolve", &actions[0]);
        assert_eq!(client.refusal(id), -32801);
    }
}

#[test]
fn cells_are_put_in_taken_out_and_moved() {
    let project = Project::new([]);
    let mut client = Client::new(&project, &pulling());
    let uri = uri_of(&project, "a.ipynb");
    let mut sheet = Sheet::open(&mut client, &uri, &[MARKDOWN, MAIN]);
    let found = |sheet: &Sheet, client: &mut Client| -> Vec<usize> {
        sheet.codes(client).iter().map(Vec::len).collect()
    };
    assert_eq!(found(&sheet, &mut client), [0, 0]);
    sheet.insert(&mut client, 1, IMPORT.0, IMPORT.1);
    assert_eq!(found(&sheet, &mut client), [0, 0, 1]);
    sheet.swap(&mut client, 0, 2);
    assert_eq!(found(&sheet, &mut client), [1, 0, 0]);
    // Markdown, and code again: VS Code opens another text, others say what changed.
    let mut cell = sheet.cells[0].clone();
    cell.kind = "markdown";
    sheet.cells[0].kind = "markdown";
    sheet.change(&mut client, json!({ "data": [cell.as_cell()] }));
    assert_eq!(found(&sheet, &mut client), [0, 0, 0]);
    let again = sheet.new_cell(MAIN.0, MAIN.1);
    sheet.splice(&mut client, 0, 1, vec![again]);
    assert_eq!(found(&sheet, &mut client), [1, 0, 0]);
    sheet.splice(&mut client, 1, 1, vec![]);
    assert_eq!(found(&sheet, &mut client), [0, 0]);
}

#[test]
fn random_edits_leave_what_a_fresh_look_sees() {
    let encodings = ["utf-8", "utf-16", "utf-32"];
    for encoding in encodings {
        let project = Project::new([]);
        let mut capabilities = pulling();
        capabilities["general"] = json!({ "positionEncodings": [encoding] });
        let mut client = Client::new(&project, &capabilities);
        let mut fresh = Client::new(&project, &capabilities);
        let uri = uri_of(&project, "a.ipynb");
        let mut sheet = Sheet::open(&mut client, &uri, &[IMPORT, MAIN]);
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let mut with_findings = 0;
        for number in 0..300 {
            let count = sheet.cells.len();
            let cell = random.below(count);
            let (kind, text) = CELLS[random.below(CELLS.len())];
            match random.below(10) {
                0 if count < 9 => sheet.insert(&mut client, random.below(count + 1), kind, text),
                1 if count > 3 => sheet.splice(&mut client, cell, 1, vec![]),
                2 => sheet.swap(&mut client, cell, random.below(count)),
                3 => {
                    let another = sheet.new_cell(kind, text);
                    sheet.splice(&mut client, cell, 1, vec![another]);
                }
                4 => sheet.replace(&mut client, cell, text),
                // Otherwise all of it is soon broken for ever.
                5 => {
                    sheet.replace(&mut client, 0, IMPORT.1);
                    sheet.replace(&mut client, count - 1, MAIN.1);
                }
                _ => {
                    let before = sheet.cells[cell].text.clone();
                    let places = places(&before);
                    let start = places[random.below(places.len())];
                    let later = places.iter().copied().filter(|it| *it >= start);
                    let end = later.take(1 + random.below(3)).last().unwrap();
                    let pieces = ["\n", "é", "𝒳", "x", "(", "#", "\r\n", "    time.sleep(2)\n"];
                    let part = pieces[random.below(pieces.len())];
                    sheet.edit(&mut client, cell, start..end, part, encoding);
                }
            }
            if number % 5 == 4 {
                let found = sheet.pulled(&mut client);
                sheet.open_again(&mut fresh);
                assert_eq!(found, sheet.pulled(&mut fresh), "{sheet:#?}");
                sheet.close(&mut fresh);
                with_findings += usize::from(found.iter().any(|it| !it.is_empty()));
            }
            if number % 50 == 49 && encoding == "utf-16" {
                let fixed = sheet.fixed(&mut client, random.below(sheet.cells.len()));
                let expected = fixed_in_file(&project, &sheet, &[]);
                assert_eq!(fixed, expected, "{sheet:#?}");
            }
        }
        assert!(with_findings > 20, "{with_findings}");
        assert_eq!(client.end(), 0);
    }
}

#[test]
fn a_notebook_that_is_open_as_text_is_the_file_that_it_is() {
    let before = notebook(&[MARKDOWN, IMPORT, MAIN, ("code", "time.sleep("), RUN]);
    for before in [before.clone(), before.replace('\n', "\r\n")] {
        let project = Project::new([("a.ipynb", before.as_str())]);
        let uri = uri_of(&project, "a.ipynb");
        let mut client = Client::new(&project, &pulling());
        client.open(&uri, &before);
        let found = client.pulled(&uri);
        let ranges: Vec<&Value> = found.iter().map(|it| &it["range"]).collect();
        let sleep = range_of(&before, "time.sleep(1)", "utf-16");
        let run = range_of(&before, "    \"asyncio.run(main())\"", "utf-16");
        assert_eq!(ranges[0], &sleep);
        assert_eq!(ranges[1]["start"]["line"], run["start"]["line"]);
        let actions = client.actions(&uri, &sleep, &["quickfix"]);
        let fixed = applied(&before, &actions[0]["edit"], &uri, "utf-16");
        assert_eq!(
            fixed,
            before.replace("time.sleep(1)", "await asyncio.sleep(1)")
        );
        let actions = client.actions(&uri, &at_the_start(), &["source.fixAll"]);
        let fixed = applied(&before, &actions[0]["edit"], &uri, "utf-16");
        project.run(["--fix", "--quiet"]);
        assert_eq!(fixed, project.read("a.ipynb"));
        assert_ne!(fixed, before);
        client.replace(&uri, 2, "{ no JSON");
        assert!(client.pulled(&uri).is_empty());
    }
}

#[test]
fn what_calls_in_a_notebook_that_is_open_counts() {
    let load = "\
import asyncio


async def load():
    await asyncio.gather(one(), one())


async def one():
    pass
";
    let project = Project::new([("a.py", load), ("b.ipynb", notebook(&[]).as_str())]);
    let mut client = Client::new(&project, &pulling());
    let uri = uri_of(&project, "a.py");
    client.open(&uri, load);
    let message = |client: &mut Client| {
        let found = client.pulled(&uri);
        found[0]["message"].as_str().unwrap().to_string()
    };
    assert!(message(&mut client).ends_with("[intended]"));
    let catches =
        "async def use():\n    try:\n        await load()\n    except ValueError:\n        pass";
    let cells = [MARKDOWN, ("code", "from a import load"), ("code", catches)];
    let sheet = Sheet::open(&mut client, &uri_of(&project, "b.ipynb"), &cells);
    let again = json!({ "textDocument": { "uri": sheet.uri } });
    client.notify("textDocument/didSave", again.clone());
    let caught = message(&mut client);
    assert!(caught.contains("`except ValueError` in "), "{caught}");
    sheet.close(&mut client);
    client.notify("textDocument/didSave", again);
    assert!(message(&mut client).ends_with("[intended]"));
}

#[test]
fn a_notebook_without_a_name_or_with_another_is_looked_at_as_well() {
    let project = Project::new([]);
    let mut client = Client::new(&project, &pulling());
    for uri in [
        "untitled:Untitled-1.ipynb?jupyter-notebook",
        &uri_of(&project, "paired.py"),
    ] {
        let sheet = Sheet::open(&mut client, uri, &[IMPORT, MAIN, RUN]);
        let codes: BTreeMap<usize, Vec<String>> =
            sheet.codes(&mut client).into_iter().enumerate().collect();
        assert_eq!(codes[&1], ["await-sleep"], "{uri}");
        assert_eq!(codes[&2], ["await-nested-run"], "{uri}");
    }
}
