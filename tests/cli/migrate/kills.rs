//! Runs that are killed, and that meet each other.

use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Campaign;
use crate::project::{CLEAN, SLEEPS, WITHHELD};

/// Six repositories, one of which fails for good, with a setup and tests that take a while.
fn campaign() -> (Campaign, Vec<String>) {
    let campaign = Campaign::new();
    let mut names = Vec::new();
    for (name, text) in [
        ("one", SLEEPS),
        ("two", CLEAN),
        ("three", WITHHELD),
        ("four", SLEEPS),
        ("five", "print 'async time.sleep'\n"),
        ("six", SLEEPS),
    ] {
        campaign.repository(name, &[("a.py", text), ("pkg/b.py", SLEEPS)]);
        names.push(name.to_string());
    }
    campaign
        .project
        .write("five/pkg/b.py", "print 'async time.sleep'\n");
    super::commit(&campaign.project.path("five"), "Python 2");
    (campaign, names)
}

const COMMANDS: [&str; 2] = [
    "--setup=sleep 0.1; echo made > env",
    "--verify=sleep 0.1; test -e env",
];

/// Plans it in a folder of its own, with the times of the commits that `c` has.
fn plan(campaign: &Campaign, names: &[String]) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    campaign.plan(&names, &[&COMMANDS[..], &["--name=kills"]].concat());
}

/// A copy of the campaign that was planned, under another name.
fn copied(campaign: &Campaign, name: &str) {
    for file in ["campaign.toml", "campaign.lock"] {
        let bytes = campaign.project.bytes(&format!("c/{file}"));
        campaign.project.write(&format!("{name}/{file}"), bytes);
    }
}

fn start(campaign: &Campaign, name: &str) -> Child {
    let mut command = campaign.command(&["run", "--jobs=2", "--campaign", name]);
    command.stderr(Stdio::null()).stdout(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn a_campaign_that_is_killed_again_and_again_comes_to_the_same_end() {
    let (campaign, names) = campaign();
    plan(&campaign, &names);
    copied(&campaign, "killed");
    let ran = campaign.migrate(&["run", "--jobs=2"]);
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    let mut kills = 0;
    let status = loop {
        let mut child = start(&campaign, "killed");
        // From the first moments to the middle of the work.
        let moment = Duration::from_millis(60 + 137 * kills);
        let started = Instant::now();
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if started.elapsed() >= moment {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            thread::sleep(Duration::from_millis(5));
        };
        match ended {
            Some(status) => break status,
            None => kills += 1,
        }
        assert!(kills < 200);
    };
    assert_eq!(status.code(), Some(3));
    assert!(kills >= 3, "{kills}");
    assert_eq!(campaign.final_state("killed"), campaign.final_state("c"));
    campaign.nothing_was_done_twice("killed");
    campaign.nothing_was_done_twice("c");
    // Each step of each repository that is done is done once.
    let sql = "SELECT count(*) FROM journal WHERE what = 'done'";
    let (killed, whole): (Vec<i64>, Vec<i64>) =
        (campaign.ask("killed", sql), campaign.ask("c", sql));
    assert_eq!(killed, whole);
}

#[test]
fn two_runs_share_the_work() {
    let (campaign, names) = campaign();
    plan(&campaign, &names);
    copied(&campaign, "shared");
    assert_eq!(campaign.migrate(&["run"]).status, 3);
    let mut children = [start(&campaign, "shared"), start(&campaign, "shared")];
    for child in &mut children {
        assert_eq!(child.wait().unwrap().code(), Some(3));
    }
    assert_eq!(campaign.final_state("shared"), campaign.final_state("c"));
    campaign.nothing_was_done_twice("shared");
    let runs: Vec<i64> = campaign.ask("shared", "SELECT count(DISTINCT run) FROM journal");
    assert_eq!(runs, [2]);
    // No two of them were at one repository at the same time.
    let switches: Vec<i64> = campaign.ask(
        "shared",
        "SELECT count(DISTINCT run) FROM journal GROUP BY repository",
    );
    assert!(switches.iter().all(|count| *count == 1), "{switches:?}");
}

#[test]
fn a_run_takes_over_from_one_that_was_killed_beside_it() {
    let (campaign, names) = campaign();
    plan(&campaign, &names);
    copied(&campaign, "taken");
    assert_eq!(campaign.migrate(&["run"]).status, 3);
    let mut first = start(&campaign, "taken");
    thread::sleep(Duration::from_millis(400));
    let mut second = start(&campaign, "taken");
    thread::sleep(Duration::from_millis(400));
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(3));
    assert_eq!(campaign.final_state("taken"), campaign.final_state("c"));
    campaign.nothing_was_done_twice("taken");
}

#[test]
fn what_interrupts_a_run_ends_it_and_the_next_one_goes_on() {
    let campaign = Campaign::new();
    campaign.repository("r", &[("a.py", SLEEPS)]);
    let pid = campaign.project.path("pid");
    let verify = format!("--verify=echo $$ > '{}'; sleep 20", pid.display());
    campaign.plan(&["r"], &[&verify]);
    let mut child = start(&campaign, "c");
    let started = Instant::now();
    while !pid.exists() || campaign.project.read("pid").is_empty() {
        assert!(started.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_millis(10));
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(started.elapsed() < Duration::from_secs(18));
    let pid: i32 = campaign.project.read("pid").trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    assert!(rustix::process::test_kill_process(pid).is_err());
    assert_eq!(campaign.status()["r"]["state"], "pending");
    campaign.nothing_was_done_twice("c");
}

#[test]
fn a_repository_that_kills_its_run_does_not_hold_up_the_others() {
    let campaign = Campaign::new();
    for name in ["poison", "one", "two"] {
        campaign.repository(name, &[("a.py", SLEEPS), (name, "")]);
    }
    // Between the run and the command is what keeps it.
    let setup = "--setup=if [ -e poison ]; then kill -9 $(cut -d ' ' -f 4 /proc/$PPID/stat); fi";
    campaign.plan(&["poison", "one", "two"], &[setup]);
    for _ in 0..2 {
        let status = campaign.command(&["run", "--jobs=1"]).status().unwrap();
        assert_eq!(status.code(), None);
    }
    let status = campaign.status();
    assert_eq!(status["one"]["state"], "done");
    assert_eq!(status["two"]["state"], "done");
    assert_eq!(status["poison"]["state"], "pending");
}

#[test]
fn a_killed_run_leaves_no_process_behind() {
    let campaign = Campaign::new();
    campaign.repository("r", &[("a.py", SLEEPS)]);
    let pid = campaign.project.path("pid");
    let setup = format!("--setup=echo $$ > '{}'; sleep 300", pid.display());
    campaign.plan(&["r"], &[&setup]);
    let mut child = start(&campaign, "c");
    let started = Instant::now();
    while !pid.exists() || campaign.project.read("pid").is_empty() {
        assert!(started.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let pid: i32 = campaign.project.read("pid").trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let killed = Instant::now();
    while rustix::process::test_kill_process(pid).is_ok() {
        assert!(killed.elapsed() < Duration::from_secs(15));
        thread::sleep(Duration::from_millis(20));
    }
}
