//! When each order is due. The schedule is fixed before the first order leaves and never waits for an answer: a slow
//! receiver makes orders late, not fewer, and the lateness is part of their latency (no coordinated omission).

const SECOND: u64 = 1_000_000_000;

/// The shape of one session's flow; all times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Orders per second while active, 1 to 1,000,000,000.
    pub rate: u64,
    /// Orders that fall due together; 1 = evenly spaced.
    pub burst: u64,
    /// Active time between two pauses; 0 = no pauses.
    pub active: u64,
    /// Length of a pause.
    pub pause: u64,
    /// How long orders fall due after the start, pauses included.
    pub duration: u64,
    /// At most this many orders; 0 = as many as fall due within `duration`.
    pub orders: u64,
}

/// The due time of every order of one session, as an offset from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    shape: Shape,
    total: u64,
}

impl Schedule {
    /// The schedule of `shape`; rate and burst below 1 count as 1, a rate above 1e9 as 1e9.
    pub fn new(shape: Shape) -> Self {
        let shape = Shape { rate: shape.rate.clamp(1, SECOND), burst: shape.burst.max(1), ..shape };
        let mut schedule = Self { shape, total: u64::MAX };
        schedule.total = schedule.count_before(shape.duration);
        if shape.orders > 0 {
            schedule.total = schedule.total.min(shape.orders);
        }
        schedule
    }

    /// Orders in the whole schedule.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Nanoseconds after the start at which order `index` is due. Never decreases with `index`.
    #[inline]
    pub fn due(&self, index: u64) -> u64 {
        let Shape { rate, burst, active, pause, .. } = self.shape;
        let first = index - index % burst;
        // Split, because `first * SECOND` leaves 64 bits after 18 seconds of a full-rate flood.
        let busy = (first / rate).saturating_mul(SECOND).saturating_add(first % rate * SECOND / rate);
        match busy.checked_div(active) {
            Some(pauses) => busy.saturating_add(pauses.saturating_mul(pause)),
            None => busy,
        }
    }

    /// Orders due strictly before `offset`, found by bisection because `due` only ever grows.
    fn count_before(&self, offset: u64) -> u64 {
        let (mut low, mut high) = (0, u64::MAX / SECOND);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.due(middle) < offset { low = middle + 1 } else { high = middle }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: Shape = Shape { rate: 200_000, burst: 1, active: 0, pause: 0, duration: 10 * SECOND, orders: 0 };

    #[test]
    fn an_even_schedule_keeps_its_rate_exactly_to_the_last_order() {
        let schedule = Schedule::new(EVEN);

        assert_eq!(2_000_000, schedule.total());
        assert_eq!(0, schedule.due(0));
        assert_eq!(5_000, schedule.due(1));
        assert_eq!(9_999_995_000, schedule.due(1_999_999));
    }

    #[test]
    fn a_rate_that_does_not_divide_the_second_does_not_drift() {
        let schedule = Schedule::new(Shape { rate: 3, ..EVEN });

        assert_eq!(333_333_333, schedule.due(1));
        assert_eq!(SECOND, schedule.due(3));
        assert_eq!(1_000 * SECOND, schedule.due(3_000));
    }

    #[test]
    fn a_burst_falls_due_together_at_the_same_mean_rate() {
        let schedule = Schedule::new(Shape { burst: 10, ..EVEN });

        assert_eq!(schedule.due(0), schedule.due(9));
        assert_eq!(50_000, schedule.due(10));
        assert_eq!(2_000_000, schedule.total());
    }

    #[test]
    fn pauses_shift_what_comes_after_them() {
        let schedule = Schedule::new(Shape { rate: 1_000, active: SECOND, pause: 4 * SECOND, ..EVEN });

        assert_eq!(999_000_000, schedule.due(999));
        assert_eq!(5 * SECOND, schedule.due(1_000));
        assert_eq!(2_000, schedule.total());
    }

    #[test]
    fn the_order_count_caps_the_duration() {
        assert_eq!(7, Schedule::new(Shape { orders: 7, ..EVEN }).total());
    }

    #[test]
    fn extremes_neither_panic_nor_wrap() {
        let wild =
            Shape { rate: u64::MAX, burst: u64::MAX, active: 1, pause: u64::MAX, duration: u64::MAX, orders: u64::MAX };
        let schedule = Schedule::new(wild);

        assert!(schedule.due(u64::MAX) >= schedule.due(0));
        assert_eq!(0, Schedule::new(Shape { duration: 0, ..wild }).total());
    }
}
