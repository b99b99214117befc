//! Every way in which a check can refuse an order, each at a scope of its own, so that one engine refuses all of them and
//! still accepts every ordinary order.

use riskcore::Outcome;
use riskcore::checks::LIMITS;
use riskcore::events::{Event, NameKind, NewOrder, ReportKind, Side};
use riskcore::ids::{AccountId, CurrencyId, Ref, RouterId, SymbolId};
use riskcore::limits::{Action, Judges, LimitId, LimitTarget, Setting};
use riskcore::permissions::Stops;
use riskcore::scopes::Scope;
use riskcore::security::{Phase, ShortSale};
use riskcore::units::{Nanos, Price, Qty, Rate, UNIT};

use crate::firm::{ASK, BID, ENOUGH, FLAG, Setup, TICK};
use crate::world::World;

/// Orders that one check refuses.
pub struct Refusal {
    /// What refuses: a limit, or a rule.
    pub name: &'static str,
    /// The name of the reason.
    pub expect: &'static str,
    template: NewOrder,
    /// An order that passes and makes the others refused, and what the venue says of it.
    before: Option<(NewOrder, Option<ReportKind>)>,
}

impl Refusal {
    /// The next of these orders.
    pub fn order(&self, world: &mut World) -> (Nanos, NewOrder) {
        let next = world.order();
        let qty = Qty(self.template.qty.0 + next.qty.0);
        let order = NewOrder { client_seq: next.client_seq, cl_ord_id: next.cl_ord_id, qty, ..self.template };
        (Nanos(world.now), order)
    }
}

/// Places the orders that must pass before.
pub fn begin(refusals: &[Refusal], world: &mut World) {
    for (order, told) in refusals.iter().filter_map(|refusal| refusal.before) {
        let next = world.order();
        let order = NewOrder { client_seq: next.client_seq, cl_ord_id: next.cl_ord_id, qty: Qty(100), ..order };
        let outcome = world.apply(Event::NewOrder(order));
        let Outcome::Accepted(id) = outcome else { panic!("{order:?}: {outcome:?}") };
        if let Some(kind) = told {
            world.told(id, kind);
        }
    }
}

/// Limits of a symbol that refuse a buy at the ask.
const OF_SYMBOL: &[(&str, i128, &str)] = &[
    ("message_burst", 0, "RATE_LIMIT"),
    ("max_order_qty", 0, "MAX_ORDER_QTY"),
    ("max_order_adv_bps", 0, "ORDER_ABOVE_ADV"),
    ("market_data_max_age", 1, "MARKET_DATA_STALE"),
    ("max_order_notional", 0, "MAX_ORDER_NOTIONAL"),
    ("price_collar_bps", 0, "PRICE_COLLAR"),
    ("max_long_position", 0, "POSITION_LIMIT"),
    ("max_open_orders", 0, "MAX_OPEN_ORDERS"),
    ("max_open_qty", 0, "MAX_OPEN_QTY"),
    ("max_open_notional", 0, "MAX_OPEN_NOTIONAL"),
    ("max_concentration_bps", 0, "CONCENTRATION_LIMIT"),
    ("max_notional_velocity", 0, "NOTIONAL_VELOCITY"),
    ("max_turnover_day", 0, "TURNOVER_LIMIT"),
    ("max_turnover_window", 0, "TURNOVER_LIMIT"),
];

/// Limits of a router that refuse any order.
const OF_ROUTER: &[(&str, i128, &str)] = &[
    ("message_rate", 0, "RATE_LIMIT"),
    ("duplicate_orders", 0, "DUPLICATE_ORDER"),
    ("duplicate_orders_halt", 0, "DUPLICATE_ORDER"),
    ("max_repeated_executions", 0, "REPEATED_EXECUTION"),
    ("max_unacknowledged", 0, "TOO_MANY_UNACKNOWLEDGED"),
    ("canary_max_order_qty", 0, "CANARY_ORDER_QTY"),
    ("canary_max_order_notional", 0, "CANARY_ORDER_NOTIONAL"),
    ("canary_message_rate", 0, "CANARY_RATE"),
    ("canary_max_open_orders", 0, "CANARY_OPEN_ORDERS"),
    ("max_gross_notional", 0, "GROSS_LIMIT"),
];

/// Whose orders they are, but for a few: an account without a list of the symbols it may trade.
const ACCOUNT: AccountId = AccountId(1);

/// Symbols that they have at most.
pub const SYMBOLS: u32 = 64;

/// Sets up all refusals in a world whose day has not begun; its ordinary orders pass as they would without.
pub fn define(world: &mut World) -> Vec<Refusal> {
    let (next_symbol, router) = (world.size.symbols, RouterId(world.size.routers + 2));
    let mut with = Refusals { next_symbol, router, next_router: router.0, world, all: Vec::new() };
    with.router();
    with.setup().account(ACCOUNT);
    with.well_formed();
    with.limits_of_symbols();
    with.limits_of_routers();
    with.parents();
    with.prices();
    with.currencies();
    with.short_sales();
    with.rules();
    for def in LIMITS.iter().filter(|def| def.judges == Judges::Orders) {
        assert!(with.all.iter().any(|refusal| refusal.name == def.name), "no order here is refused by {}", def.name);
    }
    with.all
}

struct Refusals<'a> {
    world: &'a mut World,
    next_symbol: u32,
    /// Of all that need none of their own.
    router: RouterId,
    next_router: u32,
    all: Vec<Refusal>,
}

impl Refusals<'_> {
    fn setup(&mut self) -> Setup<'_> {
        self.world.setup()
    }

    /// A symbol of its own, with parents for an account.
    fn symbol_of(&mut self, account: AccountId, currency: Option<CurrencyId>) -> SymbolId {
        let symbol = SymbolId(self.next_symbol);
        self.next_symbol += 1;
        let mut setup = self.setup();
        setup.symbol(symbol, currency);
        setup.parents(account, symbol);
        symbol
    }

    fn symbol(&mut self) -> SymbolId {
        self.symbol_of(ACCOUNT, None)
    }

    fn router(&mut self) -> RouterId {
        let router = RouterId(self.next_router);
        self.next_router += 1;
        self.setup().router(router);
        router
    }

    /// A buy at the ask, or a sell of any marking at the bid.
    fn order(&mut self, symbol: SymbolId, side: Side) -> NewOrder {
        let buys = side.is_buy();
        let parent = self.world.engine.parent(format!("P{}-{side:?}", symbol.0).as_bytes());
        NewOrder {
            router: self.router,
            account: Ref::Known(ACCOUNT),
            symbol: Ref::Known(symbol),
            parent,
            side,
            qty: Qty(0),
            price: Some(Price(if buys { ASK } else { BID })),
            ..self.world.order()
        }
    }

    fn add(&mut self, name: &'static str, expect: &'static str, template: NewOrder) {
        self.all.push(Refusal { name, expect, template, before: None });
    }

    /// The last refusal needs this order to have passed before.
    fn after(&mut self, order: NewOrder, told: Option<ReportKind>) {
        self.all.last_mut().expect("a refusal").before = Some((order, told));
    }

    /// Buys of a symbol of their own that `change` makes refused.
    fn buys(&mut self, name: &'static str, expect: &'static str, change: impl FnOnce(&mut Setup<'_>, SymbolId)) {
        let symbol = self.symbol();
        change(&mut self.setup(), symbol);
        let order = self.order(symbol, Side::Buy);
        self.add(name, expect, order);
    }

    fn well_formed(&mut self) {
        let symbol = self.symbol();
        let order = self.order(symbol, Side::Buy);
        self.add("symbol", "UNKNOWN_SYMBOL", NewOrder { symbol: Ref::Unknown, ..order });
        self.add("tick", "INVALID_TICK", NewOrder { price: Some(Price(ASK + 1)), ..order });
        self.add("flags", "FLAG_UNKNOWN", NewOrder { flags: FLAG | FLAG << 1, ..order });
    }

    fn limits_of_symbols(&mut self) {
        for (name, value, expect) in OF_SYMBOL {
            self.buys(name, expect, |setup, symbol| setup.refuse(Scope::Symbol(symbol), name, *value));
        }
    }

    fn limits_of_routers(&mut self) {
        for (name, value, expect) in OF_ROUTER {
            let (router, symbol) = (self.router(), self.symbol());
            self.setup().refuse(Scope::Router(router), name, *value);
            let order = self.order(symbol, Side::Buy);
            self.add(name, expect, NewOrder { router, ..order });
        }
        let router = self.router();
        let limit = LimitId::by_name("message_rate").expect("a limit of the catalogue");
        let setting = Setting { action: Action::Notify, ..Setting::of(limit, 1_000) };
        let (target, principal) = (LimitTarget::Scope(Scope::Router(router)), "bench".into());
        self.setup().apply(Event::SetLimit { target, limit, setting: Some(setting), principal });
        let symbol = self.symbol();
        let order = self.order(symbol, Side::Buy);
        self.add("required limit on trial", "NO_LIMIT_CONFIGURED", NewOrder { router, ..order });
    }

    fn parents(&mut self) {
        let symbol = self.symbol();
        let order = self.order(symbol, Side::Buy);
        self.add("parent", "UNKNOWN_PARENT", NewOrder { parent: Ref::Unknown, ..order });
        self.add("parent's quantity", "PARENT_OVERFILL", NewOrder { qty: Qty(ENOUGH), ..order });
        self.add("parent's side", "PARENT_MISMATCH", NewOrder { side: Side::SellShort, ..order });

        let account = AccountId(2);
        let mut setup = self.setup();
        setup.account(account);
        setup.apply(Event::ParentRequired { account, required: false });
        setup.refuse(Scope::Account(account), "max_excess_leaving_bps", 0);
        let orphan = NewOrder { account: Ref::Known(account), parent: Ref::Absent, ..order };
        self.add("max_excess_leaving_bps", "LEAVING_LIMIT", orphan);

        self.buys("max_children_factor", "TOO_MANY_CHILDREN", |setup, symbol| {
            setup.refuse(Scope::Symbol(symbol), "min_child_qty", i128::from(i64::MAX / 2));
        });
        let first = self.order(SymbolId(self.next_symbol - 1), Side::Buy);
        self.after(first, None);
    }

    fn prices(&mut self) {
        let symbol = self.symbol();
        let order = self.order(symbol, Side::Buy);
        self.setup().refuse(Scope::Symbol(symbol), "price_collar_passive_bps", 0);
        let passive = NewOrder { price: Some(Price(BID - TICK)), ..order };
        self.add("price_collar_passive_bps", "PRICE_FAR_PASSIVE", passive);

        self.buys("price_collar_auction_bps", "PRICE_COLLAR", |setup, symbol| {
            setup.apply(Event::Phase { symbol: Some(symbol), phase: Some(Phase::Auction) });
            setup.refuse(Scope::Symbol(symbol), "price_collar_auction_bps", 0);
        });
        self.buys("price bands", "LULD_BAND", |setup, symbol| {
            setup.apply(Event::Bands { symbol, bands: Some((Price(BID / 2), Price(BID))) });
        });
        self.buys("own_drift_bps", "OWN_DRIFT", |setup, symbol| {
            setup.refuse(Scope::Symbol(symbol), "own_drift_bps", 0);
            setup.refuse(Scope::Symbol(symbol), "own_drift_window", i128::from(i64::MAX / 2));
        });
        let first = self.order(SymbolId(self.next_symbol - 1), Side::Buy);
        self.after(first, Some(ReportKind::Trade { qty: Qty(100), price: Price(ASK) }));
    }

    fn currencies(&mut self) {
        let currency = CurrencyId(0);
        self.setup().apply(Event::Define { kind: NameKind::Currency, name: "EUR".into() });
        let symbol = self.symbol_of(ACCOUNT, Some(currency));
        let mut setup = self.setup();
        setup.apply(Event::FxRate { currency, rate: Rate(UNIT) });
        setup.refuse(Scope::Symbol(symbol), "fx_rate_max_age", 1);
        let order = self.order(symbol, Side::Buy);
        self.add("fx_rate_max_age", "FX_RATE_STALE", order);
    }

    fn short_sales(&mut self) {
        let symbol = self.symbol();
        self.setup().refuse(Scope::AccountSymbol(ACCOUNT, symbol), "short_locate", 0);
        let order = self.order(symbol, Side::SellShort);
        self.add("short_locate", "NO_LOCATE", order);

        let symbol = self.symbol();
        self.setup().refuse(Scope::AccountSymbol(ACCOUNT, symbol), "max_short_position", 0);
        let order = self.order(symbol, Side::SellShort);
        self.add("max_short_position", "POSITION_LIMIT", order);

        let symbol = self.symbol();
        self.setup().apply(Event::ShortSale { symbol, restriction: ShortSale::NotShortable });
        let order = self.order(symbol, Side::SellShort);
        self.add("short-sale rule", "NOT_SHORTABLE", order);

        let symbol = self.symbol();
        self.setup().parent(ACCOUNT, symbol, Side::Sell);
        let order = self.order(symbol, Side::Sell);
        self.add("sell marking", "MISMARKED_SELL", order);
    }

    fn rules(&mut self) {
        self.buys("restricted list", "RESTRICTED", |setup, symbol| {
            let (stops, principal, text) = (Some(Stops::All), "bench".into(), "bench".into());
            setup.apply(Event::Restrict { symbol, stops, principal, text });
        });
        self.buys("trading phase", "INSTRUMENT_HALTED", |setup, symbol| {
            setup.apply(Event::Phase { symbol: Some(symbol), phase: Some(Phase::Halted) });
        });

        let symbol = self.symbol();
        let resting = NewOrder { price: Some(Price(ASK)), ..self.order(symbol, Side::SellShort) };
        let order = self.order(symbol, Side::Buy);
        self.add("self-match", "SELF_MATCH", order);
        self.after(resting, Some(ReportKind::New));

        let account = AccountId(0);
        let symbol = self.symbol_of(account, None);
        let order = self.order(symbol, Side::Buy);
        self.add("permitted symbols", "SYMBOL_NOT_PERMITTED", NewOrder { account: Ref::Known(account), ..order });
    }
}
