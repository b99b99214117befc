//! The readiness gate as people see it: what is asked, what is red and why, and how to trade even so.

use riskcore::events::{Change, Event, ReadinessRules};
use riskcore::ids::{RouterId, SymbolId};
use riskcore::outcome::Outcome;
use riskcore::readiness::Item;
use riskcore::units::Nanos;

use crate::admin::refused;
use crate::config::ReadinessSetup;
use crate::error::Error;
use crate::plane::Plane;
use crate::proto;
use crate::scope_text;

/// Names listed in a sentence; more are counted.
const NAMED: usize = 5;

impl Plane {
    /// The configuration asks for a gate.
    pub(crate) fn set_up_readiness(&mut self, setup: &ReadinessSetup) -> Result<(), Error> {
        let unknown = |name: &String| Error::Invalid(format!("[readiness] symbols: {name:?} is not configured"));
        let symbol = |name: &String| self.names().symbol(name).known().ok_or_else(|| unknown(name));
        let symbols: Result<Vec<SymbolId>, Error> = setup.symbols.iter().map(symbol).collect();
        let rules = ReadinessRules {
            open: Nanos(setup.open),
            grace: Nanos(setup.grace),
            all_routers: setup.all_routers,
            compare_builds: !self.fleet.has_manifest,
            symbols: symbols?,
        };
        match self.apply(&Event::Readiness(rules)) {
            Outcome::Applied => Ok(()),
            outcome => Err(Error::Invalid(format!("[readiness]: {}", refused(&outcome)))),
        }
    }

    pub(crate) fn get_readiness(&self) -> proto::GetReadinessResponse {
        let readiness = &self.engine.state().readiness;
        let red = self.engine.assess();
        let items = Item::ALL.into_iter().map(|item| proto::ReadinessItem {
            name: item.name().to_owned(),
            ready: !red.has(item),
            text: self.item_sentence(item, red.has(item)),
        });
        proto::GetReadinessResponse {
            configured: readiness.rules().is_some(),
            gate: readiness.gate().name().to_owned(),
            items: items.collect(),
            open: readiness.rules().map_or(0, |rules| rules.open.0 as u64),
            overridden_until: readiness.overridden_until().map_or(0, |until| until.0 as u64),
        }
    }

    fn item_sentence(&self, item: Item, red: bool) -> String {
        match (item, red) {
            (Item::Parity, false) => "no router is missing or runs something else".to_owned(),
            (Item::Parity, true) => self.odd_fleet(),
            (Item::Findings, false) => "no loud finding is unacknowledged".to_owned(),
            (Item::Findings, true) => {
                let pressing = self.engine.detect().findings.iter().filter(|finding| finding.is_pressing());
                listed(pressing.map(|finding| format!("finding {}: {}", finding.id, self.finding_sentence(finding))))
            }
            (Item::Limits, false) => {
                format!("every required limit is set at every scope, version {}", self.engine.state().limits.version)
            }
            (Item::Limits, true) => {
                let scope = self.engine.incomplete_scope();
                let scope = scope.map_or(String::new(), |scope| scope_text::render(scope, self.names()));
                format!("{scope} lacks a required limit")
            }
            (Item::Reconciliation, false) => "the venue link is up and reconciled, no order is unknown".to_owned(),
            (Item::Reconciliation, true) => match self.engine.unknown_orders() {
                0 => "the venue link is down, or not reconciled".to_owned(),
                unknown => format!("the fate of {unknown} orders at the venue is not known"),
            },
            (Item::DropCopy, false) if self.config.drop_copy => "the drop copy agrees with what was booked".to_owned(),
            (Item::DropCopy, false) => "there is no drop copy to compare with".to_owned(),
            (Item::DropCopy, true) => self.drop_copy_sentence(),
            (Item::KillPath, false) => "somebody has halted something today, and it came clean".to_owned(),
            (Item::KillPath, true) => "nobody has tried the kill path today: riskgate drill".to_owned(),
            (Item::MarketData, false) => "quotes are fresh".to_owned(),
            (Item::MarketData, true) => {
                let names = &self.names().symbols;
                listed(self.engine.stale_symbols().map(|symbol| format!("{} has no fresh quote", names.name(symbol.0))))
            }
        }
    }

    fn drop_copy_sentence(&self) -> String {
        let drop_copy = &self.engine.checks().drop_copy;
        match (drop_copy.down_since(), drop_copy.differences()) {
            (Some(_), _) => "the venue's drop copy is away".to_owned(),
            (None, 0) => "the venue's drop copy has lost executions for good".to_owned(),
            (None, orders) => format!("the drop copy differs from what was booked, in {orders} orders"),
        }
    }

    /// What the fleet's page says, or who is missing.
    fn odd_fleet(&self) -> String {
        let missing = |id: &RouterId| self.engine.state().fleet.member(*id).is_some_and(|member| !member.is_live());
        let odd = self.engine.odd_routers();
        let sentence = |id: &RouterId| {
            let name = self.router_name(*id);
            if missing(id) { format!("{name} is not there") } else { format!("{name} runs something else") }
        };
        let incidents = self.engine.state().fleet.incidents().iter();
        let incidents = incidents.map(|one| format!("the incident of trip {} is open", one.trip));
        listed(odd.iter().map(sentence).chain(incidents))
    }

    pub(crate) fn override_readiness(
        &mut self,
        request: &proto::OverrideReadinessRequest,
        principal: &str,
    ) -> Result<proto::OverrideReadinessResponse, Error> {
        let span = i64::try_from(request.duration_ms).ok().and_then(|ms| ms.checked_mul(1_000_000));
        let span = span.ok_or_else(|| Error::Invalid("duration_ms: too long; the longest is one day".to_owned()))?;
        let until = self.now().after(Nanos(span));
        let change = Change::OverrideReadiness { until };
        let (proposal_id, expires) = self.propose_to(change, principal, &request.reason)?;
        Ok(proto::OverrideReadinessResponse { proposal_id, expires, overridden_until: until.0 as u64 })
    }

    /// The gate moved.
    pub(crate) fn announce_gate(&mut self) {
        let readiness = &self.engine.state().readiness;
        let red = readiness.red();
        let names: Vec<&str> = red.items().map(Item::name).collect();
        let why = if names.is_empty() { "all is green".to_owned() } else { format!("red: {}", names.join(", ")) };
        let overridden = readiness.overridden_until().is_some();
        let by = self.doing.as_ref().map_or(String::new(), |doing| format!("; {doing}"));
        let overridden = if overridden { ", overridden" } else { "" };
        let text = format!("the readiness gate is {}{overridden}, {why}{by}", readiness.gate().name());
        self.announce("readiness", text);
    }
}

/// The first few, and how many more.
fn listed(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    let more = all.len().saturating_sub(NAMED);
    let shown = all.get(..all.len() - more).unwrap_or_default().join("; ");
    if more == 0 { shown } else { format!("{shown}; and {more} more") }
}
