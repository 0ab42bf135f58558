//! What tells of codemods, files and settings: `--statistics`, `explain`, `list`, `--show-files`,
//! `--show-settings`, completions and the manual page.

use std::process::Command;

use crate::project::{AWAITS, Project, SLEEPS, WITHHELD, assert_snapshot};

/// A project with findings of each kind, and a file that cannot be parsed.
fn project() -> Project {
    let loops = "import asyncio\n\nloop = asyncio.get_event_loop()\n\
                 asyncio.sleep(1, loop=loop)\nasyncio.Queue(loop=loop)\n";
    let with = |name: &str| format!("{WITHHELD}{}", tasks(name));
    Project::new([
        ("bad.py", "async def f(:\n    time.sleep(1)\n"),
        ("loops.py", loops),
        ("one.py", &with("one")),
        ("plain.py", SLEEPS),
        ("two.py", &with("two")),
    ])
}

/// A coroutine whose `gather` is withheld for a reason that names what it awaits.
fn tasks(name: &str) -> String {
    format!("    await asyncio.gather({name}.get(), {name}.get())\n")
}

#[test]
fn statistics_are_no_patch_and_have_no_form_for_services() {
    let project = Project::of(SLEEPS);
    for (arguments, message) in [
        (
            &["--diff"][..],
            "--diff prints a patch, and --statistics a table: use one of them",
        ),
        (
            &["--output-format", "github"],
            "--statistics prints a table, or with --output-format json an object, and has no form \
             for github",
        ),
    ] {
        let ran = project.run([&["--statistics"], arguments].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
        assert_eq!(ran.stderr, format!("error: {message}\n"));
    }
}

#[test]
fn statistics_count_findings_and_reasons() {
    let project = project();
    let arguments = [
        "--statistics",
        "--target-version=py312",
        "--all",
        "--no-types",
    ];
    let ran = project.run(arguments);
    assert_eq!(ran.status, 1);
    assert_snapshot("statistics", &ran.stdout);
    let ran = project.run([&arguments[..], &["--output-format", "json"]].concat());
    assert_snapshot("statistics-json", &ran.stdout);
    let plain = project.run(arguments).stdout;
    let colored = project.run([&arguments[..], &["--color=always"]].concat());
    assert!(colored.stdout.contains("\x1b[1m"));
    assert!(plain.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn statistics_of_nothing_are_an_empty_table() {
    let ran = Project::of(AWAITS).run(["--statistics"]);
    assert_eq!(ran.status, 0);
    let rows: Vec<&str> = ran.stdout.lines().collect();
    assert!(rows[1].starts_with("all ") && rows.len() == 2, "{rows:?}");
}

#[test]
fn statistics_of_a_fix_say_what_was_fixed_and_what_remains() {
    let project = project();
    let ran = project.run(["--statistics", "--fix", "--output-format", "json"]);
    assert_eq!(project.read("plain.py"), AWAITS);
    let object: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let row = &object["codemods"][0];
    let numbers = ["found", "files", "fixed", "intended", "withheld"];
    assert_eq!(row["codemod"], "await-sleep");
    assert_eq!(
        numbers.map(|key| row[key].as_u64().unwrap()),
        [3, 3, 1, 0, 2]
    );
    let table = project.run(["--statistics", "--fix"]).stdout;
    assert!(
        table.lines().next().unwrap().contains("  found  fixed  "),
        "{table}"
    );
}

#[test]
fn the_files_of_a_run_are_listed_and_not_looked_at() {
    let project = Project::new([
        ("b.py", SLEEPS),
        ("a/bad.py", "def f(:\n"),
        ("a/c.txt", ""),
        ("venv/d.py", SLEEPS),
    ]);
    let ran = project.run(["--show-files", "--fix"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout, "a/bad.py\nb.py\n");
    assert_eq!(project.read("b.py"), SLEEPS);
    assert_eq!(
        project.run(["--show-files", "a", "venv/d.py"]).stdout,
        "a/bad.py\nvenv/d.py\n"
    );
    let ran = project.run(["--show-files", "nope", "b.py"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, "b.py\n"));
    assert_eq!(
        ran.stderr,
        "nope: cannot be read: no such file or directory\n"
    );
    let ran = project.run(["--show-files", "--stdin-filename", "new.py", "-"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, "new.py\n"));
    let ran = project.run([
        "--show-files",
        "--exit-zero",
        "--output-file=x",
        "nope",
        "b.py",
    ]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""));
    assert_eq!(project.read("x"), "b.py\n");
}

#[cfg(target_os = "linux")] // Other systems have no such names.
#[test]
fn a_name_that_is_no_text_is_listed_as_it_is() {
    use std::os::unix::ffi::OsStrExt;
    let project = Project::of("");
    let name = std::ffi::OsStr::from_bytes(b"\xff.py");
    std::fs::write(project.root().join(name), "").unwrap();
    let output = project.command(["--show-files"]).output().unwrap();
    assert_eq!(output.stdout, b"a.py\n\xff.py\n");
}

#[test]
fn the_settings_are_shown_with_their_origins() {
    let project = Project::new([
        (
            "base.toml",
            "extend-exclude = ['vendored']\nline-length = 70\n",
        ),
        (
            "pyproject.toml",
            "[project]\nrequires-python = '>=3.9'\n[tool.asyncfix]\nextend = 'base.toml'\n\
             ignore = ['run-debug']\nextend-exclude = ['old']\nunsafe-fixes = true\n\
             per-file-ignores.'tests/**' = ['all']\n\
             gather-to-taskgroup.exceptions = 'unwrap'\n",
        ),
        ("tests/a.py", ""),
        ("pkg/ruff.toml", "line-length = 99\n"),
    ]);
    let ran = project.run(["--show-settings"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_snapshot("settings", &ran.stdout);

    let shown = |arguments: &[&str]| project.run([&["--show-settings"], arguments].concat());
    let ran = shown(&[
        "--safe-only",
        "--all",
        "tests/a.py",
        "--config",
        "types=false",
    ]);
    for line in [
        "# tests/a.py",
        "# runs: nothing",
        "select = [\"all\"]  # the command line",
        "ignore = []  # the default",
        "safe-only = true  # the command line",
        "unsafe-fixes = false  # the default",
        "types = false  # `--config`",
    ] {
        assert!(
            ran.stdout.lines().any(|it| it == line),
            "{line}: {}",
            ran.stdout
        );
    }
    let ran = shown(&["--isolated", "pkg", "tests"]);
    assert!(ran.stdout.starts_with("# pkg\n# no configuration file\n"));
    assert!(ran.stdout.contains("\n\n# tests\n"));
    let ran = shown(&["--config", "ignore=[]", "pkg"]);
    assert!(ran.stdout.contains("ignore = []  # `--config`\n"));
    let ran = shown(&["--stdin-filename", "tests/new.ipynb", "-"]);
    assert!(
        ran.stdout.starts_with("# tests/new.ipynb\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("\n# runs: nothing\n"), "{}", ran.stdout);
    let ran = shown(&["nope.py"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert_eq!(
        ran.stderr,
        "nope.py: cannot be read: no such file or directory\n"
    );
    assert_eq!(project.run(["--show-settings", "--show-files"]).status, 2);
}

#[test]
fn the_line_length_of_a_formatter_is_shown_with_its_file() {
    let project = Project::new([("pkg/ruff.toml", "line-length = 99\n")]);
    let ran = project.run(["--show-settings", "pkg"]);
    let line = "line-length = 99  # of the formatter in pkg/ruff.toml\n";
    assert!(ran.stdout.contains(line), "{}", ran.stdout);
}

#[test]
fn the_list_is_a_table_of_eighty_columns() {
    let ran = Project::new([]).run(["list"]);
    assert_snapshot("list", &ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80));
    let colored = Project::new([]).run(["list", "--color", "always"]).stdout;
    assert!(
        colored.contains("\x1b[1m\x1b[36mawait-sleep\x1b[0m"),
        "{colored}"
    );
}

#[test]
fn a_page_is_markdown_in_a_pipe_and_laid_out_in_colours() {
    let project = Project::new([]);
    let page = |arguments: &[&str]| project.run([&["explain", "await-sleep"], arguments].concat());
    assert!(page(&[]).stdout.contains("\n```diff intended"));
    let colored = page(&["--color", "always"]).stdout;
    assert!(!colored.contains("```"));
    assert!(
        colored.contains("\x1b[31m-import\x1b[0m \x1b[31mtime\x1b[0m\n"),
        "{colored}"
    );
}

/// Runs asyncfix in a terminal, and gives what it shows.
fn in_terminal(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let python = std::env::var("ASYNCFIX_PYTHON").unwrap_or_else(|_| "python3".to_string());
    // `pty.spawn` closes the terminal before it waits, which may hang up on who is about to end.
    let script = "\
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
try:
    while shown := os.read(terminal, 1024):
        os.write(1, shown)
except OSError:
    pass  # so ends a terminal that nobody has open any more
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";
    let project = Project::new([]);
    let mut command = Command::new(python);
    command.args(["-c", script, env!("CARGO_BIN_EXE_asyncfix")]);
    command.args(arguments).current_dir(project.root());
    for name in ["NO_COLOR", "FORCE_COLOR", "PAGER", "ASYNCFIX_PAGER", "LESS"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm").envs(variables.iter().copied());
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
    (output.status.code().unwrap(), shown)
}

#[test]
#[cfg(unix)]
fn a_page_goes_through_the_pager_in_a_terminal() {
    let explain = ["explain", "await-sleep"];
    let title = "\x1b[1m\x1b[4m\x1b[32mawait-sleep\x1b[0m\n";
    let first = [("PAGER", "head -n 1")];
    assert_eq!(in_terminal(&explain, &first), (0, title.to_string()));
    // Ours counts more.
    let ours = [("PAGER", "false"), ("ASYNCFIX_PAGER", "sed -n '1 p'")];
    assert_eq!(in_terminal(&explain, &ours), (0, title.to_string()));
    let (status, shown) = in_terminal(&explain, &[("PAGER", "sh -c 'echo $LESS'")]);
    assert_eq!((status, shown.as_str()), (0, "FRX\n"));
    let whole = |arguments: &[&str], variables: &[(&str, &str)]| {
        let (status, shown) = in_terminal(arguments, variables);
        assert_eq!(status, 0);
        shown
    };
    let no_pager = whole(&["explain", "await-sleep", "--no-pager"], &first);
    assert!(no_pager.lines().count() > 50 && no_pager.starts_with(title));
    assert_eq!(whole(&explain, &[("PAGER", "")]), no_pager);
    let missing = whole(&explain, &[("PAGER", "no-such-pager -x")]);
    let (warning, rest) = missing.split_once('\n').unwrap();
    assert_eq!(
        warning,
        "warning: the pager `no-such-pager`, which PAGER names, cannot be started: \
         No such file or directory (os error 2)"
    );
    assert_eq!(rest, no_pager);
    let plain = whole(&explain, &[("PAGER", "cat"), ("NO_COLOR", "1")]);
    assert!(plain.starts_with("# await-sleep\n"));
}

/// What bash makes of `asyncfix` and these words when the last is to be completed.
fn completed(script: &str, words: &[&str]) -> Vec<String> {
    let program = format!(
        "{script}\nCOMP_WORDS=(asyncfix \"$@\")\nCOMP_CWORD=$#\n\
         _asyncfix asyncfix \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    );
    let project = Project::new([]);
    let arguments = [&["-s", "-"], words].concat();
    let output = project.tool("bash", &arguments, program.as_bytes());
    let shown = String::from_utf8(output.stdout).unwrap();
    shown.lines().map(str::to_string).collect()
}

#[test]
fn bash_completes_options_names_and_subcommands() {
    let project = Project::new([]);
    let script = project.run(["completions", "bash"]).stdout;
    project.tool("bash", &["-n"], script.as_bytes());
    assert_eq!(completed(&script, &["--show-f"]), ["--show-files"]);
    assert_eq!(completed(&script, &["--await-s"]), ["--await-sleep"]);
    assert_eq!(
        completed(&script, &["--select", "await-s"]),
        ["await-sleep"]
    );
    assert_eq!(
        completed(&script, &["src", "--ignore", "moderni"]),
        ["modernise", "modernize"]
    );
    assert_eq!(
        completed(&script, &["--output-format", "g"]),
        ["grouped", "github", "gitlab"]
    );
    assert_eq!(completed(&script, &["expl"]), ["explain"]);
    assert_eq!(
        completed(&script, &["explain", "gather"]),
        ["gather-to-taskgroup"]
    );
    assert_eq!(completed(&script, &["completions", "f"]), ["fish"]);
    // As bash takes `--output-format=rdjsonl` apart.
    assert_eq!(
        completed(&script, &["--output-format", "=", "rdjsonl"]),
        ["rdjsonl"]
    );
    assert_eq!(
        completed(&script, &["--color", "="]),
        ["auto", "always", "never"]
    );
}

#[test]
fn fish_completes_values_and_files() {
    if Command::new("fish").arg("--version").output().is_err() {
        return; // few have it
    }
    let project = Project::of("");
    project.write("asyncfix.fish", project.run(["completions", "fish"]).stdout);
    let completed = |line: &str| {
        let program =
            "source asyncfix.fish; complete -C $argv[1] | string replace -r '\\t.*' ''; true";
        // Without options of the user.
        let output = project.tool("fish", &["--no-config", "-c", program, line], b"");
        let shown = String::from_utf8(output.stdout).unwrap();
        shown.lines().map(str::to_string).collect::<Vec<_>>()
    };
    for (line, expected) in [
        ("asyncfix expl", "explain"),
        ("asyncfix explain await-s", "await-sleep"),
        ("asyncfix --select await-s", "await-sleep"),
        ("asyncfix --output-format rdjsonl", "rdjsonl"),
        ("asyncfix --color ne", "never"),
        ("asyncfix completions zs", "zsh"),
        ("asyncfix a.p", "a.py"),
        ("asyncfix src a.p", "a.py"),
        ("asyncfix --fix --show-f", "--show-files"),
    ] {
        assert_eq!(completed(line), [expected], "{line}");
    }
}

#[test]
fn there_are_completions_for_other_shells() {
    let project = Project::new([]);
    for (shell, sign) in [
        ("zsh", "#compdef asyncfix"),
        ("fish", "complete -c asyncfix"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[asyncfix]"),
    ] {
        let ran = project.run(["completions", shell]);
        assert_eq!(ran.status, 0);
        assert!(ran.stdout.contains(sign), "{shell}");
        assert!(ran.stdout.contains("gather-to-taskgroup"), "{shell}");
    }
    // What is mended in them.
    for (shell, parts) in [
        ("zsh", ["shift words", "'*: :_asyncfix_paths'"]),
        ("fish", ["or return 0", "explain\" -f -a 'await-sleep' -d"]),
    ] {
        let script = project.run(["completions", shell]).stdout;
        for part in parts {
            assert!(script.contains(part), "{shell}: {part}");
        }
        if Command::new(shell).arg("--version").output().is_ok() {
            project.tool(shell, &["-n"], script.as_bytes());
        }
    }
    let ran = project.run(["completions", "tcsh"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
}

#[test]
fn the_manual_page_has_every_option_and_subcommand() {
    let project = Project::new([]);
    let page = project.run(["man"]).stdout;
    assert!(page.contains(".TH asyncfix 1"), "{page}");
    for part in [
        ".SH SYNOPSIS\nasyncfix [OPTIONS] [PATHS]...\n.br\nasyncfix <COMMAND>\n",
        "\\-\\-show\\-settings",
        "\\-\\-await\\-sleep",
        ".SH \"ASYNCFIX EXPLAIN\"",
        "\\-\\-no\\-pager",
        ".TP\nsafe\nnothing changes but the defect itself\n",
        ".TP\n0\nnothing was found, or all of it was fixed\n",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("(1)"), "{page}");
}
