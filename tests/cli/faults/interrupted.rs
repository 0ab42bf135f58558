//! Runs that are killed, that meet each other, and whose files change under them.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{PATIENCE, ended, left_over, output, run_in_time};
use crate::project::{AWAITS, Project, SLEEPS};

/// What makes writing take its time.
fn padded(text: &str) -> String {
    format!("{text}{}", "# padding\n".repeat(10_000))
}

fn names(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("d{}/f{number}.py", number % 7))
        .collect()
}

fn project(names: &[String], text: &str) -> Project {
    Project::new(names.iter().map(|name| (name.as_str(), text)))
}

/// Which of the files are fixed; every other one is as it was.
fn fixed(project: &Project, names: &[String]) -> usize {
    let (before, after) = (padded(SLEEPS), padded(AWAITS));
    let is_fixed = |name: &&String| {
        let text = project.read(name);
        assert!(text == before || text == after, "{name} is torn");
        text == after
    };
    names.iter().filter(is_fixed).count()
}

#[test]
fn a_run_that_is_killed_leaves_every_file_whole_and_the_next_one_goes_on() {
    let names = names(150);
    let mut was_in_the_midst = false;
    let length = padded(SLEEPS).len() as u64;
    for _ in 0..20 {
        let project = project(&names, &padded(SLEEPS));
        let mut child = project
            .command(["--fix", "--no-types", "-q"])
            .spawn()
            .unwrap();
        let start = Instant::now();
        let is_untouched = || {
            names
                .iter()
                .take(20)
                .all(|name| fs::metadata(project.path(name)).unwrap().len() == length)
        };
        while is_untouched() && start.elapsed() < PATIENCE {}
        child.kill().unwrap();
        child.wait().unwrap();
        let count = fixed(&project, &names);
        was_in_the_midst |= (1..names.len()).contains(&count);
        // As it would be had the kill come between two system calls.
        project.write("d0/.asyncfix-Ab3dE6gH1jK2mN4p.tmp", "half");
        let ran = run_in_time(&project, ["--fix", "--no-types"]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        assert_eq!(fixed(&project, &names), names.len());
        if count < names.len() {
            assert_eq!(left_over(&project.path("d0")), [""; 0]);
        }
        if was_in_the_midst {
            return;
        }
    }
    panic!("no run was killed in the midst of it");
}

#[test]
fn two_runs_at_once_do_no_harm() {
    let names = names(60);
    let project = project(&names, &padded(SLEEPS));
    let start = || {
        let mut command = project.command(["--fix", "--no-types"]);
        command.stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let children = [start(), start(), start()];
    for child in children {
        let ran = crate::project::Ran::of(&output(child));
        assert!((0..2).contains(&ran.status), "{}", ran.stderr);
        let known = ["changed while asyncfix ran", "Fixed ", "No findings"];
        for line in ran.stderr.lines() {
            assert!(known.iter().any(|it| line.contains(it)), "{line}");
        }
    }
    assert_eq!(fixed(&project, &names), names.len());
    assert_eq!(left_over(project.root()), [""; 0]);
}

#[test]
fn files_that_change_meanwhile_are_left_alone() {
    let names = names(80);
    let project = project(&names, &padded(SLEEPS));
    let is_over = AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            let other = format!("# another\n{SLEEPS}");
            for name in names.iter().cycle() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let path = project.path(name);
                match name.len() % 3 {
                    0 => drop(fs::remove_file(path)),
                    1 => drop(fs::write(path, &other)),
                    _ => {
                        let new = project.path("new");
                        fs::write(&new, &other).unwrap();
                        drop(fs::rename(new, path));
                    }
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let ran = ended(project.command(["--fix", "--no-types", "."]));
        is_over.store(true, Ordering::Relaxed);
        ran
    });
    assert!((0..2).contains(&ran.status), "{}", ran.stderr);
    let whole = [
        padded(SLEEPS),
        padded(AWAITS),
        format!("# another\n{SLEEPS}"),
        format!("# another\n{AWAITS}"),
        String::new(), // as the other thread writes it
    ];
    for name in &names {
        if let Ok(text) = fs::read_to_string(project.path(name)) {
            assert!(whole.contains(&text), "{name}: {}", text.len());
        }
    }
    assert_eq!(left_over(project.root()), [""; 0]);
}
