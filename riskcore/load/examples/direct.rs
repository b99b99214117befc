//! The generator against the stub, without Python: `cargo run --release --example direct -- RATE SESSIONS SECONDS [ping]`.

use riskgate_load::flood::config::{OrdType, Side, TimeInForce};
use riskgate_load::flood::{Flood, FloodConfig, OrderLine, Protocol, SessionConfig, Shape, total};
use riskgate_load::stub::{StubConfig, VenueStub};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (rate, sessions, seconds, burst) = (number(200_000), number(1), number(3), number(1));
    let ping_pong = std::env::args().any(|argument| argument == "ping");
    let stub = VenueStub::start(StubConfig { separate_ack: false, ..StubConfig::default() })?;
    let line = OrderLine {
        account: "ACC1".to_owned(),
        symbol: "AAPL".to_owned(),
        side: Side::Buy,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::ImmediateOrCancel,
        order_qty: 100,
        price: Some(100_000_000_000),
        parent_cl_ord_id: String::new(),
        strategy: String::new(),
        order_flags: 0,
    };
    let shape = Shape {
        rate: rate / sessions.max(1),
        burst,
        active: 0,
        pause: 0,
        duration: seconds * 1_000_000_000,
        orders: 0,
    };
    let session = |index: u64| SessionConfig {
        router: format!("gw{index}"),
        token: String::new(),
        lines: vec![line.clone()],
        shape,
        ping_pong,
        cl_ord_id_prefix: "F".to_owned(),
    };
    let config = FloodConfig {
        target: stub.address().to_string(),
        protocol: Protocol::Exchange { epoch: 1 },
        sessions: (0..sessions).map(session).collect(),
        threads: 1,
        max_batch: 256,
        logon_timeout: Duration::from_secs(5),
        drain_timeout: Duration::from_secs(5),
    };
    let mut flood = Flood::start(&config)?;
    flood.join();
    let sum = total(&flood.report());
    let show = |name: &str, histogram: &riskgate_load::flood::tally::Latencies| {
        let at = |quantile| histogram.value_at_quantile(quantile) / 1_000;
        println!("{name} us: p50 {} p90 {} p99 {} p99.9 {} max {}", at(0.5), at(0.9), at(0.99), at(0.999), at(1.0));
    };
    println!("{} sent, {} answered, {} frames, {} /s", sum.sent, sum.answered, sum.frames, sum.throughput());
    show("latency", &sum.latency);
    show("lag", &sum.lag);
    Ok(())
}
