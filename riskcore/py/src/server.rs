//! `riskcore.DataPlane` and `riskcore.DataPlaneConfig`: the running order path, set up and asked from Python. No call here
//! holds the GIL while it waits, and no Python runs on a data-plane thread.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use riskcore::events::Instrument;
use riskcore::security::Rules;
use riskcore::units::{Price, Qty};
use riskgate_server::config::{
    AccountSetup, Config, LimitSetup, OpeningSetup, PermitSetup, PrincipalSetup, ReadinessSetup, RestrictedSetup,
    RouterSetup, Setup, SymbolSetup,
};
use riskgate_server::fleet::Policy;
use riskgate_server::fleet::attestation::{self, Attributes};
use riskgate_server::fleet::flags::Flag;
use riskgate_server::ring::RingBounds;

use crate::arguments;
use crate::errors::Error;

/// Bytes that may wait for the venue before new orders are refused: some 10,000 orders.
const VENUE_QUEUE: usize = 1 << 20;

/// Adds this file's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<DataPlaneConfig>()?;
    module.add_class::<DataPlane>()
}

impl From<riskgate_server::Error> for Error {
    fn from(error: riskgate_server::Error) -> Error {
        match error {
            riskgate_server::Error::Invalid(text) => Error::Invalid(text),
            riskgate_server::Error::Refused(text) => Error::Refused(text),
            other => Error::Failed(other.to_string()),
        }
    }
}

/// Everything the data plane is told before it starts.
#[pyclass(frozen, module = "riskcore")]
pub struct DataPlaneConfig(Config);

#[pymethods]
impl DataPlaneConfig {
    #[new]
    #[pyo3(signature = (*, gateway, epoch, trading_day, order_entry_listen, halt_listen, halt_socket, halt_file,
                        venue_address, market_data_address, heartbeat_ms, cancel_on_disconnect,
                        replace_in_flight_mitigation, publishes_phases, drop_copy, journal_file, max_orders, max_parents,
                        max_sessions))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a configuration")]
    fn new(
        gateway: String,
        epoch: u32,
        trading_day: u32,
        order_entry_listen: String,
        halt_listen: String,
        halt_socket: Option<String>,
        halt_file: Option<String>,
        venue_address: String,
        market_data_address: String,
        heartbeat_ms: u64,
        cancel_on_disconnect: bool,
        replace_in_flight_mitigation: bool,
        publishes_phases: bool,
        drop_copy: bool,
        journal_file: Option<String>,
        max_orders: usize,
        max_parents: usize,
        max_sessions: usize,
    ) -> PyResult<Self> {
        if heartbeat_ms == 0 {
            return Err(Error::Invalid("heartbeat_ms must be positive".to_owned()).into());
        }
        if epoch == 0 || epoch >= 1 << 23 {
            return Err(
                Error::Invalid(format!("epoch {epoch}: must be 1 to 8388607, the upper part of an OrderID")).into()
            );
        }
        Ok(Self(Config {
            gateway,
            epoch,
            trading_day,
            order_entry_listen,
            halt_listen,
            halt_socket: halt_socket.map(Into::into),
            halt_file: halt_file.map(Into::into),
            venue_address,
            market_data_address,
            heartbeat: Duration::from_millis(heartbeat_ms),
            cancel_on_disconnect,
            replace_in_flight_mitigation,
            publishes_phases,
            drop_copy,
            journal_file: journal_file.map(Into::into),
            max_orders,
            max_parents,
            max_sessions,
            reports: RingBounds::default(),
            venue_queue: VENUE_QUEUE,
        }))
    }
}

/// What the data plane is: being set up, or started.
enum State {
    Setup(Box<(Config, Setup)>),
    Started(Arc<riskgate_server::DataPlane>),
}

/// The order path.
#[pyclass(frozen, module = "riskcore")]
pub struct DataPlane(Mutex<State>);

impl DataPlane {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_up(&self, change: impl FnOnce(&mut Setup)) -> PyResult<()> {
        match &mut *self.lock() {
            State::Setup(parts) => {
                change(&mut parts.1);
                Ok(())
            }
            State::Started(_) => {
                Err(Error::Failed("the data plane has started; use Admin to change it".to_owned()).into())
            }
        }
    }

    fn started(&self) -> PyResult<Arc<riskgate_server::DataPlane>> {
        match &*self.lock() {
            State::Started(plane) => Ok(Arc::clone(plane)),
            State::Setup(_) => Err(Error::Failed("the data plane has not been started".to_owned()).into()),
        }
    }
}

#[pymethods]
impl DataPlane {
    #[new]
    fn new(config: &DataPlaneConfig) -> Self {
        Self(Mutex::new(State::Setup(Box::new((config.0.clone(), Setup::default())))))
    }

    #[pyo3(signature = (name, *, parent_required = true, smp_group = None))]
    fn define_account(&self, name: String, parent_required: bool, smp_group: Option<String>) -> PyResult<()> {
        self.set_up(|setup| setup.accounts.push(AccountSetup { name, parent_required, smp_group }))
    }

    #[pyo3(signature = (name, *, token, accounts))]
    fn define_router(&self, name: String, token: String, accounts: Vec<String>) -> PyResult<()> {
        self.set_up(|setup| setup.routers.push(RouterSetup { name, token, accounts }))
    }

    #[pyo3(signature = (name, *, token))]
    fn define_oms(&self, name: String, token: String) -> PyResult<()> {
        self.set_up(|setup| setup.oms.push(PrincipalSetup { name, token, may_halt: false }))
    }

    #[pyo3(signature = (name, *, token, may_halt))]
    fn define_operator(&self, name: String, token: String, may_halt: bool) -> PyResult<()> {
        self.set_up(|setup| setup.operators.push(PrincipalSetup { name, token, may_halt }))
    }

    fn define_strategy(&self, name: String) -> PyResult<()> {
        self.set_up(|setup| setup.strategies.push(name))
    }

    fn base_currency(&self, name: String) -> PyResult<()> {
        self.set_up(|setup| setup.base_currency = name)
    }

    #[pyo3(signature = (name, *, tick, lot = 1, multiplier = 1, reg_sho = false, luld = false, easy_to_borrow = false,
                        prior_close = None, adv = None, security_group = None, currency = None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a configuration")]
    fn define_symbol(
        &self,
        name: String,
        tick: i64,
        lot: i64,
        multiplier: i64,
        reg_sho: bool,
        luld: bool,
        easy_to_borrow: bool,
        prior_close: Option<i64>,
        adv: Option<i64>,
        security_group: Option<String>,
        currency: Option<String>,
    ) -> PyResult<()> {
        let instrument = Instrument { tick: Price(tick), lot: Qty(lot), multiplier, currency: None };
        let rules = Rules { reg_sho, luld, easy_to_borrow };
        self.set_up(|setup| {
            let average_volume = adv.map(Qty);
            setup.symbols.push(SymbolSetup {
                name,
                instrument,
                currency,
                rules,
                prior_close,
                average_volume,
                security_group,
            });
        })
    }

    fn permit(&self, scope: String, symbols: Vec<String>) -> PyResult<()> {
        self.set_up(|setup| setup.permits.push(PermitSetup { scope, symbols }))
    }

    #[pyo3(signature = (symbol, stops, *, text))]
    fn restrict(&self, symbol: String, stops: &str, text: String) -> PyResult<()> {
        let stops = arguments::stops(stops)?;
        self.set_up(|setup| setup.restricted.push(RestrictedSetup { symbol, stops, text }))
    }

    fn opening_position(&self, account: String, symbol: String, qty: i64, mark: i64) -> PyResult<()> {
        self.set_up(|setup| setup.opening.push(OpeningSetup { account, symbol, qty, mark }))
    }

    #[pyo3(signature = (scope, limit, value, *, action = String::new(), soft = false, principal = "config".to_owned()), text_signature = "($self, scope, limit, value, *, action='', soft=False, principal='config')")]
    fn set_limit(
        &self,
        scope: String,
        limit: String,
        value: Option<i128>,
        action: String,
        soft: bool,
        principal: String,
    ) -> PyResult<()> {
        self.set_up(|setup| setup.limits.push(LimitSetup { scope, limit, value, action, soft, principal }))
    }

    #[pyo3(signature = (*, policy, environment, has_manifest, quarantine_culprit))]
    fn fleet_rules(
        &self,
        policy: &str,
        environment: Option<String>,
        has_manifest: bool,
        quarantine_culprit: bool,
    ) -> PyResult<()> {
        let policy = match policy {
            "refuse" => Policy::Refuse,
            "quarantine" => Policy::Quarantine,
            other => return Err(Error::Invalid(format!("policy {other:?} is neither refuse nor quarantine")).into()),
        };
        self.set_up(|setup| {
            let fleet = &mut setup.fleet;
            (fleet.policy, fleet.environment) = (policy, environment);
            (fleet.has_manifest, fleet.quarantine_culprit) = (has_manifest, quarantine_culprit);
        })
    }

    fn expect_attestation(&self, router: String, attributes: BTreeMap<String, String>) -> PyResult<()> {
        let mut expected = Attributes::new();
        for (name, value) in attributes {
            let known = attestation::attribute(&name);
            let name = known.ok_or_else(|| Error::Invalid(format!("{name:?} is no attribute of an attestation")))?;
            expected.insert(name, value);
        }
        self.set_up(|setup| _ = setup.fleet.expected.insert(router, expected))
    }

    #[pyo3(signature = (bit, *, name, version, owner, retired = false, readers = Vec::new()))]
    fn define_flag(
        &self,
        bit: u32,
        name: String,
        version: String,
        owner: String,
        retired: bool,
        readers: Vec<String>,
    ) -> PyResult<()> {
        if bit > 63 {
            return Err(Error::Invalid(format!("bit {bit} of flag {name}: must be 0 to 63")).into());
        }
        self.set_up(|setup| setup.fleet.flags.push(Flag { bit, name, version, owner, retired, readers }))
    }

    #[pyo3(signature = (*, open_at, grace, all_routers, symbols))]
    fn readiness(&self, open_at: i64, grace: i64, all_routers: bool, symbols: Vec<String>) -> PyResult<()> {
        self.set_up(|setup| setup.readiness = Some(ReadinessSetup { open: open_at, grace, all_routers, symbols }))
    }

    fn known(&self, text: String) -> PyResult<()> {
        self.set_up(|setup| setup.known.push(text))
    }

    fn start(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let mut state = self.lock();
            let State::Setup(parts) = &*state else {
                return Err(Error::Failed("the data plane was started before; make a new one".to_owned()));
            };
            let (config, setup) = (**parts).clone();
            *state = State::Started(Arc::new(riskgate_server::DataPlane::start(config, setup)?));
            Ok(())
        })?;
        Ok(())
    }

    fn stop(&self, py: Python<'_>) {
        if let Ok(plane) = self.started() {
            py.detach(|| plane.stop());
        }
    }

    #[getter]
    fn order_entry_address(&self) -> PyResult<String> {
        Ok(self.started()?.order_entry_address.to_string())
    }

    #[getter]
    fn halt_address(&self) -> PyResult<String> {
        Ok(self.started()?.halt_address.to_string())
    }

    fn admin<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        request: Vec<u8>,
        principal: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let plane = self.started()?;
        let answer = py.detach(|| plane.admin(method, request, principal)).map_err(Error::from)?;
        Ok(PyBytes::new(py, &answer))
    }

    fn next_events<'py>(&self, py: Python<'py>, after_seq: u64, timeout_ms: u64) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let plane = self.started()?;
        let events = py.detach(|| plane.next_events(after_seq, Duration::from_millis(timeout_ms)));
        Ok(events.iter().map(|event| PyBytes::new(py, event)).collect())
    }

    fn metrics(&self, py: Python<'_>) -> PyResult<BTreeMap<String, u64>> {
        let plane = self.started()?;
        Ok(py.detach(|| plane.metrics()).map_err(Error::from)?.into_iter().collect())
    }
}
