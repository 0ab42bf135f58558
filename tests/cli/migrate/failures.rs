//! What goes wrong with a repository, and what becomes of it.

use super::Campaign;
use crate::project::{CLEAN, SLEEPS};

#[test]
fn what_stays_wrong_is_told_from_what_may_go_well() {
    let campaign = Campaign::new();
    campaign.repository("good", &[("a.py", SLEEPS)]);
    campaign.repository("old", &[("a.py", "print 'async, time.sleep'\n")]);
    campaign.repository("red", &[("a.py", SLEEPS), ("red", "")]);
    campaign.repository("slow", &[("a.py", SLEEPS), ("slow", "")]);
    campaign.repository("killed", &[("a.py", SLEEPS), ("killed", "")]);
    campaign.repository("missing", &[("a.py", SLEEPS), ("missing", "")]);
    campaign.plan(
        &["good", "old", "red", "slow", "killed", "missing"],
        &[
            "--setup=if [ -e killed ]; then kill -9 $$; fi; if [ -e missing ]; then nonesuch; fi",
            "--verify=if [ -e slow ]; then sleep 60; fi; test ! -e red",
            "--verify-timeout=1",
        ],
    );
    let ran = campaign.migrate(&["run", "--jobs=3"]);
    // There is something that may go well.
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    let status = campaign.status();
    let of = |name: &str| {
        let row = &status[name];
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_string();
        (text("state"), text("step"), text("reason"))
    };
    assert_eq!(of("good"), ("done".into(), "-".into(), "-".into()));
    let (state, step, reason) = of("old");
    assert_eq!((&*state, &*step), ("permanent", "transform"));
    assert!(
        reason.starts_with("none of its 1 Python files could be analysed: a.py:1:"),
        "{reason}"
    );
    let (state, step, reason) = of("red");
    assert_eq!((&*state, &*step), ("permanent", "transform"));
    assert!(reason.contains("fails before any fix"), "{reason}");
    let (state, step, reason) = of("slow");
    assert_eq!((&*state, &*step), ("retry", "transform"));
    assert!(reason.contains("was not done after 1.0 s"), "{reason}");
    let (state, step, reason) = of("killed");
    assert_eq!((&*state, &*step), ("retry", "setup"));
    assert!(reason.contains("killed by signal 9"), "{reason}");
    let (state, step, reason) = of("missing");
    assert_eq!((&*state, &*step), ("permanent", "setup"));
    assert!(reason.contains("exit status 127"), "{reason}");

    // Another run tries what may go well, and only that.
    let before: Vec<i64> = campaign.ask("c", "SELECT max(id) FROM journal");
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    let sql = format!(
        "SELECT DISTINCT name FROM journal JOIN repository ON repository.id = repository
         WHERE journal.id > {} ORDER BY name",
        before[0]
    );
    let tried: Vec<String> = campaign.ask("c", &sql);
    assert_eq!(tried.len(), 2, "{tried:?}");
    assert!(
        tried[0].contains("-killed-") && tried[1].contains("-slow-"),
        "{tried:?}"
    );
    campaign.nothing_was_done_twice("c");
}

/// The rest of it is migrated, and what was left out is seen wherever somebody looks.
#[test]
fn what_goes_wrong_with_single_files_is_seen_and_holds_up_nothing() {
    let campaign = Campaign::new();
    campaign.repository("good", &[("a.py", SLEEPS)]);
    let old = "print 'async, time.sleep'\n";
    let mut files = vec![("a.py", SLEEPS), ("z.py", "async def f(: time.sleep(1)\n")];
    let names: Vec<String> = (0..25).map(|it| format!("old/{it}.py")).collect();
    files.extend(names.iter().map(|name| (name.as_str(), old)));
    campaign.repository("partly", &files);
    campaign.plan(&["good", "partly"], &["--verify=true"]);
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    for said in [
        "1 fixed, 0 withheld, tests: pass, 26 problems",
        "2 of 2 done, 1 of them with problems.",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    let status = campaign.status();
    let result = |name: &str, key: &str| status[name]["result"][key].clone();
    assert_eq!(status["partly"]["state"], "done");
    assert_eq!(
        (result("partly", "problems"), result("good", "problems")),
        (26.into(), 0.into())
    );
    assert_eq!(result("partly", "faults"), 0);
    assert_eq!(
        result("partly", "first_problems").as_array().unwrap().len(),
        20
    );
    assert!(result("partly", "commit").is_string());
    let first = result("partly", "first_problems")[0]
        .as_str()
        .unwrap()
        .to_string();
    assert!(first.starts_with("old/"), "{first}");

    let printed = campaign.migrate(&["status"]).stdout;
    for said in [
        "done, 26 problems",
        &format!("pass; {first}"),
        "2 done (1 with problems).",
    ] {
        assert!(printed.contains(said), "{said}: {printed}");
    }
    let report = campaign.migrate(&["report"]).stdout;
    for said in [
        "\nDone, with problems in single files\n",
        "    and 21 more in logs/",
    ] {
        assert!(report.contains(said), "{said}: {report}");
    }
    let page = campaign.migrate(&["report", "--html=-"]).stdout;
    for said in [
        "Done, with problems in single files",
        "done, 26 problems",
        "and 6 more in ",
    ] {
        assert!(page.contains(said), "{said}");
    }
    // All of them are in the log that is named.
    let path = report
        .split("more in ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let log = campaign.project.read(&format!("c/{path}"));
    assert_eq!(
        log.lines().filter(|line| line.starts_with("old/")).count(),
        25
    );
    // A part brings them along.
    let ran = campaign.migrate(&["merge", "c", "--campaign", "all"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(campaign.final_state("all"), campaign.final_state("c"));
    let merged = campaign.status_of("all");
    assert_eq!(merged["partly"]["result"]["problems"], 26);
}

#[test]
fn failures_for_good_alone_have_a_status_of_their_own_and_are_tried_when_wanted() {
    let campaign = Campaign::new();
    campaign.repository("good", &[("a.py", SLEEPS)]);
    campaign.repository("red", &[("a.py", SLEEPS), ("red", "")]);
    let flag = campaign.project.path("green");
    let verify = format!("--verify=test ! -e red -o -e '{}'", flag.display());
    campaign.plan(&["good", "red"], &[&verify]);
    assert_eq!(campaign.migrate(&["run"]).status, 3);
    assert_eq!(campaign.migrate(&["run"]).status, 3);
    // What was wrong outside of the repository is set right.
    campaign.project.write("green", "");
    assert_eq!(campaign.migrate(&["run"]).status, 3);
    let ran = campaign.migrate(&["retry"]);
    assert_eq!(ran.status, 2, "{}", ran.stderr);
    let ran = campaign.migrate(&["retry", "--failed"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("2 of 2 done"), "{}", ran.stderr);
    campaign.nothing_was_done_twice("c");
}

#[test]
fn a_line_that_cannot_be_resolved_does_not_hold_up_the_others() {
    let campaign = Campaign::new();
    campaign.repository("r", &[("a.py", SLEEPS)]);
    campaign.repository("empty", &[]);
    std::fs::create_dir(campaign.project.path("none")).unwrap();
    // No host listens there: it may another time.
    let list = "r\nr nosuch\nnone\nhttp://127.0.0.1:9/x\nr\nr/\n";
    campaign.project.write("list", list);
    let ran = campaign.migrate(&["plan", "list"]);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    for said in [
        "list:2: `",
        "has no branch or tag `nosuch`",
        "list:3: `",
        "list:4: for now: `http://127.0.0.1:9/x`",
        "list:5: warning: ",
        "list:6: warning: ",
        "stands in line 1 already",
        "Planned 1 repository, 3 lines cannot be planned",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    assert_eq!(campaign.status().len(), 1);
}

#[test]
fn a_source_that_is_gone_or_rewritten_is_said() {
    let campaign = Campaign::new();
    let gone = campaign.repository("gone", &[("a.py", SLEEPS)]);
    let rewritten = campaign.repository("rewritten", &[("a.py", SLEEPS)]);
    campaign.repository("folder", &[("a.py", SLEEPS)]);
    let linked = campaign.repository("linked", &[("a.py", SLEEPS)]);
    let outside = campaign.project.path("outside");
    campaign.project.write("outside/a.py", SLEEPS);
    std::os::unix::fs::symlink(&outside, linked.join("link")).unwrap();
    super::commit(&linked, "A link");
    campaign.plan(
        &["gone", "rewritten", "folder - src", "linked main link"],
        &[],
    );
    std::fs::remove_dir_all(gone).unwrap();
    super::git(&rewritten, &["commit", "-q", "--amend", "-m", "Other"]);
    super::git(&rewritten, &["reflog", "expire", "--expire=now", "--all"]);
    super::git(&rewritten, &["gc", "-q", "--prune=now"]);
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("the folder `link` is a link that leads out of the repository"),
        "{}",
        ran.stderr
    );
    assert_eq!(campaign.project.read("outside/a.py"), SLEEPS);
    let status = campaign.status();
    let reason = |name: &str| status[name]["reason"].as_str().unwrap_or("-").to_string();
    assert!(reason("gone").contains("git says"), "{}", reason("gone"));
    assert!(
        reason("rewritten").contains("any longer: plan it again with --refresh"),
        "{}",
        reason("rewritten")
    );
    assert!(
        reason("folder").contains("there is no folder `src`"),
        "{}",
        reason("folder")
    );
}

#[test]
fn the_time_of_a_repository_ends_all_that_it_started() {
    let campaign = Campaign::new();
    campaign.repository("r", &[("a.py", CLEAN)]);
    let pid = campaign.project.path("pid");
    // It leaves its group, and hears no signal that asks.
    let setup = format!(
        "--setup=trap '' TERM; setsid sleep 300 & echo $! > '{}'; sleep 300",
        pid.display()
    );
    campaign.plan(&["r"], &[&setup, "--timeout=2"]);
    let ran = campaign.migrate(&["run"]);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("was not done when the time of the repository was over"),
        "{}",
        ran.stderr
    );
    let pid: i32 = campaign.project.read("pid").trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    assert!(rustix::process::test_kill_process(pid).is_err());
}
