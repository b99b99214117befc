//! Executions that no order explains, as operators and Prometheus see them.

use riskcore::ids::RouterId;
use riskcore::scopes::ScopeIx;
use riskcore::suspense::Row;
use riskcore::units::UNIT;

use crate::admin::unknown;
use crate::error::Error;
use crate::plane::Plane;
use crate::proto;

impl Plane {
    pub(crate) fn list_unmatched(
        &self,
        request: &proto::ListUnmatchedRequest,
    ) -> Result<proto::ListUnmatchedResponse, Error> {
        let wanted = match request.router.as_str() {
            "" => None,
            name => Some(self.names().router(name).known().ok_or_else(|| unknown("router", name))?),
        };
        let suspense = &self.engine.state().suspense;
        let rows = suspense.rows().iter().filter(|row| wanted.is_none_or(|router| row.origin.router == Some(router)));
        Ok(proto::ListUnmatchedResponse {
            unmatched: rows.map(|row| self.unmatched_row(row)).collect(),
            notional: suspense.total(ScopeIx::FIRM).to_string(),
            unlisted: suspense.unlisted,
        })
    }

    fn unmatched_row(&self, row: &Row) -> proto::UnmatchedExecutions {
        let (names, origin) = (self.names(), &row.origin);
        proto::UnmatchedExecutions {
            router: origin.router.map_or(String::new(), |router| names.routers.name(router.0).to_owned()),
            parent_cl_ord_id: origin.parent.map_or(String::new(), |parent| parent.as_str().to_owned()),
            symbol: names.symbols.name(origin.symbol.0).to_owned(),
            bought_qty: row.bought,
            sold_qty: row.sold,
            notional: row.notional.to_string(),
            executions: row.executions,
            first_seen: row.first_seen.0 as u64,
            last_seen: row.last_seen.0 as u64,
            earlier_run: origin.earlier_run,
        }
    }

    /// By router, in whole units of the base currency; without a name what no router is known of.
    pub(crate) fn unmatched_notional(&self, out: &mut Vec<(String, u64)>) {
        let rows = self.engine.state().suspense.rows();
        let total = |router: Option<RouterId>| {
            let of = rows.iter().filter(|row| row.origin.router == router && !row.origin.earlier_run);
            let sum = of.fold(0_i128, |sum, row| sum.saturating_add(row.notional));
            u64::try_from(sum / i128::from(UNIT)).unwrap_or(u64::MAX)
        };
        out.push(("unmatched_exec_notional{router=}".to_owned(), total(None)));
        for (n, router) in self.routers.iter().enumerate() {
            out.push((format!("unmatched_exec_notional{{router={}}}", router.name), total(Some(RouterId(n as u32)))));
        }
    }
}
