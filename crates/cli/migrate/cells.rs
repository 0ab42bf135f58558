//! How single things are said of a repository.

use std::time::Duration;

use campaign::{Row, State, Tests};

/// How a repository stands, with what a run is at.
pub fn state(row: &Row, is_alive: impl Fn(&str) -> bool) -> String {
    let working = row.working.as_ref().filter(|it| is_alive(&it.run));
    match (row.state, working.and_then(|it| it.step)) {
        (State::Pending | State::Retry, Some(step)) => format!("at {}", step.as_str()),
        (State::Done, _) => "done".to_string(),
        (State::Retry, _) => "failed for now".to_string(),
        (State::Permanent, _) => "failed".to_string(),
        (State::Pending, _) => "open".to_string(),
    }
}

/// What the tests said.
pub fn tests(tests: &Tests) -> String {
    let mut said = match tests.failing {
        0 => "pass".to_string(),
        failing => format!("pass but {failing} as before"),
    };
    if tests.culprits > 0 {
        said = format!("{said}, {} taken back", tests.culprits);
    }
    if tests.undecided > 0 {
        said = format!("{said}, {} undecided", tests.undecided);
    }
    if tests.unstable {
        said.push_str(", not stable");
    }
    said
}

/// `12 s`, `3 min`, `2 h 5 min`.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `1 repository`, `2 repositories`.
pub fn repositories(count: usize) -> String {
    if count == 1 {
        "1 repository".to_string()
    } else {
        format!("{count} repositories")
    }
}
