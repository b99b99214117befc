//! The routers' builds: what each said at logon that it runs, which flags it knows, whether it is on canary, and which
//! builds may not log on because one that runs them has been halted. Source: domain of SEC 34-70694, paragraphs 15, 27.
//!
//! What was said is compared with the manifest before it comes here; the core keeps what follows from it, so that a
//! replay of the records refuses the same logons and the same orders.

use alloc::string::String;
use alloc::vec::Vec;
use core::hash::Hasher;

use crate::engine::Engine;
use crate::events::{Attested, FlagRegistry, FleetRules};
use crate::halts::State as HaltState;
use crate::hash::FoldHasher;
use crate::ids::RouterId;
use crate::outcome::{Alarm, Effect, Outcome, Reject, Unit};
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, OTHER, Reason, UNKNOWN_SCOPE, reasons};
use crate::scopes::Scope;

reasons! { REASONS:
    ATTESTATION_CHANGED = 378, ALGORITHM_RISK_THRESHOLD,
        "The router logged on with another build, configuration or flags than before on the same day; it stays halted until people reinstate it.";
    CULPRIT_BUILD = 379, OTHER,
        "A router that runs this build was halted by a check; the build may not log on until that incident is closed.";
    NOT_ON_CANARY = 380, OTHER, "The router is not on canary; there is nothing to promote.";
    NO_INCIDENT = 381, OTHER, "No incident of this trip is open: a person halted it, it was closed, or it never was.";
}

/// One router.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// What names its build: the hash of its binary, or else its own words; empty before its first logon.
    pub build: String,
    /// Digest of all that it runs; `None` before its first logon of the day.
    runs: Option<[u8; 32]>,
    /// Bits of the registry whose meaning its build knows.
    known_flags: u64,
    /// Admitted though it differs from the manifest.
    quarantined: bool,
    /// Reinstated, and not yet trusted.
    on_probation: bool,
    /// It has a session.
    live: bool,
}

/// A router halted by a check, and the build it ran then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The trip that opened it.
    pub trip: u64,
    /// The scope that trip halted; reinstating it closes the incident.
    pub scope: Scope,
    /// The culprit.
    pub router: RouterId,
    /// Its build.
    pub build: String,
    /// What the check found.
    pub reason: Reason,
}

/// The fleet.
#[derive(Default)]
pub struct Fleet {
    rules: FleetRules,
    flags: Option<FlagRegistry>,
    members: Vec<Member>,
    canaries: u32,
    incidents: Vec<Incident>,
}

impl Fleet {
    /// A new router.
    pub fn add_router(&mut self) {
        self.members.push(Member::default());
    }

    /// A router.
    pub fn member(&self, router: RouterId) -> Option<&Member> {
        self.members.get(router.index())
    }

    /// The registry of flags, if there is one.
    #[inline]
    pub fn flags(&self) -> Option<&FlagRegistry> {
        self.flags.as_ref()
    }

    /// The bits whose meaning a router's build knows.
    #[inline]
    pub fn known_flags(&self, router: RouterId) -> u64 {
        self.member(router).map_or(0, |member| member.known_flags)
    }

    /// Whether any router is on canary.
    #[inline]
    pub fn any_canary(&self) -> bool {
        self.canaries > 0
    }

    /// Whether the limits of canaries hold for a router. One comparison while there is none.
    #[inline]
    pub fn on_canary(&self, router: RouterId) -> bool {
        self.any_canary() && self.member(router).is_some_and(Member::is_canary)
    }

    /// Open incidents, oldest first.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// The incident that keeps a build of other routers out. The culprit itself may come back: it is halted, and its
    /// session shows it what became of its orders.
    pub fn culprit(&self, build: &str, router: RouterId) -> Option<&Incident> {
        let concerns = |incident: &&Incident| !build.is_empty() && incident.build == build && incident.router != router;
        self.incidents.iter().find(concerns).filter(|_| self.rules.quarantine_culprit)
    }

    /// Routers with a session that run the build of an incident, but for its culprit.
    pub fn suspects<'a>(&'a self, incident: &'a Incident) -> impl Iterator<Item = RouterId> + 'a {
        let routers = (0..).map(RouterId).zip(&self.members);
        routers
            .filter(|(router, member)| member.live && *router != incident.router && member.build == incident.build)
            .map(|(router, _)| router)
    }

    fn change(&mut self, router: RouterId, change: impl FnOnce(&mut Member)) {
        let Some(member) = self.members.get_mut(router.index()) else { return };
        let before = member.is_canary();
        change(member);
        self.canaries = self.canaries + u32::from(member.is_canary()) - u32::from(before);
    }

    /// Takes over what a router said; whether it differs from what it said before on the same day.
    fn attest(&mut self, attested: &Attested) -> bool {
        let mut changed = false;
        self.change(attested.router, |member| {
            changed = member.runs.is_some_and(|runs| runs != attested.runs);
            // Who logs on again with the same keeps what people decided about it since.
            if member.runs != Some(attested.runs) {
                member.quarantined = attested.quarantined;
            }
            member.runs = Some(attested.runs);
            member.build.clone_from(&attested.build);
            member.known_flags = attested.known_flags;
        });
        changed
    }

    /// A router's session begins or ends.
    pub(crate) fn set_live(&mut self, router: RouterId, live: bool) {
        self.change(router, |member| member.live = live);
    }

    /// A router trades again after a halt, on the limits of a canary.
    pub(crate) fn put_on_probation(&mut self, router: RouterId) {
        self.change(router, |member| member.on_probation = true);
    }

    /// A person's decision that a router is trusted again.
    pub(crate) fn promote(&mut self, router: RouterId) {
        self.change(router, |member| (member.on_probation, member.quarantined) = (false, false));
    }

    /// The incident of a trip is over; whether there was one.
    pub(crate) fn close_incident(&mut self, trip: u64) -> bool {
        let before = self.incidents.len();
        self.incidents.retain(|incident| incident.trip != trip);
        self.incidents.len() < before
    }

    /// A scope was reinstated: its incidents are over.
    pub(crate) fn close_incidents_at(&mut self, scope: Scope) {
        self.incidents.retain(|incident| incident.scope != scope);
    }

    /// A new day: probation is over, and what is said first holds for it. Who differs from the manifest stays on canary.
    pub(crate) fn day_roll(&mut self) {
        for n in 0..self.members.len() {
            self.change(RouterId(n as u32), |member| (member.on_probation, member.runs) = (false, None));
        }
    }

    /// Feeds everything to the state hash.
    pub(crate) fn digest(&self, hasher: &mut FoldHasher) {
        let flags = self.flags.unwrap_or_default();
        hasher.write_u64(flags.registered);
        hasher.write_u64(flags.retired);
        hasher.write_u8(u8::from(self.flags.is_some()));
        hasher.write_u8(u8::from(self.rules.quarantine_culprit) | u8::from(self.rules.halt_on_change) << 1);
        for member in &self.members {
            hasher.write(member.build.as_bytes());
            hasher.write(&member.runs.unwrap_or_default());
            hasher.write_u64(member.known_flags);
            let bits = [member.runs.is_some(), member.quarantined, member.on_probation, member.live];
            bits.into_iter().for_each(|bit| hasher.write_u8(u8::from(bit)));
        }
        for incident in &self.incidents {
            hasher.write_u64(incident.trip);
            hasher.write_u64(u64::from(incident.router.0) << 16 | u64::from(incident.reason.code));
            hasher.write(incident.build.as_bytes());
        }
    }
}

impl Member {
    /// Whether the limits of canaries hold for it.
    pub fn is_canary(&self) -> bool {
        self.quarantined || self.on_probation
    }

    /// Digest of all that it runs, once it has said so today.
    pub fn runs(&self) -> Option<&[u8; 32]> {
        self.runs.as_ref()
    }

    /// Whether it has a session.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Admitted though it differs from the manifest.
    pub fn is_quarantined(&self) -> bool {
        self.quarantined
    }
}

impl Engine {
    /// A router says at logon what it runs. Refused for the build of an open incident; another build than before on the
    /// same day halts the router, if the rules say so.
    pub(crate) fn attested(&mut self, attested: &Attested) -> Outcome {
        if self.state.fleet.member(attested.router).is_none() {
            return Outcome::Refused(Reject::plain(&UNKNOWN_SCOPE));
        }
        if let Some(incident) = self.state.fleet.culprit(&attested.build, attested.router) {
            let (scope, value) = (Some(Scope::Router(incident.router)), incident.trip.into());
            return Outcome::Refused(Reject { reason: &CULPRIT_BUILD, scope, limit: 0, value, unit: Unit::None });
        }
        if self.state.fleet.attest(attested) && self.state.fleet.rules.halt_on_change {
            let scope = Scope::Router(attested.router);
            let cause = Reject { scope: Some(scope), ..Reject::plain(&ATTESTATION_CHANGED) };
            self.trip(scope, HaltState::Halted, cause, None);
        }
        Outcome::Applied
    }

    pub(crate) fn set_fleet_rules(&mut self, rules: FleetRules) -> Outcome {
        self.state.fleet.rules = rules;
        Outcome::Applied
    }

    pub(crate) fn set_flags(&mut self, flags: FlagRegistry) -> Outcome {
        self.state.fleet.flags = Some(flags);
        Outcome::Applied
    }

    /// A check has halted a scope: if it is a router's, the build it runs is kept out from now on, and routers that run
    /// it too are named. A router that is halted because it changed its build has not shown a fault of the new one.
    pub(crate) fn open_incident(&mut self, trip: u64, scope: Scope, reason: Reason) {
        let (Scope::Router(router) | Scope::RouterSymbol(router, _)) = scope else { return };
        let Some(member) = self.state.fleet.member(router) else { return };
        if member.build.is_empty() || reason.code == ATTESTATION_CHANGED.code {
            return;
        }
        let incident = Incident { trip, scope, router, build: member.build.clone(), reason };
        if self.state.fleet.suspects(&incident).next().is_some() {
            self.effects.push(Effect::Alarm(Alarm::SuspectBuild(trip)));
        }
        self.state.fleet.incidents.push(incident);
    }
}
