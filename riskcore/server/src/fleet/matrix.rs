//! The parity matrix: every router and every attribute, the odd one out named. "7 of 8" is a comparison that takes
//! microseconds before the open; at Knight nobody made it (SEC 34-70694, paragraph 15).

use std::collections::BTreeMap;

use riskcore::events::{Change, Event};
use riskcore::ids::RouterId;

use crate::admin::unknown;
use crate::commands::clipped;
use crate::error::Error;
use crate::fleet::attestation::{Attestation, Difference, RUNS, differences, shown};
use crate::fleet::flags;
use crate::plane::Plane;
use crate::proto;

/// What most of the fleet runs, by attribute.
type Usuals = BTreeMap<&'static str, Usual>;

struct Usual {
    value: String,
    /// So many routers run it.
    count: usize,
}

impl Plane {
    /// See the module.
    pub(crate) fn get_fleet(&self) -> proto::GetFleetResponse {
        let usual = self.usual();
        let row = |router| self.fleet_row(router, &usual);
        proto::GetFleetResponse {
            rows: self.router_ids().filter_map(row).collect(),
            findings: self.findings(&usual),
            has_manifest: self.fleet.has_manifest,
            incidents: self.incidents(),
            flags: self.fleet.flags.iter().map(flag_message).collect(),
        }
    }

    pub(crate) fn router_ids(&self) -> impl Iterator<Item = RouterId> + use<> {
        (0..self.routers.len() as u32).map(RouterId)
    }

    fn fleet_row(&self, id: RouterId, usual: &Usuals) -> Option<proto::FleetRow> {
        let router = self.routers.get(id.index())?;
        let said = router.runs.last();
        let attributes = said.map(|said| said.attributes.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect());
        let differences = said.map(|said| self.deviations(id, said, usual)).unwrap_or_default();
        Some(proto::FleetRow {
            router: router.name.clone(),
            presence: self.presence(id).to_owned(),
            canary: self.engine.state().fleet.on_canary(id),
            attributes: attributes.unwrap_or_default(),
            differences: differences.into_iter().map(difference_message).collect(),
            refusal: router.runs.refused.as_ref().map_or_else(String::new, |(_, why)| why.clone()),
        })
    }

    fn presence(&self, id: RouterId) -> &'static str {
        match self.routers.get(id.index()) {
            Some(router) if router.live.is_some() => "connected",
            Some(router) if router.runs.refused.is_some() => "refused",
            Some(router) if router.runs.admitted.is_some() => "gone",
            _ => "missing",
        }
    }

    /// What is not as it should be: as the manifest says or, without one, as most of the others have it.
    fn deviations(&self, id: RouterId, said: &Attestation, usual: &Usuals) -> Vec<Difference> {
        if self.fleet.has_manifest {
            return self.against_manifest(id, said);
        }
        differences(usual.iter().map(|(name, usual)| (*name, usual.value.as_str())), said)
    }

    /// Of each attribute the value that more than half of the routers have, of those that have said anything.
    fn usual(&self) -> Usuals {
        let said: Vec<&Attestation> = self.routers.iter().filter_map(|router| router.runs.last()).collect();
        let mut usual = BTreeMap::new();
        for name in RUNS {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            said.iter().for_each(|said| *counts.entry(said.get(name)).or_default() += 1);
            let most = counts.into_iter().max_by_key(|(_, count)| *count);
            if let Some((value, count)) = most.filter(|(_, count)| count * 2 > said.len()) {
                usual.insert(name, Usual { value: value.to_owned(), count });
            }
        }
        usual
    }

    /// One sentence for each thing a person should look at.
    fn findings(&self, usual: &Usuals) -> Vec<String> {
        let mut found = Vec::new();
        let all = self.routers.iter().filter(|router| router.runs.last().is_some()).count();
        for id in self.router_ids() {
            let Some(router) = self.routers.get(id.index()) else { continue };
            let name = &router.name;
            let Some(said) = router.runs.last() else {
                found.push(format!("{name}: has not logged on"));
                continue;
            };
            let odd = self.deviations(id, said, usual);
            if !odd.is_empty() {
                found.push(format!("{name}: {}", oddity(&odd, usual, all, self.fleet.has_manifest)));
            }
            if let Some((_, why)) = &router.runs.refused {
                found.push(format!("{name}: its last logon was refused: {why}"));
            }
            found.extend(flags::misunderstood(&self.fleet.flags, name, said));
        }
        found.extend(flags::reused(&self.fleet.flags));
        for incident in self.engine.state().fleet.incidents() {
            if self.engine.state().fleet.suspects(incident).next().is_some() {
                found.extend(self.suspects(incident.trip));
            }
        }
        found
    }

    fn incidents(&self) -> Vec<proto::Incident> {
        let fleet = &self.engine.state().fleet;
        let message = |incident: &riskcore::fleet::Incident| proto::Incident {
            trip_id: incident.trip,
            router: self.router_name(incident.router),
            build: incident.build.clone(),
            reason: incident.reason.name.to_owned(),
            suspects: fleet.suspects(incident).map(|router| self.router_name(router)).collect(),
        };
        fleet.incidents().iter().map(message).collect()
    }

    /// Which routers differ in which attribute, for metrics: 0 or 1 for what every fleet compares, 1 where anything else
    /// differs. A router that has not logged on is `missing`.
    pub(crate) fn attestation_mismatches(&self) -> Vec<(String, u64)> {
        let (mut out, usual) = (Vec::new(), self.usual());
        for id in self.router_ids() {
            let Some(router) = self.routers.get(id.index()) else { continue };
            let said = router.runs.last();
            let odd = said.map(|said| self.deviations(id, said, &usual)).unwrap_or_default();
            let differs = |attribute: &str| odd.iter().any(|difference| difference.attribute == attribute);
            let others = odd.iter().map(|difference| difference.attribute).filter(|name| !RUNS.contains(name));
            let all = RUNS.into_iter().chain(others).map(|name| (name, differs(name)));
            for (attribute, differs) in all.chain([("missing", said.is_none())]) {
                let key = format!("attestation_mismatch{{attribute={attribute},router={}}}", router.name);
                out.push((key, u64::from(differs)));
            }
        }
        out
    }

    // ---- Acting ----

    pub(crate) fn propose_promotion(
        &mut self,
        request: &proto::ProposePromotionRequest,
        principal: &str,
    ) -> Result<proto::ProposePromotionResponse, Error> {
        let router = self.names().router(&request.router).known().ok_or_else(|| unknown("router", &request.router))?;
        let change = Change::Promote { router };
        let (proposal_id, expires) = self.propose_to(change, principal, &request.reason)?;
        Ok(proto::ProposePromotionResponse { proposal_id, expires })
    }

    pub(crate) fn propose_close_incident(
        &mut self,
        request: &proto::ProposeCloseIncidentRequest,
        principal: &str,
    ) -> Result<proto::ProposeCloseIncidentResponse, Error> {
        let change = Change::CloseIncident { trip: request.trip_id };
        let (proposal_id, expires) = self.propose_to(change, principal, &request.reason)?;
        Ok(proto::ProposeCloseIncidentResponse { proposal_id, expires })
    }

    /// Proposes, and says until when a second person may approve.
    pub(crate) fn propose_to(&mut self, change: Change, principal: &str, reason: &str) -> Result<(u64, u64), Error> {
        let id = self.propose(change, clipped(principal), clipped(reason))?;
        let proposal = self.engine.proposals().iter().find(|proposal| proposal.id == id);
        Ok((id, proposal.map_or(0, |proposal| proposal.expires.0 as u64)))
    }

    /// The registry and the rules, for the core; bits with a new meaning are told.
    pub(crate) fn set_up_fleet(&mut self) {
        let rules = riskcore::events::FleetRules {
            quarantine_culprit: self.fleet.quarantine_culprit,
            halt_on_change: self.fleet.has_manifest,
        };
        if rules != riskcore::events::FleetRules::default() {
            self.apply(&Event::FleetRules(rules));
        }
        if !self.fleet.flags.is_empty() {
            self.apply(&Event::Flags(flags::registry(&self.fleet.flags)));
            for text in flags::reused(&self.fleet.flags) {
                self.announce_text_alarm(text);
            }
        }
    }
}

/// "binary_sha256 differs from 7 of 8", or what the manifest says.
fn oddity(odd: &[Difference], usual: &Usuals, all: usize, has_manifest: bool) -> String {
    let one = |difference: &Difference| {
        let (name, presented) = (difference.attribute, shown(&difference.presented));
        let expected = shown(&difference.expected);
        match usual.get(name) {
            Some(usual) if usual.value == difference.expected => {
                format!("{name} differs from {} of {all} ({presented} instead of {expected})", usual.count)
            }
            _ if has_manifest => format!("{name} differs from the manifest ({presented} instead of {expected})"),
            _ => format!("{name} differs ({presented} instead of {expected})"),
        }
    };
    odd.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn difference_message(difference: Difference) -> proto::AttributeDifference {
    proto::AttributeDifference {
        attribute: difference.attribute.to_owned(),
        expected: difference.expected,
        presented: difference.presented,
    }
}

fn flag_message(flag: &flags::Flag) -> proto::RegisteredFlag {
    proto::RegisteredFlag {
        bit: flag.bit,
        name: flag.name.clone(),
        version: flag.version.clone(),
        owner: flag.owner.clone(),
        retired: flag.retired,
        readers: flag.readers.clone(),
    }
}
