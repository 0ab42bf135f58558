//! What docs/publish.md says, done as it stands there.

use std::os::unix::fs::symlink;

use regex::Regex;
use serde_json::Value;

use super::hub::GITHUB;
use super::{Published, SLEEPS};
use crate::shell::{Shell, blocks};

/// Lines without what differs from one campaign to the other, in any order.
fn lines(text: &str) -> Vec<String> {
    let names = Regex::new("^o-(service-[0-9]+)-[0-9a-f]{8}: ").unwrap();
    let numbers = Regex::new("[0-9]+").unwrap();
    let alike = |line: &str| {
        let line = names.replace(line, "$1: ");
        numbers.replace_all(&line, "N").into_owned()
    };
    let mut lines: Vec<String> = text.lines().map(alike).collect();
    lines.sort();
    lines
}

#[test]
fn what_the_page_shows_can_be_typed() {
    let names = ["service-2", "service-1", "service-3"];
    let files = names.map(|name| (name, vec![("a.py", SLEEPS)]));
    let published = Published::of(GITHUB, &files, &[]);
    published.run();
    let project = &published.campaign.project;
    // One of them was published before, and somebody closed it.
    published.published(&["--max-open=1"]);
    published.hub().close("service-2");
    published.forget();

    symlink(project.path("c"), project.path("DIR")).unwrap();
    let mut shell = Shell::new(project.root().to_path_buf(), project.path("bin"));
    shell.variable(
        "GIT_CONFIG_GLOBAL",
        published.config().display().to_string(),
    );
    // At another place than github.com, and with a token for it.
    let (asyncfix, api) = (env!("CARGO_BIN_EXE_asyncfix"), &published.api);
    shell.program(
        "asyncfix",
        &format!(
            "case \"$*\" in *--dry-run*) ;; *)\n  [ \"$GITHUB_TOKEN\" = ... ]\n  export GITHUB_TOKEN={}\n  set -- \"$@\" \
             --provider github --api {api}\nesac\nexec '{asyncfix}' \"$@\"",
            GITHUB.token
        ),
    );
    let [block] = <[String; 1]>::try_from(blocks("publish.md", "sh")).unwrap();
    let asked = published.hub().asked().len();
    let (dry, rest) = block.split_once('\n').unwrap();
    let ran = shell.run(dry);
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(printed.as_array().unwrap().len(), 3);
    assert_eq!(published.hub().asked().len(), asked);

    // With room for one, as the page shows it.
    let rest = rest.replace("--max-open 20", "--max-open 1");
    let said = shell.run(&rest).stderr;
    let [shown] = <[String; 1]>::try_from(blocks("publish.md", "")).unwrap();
    assert_eq!(lines(&said), lines(&shown), "{said}");
    assert!(published.hub().seen("service-1").is_draft);
}
