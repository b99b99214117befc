//! The named tuples that answers are given in. Made once, by `typing.NamedTuple`, so that they unpack, compare and print
//! as Python's own do.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

/// One kind of answer.
pub struct TupleType {
    name: &'static str,
    doc: &'static str,
    /// Field names and the builtin type of each.
    fields: &'static [(&'static str, &'static str)],
    class: PyOnceLock<Py<PyType>>,
}

impl TupleType {
    const fn new(name: &'static str, doc: &'static str, fields: &'static [(&'static str, &'static str)]) -> TupleType {
        TupleType { name, doc, fields, class: PyOnceLock::new() }
    }

    fn class<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyType>> {
        let class = self.class.get_or_try_init(py, || {
            let builtins = py.import("builtins")?;
            let mut fields = Vec::with_capacity(self.fields.len());
            for (field, kind) in self.fields {
                let kind = match kind.strip_suffix("[]") {
                    Some(item) => {
                        py.get_type::<PyTuple>().as_any().get_item((builtins.getattr(item)?, py.Ellipsis()))?
                    }
                    None => builtins.getattr(*kind)?,
                };
                fields.push((*field, kind));
            }
            let class = py.import("typing")?.getattr("NamedTuple")?.call1((self.name, fields))?;
            class.setattr("__doc__", self.doc)?;
            class.setattr("__module__", "riskcore")?;
            Ok::<_, PyErr>(class.cast_into::<PyType>()?.unbind())
        })?;
        Ok(class.bind(py))
    }

    /// One answer; `values` in the order of the fields.
    pub fn make<'py, A>(&self, py: Python<'py>, values: A) -> PyResult<Bound<'py, PyAny>>
    where
        A: pyo3::call::PyCallArgs<'py>,
    {
        self.class(py)?.call1(values)
    }
}

/// Why an order was refused.
pub static REJECT: TupleType = TupleType::new(
    "Reject",
    "Why an order was refused.",
    &[("code", "int"), ("name", "str"), ("scope", "str"), ("limit", "int"), ("value", "int"), ("unit", "str")],
);

/// One latched halt.
pub static TRIP: TupleType = TupleType::new(
    "Trip",
    "One latched halt.",
    &[
        ("trip", "int"),
        ("scope", "str"),
        ("state", "str"),
        ("check", "str"),
        ("time", "int"),
        ("principal", "str"),
        ("text", "str"),
        ("limit", "int"),
        ("value", "int"),
        ("router", "str"),
        ("order_cl_ord_id", "str"),
        ("open_orders", "int"),
        ("cancels_outstanding", "int"),
    ],
);

/// One finding.
pub static FINDING: TupleType = TupleType::new(
    "Finding",
    "What a person should look at.",
    &[
        ("finding", "int"),
        ("kind", "str"),
        ("what", "str"),
        ("router", "str"),
        ("occurrences", "int"),
        ("total", "int"),
        ("first", "int"),
        ("last", "int"),
        ("loud", "bool"),
        ("acknowledged_by", "str"),
    ],
);

/// One limit of the catalogue.
pub static LIMIT_INFO: TupleType = TupleType::new(
    "LimitInfo",
    "One limit of the catalogue.",
    &[
        ("name", "str"),
        ("check", "str"),
        ("unit", "str"),
        ("settable_at", "str[]"),
        ("required_at", "str[]"),
        ("action", "str"),
        ("actions", "str[]"),
        ("doc", "str"),
        ("code", "int"),
    ],
);

/// One reject reason of the catalogue.
pub static REASON_INFO: TupleType = TupleType::new(
    "ReasonInfo",
    "One reject reason of the catalogue.",
    &[("code", "int"), ("name", "str"), ("ord_rej_reason", "int"), ("doc", "str")],
);

/// Adds the types to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for kind in [&REJECT, &TRIP, &FINDING, &LIMIT_INFO, &REASON_INFO] {
        module.add(kind.name, kind.class(module.py())?)?;
    }
    Ok(())
}
