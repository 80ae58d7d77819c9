//! Ctrl-C and SIGTERM: the first finishes what is in flight, the second ends at once.

use detente::error::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once the user wants the run to end, who is then told `said`.
///
/// # Errors
/// When signals cannot be listened to.
pub fn on_signals(said: &'static str) -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let wished = stop.clone();
    ctrlc::set_handler(move || {
        if wished.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(ErrorKind::Interrupted.exit_code()));
        }
        eprintln!("{said}");
    })
    .map_err(|e| Error::io(format!("signals cannot be listened to: {e}")))?;
    Ok(stop)
}
