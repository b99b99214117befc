//! Whether what a router says it runs may log on: environment, manifest, and the builds of open incidents.

use riskcore::events::{Attested, Event};
use riskcore::ids::RouterId;
use riskcore::outcome::{Outcome, Reject};
use riskcore::reasons::Reason;
use tonic::Status;

use crate::fleet::attestation::{Attestation, Attributes, Difference, RUNS, differences, pairs, sentence, shown};
use crate::fleet::{Policy, flags};
use crate::plane::Plane;

/// What the gateway knows of what a router runs.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What it was last admitted with today.
    pub admitted: Option<Attestation>,
    /// What it was last refused with, and why; nothing once it is admitted.
    pub refused: Option<(Attestation, String)>,
}

impl Known {
    /// What it said last.
    pub fn last(&self) -> Option<&Attestation> {
        self.refused.as_ref().map(|(said, _)| said).or(self.admitted.as_ref())
    }
}

impl Plane {
    /// Admits what a router says it runs, or says why not.
    pub(crate) fn attest(&mut self, router: RouterId, said: Attestation) -> Result<(), Status> {
        match self.judge_attestation(router, &said) {
            Ok(()) => {
                self.note_admitted(router, said);
                Ok(())
            }
            Err(why) => {
                self.note_refused(router, said, &why);
                Err(Status::permission_denied(format!("logon: {why}")))
            }
        }
    }

    /// In order: an environment that is not this gateway's, the manifest, the core's own reasons.
    fn judge_attestation(&mut self, router: RouterId, said: &Attestation) -> Result<(), String> {
        self.right_environment(router, said)?;
        let deviations = self.against_manifest(router, said);
        let quarantined = !deviations.is_empty();
        if quarantined && self.fleet.policy == Policy::Refuse {
            let mend = "deploy what the manifest names, or sign a new manifest";
            return Err(format!("this is not what the manifest expects here: {}; {mend}", sentence(&deviations)));
        }
        let event = Event::Attested(Attested {
            router,
            build: said.fingerprint().to_owned(),
            runs: said.digest(),
            known_flags: flags::known(&self.fleet.flags, said),
            quarantined,
        });
        self.announce_change(router, said);
        match self.apply(&event) {
            Outcome::Refused(reject) => Err(self.why_refused(&reject)),
            _ => {
                if quarantined {
                    let name = self.router_name(router);
                    let text = format!("router {name} is admitted on canary: {}", sentence(&deviations));
                    self.announce_text_alarm(text);
                }
                Ok(())
            }
        }
    }

    fn right_environment(&self, router: RouterId, said: &Attestation) -> Result<(), String> {
        let by_manifest = || self.expected(router).and_then(|expected| expected.get("environment"));
        let Some(expected) = self.fleet.environment.as_ref().or_else(by_manifest) else { return Ok(()) };
        let presented = said.get("environment");
        if presented == expected {
            return Ok(());
        }
        let mend = "connect it to the gateway of its own environment";
        Err(format!("its environment is {}, and this gateway's is {expected}; {mend}", shown(presented)))
    }

    fn expected(&self, router: RouterId) -> Option<&Attributes> {
        self.routers.get(router.index()).and_then(|known| self.fleet.expected.get(&known.name))
    }

    /// What differs from the manifest; a router that it does not name differs as a whole.
    pub(crate) fn against_manifest(&self, router: RouterId, said: &Attestation) -> Vec<Difference> {
        match self.expected(router) {
            Some(expected) => differences(pairs(expected), said),
            None if self.fleet.has_manifest => vec![Difference {
                attribute: "router",
                expected: "a router that the manifest names".to_owned(),
                presented: self.router_name(router),
            }],
            None => Vec::new(),
        }
    }

    /// Tells what changed since the router was admitted last; whether that halts it is the core's affair.
    fn announce_change(&mut self, router: RouterId, said: &Attestation) {
        let Some(before) = self.routers.get(router.index()).and_then(|known| known.runs.admitted.as_ref()) else {
            return;
        };
        let changes = differences(RUNS.into_iter().map(|name| (name, before.get(name))), said);
        if !changes.is_empty() {
            let changes = changes.iter().map(|change| {
                format!("{} was {}, is {}", change.attribute, shown(&change.expected), shown(&change.presented))
            });
            let changes = changes.collect::<Vec<_>>().join("; ");
            let text = format!("router {} comes back changed: {changes}", self.router_name(router));
            self.announce_text_alarm(text);
        }
    }

    fn why_refused(&self, reject: &Reject) -> String {
        let incident = self.engine.state().fleet.incidents().iter().find(|open| i128::from(open.trip) == reject.value);
        let Some(incident) = incident else { return reject.reason.doc.to_owned() };
        let (culprit, trip, reason) = (self.router_name(incident.router), incident.trip, incident.reason.name);
        format!(
            "this is the build of {culprit}, halted by trip {trip} ({reason}); a rollback to it is refused until the \
             incident is closed"
        )
    }

    fn note_admitted(&mut self, router: RouterId, said: Attestation) {
        let name = self.router_name(router);
        for text in flags::misunderstood(&self.fleet.flags, &name, &said) {
            self.announce_text_alarm(text);
        }
        if let Some(known) = self.routers.get_mut(router.index()) {
            known.runs = Known { admitted: Some(said), refused: None };
        }
    }

    /// A router that tries again with the same is not announced again.
    fn note_refused(&mut self, router: RouterId, said: Attestation, why: &str) {
        let Some(known) = self.routers.get_mut(router.index()) else { return };
        let news = known.runs.refused.as_ref().is_none_or(|(_, before)| before != why);
        known.runs.refused = Some((said, why.to_owned()));
        let text = format!("logon of router {} refused: {why}", known.name);
        if news {
            self.announce_text_alarm(text);
        }
    }

    pub(crate) fn router_name(&self, router: RouterId) -> String {
        self.names().routers.name(router.0).to_owned()
    }

    /// The first order of a router that is refused for its flags is an alarm; the rest are only counted.
    pub(crate) fn announce_flag_refusal(&mut self, router: RouterId, reject: &Reject) {
        let meanings = self.fleet.flags.iter().filter(|flag| i128::from(flag.bit) == reject.value);
        // What the bit means today; of a retired one, what it meant last.
        let named = meanings.max_by_key(|flag| !flag.retired);
        let flag = named.map_or_else(|| "a flag".to_owned(), |flag| format!("{} {}", flag.name, flag.version));
        let (name, bit, reason) = (self.router_name(router), reject.value, reject.reason.name);
        self.announce_text_alarm(format!("router {name} sends orders with {flag} (bit {bit}): refused, {reason}"));
    }

    /// Who runs the build of an incident's culprit.
    pub(crate) fn suspects(&self, trip: u64) -> Option<String> {
        let fleet = &self.engine.state().fleet;
        let incident = fleet.incidents().iter().find(|incident| incident.trip == trip)?;
        let suspects: Vec<String> = fleet.suspects(incident).map(|router| self.router_name(router)).collect();
        let culprit = self.router_name(incident.router);
        let reason = incident.reason.name;
        Some(format!("{} also run the build of {culprit}, halted by trip {trip} ({reason})", suspects.join(", ")))
    }
}

/// Whether a refusal is about the flags of an order.
pub(crate) fn is_about_flags(reason: Reason) -> bool {
    riskcore::checks::order_flags::REASONS.iter().any(|other| other.code == reason.code)
}
