//! A document that changes bit by bit, with characters of each length, in each encoding.

use serde_json::{Value, json};

use super::client::{Client, applied, position, range_of, uri_of};
use crate::project::Project;

const ENCODINGS: [&str; 3] = ["utf-8", "utf-16", "utf-32"];

fn counting(encoding: &str) -> Value {
    json!({ "general": { "positionEncodings": [encoding] } })
}

/// What stands before the finding takes a different number of units in each encoding.
fn wide(line: &str) -> String {
    let lines = [
        "import asyncio",
        "import time",
        "",
        "",
        "async def main():",
        "    print('é𝒳', time); time.sleep(1)  # 𝒳",
        "",
    ];
    lines.join(line)
}

#[test]
fn places_are_counted_as_agreed() {
    let project = Project::of("");
    let uri = uri_of(&project, "a.py");
    for line in ["\n", "\r\n", "\r"] {
        let text = wide(line);
        for encoding in ENCODINGS {
            let mut client = Client::new(&project, &counting(encoding));
            let agreed = &client.initialized["capabilities"]["positionEncoding"];
            assert_eq!(agreed, encoding);
            client.open(&uri, &text);
            let found = client.pushed(&uri, 1);
            assert_eq!(found.len(), 1);
            let at = range_of(&text, "time.sleep(1)", encoding);
            assert_eq!(found[0]["range"], at, "{encoding} {line:?}");
            let actions = client.actions(&uri, &at, &["quickfix"]);
            let fixed = applied(&text, &actions[0]["edit"], &uri, encoding);
            let expected = text.replace("time.sleep(1)", "await asyncio.sleep(1)");
            assert_eq!(fixed, expected);

            // The finding moves with what is typed before it in its line.
            let start = position(&text, text.find("print").unwrap(), encoding);
            let range = json!({ "start": start, "end": start });
            client.change(&uri, 2, json!([{ "range": range, "text": "print('𝒳'); " }]));
            let moved = text.replace("print('é", "print('𝒳'); print('é");
            let found = client.pushed(&uri, 2);
            assert_eq!(
                found[0]["range"],
                range_of(&moved, "time.sleep(1)", encoding)
            );
        }
    }
}

#[test]
fn a_client_that_names_no_encoding_counts_in_utf_16() {
    let project = Project::of("");
    let client = Client::new(&project, &json!({}));
    assert_eq!(
        client.initialized["capabilities"]["positionEncoding"],
        "utf-16"
    );
}

#[test]
fn a_byte_order_mark_is_kept() {
    let text = "\u{feff}".to_string() + &wide("\n");
    let project = Project::of(&text);
    let uri = uri_of(&project, "a.py");
    let mut client = Client::new(&project, &counting("utf-16"));
    client.open(&uri, &text);
    let at = range_of(&text, "time.sleep(1)", "utf-16");
    assert_eq!(client.pushed(&uri, 1)[0]["range"], at);
    let actions = client.actions(&uri, &at, &["quickfix"]);
    let fixed = applied(&text, &actions[0]["edit"], &uri, "utf-16");
    assert_eq!(
        fixed,
        text.replace("time.sleep(1)", "await asyncio.sleep(1)")
    );
}

/// Numbers that look random, and are the same each time.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end
    }
}

/// What is put between lines, and mostly leaves them whole.
const LINES: [&str; 7] = [
    "import time\nimport asyncio\n",
    "\n\nasync def f(x):\n    time.sleep(1)\n",
    "\n\nasync def g(x):\r\n    await asyncio.gather(f(x), f(1))\r\n",
    "# é𝒳\n",
    "    # 𝒳\r\n",
    "\n",
    "\r\n",
];

/// What is put anywhere, and mostly breaks something.
const PIECES: [&str; 7] = [
    "    time.sleep(2)  # é𝒳\n",
    "# asyncfix: ignore[await-sleep]\n",
    "'''",
    "(",
    "é",
    "𝒳",
    "x",
];

#[test]
fn a_thousand_edits_leave_what_a_fresh_look_sees() {
    for encoding in ENCODINGS {
        let project = Project::of("");
        let uri = uri_of(&project, "a.py");
        let mut pulls = counting(encoding);
        pulls["textDocument"] = json!({ "diagnostic": {} });
        let mut client = Client::new(&project, &pulls);
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let mut text = LINES[..3].concat();
        client.open(&uri, &text);
        let (mut compared, mut with_findings) = (0, 0);
        for number in 0..1000 {
            let version = number + 2;
            if random.below(8) == 0 {
                // Otherwise all of it is soon broken for ever.
                text = LINES[..4].concat();
                client.replace(&uri, version, &text);
            } else {
                let mut places: Vec<usize> = places(&text);
                let is_line = random.below(5) > 0;
                if is_line {
                    let ends = |it: &usize| *it == 0 || text[..*it].ends_with(['\n', '\r']);
                    places.retain(ends);
                }
                let start = places[random.below(places.len())];
                let longest = if random.below(3) == 0 { 6 } else { 1 };
                let later = places.iter().copied().filter(|it| *it >= start);
                let end = later.take(1 + random.below(longest)).last().unwrap();
                let parts = if is_line { LINES } else { PIECES };
                let part = parts[random.below(parts.len())];
                let range = json!({
                    "start": position(&text, start, encoding),
                    "end": position(&text, end, encoding),
                });
                text.replace_range(start..end, part);
                client.change(&uri, version, json!([{ "range": range, "text": part }]));
            }
            if number % 10 == 9 {
                let found = client.pulled(&uri);
                let fresh = uri_of(&project, &format!("fresh{number}.py"));
                client.open(&fresh, &text);
                assert_eq!(found, client.pulled(&fresh), "{text}");
                let document = json!({ "textDocument": { "uri": fresh } });
                client.notify("textDocument/didClose", document);
                compared += 1;
                with_findings += usize::from(!found.is_empty());
            }
        }
        assert!(compared == 100 && with_findings > 25, "{with_findings}");
        assert_eq!(client.end(), 0);
    }
}

/// Where an edit can begin: not between the two characters of a line ending.
pub fn places(text: &str) -> Vec<usize> {
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let is_between = |at: usize| {
        at > 0 && text.as_bytes()[at - 1] == b'\r' && text.as_bytes().get(at) == Some(&b'\n')
    };
    starts.filter(|at| !is_between(*at)).collect()
}
