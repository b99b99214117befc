//! The native Python module `riskcore`. One file per concern, one line per file in the registry below; the types and
//! docstrings a Python caller sees are in `riskcore.pyi`.

mod arguments;
mod catalogue;
mod detection;
mod engine;
mod errors;
mod load;
mod lookup;
mod packed;
mod people;
mod server;
mod tuples;

use pyo3::prelude::*;

/// The module's registry: everything Python can import, one line per file.
#[pymodule]
#[pyo3(name = "riskcore")]
fn riskcore_py(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    arguments::register(module)?;
    catalogue::register(module)?;
    engine::register(module)?;
    errors::register(module)?;
    load::register(module)?;
    server::register(module)?;
    tuples::register(module)?;
    Ok(())
}
