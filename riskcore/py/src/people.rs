//! What people, and routers at their logon, ask of the embedded engine, and how it says no.

use riskcore::events::{Attested, Change};
use riskcore::{Event, Outcome};

use crate::engine::Engine;
use crate::errors::Error;

impl Engine {
    /// The first of two people; the proposal's id.
    pub(crate) fn propose(
        &mut self,
        t: i64,
        what: &str,
        change: Change,
        principal: &str,
        text: &str,
    ) -> Result<u64, Error> {
        match self.apply(t, &Event::Propose { change, principal: principal.into(), text: text.into() }) {
            Outcome::Proposed(proposal) => Ok(proposal),
            Outcome::Refused(reject) => Err(Error::refused(what, &reject)),
            _ => Ok(0),
        }
    }

    /// A router says what it runs, and is there if it may be.
    pub(crate) fn log_on(&mut self, t: i64, attested: Attested) -> Result<(), Error> {
        let (router, build) = (attested.router, attested.build.clone());
        if let Outcome::Refused(reject) = self.apply(t, &Event::Attested(attested)) {
            return Err(Error::refused(&format!("logon with build {build:?}"), &reject));
        }
        self.apply(t, &Event::SessionUp { router });
        Ok(())
    }
}
