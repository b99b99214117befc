//! The outgoing stream of one session: asks the state machine what to send, and sleeps to the nanosecond.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use tokio::sync::Notify;
use tonic::codegen::tokio_stream::Stream;

use super::session::{Frame, Session, Step};
use super::timer::Timer;
use crate::clock::Clock;
use crate::sync::lock;

/// What is due sooner than this is not worth a timer.
const SOON: u64 = 20_000;

/// Yields frames when they are due. Polled by the connection, and only when the connection has room.
#[derive(Debug)]
pub struct Source {
    session: Arc<Mutex<Session>>,
    timer: Timer,
    clock: Clock,
    ended: Arc<Notify>,
    /// A frame was yielded since the last pause.
    sent: bool,
}

impl Source {
    /// The source of `session`, which notifies `ended` when it has nothing more to send.
    pub fn new(session: Arc<Mutex<Session>>, timer: Timer, clock: Clock, ended: Arc<Notify>) -> Self {
        Self { session, timer, clock, ended, sent: false }
    }
}

impl Stream for Source {
    type Item = Frame;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        let this = self.get_mut();
        // One frame a turn. In a flood the next order is always due by the time this one is encoded, so that without a
        // pause orders would fill the send buffer (1 MB, some 80 ms of them) before the first byte reached the socket.
        if std::mem::take(&mut this.sent) && lock(&this.session).is_due(this.clock.now() + SOON) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            let mut session = lock(&this.session);
            let until = match session.step(this.clock.now()) {
                Step::Send(frame) => {
                    this.sent = true;
                    return Poll::Ready(Some(frame));
                }
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
            if let Err(error) = ready!(this.timer.poll_until(cx, until)) {
                lock(&this.session).close(Some(format!("timer: {error}")));
                this.ended.notify_one();
                return Poll::Ready(None);
            }
        }
    }
}
