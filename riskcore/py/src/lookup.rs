//! What an engine is asked by name, and how it answers with names: scopes, symbols, halts.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use riskcore::ids::SymbolId;
use riskcore::limits::LimitTarget;
use riskcore::scopes::{Scope, ScopeIx};
use riskgate_server::scope_text::{parse_scope, parse_target, render};

use crate::engine::Engine;
use crate::errors::Error;
use crate::tuples::TRIP;

impl Engine {
    pub(crate) fn scope(&self, text: &str) -> Result<Scope, Error> {
        Ok(parse_scope(text, &self.core.state().names)?)
    }

    /// The place of a scope, or none for a pair nothing has been traded or set in yet.
    pub(crate) fn place(&self, text: &str) -> Result<Option<ScopeIx>, Error> {
        Ok(self.core.state().scopes.find(self.scope(text)?))
    }

    /// A place whose money can be told.
    pub(crate) fn valued(&self, text: &str) -> Result<Option<ScopeIx>, Error> {
        let place = self.place(text)?;
        let unvalued = place.map_or(0, |ix| self.core.state().books[ix.at()].unvalued);
        if unvalued > 0 {
            return Err(Error::Failed(format!(
                "{text}: {unvalued} of its positions cannot be valued, for want of a price or because the value does not \
                 fit; give a tick of each symbol first"
            )));
        }
        Ok(place)
    }

    pub(crate) fn symbol_named(&self, name: &str) -> Result<SymbolId, Error> {
        let id = self.core.state().names.symbol(name).known();
        id.ok_or_else(|| Error::Invalid(format!("symbol {name:?} is not defined; define_symbol() first")))
    }

    pub(crate) fn target(&self, text: &str) -> Result<LimitTarget, Error> {
        Ok(parse_target(text, &self.core.state().names)?)
    }

    pub(crate) fn render(&self, scope: Scope) -> String {
        render(scope, &self.core.state().names)
    }

    /// Every halt that is latched, oldest first.
    pub(crate) fn latched<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for trip in self.core.state().halts.trips().iter().filter(|trip| trip.reinstated.is_none()) {
            let (router, order) = trip.offender.map_or((String::new(), String::new()), |offender| {
                let name = self.core.state().names.routers.name(offender.router.0);
                (name.to_owned(), offender.cl_ord_id.as_str().to_owned())
            });
            let cause = trip.cause;
            let fields = [
                trip.id.into_bound_py_any(py)?,
                self.render(trip.scope).into_bound_py_any(py)?,
                trip.state.name().into_bound_py_any(py)?,
                cause.map_or("", |cause| cause.reason.name).into_bound_py_any(py)?,
                trip.time.0.into_bound_py_any(py)?,
                (&trip.principal).into_bound_py_any(py)?,
                (&trip.text).into_bound_py_any(py)?,
                cause.map_or(0, |cause| cause.limit).into_bound_py_any(py)?,
                cause.map_or(0, |cause| cause.value).into_bound_py_any(py)?,
                router.into_bound_py_any(py)?,
                order.into_bound_py_any(py)?,
                trip.open_orders.into_bound_py_any(py)?,
                self.core.outstanding(trip.scope).into_bound_py_any(py)?,
            ];
            list.append(TRIP.make(py, PyTuple::new(py, fields)?)?)?;
        }
        Ok(list)
    }
}
