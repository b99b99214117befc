//! The link to the exchange: one session at a time, reconnected with growing pauses, never a message kept for later.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::PathAndQuery;
use riskcore::units::Nanos;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_stream::Stream;
use tonic::client::Grpc;
use tonic::codec::{EncodeBuf, Streaming};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::config::MISSED_HEARTBEATS;
use crate::plane::{Shared, yield_turn};
use crate::venue::attempts::{FIRST_ANSWER, keep_up};
use crate::venue::connect::connect;
use crate::venue::state::Phase;
use crate::wire::frame::{Drain, FrameCodec, Ready};
use crate::wire::venue::{cancels_taken, write_heartbeat};

/// The largest frame the venue may send.
const MAX_FRAME: usize = 4 << 20;

/// Keeps the link up until the gateway stops.
pub async fn run(plane: Shared) {
    keep_up(plane, "venue link", session).await;
}

/// One session, from connecting to its end; the reason of the end.
async fn session(plane: Shared) -> Status {
    let (address, heartbeat) = {
        let config = &plane.lock().config;
        (config.venue_address.clone(), config.heartbeat)
    };
    let (orders, order_cord) = match connect(&address, heartbeat).await {
        Ok(connected) => connected,
        Err(status) => return status,
    };
    let (cancels, cancel_cord) = match connect(&address, heartbeat).await {
        Ok(connected) => connected,
        Err(status) => return status,
    };
    let session = plane.lock().venue_session_begins(vec![order_cord, cancel_cord]);
    let lane = tokio::spawn(cancel_stream(plane.clone(), session, cancels));
    let why = order_stream(&plane, session, orders).await;
    let mut guard = plane.lock();
    if why.code() == Code::OutOfRange && guard.venue.phase == Phase::LoggingOn {
        guard.venue_forgot();
    }
    guard.venue_session_ends(session, &why);
    drop(guard);
    lane.abort();
    why
}

async fn order_stream(plane: &Shared, session: u64, channel: Channel) -> Status {
    let opening = open(channel, "/riskgate.v1.Exchange/Session", OrdersOut { plane: plane.clone(), session });
    let mut inbound = match tokio::time::timeout(FIRST_ANSWER, opening).await {
        Ok(Ok(inbound)) => inbound,
        Ok(Err(status)) => return status,
        Err(_) => return Status::deadline_exceeded("the venue did not answer the logon"),
    };
    let mut heard = Instant::now();
    let mut beat = Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(10));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            frame = inbound.message() => {
                let frame = match frame {
                    Ok(Some(frame)) => frame,
                    Ok(None) => return Status::unavailable("the venue ended the session"),
                    Err(status) => return status,
                };
                heard = Instant::now();
                if let Err(status) = plane.lock().on_venue_frame(session, &frame) {
                    return status;
                }
                yield_turn().await;
            }
            _ = look.tick() => {
                let mut plane = plane.lock();
                let every = plane.venue_heartbeat();
                if heard.elapsed() > every * MISSED_HEARTBEATS {
                    return Status::deadline_exceeded("nothing was heard of the venue for three heartbeats");
                }
                let patience = Nanos((every * MISSED_HEARTBEATS).as_nanos() as i64);
                plane.check_venue_lane(session, patience);
                if plane.stopping && plane.engine.state().orders.open() == 0 {
                    return Status::ok("the gateway stops");
                }
                if beat.elapsed() >= every / 2 {
                    beat = Instant::now();
                    plane.send_control(|out| write_heartbeat(out, 0));
                }
            }
        }
    }
}

/// Cancels on a connection of their own. When it ends before the session, cancels take the order stream.
async fn cancel_stream(plane: Shared, session: u64, channel: Channel) {
    let opening = open(channel, "/riskgate.v1.Exchange/Cancels", CancelsOut { plane: plane.clone(), session });
    if let Ok(mut inbound) = opening.await {
        while let Ok(Some(frame)) = inbound.message().await {
            if let Ok(taken) = cancels_taken(&frame) {
                plane.lock().venue_lane_taken(session, taken);
            }
        }
    }
    plane.lock().venue_lane_lost(session);
}

async fn open<D>(channel: Channel, path: &'static str, out: D) -> Result<Streaming<bytes::Bytes>, Status>
where
    D: Drain + Stream<Item = Ready> + Clone,
{
    let mut grpc = Grpc::new(channel).max_decoding_message_size(MAX_FRAME);
    grpc.ready().await.map_err(|e| Status::unavailable(format!("the venue is not reachable: {e}")))?;
    let codec = FrameCodec::new(out.clone());
    let response = grpc.streaming(Request::new(out), PathAndQuery::from_static(path), codec).await?;
    Ok(response.into_inner())
}

#[derive(Clone)]
struct OrdersOut {
    plane: Shared,
    session: u64,
}

impl Drain for OrdersOut {
    fn drain(&mut self, out: &mut EncodeBuf<'_>) {
        self.plane.lock().drain_venue(self.session, out);
    }
}

impl Stream for OrdersOut {
    type Item = Ready;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Ready>> {
        self.plane.lock().poll_venue(self.session, cx)
    }
}

#[derive(Clone)]
struct CancelsOut {
    plane: Shared,
    session: u64,
}

impl Drain for CancelsOut {
    fn drain(&mut self, out: &mut EncodeBuf<'_>) {
        self.plane.lock().drain_venue_lane(self.session, out);
    }
}

impl Stream for CancelsOut {
    type Item = Ready;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Ready>> {
        self.plane.lock().poll_venue_lane(self.session, cx)
    }
}
