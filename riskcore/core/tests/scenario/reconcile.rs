//! Steps and looks of the drop copy, suspense, sessions and the gateway's own figures.

use riskcore::checks::self_check::Figures;
use riskcore::events::{DropCopy, Event, ReportKind};
use riskcore::ids::{OrderId, SymbolId};
use riskcore::limits::LimitId;
use riskcore::outcome::{Alarm, Effect, Unit};
use riskcore::units::{Nanos, Price, Qty};

use super::{Runner, UNKNOWN_ORDER};
use crate::parse::{Line, fixed, span, whole};
use crate::words::{money, verdict};

impl Runner {
    /// `session_lost r1`, `session_up r1`
    pub fn session(&mut self, line: &Line<'_>) {
        let router = self.router(line.words[1]);
        let event =
            if line.words[0] == "session_up" { Event::SessionUp { router } } else { Event::SessionLost { router } };
        self.apply(event);
    }

    /// `drop_copy up`, `drop_copy down`, `drop_copy restarted`
    pub fn drop_copy(&mut self, line: &Line<'_>) {
        let event = match line.words[1] {
            "up" => Event::DropCopyUp { restarted: false },
            "restarted" => Event::DropCopyUp { restarted: true },
            "down" => Event::DropCopyDown,
            other => self.fail(line, &format!("a drop copy is up, down or restarted, not `{other}`")),
        };
        self.apply(event);
    }

    /// `copy A1 50 @ 10.00`, `copy_bust A1 50 @ 10.00`; `copy_again` and `copy_gap` with a number that is not the next one;
    /// `unknown_copy buy AAPL 10 @ 10.00`
    pub fn copy(&mut self, line: &Line<'_>) {
        let unknown = line.words[0] == "unknown_copy";
        let order = if unknown { UNKNOWN_ORDER } else { self.order_id(line, line.words[1]) };
        let symbol: Option<SymbolId> = if unknown { self.symbol(line.words[2]).known() } else { None };
        let at = line.words.iter().position(|word| *word == "@").unwrap();
        let (qty, price) = (Qty(whole(line.words[at - 1])), Price(fixed(line.words[at + 1]) as i64));
        let kind = if line.words[0] == "copy_bust" {
            ReportKind::TradeCancel { qty, price }
        } else {
            ReportKind::Trade { qty, price }
        };
        let next = self.engine.checks().drop_copy.last_seq() + 1;
        let drop_seq = match line.words[0] {
            "copy_again" => next - 1,
            "copy_gap" => next + 1,
            _ => next,
        };
        let outcome = self.apply(Event::DropCopy(DropCopy { drop_seq, order, symbol, kind }));
        self.expect(line, &verdict(&outcome));
    }

    /// `self_check event_lag=1ms journal_lag=0ms queue_depth=0`
    pub fn self_check(&mut self, line: &Line<'_>) {
        self.apply(Event::SelfCheck(Figures {
            event_lag: Nanos(span(line.get("event_lag").unwrap())),
            journal_lag: Nanos(span(line.get("journal_lag").unwrap())),
            queue_depth: whole(line.get("queue_depth").unwrap()) as u64,
        }));
    }

    /// `expect used SCOPE LIMIT`: money in decimals, anything else as it is counted.
    pub fn used(&self, line: &Line<'_>) -> String {
        let state = self.engine.state();
        let limit = LimitId::by_name(line.words[3]).unwrap_or_else(|| self.fail(line, "no such limit"));
        let ix = state.scopes.find(self.scope(line.words[2]));
        let used = ix.and_then(|ix| self.engine.checks().used(limit, ix, state));
        match used {
            None => "none".into(),
            Some(used) if limit.def().unit == Unit::Money => money(used),
            Some(used) => used.to_string(),
        }
    }

    /// `expect suspense r1 AAPL -> bought 10 sold 0 notional 1000 [parent P1]`; `-` where no router is known.
    pub fn suspense(&self, line: &Line<'_>) -> String {
        let state = self.engine.state();
        let router = (line.words[2] != "-").then(|| self.router(line.words[2]));
        let symbol = self.symbol(line.words[3]).known().unwrap();
        let mut rows = state.suspense.rows().iter();
        let row = rows.find(|row| (row.origin.router, row.origin.symbol) == (router, symbol));
        row.map_or("none".into(), |row| {
            let parent = row.origin.parent.map_or(String::new(), |parent| format!(" parent {}", parent.as_str()));
            format!("bought {} sold {} notional {}{parent}", row.bought, row.sold, money(row.notional))
        })
    }

    /// `expect mismatch -> A1 AAPL booked 100 copied 99`: the newest one that was told.
    pub fn mismatch(&self) -> String {
        let newest = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Alarm(Alarm::DropCopyMismatch { order, symbol, booked, copied }) => {
                Some((*order, *symbol, *booked, *copied))
            }
            _ => None,
        });
        newest.map_or("none".into(), |(order, symbol, booked, copied)| {
            let symbol = symbol.map_or("-", |symbol| self.engine.state().names.symbols.name(symbol.0));
            format!("{} {symbol} booked {booked} copied {copied}", self.name_of(order))
        })
    }

    fn name_of(&self, id: OrderId) -> &str {
        let order = self.engine.order(id).map(|order| (order.router, order.cl_ord_id));
        let known = order.and_then(|order| self.orders.iter().find(|(_, known)| **known == order));
        known.map_or("unknown", |(name, _)| name.as_str())
    }
}
