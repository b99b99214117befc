//! Waiting until a nanosecond: a timerfd, because tokio's own timer rounds up to the next millisecond. All sessions of a
//! thread share one, so that those whose orders are due together cost one system call, not one each.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::clock::Clock;
use crate::sync::lock;

const SECOND: u64 = 1_000_000_000;

/// The timer of a thread. [`Timers::run`] must run on it for the timers to end.
#[derive(Debug)]
pub struct Timers {
    fd: AsyncFd<OwnedFd>,
    clock: Clock,
    waits: Mutex<Waits>,
}

#[derive(Debug, Default)]
struct Waits {
    /// For when the timer is set.
    armed: Option<u64>,
    /// Whom to wake when, by the number of the timer.
    sleepers: Vec<Option<(u64, Waker)>>,
}

/// The timer of one task.
#[derive(Debug)]
pub struct Timer {
    timers: Arc<Timers>,
    number: usize,
}

impl Waits {
    fn wake_until(&mut self, now: u64) {
        for sleeper in &mut self.sleepers {
            if let Some((_, waker)) = sleeper.take_if(|(at, _)| *at <= now) {
                waker.wake();
            }
        }
    }
}

impl Timers {
    /// No timers. Must be made and run inside a tokio runtime with I/O.
    pub fn new(clock: Clock) -> io::Result<Self> {
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe; the soundness hole needs a descriptor that is replaced while registered, \
                      and this one is owned and never leaves"
        )]
        let fd = AsyncFd::with_interest(fd, Interest::READABLE)?;
        Ok(Self { fd, clock, waits: Mutex::default() })
    }

    /// Wakes whoever is due, until the runtime ends.
    pub async fn run(self: Arc<Self>) {
        // The expiry count is never read: setting the timer again clears it, and each expiry is an edge of its own.
        while let Ok(mut expired) = self.fd.readable().await {
            expired.clear_ready();
            self.wake_due();
        }
    }

    fn wake_due(&self) {
        let now = self.clock.now();
        let mut waits = lock(&self.waits);
        waits.armed = None;
        waits.wake_until(now);
        let next = waits.sleepers.iter().flatten().map(|(at, _)| *at).min();
        if next.is_some_and(|next| self.arm(&mut waits, now, next).is_err()) {
            // Each sets the timer again, and says why it cannot.
            waits.wake_until(u64::MAX);
        }
    }

    fn sleep(&self, number: usize, cx: &Context<'_>, now: u64, at: u64) -> io::Result<()> {
        let mut waits = lock(&self.waits);
        match waits.sleepers.get_mut(number) {
            Some(Some((until, waker))) if waker.will_wake(cx.waker()) => *until = at,
            Some(sleeper) => *sleeper = Some((at, cx.waker().clone())),
            None => {}
        }
        if waits.armed.is_some_and(|armed| armed <= at) { Ok(()) } else { self.arm(&mut waits, now, at) }
    }

    fn arm(&self, waits: &mut Waits, now: u64, at: u64) -> io::Result<()> {
        // Nothing at all would disarm it.
        let after = at.saturating_sub(now).max(1);
        let it_value = Timespec { tv_sec: (after / SECOND).cast_signed(), tv_nsec: (after % SECOND).cast_signed() };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::empty(), &Itimerspec { it_interval, it_value })?;
        waits.armed = Some(at);
        Ok(())
    }
}

impl Timer {
    /// One more of `timers`.
    pub fn new(timers: &Arc<Timers>) -> Self {
        let mut waits = lock(&timers.waits);
        waits.sleepers.push(None);
        Self { timers: Arc::clone(timers), number: waits.sleepers.len() - 1 }
    }

    /// Ready once the clock reads `at` or later; wakes the task then. Only the latest `at` counts.
    pub fn poll_until(&self, cx: &Context<'_>, at: u64) -> Poll<io::Result<()>> {
        let now = self.timers.clock.now();
        if now >= at {
            return Poll::Ready(Ok(()));
        }
        match self.timers.sleep(self.number, cx, now, at) {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}
