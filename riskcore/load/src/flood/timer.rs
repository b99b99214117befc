//! Waiting until a nanosecond: a timerfd, because tokio's own timer rounds up to the next millisecond.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::clock::Clock;

const SECOND: u64 = 1_000_000_000;

/// One timer, for one task. Must be made and polled inside a tokio runtime with I/O.
#[derive(Debug)]
pub struct Timer {
    fd: AsyncFd<OwnedFd>,
    armed: Option<u64>,
}

impl Timer {
    /// A timer that is not set.
    pub fn new() -> io::Result<Self> {
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe; the soundness hole needs a descriptor that is replaced while registered, \
                      and this one is owned and never leaves"
        )]
        let fd = AsyncFd::with_interest(fd, Interest::READABLE)?;
        Ok(Self { fd, armed: None })
    }

    /// Ready once `clock` reads `at` or later; wakes the task then. Only the latest `at` counts.
    pub fn poll_until(&mut self, cx: &mut Context<'_>, clock: &Clock, at: u64) -> Poll<io::Result<()>> {
        loop {
            let now = clock.now();
            if now >= at {
                return Poll::Ready(Ok(()));
            }
            if self.armed != Some(at) {
                self.arm(at - now)?;
                self.armed = Some(at);
            }
            // The expiry count is never read: setting the timer again clears it, and each expiry is an edge of its own.
            ready!(self.fd.poll_read_ready(cx))?.clear_ready();
            self.armed = None;
        }
    }

    fn arm(&self, after: u64) -> io::Result<()> {
        let it_value = Timespec { tv_sec: (after / SECOND).cast_signed(), tv_nsec: (after % SECOND).cast_signed() };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::empty(), &Itimerspec { it_interval, it_value })?;
        Ok(())
    }
}
