//! The table of codemods in README.md, made from their pages.

use std::fmt::Write as _;
use std::{env, fs};

use engine::Codemod;

use crate::{read, root};

const BEGIN: &str = "<!-- codemods:begin -->";
const END: &str = "<!-- codemods:end -->";

fn table() -> String {
    let mut table =
        "| codemod | what it does | what else changes | runs |\n| --- | --- | --- | --- |\n"
            .to_string();
    for codemod in codemods::ALL {
        let cell = |text: &str| text.replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(
            table,
            "| [{}](codemods/{}/README.md) | {} | {} | {} |",
            codemod.name,
            codemod.name.replace('-', "_"),
            cell(codemod.summary()),
            cell(codemod.effect()),
            runs(codemod),
        );
    }
    table
}

/// What makes a codemod run, beside its name.
fn runs(codemod: &Codemod) -> &'static str {
    match (codemod.headline, codemod.dated) {
        (true, None) => "by default",
        (true, Some(_)) => "by default, with `--modernise`",
        (false, None) => "when named",
        (false, Some(_)) => "with `--modernise`",
    }
}

#[test]
fn the_table_of_codemods_is_current() {
    let readme = read("README.md");
    let parts = readme
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else {
        panic!("README.md holds no {BEGIN} and {END}");
    };
    let current = format!("{before}{BEGIN}\n{}{END}{after}", table());
    if env::var_os("UPDATE").is_some() {
        fs::write(root().join("README.md"), current).unwrap();
    } else {
        assert!(
            readme == current,
            "the table of codemods in README.md is not what the pages say: UPDATE=1 cargo test --test tidy"
        );
    }
}
