//! Who may trade what: per account, router and strategy the symbols it may trade, and the firm's restricted list.
//!
//! A list names symbols; a scope without one may trade all that are configured. Both are looked up when a route is worked
//! out (`routes.rs`), not per order.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::hash::Hasher;

use crate::events::Side;
use crate::hash::FoldHasher;
use crate::ids::SymbolId;
use crate::orders::Touched;
use crate::scopes::{Scope, ScopeIx};
use crate::units::Nanos;

/// Which orders of a symbol the firm does not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Stops {
    /// Whatever could open or widen a position of its account: only what reduces one passes.
    Opening = 1,
    /// Everything.
    All = 2,
    /// Buys.
    Buy = 3,
    /// Sells of any marking.
    Sell = 4,
    /// Buys, unless they reduce a short position.
    OpeningBuy = 5,
    /// Sells, unless they reduce a long position.
    OpeningSell = 6,
}

impl Stops {
    /// Every variant.
    pub const ALL: [Stops; 6] =
        [Stops::Opening, Stops::All, Stops::Buy, Stops::Sell, Stops::OpeningBuy, Stops::OpeningSell];

    /// Its name in configuration, scenarios and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Stops::Opening => "opening",
            Stops::All => "all",
            Stops::Buy => "buy",
            Stops::Sell => "sell",
            Stops::OpeningBuy => "opening_buy",
            Stops::OpeningSell => "opening_sell",
        }
    }

    /// The variant of this name.
    pub fn by_name(name: &str) -> Option<Stops> {
        Self::ALL.into_iter().find(|stops| stops.name() == name)
    }

    /// The variant of this number.
    pub fn from_number(n: u8) -> Option<Stops> {
        Self::ALL.into_iter().find(|stops| *stops as u8 == n)
    }

    /// Whether an order of this side is stopped; `reduces` if it could only reduce its account's position.
    pub fn stops(self, side: Side, reduces: bool) -> bool {
        match self {
            Stops::All => true,
            Stops::Opening => !reduces,
            Stops::Buy => side.is_buy(),
            Stops::Sell => !side.is_buy(),
            Stops::OpeningBuy => side.is_buy() && !reduces,
            Stops::OpeningSell => !side.is_buy() && !reduces,
        }
    }

    /// Whether everything that `other` stops is stopped.
    fn covers(self, other: Stops) -> bool {
        [Side::Buy, Side::Sell].into_iter().all(|side| {
            [false, true].into_iter().all(|reduces| self.stops(side, reduces) || !other.stops(side, reduces))
        })
    }
}

/// An entry of the restricted list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// What is stopped.
    pub stops: Stops,
    /// Who entered it.
    pub principal: String,
    /// Why.
    pub text: String,
    /// When.
    pub since: Nanos,
}

/// The longest list of symbols: its record stays well below what a journal takes.
pub const MAX_LIST: usize = 1 << 16;

/// All lists.
#[derive(Default)]
pub struct Permissions {
    lists: BTreeMap<ScopeIx, BTreeSet<SymbolId>>,
    restricted: BTreeMap<SymbolId, Restriction>,
}

impl Permissions {
    /// The symbols that a scope may trade; none = all.
    pub fn permit(&mut self, ix: ScopeIx, list: BTreeSet<SymbolId>) {
        if list.is_empty() {
            self.lists.remove(&ix);
        } else {
            self.lists.insert(ix, list);
        }
    }

    /// Enters a symbol in the restricted list, or takes it off.
    pub fn restrict(&mut self, symbol: SymbolId, restriction: Option<Restriction>) {
        match restriction {
            Some(restriction) => drop(self.restricted.insert(symbol, restriction)),
            None => drop(self.restricted.remove(&symbol)),
        }
    }

    /// What is stopped of a symbol.
    pub fn stops(&self, symbol: SymbolId) -> Option<Stops> {
        self.restricted.get(&symbol).map(|restriction| restriction.stops)
    }

    /// Whether a change of a symbol's entry would let through what is stopped now.
    pub fn loosens(&self, symbol: SymbolId, stops: Option<Stops>) -> bool {
        self.stops(symbol).is_some_and(|now| stops.is_none_or(|stops| !stops.covers(now)))
    }

    /// The first scope among those of an order whose list has not got the symbol.
    pub fn missing(&self, touched: &Touched, symbol: SymbolId) -> Option<ScopeIx> {
        if self.lists.is_empty() {
            return None;
        }
        touched.iter().find(|ix| self.lists.get(ix).is_some_and(|list| !list.contains(&symbol)))
    }

    /// The restricted list, by symbol.
    pub fn restricted(&self) -> impl Iterator<Item = (SymbolId, &Restriction)> + '_ {
        self.restricted.iter().map(|(symbol, restriction)| (*symbol, restriction))
    }

    /// The symbols that a scope may trade, if it has a list.
    pub fn list(&self, ix: ScopeIx) -> Option<&BTreeSet<SymbolId>> {
        self.lists.get(&ix)
    }

    /// Feeds what can influence a decision to the state hash.
    pub fn digest(&self, hasher: &mut FoldHasher) {
        for (ix, list) in &self.lists {
            list.iter().for_each(|symbol| hasher.write_u64(u64::from(ix.0) << 32 | u64::from(symbol.0)));
        }
        for (symbol, restriction) in &self.restricted {
            hasher.write_u64(u64::from(symbol.0) << 8 | restriction.stops as u64);
        }
    }
}

/// Whether a scope can have a list of its own.
pub fn may_have_list(scope: Scope) -> bool {
    matches!(scope, Scope::Account(_) | Scope::Router(_) | Scope::Strategy(_))
}
