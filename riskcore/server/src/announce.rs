//! What routers and operators are told beyond answers: halts, reinstatements, limits, sessions, the venue, alarms.

use riskcore::halts::{State, Trip};
use riskcore::ids::{OrderId, RouterId};
use riskcore::outcome::Alarm;
use riskcore::scopes::Scope;

use crate::plane::Plane;
use crate::proto;
use crate::scope_text;
use crate::wire::responses::{HaltNotice, Refusal, scope_names};

impl Plane {
    pub(crate) fn announce(&mut self, kind: &str, text: String) {
        self.push_event(kind, text, None, None);
    }

    pub(crate) fn push_event(&mut self, kind: &str, text: String, scope: Option<Scope>, trip: Option<proto::Trip>) {
        self.events.push(proto::StreamEventsResponse {
            seq: 0,
            time: self.now().0 as u64,
            kind: kind.to_owned(),
            scope: scope.map(|scope| self.scope_message(scope)),
            text,
            trip,
            missed: 0,
        });
    }

    pub(crate) fn announce_at(&mut self, kind: &str, text: String, scope: Scope) {
        self.push_event(kind, text, Some(scope), None);
    }

    pub(crate) fn announce_session(&mut self, router: RouterId, text: &str) {
        self.push_event("session", text.to_owned(), Some(Scope::Router(router)), None);
    }

    /// A scope as operators see it.
    pub(crate) fn scope_message(&self, scope: Scope) -> proto::Scope {
        let (name, symbol) = scope_names(scope, self.names());
        proto::Scope { kind: scope.kind() as i32, name: name.to_owned(), symbol: symbol.to_owned() }
    }

    pub(crate) fn announce_halt(&mut self, id: u64) {
        let Some(trip) = self.engine.state().halts.trip(id).cloned() else { return };
        self.trip_records.insert(id, self.lsn());
        let message = self.trip_message(&trip);
        let scope = scope_text::render(trip.scope, self.names());
        let why = &message.text;
        let text =
            format!("{scope} {} by {}: {why}; {} open orders", trip.state.name(), trip.principal, trip.open_orders);
        self.push_event("halt", text, Some(trip.scope), Some(message));
        self.announce_evidence(&trip);
        for router in self.routers_in(trip.scope) {
            self.notify_halt(router, &trip);
        }
    }

    fn notify_halt(&mut self, router: RouterId, trip: &Trip) {
        let open_orders = self.engine.state().orders.open_of(router).count() as u32;
        self.emit(router, |plane, out| {
            let limit_version = plane.engine.state().limits.version;
            HaltNotice {
                scope: trip.scope,
                state: trip.state as u64,
                trip_id: trip.id,
                cause: trip.cause.map(|reject| Refusal { reject, field: None, names: plane.names(), limit_version }),
                principal: &trip.principal,
                text: &trip.text,
                open_orders,
                names: plane.names(),
            }
            .write(out);
        });
    }

    /// The routers a halt of this scope may concern. Text and causes name the scope, never another account's data.
    fn routers_in(&self, scope: Scope) -> Vec<RouterId> {
        let all = (0..self.routers.len() as u32).map(RouterId);
        match scope {
            Scope::Router(id) | Scope::RouterSymbol(id, _) => vec![id],
            Scope::Account(account) | Scope::AccountSymbol(account, _) => {
                let uses = |id: &RouterId| {
                    self.routers.get(id.index()).is_some_and(|r| r.may_use(riskcore::ids::Ref::Known(account)))
                };
                all.filter(uses).collect()
            }
            Scope::Firm | Scope::Strategy(_) | Scope::Symbol(_) => all.collect(),
        }
    }

    pub(crate) fn announce_clean(&mut self, id: u64) {
        let Some(trip) = self.engine.state().halts.trip(id).cloned() else { return };
        let message = self.trip_message(&trip);
        let text = format!("{}: every order is confirmed gone", scope_text::render(trip.scope, self.names()));
        self.push_event("halt_clean", text, Some(trip.scope), Some(message));
    }

    pub(crate) fn announce_reinstated(&mut self, scope: Scope) {
        let by_hand = || format!("{} reinstated", scope_text::render(scope, self.names()));
        let text = self.doing.clone().unwrap_or_else(by_hand);
        self.push_event("reinstate", text, Some(scope), None);
        for router in self.routers_in(scope) {
            let open_orders = self.engine.state().orders.open_of(router).count() as u32;
            self.emit(router, |plane, out| {
                HaltNotice {
                    scope,
                    state: State::Active as u64,
                    trip_id: 0,
                    cause: None,
                    principal: "riskgate",
                    text: "reinstated",
                    open_orders,
                    names: plane.names(),
                }
                .write(out);
            });
        }
    }

    pub(crate) fn announce_limit(&mut self) {
        if self.running {
            let version = self.engine.state().limits.version;
            let what = self.doing.clone().unwrap_or_else(|| "limits changed".to_owned());
            self.push_event("limit", format!("{what}; version {version}"), None, None);
        }
    }

    pub(crate) fn announce_alarm(&mut self, alarm: Alarm) {
        let order = |id: OrderId| {
            let known = self.engine.order(id);
            known.map_or(format!("{}", id.0), |order| format!("{} ({})", id.0, order.cl_ord_id.as_str()))
        };
        let text = match alarm {
            Alarm::LateFill(id) => format!("order {} was filled after it was final", order(id)),
            Alarm::Overfill(id) => format!("order {} was filled beyond its quantity", order(id)),
            Alarm::UnknownOrder(id) => format!("the venue reports on order {}, which is not ours", id.0),
            Alarm::VenueGap(seq) => format!("reports of the venue are missing from {seq} on"),
            Alarm::CancelRefused(id) => format!("the venue refused to cancel order {}; trying again", order(id)),
            Alarm::Mismatch(id) => format!("order {} differs from the venue's mass status", order(id)),
            Alarm::ParentOverfill(router) => {
                format!("router {} keeps sending more than its parents allow", self.names().routers.name(router.0))
            }
            Alarm::SuspectBuild(trip) => self.suspects(trip).unwrap_or_default(),
            Alarm::BadReport(id) => format!("the venue's report on order {} contradicts it", order(id)),
            Alarm::GraceOver(router) => {
                let name = self.names().routers.name(router.0);
                format!("router {name} is not back within its grace period; its orders are cancelled")
            }
            Alarm::DropCopyGap(seq) => format!("drop copies are missing from {seq} on; asking for them again"),
            Alarm::DropCopyLost(seq) => format!(
                "the venue has forgotten its drop copies after {seq}: executions it did not tell of cannot be checked"
            ),
            Alarm::DropCopyMismatch { order: id, symbol, booked, copied } => {
                let symbol = symbol.map_or("unknown symbol", |symbol| self.names().symbols.name(symbol.0));
                format!("order {} in {symbol}: {booked} booked, {copied} in the venue's drop copy", order(id))
            }
        };
        self.announce_text_alarm(text);
    }

    pub(crate) fn announce_text_alarm(&mut self, text: String) {
        self.counters.alarms += 1;
        if let Some(left) = self.alarm_budget.checked_sub(1) {
            self.alarm_budget = left;
            self.push_event("alarm", text, None, None);
        }
    }
}
