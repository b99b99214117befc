//! What every check says of an order, for people. Nothing is decided or changed here.

use riskcore::events::{NewOrder, OrdType, TimeInForce};
use riskcore::explain::{Explanation, Held, Line, OrderWorth};
use riskcore::ids::{ClOrdId, Ref, RouterId};
use riskcore::units::{Price, Qty};

use crate::admin::unknown;
use crate::error::Error;
use crate::plane::Plane;
use crate::proto;
use crate::wire::requests::side;
use crate::wire::responses::unit_name;

/// The id of an order that was never sent.
const NEVER_SENT: &[u8] = b"explained";

impl Plane {
    pub(crate) fn explain_order(
        &mut self,
        request: &proto::ExplainOrderRequest,
    ) -> Result<proto::ExplainOrderResponse, Error> {
        let router = self.names().router(&request.router).known().ok_or_else(|| unknown("router", &request.router))?;
        let explanation = if request.cl_ord_id.is_empty() {
            let order = self.order_to_explain(router, request)?;
            self.engine.explain(&order)
        } else {
            self.explain_accepted(router, &request.cl_ord_id)?
        };
        Ok(self.explanation_message(&explanation))
    }

    fn explain_accepted(&self, router: RouterId, cl_ord_id: &str) -> Result<Explanation, Error> {
        let order = ClOrdId::new(cl_ord_id.as_bytes()).and_then(|id| self.engine.find_order(router, id));
        order.and_then(|order| self.engine.explain_open(order.id)).ok_or_else(|| {
            let name = self.names().routers.name(router.0);
            Error::Invalid(format!(
                "cl_ord_id: {name} has sent no order {cl_ord_id:?} today that was accepted; explain a refused one by its content"
            ))
        })
    }

    fn order_to_explain(&self, router: RouterId, request: &proto::ExplainOrderRequest) -> Result<NewOrder, Error> {
        let missing = |field: &str| Error::Invalid(format!("{field}: missing or unknown"));
        let names = self.names();
        Ok(NewOrder {
            router,
            client_seq: 0,
            cl_ord_id: ClOrdId::new(NEVER_SENT).ok_or_else(|| missing("cl_ord_id"))?,
            account: names.account(&request.account),
            symbol: names.symbol(&request.symbol),
            strategy: if request.strategy.is_empty() { Ref::Absent } else { names.strategy(&request.strategy) },
            parent: self.engine.parent(request.parent_cl_ord_id.as_bytes()),
            side: u64::try_from(request.side).ok().and_then(side).ok_or_else(|| missing("side"))?,
            ord_type: match request.ord_type() {
                proto::OrdType::Market => OrdType::Market,
                proto::OrdType::Limit => OrdType::Limit,
                proto::OrdType::Unspecified => return Err(missing("ord_type")),
            },
            tif: match request.time_in_force() {
                proto::TimeInForce::Unspecified | proto::TimeInForce::Day => TimeInForce::Day,
                proto::TimeInForce::GoodTillCancel => TimeInForce::GoodTillCancel,
                proto::TimeInForce::AtTheOpening => TimeInForce::AtTheOpening,
                proto::TimeInForce::ImmediateOrCancel => TimeInForce::ImmediateOrCancel,
                proto::TimeInForce::FillOrKill => TimeInForce::FillOrKill,
            },
            qty: Qty(request.order_qty),
            price: request.price.map(Price),
            flags: request.order_flags,
        })
    }

    fn explanation_message(&self, explanation: &Explanation) -> proto::ExplainOrderResponse {
        proto::ExplainOrderResponse {
            accepted: explanation.refusal.is_none(),
            reject: explanation.refusal.as_ref().map(|reject| self.reject_message(reject)),
            checks: explanation.lines.iter().map(|line| self.explained_check(line)).collect(),
            limit_version: explanation.limit_version,
            worth: explanation.worth.as_ref().map(|worth| self.order_worth(worth)),
        }
    }

    fn order_worth(&self, worth: &OrderWorth) -> proto::OrderWorth {
        proto::OrderWorth {
            risk_price: worth.px_risk.map(|price| price.0),
            currency: worth.currency.map_or(String::new(), |currency| self.currency_name(currency).to_owned()),
            rate: worth.rate.0,
            notional: worth.notional.0.to_string(),
        }
    }

    fn explained_check(&self, line: &Line) -> proto::ExplainedCheck {
        proto::ExplainedCheck {
            check: line.check.to_owned(),
            reject: line.refusal.as_ref().map(|reject| self.reject_message(reject)),
            overridden: line.overridden,
            bounds: line.held.iter().map(|held| self.explained_bound(held)).collect(),
        }
    }

    fn explained_bound(&self, held: &Held) -> proto::ExplainedBound {
        let def = held.limit.def();
        proto::ExplainedBound {
            scope: Some(self.scope_message(held.scope)),
            limit: def.name.to_owned(),
            bound: held.bound.to_string(),
            value: held.value.to_string(),
            headroom: held.headroom().to_string(),
            unit: unit_name(def.unit).to_owned(),
            action: held.action.name().to_owned(),
            over: held.is_over(),
        }
    }
}
