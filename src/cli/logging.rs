//! The program's own log, on stderr, for people.

use std::fmt;
use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use super::output;
use crate::config::Verbosity;

/// Starts the log. `RUST_LOG` decides where it is set.
pub(super) fn start(verbosity: Verbosity) {
    let wanted = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let (filter, complaint) = match wanted.map(EnvFilter::try_new) {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (usual(verbosity), Some(error)),
        None => (usual(verbosity), None),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(output::colour(&io::stderr()))
        .with_target(false)
        .with_timer(Clock)
        .finish();
    // A log that is set already is a test's, and stays.
    if tracing::subscriber::set_global_default(subscriber).is_ok()
        && let Some(error) = complaint
    {
        tracing::warn!("RUST_LOG is not understood and not used: {error}");
    }
}

fn usual(verbosity: Verbosity) -> EnvFilter {
    EnvFilter::new(match verbosity {
        Verbosity::Quiet => "warn,hudsucker=off",
        Verbosity::Normal => "warn,copilot_recorder=info,hudsucker=off",
        Verbosity::Verbose => "warn,copilot_recorder=debug,hudsucker=off",
    })
}

/// The time of day, as in the lines of the records.
struct Clock;

impl FormatTime for Clock {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        write!(to, "{}", chrono::Local::now().format("%H:%M:%S"))
    }
}
