//! A panic in one file becomes a report for this file.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the panics that [`guarded`] catches from being printed. Further calls do nothing.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(install_hook);
}

fn install_hook() {
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !GUARDED.get() {
            return default(info);
        }
        let what = info.payload_as_str().unwrap_or("a panic without words");
        let message = match info.location() {
            Some(place) => format!("{what} ({}:{})", place.file(), place.line()),
            None => what.to_string(),
        };
        MESSAGE.set(message);
    }));
}

/// What `work` returns, or the words of its panic. Whatever `work` can reach is given up after a
/// panic, so that nothing half done is seen.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let outer = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|_| MESSAGE.take())
}

#[cfg(test)]
mod tests {
    use super::{guarded, install};

    #[test]
    fn a_panic_is_caught_with_its_words_and_place() {
        install();
        assert_eq!(guarded(|| 1), Ok(1));
        let message = guarded(|| panic!("lost {}", 2)).unwrap_err();
        assert!(message.starts_with("lost 2 ("), "{message}");
        assert!(message.contains("guard.rs:"), "{message}");
        assert_eq!(guarded(|| 3), Ok(3));
    }
}
