//! What can go wrong before the data plane runs, or when a person asks something of it.

use thiserror::Error;
use tonic::Status;

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

/// The message of a status with what lies behind it: of a connection that ended, tonic's own text is the same whoever
/// ended it and why.
pub(crate) fn in_full(status: &Status) -> String {
    let first: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(status);
    let causes = std::iter::successors(first, |cause| (*cause).source());
    causes.fold(status.message().to_owned(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_what_lies_behind_it() {
        let broken = std::io::Error::other(Error::Stopped("a wire was cut".to_owned()));
        let mut status = Status::unavailable("no body");
        assert_eq!("no body", in_full(&status));
        status.set_source(std::sync::Arc::new(Error::io("reading")(broken)));

        assert_eq!("no body: reading: a wire was cut: a wire was cut", in_full(&status));
    }
}
