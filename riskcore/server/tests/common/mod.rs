//! What the tests share: a gateway on free ports, a small venue, and a router - over real sockets, with the generated
//! clients and servers, so that the own codec is met by another one.

#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::disallowed_methods, reason = "the queues of a test grow with what the test itself sends")]

pub mod router;
pub mod venue;

use std::time::Duration;

use riskcore::events::Instrument;
use riskcore::security::Rules;
use riskcore::units::{Price, Qty};
use riskgate_server::config::{AccountSetup, Config, LimitSetup, PrincipalSetup, RouterSetup, Setup, SymbolSetup};
use riskgate_server::fleet::FleetSetup;
use riskgate_server::ring::RingBounds;
use riskgate_server::{DataPlane, proto};

pub const UNIT: i64 = 1_000_000_000;

/// How long anything may take. Only a failure waits so long.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Between two looks at a condition that nothing announces.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until `condition` holds.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(LOOK).await;
    }
}

/// A gateway with two routers, one account that needs no parent, one that does, and two symbols.
pub struct Gateway {
    pub plane: DataPlane,
}

/// What differs from test to test.
pub struct Options {
    pub heartbeat: Duration,
    pub reports: RingBounds,
    pub venue_queue: usize,
    pub message_rate: i128,
    pub halt_file: Option<std::path::PathBuf>,
    pub halt_socket: Option<std::path::PathBuf>,
    pub journal_file: Option<std::path::PathBuf>,
    pub max_sessions: usize,
    pub fleet: FleetSetup,
    pub drop_copy: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            heartbeat: Duration::from_millis(500),
            reports: RingBounds::default(),
            venue_queue: 1 << 20,
            message_rate: 1_000_000,
            halt_file: None,
            halt_socket: None,
            journal_file: None,
            max_sessions: 8,
            fleet: FleetSetup::default(),
            drop_copy: false,
        }
    }
}

impl Gateway {
    pub fn start(venue: &venue::Venue, options: Options) -> Gateway {
        let address = venue.address.to_string();
        let config = Config {
            gateway: "gw1".to_owned(),
            epoch: 7,
            trading_day: 20_120_801,
            order_entry_listen: "127.0.0.1:0".to_owned(),
            halt_listen: "127.0.0.1:0".to_owned(),
            halt_socket: options.halt_socket,
            halt_file: options.halt_file,
            venue_address: address.clone(),
            market_data_address: address,
            heartbeat: options.heartbeat,
            cancel_on_disconnect: true,
            replace_in_flight_mitigation: false,
            publishes_phases: false,
            drop_copy: options.drop_copy,
            journal_file: options.journal_file,
            max_orders: 1 << 17,
            max_parents: 1 << 10,
            max_sessions: options.max_sessions,
            reports: options.reports,
            venue_queue: options.venue_queue,
        };
        Gateway {
            plane: DataPlane::start(config, Setup { fleet: options.fleet, ..setup(options.message_rate) })
                .expect("the gateway starts"),
        }
    }

    /// Starts, and waits until orders can flow: the venue is reconciled and has sent a price.
    pub async fn ready(venue: &venue::Venue, options: Options) -> Gateway {
        let gateway = Gateway::start(venue, options);
        gateway.until_reconciled().await;
        until("a quote arrives", || gateway.metric("quotes_total") > 0).await;
        gateway
    }

    pub async fn until_reconciled(&self) {
        until("the venue is reconciled", || self.status().venue_reconciled).await;
    }

    pub fn order_entry(&self) -> String {
        format!("http://{}", self.plane.order_entry_address)
    }

    pub fn halt_door(&self) -> String {
        format!("http://{}", self.plane.halt_address)
    }

    pub fn metric(&self, name: &str) -> u64 {
        let metrics = self.plane.metrics().expect("metrics");
        metrics.into_iter().find(|(key, _)| key == name).map_or(0, |(_, value)| value)
    }

    pub fn admin<R: prost::Message + Default>(&self, method: &str, request: &impl prost::Message) -> R {
        let answer = self.plane.admin(method, request.encode_to_vec(), "alice").expect("an answer");
        R::decode(&answer[..]).expect("a response")
    }

    pub fn status(&self) -> proto::GetStatusResponse {
        self.admin("GetStatus", &proto::GetStatusRequest {})
    }
}

pub fn router_scope(name: &str) -> proto::Scope {
    proto::Scope { kind: proto::ScopeKind::Router as i32, name: name.to_owned(), symbol: String::new() }
}

fn setup(message_rate: i128) -> Setup {
    let money = |units: i128| units * i128::from(UNIT);
    let limit = |scope: &str, limit: &str, value: i128| LimitSetup {
        scope: scope.to_owned(),
        limit: limit.to_owned(),
        value: Some(value),
        action: String::new(),
        soft: false,
        principal: "config".to_owned(),
    };
    let symbol = |name: &str| SymbolSetup {
        name: name.to_owned(),
        instrument: Instrument { tick: Price(UNIT / 100), lot: Qty(1), multiplier: 1, currency: None },
        currency: None,
        rules: Rules::default(),
        prior_close: None,
        average_volume: None,
        security_group: None,
    };
    let router = |name: &str| RouterSetup {
        name: name.to_owned(),
        token: format!("token of {name}"),
        accounts: vec!["ACC1".to_owned(), "ACC2".to_owned()],
    };
    let account =
        |name: &str, parent_required| AccountSetup { name: name.to_owned(), parent_required, smp_group: None };
    let person =
        |name: &str, may_halt| PrincipalSetup { name: name.to_owned(), token: format!("token of {name}"), may_halt };
    Setup {
        accounts: vec![account("ACC1", false), account("ACC2", true), account("ACC3", false)],
        routers: vec![router("r1"), router("r2"), router("r3")],
        oms: vec![person("oms1", false)],
        operators: vec![person("alice", true), person("viewer", false)],
        strategies: vec!["RLP".to_owned()],
        symbols: vec![symbol("AAPL"), symbol("MSFT")],
        permits: Vec::new(),
        restricted: Vec::new(),
        limits: vec![
            limit("firm", "max_gross_notional", money(1_000_000_000_000)),
            limit("firm", "max_day_loss", money(1_000_000_000)),
            limit("account:*", "max_gross_notional", money(1_000_000_000_000)),
            limit("account:*", "max_day_loss", money(1_000_000_000)),
            limit("account:*", "max_order_notional", money(100_000_000)),
            limit("account:*", "max_turnover_day", money(1_000_000_000_000)),
            limit("firm", "max_turnover_day", money(1_000_000_000_000)),
            limit("router:*", "message_rate", message_rate),
            limit("router:*", "message_rate_window", i128::from(UNIT)),
            limit("symbol:*", "max_order_qty", 100_000),
            limit("symbol:*", "market_data_max_age", i128::from(UNIT) * 10),
            limit("symbol:*", "price_collar_bps", 1_000),
            limit("account_symbol:*", "max_long_position", 1_000_000_000),
            limit("account_symbol:*", "max_short_position", 1_000_000_000),
        ],
        ..Setup::default()
    }
}
