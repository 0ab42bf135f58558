//! Which lines a suggestion is about, and what its click makes of them.

use super::apply::{apply, suggestion};
use super::pull::{Pull, commit, git, repository};
use crate::notebooks::{IMPORT, MAIN, RUN, notebook};
use crate::project::{AWAITS, Project, SLEEPS, WITHHELD, assert_snapshot};

/// Lines that say nothing.
fn lines(count: usize) -> String {
    let line = |number| format!("x{number} = {number}\n");
    (0..count).map(line).collect::<Vec<_>>().concat()
}

/// Two coroutines, the second of which sleeps, far from the imports.
fn far() -> String {
    let sleeps = "async def main():\n    time.sleep(1)\n";
    format!(
        "import asyncio\nimport time\n\nprint(time.time())\n{}\n\n{sleeps}",
        lines(20)
    )
}

#[test]
fn what_is_outside_of_the_diff_is_not_found() {
    let text = far();
    let pull = Pull::new(&[("a.py", &text)], &[("a.py", &format!("y = 1\n{text}"))]);
    let ran = pull.run(&[]);
    assert_eq!(ran.stderr, "No suggestions on pull request 7 of o/r.\n");
    assert!(pull.github().changes().is_empty());
}

#[test]
fn half_a_fix_is_not_suggested() {
    // The import that it needs would have to be above the diff.
    let before = format!("import time\n\nprint(time.time())\n{}", lines(20));
    let after = format!("{before}\n\nasync def main():\n    time.sleep(1)\n");
    let pull = Pull::new(&[("a.py", &before)], &[("a.py", &after)]);
    let ran = pull.run(&[]);
    assert_eq!(ran.status, 0);
    assert_eq!(pull.places(), [""; 0]);
    let summary = pull.summary().unwrap();
    assert_snapshot("suggest-summary", &summary);
    assert!(
        ran.stderr.ends_with("1 more change in the summary.\n"),
        "{}",
        ran.stderr
    );
    // The patch of the summary is that of `--diff`, but for the codemod's name.
    let (_, patch) = summary.split_once("```diff\n").unwrap();
    let (patch, _) = patch.split_once("```").unwrap();
    pull.project.tool("git", &["apply", "-"], patch.as_bytes());
    let fixed = Project::of(&after);
    fixed.run(["--fix", "--no-types"]);
    assert_eq!(pull.project.bytes("a.py"), fixed.bytes("a.py"));
}

#[test]
fn lines_of_two_pieces_of_the_diff_are_not_one_suggestion() {
    // The handler's lines and the await are shown in two pieces, with the lines between left out.
    let call = |argument: &str| {
        let list = "        f(0),\n".repeat(20);
        format!(
            "import asyncio\n\n\nasync def f(x):\n    pass\n\n\nasync def main():\n    return await \
             asyncio.gather(\n{list}        f({argument}),\n    )\n"
        )
    };
    let before = call("1").replace("return await", "return  await");
    let pull = Pull::new(&[("a.py", &before)], &[("a.py", &call("2"))]);
    assert_eq!(pull.github().diff["a.py"].len(), 2);
    pull.run(&[]);
    assert_eq!(pull.places(), [""; 0]);
    assert!(
        pull.summary()
            .unwrap()
            .contains("not in the diff of the pull request")
    );
}

#[test]
fn what_a_service_would_apply_wrongly_is_not_suggested() {
    let mixed = SLEEPS.replacen('\n', "\r\n", 1);
    let mark = "\u{feff}import asyncio, time\nprint(time)\nasync def main(): time.sleep(1)\n";
    let first = "\u{feff}async def f(): import time; time.sleep(1)\n";
    let pull = Pull::new(
        &[],
        &[("mixed.py", &mixed), ("mark.py", mark), ("first.py", first)],
    );
    pull.project.write("latin.py", {
        let text = format!("# coding: latin-1\ny = '\u{e9}'\n{SLEEPS}");
        text.chars().map(|c| c as u8).collect::<Vec<u8>>()
    });
    pull.push();
    pull.run(&[]);
    // A mark in another line is in no way.
    assert_eq!(pull.places(), ["mark.py:3"]);
    let summary = pull.summary().unwrap();
    assert!(
        summary.contains("the lines of the file do not all end alike"),
        "{summary}"
    );
    assert!(summary.contains("the file is written as"), "{summary}");
    assert!(
        summary.contains("line 1 holds the byte order mark"),
        "{summary}"
    );
}

#[test]
fn what_is_withheld_or_unsafe_is_not_suggested() {
    let unsafe_ =
        "import asyncio\n\n\nasync def f(x, y):\n    await asyncio.wait_for(x.read(), y)\n";
    let pull = Pull::new(&[], &[("a.py", WITHHELD), ("b.py", unsafe_)]);
    pull.run(&["--all"]);
    assert_eq!(pull.places(), [""; 0]);
    let summary = pull.summary().unwrap();
    assert!(summary.contains("2 findings withheld"), "{summary}");
    assert!(summary.contains("with `--unsafe-fixes` only"), "{summary}");
    pull.run(&["--all", "--unsafe-fixes"]);
    assert_eq!(pull.places(), ["b.py:5"]);
    assert!(
        pull.bodies()[0].contains("The fix is **unsafe**: "),
        "{:?}",
        pull.bodies()
    );
}

#[test]
fn each_filter_takes_in_more_than_the_one_before() {
    let sleep = "    time.sleep(1)\n";
    let body = format!(
        "async def main():\n{sleep}    x = 1\n{}",
        lines(10).replace('x', "    x")
    );
    let file = |y: &str| {
        let rest = format!("    y = {y}\n{sleep}");
        format!("import asyncio\nimport time\n\nprint(time.time())\n\n\n{body}{rest}")
    };
    let other = ("other.py", SLEEPS);
    let (before, after) = (file("1"), file("2"));
    let pull = Pull::new(&[("a.py", &before), other], &[("a.py", &after), other]);
    let found = |filter: &str| {
        pull.github().comments.clear();
        pull.github().issue_comments.clear();
        assert_eq!(pull.run(&["--filter", filter]).status, 0);
        let summary = pull.summary().unwrap_or_default();
        (
            pull.places().len(),
            summary.matches("not suggested, since").count(),
        )
    };
    assert_eq!(found("added"), (0, 0));
    assert_eq!(found("context"), (1, 0));
    assert_eq!(found("file"), (1, 1));
    assert_eq!(found("all"), (1, 2));
}

/// Each case: the name in main, the text there, the name in the pull request, and the text there.
fn cases() -> Vec<(&'static str, String, &'static str, String)> {
    let far = far();
    let gather =
        "async def f():\n    pass\n\n\nasync def main():\n    await asyncio.gather(f(), f())\n";
    let gather = format!("import asyncio\n\n\n{gather}");
    let none = String::new;
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let tasks = "import asyncio\n\n\nasync def f():\n    pass\n\n\nasync def main():\n    \
                 asyncio.create_task(f())\n    asyncio.create_task(f())\n";
    let fence = "import asyncio\nimport time\n\n\nasync def main():\n    time.sleep(1); x = '''\n\
                 ```suggestion\n````\n'''\n";
    let deleted = far.replace(
        "    time.sleep(1)\n",
        "    gone = 1\n    gone = 2\n    time.sleep(1)\n",
    );
    vec![
        ("", none(), "added.py", SLEEPS.to_string()),
        ("", none(), "multiple.py", gather.clone()),
        ("", none(), "tasks.py", tasks.to_string()),
        ("", none(), "crlf.py", crlf(SLEEPS)),
        ("", none(), "crlf_tasks.py", crlf(tasks)),
        ("", none(), "unended.py", SLEEPS.trim_end().to_string()),
        ("", none(), "unended_tasks.py", tasks.trim_end().to_string()),
        ("", none(), "fence.py", fence.to_string()),
        (
            "changed.py",
            far.replace("sleep(1)", "sleep(0)"),
            "changed.py",
            far.clone(),
        ),
        (
            "old.py",
            far.replace("sleep(1)", "sleep(0)"),
            "new name.py",
            far.clone(),
        ),
        (
            "deleted.py",
            deleted,
            "deleted.py",
            far.replace("sleep(1)", "sleep(2)"),
        ),
        ("", none(), "cells.ipynb", notebook(&[IMPORT, MAIN, RUN])),
    ]
}

#[test]
fn suggestions_applied_are_what_fix_writes() {
    let cases = cases();
    let before = cases.iter().map(|(name, text, ..)| (*name, text.as_str()));
    let before: Vec<(&str, &str)> = before.filter(|(name, _)| !name.is_empty()).collect();
    let after: Vec<(&str, &str)> = cases
        .iter()
        .map(|(.., name, text)| (*name, text.as_str()))
        .collect();
    let pull = Pull::new(&before, &after);
    let fixed = Project::new(after.iter().copied());
    fixed.run(["--fix", "--no-types"]);

    let ran = pull.run(&[]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(pull.summary(), None);
    let github = pull.github();
    assert_eq!(github.changes()["pulls/create-review"], 1);
    apply(&pull.project, &github.comments);
    for (name, text) in after {
        assert_ne!(pull.project.read(name), text, "{name}");
        assert_eq!(pull.project.read(name), fixed.read(name), "{name}");
    }
}

#[test]
fn comments_are_as_they_should_be() {
    let imports = "import time\n\nprint(time.time())\n";
    let text = format!("{imports}\n\nasync def main():\n    time.sleep(1)\n    time.sleep(2)\n");
    let pull = Pull::new(&[], &[("a.py", &text)]);
    pull.run(&[]);
    assert_eq!(pull.places(), ["a.py:1", "a.py:7-8"]);
    assert_snapshot("suggest-comments", &pull.bodies().join("\n\n------\n\n"));
}

#[test]
fn an_import_goes_when_nothing_uses_it() {
    let sleeps = "import asyncio\nimport time\n\n\nasync def f():\n    time.sleep(1)\n\n\nx = 1\n\n\n\
                  async def g():\n    time.sleep(2)\n";
    let pull = Pull::new(&[], &[("a.py", sleeps)]);
    pull.run(&[]);
    assert_eq!(pull.places().len(), 3);
    let last = pull
        .bodies()
        .into_iter()
        .find(|it| it.contains("Apply it last"));
    assert!(!suggestion(&last.unwrap()).contains("import time"));
    let fixed = Project::of(sleeps);
    fixed.run(["--fix", "--no-types"]);
    apply(&pull.project, &pull.github().comments);
    assert_eq!(pull.project.read("a.py"), fixed.read("a.py"));

    // Out of reach of the diff, it is only told.
    let before = far()
        .replace("print(time.time())\n", "")
        .replace("sleep(1)", "sleep(0)");
    let after = before.replace("sleep(0)", "sleep(1)");
    let pull = Pull::new(&[("a.py", &before)], &[("a.py", &after)]);
    pull.run(&[]);
    let bodies = pull.bodies();
    assert_eq!(bodies.len(), 1);
    assert!(
        bodies[0].contains("Nothing uses the import in line 2 any longer"),
        "{}",
        bodies[0]
    );
}

#[test]
fn what_is_not_as_in_the_pull_request_is_in_the_summary() {
    // As `actions/checkout` does it: the pull request as it would be merged.
    let far = far();
    let before = [
        ("a.py", SLEEPS),
        ("b.py", "x = 1\n"),
        ("c.py", far.as_str()),
    ];
    let changed = far.replace("sleep(1)", "sleep(2)");
    let after = [
        ("a.py", SLEEPS),
        ("b.py", SLEEPS),
        ("c.py", changed.as_str()),
    ];
    let project = repository(&before, &after);
    git(&project, &["checkout", "--quiet", "main"]);
    project.write("c.py", format!("y = 1\n{far}"));
    project.write("d.py", SLEEPS);
    commit(&project, "main goes on");
    git(&project, &["checkout", "--quiet", "--detach"]);
    git(&project, &["merge", "--quiet", "--no-edit", "feature"]);
    let pull = Pull::of(project);
    let ran = pull.run(&[]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(pull.places(), ["b.py:8"]);
    let summary = pull.summary().unwrap();
    assert!(summary.contains("<code>c.py:"), "{summary}");
    assert!(
        summary.contains("is not as in the last commit of the pull request"),
        "{summary}"
    );
    // What main got meanwhile is not the pull request's.
    assert!(!summary.contains("d.py"), "{summary}");
}

#[test]
fn a_folder_below_the_root_is_named_from_the_root() {
    let pull = Pull::new(&[], &[("src/a.py", SLEEPS), ("b.py", SLEEPS)]);
    let mut command = pull.command(&["."]);
    let output = command
        .current_dir(pull.project.path("src"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(pull.places(), ["src/a.py:8"]);
    assert_eq!(
        suggestion(&pull.bodies()[0]),
        "    await asyncio.sleep(1)\n"
    );
    apply(&pull.project, &pull.github().comments);
    assert_eq!(pull.project.read("src/a.py"), AWAITS);
}
