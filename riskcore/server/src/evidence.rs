//! The evidence of a halt as people see it, with what to do and what that will not do.

use riskcore::detect::evidence::Evidence;
use riskcore::detect::trail::Step;
use riskcore::halts::Trip;
use riskcore::ids::RouterId;
use riskcore::scopes::{Scope, ScopeIx};

use crate::error::Error;
use crate::plane::Plane;
use crate::proto;
use crate::scope_text;
use crate::sentence::decimal;
use crate::wire::responses::{side_code, unit_name};

/// Routers named one by one in a sentence; more are counted.
const NAMED: usize = 8;

impl Plane {
    pub(crate) fn get_evidence(
        &self,
        request: &proto::GetEvidenceRequest,
    ) -> Result<proto::GetEvidenceResponse, Error> {
        let id = request.trip_id;
        let trip = self.trip_in_force(id).ok_or_else(|| {
            Error::Invalid(format!("trip_id: there is no trip {id}; `riskgate status` lists the halts in force"))
        })?;
        let evidence = self.engine.detect().evidence(trip.id).ok_or_else(|| {
            Error::Refused(format!("the evidence of trip {id} is no longer held; that of the newest halts is"))
        })?;
        Ok(proto::GetEvidenceResponse { evidence: Some(self.evidence_message(trip, evidence)) })
    }

    /// A trip by its number. A halt that made a scope no more severe has a number and no trip of its own: what holds the
    /// scope is the trip before it.
    fn trip_in_force(&self, id: u64) -> Option<&Trip> {
        let halts = &self.engine.state().halts;
        let scopes = &self.engine.state().scopes;
        halts.trip(id).or_else(|| {
            let holds = |trip: &&Trip| scopes.find(trip.scope).is_some_and(|ix: ScopeIx| halts.latch(ix).newest == id);
            halts.trips().iter().rev().filter(|trip| trip.reinstated.is_none()).find(holds)
        })
    }

    fn evidence_message(&self, trip: &Trip, evidence: &Evidence) -> proto::Evidence {
        let (recommended_action, does_not) = self.advice(trip, evidence);
        let limit = evidence.limit.map(|limit| limit.def());
        proto::Evidence {
            trip: Some(self.trip_message(trip)),
            culprit: evidence.culprit.map_or(String::new(), |router| self.router_name(router)),
            first: evidence.first.map(|first| proto::FirstOffence {
                cl_ord_id: first.cl_ord_id.as_str().to_owned(),
                parent_cl_ord_id: self.parent_name(first.parent),
                time: first.time.0 as u64,
                count: first.count,
            }),
            steps: evidence.steps.iter().map(|step| self.step_message(step)).collect(),
            limit: limit.map_or(String::new(), |limit| limit.name.to_owned()),
            unit: limit.map_or(String::new(), |limit| unit_name(limit.unit).to_owned()),
            by_router: evidence
                .by_router
                .iter()
                .map(|one| proto::RouterMeasure { router: self.router_name(one.router), value: one.value.to_string() })
                .collect(),
            blast_radius: Some(self.blast_radius(evidence)),
            recommended_action,
            does_not,
        }
    }

    fn parent_name(&self, parent: Option<riskcore::ids::ParentId>) -> String {
        let parent = parent.and_then(|id| self.engine.state().parents.get(id));
        parent.map_or(String::new(), |parent| parent.name.as_str().to_owned())
    }

    fn step_message(&self, step: &Step) -> proto::RouterStep {
        let order = step.order.and_then(|id| self.engine.order(id));
        proto::RouterStep {
            time: step.time.0 as u64,
            what: step.what.name().to_owned(),
            cl_ord_id: order.map_or(String::new(), |order| order.cl_ord_id.as_str().to_owned()),
            client_seq: step.client_seq,
            symbol: step.symbol.map_or(String::new(), |symbol| self.names().symbols.name(symbol.0).to_owned()),
            side: step.side.map_or(0, |side| side_code(side) as i32),
            qty: step.qty,
            price: step.price.map(|price| price.0),
            reason: step.reason.map_or(String::new(), |reason| reason.name.to_owned()),
        }
    }

    fn blast_radius(&self, evidence: &Evidence) -> proto::BlastRadius {
        let positions = evidence.positions.iter().map(|held| proto::HeldPosition {
            account: held.account.map_or(String::new(), |id| self.names().accounts.name(id.0).to_owned()),
            symbol: self.names().symbols.name(held.symbol.0).to_owned(),
            position: held.position,
            open_buy_qty: held.open_buy,
            open_sell_qty: held.open_sell,
            gross_notional: held.gross.to_string(),
        });
        proto::BlastRadius {
            open_orders: evidence.open_orders,
            gross_notional: evidence.gross.to_string(),
            pnl: evidence.pnl.to_string(),
            loss_per_second: evidence.loss_per_second.map_or(String::new(), |loss| loss.to_string()),
            positions: positions.collect(),
            position_count: evidence.position_count,
        }
    }

    /// What to do, and what that will not do.
    fn advice(&self, trip: &Trip, evidence: &Evidence) -> (String, String) {
        let scope = scope_text::render(trip.scope, self.names());
        let cancels = if trip.state.cancels_resting() { "cancels what rests there" } else { "leaves what rests there" };
        let limits = "does not flatten a position, does not undo an execution";
        let does_not = |others: String| format!("The halt of {scope} {cancels}. It {limits}{others}.");
        match (trip.scope, evidence.culprit) {
            (Scope::Router(own) | Scope::RouterSymbol(own, _), _) => {
                let others = self.others(own);
                let others = if others.is_empty() { others } else { format!(", and does not touch {others}") };
                (self.keep_halted(&scope, evidence), does_not(others))
            }
            (_, Some(router)) => {
                let name = self.names().routers.name(router.0);
                let action = format!(
                    "Halt router:{name} in its own right before anybody reinstates {scope}: it has the largest part of the \
                     measure. Then {}.",
                    compare(name)
                );
                (action, does_not(String::new()))
            }
            (_, None) => {
                let action = format!("Find out why before two people reinstate {scope}: {}.", self.sentence(trip));
                (action, does_not(String::new()))
            }
        }
    }

    fn keep_halted(&self, scope: &str, evidence: &Evidence) -> String {
        let router = evidence.culprit.map_or("the router", |router| self.names().routers.name(router.0));
        let look = match evidence.first {
            Some(first) => {
                let parent = self.parent_name(first.parent);
                let of = if parent.is_empty() { String::new() } else { format!(" of parent {parent}") };
                format!("look first at order {}{of}, then {}", first.cl_ord_id.as_str(), compare(router))
            }
            None => compare(router),
        };
        format!("Keep {scope} halted, and {look}.")
    }

    /// The other routers, named while they are few.
    fn others(&self, own: RouterId) -> String {
        let others: Vec<&str> =
            (0..self.routers.len() as u32).filter(|n| *n != own.0).map(|n| self.names().routers.name(n)).collect();
        match others.len() {
            0..=NAMED => others.join(", "),
            more => format!("the other {more} routers"),
        }
    }

    /// Says in the event stream what is at stake.
    pub(crate) fn announce_evidence(&mut self, trip: &Trip) {
        let Some(evidence) = self.engine.detect().evidence(trip.id).cloned() else { return };
        let (action, does_not) = self.advice(trip, &evidence);
        let culprit = match evidence.culprit {
            Some(router) => format!("culprit {}", self.names().routers.name(router.0)),
            None => "no router stands out".to_owned(),
        };
        let pace = evidence.loss_per_second.map_or(String::new(), |loss| format!(" ({} a second lost)", decimal(loss)));
        let text = format!(
            "trip {}: {culprit}; {} open orders, {} positions, P&L {}{pace}. {action} {does_not}",
            trip.id,
            evidence.open_orders,
            evidence.position_count,
            decimal(evidence.pnl)
        );
        self.push_event("evidence", text, Some(trip.scope), None);
    }
}

fn compare(router: &str) -> String {
    format!("compare what {router} runs with its peers")
}
