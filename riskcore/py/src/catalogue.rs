//! `riskcore.limits()`, `riskcore.reasons()`, `riskcore.finding_kinds()`: what there is, from the registry of the core.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use riskcore::checks::{LIMITS, all_reasons, owner_of};
use riskcore::detect::first_seen::Seen;
use riskcore::limits::{Action, Judges, LimitId};
use riskcore::scopes::ScopeKind;

use crate::tuples::{LIMIT_INFO, REASON_INFO};

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(limits, module)?)?;
    module.add_function(wrap_pyfunction!(reasons, module)?)?;
    module.add_function(wrap_pyfunction!(finding_kinds, module)?)
}

/// Every limit there is, in registry order.
#[pyfunction]
fn limits(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for (n, def) in LIMITS.iter().enumerate() {
        // LIMIT_COUNT is at most 128.
        let owner = owner_of(LimitId(n as u16));
        let (settable, required) = (kinds(py, def.settable_at)?, kinds(py, def.required_at)?);
        let action = if def.judges == Judges::Nothing { "parameter" } else { def.action.name() };
        let unit = def.unit.name();
        let may = |action: &Action| def.judges != Judges::Nothing && def.allows(*action);
        let actions: Vec<&str> = Action::ALL.into_iter().filter(may).map(Action::name).collect();
        let actions = PyTuple::new(py, actions)?;
        let fields = (def.name, owner, unit, settable, required, action, actions, def.doc, def.code);
        list.append(LIMIT_INFO.make(py, fields)?)?;
    }
    Ok(list)
}

/// Every reject reason there is, by code.
#[pyfunction]
fn reasons(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for reason in all_reasons() {
        list.append(REASON_INFO.make(py, (reason.code, reason.name, reason.ord_rej_reason, reason.doc))?)?;
    }
    Ok(list)
}

/// The kinds of what can be seen first of a router.
#[pyfunction]
fn finding_kinds() -> Vec<&'static str> {
    Seen::KINDS.to_vec()
}

fn kinds(py: Python<'_>, bits: u8) -> PyResult<Bound<'_, PyTuple>> {
    let names: Vec<&str> =
        ScopeKind::ALL.iter().filter(|kind| bits & kind.bit() != 0).map(|kind| kind.name()).collect();
    PyTuple::new(py, names)
}
