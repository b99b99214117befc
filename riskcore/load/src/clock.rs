//! The one clock of a flood: monotonic, shared by every session and thread.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds since this clock was made. Copies agree with each other.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    origin_utc: u64,
}

impl Clock {
    /// A clock that reads 0 now.
    #[expect(clippy::disallowed_methods, reason = "this is the one clock: wall time once, monotonic from then on")]
    pub fn new() -> Self {
        let utc = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| saturate(since.as_nanos()));
        Self { origin: Instant::now(), origin_utc: utc }
    }

    /// Nanoseconds since the clock was made.
    pub fn now(&self) -> u64 {
        saturate(self.origin.elapsed().as_nanos())
    }

    /// UTC nanoseconds at a reading of [`Clock::now`].
    pub fn utc(&self, now: u64) -> u64 {
        self.origin_utc.saturating_add(now)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// 64 bits of nanoseconds last 584 years.
fn saturate(nanos: u128) -> u64 {
    u64::try_from(nanos).unwrap_or(u64::MAX)
}
