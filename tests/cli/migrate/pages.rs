//! What docs/migrate.md says, done as it stands there.

use std::collections::BTreeSet;
use std::fs;

use super::{Campaign, commit, git};
use crate::project::SLEEPS;
use crate::shell::{Shell, blocks};

const PAGE: &str = "migrate.md";

/// The repositories that the page names, and a shell beside them. What it calls is noted in `called`.
fn begin() -> (Campaign, Shell) {
    let campaign = Campaign::new();
    let files = [("a.py", SLEEPS), ("tests/unit/test_a.py", "")];
    campaign.repository("acme/api", &files);
    campaign.repository(
        "acme/web",
        &[("backend/a.py", SLEEPS), ("other/a.py", SLEEPS)],
    );
    let monorepo = [
        ("services/billing/a.py", SLEEPS),
        ("services/other/a.py", SLEEPS),
    ];
    campaign.repository("monorepo", &monorepo);
    let core = campaign.repository("payments/core.git", &[("b.py", SLEEPS)]);
    git(&core, &["checkout", "-q", "-b", "release-2"]);
    campaign.project.write("payments/core.git/c.py", SLEEPS);
    commit(&core, "Another file");
    git(&core, &["checkout", "-q", "main"]);

    let root = campaign.project.root().display().to_string();
    let config = format!(
        "[url \"file://{root}/\"]\n\tinsteadOf = https://github.com/\n\tinsteadOf = git@git.acme.example:\n\
         [safe]\n\tdirectory = *\n"
    );
    campaign.project.write("gitconfig", config);
    let (folder, programs) = (campaign.project.path("work"), campaign.project.path("bin"));
    let mut shell = Shell::new(folder, programs);
    let config = campaign.project.path("gitconfig").display().to_string();
    shell.variable("GIT_CONFIG_GLOBAL", config);
    for name in ["uv", "pip", "pytest"] {
        let lines = format!(
            "echo {name} \"$@\" >> {root}/called\nif [ \"$1\" = run ]; then shift; exec \"$@\"; fi"
        );
        shell.program(name, &lines);
    }
    (campaign, shell)
}

/// What was called, each once.
fn called(campaign: &Campaign) -> BTreeSet<String> {
    let lines = campaign.project.read("called");
    lines.lines().map(str::to_string).collect()
}

/// How each repository of the campaign in `work` stands: its state, and how many files were looked at.
fn stands(campaign: &Campaign) -> Vec<String> {
    let sql = "SELECT url || ' ' || coalesce(branch, '-') || ' ' || path || ' ' || state.state || ' ' || checked
               FROM repository JOIN state ON state.repository = repository.id
               JOIN result ON result.repository = repository.id ORDER BY position";
    let root = campaign.project.root().canonicalize().unwrap();
    let rows: Vec<String> = campaign.ask("work/taskgroups", sql);
    let root = root.display().to_string();
    rows.iter().map(|row| row.replace(&root, "")).collect()
}

#[test]
fn what_the_page_shows_can_be_typed() {
    let (campaign, shell) = begin();
    let [first, database, merge] = blocks(PAGE, "sh").try_into().unwrap();
    let [list, _] = <[String; 2]>::try_from(blocks(PAGE, "")).unwrap();
    campaign.project.write("work/repositories.txt", list);
    let ran = shell.run(&first);
    assert!(ran.stderr.contains("3 of 3 done."), "{}", ran.stderr);
    assert!(
        ran.stdout.contains("\nCampaign taskgroups: "),
        "{}",
        ran.stdout
    );
    assert_eq!(
        stands(&campaign),
        [
            "https://github.com/acme/api -  done 2",
            "git@git.acme.example:payments/core.git release-2  done 2",
            "/monorepo - services/billing done 1",
        ]
    );
    let expected = ["pytest -q", "uv run pytest -q", "uv sync"].map(str::to_string);
    assert_eq!(called(&campaign), BTreeSet::from(expected));

    // Any sqlite3 will do.
    shell.program(
        "sqlite3",
        "exec python3 -c 'import sqlite3, sys\nfor row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(*row)' \"$@\"",
    );
    let lines: Vec<&str> = database.lines().collect();
    assert!(lines[0].ends_with("# is empty"));
    assert_eq!(shell.run(lines[0]).stdout, "");
    let journal = shell.run(&lines[1..].join("\n")).stdout;
    assert_eq!(journal.matches(" commit done ").count(), 3, "{journal}");

    // Each part on a machine of its own.
    let before = stands(&campaign);
    for part in 0..3 {
        shell.run(&format!(
            "mkdir part{part}\ncp taskgroups/campaign.toml taskgroups/campaign.lock part{part}\n\
             asyncfix migrate run --quiet --shard {part}/3 --campaign part{part}"
        ));
    }
    fs::remove_dir_all(campaign.project.path("work/taskgroups")).unwrap();
    shell.run(&merge);
    assert_eq!(stands(&campaign), before);
}

#[test]
fn the_table_of_the_page_is_a_list() {
    let (campaign, shell) = begin();
    let table = blocks(PAGE, "").pop().unwrap();
    assert!(table.starts_with("url,branch,path,test,setup\n"), "{table}");
    campaign.project.write("work/repositories.csv", table);
    shell.run(
        "asyncfix migrate plan repositories.csv --campaign taskgroups\n\
         asyncfix migrate run --campaign taskgroups",
    );
    assert_eq!(
        stands(&campaign),
        [
            "https://github.com/acme/api -  done 2",
            "https://github.com/acme/web main backend done 1",
        ]
    );
    let expected = ["pip install -e .[test]", "pytest -q tests/unit"].map(str::to_string);
    assert_eq!(called(&campaign), BTreeSet::from(expected));
}

/// A key that is none is answered with all that there are.
#[test]
fn the_page_has_all_keys_of_the_configuration() {
    let (campaign, shell) = begin();
    campaign.project.write("work/list", "../acme/api\n");
    shell.run("asyncfix migrate plan list --campaign taskgroups");
    campaign
        .project
        .write("work/taskgroups/campaign.toml", "nonesuch = 1\n");
    let ran = campaign.migrate(&["run", "--campaign", "work/taskgroups"]);
    let (_, known) = ran.stderr.split_once("expected one of ").unwrap();
    let quoted = |text: &str| -> BTreeSet<String> {
        let parts = text.split('`').skip(1).step_by(2);
        parts.map(str::to_string).collect()
    };
    let page = include_str!("../../../docs/migrate.md");
    let (_, rows) = page
        .split_once("| key of `campaign.toml` | meaning |")
        .unwrap();
    let (rows, _) = rows.split_once("\n\n").unwrap();
    let rows = rows.lines().skip(2);
    let keys = rows.flat_map(|row| quoted(row.split('|').nth(1).unwrap()));
    assert_eq!(keys.collect::<BTreeSet<String>>(), quoted(known));
}
