//! The outgoing stream of one session: asks the state machine what to send, and sleeps to the nanosecond.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::sync::Notify;
use tonic::codegen::tokio_stream::Stream;

use super::session::{Frame, Session, Step};
use super::timer::Timer;
use crate::clock::Clock;

/// Yields frames when they are due. Polled by the connection, and only when the connection has room.
#[derive(Debug)]
pub struct Source {
    session: Arc<Mutex<Session>>,
    timer: Timer,
    clock: Clock,
    ended: Arc<Notify>,
}

impl Source {
    /// The source of `session`, which notifies `ended` when it has nothing more to send; needs a tokio runtime with
    /// I/O.
    pub fn new(session: Arc<Mutex<Session>>, clock: Clock, ended: Arc<Notify>) -> io::Result<Self> {
        Ok(Self { session, timer: Timer::new()?, clock, ended })
    }
}

impl Stream for Source {
    type Item = Frame;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        let this = self.get_mut();
        loop {
            let mut session = this.session.lock().unwrap_or_else(PoisonError::into_inner);
            let until = match session.step(this.clock.now()) {
                Step::Send(frame) => return Poll::Ready(Some(frame)),
                Step::End => {
                    this.ended.notify_one();
                    return Poll::Ready(None);
                }
                Step::Wait => {
                    session.set_waker(cx.waker());
                    return Poll::Pending;
                }
                Step::WaitUntil(until) => until,
            };
            session.set_waker(cx.waker());
            drop(session);
            if let Err(error) = ready!(this.timer.poll_until(cx, &this.clock, until)) {
                this.session.lock().unwrap_or_else(PoisonError::into_inner).close(Some(format!("timer: {error}")));
                this.ended.notify_one();
                return Poll::Ready(None);
            }
        }
    }
}
