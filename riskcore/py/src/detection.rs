//! Findings and the readiness gate of the embedded engine.

use pyo3::prelude::*;
use pyo3::types::PyList;
use riskcore::Event;
use riskcore::detect::findings::About;
use riskcore::detect::first_seen::Seen;
use riskcore::events::{NameKind, ReadinessRules};
use riskcore::ids::VenueTextId;
use riskcore::units::Nanos;
use riskgate_server::venue::texts::name_for;

use crate::engine::{Engine, NOW};
use crate::errors::Error;
use crate::tuples::FINDING;

impl Engine {
    /// The id of the venue's words.
    pub(crate) fn venue_text(&mut self, text: &str) -> Option<VenueTextId> {
        let name = name_for(text.as_bytes(), &self.core.state().names)?;
        if self.core.state().names.venue_text(&name).known().is_none() {
            self.apply(NOW, &Event::Define { kind: NameKind::VenueText, name: name.clone() });
        }
        self.core.state().names.venue_text(&name).known()
    }

    /// What the caller knows of is never a finding.
    pub(crate) fn never_a_finding(&mut self, text: &str) -> Result<(), Error> {
        let seen = match text.strip_prefix("venue_reject:") {
            Some(words) => self.venue_text(words).map(Seen::VenueReject),
            None => Seen::parse(text, &self.core.state().names),
        };
        let Some(seen) = seen else {
            return Err(Error::Invalid(format!("{text:?} names nothing: write kind:value, of what is defined")));
        };
        self.apply(NOW, &Event::Known { seen });
        Ok(())
    }

    /// What a person should look at, oldest first.
    pub(crate) fn all_findings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        let names = &self.core.state().names;
        for finding in self.core.detect().findings.iter() {
            let (kind, what) = match finding.about {
                About::FirstSeen(seen) => (seen.kind(), seen.value(names).into_owned()),
                About::Divergence { signal, .. } => ("divergence", signal.name().to_owned()),
            };
            let by = finding.acknowledged.as_ref().map_or("", |by| by.principal.as_str());
            let fields = (
                finding.id,
                kind,
                what,
                names.routers.name(finding.router.0),
                finding.count,
                finding.total,
                finding.first.0,
                finding.last.0,
                finding.loud,
                by,
            );
            list.append(FINDING.make(py, fields)?)?;
        }
        Ok(list)
    }

    /// The gate at the open. An engine has no sessions: nobody is missing, and what runs is compared.
    pub(crate) fn set_gate(&mut self, open_at: i64, grace: i64, symbols: &[String]) -> Result<(), Error> {
        let symbols: Result<Vec<_>, Error> = symbols.iter().map(|name| self.symbol_named(name)).collect();
        let rules = ReadinessRules {
            open: Nanos(open_at),
            grace: Nanos(grace),
            all_routers: false,
            compare_builds: true,
            symbols: symbols?,
        };
        self.set_up(|| format!("readiness_gate({open_at}, {grace})"), &Event::Readiness(rules))
    }
}
