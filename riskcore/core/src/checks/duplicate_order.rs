//! R2: the same order again and again. Source: Rule 15c3-5(c)(1)(ii) ("orders that indicate duplicative orders"); RTS 7
//! Art. 18(2)(c)(ii); rules.md R2. Everbright 2013 sent 26,082 orders in two seconds; Knight's routers the same child each
//! time.
//!
//! Orders are the same if router, account, symbol, side, type, quantity and price are, as numbers; not their ids, and not
//! what they are sent for. More than `duplicate_orders` of them in the window are refused, more than `duplicate_orders_halt`
//! halt the router. Every attempt counts, refused by whatever or not, so that a storm that is refused does not become
//! invisible: it passes again only when it pauses. A resend with the same ClOrdID is answered and no attempt, a dry run is
//! no order, a replace is another order each time; none of them counts.
//!
//! How much of the limit is used is not told: each order has a count of its own, and a second one like it is no news.
//!
//! The window is exact. Remembered are the router's last `duplicate_orders_memory` different orders; when there are more,
//! the one that was quiet for the longest is forgotten, so it should be what `message_rate` lets through in a window.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Check, Look, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::events::{NewOrder, OrdType, Side};
use crate::hash::FoldHasher;
use crate::ids::{AccountId, RouterId, SymbolId};
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::outcome::Unit;
use crate::reasons::{Reason, reasons};
use crate::repeats::{Place, Repeats};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::{Nanos, Price, Qty};
use crate::watchlist::Causes;

reasons! { REASONS:
    DUPLICATE_ORDER = 270, 6,
        "The router has sent the same order too often in a short time; it passes again after a pause of the window's length.";
}

/// The same order, refused.
pub static DUPLICATE_ORDERS: LimitDef = LimitDef {
    code: 130,
    name: "duplicate_orders",
    unit: Unit::Count,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "New orders of the same account, symbol, side, type, quantity and price in any window of \
          `duplicate_orders_window`, refused ones too; at most 1,000.",
};

/// Its window.
pub static DUPLICATE_ORDERS_WINDOW: LimitDef = LimitDef {
    code: 131,
    name: "duplicate_orders_window",
    unit: Unit::Nanos,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Length of the window of `duplicate_orders` and `duplicate_orders_halt`; one second if not set.",
};

/// The same order, and a halt.
pub static DUPLICATE_ORDERS_HALT: LimitDef = LimitDef {
    code: 132,
    name: "duplicate_orders_halt",
    unit: Unit::Count,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Halt,
    doc: "As `duplicate_orders`, but more of them halt the router; usually twice as many.",
};

/// How many different orders are remembered.
pub static DUPLICATE_ORDERS_MEMORY: LimitDef = LimitDef {
    code: 133,
    name: "duplicate_orders_memory",
    unit: Unit::Count,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Different orders of a router that are remembered, the newest; 1,024 if not set, at most 65,536. More than \
          `message_rate` lets through in the window are not needed.",
};

/// The one that halts first: it must not hide behind the one that refuses.
const BOTH: [LimitId; 2] = [id::DUPLICATE_ORDERS_HALT, id::DUPLICATE_ORDERS];

const DEFAULT_WINDOW: Nanos = Nanos::from_secs(1);
const DEFAULT_MEMORY: i128 = 1_024;

/// The most that is remembered, 64 MiB: a limit above it is measured as this many.
const MAX_MEMORY: i128 = 1 << 16;
const MAX_COUNT: i128 = 1_000;
const MAX_TIMES: usize = 1 << 23;

/// What makes two orders the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Content {
    account: AccountId,
    symbol: SymbolId,
    side: Side,
    ord_type: OrdType,
    qty: Qty,
    price: Option<Price>,
}

impl core::hash::Hash for Content {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.account.0) << 32 | u64::from(self.symbol.0));
        state.write_u64((self.qty.0 as u64) << 8 ^ (self.side as u64) << 4 ^ self.ord_type as u64);
        state.write_u64(self.price.map_or(u64::MAX, |price| price.0 as u64));
    }
}

impl Content {
    /// `None` for names that are not known: what cannot be told apart is not the same.
    fn of(order: &NewOrder) -> Option<Content> {
        Some(Content {
            account: order.account.known()?,
            symbol: order.symbol.known()?,
            side: order.side,
            ord_type: order.ord_type,
            qty: order.qty,
            price: order.price,
        })
    }

    fn of_candidate(candidate: &Candidate) -> Content {
        Content {
            account: candidate.account,
            symbol: candidate.symbol,
            side: candidate.side,
            ord_type: candidate.ord_type,
            qty: candidate.qty,
            price: candidate.price,
        }
    }
}

/// What a router has sent.
struct Sent {
    window: Nanos,
    /// As many in the window are more than the tighter of the limits lets pass.
    too_many: usize,
    orders: Repeats<Content>,
    /// Its newest attempt, if that was an order.
    newest: Option<Place>,
    /// There were too many like that one in the window when it came.
    over: bool,
}

/// Per scope: of a router with a limit, what it has sent.
#[derive(Default)]
pub struct DuplicateOrder {
    routers: Vec<Option<Box<Sent>>>,
}

impl DuplicateOrder {
    fn sent(&self, router: ScopeIx) -> Option<&Sent> {
        self.routers.get(router.at())?.as_deref()
    }
}

/// How often the order was sent within the window, itself included.
fn times_sent(sent: &Sent, candidate: &Candidate) -> i128 {
    match sent.newest.filter(|_| candidate.observed) {
        Some(place) => sent.orders.count(place, candidate.now, sent.window) as i128,
        None => {
            let before = sent.orders.find(&Content::of_candidate(candidate));
            before.map_or(0, |place| sent.orders.count(place, candidate.now, sent.window)) as i128 + 1
        }
    }
}

fn bound_of(value: i128) -> i128 {
    value.clamp(0, MAX_COUNT)
}

impl Check for DuplicateOrder {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::REFUSED;

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.routers.len() <= ix.at() {
            self.routers.resize_with(ix.at() + 1, || None);
        }
        let slot = &mut self.routers[ix.at()];
        let Some(most) = BOTH.into_iter().filter_map(|limit| limits.get(limit)).max() else {
            *slot = None;
            return;
        };
        let window = limits.get(id::DUPLICATE_ORDERS_WINDOW).and_then(|ns| i64::try_from(ns).ok());
        let window = window.map_or(DEFAULT_WINDOW, Nanos);
        // One more than passes tells a breach.
        let per = bound_of(most) as usize + 1;
        let things = limits.get(id::DUPLICATE_ORDERS_MEMORY).unwrap_or(DEFAULT_MEMORY).clamp(1, MAX_MEMORY) as usize;
        let things = things.min(MAX_TIMES / per);
        let tightest = BOTH.into_iter().filter_map(|limit| limits.blocks(limit)).min();
        let too_many = tightest.map_or(per, |bound| bound_of(bound) as usize + 1);
        match slot {
            Some(sent) => {
                (sent.window, sent.too_many) = (window, too_many);
                if (sent.orders.things(), sent.orders.per()) != (things, per) {
                    (sent.orders, sent.newest) = (sent.orders.resized(things, per), None);
                }
            }
            None => {
                *slot = Some(Box::new(Sent { window, too_many, orders: Repeats::new(things, per), newest: None, over: false }));
            }
        }
    }

    #[inline(always)]
    fn attempted(&mut self, router: ScopeIx, order: Option<&NewOrder>, state: &State) {
        if let Some(Some(sent)) = self.routers.get_mut(router.at()) {
            let Some(content) = order.and_then(Content::of) else {
                sent.newest = None;
                return;
            };
            let (place, over) = sent.orders.push_and_ask(&content, state.now, sent.too_many, sent.window);
            (sent.newest, sent.over) = (Some(place), over);
        }
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let places = BOTH.map(|limit| candidate.bounds.places(limit));
        if places == [0, 0] || candidate.replaces.is_some() {
            return;
        }
        let ix = candidate.touched.router();
        let Some(sent) = self.sent(ix) else { return };
        let value = times_sent(sent, candidate);
        for (limit, places) in BOTH.into_iter().zip(places) {
            let bound = bound_of(state.limits.at(ix).value(limit));
            if places != 0 && !see(Measure { ix, limit, bound, value, reason: &DUPLICATE_ORDER }) {
                return;
            }
        }
    }

    /// The verdict alone need not count what is in the window.
    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        if let Some(sent) = self.sent(candidate.touched.router())
            && (candidate.observed && sent.newest.is_some() && !sent.over)
        {
            return Ok(());
        }
        self.check_each(candidate, state)
    }

    /// Attempts that something else refused halt the router as well.
    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let Look { ix, limits, state, .. } = *look;
        let Some((sent, place)) = self.sent(ix).and_then(|sent| Some((sent, sent.newest?))) else { return };
        for limit in BOTH {
            let Some(setting) = limits.setting(limit) else { continue };
            let bound = bound_of(setting.value);
            if setting.action.halts().is_some() && sent.orders.has(place, bound as usize + 1, state.now, sent.window) {
                let value = sent.orders.count(place, state.now, sent.window) as i128;
                see(Measure { ix, limit, bound, value, reason: &DUPLICATE_ORDER });
            }
        }
    }

    fn reinstated(&mut self, ix: ScopeIx, _router: Option<RouterId>) {
        if let Some(Some(sent)) = self.routers.get_mut(ix.at()) {
            sent.orders.clear();
            sent.newest = None;
        }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        for sent in self.routers.iter().flatten() {
            sent.orders.each_time(|content, time| {
                core::hash::Hash::hash(content, hasher);
                hasher.write_u64(time.0 as u64);
            });
        }
    }
}
