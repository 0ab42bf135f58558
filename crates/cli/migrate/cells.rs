//! How single things are said of a repository.

use std::time::Duration;

use campaign::{Problems, Row, State, Tests};

/// How a repository stands, with what a run is at.
pub fn state(row: &Row, is_alive: impl Fn(&str) -> bool) -> String {
    let working = row.working.as_ref().filter(|it| is_alive(&it.run));
    match (row.state, working.and_then(|it| it.step)) {
        (State::Pending | State::Retry, Some(step)) => format!("at {}", step.as_str()),
        (State::Done, _) => {
            let made = row.result.as_ref().map(|it| &it.problems);
            match made.filter(|it| it.count > 0) {
                Some(made) => format!("done, {}", problems(made)),
                None => "done".to_string(),
            }
        }
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

/// `1 problem`, `2 problems`, `2 problems, 1 of asyncfix`.
pub fn problems(problems: &Problems) -> String {
    let Problems { count, faults, .. } = problems;
    let mut said = match count {
        1 => "1 problem".to_string(),
        count => format!("{count} problems"),
    };
    if *faults > 0 {
        said = format!("{said}, {faults} of asyncfix");
    }
    said
}

/// What there is to say of a repository beside numbers: why it failed, else how the tests went, and
/// the first problem with a single file.
pub fn remark(row: &Row) -> String {
    if let Some(reason) = &row.reason {
        return reason.clone();
    }
    let made = row.result.as_ref().filter(|_| row.state == State::Done);
    let said = made.and_then(|it| it.tests.as_ref()).map(tests);
    let problem = made.and_then(|it| it.problems.first.first().cloned());
    let said: Vec<String> = [said, problem].into_iter().flatten().collect();
    said.join("; ")
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
