//! Whether somebody wants asyncfix to end: Ctrl-C, SIGTERM, SIGHUP. As long as files may hold what
//! is not verified, it does not end at once.

use std::sync::atomic::{AtomicBool, Ordering};

static WANTED: AtomicBool = AtomicBool::new(false);

/// From here on it is only noted.
pub fn watch() -> Result<(), String> {
    ctrlc::set_handler(|| WANTED.store(true, Ordering::SeqCst)).map_err(|error| error.to_string())
}

/// Whether that was wanted since.
pub fn is_wanted() -> bool {
    WANTED.load(Ordering::SeqCst)
}
