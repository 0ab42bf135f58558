//! No space is left, for files and for streams.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use super::{ended, left_over, limited};
use crate::project::{AWAITS, Project, Ran, SLEEPS};

/// A file may have no more than 4096 bytes, which is what a full disk comes to, and works for
/// every user. What the system does then is what the shell says.
const NO_SPACE: &str = "trap '' XFSZ; ulimit -f 4";
const KILLED: &str = "ulimit -f 4; ulimit -c 0";

fn large(text: &str) -> String {
    format!("{text}{}", "# padding\n".repeat(3_000))
}

fn project() -> Project {
    let project = Project::new([("b.py", SLEEPS)]);
    project.write("a.py", large(SLEEPS));
    project
}

#[test]
fn a_file_for_which_there_is_no_space_stays_and_the_others_go_on() {
    let project = project();
    let ran = ended(limited(&project, NO_SPACE, &["--fix", "--no-types"]));
    assert_eq!(ran.status, 1);
    assert_eq!(
        ran.stderr,
        "a.py: cannot be written: file too large\n\
         Fixed 1 finding in 1 of 2 files (1 intended). 1 file could not be written.\n"
    );
    assert_eq!(project.read("a.py"), large(SLEEPS));
    assert_eq!(project.read("b.py"), AWAITS);
    assert_eq!(project.names(), ["a.py", "b.py"]);
}

#[test]
fn a_run_that_the_system_ends_for_it_leaves_every_file_whole() {
    let project = project();
    // One file at a time: else that of the other may be half made too when the run ends.
    let output = limited(&project, KILLED, &["--fix", "--no-types", "--jobs", "1"])
        .output()
        .unwrap();
    assert!(output.status.signal().is_some(), "{output:?}");
    assert_eq!(project.read("a.py"), large(SLEEPS));
    assert!([SLEEPS, AWAITS].contains(&project.read("b.py").as_str()));
    assert_eq!(left_over(project.root()).len(), 1);
    assert_eq!(project.run(["--fix", "--no-types"]).status, 0);
    assert_eq!(project.names(), ["a.py", "b.py"]);
}

#[test]
fn reports_and_baselines_are_whole_or_as_they_were() {
    for (arguments, name, said) in [
        (
            &["--output-format", "json", "--output-file", "out"][..],
            "out",
            "error: --output-file: `out` cannot be written: file too large\n",
        ),
        (
            &["--baseline", "out", "--update-baseline"],
            "out",
            "error: the baseline `out` cannot be written: file too large\n",
        ),
        (
            &["--show-files", "--output-file", "out"],
            "out",
            "error: --output-file: `out` cannot be written: file too large\n",
        ),
    ] {
        let project = Project::new([("out", "{\"version\": 1, \"findings\": {}}\n")]);
        for number in 0..200 {
            project.write(&format!("{number:040}.py"), SLEEPS);
        }
        let before = project.names();
        let ran = ended(limited(&project, NO_SPACE, arguments));
        assert_eq!(
            (ran.status, ran.stderr.as_str()),
            (2, said),
            "{arguments:?}"
        );
        assert!(project.read(name).starts_with("{\"version\""));
        assert_eq!(project.names(), before);
    }
}

#[test]
fn a_report_takes_the_place_of_the_last_one_at_once() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let project = Project::of(SLEEPS);
    project.write("real/report", "an older and longer one".repeat(100));
    symlink("real/report", project.path("report")).unwrap();
    let path = project.path("real/report");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap();
    let concise = ["--output-format", "concise", "--output-file", "report"];
    assert_eq!(project.run(concise).status, 1);
    assert!(project.read("report").starts_with("a.py:8:5: "));
    assert!(project.path("report").is_symlink());
    let after = fs::metadata(&path).unwrap();
    assert_ne!(after.ino(), before.ino());
    assert_eq!(after.mode() & 0o7777, 0o640);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let ran = project.run(concise);
    let said =
        "error: --output-file: `report` is read-only, and was left alone: make it writable\n";
    assert_eq!((ran.status, ran.stderr.as_str()), (2, said));
    assert!(
        project
            .run(["--output-file", "none/report"])
            .stderr
            .starts_with(
                "error: --output-file: `none/report` cannot be written: no such file or directory"
            )
    );
    assert_eq!(left_over(project.root()), [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_stream_that_is_full_is_named() {
    let full = |project: &Project, arguments: &[&str]| {
        let mut command = project.command(arguments.iter().copied());
        command.stdout(fs::File::create("/dev/full").unwrap());
        Ran::of(&command.output().unwrap())
    };
    let said = "error: standard output cannot be written: no space left on device\n";
    let project = project();
    for arguments in [
        &[][..],
        &["--diff"],
        &["--statistics"],
        &["--output-format", "json"],
        &["--show-files"],
        &["report", "--html", "-", "."],
        &["--help"],
        &["--version"],
        &["list"],
        &["explain", "await-sleep"],
        &["completions", "bash"],
        &["man"],
    ] {
        let ran = full(&project, arguments);
        assert_eq!(ran.status, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.ends_with(said), "{arguments:?}: {}", ran.stderr);
    }
    // What was to be written is.
    project.write("c.py", format!("{SLEEPS}    asyncio.run(main())\n"));
    let ran = full(&project, &["--fix", "--show-withheld"]);
    assert!(
        ran.status < 2 || ran.stderr.ends_with(said),
        "{}",
        ran.stderr
    );
    assert_eq!(project.read("b.py"), AWAITS);
    // Nobody reads what is said: that changes nothing.
    let mut command = project.command(["--fix"]);
    command.stderr(fs::File::create("/dev/full").unwrap());
    assert!(command.output().unwrap().status.code().unwrap() < 2);
}
