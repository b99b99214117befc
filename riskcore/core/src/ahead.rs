//! Reading ahead: what an order will need of an instrument that was quiet for a while is in no cache. Read where it is
//! needed, one line after the other is waited for; read all at once, the waits are one.
//!
//! Nothing is decided here. An order on a route that others of its side have just taken pays a comparison.

use core::hint::black_box;

use crate::engine::Engine;
use crate::events::NewOrder;
use crate::ids::SymbolId;
use crate::orders::Touched;
use crate::routes::RoutePlace;
use crate::state::State;

/// Routes that are remembered, each with a side: few enough that what they need is still in a cache.
const RECENT: usize = 64;

/// The routes that orders took of late.
pub(crate) struct Recent([usize; RECENT]);

impl Recent {
    /// None.
    pub(crate) const NONE: Recent = Recent([usize::MAX; RECENT]);

    /// Whether a route is among them; it is from now on.
    #[inline]
    fn put(&mut self, place: RoutePlace, is_buy: bool) -> bool {
        let route = place.index() * 2 + usize::from(is_buy);
        core::mem::replace(&mut self.0[route % RECENT], route) == route
    }
}

impl Engine {
    /// Reads a word of each cache line that an order on a route that was quiet for a while will need.
    #[inline(always)]
    pub(crate) fn read_ahead(&mut self, order: &NewOrder, place: RoutePlace) {
        if !self.recent.put(place, order.side.is_buy()) {
            self.read_all(order, place);
        }
    }

    #[inline(never)]
    fn read_all(&self, order: &NewOrder, place: RoutePlace) {
        let route = self.state.routes.at(place);
        let words = self.state.ahead(order, &route.touched, route.symbol());
        black_box(words ^ self.checks.ahead(order, &route.touched));
    }
}

impl State {
    fn ahead(&self, order: &NewOrder, touched: &Touched, symbol: SymbolId) -> u64 {
        let of_cells = touched.cells().iter().fold(0, |words, cell| words ^ self.books[cell.at()].ahead());
        let at = symbol.index();
        let parent = order.parent.known().and_then(|parent| self.parents.get(parent));
        let lot = self.instruments[at].map_or(0, |instrument| instrument.lot.0);
        let volume = self.average_volumes[at].map_or(0, |qty| qty.0);
        let left =
            parent.map_or(0, |parent| parent.qty.0 ^ i64::from(parent.symbol.0) ^ parent.name.as_bytes().len() as i64);
        let meets = order.account.known().and_then(|account| self.resting.opposite(account, symbol, order.side));
        let meets = meets.map_or(0, |(_, order)| order.0);
        of_cells ^ self.markets[at].ahead() ^ self.securities[at].ahead() ^ (lot ^ volume ^ left) as u64 ^ meets
    }
}
