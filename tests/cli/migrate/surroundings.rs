//! What a run depends on: the repository, and what the campaign says of it.

use std::fs;
use std::path::Path;

use super::Campaign;
use crate::project::SLEEPS;

const GATHER: &str = "import asyncio\n\n\nasync def f():\n    await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2))\n";

/// A copy of what is planned, with nothing done.
fn part(campaign: &Campaign, name: &str) {
    let (from, to) = (campaign.project.path("c"), campaign.project.path(name));
    fs::create_dir_all(&to).unwrap();
    for file in ["campaign.toml", "campaign.lock"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

#[test]
fn what_lies_around_the_campaign_says_nothing_of_its_repositories() {
    let campaign = Campaign::new();
    let all = [("a.py", SLEEPS), ("b.py", GATHER), ("tests/c.py", SLEEPS)];
    campaign.repository("plain", &all);
    // A package at the root, so that its imports would start above it.
    campaign.repository("package", &[&all[..], &[("__init__.py", "")]].concat());
    let own = "[project]\nname = 'x'\nrequires-python = '>=3.9'\n[tool.asyncfix]\nextend-exclude = ['a.py']\n";
    campaign.repository("own", &[&all[..], &[("pyproject.toml", own)]].concat());
    // What stands around a folder in its repository counts.
    let files = [
        ("services/one/a.py", SLEEPS),
        ("services/one/b.py", GATHER),
        ("services/one/made/c.py", SLEEPS),
        ("services/one/.hidden/d.py", SLEEPS),
        ("services/two/a.py", SLEEPS),
        (".tools/one/a.py", SLEEPS),
        (".tools/one/.hidden/b.py", SLEEPS),
        (".tools/one/made/c.py", SLEEPS),
        (".ignore", "made/\n"),
        (
            "pyproject.toml",
            "[project]\nname = 'x'\nrequires-python = '>=3.9'\n",
        ),
    ];
    campaign.repository("mono", &files);
    campaign.plan(
        &[
            "plain",
            "package",
            "own",
            "mono - services/one",
            "mono - .tools/one",
        ],
        &["--name=n"],
    );
    part(&campaign, "d");
    assert_eq!(campaign.migrate(&["run", "--quiet"]).status, 0);

    campaign.project.write(
        "pyproject.toml",
        "[project]\nname = 'around'\nrequires-python = '>=3.8'\n[tool.asyncfix]\nignore = ['await-sleep']\n",
    );
    campaign.project.write("ruff.toml", "line-length = 40\n");
    campaign.project.write(".ignore", "tests/\nb.py\n");
    campaign.project.write("user/git/ignore", "a.py\n");
    campaign
        .project
        .write("d/.asyncfix.toml", "select = ['run-debug']\n");
    campaign
        .project
        .write("d/trees/setup.cfg", "[options]\npython_requires = >=3.8\n");
    let mut command = campaign.command(&["run", "--quiet", "--campaign", "d"]);
    let ran = command
        .env("XDG_CONFIG_HOME", campaign.project.path("user"))
        .env("VIRTUAL_ENV", campaign.project.path("user"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!((ran.status.code(), said.as_str()), (Some(0), ""));
    assert_eq!(campaign.final_state("d"), campaign.final_state("c"));

    // And what is in the repository does count.
    let checked: Vec<String> = campaign.ask(
        "c",
        "SELECT path || ' ' || checked || ' ' || fixed FROM repository
         JOIN result ON result.repository = repository.id ORDER BY position",
    );
    // Of the second all of the gathers is withheld: Python 3.9 has no task group.
    let expected = [" 3 3", " 4 3", " 2 1", "services/one 2 1", ".tools/one 1 1"];
    assert_eq!(checked, expected);
}

/// The same in one run: what is around a folder that nothing is asked outside of.
#[test]
fn a_run_within_a_folder_asks_nothing_outside_of_it() {
    let campaign = Campaign::new();
    let project = &campaign.project;
    project.write(
        "pyproject.toml",
        "[tool.asyncfix]\nignore = ['await-sleep']\n",
    );
    project.write("in/a.py", SLEEPS);
    let within = project.path("in");
    let run = |arguments: &[&str], folder: &Path| {
        let mut command = project.command(arguments.iter().copied());
        let ran = command.arg("--no-types").arg(folder).output().unwrap();
        ran.status.code()
    };
    assert_eq!(run(&[], &within), Some(0));
    assert_eq!(run(&["--within", "in"], &within), Some(1));
    // A folder that is not there is no folder.
    assert_eq!(run(&["--within", "none"], &within), Some(2));
}
