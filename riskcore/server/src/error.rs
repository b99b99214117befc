//! What can go wrong before the data plane runs, or when a person asks something of it.

use thiserror::Error;

/// See the module.
#[derive(Debug, Error)]
pub enum Error {
    /// A name, scope or value that cannot be understood.
    #[error("{0}")]
    Invalid(String),
    /// The core refused a request of a person.
    #[error("{0}")]
    Refused(String),
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The data plane does not run, or did not answer in time.
    #[error("{0}")]
    Stopped(String),
}

impl Error {
    /// An error of the operating system, with what was tried.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
        let what = what.into();
        move |source| Error::Io { what, source }
    }
}
