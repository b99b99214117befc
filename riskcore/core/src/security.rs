//! What is known of an instrument beside its prices: its trading phase, its price bands, its prior close, and what binds
//! short sales. Source: FIX TradingSessionStatus (h) and SecurityStatus (f); the LULD plan; Regulation SHO.

use crate::units::{Price, widening_mul};

/// What the venue does with orders at the moment (FIX TradSesStatus 340, SecurityTradingStatus 326).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// No trading (340 = 3, 326 = 18).
    Closed = 1,
    /// Orders are collected and not matched (340 = 4, 326 = 21).
    PreOpen = 2,
    /// The opening rotation or another auction (326 = 22).
    Auction = 3,
    /// Orders are matched as they come (340 = 2, 326 = 17).
    Continuous = 4,
    /// Trading is halted (340 = 1, 326 = 2).
    Halted = 5,
    /// After the close (326 = 26).
    PostClose = 6,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 6] =
        [Phase::Closed, Phase::PreOpen, Phase::Auction, Phase::Continuous, Phase::Halted, Phase::PostClose];

    /// Its name in configuration and scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Closed => "closed",
            Phase::PreOpen => "pre_open",
            Phase::Auction => "auction",
            Phase::Continuous => "continuous",
            Phase::Halted => "halted",
            Phase::PostClose => "post_close",
        }
    }

    /// The phase of this number.
    pub fn from_number(n: u8) -> Option<Phase> {
        Self::ALL.into_iter().find(|phase| *phase as u8 == n)
    }
}

/// FIX ShortSaleRestriction (1687), as the venue or the listing market states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ShortSale {
    /// No restriction.
    Free = 0,
    /// The instrument cannot be sold short.
    NotShortable = 1,
    /// Not at or below the national best bid: Rule 201 is in force.
    NotAtBid = 2,
    /// It is hard to borrow: a locate is needed whatever the configuration says.
    PreBorrow = 3,
}

impl ShortSale {
    /// Every restriction.
    pub const ALL: [ShortSale; 4] =
        [ShortSale::Free, ShortSale::NotShortable, ShortSale::NotAtBid, ShortSale::PreBorrow];

    /// Its name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            ShortSale::Free => "free",
            ShortSale::NotShortable => "not_shortable",
            ShortSale::NotAtBid => "not_at_bid",
            ShortSale::PreBorrow => "pre_borrow",
        }
    }

    /// The restriction of this number.
    pub fn from_number(n: u8) -> Option<ShortSale> {
        Self::ALL.into_iter().find(|restriction| *restriction as u8 == n)
    }
}

/// Rules that bind orders of an instrument. Futures have none of them, so none holds unless it is configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Regulation SHO: sells are marked long or short, short sales need a locate and obey Rule 201.
    pub reg_sho: bool,
    /// The limit up-limit down plan: without known bands no order passes in continuous trading.
    pub luld: bool,
    /// On the easy-to-borrow list: that list is the locate (203(b)(1)), unless the venue demands a pre-borrow.
    pub easy_to_borrow: bool,
}

/// The price bands of the LULD plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bands {
    /// None are in force, as far as anybody said.
    #[default]
    Absent,
    /// What was said makes no sense: they are in force and not known.
    Unusable,
    /// Lower and upper band; both may be traded at.
    Known(Price, Price),
}

impl Bands {
    /// The bands as they were said.
    pub fn said(bands: Option<(Price, Price)>) -> Bands {
        match bands {
            None => Bands::Absent,
            Some((low, high)) if low.0 > 0 && low <= high => Bands::Known(low, high),
            Some(_) => Bands::Unusable,
        }
    }
}

/// How many trading days Rule 201 lasts once it is triggered: the rest of the day, and the next.
const RULE_201_DAYS: u8 = 2;

/// One instrument, beside its prices.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// The rules it is traded under.
    pub rules: Rules,
    /// The bands.
    pub bands: Bands,
    /// The phase that the venue said last; a halt of the instrument is kept beside it.
    phase: Option<Phase>,
    halted: bool,
    prior_close: Option<Price>,
    restriction: Option<ShortSale>,
    /// Trading days that Rule 201 still lasts, this one included.
    rule_201_days: u8,
}

impl Security {
    /// The phase of this instrument: halted while it is itself halted. `None` if the venue has not said.
    #[inline]
    pub fn phase(&self) -> Option<Phase> {
        if self.halted { Some(Phase::Halted) } else { self.phase }
    }

    /// The venue says the phase of this instrument; only that lifts its halt.
    pub fn set_phase(&mut self, phase: Option<Phase>) {
        match phase {
            Some(Phase::Halted) => self.halted = true,
            Some(_) => (self.phase, self.halted) = (phase, false),
            // Nobody knows: a halt that was known is not lifted by that.
            None => self.phase = None,
        }
    }

    /// The venue says the phase of the whole market. An instrument that is halted by itself stays halted.
    pub fn follow_market(&mut self, phase: Option<Phase>) {
        self.phase = phase;
    }

    /// The close of the trading day before; `None` if it makes no sense.
    pub fn set_prior_close(&mut self, price: Option<Price>) {
        self.prior_close = price.filter(|price| price.0 > 0);
    }

    /// What the venue says of short sales. It states Rule 201 for its day and the next; it cannot end what was derived here.
    pub fn restrict(&mut self, restriction: ShortSale) {
        self.restriction = Some(restriction);
        if restriction == ShortSale::NotAtBid {
            self.rule_201_days = RULE_201_DAYS;
        }
    }

    /// Rule 201(b)(1): a fall of 10 % or more from the prior close. Read off the bid, the first price at which a sale could
    /// be printed there: at worst it binds a moment too early.
    #[inline]
    pub fn quoted(&mut self, bid: Price) {
        if self.rules.reg_sho
            && let Some(close) = self.prior_close
            && widening_mul(bid.0, 10) <= widening_mul(close.0, 9)
        {
            self.rule_201_days = RULE_201_DAYS;
        }
    }

    /// Whether short sales must be priced above the best bid. They must, too, while nobody has said anything the rule could
    /// be told from.
    pub fn rule_201(&self) -> bool {
        self.rule_201_days > 0 || self.restriction.is_none() && self.prior_close.is_none()
    }

    /// What the venue said of short sales.
    pub fn restriction(&self) -> Option<ShortSale> {
        self.restriction
    }

    /// Whether a short sale needs a locate of its own.
    pub fn needs_locate(&self) -> bool {
        self.rules.reg_sho && (!self.rules.easy_to_borrow || self.restriction == Some(ShortSale::PreBorrow))
    }

    /// A new trading day: what was said of the old one is not known of this one. A halt stays.
    pub fn day_roll(&mut self) {
        self.rule_201_days = self.rule_201_days.saturating_sub(1);
        (self.phase, self.bands, self.prior_close, self.restriction) = (None, Bands::Absent, None, None);
    }

    /// A word that an order reads (`ahead.rs`).
    pub fn ahead(&self) -> u64 {
        u64::from(self.rules.reg_sho)
    }

    /// What feeds the state hash.
    pub fn hash_words(&self) -> [i64; 4] {
        let flags = [self.rules.reg_sho, self.rules.luld, self.rules.easy_to_borrow, self.halted];
        let flags = flags.into_iter().fold(0, |bits, flag| bits << 1 | i64::from(flag));
        let phase = self.phase.map_or(0, |phase| phase as i64);
        let restriction = self.restriction.map_or(-1, |restriction| restriction as i64);
        let (low, high) = match self.bands {
            Bands::Absent => (0, 0),
            Bands::Unusable => (-1, -1),
            Bands::Known(low, high) => (low.0, high.0),
        };
        let small = flags << 24 | phase << 16 | i64::from(self.rule_201_days) << 8 | (restriction & 0xff);
        [small, low, high, self.prior_close.map_or(0, |price| price.0)]
    }
}

/// What is known of the whole market.
#[derive(Clone, Copy, Debug, Default)]
pub struct Session {
    /// The venue publishes phases: an instrument whose phase is not known takes no order.
    pub published: bool,
    /// The whole market is halted (a market-wide circuit breaker).
    pub halted: bool,
}

impl Session {
    /// The phase an order of this instrument meets; `None` if it is not known and must be.
    #[inline]
    pub fn phase_of(self, security: &Security) -> Option<Phase> {
        if self.halted {
            return Some(Phase::Halted);
        }
        security.phase().or(if self.published { None } else { Some(Phase::Continuous) })
    }
}
