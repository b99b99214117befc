//! `riskcore.Flood` and `riskcore.VenueStub`: the native load generator and venue stub, started and reported from
//! Python. They run on native threads; no call here holds the GIL while it waits.

use std::sync::Mutex;
use std::time::Duration;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use riskgate_load::flood::config::{OrdType, Side, TimeInForce};
use riskgate_load::flood::{
    self, FloodConfig, OrderLine, Protocol, SessionConfig, SessionReport, Shape, StartError, Tally,
};
use riskgate_load::proto::Quote;
use riskgate_load::stub::{self, Behaviour, StubConfig, StubCounts, StubError};
use riskgate_load::sync::lock;

use crate::errors::Error;

/// Units on each side of a quote of the stub.
const QUOTE_SIZE: i64 = 1_000_000;

/// Adds this file's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<FloodLine>()?;
    module.add_class::<FloodSession>()?;
    module.add_class::<Flood>()?;
    module.add_class::<VenueStub>()
}

/// One kind of order; a session sends its lines in turn.
#[pyclass(frozen, module = "riskcore", from_py_object)]
#[derive(Clone)]
pub struct FloodLine(OrderLine);

#[pymethods]
impl FloodLine {
    #[new]
    #[pyo3(signature = (*, account, symbol, side, order_qty, price, time_in_force = "ioc", parent_cl_ord_id = "",
                        strategy = "", order_flags = 0))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a configuration")]
    fn new(
        account: String,
        symbol: String,
        side: &str,
        order_qty: i64,
        price: Option<i64>,
        time_in_force: &str,
        parent_cl_ord_id: &str,
        strategy: &str,
        order_flags: u64,
    ) -> PyResult<Self> {
        Ok(Self(OrderLine {
            account,
            symbol,
            side: side_of(side)?,
            ord_type: if price.is_some() { OrdType::Limit } else { OrdType::Market },
            time_in_force: time_in_force_of(time_in_force)?,
            order_qty,
            price,
            parent_cl_ord_id: parent_cl_ord_id.to_owned(),
            strategy: strategy.to_owned(),
            order_flags,
        }))
    }
}

/// One router's session.
#[pyclass(frozen, module = "riskcore", from_py_object)]
#[derive(Clone)]
pub struct FloodSession(SessionConfig);

#[pymethods]
impl FloodSession {
    #[new]
    #[pyo3(signature = (*, router, token, lines, rate, duration_ns, orders = 0, burst = 1, active_ns = 0, pause_ns = 0,
                        ping_pong = false, cl_ord_id_prefix = "F", cancels_from = None,
                        resume_after = None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a configuration")]
    fn new(
        router: String,
        token: String,
        lines: Vec<FloodLine>,
        rate: u64,
        duration_ns: u64,
        orders: u64,
        burst: u64,
        active_ns: u64,
        pause_ns: u64,
        ping_pong: bool,
        cl_ord_id_prefix: &str,
        cancels_from: Option<u64>,
        resume_after: Option<u64>,
    ) -> Self {
        Self(SessionConfig {
            router,
            token,
            lines: lines.into_iter().map(|line| line.0).collect(),
            cancels_from,
            shape: Shape { rate, burst, active: active_ns, pause: pause_ns, duration: duration_ns, orders },
            ping_pong,
            cl_ord_id_prefix: cl_ord_id_prefix.to_owned(),
            resume_after,
        })
    }
}

/// The generator.
#[pyclass(frozen, module = "riskcore")]
pub struct Flood {
    config: FloodConfig,
    running: Mutex<Option<flood::Flood>>,
    /// What `recent` has told already.
    told: Mutex<Option<Tally>>,
}

#[pymethods]
impl Flood {
    #[new]
    #[pyo3(signature = (*, target, sessions, venue_epoch = None, threads = 1, max_batch = 256,
                        logon_timeout_ms = 5000, drain_timeout_ms = 2000))]
    fn new(
        target: String,
        sessions: Vec<FloodSession>,
        venue_epoch: Option<u32>,
        threads: usize,
        max_batch: usize,
        logon_timeout_ms: u64,
        drain_timeout_ms: u64,
    ) -> PyResult<Self> {
        let config = FloodConfig {
            target,
            protocol: venue_epoch.map_or(Protocol::OrderEntry, |epoch| Protocol::Exchange { epoch }),
            sessions: sessions.into_iter().map(|session| session.0).collect(),
            threads,
            max_batch,
            logon_timeout: Duration::from_millis(logon_timeout_ms),
            drain_timeout: Duration::from_millis(drain_timeout_ms),
        };
        config.check().map_err(|error| Error::Invalid(error.to_string()))?;
        Ok(Self { config, running: Mutex::new(None), told: Mutex::new(None) })
    }

    fn start(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let mut running = lock(&self.running);
            if running.is_some() {
                let text = "this flood has been started: make another one";
                return Err(Error::Failed(text.to_owned()).into());
            }
            *running = Some(flood::Flood::start(&self.config).map_err(start_error)?);
            Ok(())
        })
    }

    fn wait(&self, py: Python<'_>, timeout_ms: u64) -> bool {
        py.detach(|| self.with(|flood| flood.wait(Duration::from_millis(timeout_ms))).unwrap_or(true))
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| {
            let mut running = lock(&self.running);
            if let Some(flood) = running.as_mut() {
                flood.stop();
            }
        });
    }

    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let sessions = py.detach(|| self.with(flood::Flood::report).unwrap_or_default());
        let total = flood::total(&sessions);
        let unsent = sessions.iter().map(|session| session.unsent).sum();
        let report = tally_dict(py, &total, unsent)?;
        let each = sessions.iter().map(|session| session_dict(py, session)).collect::<PyResult<Vec<_>>>()?;
        report.set_item("sessions", PyList::new(py, each)?)?;
        Ok(report)
    }

    fn recent<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let sessions = py.detach(|| self.with(flood::Flood::report).unwrap_or_default());
        let total = flood::total(&sessions);
        let before = lock(&self.told).replace(total.clone());
        let fresh = before.map_or_else(|| total.clone(), |before| total.since(&before));
        tally_dict(py, &fresh, sessions.iter().map(|session| session.unsent).sum())
    }
}

impl Flood {
    fn with<T>(&self, use_it: impl FnOnce(&flood::Flood) -> T) -> Option<T> {
        lock(&self.running).as_ref().map(use_it)
    }
}

/// The venue stub.
#[pyclass(frozen, module = "riskcore")]
pub struct VenueStub {
    config: StubConfig,
    running: Mutex<Option<stub::VenueStub>>,
}

#[pymethods]
impl VenueStub {
    #[new]
    #[pyo3(signature = (*, listen = "127.0.0.1:0", behaviour = "fill", separate_ack = true,
                        quotes = Vec::new(), heartbeat_ms = 1000, quote_interval_ms = 100,
                        max_open_orders = 1048576, max_reports = 65536))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a configuration")]
    fn new(
        listen: &str,
        behaviour: &str,
        separate_ack: bool,
        quotes: Vec<(String, i64, i64)>,
        heartbeat_ms: u32,
        quote_interval_ms: u32,
        max_open_orders: usize,
        max_reports: usize,
    ) -> PyResult<Self> {
        let config = StubConfig {
            listen: listen.to_owned(),
            behaviour: behaviour_of(behaviour)?,
            separate_ack,
            quotes: quotes.into_iter().map(|(symbol, bid, offer)| quote(symbol, bid, offer)).collect(),
            heartbeat_ms,
            quote_interval_ms,
            max_open_orders,
            max_reports,
        };
        Ok(Self { config, running: Mutex::new(None) })
    }

    fn start(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let mut running = lock(&self.running);
            if running.is_none() {
                *running = Some(stub::VenueStub::start(self.config.clone()).map_err(stub_error)?);
            }
            Ok(())
        })
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| {
            lock(&self.running).take();
        });
    }

    #[getter]
    fn address(&self) -> PyResult<String> {
        let running = lock(&self.running);
        Ok(running.as_ref().ok_or_else(not_running)?.address().to_string())
    }

    fn set_quote(&self, symbol: String, bid: i64, offer: i64) -> PyResult<()> {
        let running = lock(&self.running);
        running.as_ref().ok_or_else(not_running)?.venue().quotes().set(quote(symbol, bid, offer));
        Ok(())
    }

    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let running = lock(&self.running);
        let counts = running.as_ref().ok_or_else(not_running)?.venue().counts();
        drop(running);
        stub_dict(py, &counts)
    }
}

fn session_dict<'py>(py: Python<'py>, session: &SessionReport) -> PyResult<Bound<'py, PyDict>> {
    let dict = tally_dict(py, &session.tally, session.unsent)?;
    dict.set_item("router", &session.router)?;
    dict.set_item("phase", session.phase.name())?;
    dict.set_item("error", session.error.as_deref())?;
    dict.set_item("last_report_seq", session.last_report_seq)?;
    Ok(dict)
}

fn tally_dict<'py>(py: Python<'py>, tally: &Tally, unsent: u64) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let counts = [
        ("elapsed_ns", tally.elapsed()),
        ("throughput", tally.throughput()),
        ("sent", tally.sent),
        ("unsent", unsent),
        ("answered", tally.answered),
        ("unanswered", tally.unanswered()),
        ("accepted", tally.accepted),
        ("rejected", tally.rejected),
        ("trades", tally.trades),
        ("filled", tally.filled),
        ("filled_qty", tally.filled_qty),
        ("canceled", tally.canceled),
        ("duplicates", tally.duplicates),
        ("earlier", tally.earlier),
        ("unsolicited", tally.unsolicited),
        ("sequence_gaps", tally.sequence_gaps),
        ("halts", tally.halts),
        ("frames", tally.frames),
    ];
    for (name, count) in counts {
        dict.set_item(name, count)?;
    }
    let names = PyDict::new(py);
    for (name, count) in tally.reject_names() {
        names.set_item(name, count)?;
    }
    dict.set_item("reject_reasons", names)?;
    dict.set_item("latency_ns", histogram_dict(py, &tally.latency)?)?;
    dict.set_item("accepted_latency_ns", histogram_dict(py, &tally.accepted_latency)?)?;
    dict.set_item("lag_ns", histogram_dict(py, &tally.lag)?)?;
    Ok(dict)
}

fn histogram_dict<'py>(py: Python<'py>, histogram: &flood::tally::Latencies) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("count", histogram.len())?;
    for (name, quantile) in [("min", 0.0), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99_9", 0.999), ("max", 1.0)] {
        dict.set_item(name, histogram.value_at_quantile(quantile))?;
    }
    Ok(dict)
}

fn stub_dict<'py>(py: Python<'py>, counts: &StubCounts) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let counts = [
        ("gateways", counts.gateways),
        ("open_orders", counts.open_orders),
        ("orders", counts.book.orders),
        ("cancels", counts.book.cancels),
        ("replaces", counts.book.replaces),
        ("trades", counts.book.trades),
        ("rejects", counts.book.rejects),
        ("reports", counts.book.reports),
        ("duplicates", counts.book.duplicates),
    ];
    for (name, count) in counts {
        dict.set_item(name, count)?;
    }
    Ok(dict)
}

fn quote(symbol: String, bid_px: i64, offer_px: i64) -> Quote {
    Quote { symbol, bid_px, offer_px, bid_size: QUOTE_SIZE, offer_size: QUOTE_SIZE, transact_time: 0 }
}

fn side_of(name: &str) -> PyResult<Side> {
    match name {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        "sell_short" => Ok(Side::SellShort),
        "sell_short_exempt" => Ok(Side::SellShortExempt),
        _ => Err(unknown("side", name, "buy, sell, sell_short, sell_short_exempt")),
    }
}

fn time_in_force_of(name: &str) -> PyResult<TimeInForce> {
    match name {
        "day" => Ok(TimeInForce::Day),
        "gtc" => Ok(TimeInForce::GoodTillCancel),
        "ioc" => Ok(TimeInForce::ImmediateOrCancel),
        "fok" => Ok(TimeInForce::FillOrKill),
        _ => Err(unknown("time_in_force", name, "day, gtc, ioc, fok")),
    }
}

fn behaviour_of(name: &str) -> PyResult<Behaviour> {
    match name {
        "ack" => Ok(Behaviour::Ack),
        "fill" => Ok(Behaviour::Fill),
        "reject" => Ok(Behaviour::Reject),
        _ => Err(unknown("behaviour", name, "ack, fill, reject")),
    }
}

fn unknown(argument: &str, value: &str, choices: &str) -> PyErr {
    Error::Invalid(format!("{argument} = {value:?} is not one of {choices}")).into()
}

fn not_running() -> PyErr {
    Error::Failed("the venue stub is not running: call start() first".to_owned()).into()
}

fn start_error(error: StartError) -> PyErr {
    match error {
        StartError::Config(_) => Error::Invalid(error.to_string()).into(),
        StartError::Thread(_) => PyOSError::new_err(error.to_string()),
    }
}

fn stub_error(error: StubError) -> PyErr {
    match error {
        StubError::Address(_) => Error::Invalid(error.to_string()).into(),
        StubError::Listen(..) | StubError::Thread(_) => PyOSError::new_err(error.to_string()),
    }
}
