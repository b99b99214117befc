//! The unary methods of `Admin`, on the plane's thread: decode, read or apply, encode. Who asks has been authenticated.

use prost::Message;
use riskcore::events::{Change, Event};
use riskcore::halts::{State, Trip};
use riskcore::ids::{AccountId, RouterId, SymbolId};
use riskcore::limits::LimitId;
use riskcore::orders::Order;
use riskcore::outcome::{Outcome, Reject};
use riskcore::scopes::{Scope, ScopeIx, ScopeKind};
use riskcore::units::{Money, Qty};
use riskgate_journal::Lsn;

use crate::commands::clipped;
use crate::error::Error;
use crate::plane::Plane;
use crate::proto;
use crate::scope_text;
use crate::venue::state::Phase;
use crate::wire::responses::{OrdStatus, side_code, unit_name};

/// Entries of a list when the request names no number.
const DEFAULT_LIST: usize = 1_000;

impl Plane {
    /// Runs one method; `ListScopes` is [`crate::listing`]'s.
    pub fn admin(&mut self, method: &str, request: &[u8], principal: &str) -> Result<Vec<u8>, Error> {
        match method {
            "GetStatus" => Ok(self.get_status().encode_to_vec()),
            "ListPositions" => Ok(self.list_positions(&decode(request)?)?.encode_to_vec()),
            "ListOrders" => Ok(self.list_orders(&decode(request)?)?.encode_to_vec()),
            "ListParents" => Ok(self.list_parents(&decode(request)?).encode_to_vec()),
            "ListUnmatched" => Ok(self.list_unmatched(&decode(request)?)?.encode_to_vec()),
            "ListLimits" => Ok(self.list_limits().encode_to_vec()),
            "ListProposals" => Ok(self.list_proposals().encode_to_vec()),
            "GetFleet" => Ok(self.get_fleet().encode_to_vec()),
            "ListRestrictions" => Ok(self.list_restrictions().encode_to_vec()),
            "HaltScope" => Ok(self.halt_scope(&decode(request)?, principal)?.encode_to_vec()),
            "ExplainOrder" => Ok(self.explain_order(&decode(request)?)?.encode_to_vec()),
            "ListLimitOverrides" => Ok(self.list_limit_overrides().encode_to_vec()),
            "ProposeLimitOverride" => Ok(self.propose_limit_override(&decode(request)?, principal)?.encode_to_vec()),
            "SetLimit" => Ok(self.set_limit(&decode(request)?, principal)?.encode_to_vec()),
            "ListFxRates" => Ok(self.list_fx_rates().encode_to_vec()),
            "ProposeFxRate" => Ok(self.propose_fx_rate(&decode(request)?, principal)?.encode_to_vec()),
            "SetRestriction" => Ok(self.set_restriction(&decode(request)?, principal)?.encode_to_vec()),
            "ProposeReinstate" => Ok(self.propose_reinstate(&decode(request)?, principal)?.encode_to_vec()),
            "ProposePromotion" => Ok(self.propose_promotion(&decode(request)?, principal)?.encode_to_vec()),
            "ProposeCloseIncident" => Ok(self.propose_close_incident(&decode(request)?, principal)?.encode_to_vec()),
            "ApproveProposal" => Ok(self.approve_proposal(&decode(request)?, principal)?.encode_to_vec()),
            "GetReadiness" => Ok(self.get_readiness().encode_to_vec()),
            "OverrideReadiness" => Ok(self.override_readiness(&decode(request)?, principal)?.encode_to_vec()),
            "ListFindings" => Ok(self.list_findings(&decode(request)?).encode_to_vec()),
            "AcknowledgeFinding" => Ok(self.acknowledge_finding(&decode(request)?, principal)?.encode_to_vec()),
            "GetEvidence" => Ok(self.get_evidence(&decode(request)?)?.encode_to_vec()),
            other => Err(Error::Invalid(format!("Admin has no unary method {other:?}"))),
        }
    }

    // ---- Seeing ----

    fn get_status(&self) -> proto::GetStatusResponse {
        let state = self.engine.state();
        let unknown = self.open_orders().filter(|order| order.unknown).count();
        proto::GetStatusResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: self.config.epoch,
            trading_day: state.day,
            firm_state: state.halts.state(ScopeIx::FIRM) as i32,
            venue_connected: self.venue.phase >= Phase::Reconciling,
            venue_reconciled: self.venue.phase == Phase::Up,
            routers: (0..self.routers.len() as u32).filter_map(|n| self.router_status(RouterId(n))).collect(),
            last_seq: self.journal.appended().0,
            durable_seq: self.journal.durable().0,
            orders_accepted: state.counters.accepted,
            orders_rejected: state.counters.rejected,
            open_orders: state.orders.open(),
            unknown_orders: unknown as u32,
            time: self.now().0 as u64,
            trips: state
                .halts
                .trips()
                .iter()
                .filter(|t| t.reinstated.is_none())
                .map(|t| self.trip_message(t))
                .collect(),
            journal: self.journal.describe(),
            base_currency: self.base_currency.clone(),
        }
    }

    fn open_orders(&self) -> impl Iterator<Item = &Order> + '_ {
        let orders = &self.engine.state().orders;
        (0..self.routers.len() as u32).flat_map(move |n| orders.open_of(RouterId(n)))
    }

    fn router_status(&self, id: RouterId) -> Option<proto::RouterStatus> {
        let state = self.engine.state();
        let router = self.routers.get(id.index())?;
        let ix = state.scopes.find(Scope::Router(id))?;
        let book = state.books.get(ix.at())?;
        let said = router.runs.admitted.clone().unwrap_or_default();
        Some(proto::RouterStatus {
            router: router.name.clone(),
            connected: router.live.is_some(),
            state: self.engine.effective_state(Scope::Router(id)) as i32,
            build: said.get("build").to_owned(),
            host: said.get("host").to_owned(),
            feature_flags: said.flags.into_iter().collect(),
            last_client_seq: router.high_water,
            orders_accepted: router.accepted,
            orders_rejected: router.refused_total(),
            parent_overfill_attempts: router.refused.get("PARENT_OVERFILL").copied().unwrap_or(0),
            open_orders: book.open_orders,
            queued_reports: self.queued_reports(id) as u32,
            pnl: book.pnl.to_string(),
            gross_notional: book.gross.to_string(),
            turnover: book.turnover().to_string(),
        })
    }

    /// A halt as operators see it.
    pub(crate) fn trip_message(&self, trip: &Trip) -> proto::Trip {
        let offender = trip.offender;
        let state = self.engine.state();
        let parent = offender.and_then(|o| o.parent).and_then(|id| state.parents.get(id));
        proto::Trip {
            trip_id: trip.id,
            newest_trip_id: state.scopes.find(trip.scope).map_or(trip.id, |ix| state.halts.latch(ix).newest),
            scope: Some(self.scope_message(trip.scope)),
            state: trip.state as i32,
            cause: trip.cause.as_ref().map(|cause| self.reject_message(cause)),
            principal: trip.principal.clone(),
            text: self.sentence(trip),
            time: trip.time.0 as u64,
            seq: self.trip_records.get(&trip.id).map_or(0, |lsn| lsn.0),
            open_orders_at_halt: trip.open_orders,
            cancels_outstanding: if trip.clean || !trip.state.cancels_resting() {
                0
            } else {
                self.engine.outstanding(trip.scope)
            },
            cancels_refused: trip.cancels_refused,
            cl_ord_id: offender.map_or(String::new(), |o| o.cl_ord_id.as_str().to_owned()),
            router: offender.map_or(String::new(), |o| self.names().routers.name(o.router.0).to_owned()),
            parent_cl_ord_id: parent.map_or(String::new(), |parent| parent.name.as_str().to_owned()),
        }
    }

    /// A refusal as people see it.
    pub(crate) fn reject_message(&self, reject: &Reject) -> proto::RejectDetail {
        let bound = reject.unit != riskcore::outcome::Unit::None;
        proto::RejectDetail {
            code: u32::from(reject.reason.code),
            name: reject.reason.name.to_owned(),
            scope: reject.scope.map(|scope| self.scope_message(scope)),
            limit: if bound { reject.limit.to_string() } else { String::new() },
            value: if bound { reject.value.to_string() } else { String::new() },
            unit: unit_name(reject.unit).to_owned(),
            limit_version: self.engine.state().limits.version,
        }
    }

    /// Whether anything is latched at a scope itself.
    pub(crate) fn is_halted(&self, ix: ScopeIx) -> bool {
        self.engine.state().halts.state(ix) > State::Active
    }

    /// A scope with the part of each limit that is used.
    pub(crate) fn scope_status(&self, ix: ScopeIx, scope: Scope) -> Option<proto::ScopeStatus> {
        let state = self.engine.state();
        let book = state.books.get(ix.at())?;
        let newest = state.halts.trips().iter().rev().find(|trip| trip.scope == scope && trip.reinstated.is_none());
        Some(proto::ScopeStatus {
            scope: Some(self.scope_message(scope)),
            state: state.halts.state(ix) as i32,
            effective_state: self.engine.effective_state(scope) as i32,
            trip: newest.map(|trip| proto::Trip { trip_id: state.halts.latch(ix).newest, ..self.trip_message(trip) }),
            pnl: book.pnl.to_string(),
            gross_notional: book.gross.to_string(),
            turnover: book.turnover().to_string(),
            open_orders: book.open_orders,
            limits: self.utilization(ix),
        })
    }

    fn utilization(&self, ix: ScopeIx) -> Vec<proto::LimitUtilization> {
        let state = self.engine.state();
        let limits = state.limits.at(ix);
        let used = |id: LimitId| Some((id, limits.get(id)?, self.engine.checks().used(id, ix, state)?));
        let ids = (0..riskcore::checks::LIMIT_COUNT as u16).map(LimitId);
        ids.filter_map(used)
            .map(|(id, value, used)| proto::LimitUtilization {
                limit: id.def().name.to_owned(),
                value: value.to_string(),
                used: used.to_string(),
                unit: unit_name(id.def().unit).to_owned(),
            })
            .collect()
    }

    fn list_positions(&self, request: &proto::ListPositionsRequest) -> Result<proto::ListPositionsResponse, Error> {
        let wanted = match request.account.as_str() {
            "" => None,
            name => Some(self.names().account(name).known().ok_or_else(|| unknown("account", name))?),
        };
        let cells = self.engine.state().scopes.iter().filter_map(|(ix, scope)| match scope {
            Scope::AccountSymbol(account, symbol) if wanted.is_none_or(|wanted| wanted == account) => {
                self.position(ix, account, symbol)
            }
            _ => None,
        });
        Ok(proto::ListPositionsResponse { positions: cells.collect() })
    }

    fn position(&self, ix: ScopeIx, account: AccountId, symbol: SymbolId) -> Option<proto::Position> {
        let state = self.engine.state();
        let book = state.books.get(ix.at())?;
        let market = state.markets.get(symbol.index())?;
        let mark = market.marks().map(|marks| if book.position < 0 { marks.short } else { marks.long });
        let at_touch = market.touch().and_then(|(bid, ask)| {
            let held = state.cost(symbol, if book.position < 0 { ask } else { bid }, Qty(book.position))?;
            state.rate(symbol)?.gain(held.plus(Money(book.cash))?)
        });
        let text = |money: Option<i128>| money.map_or(String::new(), |money| money.to_string());
        Some(proto::Position {
            account: self.names().accounts.name(account.0).to_owned(),
            symbol: self.names().symbols.name(symbol.0).to_owned(),
            position: book.position,
            open_buy_qty: book.open_buy,
            open_sell_qty: book.open_sell,
            cash: book.cash.to_string(),
            pnl: text((book.unvalued == 0).then_some(book.pnl)),
            pnl_at_touch: text(at_touch.map(|pnl| pnl.0)),
            mark: mark.map_or(0, |mark| mark.0),
            currency: state.currency(symbol).map_or(String::new(), |currency| self.currency_name(currency).to_owned()),
        })
    }

    fn list_orders(&self, request: &proto::ListOrdersRequest) -> Result<proto::ListOrdersResponse, Error> {
        let wanted = match request.router.as_str() {
            "" => None,
            name => Some(self.names().router(name).known().ok_or_else(|| unknown("router", name))?),
        };
        let limit = listed(request.limit);
        let orders = self.engine.state().orders.newest_first();
        let matching = orders
            .filter(|order| wanted.is_none_or(|router| order.router == router))
            .filter(|order| !request.open_only || order.is_open());
        Ok(proto::ListOrdersResponse { orders: matching.take(limit).map(|order| self.order_status(order)).collect() })
    }

    fn order_status(&self, order: &Order) -> proto::OrderStatus {
        let names = self.names();
        let parent = order.parent.and_then(|id| self.engine.state().parents.get(id));
        proto::OrderStatus {
            order_id: order.id.0,
            cl_ord_id: order.cl_ord_id.as_str().to_owned(),
            router: names.routers.name(order.router.0).to_owned(),
            account: names.accounts.name(order.account.0).to_owned(),
            symbol: names.symbols.name(order.symbol.0).to_owned(),
            side: side_code(order.side) as i32,
            order_qty: order.qty.0,
            cum_qty: order.cum.0,
            leaves_qty: order.leaves().0,
            price: order.price.map(|price| price.0),
            ord_status: OrdStatus::from(order.status) as i32,
            unknown: order.unknown,
            parent_cl_ord_id: parent.map_or(String::new(), |parent| parent.name.as_str().to_owned()),
            time: order.accepted_at.0 as u64,
        }
    }

    fn list_parents(&self, request: &proto::ListParentsRequest) -> proto::ListParentsResponse {
        let names = self.names();
        let parents = self.engine.state().parents.iter().rev().take(listed(request.limit));
        let parents = parents.map(|parent| proto::ParentStatus {
            parent_cl_ord_id: parent.name.as_str().to_owned(),
            account: names.accounts.name(parent.account.0).to_owned(),
            symbol: names.symbols.name(parent.symbol.0).to_owned(),
            side: side_code(parent.side) as i32,
            order_qty: parent.qty.0,
            cum_qty: parent.cum.0,
            child_leaves_qty: parent.leaves.0,
            frozen: parent.frozen,
            closed: parent.closed,
        });
        proto::ListParentsResponse { parents: parents.collect() }
    }

    fn list_proposals(&self) -> proto::ListProposalsResponse {
        let now = self.now();
        let proposals = self.engine.proposals().iter().filter(|proposal| proposal.expires > now);
        let proposals = proposals.map(|proposal| proto::Proposal {
            proposal_id: proposal.id,
            principal: proposal.principal.clone(),
            reason: proposal.text.clone(),
            text: self.describe(&proposal.change),
            expires: proposal.expires.0 as u64,
        });
        proto::ListProposalsResponse { proposals: proposals.collect() }
    }

    pub(crate) fn describe(&self, change: &Change) -> String {
        match change {
            Change::Restrict { symbol, stops } => self.describe_restriction(*symbol, *stops),
            Change::FxRate { currency, rate } => self.describe_rate(*currency, *rate),
            Change::Reinstate { scope, trip } => {
                format!("reinstate {}, halted by trip {trip}", scope_text::render(*scope, self.names()))
            }
            Change::Limit { target, limit, setting, until } => self.describe_limit(*target, *limit, *setting, *until),
            Change::Override { scope, limit, up_to, order, until } => {
                self.describe_override(*scope, *limit, *up_to, *order, *until)
            }
            Change::OverrideReadiness { until } => {
                let left = until.since(self.now()).0 / 1_000_000_000;
                format!("trade for {left} s, whatever the readiness gate says")
            }
            Change::Promote { router } => format!("take router {} off canary", self.router_name(*router)),
            Change::CloseIncident { trip } => {
                let incidents = self.engine.state().fleet.incidents();
                let culprit = incidents.iter().find(|incident| incident.trip == *trip);
                let build = culprit.map_or_else(String::new, |culprit| {
                    format!(": the build of {} may log on again", self.router_name(culprit.router))
                });
                format!("close the incident of trip {trip}{build}")
            }
        }
    }

    // ---- Acting ----

    fn halt_scope(
        &mut self,
        request: &proto::HaltScopeRequest,
        principal: &str,
    ) -> Result<proto::HaltScopeResponse, Error> {
        let scope = self.scope_of(request.scope.as_ref())?;
        let state = match request.state() {
            proto::HaltState::Unspecified | proto::HaltState::Halted => State::Halted,
            proto::HaltState::CancelOnly => State::CancelOnly,
            proto::HaltState::ReduceOnly => State::ReduceOnly,
            proto::HaltState::Active => {
                return Err(Error::Invalid(
                    "state: a halt cannot make a scope ACTIVE; propose to reinstate it".to_owned(),
                ));
            }
        };
        let halted = self.halt(scope, state, principal, &request.reason)?;
        Ok(proto::HaltScopeResponse { trip_id: halted.trip_id, open_orders: halted.open_orders })
    }

    pub(crate) fn scope_of(&self, scope: Option<&proto::Scope>) -> Result<Scope, Error> {
        let (kind, scope) = kind_of(scope)?;
        scope_text::resolve(kind, &scope.name, &scope.symbol, self.names())
    }

    pub(crate) fn propose(&mut self, change: Change, principal: String, text: String) -> Result<u64, Error> {
        let what = self.describe(&change);
        match self.apply(&Event::Propose { change, principal: principal.clone(), text }) {
            Outcome::Proposed(id) => {
                self.announce("proposal", format!("{principal} proposes to {what} (proposal {id})"));
                Ok(id)
            }
            other => Err(refused(&other)),
        }
    }

    fn propose_reinstate(
        &mut self,
        request: &proto::ProposeReinstateRequest,
        principal: &str,
    ) -> Result<proto::ProposeReinstateResponse, Error> {
        let scope = self.scope_of(request.scope.as_ref())?;
        let change = Change::Reinstate { scope, trip: request.trip_id };
        let proposal_id = self.propose(change, clipped(principal), clipped(&request.reason))?;
        let expires = self.engine.proposals().iter().find(|proposal| proposal.id == proposal_id);
        let expires = expires.map_or(0, |proposal| proposal.expires.0 as u64);
        Ok(proto::ProposeReinstateResponse { proposal_id, expires })
    }

    fn approve_proposal(
        &mut self,
        request: &proto::ApproveProposalRequest,
        principal: &str,
    ) -> Result<proto::ApproveProposalResponse, Error> {
        let proposal = self.engine.proposals().iter().find(|proposal| proposal.id == request.proposal_id);
        let about_fleet = proposal
            .is_some_and(|proposal| matches!(proposal.change, Change::Promote { .. } | Change::CloseIncident { .. }));
        self.doing = proposal.map(|proposal| {
            let what = self.describe(&proposal.change);
            format!("{what}; proposed by {}, approved by {principal}", proposal.principal)
        });
        let outcome = self.apply(&Event::Approve { proposal: request.proposal_id, principal: clipped(principal) });
        let done = self.doing.take();
        match outcome {
            Outcome::Applied => {
                if let Some(done) = done.filter(|_| about_fleet) {
                    self.announce("fleet", done);
                }
                let Lsn(seq) = self.lsn();
                Ok(proto::ApproveProposalResponse { seq })
            }
            other => Err(refused(&other)),
        }
    }
}

/// A request.
pub(crate) fn decode<M: Message + Default>(request: &[u8]) -> Result<M, Error> {
    M::decode(request).map_err(|e| Error::Invalid(format!("the request is not what this method takes: {e}")))
}

fn listed(limit: u32) -> usize {
    if limit == 0 { DEFAULT_LIST } else { limit as usize }
}

pub(crate) fn unknown(what: &str, name: &str) -> Error {
    Error::Invalid(format!("{what} {name:?} is not configured; check its spelling, or add it to the configuration"))
}

pub(crate) fn kind_of(scope: Option<&proto::Scope>) -> Result<(ScopeKind, &proto::Scope), Error> {
    let scope = scope.ok_or_else(|| Error::Invalid("scope: missing".to_owned()))?;
    let kind = u8::try_from(scope.kind).ok().and_then(ScopeKind::from_number);
    Ok((kind.ok_or_else(|| Error::Invalid("scope.kind: missing or unknown".to_owned()))?, scope))
}

/// What the core refused, in a sentence.
pub(crate) fn refused(outcome: &Outcome) -> Error {
    match outcome {
        Outcome::Refused(reject) | Outcome::Rejected(reject) => {
            Error::Refused(format!("{}: {}", reject.reason.name, reject.reason.doc))
        }
        other => Error::Refused(format!("the core answered {other:?}")),
    }
}
