//! Standard input to standard output, arguments from files, and excluded files that are named.

use crate::project::{AWAITS, CLEAN, Project, SLEEPS, WITHHELD};

/// What is on standard output after `--fix -`, escaped, and on standard error.
#[track_caller]
fn fixed(project: &Project, input: impl AsRef<[u8]>, status: i32) -> (String, String) {
    let (ran, stdout) = project.pipe(["--fix", "-"], input.as_ref());
    assert_eq!(ran.status, status, "{}", ran.stderr);
    (stdout.escape_ascii().to_string(), ran.stderr)
}

fn escaped(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().escape_ascii().to_string()
}

#[test]
fn standard_input_goes_with_nothing_else() {
    let project = Project::of(SLEEPS);
    for (arguments, message) in [
        (&["--fix", "-", "a.py"][..], "goes with no other path"),
        (&["-", "-"], "a file of that name is written `./-`"),
        (
            &["--stdin-filename", "a.py"],
            "as in `asyncfix --stdin-filename a.py -`",
        ),
        (&["--stdin-filename", ".", "-"], "is a directory"),
        (&["--stdin-filename", "a/..", "-"], "the name of no file"),
    ] {
        let ran = project.run(arguments.iter().copied());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
    project.write("-", SLEEPS);
    assert_eq!(project.run(["--fix", "./-"]).status, 0);
    assert_eq!(project.read("-"), AWAITS);
}

#[test]
fn what_cannot_be_analysed_passes_unchanged() {
    let project = Project::new([]);
    let broken = "async def f(:\r\n    time.sleep(1)";
    let (printed, said) = fixed(&project, broken, 1);
    assert_eq!(printed, escaped(broken));
    assert!(
        said.starts_with("<stdin>:1:13: cannot be parsed: "),
        "{said}"
    );
    let undecodable = [SLEEPS.as_bytes(), b"\xe9"].concat();
    let (printed, said) = fixed(&project, &undecodable, 1);
    assert_eq!(printed, escaped(&undecodable));
    assert!(said.starts_with("<stdin>:9: byte 0xe9 "), "{said}");

    // Not where a text is not asked for.
    assert_eq!(project.pipe(["-"], broken.as_bytes()).1, b"");
    assert_eq!(project.pipe(["--diff", "-"], broken.as_bytes()).1, b"");
}

#[test]
fn a_wrong_configuration_loses_no_text() {
    let project = Project::new([("asyncfix.toml", "frob = 1\n")]);
    let (printed, said) = fixed(&project, SLEEPS, 2);
    assert_eq!(printed, escaped(SLEEPS));
    assert!(said.starts_with("error: "), "{said}");
}

#[cfg(unix)]
#[test]
fn standard_input_that_cannot_be_read_is_named() {
    let project = Project::new([]);
    let mut command = project.command(["--fix", "-"]);
    command.stdin(std::fs::File::open(project.root()).unwrap());
    let output = command.output().unwrap();
    assert_eq!((output.status.code(), &*output.stdout), (Some(1), &b""[..]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("<stdin>: cannot be read: "), "{said}");
}

#[test]
fn text_without_fixes_passes_unchanged() {
    let project = Project::new([]);
    for text in [
        &b""[..],
        CLEAN.as_bytes(),
        b"\xef\xbb\xbf# no end",
        b"a\r\nb\rc\n\n",
    ] {
        assert_eq!(fixed(&project, text, 0).0, escaped(text));
    }
    for text in [&b"# \xff\n"[..], b"def f(:\n"] {
        assert_eq!(fixed(&project, text, 1).0, escaped(text));
    }
    assert_eq!(fixed(&project, WITHHELD, 1).0, escaped(WITHHELD));
    let generated = format!("# @generated\n{SLEEPS}");
    assert_eq!(fixed(&project, &generated, 0).0, escaped(&generated));
}

#[test]
fn the_fixed_text_keeps_its_bytes() {
    let project = Project::new([]);
    let cookie = b"# coding: latin-1\n# \xe9\x80\n";
    for (before, after) in [
        (SLEEPS.as_bytes().to_vec(), AWAITS.as_bytes().to_vec()),
        (
            [b"\xef\xbb\xbf", SLEEPS.as_bytes()].concat(),
            [b"\xef\xbb\xbf", AWAITS.as_bytes()].concat(),
        ),
        (
            [cookie, SLEEPS.as_bytes()].concat(),
            [cookie, AWAITS.as_bytes()].concat(),
        ),
        (
            SLEEPS.replace('\n', "\r\n").into_bytes(),
            AWAITS.replace('\n', "\r\n").into_bytes(),
        ),
        (
            SLEEPS.trim_end().as_bytes().to_vec(),
            AWAITS.trim_end().as_bytes().to_vec(),
        ),
    ] {
        let (printed, said) = fixed(&project, &before, 0);
        assert_eq!(printed, escaped(after));
        assert_eq!(said, "Fixed 1 finding in 1 of 1 file (1 intended).\n");
    }
    assert_eq!(project.names(), [""; 0]);
}

#[test]
fn an_import_that_nothing_uses_any_longer_goes() {
    let project = Project::new([]);
    let text = "import asyncio\nimport time\n\n\nasync def f():\n    time.sleep(1)\n";
    let after = "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n";
    assert_eq!(fixed(&project, text, 0).0, escaped(after));
}

#[test]
fn what_remains_goes_to_standard_error() {
    let project = Project::new([]);
    let text = format!("{SLEEPS}{WITHHELD}");
    let arguments = ["--fix", "--show-withheld", "--output-format", "concise"];
    let arguments = [&arguments[..], &["--stdin-filename", "b.py", "-"]].concat();
    let (ran, stdout) = project.pipe(arguments.iter().copied(), text.as_bytes());
    assert_eq!(ran.status, 1);
    assert_eq!(escaped(stdout), escaped(format!("{AWAITS}{WITHHELD}")));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(
        lines[0].starts_with("b.py:17:9: await-sleep: "),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("Fixed 1 finding "), "{lines:?}");

    let arguments = [&arguments[..], &["--output-file", "report"]].concat();
    let (ran, _) = project.pipe(arguments, text.as_bytes());
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert_eq!(project.read("report"), format!("{}\n", lines[0]));
}

#[test]
fn comments_that_silence_are_printed_too() {
    let (ran, stdout) = Project::new([]).pipe(["--add-ignores=later", "-"], SLEEPS.as_bytes());
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let silenced = SLEEPS.trim_end().to_string() + "  # asyncfix: ignore[await-sleep] later\n";
    assert_eq!(escaped(stdout), escaped(silenced));
}

#[test]
fn a_report_names_the_file() {
    let project = Project::new([]);
    for format in [
        "full",
        "concise",
        "grouped",
        "json",
        "json-lines",
        "github",
        "gitlab",
    ] {
        for (arguments, name) in [
            (&["-"][..], "<stdin>"),
            (&["-", "--stdin-filename", "new/a.py"], "new/a.py"),
        ] {
            let arguments = [arguments, &["--output-format", format]].concat();
            let (ran, _) = project.pipe(arguments, SLEEPS.as_bytes());
            assert_eq!(ran.status, 1, "{}", ran.stderr);
            assert!(ran.stdout.contains(name), "{format}: {}", ran.stdout);
            assert!(ran.stdout.contains("await-sleep"), "{format}");
            assert!(ran.stderr.starts_with("Found 1 finding in 1 of 1 file"));
        }
    }
}

#[test]
fn a_patch_names_the_file_and_applies_to_it() {
    let project = Project::new([("src/a.py", SLEEPS)]);
    let arguments = ["--diff", "-", "--stdin-filename", "src/a.py"];
    let (ran, patch) = project.pipe(arguments, SLEEPS.as_bytes());
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.starts_with("--- a/src/a.py\n+++ b/src/a.py\n"));
    assert_eq!(project.run(["--diff", "src/a.py"]).stdout, ran.stdout);
    project.tool("patch", &["-p1"], &patch);
    assert_eq!(project.read("src/a.py"), AWAITS);

    // A text has no path that a patch could be applied to, but a name.
    let (ran, _) = project.pipe(["--diff", "-"], SLEEPS.as_bytes());
    assert!(ran.stdout.starts_with("--- a/<stdin>\n"), "{}", ran.stdout);
    let (ran, _) = project.pipe(["--diff", "-"], AWAITS.as_bytes());
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""));
}

#[test]
fn the_name_decides_what_holds() {
    let project = Project::new([
        (
            "old/pyproject.toml",
            "[project]\nrequires-python = '>=3.6'\n",
        ),
        ("off/asyncfix.toml", "ignore = ['await-sleep']\n"),
    ]);
    let fix = |name: &str| {
        let (ran, _) = project.pipe(["--fix", "--stdin-filename", name, "-"], SLEEPS.as_bytes());
        ran.stdout
    };
    assert_eq!(fix("off/new/a.py"), SLEEPS);
    assert_eq!(fix("on/new/a.py"), AWAITS);
    let arguments = ["-vv", "-", "--stdin-filename", "old/x/a.py"];
    let (ran, _) = project.pipe(arguments, SLEEPS.as_bytes());
    assert!(ran.stderr.contains("old/x/a.py: for Python 3.6"), "{ran:?}");
    // The imports of a package are its interface.
    let text = "import asyncio\nimport time\n\n\nasync def f():\n    time.sleep(1)\n";
    let arguments = ["--fix", "--stdin-filename", "p/__init__.py", "-"];
    let (ran, _) = project.pipe(arguments, text.as_bytes());
    assert!(ran.stdout.contains("import time"), "{}", ran.stdout);
}

#[test]
fn types_are_those_that_the_file_would_see() {
    let client = "class Client:\n    async def fetch(self):\n        pass\n";
    let project = Project::new([("pkg/__init__.py", ""), ("pkg/client.py", client)]);
    project.write("pyproject.toml", "[project]\nrequires-python = '>=3.11'\n");
    let text = "\
import asyncio

from .client import Client


async def load(client: Client):
    await asyncio.gather(client.fetch(), client.fetch())
";
    let is_rewritten = |name: &str| {
        let (ran, _) = project.pipe(["--fix", "--stdin-filename", name, "-"], text.as_bytes());
        ran.stdout.contains("TaskGroup")
    };
    // There is no `client` beside it.
    assert!(!is_rewritten("main.py"));
    // It is on no disk yet, or the disk has an older text.
    assert!(is_rewritten("pkg/new.py"));
    project.write("pkg/old.py", "import asyncio\n");
    assert!(is_rewritten("pkg/old.py"));
}

#[test]
fn a_file_of_arguments_that_cannot_be_read_is_named() {
    let project = Project::of(SLEEPS);
    let ran = project.run(["--fix", "@none"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert_eq!(
        ran.stderr,
        "error: the arguments in `none` cannot be read: no such file or directory; a path that \
         starts with `@` is written `./@none`\n"
    );
    assert_eq!(project.read("a.py"), SLEEPS);
}

#[test]
fn arguments_are_the_lines_of_a_file() {
    let project = Project::new([("a b.py", SLEEPS), ("@c.py", SLEEPS), ("d.py", SLEEPS)]);
    project.write(
        "args",
        "\u{feff}--output-format\r\nconcise\r\n\r\na b.py\r\n@c.py",
    );
    let files = |arguments: &[&str]| {
        let ran = project.run(arguments.iter().copied());
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        let name = |line: &str| line.split(':').next().unwrap().to_string();
        ran.stdout.lines().map(name).collect::<Vec<_>>()
    };
    assert_eq!(files(&["@args", "d.py"]), ["@c.py", "a b.py", "d.py"]);
    let concise = ["--output-format", "concise"];
    assert_eq!(files(&[&concise[..], &["./@c.py"]].concat()), ["@c.py"]);
    assert_eq!(files(&[&concise[..], &["--", "@c.py"]].concat()), ["@c.py"]);
    project.write("explains", "explain\nawait-sleep\n");
    assert!(
        project
            .run(["@explains"])
            .stdout
            .starts_with("# await-sleep")
    );
}

#[cfg(unix)]
#[test]
fn a_line_may_be_any_name() {
    use std::os::unix::ffi::OsStrExt;
    let project = Project::new([]);
    let name = std::ffi::OsStr::from_bytes(b"\xe9.py");
    std::fs::write(project.root().join(name), SLEEPS).unwrap();
    project.write("args", b"--fix\n\xe9.py\n");
    assert_eq!(project.run(["@args"]).status, 0);
    let after = std::fs::read(project.root().join(name)).unwrap();
    assert_eq!(escaped(after), escaped(AWAITS));
}

#[test]
fn excluded_files_that_are_named_are_left_out_where_that_is_forced() {
    let project = Project::new([
        ("venv/a.py", SLEEPS),
        ("x/gen/deep/b.py", SLEEPS),
        ("c.py", SLEEPS),
        ("asyncfix.toml", "extend-exclude = ['gen']\n"),
    ]);
    let all = ["venv/a.py", "venv", "x/gen/deep/b.py", "c.py"];
    let checked = |arguments: &[&str]| {
        let ran = project.run(arguments.iter().chain(&all).copied());
        let counted = ran.stderr.rsplit(" of ").next().unwrap().to_string();
        (counted.split(' ').next().unwrap().to_string(), ran.stderr)
    };
    assert_eq!(checked(&[]).0, "3");
    let (count, said) = checked(&["--force-exclude", "-v"]);
    assert_eq!(count, "1");
    for path in &all[..3] {
        assert!(said.contains(&format!("{path}: skipped: it is excluded\n")));
    }
    let configured = "extend-exclude = ['gen']\nforce-exclude = true\n";
    project.write("asyncfix.toml", configured);
    assert_eq!(checked(&[]).0, "1");
    assert_eq!(checked(&["--config", "force-exclude=false"]).0, "3");
    assert_eq!(project.run(["x/gen"]).stderr, "No findings in 0 files.\n");
}

#[test]
fn folders_around_the_current_one_exclude_nothing() {
    let project = Project::new([("venv/project/a.py", SLEEPS)]);
    let mut command = project.command(["--force-exclude", "--fix", "a.py"]);
    command.current_dir(project.path("venv/project"));
    assert!(command.output().unwrap().status.success());
    assert_eq!(project.read("venv/project/a.py"), AWAITS);
}

#[test]
fn text_of_an_excluded_file_passes_unchanged_where_that_is_forced() {
    let project = Project::new([]);
    let name = ["--stdin-filename", "venv/a.py", "-"];
    for (arguments, printed) in [
        (&["--fix"][..], AWAITS),
        (&["--fix", "--force-exclude"], SLEEPS),
        (&["--diff", "--force-exclude"], ""),
        (&["--force-exclude"], ""),
    ] {
        let (ran, _) = project.pipe([arguments, &name].concat(), SLEEPS.as_bytes());
        assert_eq!((ran.status, ran.stdout.as_str()), (0, printed));
    }
}
