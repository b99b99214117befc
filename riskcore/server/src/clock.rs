//! The time events carry: UTC at the start plus what the monotonic clock has counted since. A step of the system's
//! clock does not reach the core; time never decreases.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use riskcore::units::Nanos;

/// See the module.
pub struct Clock {
    utc_at_start: i64,
    start: Instant,
}

impl Clock {
    /// Starts now, or at `not_before` if that is later: the last time in the journal of the run before.
    pub fn start(not_before: Nanos) -> Clock {
        #[expect(clippy::disallowed_methods, reason = "the one clock of the data plane, read once at its start")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let utc = i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX);
        Clock { utc_at_start: utc.max(not_before.0), start: Instant::now() }
    }

    /// Now.
    #[inline]
    pub fn now(&self) -> Nanos {
        let elapsed = i64::try_from(self.start.elapsed().as_nanos()).unwrap_or(i64::MAX);
        Nanos(self.utc_at_start.saturating_add(elapsed))
    }
}
