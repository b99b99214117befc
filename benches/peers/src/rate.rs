//! `governor`: a rate limiter alone.

use std::hint::black_box;
use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use riskcore_bench::series::Round;

use crate::Side;

/// A rate that no bench reaches.
const A_SECOND: NonZeroU32 = NonZeroU32::new(1_000_000_000).expect("not zero");

pub struct Governor(DefaultDirectRateLimiter);

impl Governor {
    pub fn new() -> Governor {
        Governor(RateLimiter::direct(Quota::per_second(A_SECOND)))
    }
}

impl Side for Governor {
    fn name(&self) -> &'static str {
        "governor"
    }

    fn ran(&self) -> &'static str {
        "one rate limit at one scope, and nothing else (governor 0.10.4, direct, its default clock)"
    }

    fn round(&mut self, batch: usize) -> Round {
        let mut times = Round::default();
        for _ in 0..batch {
            let within = times.time(|| black_box(self.0.check()));
            assert!(within.is_ok(), "the bench met the rate limit");
        }
        times
    }
}
