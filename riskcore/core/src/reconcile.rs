//! The drop copy against what was booked (rules.md U2), and what the gateway measured of itself (S2): events that decide no
//! order and may stop all of them.

use crate::checks::drop_copy::{Mismatch, Place, Taken};
use crate::checks::self_check::Figures;
use crate::engine::Engine;
use crate::events::{DropCopy, ReportKind};
use crate::ids::{OrderId, SymbolId};
use crate::outcome::{Alarm, Effect, Outcome};
use crate::scopes::ScopeIx;
use crate::units::{Price, Qty};
use crate::watchlist::Causes;

impl Engine {
    /// The venue's drop copy tells of an execution. A gap is not stepped over: the copies before it can be asked for again.
    pub(crate) fn drop_copy(&mut self, copy: &DropCopy) -> Outcome {
        match self.checks.drop_copy.take(copy.drop_seq) {
            Taken::Duplicate => return Outcome::DuplicateReport,
            Taken::Gap(expected) => {
                self.effects.push(Effect::Alarm(Alarm::DropCopyGap(expected)));
                return Outcome::ReportGap(expected);
            }
            Taken::Next => {}
        }
        let sound = |qty: Qty, price: Price| qty.0 > 0 && price.0 > 0;
        match copy.kind {
            ReportKind::Trade { qty, price } if sound(qty, price) => self.copied(copy, qty.0, price),
            ReportKind::TradeCancel { qty, price } if sound(qty, price) => self.copied(copy, -qty.0, price),
            ReportKind::TradeCorrect { old_qty, old_price, qty, price }
                if sound(old_qty, old_price) && sound(qty, price) =>
            {
                self.copied(copy, -old_qty.0, old_price);
                self.copied(copy, qty.0, price);
            }
            _ => {
                self.state.counters.bad_reports += 1;
                self.effects.push(Effect::Alarm(Alarm::BadReport(copy.order)));
            }
        }
        Outcome::Applied
    }

    fn copied(&mut self, copy: &DropCopy, qty: i64, price: Price) {
        if let Some(place) = self.place_of_execution(copy.order, copy.symbol) {
            self.checks.drop_copy.copied(place, qty, price, self.state.now);
        }
    }

    /// An execution of an order we do not know is compared, too: both accounts should have it.
    pub(crate) fn booked_unknown(&mut self, order: OrderId, symbol: SymbolId, qty: Qty, price: Price) {
        if let Some(place) = self.place_of_execution(order, Some(symbol)) {
            self.checks.drop_copy.booked(place, qty.0, price, self.state.now);
        }
    }

    /// `None` for an order of an earlier run: what it had executed before this one began was booked by nobody here.
    fn place_of_execution(&self, order: OrderId, symbol: Option<SymbolId>) -> Option<Place> {
        let known = self.state.orders.get(order);
        if known.is_none() && self.state.orders.is_of_earlier_run(order) {
            return None;
        }
        let account = known.map(|order| order.touched.account());
        Some(Place { order, account, symbol: known.map(|order| order.symbol).or(symbol) })
    }

    /// The drop copy is there. `restarted`: the venue has forgotten where it was.
    pub(crate) fn drop_copy_up(&mut self, restarted: bool) -> Outcome {
        if restarted {
            let last = self.checks.drop_copy.last_seq();
            self.effects.push(Effect::Alarm(Alarm::DropCopyLost(last)));
        }
        self.checks.drop_copy.up(self.state.now, restarted);
        Outcome::Applied
    }

    /// The drop copy is away.
    pub(crate) fn drop_copy_down(&mut self) -> Outcome {
        self.checks.drop_copy.down(self.state.now);
        Outcome::Applied
    }

    /// Names the orders about which both accounts have differed for too long.
    pub(crate) fn tell_mismatches(&mut self) {
        while let Some(Mismatch { order, symbol, ahead }) = self.checks.drop_copy.take_news() {
            let booked = self.state.orders.get(order).map_or(0, |order| order.cum.0);
            let copied = booked.saturating_add(ahead);
            self.effects.push(Effect::Alarm(Alarm::DropCopyMismatch { order, symbol, booked, copied }));
        }
    }

    /// What the gateway measured of itself.
    pub(crate) fn self_check(&mut self, figures: Figures) -> Outcome {
        self.checks.self_check.tell(figures);
        self.state.watchlist.push(ScopeIx::FIRM, Causes::MEASURED);
        Outcome::Applied
    }
}
