//! Locks that outlive a panic, which is a report for one file and nothing else.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock that a panic of another thread does not poison: what is behind it is whole at all times.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
