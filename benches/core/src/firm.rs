//! The firm that orders are decided for: every limit of the catalogue is set, every rule is in force, and none of them
//! refuses an ordinary order.

use riskcore::checks::LIMITS;
use riskcore::events::{Attested, Event, FlagRegistry, Instrument, NameKind, ReadinessRules, Side};
use riskcore::ids::{AccountId, ClOrdId, CurrencyId, RouterId, SymbolId};
use riskcore::limits::{Action, Judges, LimitDef, LimitId, LimitTarget, Setting};
use riskcore::outcome::Unit;
use riskcore::scopes::{Scope, ScopeKind};
use riskcore::security::{Phase, Rules, ShortSale};
use riskcore::units::{Nanos, Price, Qty, UNIT};
use riskcore::{Engine, Outcome};

/// Which scopes the limits are set at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// Every limit at each of firm, account, router and symbol where it can be set; the few that must or can only be set at
    /// account×symbol there.
    Usual,
    /// Every limit at every kind of scope it can be set at, and every order names a strategy: seven scopes.
    Everywhere,
}

/// The touch; ordinary orders buy at the bid and sell short at the ask.
pub const BID: i64 = 100 * UNIT;
pub const TICK: i64 = UNIT / 100;
pub const ASK: i64 = BID + TICK;
/// The flag that every order has: one that is registered and that the routers' build knows.
pub const FLAG: u64 = 1;
/// A parent's quantity that no bench uses up.
pub const ENOUGH: i64 = i64::MAX / 4;

const HOUR: i64 = 3_600_000_000_000;

/// A firm being set up, one event after the other, all at one time.
pub struct Setup<'a> {
    pub engine: &'a mut Engine,
    pub now: i64,
    pub log: &'a mut Option<Log>,
}

/// Events with their times, in order.
pub type Log = Vec<(Nanos, Event)>;

impl Setup<'_> {
    /// Applies an event that must not be refused.
    pub fn apply(&mut self, event: Event) {
        let outcome = self.engine.apply(Nanos(self.now), &event);
        assert!(!matches!(outcome, Outcome::Refused(_) | Outcome::Rejected(_)), "{event:?}: {outcome:?}");
        if let Some(log) = &mut self.log {
            log.push((Nanos(self.now), event));
        }
    }

    /// What holds for all instruments.
    pub fn rules(&mut self) {
        self.apply(Event::Flags(FlagRegistry { registered: FLAG, retired: 0 }));
        self.apply(Event::PhasesPublished { published: true });
        self.apply(Event::DropCopyUp { restarted: false });
    }

    /// A gate that is asked and does not hold yet. After the phases: the first one that trades would be the open.
    pub fn gate(&mut self) {
        self.apply(Event::Readiness(ReadinessRules {
            open: Nanos(23 * HOUR),
            grace: Nanos(HOUR),
            all_routers: false,
            compare_builds: false,
            symbols: Vec::new(),
        }));
    }

    pub fn limits(&mut self, limits: Limits) {
        for def in LIMITS.iter().filter(|def| def.judges != Judges::Nothing) {
            for kind in ScopeKind::ALL.into_iter().filter(|kind| is_set(def, *kind, limits)) {
                let target =
                    if kind == ScopeKind::Firm { LimitTarget::Scope(Scope::Firm) } else { LimitTarget::Default(kind) };
                let limit = LimitId::by_name(def.name).expect("a limit of the catalogue");
                self.set(target, Setting::of(limit, wide(def)), limit);
            }
        }
    }

    fn set(&mut self, target: LimitTarget, setting: Setting, limit: LimitId) {
        self.apply(Event::SetLimit { target, limit, setting: Some(setting), principal: "bench".into() });
    }

    /// Sets a limit of one scope so that it refuses and halts nothing: a case can meet it again and again.
    pub fn refuse(&mut self, scope: Scope, name: &str, value: i128) {
        let limit = LimitId::by_name(name).expect("a limit of the catalogue");
        let action = limit.def().action.min(Action::Reject);
        self.set(LimitTarget::Scope(scope), Setting { action, ..Setting::of(limit, value) }, limit);
    }

    /// An account whose orders may not meet each other.
    pub fn account(&mut self, account: AccountId) {
        self.apply(Event::Define { kind: NameKind::Account, name: format!("ACC{}", account.0) });
        self.apply(Event::SelfMatchGroup { account, group: Some(0) });
    }

    /// A router that runs a known build, on the limits of a canary: they are asked of it, too.
    pub fn router(&mut self, router: RouterId) {
        self.apply(Event::Define { kind: NameKind::Router, name: format!("smars-{}", router.0) });
        self.apply(Event::Attested(Attested {
            router,
            build: "1.0".into(),
            runs: [1; 32],
            known_flags: FLAG,
            quarantined: true,
        }));
    }

    /// A symbol that trades, quoted in a currency (`None`: the base currency) and under every rule.
    pub fn symbol(&mut self, symbol: SymbolId, currency: Option<CurrencyId>) {
        self.apply(Event::Define { kind: NameKind::Symbol, name: format!("S{}", symbol.0) });
        let instrument = Instrument { tick: Price(TICK), lot: Qty(1), multiplier: 1, currency };
        self.apply(Event::Instrument { symbol, instrument });
        self.apply(Event::AverageVolume { symbol, qty: Some(Qty(1_000_000_000)) });
        let rules = Rules { reg_sho: true, luld: true, easy_to_borrow: false };
        self.apply(Event::SymbolRules { symbol, rules });
        self.apply(Event::ShortSale { symbol, restriction: ShortSale::Free });
        self.apply(Event::PriorClose { symbol, price: Price(BID) });
        self.apply(Event::Bands { symbol, bands: Some((Price(BID / 2), Price(2 * BID))) });
        self.apply(Event::Phase { symbol: Some(symbol), phase: Some(Phase::Continuous) });
        self.apply(Event::Tick { symbol, bid: Price(BID), ask: Price(ASK) });
    }

    /// What the OMS has registered for a symbol: the parent of buys, then that of short sales.
    pub fn parents(&mut self, account: AccountId, symbol: SymbolId) {
        for side in [Side::Buy, Side::SellShort] {
            self.parent(account, symbol, side);
        }
    }

    /// A parent of a side.
    pub fn parent(&mut self, account: AccountId, symbol: SymbolId, side: Side) {
        let name = ClOrdId::new(format!("P{}-{side:?}", symbol.0).as_bytes()).expect("a short name");
        self.apply(Event::ParentOpen { name, account, symbol, side, qty: Qty(ENOUGH) });
    }

    /// The account and the router may trade these symbols and no others.
    pub fn permit(&mut self, scope: Scope, symbols: u32) {
        self.apply(Event::Permit { scope, symbols: (0..symbols).map(SymbolId).collect() });
    }
}

const FOUR: [ScopeKind; 4] = [ScopeKind::Firm, ScopeKind::Account, ScopeKind::Router, ScopeKind::Symbol];

fn is_set(def: &LimitDef, kind: ScopeKind, limits: Limits) -> bool {
    let bit = kind.bit();
    let in_four = FOUR.iter().any(|kind| def.settable_at & kind.bit() != 0);
    match limits {
        _ if def.settable_at & bit == 0 => false,
        Limits::Everywhere => true,
        Limits::Usual => FOUR.contains(&kind) || def.required_at & bit != 0 || !in_four,
    }
}

/// A value that an ordinary order keeps within, at 500 orders a second.
fn wide(def: &LimitDef) -> i128 {
    let unit = i128::from(UNIT);
    match (def.name, def.unit) {
        ("message_rate" | "canary_message_rate" | "max_rejects", _) => 1_000,
        ("message_burst", _) => 100,
        ("duplicate_orders", _) => 16,
        ("duplicate_orders_halt", _) => 32,
        ("max_children_factor", _) => 1,
        ("max_order_qty", _) => 10_000,
        ("max_order_notional", _) => 10_000_000 * unit,
        ("max_order_adv_bps" | "max_concentration_bps", _) => 10_000,
        (_, Unit::Bps) => 300,
        (_, Unit::Money) => 1_000_000_000_000_000 * unit,
        (_, Unit::Quantity) => i128::from(i64::MAX / 2),
        (_, Unit::Nanos) => i128::from(i64::MAX / 2),
        _ => 1_000_000_000,
    }
}
