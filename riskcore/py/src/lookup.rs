//! What an engine is asked by name, and how it answers with names: scopes, symbols, halts.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use riskcore::checks::LIMIT_COUNT;
use riskcore::events::{Event, NameKind};
use riskcore::ids::{CurrencyId, Ref, SymbolId};
use riskcore::limits::{LimitId, LimitTarget};
use riskcore::outcome::Outcome;
use riskcore::scopes::{Scope, ScopeIx};
use riskgate_server::scope_text::{parse_scope, parse_target, render};

use crate::engine::{Engine, NOW};
use crate::errors::Error;
use crate::tuples::TRIP;

impl Engine {
    /// Gives a name its id.
    pub(crate) fn define(&mut self, kind: NameKind, what: &str, name: &str) -> Result<(), Error> {
        match self.apply(NOW, &Event::Define { kind, name: name.into() }) {
            Outcome::Refused(_) => {
                Err(Error::Invalid(format!("{what} {name:?}: the name is empty or defined already; names are unique")))
            }
            _ => Ok(()),
        }
    }

    /// The group of a symbol; the first symbol of a group defines it.
    pub(crate) fn put_in_group(&mut self, symbol: SymbolId, name: &str) -> Result<(), Error> {
        if self.core.state().names.security_group(name).known().is_none() {
            self.define(NameKind::SecurityGroup, "security group", name)?;
        }
        let Ref::Known(group) = self.core.state().names.security_group(name) else { return Ok(()) };
        self.set_up(|| format!("security group {name:?}"), &Event::SecurityGroup { symbol, group })
    }

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

    pub(crate) fn currency_named(&self, name: &str) -> Result<CurrencyId, Error> {
        let id = self.core.state().names.currency(name).known();
        id.ok_or_else(|| Error::Invalid(format!("currency {name:?} is not defined; define_currency() first")))
    }

    pub(crate) fn target(&self, text: &str) -> Result<LimitTarget, Error> {
        Ok(parse_target(text, &self.core.state().names)?)
    }

    pub(crate) fn render(&self, scope: Scope) -> String {
        render(scope, &self.core.state().names)
    }

    /// Per limit in force at a scope that something is used of: (used, bound).
    pub(crate) fn used_up<'py>(&self, py: Python<'py>, scope: &str) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        let Some(ix) = self.place(scope)? else { return Ok(dict) };
        let state = self.core.state();
        for n in 0..LIMIT_COUNT {
            let id = LimitId(n as u16);
            if let Some(bound) = state.limits.at(ix).get(id)
                && let Some(used) = self.core.checks().used(id, ix, state)
            {
                dict.set_item(id.def().name, (used, bound))?;
            }
        }
        Ok(dict)
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
