//! What the gateway measures of itself for the core's bounds (rules.md S2), told when it has changed materially: an idle
//! gateway writes no record for it.

use riskcore::checks::self_check::Figures;
use riskcore::events::Event;
use riskcore::units::Nanos;
use riskgate_journal::Lsn;

use crate::plane::Plane;

/// Lags below this are how a machine breathes.
const LAG_FLOOR: i64 = 50_000_000;

/// So much may wait for the venue without being worth a record.
const QUEUE_FLOOR: u64 = 1_024;

/// See the module.
#[derive(Default)]
pub struct SelfWatch {
    /// A record that was not durable when it was noted, and when that was.
    waits: Option<(Lsn, Nanos)>,
}

/// A figure without its small change: the next power of two below it, or nothing below the floor.
fn step(value: u64, floor: u64) -> u64 {
    if value < floor { 0 } else { 1 << value.ilog2() }
}

fn steps(figures: &Figures) -> [u64; 3] {
    let lag = |lag: Nanos| step(lag.0.max(0) as u64, LAG_FLOOR as u64);
    [lag(figures.event_lag), lag(figures.journal_lag), step(figures.queue_depth, QUEUE_FLOOR)]
}

impl Plane {
    /// Measures, and tells the core if need be. `late` is how long this turn of the loop has waited for the loop: as long
    /// waited whatever else was ready.
    pub(crate) fn watch_itself(&mut self, late: Nanos) {
        let figures =
            Figures { event_lag: late, journal_lag: self.journal_lag(), queue_depth: self.venue.queued() as u64 };
        let told = self.engine.checks().self_check.told();
        if steps(&figures) != steps(told) || figures.crosses(told, self.engine.state()) {
            self.apply(&Event::SelfCheck(figures));
        }
    }

    /// How long the oldest record has waited to be durable, to a turn of the loop.
    fn journal_lag(&mut self) -> Nanos {
        let (now, appended, durable) = (self.now(), self.journal.appended(), self.journal.durable());
        match self.self_watch.waits {
            Some((lsn, since)) if durable < lsn => now.since(since),
            _ => {
                self.self_watch.waits = (durable < appended).then_some((appended, now));
                Nanos(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_material_changes_are_steps() {
        let figures =
            |ms: i64, depth| Figures { event_lag: Nanos::from_millis(ms), journal_lag: Nanos(0), queue_depth: depth };

        assert_eq!(steps(&figures(0, 0)), steps(&figures(49, 1_000)));
        assert_ne!(steps(&figures(49, 0)), steps(&figures(50, 0)));
        assert_eq!(steps(&figures(70, 1_024)), steps(&figures(80, 2_000)));
        assert_ne!(steps(&figures(80, 0)), steps(&figures(200, 0)));
        assert_ne!(steps(&figures(0, 1_023)), steps(&figures(0, 1_024)));
    }
}
