//! Market data: the newest quote of each symbol, at most one per symbol and millisecond into the core. A quote that is
//! repeated is passed on, too: it says that the price is still good. Statuses (`statuses.rs`) and the rates of currencies
//! (`rates.rs`) travel with the quotes.

use std::time::Duration;

use http::uri::PathAndQuery;
use riskcore::events::Event;
use riskcore::ids::SymbolId;
use riskcore::units::{Nanos, Price};
use tonic::client::Grpc;
use tonic::codec::{EncodeBuf, Streaming};
use tonic::{Request, Status};

use crate::config::MISSED_HEARTBEATS;
use crate::inbound::named;
use crate::plane::{Plane, Shared, yield_turn};
use crate::venue::attempts::{FIRST_ANSWER, keep_up};
use crate::venue::connect::connect;
use crate::venue::rates::Rates;
use crate::venue::statuses::Statuses;
use crate::wire::Malformed;
use crate::wire::frame::{Drain, FrameCodec, Ready};
use crate::wire::primitives::put_bytes_always;
use crate::wire::venue::MarketDataResponse;

const MAX_FRAME: usize = 4 << 20;

/// Between two ticks of a symbol.
const INTERVAL: Nanos = Nanos::from_millis(1);

/// A quote that waits for its symbol's next turn.
#[derive(Clone, Copy, Default)]
struct Slot {
    newest: Option<(Price, Price)>,
    passed_on: Option<Nanos>,
}

/// The newest quotes.
pub struct Feed {
    slots: Vec<Slot>,
    waiting: Vec<SymbolId>,
    statuses: Statuses,
    rates: Rates,
}

impl Feed {
    fn new(symbols: usize, currencies: usize) -> Feed {
        Feed {
            slots: vec![Slot::default(); symbols],
            waiting: Vec::new(),
            statuses: Statuses::new(symbols),
            rates: Rates::new(currencies),
        }
    }

    /// Statuses come first: no quote may open what they close.
    fn take(&mut self, plane: &mut Plane, frame: &[u8]) -> Result<(), Malformed> {
        self.rates.take(plane, frame)?;
        self.statuses.take(plane, frame)?;
        let mut quotes = MarketDataResponse::new(frame);
        while let Some(quote) = quotes.next_quote()? {
            let symbol = named(quote.symbol, |name| plane.names().symbol(name)).known();
            let Some((symbol, slot)) = symbol.and_then(|symbol| Some((symbol, self.slots.get_mut(symbol.index())?)))
            else {
                continue;
            };
            plane.counters.quotes += 1;
            match slot.newest.replace((Price(quote.bid_px), Price(quote.offer_px))) {
                Some(_) => plane.counters.quotes_merged += 1,
                None => self.waiting.push(symbol),
            }
        }
        self.pass_on(plane);
        Ok(())
    }

    /// Gives the core every rate and every quote whose turn has come.
    fn pass_on(&mut self, plane: &mut Plane) {
        self.rates.pass_on(plane);
        let now = plane.now();
        let slots = &mut self.slots;
        self.waiting.retain(|symbol| {
            let Some(slot) = slots.get_mut(symbol.index()) else { return false };
            if slot.passed_on.is_some_and(|at| now.since(at) < INTERVAL) {
                return true;
            }
            if let Some((bid, ask)) = slot.newest.take() {
                slot.passed_on = Some(now);
                plane.apply(&Event::Tick { symbol: *symbol, bid, ask });
            }
            false
        });
    }
}

/// Follows the market until the gateway stops.
pub async fn run(plane: Shared) {
    keep_up(plane, "market data", follow).await;
}

async fn follow(plane: Shared) -> Status {
    let (address, every, symbols, currencies) = {
        let plane = plane.lock();
        let names = &plane.names().symbols;
        let symbols: Vec<String> = (0..names.len()).map(|n| names.name(n as u32).to_owned()).collect();
        let currencies = plane.names().currencies.len();
        (plane.config.market_data_address.clone(), plane.config.heartbeat, symbols, currencies)
    };
    let mut feed = Feed::new(symbols.len(), currencies);
    let mut inbound = match tokio::time::timeout(FIRST_ANSWER, open(&address, every, symbols)).await {
        Ok(Ok(inbound)) => inbound,
        Ok(Err(status)) => return status,
        Err(_) => return Status::deadline_exceeded("the source of market data did not answer"),
    };
    let why = read(&plane, &mut inbound, &mut feed, every.max(Duration::from_secs(1)) * MISSED_HEARTBEATS).await;
    forget_phases(&mut plane.lock());
    why
}

/// Nobody says any more whether the market trades. A venue that never said has nothing to be forgotten.
fn forget_phases(plane: &mut Plane) {
    if plane.config.publishes_phases {
        plane.apply(&Event::Phase { symbol: None, phase: None });
    }
}

async fn read(plane: &Shared, inbound: &mut Streaming<bytes::Bytes>, feed: &mut Feed, silence: Duration) -> Status {
    loop {
        let waiting = !feed.waiting.is_empty() || feed.rates.wait();
        tokio::select! {
            biased;
            frame = inbound.message() => match frame {
                Ok(Some(frame)) => {
                    if let Err(e) = feed.take(&mut plane.lock(), &frame) {
                        return Status::invalid_argument(format!("malformed market data: {}", e.0));
                    }
                    yield_turn().await;
                }
                Ok(None) => return Status::unavailable("the market data stream ended"),
                Err(status) => return status,
            },
            () = tokio::time::sleep(Duration::from_millis(1)), if waiting => feed.pass_on(&mut plane.lock()),
            () = tokio::time::sleep(silence) => return Status::deadline_exceeded("the market data went silent"),
        }
    }
}

async fn open(address: &str, heartbeat: Duration, symbols: Vec<String>) -> Result<Streaming<bytes::Bytes>, Status> {
    let (channel, _cord) = connect(address, heartbeat).await?;
    let mut grpc = Grpc::new(channel).max_decoding_message_size(MAX_FRAME);
    grpc.ready().await.map_err(|e| Status::unavailable(format!("market data is not reachable: {e}")))?;
    let path = PathAndQuery::from_static("/riskgate.v1.Exchange/MarketData");
    let codec = FrameCodec::new(Subscription(symbols));
    let response = grpc.server_streaming(Request::new(Ready), path, codec).await?;
    Ok(response.into_inner())
}

/// The request: the symbols of the configuration.
struct Subscription(Vec<String>);

impl Drain for Subscription {
    fn drain(&mut self, out: &mut EncodeBuf<'_>) {
        for symbol in &self.0 {
            put_bytes_always(out, 1, symbol.as_bytes());
        }
    }
}
