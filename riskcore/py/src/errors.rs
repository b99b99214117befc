//! What Python sees when something is wrong: `RiskcoreError`, `InvalidArgument`, `Refused`. One enum, one conversion.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use riskcore::Reject;

create_exception!(riskcore, RiskcoreError, PyException, "Base of every error this module raises.");
create_exception!(
    riskcore,
    Refused,
    RiskcoreError,
    "The core refused a request of a person; ``str()`` is the sentence for them."
);

/// `InvalidArgument` has two bases, `RiskcoreError` and `ValueError`, which `create_exception!` cannot say.
static INVALID_ARGUMENT: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Adds the exceptions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("RiskcoreError", py.get_type::<RiskcoreError>())?;
    module.add("Refused", py.get_type::<Refused>())?;
    module.add("InvalidArgument", invalid_argument(py)?)
}

fn invalid_argument(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    let make = || -> PyResult<Py<PyType>> {
        let bases = (py.get_type::<RiskcoreError>(), py.get_type::<PyValueError>());
        let body = PyDict::new(py);
        body.set_item("__module__", "riskcore")?;
        body.set_item(
            "__doc__",
            "A name, scope or value that cannot be understood; the message says which and how to mend it.",
        )?;
        Ok(py.get_type::<PyType>().call1(("InvalidArgument", bases, body))?.cast_into::<PyType>()?.unbind())
    };
    Ok(INVALID_ARGUMENT.get_or_try_init(py, make)?.bind(py).clone())
}

/// An error on its way to Python.
#[derive(Debug)]
pub enum Error {
    /// The caller's argument: `InvalidArgument`.
    Invalid(String),
    /// The core said no to a person: `Refused`.
    Refused(String),
    /// Anything else: `RiskcoreError`.
    Failed(String),
}

impl Error {
    /// The core's refusal of a request, in its catalogue's words.
    pub fn refused(what: &str, reject: &Reject) -> Error {
        Error::Refused(refusal(what, reject))
    }

    /// The same, where the argument alone decides.
    pub fn invalid(what: &str, reject: &Reject) -> Error {
        Error::Invalid(refusal(what, reject))
    }

    /// The same, where another person may be needed: that is no fault of the argument.
    pub fn of_person(what: &str, reject: &Reject) -> Error {
        if reject.reason.code == riskcore::reasons::NEEDS_APPROVAL.code {
            Error::refused(what, reject)
        } else {
            Error::invalid(what, reject)
        }
    }
}

fn refusal(what: &str, reject: &Reject) -> String {
    format!("{what}: {} ({})", reject.reason.doc, reject.reason.name)
}

impl From<Error> for PyErr {
    fn from(error: Error) -> PyErr {
        match error {
            Error::Invalid(text) => Python::attach(|py| match invalid_argument(py) {
                Ok(kind) => PyErr::from_type(kind, text),
                Err(error) => error,
            }),
            Error::Refused(text) => Refused::new_err(text),
            Error::Failed(text) => RiskcoreError::new_err(text),
        }
    }
}
