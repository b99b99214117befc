//! Attempts at a stream to the exchange: one at a time, with growing pauses between them.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use tonic::Status;

use crate::error::in_full;
use crate::plane::Shared;

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long the exchange may take until its first answer; an attempt that lasted longer had succeeded.
pub const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// Attempts again and again until the gateway stops. Each ends with the reason why there is no `what` any more.
pub async fn keep_up<A: Future<Output = Status>>(plane: Shared, what: &str, attempt: impl Fn(Shared) -> A) {
    let mut pause = FIRST_PAUSE;
    let mut told = String::new();
    loop {
        let before = Instant::now();
        let why = attempt(plane.clone()).await;
        if before.elapsed() > FIRST_ANSWER {
            pause = FIRST_PAUSE;
        }
        {
            let mut plane = plane.lock();
            if plane.stopping {
                return;
            }
            // Not a line per attempt: the same reason is told once.
            let why = in_full(&why);
            if why != told {
                told = why;
                plane.announce("venue", format!("no {what}: {told}"));
            }
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}
