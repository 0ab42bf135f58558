//! Each format counts columns as its readers do.

use serde_json::Value;

use super::{diagnostics, number, report, sarif_run, values};
use crate::project::Project;

/// Rows 6 to 9: a tab, then a character of two bytes, one with a combining accent, one outside of
/// the basic plane, and nothing else. Lines end in `\r\n`.
const TEXT: &str = "import asyncio\r\nimport time\r\nprint(time)\r\n\r\nasync def main():\r\n\
    \tx = '\u{e9}'; time.sleep(1)\r\n\
    \tx = 'e\u{301}'; time.sleep(1)\r\n\
    \tx = '\u{1f600}'; time.sleep(1)\r\n\
    \ttime.sleep(1)\r\n";

/// The row and the columns of the start and of the end of a finding.
type Place = (usize, usize, usize);

const CHARACTERS: [Place; 4] = [(6, 11, 24), (7, 12, 25), (8, 11, 24), (9, 2, 15)];
const UTF_16: [Place; 4] = [(6, 11, 24), (7, 12, 25), (8, 12, 25), (9, 2, 15)];
const UTF_8: [Place; 4] = [(6, 12, 25), (7, 13, 26), (8, 14, 27), (9, 2, 15)];

fn stdout(format: &str) -> String {
    report(&Project::of(TEXT), format, &[]).stdout
}

/// The numbers in a text, in order.
fn numbers(text: &str) -> Vec<usize> {
    let words = text.split(|character: char| !character.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).collect()
}

/// The row and the first column.
fn starts(places: &[Place]) -> Vec<(usize, usize)> {
    places
        .iter()
        .map(|(row, start, _)| (*row, *start))
        .collect()
}

#[test]
fn texts_count_characters() {
    for (format, marker) in [
        ("full", " --> a.py:"),
        ("concise", "a.py:"),
        ("grouped", "  "),
    ] {
        let text = stdout(format);
        let lines = text.lines().filter_map(|line| {
            let (before, place) = line.split_once(marker)?;
            let [row, column] = numbers(place)[..] else {
                return numbers(place).get(..2).map(|it| (it[0], it[1]));
            };
            before.trim().is_empty().then_some((row, column))
        });
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines, starts(&CHARACTERS), "{format}:\n{text}");
    }
}

#[test]
fn json_counts_characters() {
    for format in ["json", "json-lines"] {
        let ran = report(&Project::of(TEXT), format, &[]);
        let values = values(&ran);
        let objects = match values.as_slice() {
            [Value::Array(objects)] => objects.clone(),
            _ => values,
        };
        let place = |it: &Value, edit: &Value| -> (Place, Place) {
            let of = |it: &Value| {
                let (start, end) = (&it["location"], &it["end_location"]);
                (
                    number(&start["row"]),
                    number(&start["column"]),
                    number(&end["column"]),
                )
            };
            (of(it), of(edit))
        };
        let places = objects.iter().map(|it| place(it, &it["fix"]["edits"][0]));
        let (findings, edits): (Vec<Place>, Vec<Place>) = places.unzip();
        assert_eq!(findings, CHARACTERS, "{format}");
        // The edit replaces the function.
        let expected = CHARACTERS.map(|(row, start, _)| (row, start, start + "time.sleep".len()));
        assert_eq!(edits, expected, "{format}");
    }
}

#[test]
fn annotations_of_github_count_characters() {
    let text = stdout("github");
    let places = text.lines().map(|line| {
        let place = line.split_once(",line=").unwrap().1;
        let place = numbers(place.split_once(",title").unwrap().0);
        (place[0], place[1], place[2])
    });
    assert_eq!(places.collect::<Vec<_>>(), CHARACTERS);
}

#[test]
fn gitlab_has_lines() {
    let ran = report(&Project::of(TEXT), "gitlab", &[]);
    let lines = values(&ran)[0].as_array().unwrap().clone();
    let lines = lines
        .iter()
        .map(|it| number(&it["location"]["lines"]["begin"]));
    assert_eq!(lines.collect::<Vec<_>>(), [6, 7, 8, 9]);
}

fn sarif_place(region: &Value) -> Place {
    assert_eq!(region["startLine"], region["endLine"]);
    let (start, end) = (&region["startColumn"], &region["endColumn"]);
    (number(&region["startLine"]), number(start), number(end))
}

#[test]
fn sarif_counts_what_it_says() {
    let run = sarif_run(&report(&Project::of(TEXT), "sarif", &[]));
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    let results = run["results"].as_array().unwrap();
    let regions = results
        .iter()
        .map(|it| &it["locations"][0]["physicalLocation"]["region"]);
    assert_eq!(regions.map(sarif_place).collect::<Vec<_>>(), UTF_16);
    let change = |it: &Value| it["fixes"][0]["artifactChanges"][0].clone();
    let edits = results
        .iter()
        .map(|it| sarif_place(&change(it)["replacements"][0]["deletedRegion"]));
    let expected = UTF_16.map(|(row, start, _)| (row, start, start + "time.sleep".len()));
    assert_eq!(edits.collect::<Vec<_>>(), expected);
}

fn rdf_place(it: &Value) -> Place {
    let range = &it["location"]["range"];
    let (start, end) = (&range["start"], &range["end"]);
    assert_eq!(start["line"], end["line"]);
    (
        number(&start["line"]),
        number(&start["column"]),
        number(&end["column"]),
    )
}

#[test]
fn rdjson_counts_bytes() {
    for format in ["rdjson", "rdjsonl"] {
        let ran = report(&Project::of(TEXT), format, &[]);
        let places = diagnostics(&ran).iter().map(rdf_place).collect::<Vec<_>>();
        assert_eq!(places, UTF_8, "{format}");
    }
}

#[test]
fn tests_of_junit_are_named_by_characters() {
    let text = stdout("junit");
    let names = text
        .lines()
        .filter_map(|line| line.split_once("<testcase name=\"await-sleep at "));
    let places = names.map(|(_, rest)| numbers(rest.split_once('"').unwrap().0));
    let places: Vec<_> = places.map(|it| (it[0], it[1])).collect();
    assert_eq!(places, starts(&CHARACTERS));
}

#[test]
fn a_byte_order_mark_is_in_the_columns_of_bytes_only() {
    let text = "\u{feff}async def f(): time.sleep(1)\nimport asyncio, time\nprint(time)\n";
    let project = Project::of(text);
    let texts = report(&project, "concise", &[]).stdout;
    assert!(texts.starts_with("a.py:1:16: "), "{texts}");
    let sarif = sarif_run(&report(&project, "sarif", &[]));
    let region = &sarif["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(sarif_place(region), (1, 16, 29));
    let found = diagnostics(&report(&project, "rdjson", &[]));
    assert_eq!(rdf_place(&found[0]), (1, 19, 32));
}

#[test]
fn what_cannot_be_parsed_is_where_each_format_counts_it() {
    let project = Project::of("import time\n'\u{1f600}'; time.sleep(1) 2\n");
    let texts = report(&project, "concise", &[]).stderr;
    assert!(texts.starts_with("a.py:2:20: "), "{texts}");
    let sarif = sarif_run(&report(&project, "sarif", &[]));
    let notification = &sarif["invocations"][0]["toolExecutionNotifications"][0];
    let region = &notification["locations"][0]["physicalLocation"]["region"];
    assert_eq!(sarif_place(region), (2, 21, 21));
    let found = diagnostics(&report(&project, "rdjson", &[]));
    assert_eq!(rdf_place(&found[0]), (2, 23, 23));
}
