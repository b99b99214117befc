//! More orders than the thread can take: what waits for it grows old in sockets, where nobody sees its age. The sign is
//! a thread that has had no rest for long. Then sessions that always have more to say are refused until it has caught up; one
//! that says a little at a time waits its turn and is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use riskcore::ids::RouterId;
use riskcore::units::Nanos;

use crate::plane::Plane;

/// Turns of 10 ms without rest after which what waits is late. On a machine whose processors others want too a thread may have no
/// rest for a tenth of that, and be only milliseconds late.
const LATE_AFTER: u32 = 50;

/// Turns of refusing after which orders are taken again, rest or no rest: beyond a flood that even refusals cannot keep up
/// with, most of the time still goes to orders that are taken.
const REFUSING: u32 = 20;

/// Between two lines about it.
const TELL_EVERY: Nanos = Nanos::from_millis(10_000);

/// Whether the thread keeps up.
#[derive(Debug, Default)]
pub(crate) struct Overload {
    /// Set whenever the thread has nothing to do.
    rested: Arc<AtomicBool>,
    /// Turns in a row without rest, since it last rested or refused for long enough.
    turns: u32,
    /// Turns without rest, ever.
    pub(crate) busy_turns: u64,
    /// Counts the times from one rest to the next.
    spell: u64,
    told: Option<Nanos>,
}

impl Overload {
    /// What the thread calls each time before it sleeps.
    pub(crate) fn rest(&self) -> impl Fn() + Send + Sync + 'static {
        let rested = Arc::clone(&self.rested);
        move || rested.store(true, Ordering::Relaxed)
    }

    /// The number of the spell without rest, for [`Overload::refuses`].
    pub(crate) fn spell(&self) -> u64 {
        self.spell
    }

    /// Whether orders of a session are refused that last had more to say than one turn takes in this spell.
    #[inline]
    pub(crate) fn refuses(&self, crowded_in: Option<u64>) -> bool {
        self.turns >= LATE_AFTER && crowded_in == Some(self.spell) && !self.rested.load(Ordering::Relaxed)
    }

    /// A turn has passed; whether refusing begins with it.
    fn turn(&mut self) -> bool {
        if self.rested.swap(false, Ordering::Relaxed) {
            self.turns = 0;
            self.spell += 1;
            return false;
        }
        self.busy_turns += 1;
        self.turns = (self.turns + 1) % (LATE_AFTER + REFUSING);
        self.turns == LATE_AFTER
    }
}

impl Plane {
    /// Looks whether the thread keeps up. Every 10 ms.
    pub(crate) fn watch_load(&mut self) {
        let now = self.now();
        if !self.overload.turn() || self.overload.told.is_some_and(|told| now.since(told) < TELL_EVERY) {
            return;
        }
        self.overload.told = Some(now);
        let crowded = self.routers.iter().filter(|router| self.overload.refuses(router.crowded_in));
        let names: Vec<&str> = crowded.map(|router| router.name.as_str()).collect();
        let names = names.join(", ");
        self.announce(
            "gateway",
            format!("more orders than the gateway can take: those of {names} are refused with GATEWAY_BUSY until it catches up"),
        );
    }

    /// A router has more to say than one turn takes.
    pub(crate) fn note_crowded(&mut self, id: RouterId) {
        let spell = self.overload.spell();
        if let Some(router) = self.routers.get_mut(id.index()) {
            router.crowded_in = Some(spell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowded_session_is_refused_after_half_a_second_without_rest_and_until_the_thread_rests() {
        let mut load = Overload::default();
        let rest = load.rest();
        rest();
        assert!(!load.turn());
        let (crowded, calm) = (Some(load.spell()), Some(load.spell() - 1));
        for _ in 1..LATE_AFTER {
            assert!(!load.turn());
            assert!(!load.refuses(crowded));
        }

        assert!(load.turn());
        assert!(load.refuses(crowded));
        assert!(!load.refuses(calm));
        assert!(!load.refuses(None));
        rest();
        assert!(!load.refuses(crowded));
        assert!(!load.turn());
        assert!(!load.refuses(crowded));
    }

    #[test]
    fn without_any_rest_orders_are_taken_most_of_the_time() {
        let mut load = Overload::default();
        let refused = (0..700).filter(|_| {
            load.turn();
            load.refuses(Some(0))
        });

        assert_eq!(200, refused.count());
        assert_eq!(700, load.busy_turns);
    }
}
