//! Routes: what all orders of one account, router, instrument and strategy have in common, worked out once per change of
//! limits instead of once per order - the scopes they touch, where which limit is set, and the tightest of those limits
//! that bound an order by itself.
//!
//! A cache of fixed size, one place per hash. A route that is not in it is worked out anew; no decision depends on
//! which it was. A route is one cache line, and one for what it may add; routes whose scopes have the same limits share
//! one set of bounds: of ten thousand instruments under the same defaults each is two lines, and the bounds of all of them
//! stay in the cache.

use alloc::vec::Vec;
use hashbrown::HashMap;

use crate::checks::price_collar::in_force;
use crate::checks::{LIMIT_COUNT, id};
use crate::hash::Seeded;
use crate::headroom::Grant;
use crate::ids::{AccountId, RouterId, StrategyId, SymbolId};
use crate::limits::{LimitId, Limits, each};
use crate::orders::Touched;
use crate::permissions::Stops;
use crate::scopes::{ScopeIndex, ScopeIx};

/// Where which limit is set among the scopes of a route, and the tightest of some.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Smallest `max_order_notional`.
    pub order_notional: i128,
    /// Smallest `max_order_qty`.
    pub order_qty: i64,
    /// Smallest `price_collar_bps`.
    pub collar_bps: i64,
    /// Smallest collar while orders are collected: `price_collar_auction_bps`, or where it is not set the other one.
    pub collar_auction_bps: i64,
    /// Smallest `max_order_adv_bps`.
    pub order_adv_bps: i64,
    /// Smallest `price_collar_passive_bps`.
    pub passive_bps: i64,
    /// Smallest `market_data_max_age`, in ns.
    pub market_data_age: i64,
    /// Smallest `max_children_factor`.
    pub children_factor: i64,
    /// Largest `min_child_qty`; 0 if none is set.
    pub smallest_child: i64,
    /// A limit that is required at one of the scopes is not set there.
    pub missing: bool,
    /// The scope whose list has not got the symbol.
    pub not_permitted: Option<ScopeIx>,
    /// What the restricted list stops of the symbol.
    pub restricted: Option<Stops>,
    /// A limit whose breach stops nothing is set at one of the scopes.
    pub trial: bool,
    /// A limit is passed over at one of the scopes, as two people have allowed: it does not count the order.
    pub waived: bool,
    places: [u8; LIMIT_COUNT],
}

impl Bounds {
    /// No limit anywhere.
    const NONE: Bounds = Bounds {
        order_notional: i128::MAX,
        order_qty: i64::MAX,
        collar_bps: i64::MAX,
        collar_auction_bps: i64::MAX,
        order_adv_bps: i64::MAX,
        passive_bps: i64::MAX,
        market_data_age: i64::MAX,
        children_factor: i64::MAX,
        smallest_child: 0,
        missing: false,
        not_permitted: None,
        restricted: None,
        trial: false,
        waived: false,
        places: [0; LIMIT_COUNT],
    };

    /// Those of an order that touches these scopes: limits whose breach stops something.
    pub fn of(touched: &Touched, shape: &Shape, limits: &Limits, scopes: &ScopeIndex) -> Bounds {
        let (not_permitted, restricted) = (shape.not_permitted, shape.restricted);
        let mut bounds = Bounds { not_permitted, restricted, ..Bounds::NONE };
        let tighter = |old: i64, new: i128| old.min(i64::try_from(new).unwrap_or(i64::MAX));
        for (place, ix) in touched.iter().enumerate() {
            let here = limits.at(ix);
            bounds.missing |= limits.missing(ix, scopes.at(ix).kind()).is_some();
            bounds.trial |= here.on_trial() != 0;
            for limit in each(here.blocking()) {
                bounds.places[usize::from(limit.0)] |= 1 << place;
                let value = here.value(limit);
                let bound = match limit {
                    id::MAX_ORDER_QTY => &mut bounds.order_qty,
                    id::MAX_ORDER_ADV_BPS => &mut bounds.order_adv_bps,
                    id::PRICE_COLLAR_PASSIVE_BPS => &mut bounds.passive_bps,
                    id::MARKET_DATA_MAX_AGE => &mut bounds.market_data_age,
                    id::MAX_CHILDREN_FACTOR => &mut bounds.children_factor,
                    id::MAX_ORDER_NOTIONAL => {
                        bounds.order_notional = bounds.order_notional.min(value);
                        continue;
                    }
                    id::MIN_CHILD_QTY => {
                        bounds.smallest_child = bounds.smallest_child.max(i64::try_from(value).unwrap_or(i64::MAX));
                        continue;
                    }
                    _ => continue,
                };
                *bound = tighter(*bound, value);
            }
            if let Some(bound) = in_force(here, false) {
                bounds.collar_bps = tighter(bounds.collar_bps, bound);
            }
            if let Some(bound) = in_force(here, true) {
                bounds.collar_auction_bps = tighter(bounds.collar_auction_bps, bound);
            }
        }
        bounds
    }

    /// Those whose breach stops nothing. The tightest ones are out of reach: each is looked at.
    pub fn on_trial(touched: &Touched, limits: &Limits) -> Bounds {
        let mut bounds = Bounds::NONE;
        bounds.look_at_each();
        for (place, ix) in touched.iter().enumerate() {
            for limit in each(limits.at(ix).on_trial()) {
                bounds.places[usize::from(limit.0)] |= 1 << place;
            }
        }
        bounds
    }

    /// Passes over a limit at one place, as two people have allowed.
    pub fn waive(&mut self, limit: LimitId, place: usize) {
        self.places[usize::from(limit.0)] &= !(1 << place);
        self.waived = true;
        self.look_at_each();
    }

    /// The limits of both.
    pub fn add(&mut self, other: &Bounds) {
        for (places, more) in self.places.iter_mut().zip(&other.places) {
            *places |= more;
        }
    }

    /// The tightest bounds pass nothing on: each limit is looked at.
    fn look_at_each(&mut self) {
        self.order_notional = i128::MIN;
        (self.order_qty, self.collar_bps, self.collar_auction_bps) = (i64::MIN, i64::MIN, i64::MIN);
        (self.order_adv_bps, self.passive_bps, self.market_data_age) = (i64::MIN, i64::MIN, i64::MIN);
        self.children_factor = 0;
    }

    /// The scopes at which a limit is set, as bits by their place (`Touched::among`).
    #[inline]
    pub fn places(&self, limit: LimitId) -> u8 {
        self.places[usize::from(limit.0)]
    }
}

/// What tells one route from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteKey {
    /// Account and router.
    left: u64,
    /// Instrument and strategy.
    right: u64,
}

impl RouteKey {
    /// The route of an order.
    #[inline]
    pub fn new(account: AccountId, router: RouterId, symbol: SymbolId, strategy: Option<StrategyId>) -> RouteKey {
        let strategy = strategy.map_or(u32::MAX, |strategy| strategy.0);
        RouteKey {
            left: u64::from(account.0) << 32 | u64::from(router.0),
            right: u64::from(strategy) << 32 | u64::from(symbol.0),
        }
    }

    /// Multiplying by the golden ratio spreads ids that follow each other evenly, without a collision among neighbours.
    #[inline]
    fn hash(self) -> u64 {
        self.right.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.left.wrapping_mul(0xd6e8_feb8_6659_fd93)
    }
}

/// One route.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct Route {
    key: RouteKey,
    /// When it was put there, in the cache's own count.
    epoch: u64,
    /// The scopes.
    pub touched: Touched,
    /// The place of its limits.
    bounds: u32,
    /// What its orders, sells and buys, may still add (`headroom.rs`).
    pub grants: [Grant; 2],
}

impl Route {
    /// Its account.
    #[inline]
    pub fn account(&self) -> AccountId {
        AccountId((self.key.left >> 32) as u32)
    }

    /// Its instrument.
    #[inline]
    pub fn symbol(&self) -> SymbolId {
        SymbolId(self.key.right as u32)
    }
}

/// Where a route is held, until the next one is put there.
#[derive(Clone, Copy, Debug)]
pub struct RoutePlace(usize);

impl RoutePlace {
    /// Its number.
    #[inline]
    pub fn index(self) -> usize {
        self.0
    }
}

/// Everything that bounds depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Per place of a scope: which limits are in force there (`Limits::set_of`).
    pub sets: [u32; 7],
    /// See `Bounds`.
    pub not_permitted: Option<ScopeIx>,
    /// See `Bounds`.
    pub restricted: Option<Stops>,
}

/// The most places, 8 MiB.
const MAX_PLACES: usize = 1 << 16;

/// Shapes there is room for from the start.
const SHAPES: usize = 64;

/// The routes that orders took last.
pub struct Routes {
    places: Vec<Route>,
    shift: u32,
    /// The version of the limits that all of this was worked out from.
    version: u64,
    /// Rises when all routes become void at once; those of an earlier one are.
    epoch: u64,
    bounds: Vec<Bounds>,
    shapes: HashMap<Shape, u32, Seeded>,
}

impl Routes {
    /// Twice as many places as pairs, within reason.
    pub fn new(pairs: usize, seed: Seeded) -> Routes {
        let places = pairs.saturating_mul(2).clamp(16, MAX_PLACES).next_power_of_two();
        let key = RouteKey { left: u64::MAX, right: u64::MAX };
        let none = Route { key, epoch: 0, touched: Touched::NONE, bounds: 0, grants: [Grant::default(); 2] };
        Routes {
            places: alloc::vec![none; places],
            shift: u64::BITS - places.trailing_zeros(),
            version: 0,
            epoch: 1,
            bounds: Vec::with_capacity(SHAPES),
            shapes: HashMap::with_capacity_and_hasher(SHAPES, seed),
        }
    }

    /// Where the route is, if it is held and the limits are still those of this version.
    #[inline]
    pub fn find(&self, key: RouteKey, version: u64) -> Option<RoutePlace> {
        let at = self.place_of(key);
        let route = self.places.get(at.0)?;
        (route.key == key && route.epoch == self.epoch && self.version == version).then_some(at)
    }

    /// The route that was just found or put there.
    #[inline(always)]
    pub fn at(&self, place: RoutePlace) -> &Route {
        &self.places[place.0]
    }

    /// The same, to change it.
    #[inline(always)]
    pub fn at_mut(&mut self, place: RoutePlace) -> &mut Route {
        &mut self.places[place.0]
    }

    /// Its limits.
    #[inline(always)]
    pub fn bounds(&self, place: RoutePlace) -> &Bounds {
        &self.bounds[self.places[place.0].bounds as usize]
    }

    /// Holds a route, in place of another. Bounds of its shape are worked out if no other route has them.
    pub fn put(
        &mut self,
        key: RouteKey,
        version: u64,
        touched: Touched,
        shape: Shape,
        bounds: impl FnOnce() -> Bounds,
    ) -> RoutePlace {
        // Routes may be put in place of others for ever: there are never more bounds than places.
        if self.version != version || self.bounds.len() >= self.places.len() {
            self.version = version;
            self.epoch += 1;
            self.bounds.clear();
            self.shapes.clear();
        }
        let next = self.bounds.len() as u32;
        let of_shape = *self.shapes.entry(shape).or_insert(next);
        if of_shape == next {
            self.bounds.push(bounds());
        }
        let at = self.place_of(key);
        self.places[at.0] = Route { key, epoch: self.epoch, touched, bounds: of_shape, grants: [Grant::default(); 2] };
        at
    }

    #[inline]
    fn place_of(&self, key: RouteKey) -> RoutePlace {
        RoutePlace((key.hash() >> self.shift) as usize)
    }
}
