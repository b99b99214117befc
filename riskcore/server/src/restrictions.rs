//! The restricted list, as operators see and change it.

use riskcore::events::{Change, Event};
use riskcore::ids::SymbolId;
use riskcore::outcome::Outcome;
use riskcore::permissions::Stops;
use riskcore::reasons;

use crate::admin::{refused, unknown};
use crate::commands::clipped;
use crate::error::Error;
use crate::plane::Plane;
use crate::proto;

impl Plane {
    pub(crate) fn list_restrictions(&self) -> proto::ListRestrictionsResponse {
        let list = self.engine.state().permissions.restricted();
        let restrictions = list.map(|(symbol, restriction)| proto::Restriction {
            symbol: self.names().symbols.name(symbol.0).to_owned(),
            stops: restriction.stops as i32,
            principal: restriction.principal.clone(),
            reason: restriction.text.clone(),
            since: restriction.since.0 as u64,
        });
        proto::ListRestrictionsResponse { restrictions: restrictions.collect() }
    }

    pub(crate) fn set_restriction(
        &mut self,
        request: &proto::SetRestrictionRequest,
        principal: &str,
    ) -> Result<proto::SetRestrictionResponse, Error> {
        let symbol = self.names().symbol(&request.symbol).known().ok_or_else(|| unknown("symbol", &request.symbol))?;
        let stops = match request.stops {
            0 => None,
            n => Some(u8::try_from(n).ok().and_then(Stops::from_number).ok_or_else(|| {
                Error::Invalid(format!(
                    "stops: {n} is none of RestrictedOrders; this gateway may be older than its client"
                ))
            })?),
        };
        let (principal, text) = (clipped(principal), clipped(&request.reason));
        self.doing = Some(format!("{principal}: {}: {text}", self.describe_restriction(symbol, stops)));
        let outcome = self.apply(&Event::Restrict { symbol, stops, principal: principal.clone(), text: text.clone() });
        self.doing = None;
        match outcome {
            Outcome::Applied => Ok(proto::SetRestrictionResponse { applied: true, proposal_id: 0 }),
            Outcome::Refused(reject) if reject.reason == &reasons::NEEDS_APPROVAL => {
                let proposal_id = self.propose(Change::Restrict { symbol, stops }, principal, text)?;
                Ok(proto::SetRestrictionResponse { applied: false, proposal_id })
            }
            other => Err(refused(&other)),
        }
    }

    /// What a change of the list does, in words.
    pub(crate) fn describe_restriction(&self, symbol: SymbolId, stops: Option<Stops>) -> String {
        let name = self.names().symbols.name(symbol.0);
        match stops {
            Some(stops) => format!("restrict {name}, stopping {} orders", stops.name()),
            None => format!("take {name} off the restricted list"),
        }
    }

    pub(crate) fn announce_restriction(&mut self) {
        if self.running {
            let what = self.doing.clone().unwrap_or_else(|| "the restricted list changed".to_owned());
            self.announce("restriction", what);
        }
    }
}
