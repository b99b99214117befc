//! The looks of a scenario: `expect WHAT ... -> value`.

use riskcore::detect::evidence::ByRouter;
use riskcore::detect::findings::About;
use riskcore::halts::State;
use riskcore::ids::{OrderId, RouterId};
use riskcore::limits::LimitId;
use riskcore::outcome::{Effect, Unit};

use super::Runner;
use crate::parse::{Line, whole};
use crate::words::money;

impl Runner {
    /// `expect breaches SCOPE LIMIT -> n`: what a limit on trial would have stopped.
    pub fn breaches(&self, line: &Line<'_>) -> String {
        let ix = self.engine.state().scopes.find(self.scope(line.words[2]));
        let limit = LimitId::by_name(line.words[3]).unwrap();
        ix.and_then(|ix| self.engine.trials().of(ix, limit)).map_or(0, |trial| trial.breaches).to_string()
    }

    /// `expect warned SCOPE LIMIT -> 50 75`: the steps of the ladder that were told, in order.
    pub fn warned(&self, line: &Line<'_>) -> String {
        let (scope, limit) = (self.scope(line.words[2]), LimitId::by_name(line.words[3]).unwrap());
        let told = self.effects.iter().filter_map(|effect| match effect {
            Effect::Warned(w) if (w.scope, w.limit) == (scope, limit) => Some(w.percent.to_string()),
            _ => None,
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() { "none".into() } else { told.join(" ") }
    }

    /// `holding parity, kill_path`
    pub fn gate(&self) -> String {
        let readiness = &self.engine.state().readiness;
        let gate = readiness.gate().name();
        let red: Vec<&str> = readiness.red().items().map(|item| item.name()).collect();
        format!("{gate} {}", if red.is_empty() { "green".into() } else { red.join(", ") })
    }

    /// `1 loud 2 quiet`: findings nobody has acknowledged.
    pub fn findings(&self) -> String {
        let open = || self.engine.detect().findings.iter().filter(|finding| finding.is_open());
        format!("{} loud {} quiet", open().filter(|f| f.loud).count(), open().filter(|f| !f.loud).count())
    }

    /// `loud venue_reject:Power Peg disabled r8 97/97`
    pub fn finding(&self, id: u64) -> String {
        let Some(finding) = self.engine.detect().findings.get(id) else { return "none".into() };
        let names = &self.engine.state().names;
        let about = match finding.about {
            About::FirstSeen(seen) => format!("{}:{}", seen.kind(), seen.value(names)),
            About::Divergence { signal, .. } => format!("divergence:{}", signal.name()),
        };
        let level = if finding.loud { "loud" } else { "quiet" };
        let router = names.routers.name(finding.router.0);
        let common = if finding.common { " common" } else { "" };
        let by = finding.acknowledged.as_ref().map_or(String::new(), |by| format!(" acknowledged by {}", by.principal));
        format!("{level} {about} {router} {}/{}{common}{by}", finding.count, finding.total)
    }

    /// `expect evidence SCOPE FIELD -> value`: of the newest halt of the scope that is latched.
    pub fn evidence(&self, line: &Line<'_>) -> String {
        let state = self.engine.state();
        let scope = self.scope(line.words[2]);
        let trip = state.halts.trips().iter().rev().find(|trip| trip.scope == scope && trip.reinstated.is_none());
        let Some(evidence) = trip.and_then(|trip| self.engine.detect().evidence(trip.id)) else { return "none".into() };
        let router = |id: RouterId| state.names.routers.name(id.0).to_string();
        let joined = |list: Vec<String>| if list.is_empty() { "none".into() } else { list.join(" ") };
        match line.words[3] {
            "culprit" => evidence.culprit.map_or("none".into(), router),
            "first" => evidence.first.map_or("none".into(), |first| {
                let parent = first.parent.and_then(|id| state.parents.get(id));
                let parent = parent.map_or(String::new(), |parent| format!(" of {}", parent.name.as_str()));
                format!("{}{parent}, {} in all", first.cl_ord_id.as_str(), first.count)
            }),
            "limit" => evidence.limit.map_or("none".into(), |limit| limit.def().name.to_string()),
            "by_router" => {
                let is_money = evidence.limit.is_some_and(|limit| limit.def().unit == Unit::Money);
                let value = |n: i128| if is_money { money(n) } else { n.to_string() };
                let one = |one: &ByRouter| format!("{}={}", router(one.router), value(one.value));
                joined(evidence.by_router.iter().map(one).collect())
            }
            "last" => joined(
                evidence
                    .steps
                    .iter()
                    .skip(evidence.steps.len().saturating_sub(6))
                    .map(|step| step.what.name().to_string())
                    .collect(),
            ),
            "open" => evidence.open_orders.to_string(),
            "pnl" => money(evidence.pnl),
            "gross" => money(evidence.gross),
            "loss_per_second" => evidence.loss_per_second.map_or("none".into(), money),
            "positions" => joined(
                evidence
                    .positions
                    .iter()
                    .map(|held| {
                        let symbol = state.names.symbols.name(held.symbol.0);
                        format!("{symbol}={} open {}/{}", held.position, held.open_buy, held.open_sell)
                    })
                    .collect(),
            ),
            other => self.fail(line, &format!("evidence has no `{other}`")),
        }
    }

    /// `expect findings -> 1 loud 0 quiet`, `expect finding 1`, `expect evidence SCOPE FIELD`,
    /// `expect state SCOPE -> HALTED`, `expect position SCOPE -> 100 open 50/0`, `expect pnl SCOPE -> -12.5`,
    /// `expect turnover SCOPE`, `expect gross SCOPE`, `expect open SCOPE`, `expect cancels -> A1 A2`, `expect status A1`,
    /// `expect cause SCOPE`, `expect culprit SCOPE`, `expect clean SCOPE`, `expect parent P1 -> cum 100 leaves 0`
    pub fn look(&mut self, line: &Line<'_>) {
        let state = self.engine.state();
        let book = |text: &str| {
            let ix = state.scopes.find(self.scope(text));
            ix.map(|ix| state.books[ix.at()].clone()).unwrap_or_default()
        };
        let trip = |text: &str| {
            let scope = self.scope(text);
            state.halts.trips().iter().rev().find(|trip| trip.scope == scope && trip.reinstated.is_none())
        };
        let what = line.words[1];
        let actual = match what {
            "state" => {
                let ix = state.scopes.find(self.scope(line.words[2]));
                ix.map_or(State::Active, |ix| state.halts.state(ix)).name().to_string()
            }
            "position" => {
                let book = book(line.words[2]);
                format!("{} open {}/{}", book.position, book.open_buy, book.open_sell)
            }
            "pnl" => money(book(line.words[2]).pnl),
            "turnover" => money(book(line.words[2]).turnover()),
            "gross" => money(book(line.words[2]).gross),
            "open" => book(line.words[2]).open_orders.to_string(),
            "cause" => trip(line.words[2])
                .and_then(|trip| trip.cause)
                .map_or("none".into(), |cause| cause.reason.name.to_lowercase()),
            "culprit" => trip(line.words[2])
                .and_then(|trip| trip.offender)
                .map_or("none".into(), |o| state.names.routers.name(o.router.0).to_string()),
            "canary" => state.fleet.on_canary(self.router(line.words[2])).to_string(),
            "suspects" => {
                let scope = self.scope(line.words[2]);
                let incident = state.fleet.incidents().iter().find(|incident| incident.scope == scope);
                let suspects = incident.into_iter().flat_map(|incident| state.fleet.suspects(incident));
                let names: Vec<&str> = suspects.map(|router| state.names.routers.name(router.0)).collect();
                if names.is_empty() { "none".into() } else { names.join(" ") }
            }
            "clean" => trip(line.words[2]).is_some_and(|trip| trip.clean).to_string(),
            "status" => {
                let order = self.engine.order(self.order_id(line, line.words[2])).unwrap();
                let unknown = if order.unknown { " unknown" } else { "" };
                format!("{:?} cum {} leaves {}{unknown}", order.status, order.cum.0, order.leaves().0)
            }
            "parent" => {
                let parent = self.engine.parent(line.words[2].as_bytes()).known().unwrap();
                let parent = state.parents.get(parent).unwrap();
                let frozen = if parent.frozen { " frozen" } else { "" };
                format!("cum {} leaves {}{frozen}", parent.cum.0, parent.leaves.0)
            }
            "counter" => {
                let counters = &state.counters;
                match line.words[2] {
                    "late_fills" => counters.late_fills,
                    "duplicate_reports" => counters.duplicate_reports,
                    "unknown_orders" => counters.unknown_orders,
                    "bad_reports" => counters.bad_reports,
                    "bad_ticks" => counters.bad_ticks,
                    other => self.fail(line, &format!("no counter `{other}`")),
                }
                .to_string()
            }
            "gate" => self.gate(),
            "used" => self.used(line),
            "suspense" => self.suspense(line),
            "mismatch" => self.mismatch(),
            "findings" => self.findings(),
            "finding" => self.finding(whole(line.words[2]) as u64),
            "evidence" => self.evidence(line),
            "breaches" => self.breaches(line),
            "warned" => self.warned(line),
            "cancels" => {
                let sent: Vec<OrderId> = self
                    .effects
                    .drain(..)
                    .filter_map(|effect| if let Effect::SendCancel(id) = effect { Some(id) } else { None })
                    .collect();
                let mut names: Vec<&str> = sent
                    .iter()
                    .filter_map(|id| {
                        let order = self.engine.order(*id)?;
                        self.orders.iter().find(|(_, known)| **known == (order.router, order.cl_ord_id))
                    })
                    .map(|(name, _)| name.as_str())
                    .collect();
                names.sort_unstable();
                if names.is_empty() { "none".into() } else { names.join(" ") }
            }
            other => self.fail(line, &format!("cannot look at `{other}`")),
        };
        if line.expect.is_none() {
            self.fail(line, "`expect` needs `-> value`");
        }
        self.expect(line, &actual);
    }
}
