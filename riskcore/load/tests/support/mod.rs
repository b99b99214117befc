//! What several test files share.

#![allow(dead_code, missing_docs, reason = "each test file uses a part")]

use std::time::{Duration, Instant};

use riskgate_load::flood::config::{OrdType, Side, TimeInForce};
use riskgate_load::flood::{Flood, FloodConfig, OrderLine, Protocol, SessionConfig, SessionReport, Shape};

/// Long enough for any machine; a test that meets it has failed.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub fn line() -> OrderLine {
    OrderLine {
        account: "ACC1".to_owned(),
        symbol: "AAPL".to_owned(),
        side: Side::Buy,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::ImmediateOrCancel,
        order_qty: 100,
        price: Some(100_000_000_000),
        parent_cl_ord_id: "P1".to_owned(),
        strategy: "RLP".to_owned(),
        order_flags: 1,
    }
}

pub fn session(router: &str, rate: u64, orders: u64) -> SessionConfig {
    SessionConfig {
        router: router.to_owned(),
        token: format!("token-{router}"),
        lines: vec![line(), OrderLine { side: Side::Sell, symbol: "MSFT".to_owned(), ..line() }],
        cancels_from: None,
        shape: Shape { rate, burst: 1, active: 0, pause: 0, duration: 60_000_000_000, orders },
        ping_pong: false,
        cl_ord_id_prefix: format!("{router}-"),
        resume_after: None,
    }
}

pub fn flood(target: impl ToString, protocol: Protocol, sessions: Vec<SessionConfig>) -> FloodConfig {
    FloodConfig {
        target: target.to_string(),
        protocol,
        sessions,
        threads: 1,
        max_batch: 256,
        logon_timeout: DEADLINE,
        drain_timeout: DEADLINE,
    }
}

/// Runs a flood to its end.
pub fn run(config: &FloodConfig) -> Vec<SessionReport> {
    let mut flood = Flood::start(config).expect("the configuration is valid");
    flood.join();
    flood.report()
}

/// Waits for a condition; fails the test at the deadline.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "still waiting: {what}");
        std::thread::yield_now();
    }
}
