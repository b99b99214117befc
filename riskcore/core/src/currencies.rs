//! What currencies are worth. An instrument's prices are in its own currency, every limit is in the firm's base currency:
//! a rate is what joins them (rules.md, "Currencies"; docs/adr/0011).
//!
//! The base currency has no entry here. A currency without a rate is worth nothing that could be told - never one.

use alloc::vec::Vec;
use core::hash::Hasher;

use crate::engine::Engine;
use crate::hash::FoldHasher;
use crate::ids::{CurrencyId, SymbolId};
use crate::outcome::{Outcome, Reject};
use crate::reasons::{BAD_FX_RATE, Reason, UNKNOWN_CURRENCY};
use crate::units::{Nanos, Rate};

/// One currency.
#[derive(Clone, Debug, Default)]
struct Currency {
    /// Its newest rate, and when it was given.
    newest: Option<(Rate, Nanos)>,
    /// The instruments whose prices are in it.
    symbols: Vec<SymbolId>,
}

/// All currencies other than the base currency.
#[derive(Clone, Debug, Default)]
pub struct Currencies(Vec<Currency>);

impl Currencies {
    /// One more, as yet without a rate.
    pub fn add(&mut self) {
        self.0.push(Currency::default());
    }

    /// Whether there is such a currency.
    pub fn has(&self, currency: CurrencyId) -> bool {
        currency.index() < self.0.len()
    }

    /// An instrument's prices are in this currency from now on.
    pub fn quotes(&mut self, currency: CurrencyId, symbol: SymbolId) {
        if let Some(currency) = self.0.get_mut(currency.index()) {
            currency.symbols.push(symbol);
        }
    }

    /// The newest rate.
    #[inline]
    pub fn rate(&self, currency: CurrencyId) -> Option<Rate> {
        self.newest(currency).map(|(rate, _)| rate)
    }

    /// How old it is.
    pub fn age(&self, currency: CurrencyId, now: Nanos) -> Option<Nanos> {
        self.newest(currency).map(|(_, at)| now.since(at))
    }

    #[inline]
    fn newest(&self, currency: CurrencyId) -> Option<(Rate, Nanos)> {
        self.0.get(currency.index())?.newest
    }

    /// Every currency.
    pub fn iter(&self) -> impl Iterator<Item = CurrencyId> + use<> {
        (0..self.0.len() as u32).map(CurrencyId)
    }

    /// Feeds the state hash; without a currency nothing.
    pub fn digest(&self, hasher: &mut FoldHasher) {
        for currency in &self.0 {
            let (rate, at) = currency.newest.map_or((0, -1), |(rate, at)| (rate.0, at.0));
            hasher.write_u64(rate as u64);
            hasher.write_u64(at as u64);
        }
    }
}

impl Engine {
    /// A currency is worth this from now on. What is held in it is valued anew; what is open stays reserved as it was
    /// accepted, and what was executed counts as it did.
    pub(crate) fn fx_rate(&mut self, currency: CurrencyId, rate: Rate) -> Outcome {
        if let Err(reason) = self.rate_is_sound(currency, rate) {
            self.state.counters.bad_ticks += 1;
            return Outcome::Refused(Reject::plain(reason));
        }
        let now = self.state.now;
        let slot = &mut self.state.currencies.0[currency.index()];
        let moved = slot.newest.is_none_or(|(old, _)| old != rate);
        slot.newest = Some((rate, now));
        if !moved {
            return Outcome::Applied; // said again, it only says that it is still good
        }
        self.state.upset();
        for n in 0..self.state.currencies.0[currency.index()].symbols.len() {
            let symbol = self.state.currencies.0[currency.index()].symbols[n];
            self.state.revalue_symbol(symbol);
        }
        Outcome::Applied
    }

    pub(crate) fn rate_is_sound(&self, currency: CurrencyId, rate: Rate) -> Result<(), Reason> {
        match (self.state.currencies.has(currency), rate.0 > 0) {
            (true, true) => Ok(()),
            (true, false) => Err(&BAD_FX_RATE),
            (false, _) => Err(&UNKNOWN_CURRENCY),
        }
    }
}
