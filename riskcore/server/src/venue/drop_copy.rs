//! The venue's drop copy: every execution once more, from an independent source, for the core to compare (rules.md U2).
//!
//! It counts as there once the venue has said something in sequence: an execution, or that there is no further one. It is
//! followed from the last copy taken; where copies are missing the stream ends and is asked for again from there.

use std::time::Duration;

use http::uri::PathAndQuery;
use riskcore::events::{DropCopy, Event, ReportKind};
use riskcore::ids::OrderId;
use riskcore::outcome::Outcome;
use riskcore::units::{Price, Qty};
use tonic::client::Grpc;
use tonic::codec::{EncodeBuf, Streaming};
use tonic::{Code, Request, Status};

use crate::config::MISSED_HEARTBEATS;
use crate::inbound::named;
use crate::plane::{Plane, Shared, yield_turn};
use crate::venue::attempts::{FIRST_ANSWER, keep_up};
use crate::venue::connect::connect;
use crate::venue::reports::Executions;
use crate::wire::frame::{Drain, FrameCodec, Ready};
use crate::wire::primitives::{put_bytes_always, put_uint};
use crate::wire::venue::{DropCopyResponse, VenueReport};

const MAX_FRAME: usize = 4 << 20;

/// What has been copied, over all streams of the day.
#[derive(Default)]
pub struct Copies {
    /// The venue may have forgotten the copies that were asked for: the next stream begins at its first.
    restart: bool,
    /// Executions that may yet be corrected or busted.
    executions: Executions,
}

/// Follows the drop copy until the gateway stops. Until it is there, it is missing.
pub async fn run(plane: Shared) {
    plane.lock().apply(&Event::DropCopyDown);
    keep_up(plane, "drop copy", follow).await;
}

async fn follow(plane: Shared) -> Status {
    let mut up = false;
    let why = copies(&plane, &mut up).await;
    let mut plane = plane.lock();
    if why.code() == Code::OutOfRange && plane.engine.checks().drop_copy.last_seq() > 0 {
        plane.copies.restart = true;
    }
    if up {
        plane.apply(&Event::DropCopyDown);
    }
    why
}

async fn copies(plane: &Shared, up: &mut bool) -> Status {
    let (address, request, every) = {
        let plane = plane.lock();
        let last = if plane.copies.restart { 0 } else { plane.engine.checks().drop_copy.last_seq() };
        let request = Subscription { gateway: plane.config.gateway.clone(), resume_after: last };
        (plane.config.venue_address.clone(), request, plane.config.heartbeat)
    };
    let mut inbound = match tokio::time::timeout(FIRST_ANSWER, open(&address, every, request)).await {
        Ok(Ok(inbound)) => inbound,
        Ok(Err(status)) => return status,
        Err(_) => return Status::deadline_exceeded("the venue's drop copy did not answer"),
    };
    let silence = every.max(Duration::from_secs(1)) * MISSED_HEARTBEATS;
    loop {
        let frame = match tokio::time::timeout(silence, inbound.message()).await {
            Ok(Ok(Some(frame))) => frame,
            Ok(Ok(None)) => return Status::unavailable("the venue's drop copy ended"),
            Ok(Err(status)) => return status,
            Err(_) => return Status::deadline_exceeded("the venue's drop copy went silent"),
        };
        if let Err(status) = plane.lock().on_drop_copy(&frame, up) {
            return status;
        }
        yield_turn().await;
    }
}

async fn open(address: &str, heartbeat: Duration, request: Subscription) -> Result<Streaming<bytes::Bytes>, Status> {
    let (channel, _cord) = connect(address, heartbeat).await?;
    let mut grpc = Grpc::new(channel).max_decoding_message_size(MAX_FRAME);
    grpc.ready().await.map_err(|e| Status::unavailable(format!("the drop copy is not reachable: {e}")))?;
    let path = PathAndQuery::from_static("/riskgate.v1.Exchange/DropCopy");
    let response = grpc.server_streaming(Request::new(Ready), path, FrameCodec::new(request)).await?;
    Ok(response.into_inner())
}

/// The request.
struct Subscription {
    gateway: String,
    resume_after: u64,
}

impl Drain for Subscription {
    fn drain(&mut self, out: &mut EncodeBuf<'_>) {
        put_bytes_always(out, 1, self.gateway.as_bytes());
        put_uint(out, 2, self.resume_after);
    }
}

impl Plane {
    fn on_drop_copy(&mut self, frame: &[u8], up: &mut bool) -> Result<(), Status> {
        let malformed = |what| Status::invalid_argument(format!("malformed drop copy: {what}"));
        let copy = DropCopyResponse::read(frame).map_err(|e| malformed(e.0))?;
        let last = if self.copies.restart { 0 } else { self.engine.checks().drop_copy.last_seq() };
        let missing = |from: u64| Status::data_loss(format!("drop copies are missing from {from} on"));
        // The first one of a day may have any number; from then on a gap is no beginning.
        let in_sequence = last == 0 || copy.drop_seq <= last + u64::from(copy.report.is_some());
        if !in_sequence {
            return Err(missing(last + 1));
        }
        if !*up {
            *up = true;
            let restarted = std::mem::take(&mut self.copies.restart);
            self.apply(&Event::DropCopyUp { restarted });
        }
        let Some(report) = copy.report else { return Ok(()) };
        self.counters.drop_copies += 1;
        let kind = self.copied_kind(&report).ok_or_else(|| malformed("it is no execution"))?;
        let name = if copy.symbol.is_empty() { report.symbol } else { copy.symbol };
        let symbol = named(name, |name| self.names().symbol(name)).known();
        let order = OrderId(report.order);
        match self.apply(&Event::DropCopy(DropCopy { drop_seq: copy.drop_seq, order, symbol, kind })) {
            Outcome::ReportGap(expected) => Err(missing(expected)),
            Outcome::Applied => {
                if let ReportKind::Trade { qty, price } | ReportKind::TradeCorrect { qty, price, .. } = kind {
                    self.copies.executions.put(report.exec_id, qty, price);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn copied_kind(&self, report: &VenueReport<'_>) -> Option<ReportKind> {
        let (qty, price) = (Qty(report.last_qty), Price(report.last_px));
        let referred = || self.copies.executions.find(report.exec_ref_id);
        Some(match u8::try_from(report.exec_type).ok()? {
            b'F' => ReportKind::Trade { qty, price },
            b'G' => {
                let (old_qty, old_price) = referred()?;
                ReportKind::TradeCorrect { old_qty, old_price, qty, price }
            }
            b'H' => {
                let (qty, price) = referred().or((qty.0 > 0).then_some((qty, price)))?;
                ReportKind::TradeCancel { qty, price }
            }
            _ => return None,
        })
    }
}
