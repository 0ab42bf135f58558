//! `--review`, in a pseudo-terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::project::{AWAITS, CLEAN, Project, SLEEPS, WITHHELD, assert_snapshot};
use crate::terminal::Terminal;

/// Three sleeps, and a use of `time` that keeps its import.
const THREE: &str = "\
import asyncio
import time

print(time.time())


async def main():
    time.sleep(1)
    time.sleep(2)
    time.sleep(3)
";

fn review(project: &Project) -> Terminal {
    Terminal::new(project, &["--review", "--await-sleep"], 24, 80)
}

/// What becomes of [`THREE`], and the exit status, when these keys are pressed, each at a question.
fn pressed(project: &Project, keys: &[(&str, &str)]) -> (i32, String) {
    let mut terminal = review(project);
    for (question, key) in keys {
        terminal.wait_for_question(question);
        terminal.press(key);
    }
    terminal.finish()
}

fn sleeps(project: &Project) -> Vec<bool> {
    let text = project.read("a.py");
    let awaited = |second| text.contains(&format!("    await asyncio.sleep({second})\n"));
    [1, 2, 3].map(awaited).to_vec()
}

fn write_editor(project: &Project, script: &str) {
    project.write("editor", format!("#!/bin/sh\n{script}\n"));
    let path = project.path("editor");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn without_a_terminal_it_is_refused() {
    let project = Project::of(SLEEPS);
    let ran = project.run(["--review"]);
    assert_eq!(ran.status, 2);
    assert_eq!(
        ran.stderr,
        "error: --review asks in a terminal, and standard input or output is none: use --diff to \
         see the fixes, and --fix to write them\n"
    );
    for other in ["--diff", "--fix", "--add-ignores", "--output-format=json"] {
        let ran = project.run(["--review", other]);
        assert_eq!(ran.status, 2, "{other}");
        assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
    }
    assert_eq!(project.read("a.py"), SLEEPS);
}

#[test]
fn a_fix_is_shown_with_what_it_is_for() {
    let project = Project::of(SLEEPS);
    let mut terminal = review(&project);
    let screen = terminal.wait_for_question("1 of 1");
    assert_snapshot("review", &screen);
    // What changes within the line stands out.
    assert_eq!(terminal.emphasised(), ["time", "await asyncio"]);
    terminal.press("y");
    let (status, screen) = terminal.finish();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.ends_with("Fixed 1 finding."), "{screen}");
    assert_eq!(project.read("a.py"), AWAITS);
}

#[test]
fn a_narrow_terminal_loses_nothing() {
    let project = Project::of(SLEEPS.replace(
        "sleep(1)",
        "sleep(1)  # because the device that is asked needs it",
    ));
    let mut terminal = Terminal::new(&project, &["--review", "--await-sleep"], 40, 40);
    let screen = terminal.wait_for_question("1 of 1");
    assert_snapshot("review-narrow", &screen);
    terminal.press("q");
    assert_eq!(terminal.finish().0, 1);
}

#[test]
fn what_is_longer_than_the_terminal_is_paged() {
    let project = Project::of(SLEEPS);
    let mut terminal = Terminal::new(&project, &["--review", "--await-sleep"], 10, 80);
    let screen = terminal.wait_for_question("1 of 1");
    assert!(!screen.contains("+    await"), "{screen}");
    assert!(screen.contains(" more: Space ["), "{screen}");
    terminal.press(" ");
    let screen = terminal.wait_for("Apply [");
    assert!(screen.contains("+    await asyncio.sleep(1)"), "{screen}");
    assert!(!screen.contains("more: Space"), "{screen}");
    terminal.press("y");
    assert_eq!(terminal.finish().0, 0);
}

#[test]
fn a_refusal_is_remembered() {
    let project = Project::of(THREE);
    let keys = [("1 of 3", "y"), ("2 of 3", "n"), ("3 of 3", "q")];
    let (status, screen) = pressed(&project, &keys);
    assert_eq!(status, 1);
    let said = "Fixed 1 finding. 1 refused (--review-from-start asks again). 1 left to review:";
    assert!(screen.replace('\n', " ").contains(said), "{screen}");
    assert_eq!(sleeps(&project), [true, false, false]);

    // Where the lines moved, it goes on with what was not asked.
    project.write(
        "a.py",
        project.read("a.py").replace("\n\n\n", "\nx = 1\n\n\n\n"),
    );
    let (status, screen) = pressed(&project, &[("1 of 1", "y")]);
    assert_eq!(status, 1, "{screen}");
    assert_eq!(sleeps(&project), [true, false, true]);

    let mut terminal = Terminal::new(&project, &["--review-from-start", "--await-sleep"], 24, 80);
    terminal.wait_for_question("1 of 1");
    terminal.press("y");
    assert_eq!(terminal.finish().0, 0);
    assert_eq!(sleeps(&project), [true, true, true]);
}

#[test]
fn all_of_a_codemod_are_applied_but_what_was_refused() {
    let project = Project::of(THREE);
    project.write("b.py", SLEEPS);
    let (status, screen) = pressed(&project, &[("1 of 4", "n"), ("2 of 4", "a")]);
    assert_eq!(status, 1);
    assert!(
        screen.contains("3 fixes of await-sleep in 2 files applied."),
        "{screen}"
    );
    assert_eq!(sleeps(&project), [false, true, true]);
    assert_eq!(project.read("b.py"), AWAITS);
}

#[test]
fn none_of_a_codemod_are_applied() {
    let project = Project::of(THREE);
    let (status, screen) = pressed(&project, &[("1 of 3", "y"), ("2 of 3", "d")]);
    assert_eq!(status, 1);
    assert!(screen.contains("2 findings refused."), "{screen}");
    assert_eq!(sleeps(&project), [true, false, false]);
    let (status, screen) = review(&project).finish();
    assert_eq!(status, 1);
    assert!(screen.contains("2 refused"), "{screen}");
}

#[test]
fn each_decision_can_be_undone() {
    let project = Project::of(THREE);
    project.write("b.py", SLEEPS);
    let mut terminal = review(&project);
    for (question, key, said) in [
        ("1 of 4", "u", "There is nothing to undo."),
        ("1 of 4", "y", "2 of 4"),
        ("2 of 4", "n", "3 of 4"),
        ("3 of 4", "u", "Undone: the refusal in a.py."),
        ("2 of 4", "u", "Undone: the fix in a.py."),
        ("1 of 4", "sno time\r", "2 of 4"),
        ("2 of 4", "u", "Undone: the comment in a.py."),
    ] {
        terminal.wait_for_question(question);
        terminal.press(key);
        terminal.wait_for(said);
    }
    assert_eq!(project.read("a.py"), THREE);
    assert_eq!(project.read("b.py"), SLEEPS);
    terminal.press("q");
    let (status, screen) = terminal.finish();
    assert_eq!(status, 1);
    assert!(screen.contains("4 left to review"), "{screen}");
}

#[test]
fn all_fixes_are_undone_in_all_files() {
    let project = Project::of(THREE);
    project.write("b.py", SLEEPS);
    // The last question is of another codemod: asked after all that was applied.
    project.write(
        "c.py",
        "import asyncio\n\n\nasync def f(g):\n    asyncio.create_task(g())\n",
    );
    let arguments = ["--review", "--await-sleep", "--keep-task-reference"];
    let mut terminal = Terminal::new(&project, &arguments, 24, 80);
    terminal.wait_for_question("1 of 5");
    terminal.press("a");
    terminal.wait_for_question("5 of 5");
    assert_eq!(project.read("b.py"), AWAITS);
    terminal.press("u");
    terminal.wait_for("Undone: all fixes of await-sleep.");
    terminal.wait_for_question("1 of 5");
    assert_eq!(project.read("a.py"), THREE);
    assert_eq!(project.read("b.py"), SLEEPS);
    terminal.press("\x03");
    assert_eq!(terminal.finish().0, 1);
}

#[test]
fn a_fix_can_be_edited() {
    let project = Project::of(SLEEPS);
    write_editor(&project, "sed -i 's/sleep(1)/sleep(0.1)/' \"$1\"");
    let (status, screen) = pressed(&project, &[("1 of 1", "e")]);
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("Fixed 1 finding (1 edited)."), "{screen}");
    assert_eq!(
        project.read("a.py"),
        AWAITS.replace("sleep(1)", "sleep(0.1)")
    );
}

#[test]
fn what_was_edited_has_to_parse() {
    let project = Project::of(SLEEPS);
    // The first time it breaks the text, the second time it mends it.
    write_editor(
        &project,
        "if grep -q 'sleep((' \"$1\"; then sed -i 's/sleep((/sleep(/' \"$1\"; else sed -i \
         's/sleep(/sleep((/' \"$1\"; fi",
    );
    let mut terminal = review(&project);
    terminal.wait_for_question("1 of 1");
    terminal.press("e");
    let screen = terminal.wait_for("Edit it again [y,n]?");
    assert!(screen.contains("cannot be parsed"), "{screen}");
    assert_eq!(project.read("a.py"), SLEEPS);
    terminal.press("y");
    assert_eq!(terminal.finish().0, 0);
    assert_eq!(project.read("a.py"), AWAITS);
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    let project = Project::of(SLEEPS);
    for (script, said) in [
        ("exit 3", "failed: set EDITOR if it is not yours."),
        (": > \"$1\"", "nothing is changed."),
    ] {
        write_editor(&project, script);
        let mut terminal = review(&project);
        terminal.wait_for_question("1 of 1");
        terminal.press("e");
        terminal.wait_for(said);
        terminal.press("\x04");
        assert_eq!(terminal.finish().0, 1);
        assert_eq!(project.read("a.py"), SLEEPS);
    }
}

#[test]
fn a_finding_is_silenced_with_a_reason() {
    let project = Project::of(SLEEPS);
    let mut terminal = review(&project);
    terminal.wait_for_question("1 of 1");
    // Esc goes back.
    terminal.press("sx");
    terminal.wait_for("Reason (Esc: back): x");
    terminal.press("\x1b");
    terminal.wait_for("back): x\nApply");
    terminal.press("sit iz\x7fs short\r");
    let (status, screen) = terminal.finish();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.ends_with("Silenced 1 finding."), "{screen}");
    let line = "    time.sleep(1)  # asyncfix: ignore[await-sleep] it is short\n";
    assert!(
        project.read("a.py").ends_with(line),
        "{}",
        project.read("a.py")
    );
}

#[test]
fn an_import_that_a_fix_leaves_unused_goes_with_it() {
    let project =
        Project::of("import asyncio\nimport time\n\n\nasync def f():\n    time.sleep(1)\n");
    let mut terminal = review(&project);
    let screen = terminal.wait_for_question("1 of 1");
    assert!(screen.contains("\n-import time\n"), "{screen}");
    terminal.press("y");
    assert_eq!(terminal.finish().0, 0);
    assert!(!project.read("a.py").contains("import time"));
}

#[test]
fn a_file_that_changed_meanwhile_is_read_again() {
    let project = Project::of(THREE);
    let mut terminal = review(&project);
    terminal.wait_for_question("1 of 3");
    let changed = THREE.replace("    time.sleep(2)\n", "    x = 2\n");
    project.write("a.py", &changed);
    terminal.press("y");
    terminal.wait_for("a.py was changed by another program, and is read again.");
    terminal.wait_for_question("1 of 2");
    assert_eq!(project.read("a.py"), changed);
    terminal.press("y");
    terminal.wait_for_question("2 of 2");
    // What is there now is not undone.
    let changed = project.read("a.py") + "# end\n";
    project.write("a.py", &changed);
    terminal.press("u");
    terminal.wait_for("In a.py it is not undone.");
    assert_eq!(project.read("a.py"), changed);
    terminal.press("q");
    assert_eq!(terminal.finish().0, 1);
}

#[test]
fn what_the_baseline_knows_is_not_asked() {
    let project = Project::of(THREE.replace("    time.sleep(3)\n", ""));
    let arguments = ["--await-sleep", "--baseline", "known.json"];
    let ran = project.run(arguments.into_iter().chain(["--update-baseline"]));
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    project.write("a.py", THREE.replace("sleep(1)", "sleep(4)"));
    let review = [&["--review"], &arguments[..]].concat();

    let mut terminal = Terminal::new(&project, &review, 24, 80);
    terminal.wait_for_question("1 of 2");
    terminal.press("y");
    // Lines moved, and what is known stays known.
    terminal.wait_for_question("2 of 2");
    terminal.press("a");
    let (status, screen) = terminal.finish();
    assert_eq!(status, 0, "{screen}");
    let screen = screen.replace('\n', " ");
    assert!(screen.contains("Fixed 2 findings. 1 left out:"), "{screen}");
    let fixed = "    await asyncio.sleep(4)\n    time.sleep(2)\n    await asyncio.sleep(3)\n";
    assert!(project.read("a.py").ends_with(fixed));
}

#[test]
fn lines_that_did_not_change_are_not_asked() {
    let project = Project::of(THREE.replace("    time.sleep(2)\n", ""));
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
        project.tool("git", &[&who, arguments].concat(), b"");
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "x"]);
    project.write("a.py", THREE);
    write_editor(
        &project,
        "sed -i 's/sleep(2)$/sleep(0)\\n    x = 1/' \"$1\"",
    );

    let arguments = ["--review", "--await-sleep", "--since=HEAD"];
    let mut terminal = Terminal::new(&project, &arguments, 24, 80);
    terminal.wait_for_question("1 of 1");
    // It is read again, and git is asked again.
    let changed = "# moved\n".to_string() + THREE;
    project.write("a.py", &changed);
    terminal.press("y");
    terminal.wait_for("is read again.");
    terminal.wait_for_question("1 of 1");
    terminal.press("e");
    let (status, screen) = terminal.finish();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("2 left out:"), "{screen}");
    let fixed = "    await asyncio.sleep(0)\n    x = 1\n";
    assert_eq!(
        project.read("a.py").replace("import asyncio\n", ""),
        changed
            .replace("    time.sleep(2)\n", fixed)
            .replace("import asyncio\n", "")
    );
}

#[test]
fn a_tree_with_files_that_cannot_be_read_never_looks_clean() {
    let broken = "async def f(:\n    time.sleep(1)\n";
    let project = Project::new([("a.py", SLEEPS), ("broken.py", broken), ("c.py", CLEAN)]);
    project.write("latin.py", b"time.sleep('\xe9')\n");
    let (status, screen) = pressed(&project, &[("1 of 1", "y")]);
    assert_eq!(status, 1, "{screen}");
    assert!(
        screen.contains("broken.py:1:13: cannot be parsed"),
        "{screen}"
    );
    assert!(screen.contains("latin.py:1:"), "{screen}");
    assert!(
        screen.contains("Fixed 1 finding. 2 files could not be analysed."),
        "{screen}"
    );
    // Nor does it when there is nothing to ask.
    let (status, screen) = review(&project).finish();
    assert_eq!(status, 1, "{screen}");
    assert!(
        screen.contains("No findings in 4 files. 2 files could not be analysed."),
        "{screen}"
    );
}

#[test]
fn what_is_inside_of_another_fix_is_asked_next() {
    let text = SLEEPS.replace("sleep(1)", "sleep(time.sleep(1) or 2)");
    let project = Project::of(&text);
    project.run(["--fix", "--await-sleep"]);
    let fixed = project.read("a.py");
    project.write("a.py", text);
    let (status, screen) = pressed(&project, &[("1 of 2", "y"), ("2 of 2", "y")]);
    assert_eq!(status, 0, "{screen}");
    assert_eq!(project.read("a.py"), fixed);
}

#[test]
fn what_is_withheld_is_left() {
    let project = Project::of(WITHHELD);
    let (status, screen) = review(&project).finish();
    assert_eq!(status, 1);
    assert!(
        screen.contains("Fixed nothing in 1 file. 1 withheld"),
        "{screen}"
    );
}

#[test]
fn the_cells_of_a_notebook_are_reviewed() {
    let cell = |source: &str| {
        serde_json::json!({
            "cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [],
            "source": source,
        })
    };
    let cells = [
        cell("import asyncio, time\nprint(time.time())"),
        cell("async def f():\n    time.sleep(1)"),
        cell("async def g():\n    time.sleep(2)"),
    ];
    let notebook = serde_json::json!({
        "cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4,
    });
    let project = Project::new([("a.ipynb", notebook.to_string().as_str())]);
    let before = project.read("a.ipynb");
    let mut terminal = review(&project);
    let screen = terminal.wait_for_question("1 of 2");
    assert!(screen.contains("a.ipynb:cell 2:2:5"), "{screen}");
    terminal.press("y");
    terminal.wait_for_question("2 of 2");
    terminal.press("y");
    assert_eq!(terminal.finish().0, 0);
    let sleeps = ["time.sleep(1)", "time.sleep(2)"];
    let awaits = ["await asyncio.sleep(1)", "await asyncio.sleep(2)"];
    let after = before
        .replace(sleeps[0], awaits[0])
        .replace(sleeps[1], awaits[1]);
    assert_eq!(project.read("a.ipynb"), after);
}
