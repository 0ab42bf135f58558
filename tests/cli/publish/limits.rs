//! How many pull requests may be open, and how fast they may come.

use super::Published;
use super::hub::At;

at_both! {
    no_more_are_open_than_may_be,
}

fn no_more_are_open_than_may_be(at: At) {
    let published = Published::new(at, &["r", "s", "t"]);
    let said = published.published(&["--max-open=1"]);
    assert!(said.contains("1 made, 2 waiting"), "{said}");
    let said = published.published(&["--max-open=1"]);
    assert!(said.contains("1 as they were, 2 waiting"), "{said}");
    // Somebody merges it.
    published.hub().merge("r");
    let said = published.published(&["--max-open=1"]);
    assert!(
        said.contains("1 made, 1 decided by somebody, 1 waiting"),
        "{said}"
    );
    assert!(said.contains("merged by somebody"), "{said}");
    assert_eq!(published.hub().changes()[at.create], 2);
}

#[cfg(unix)]
mod unix {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    use std::time::{Duration, Instant, SystemTime};

    use rustix::process::{Pid, Signal, kill_process};
    use serde_json::json;

    use super::*;
    use crate::suggest::described::Trouble;
    use crate::suggest::server::Answer;

    at_both! {
        as_many_come_within_an_hour_as_may,
        a_wait_that_the_service_asks_for_is_said_and_can_be_ended,
        updates_count_as_well,
    }

    fn a_wait_that_the_service_asks_for_is_said_and_can_be_ended(at: At) {
        let published = Published::new(at, &["r"]);
        let limited = Answer::new(429, json!({ "message": "slow down" }));
        let limited = limited.with("retry-after", "1800");
        let trouble = Trouble::new(at.create, 1, limited);
        published.hub().go_wrong(vec![trouble]);
        let said = until_it_waits(&published, &[]);
        let waits = format!("{}: too many requests: waiting 30 min.", published.api);
        assert!(said.contains(&waits), "{said}");
        assert!(said.contains("Stopped: interrupted."), "{said}");
        published.published(&[]);
        assert_eq!(published.hub().names(), ["r"]);
    }

    /// Publishes until it says that it waits, and ends it there. What it said.
    fn until_it_waits(published: &Published, arguments: &[&str]) -> String {
        let mut child = published
            .publishing(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            let line = line.unwrap();
            if line.contains("within an hour") || line.contains("waiting 30 min") {
                kill_process(Pid::from_child(&child), Signal::INT).unwrap();
            }
            said.push_str(&line);
            said.push('\n');
        }
        let status = child.wait().unwrap().code();
        assert_eq!(status, Some(130), "{said}");
        said
    }

    /// Time passes, until so many seconds are left of the hour.
    fn pass(published: &Published, seconds: u64) {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let then = now + Duration::from_secs(seconds);
        let then = then.checked_sub(Duration::from_hours(1)).unwrap();
        published.database(&format!("UPDATE telling SET time = {}", then.as_millis()));
    }

    fn as_many_come_within_an_hour_as_may(at: At) {
        let published = Published::new(at, &["r", "s", "t"]);
        let said = until_it_waits(&published, &["--per-hour=2"]);
        assert!(
            said.contains("2 within an hour: the next in 60 min."),
            "{said}"
        );
        assert!(
            said.contains("Stopped: interrupted. Pull requests: 2 made."),
            "{said}"
        );
        // Nothing of the third was sent or pushed.
        assert_eq!(published.hub().names(), ["r", "s"]);
        assert_eq!(published.branch("t"), "");
        // Another run is no way around it, nor is one that forgot what it made; what is as it was
        // needs no room.
        published.forget();
        let said = until_it_waits(&published, &["--per-hour=2"]);
        assert!(said.contains("Pull requests: 2 as they were."), "{said}");
        assert_eq!(published.hub().names(), ["r", "s"]);
        // When there are seconds to go, it waits for so long, and goes on by itself.
        pass(&published, 10);
        let begun = Instant::now();
        let said = published.published(&["--per-hour=2"]);
        assert!(
            said.contains("2 within an hour: the next in 1 min."),
            "{said}"
        );
        assert!(said.contains("1 made, 2 as they were"), "{said}");
        assert!(begun.elapsed() < Duration::from_mins(2));
        assert_eq!(published.hub().names(), ["r", "s", "t"]);
    }

    fn updates_count_as_well(at: At) {
        let published = Published::new(at, &["r"]);
        published.published(&["--per-hour=2"]);
        published.go_on("r");
        let said = published.published(&["--per-hour=2"]);
        assert!(said.contains("1 updated"), "{said}");
        std::fs::write(published.folder("r").join("c.py"), crate::project::SLEEPS).unwrap();
        published.go_on("r");
        until_it_waits(&published, &["--per-hour=2"]);
        pass(&published, 0);
        let said = published.published(&["--per-hour=2"]);
        assert!(said.contains("1 updated"), "{said}");
        assert_eq!(published.hub().changes()[at.create], 1);
    }
}
