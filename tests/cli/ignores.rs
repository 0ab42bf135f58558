//! Comments that silence findings.

use crate::project::{Project, SLEEPS};

/// The rows in which await-sleep finds something in a coroutine with this body.
fn rows(body: &str) -> Vec<usize> {
    let project = Project::of(format!("import time\n\n\nasync def f(x):\n{body}"));
    let ran = project.run(["--await-sleep", "--output-format", "json"]);
    let objects: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let row = |object: &serde_json::Value| object["location"]["row"].as_u64().unwrap();
    let rows = objects.as_array().unwrap().iter().map(row);
    rows.map(|row| usize::try_from(row).unwrap()).collect()
}

#[test]
fn what_is_no_comment_of_ours_silences_nothing() {
    for line in [
        "    time.sleep(1)  # noqa\n",
        "    time.sleep(1)  # noqa: ASYNC210\n",
        "    time.sleep(1)  # asyncfix: ignored\n",
        "    time.sleep(1)  # asyncfix: ignore[await-sleeps]\n",
        "    time.sleep(1)  # asyncfix: ignore[]\n",
        "    time.sleep(1)  # asyncfix ignore\n",
        "    time.sleep(1); '# asyncfix: ignore'\n",
    ] {
        assert_eq!(rows(line), [5], "{line}");
    }
}

#[test]
fn a_comment_is_about_its_line() {
    for line in [
        "    time.sleep(1)  # asyncfix: ignore\n",
        "    time.sleep(1)  # asyncfix:ignore[await-sleep] for a reason\n",
        "    time.sleep(1)  # asyncfix: ignore[gather-to-taskgroup, await-sleep]\n",
        "    time.sleep(1)  # type: ignore  # asyncfix: ignore[await-sleep]\n",
        "    time.sleep(1)  # noqa: F401, ASYNC251\n",
        "    time.sleep(1)  # NOQA:async251\n",
        "    time.sleep(1); time.sleep(2)  # asyncfix: ignore\n",
        "    # asyncfix: ignore\n    time.sleep(1)\n",
    ] {
        assert_eq!(rows(line), [0; 0], "{line}");
        assert_eq!(
            rows(&format!("    time.sleep(0)\n{line}    time.sleep(2)\n"))[0],
            5
        );
        let last = line.lines().count() + 6;
        assert_eq!(
            rows(&format!("    time.sleep(0)\n{line}    time.sleep(2)\n")),
            [5, last],
            "{line}"
        );
    }
}

#[test]
fn a_statement_of_several_lines_is_silenced_at_its_ends() {
    let call = |first: &str, middle: &str, last: &str| {
        rows(&format!(
            "    x = [{first}\n        time.sleep(1),{middle}\n        time.sleep(2),\n    ]{last}\n"
        ))
    };
    let comment = "  # asyncfix: ignore[await-sleep]";
    assert_eq!(call("", "", ""), [6, 7]);
    assert_eq!(call(comment, "", ""), [0; 0]);
    assert_eq!(call("", "", comment), [0; 0]);
    // In the midst of it, a comment is about its own line.
    assert_eq!(call("", comment, ""), [7]);
    // On a line of its own, about the next.
    assert_eq!(call("\n        # asyncfix: ignore", "", ""), [8]);
    // The header of a block is not the block.
    let with = format!("    with x:{comment}\n        time.sleep(1)\n");
    assert_eq!(rows(&with), [6]);
}

#[test]
fn a_file_can_be_silenced() {
    let body = "    time.sleep(1)\n    time.sleep(2)\n";
    for comment in [
        "# asyncfix: file-ignore",
        "# asyncfix: file-ignore[await-sleep]",
        "# ruff: noqa: ASYNC251",
        "# flake8: noqa: E501,ASYNC251",
    ] {
        assert_eq!(rows(&format!("{body}{comment}\n")), [0; 0], "{comment}");
    }
    let other = "# asyncfix: file-ignore[gather-to-taskgroup]\n";
    assert_eq!(rows(&format!("{body}{other}")), [5, 6]);
}

#[test]
fn the_other_findings_of_the_line_stay() {
    let project = Project::of(
        "import asyncio\nimport time\n\n\nasync def g():\n    pass\n\n\nasync def f():\n    asyncio.create_task(g()); time.sleep(1)  # asyncfix: ignore[await-sleep]\n",
    );
    let ran = project.run(["--fix"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let text = project.read("a.py");
    assert!(
        text.contains("time.sleep(1)  # asyncfix: ignore[await-sleep]\n"),
        "{text}"
    );
    assert!(text.contains(".add_done_callback("), "{text}");
}

#[test]
fn comments_that_silence_nothing_are_reported() {
    let text = "\
import time  # asyncfix: ignore[await-sleep]
# asyncfix: ignore[keep-task-reference]
# asyncfix: ignore[await-slep]
# asyncfix: ignore
";
    let ran = Project::of(text).run(["--await-sleep"]);
    assert_eq!(ran.status, 0);
    assert_eq!(
        ran.stderr,
        "a.py:1:14: `asyncfix: ignore[await-sleep]` silences nothing: await-sleep finds nothing there, take it away
a.py:3:1: no codemod is named `await-slep`; did you mean `await-sleep`?
No findings in 1 file.
"
    );
    // Where all codemods ran, it is known of those that name none.
    let ran = Project::of(text).run(["--all"]);
    let said = ran.stderr.matches("silences nothing").count();
    assert_eq!(said, 3, "{}", ran.stderr);
}

#[test]
fn ignores_are_added_where_something_is_found() {
    let text = "\
import time


async def f(x):\r
    time.sleep(1); time.sleep(2)
    time.sleep(  # here
        3
    )  # there
    time.sleep(4)  # asyncfix: ignore[run-debug] known
    return time.sleep(5), '''
    '''";
    let silenced = text
        .replace(
            "sleep(2)",
            "sleep(2)  # asyncfix: ignore[await-sleep] TICKET-1",
        )
        .replace(
            "# there",
            "# there  # asyncfix: ignore[await-sleep] TICKET-1",
        )
        .replace("ignore[run-debug]", "ignore[run-debug, await-sleep]")
        .replace(
            "\n    '''",
            "\n    '''  # asyncfix: ignore[await-sleep] TICKET-1",
        );
    let project = Project::of(text);
    let arguments = ["--await-sleep", "--add-ignores=TICKET-1"];
    let patch = project.run(arguments.into_iter().chain(["--diff"])).stdout;
    assert_eq!(project.read("a.py"), text);
    let ran = project.run(arguments);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "Fixed nothing in 1 file. Silenced 5 findings.\n"
    );
    assert_eq!(project.read("a.py"), silenced);
    assert_eq!(project.run(["--await-sleep"]).status, 0);
    // The patch is what was written.
    project.write("a.py", text);
    project.tool("git", &["apply", "-"], patch.as_bytes());
    assert_eq!(project.read("a.py"), silenced);
    // There is nothing left to do.
    assert_eq!(project.run(arguments).status, 0);
    assert_eq!(project.read("a.py"), silenced);
}

#[test]
fn after_fixes_only_what_is_left_is_silenced() {
    let withheld = "    try:\n        pass\n    finally:\n        time.sleep(2)\n";
    let project = Project::of(format!("{SLEEPS}{withheld}"));
    let ran = project.run(["--fix", "--add-ignores"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let text = project.read("a.py");
    assert!(text.contains("    await asyncio.sleep(1)\n"), "{text}");
    assert!(
        text.contains("        time.sleep(2)  # asyncfix: ignore[await-sleep]\n"),
        "{text}"
    );
}
