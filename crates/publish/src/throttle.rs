//! How fast pull requests may come.

use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_hours(1);

/// How long to wait before another may come, where `before` came at these times and at most
/// `per_hour` may come within an hour.
pub fn pause(before: &[SystemTime], per_hour: usize, now: SystemTime) -> Duration {
    let mut recent: Vec<Duration> = before
        .iter()
        // A clock that was set back is none to wait for longer than an hour.
        .map(|time| now.duration_since(*time).unwrap_or_default())
        .filter(|age| *age < HOUR)
        .collect();
    recent.sort_unstable();
    // The one that has to be an hour old before there is room.
    match per_hour.checked_sub(1).and_then(|last| recent.get(last)) {
        Some(age) => HOUR.saturating_sub(*age),
        None => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::pause;

    #[test]
    fn the_next_comes_when_the_oldest_of_the_hour_is_an_hour_old() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let at = |minutes: u64| start + Duration::from_mins(minutes);
        let pause = |before: &[u64], now: u64| {
            let before: Vec<SystemTime> = before.iter().map(|it| at(*it)).collect();
            pause(&before, 2, at(now)).as_secs() / 60
        };
        assert_eq!(pause(&[], 0), 0);
        assert_eq!(pause(&[0], 1), 0);
        assert_eq!(pause(&[0, 10], 20), 40);
        assert_eq!(pause(&[10, 0, 30], 40), 30);
        assert_eq!(pause(&[0, 10], 60), 0);
        // Set back.
        assert_eq!(pause(&[90, 95], 60), 60);
    }
}
