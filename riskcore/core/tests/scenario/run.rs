//! Runs a scenario on an engine.

#[path = "looks.rs"]
mod looks;
#[path = "reconcile.rs"]
mod reconcile;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use riskcore::detect::first_seen::Seen;
use riskcore::events::{
    Attested, Cancel, Change, Event, FlagRegistry, FleetRules, Instrument, MassCancel, MassStatusEnd, MassStatusEntry,
    NameKind, NewOrder, OrdType, ReadinessRules, Replace, Report, ReportKind, TimeInForce,
};
use riskcore::explain::Explanation;
use riskcore::halts::State;
use riskcore::ids::{ClOrdId, CurrencyId, OrderId, Ref, RouterId, VenueTextId};
use riskcore::limits::{LimitId, LimitTarget, Setting};
use riskcore::outcome::{Effect, Outcome};
use riskcore::permissions::Stops;
use riskcore::record;
use riskcore::scopes::{Scope, ScopeKind};
use riskcore::security::{Phase, Rules, ShortSale};
use riskcore::units::{Nanos, Price, Qty, Rate};
use riskcore::{Engine, EngineConfig};

use super::parse::{Line, fixed, limit_setting, lines, span, whole};
use super::words::{cl_ord_id, side, verdict};

/// Runs one file; panics with file, line, expected and actual at the first difference.
pub fn run(file: &Path) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut runner = Runner::new(file);
    for line in lines(&text) {
        runner.step(&line);
    }
    runner.replay();
}

struct Runner {
    file: PathBuf,
    engine: Engine,
    now: i64,
    seq: u64,
    venue_seq: u64,
    /// The routers' orders by the scenario's names.
    orders: HashMap<String, (RouterId, ClOrdId)>,
    effects: Vec<Effect>,
    records: Vec<Vec<u8>>,
    proposal: u64,
    /// Self-match groups by their number.
    groups: Vec<String>,
    /// The registry of flags: bit, name, version.
    flags: Vec<(u32, String, String)>,
    registry: FlagRegistry,
}

/// 2026-01-05T14:30:00Z, a Monday.
const START: i64 = 1_767_623_400_000_000_000;

/// An order that nobody has sent.
const UNKNOWN_ORDER: OrderId = OrderId(u64::MAX >> 1);

impl Runner {
    fn new(file: &Path) -> Runner {
        Runner {
            file: file.to_path_buf(),
            engine: Engine::new(&EngineConfig::default()),
            now: START,
            seq: 0,
            venue_seq: 0,
            orders: HashMap::new(),
            effects: Vec::new(),
            records: Vec::new(),
            proposal: 0,
            groups: Vec::new(),
            flags: Vec::new(),
            registry: FlagRegistry::default(),
        }
    }

    /// Every event goes in through its record, so that what is not recorded cannot matter.
    fn apply(&mut self, event: Event) -> Outcome {
        let outcome = self.engine.apply(Nanos(self.now), &event);
        self.seq += 1;
        let mut bytes = Vec::new();
        record::encode(self.seq, Nanos(self.now), record::decision_of(&outcome), &event, &mut bytes);
        self.records.push(bytes);
        self.engine.take_effects(&mut self.effects);
        outcome
    }

    /// The same records on a new engine give the same decisions and the same state.
    fn replay(&self) {
        let mut again = Engine::new(&EngineConfig::default());
        for bytes in &self.records {
            let record = record::decode(bytes).unwrap_or_else(|e| panic!("{}: {e}", self.file.display()));
            let outcome = again.apply(record.time, &record.event);
            assert_eq!(record::decision_of(&outcome), record.decision, "{}: replay diverged", self.file.display());
        }
        assert_eq!(again.state_hash(), self.engine.state_hash(), "{}: state after replay", self.file.display());
    }

    fn fail(&self, line: &Line<'_>, text: &str) -> ! {
        panic!("{}:{}: {text}", self.file.display(), line.number)
    }

    fn expect(&self, line: &Line<'_>, actual: &str) {
        if let Some(expected) = line.expect
            && expected != actual
        {
            self.fail(line, &format!("expected `{expected}`, got `{actual}`"));
        }
    }

    fn step(&mut self, line: &Line<'_>) {
        match line.words[0] {
            "only" => {}
            "use" => self.profile(line),
            "account" | "router" | "strategy" | "symbol" | "currency" => self.define(line),
            "limit" => self.limit(line),
            "flag" => self.flag(line),
            "fleet" => self.fleet(line),
            "attest" => self.attest(line),
            "permit" => self.permit(line),
            "restrict" => self.restrict(line),
            "mark" => self.mark(line),
            "rate" => self.rate(line),
            "phases" => {
                self.apply(Event::PhasesPublished { published: true });
            }
            "phase" | "bands" | "prior_close" | "short_sale" => self.status(line),
            "clock" => self.clock(line),
            "position" => self.opening_position(line),
            "parent" => self.parent(line),
            "order" | "check" => self.order(line),
            "explain" => self.explained(line),
            "flood" => self.flood(line),
            "dropped" => self.dropped(line),
            "replace" => self.replace(line),
            "cancel" => self.cancel(line),
            "mass_cancel" => self.mass_cancel(line),
            "ack" | "fill" | "canceled" | "rejected" | "expired" | "replaced" | "replace_rejected"
            | "cancel_rejected" | "bust" | "duplicate_fill" => self.report(line),
            "unknown_fill" => self.unknown_fill(line),
            "venue" => self.venue(line),
            "mass_status" => self.mass_status(line),
            "session_down" | "log_out" => self.session_down(line),
            "session_lost" | "session_up" => self.session(line),
            "drop_copy" => self.drop_copy(line),
            "copy" | "copy_bust" | "copy_again" | "copy_gap" | "unknown_copy" => self.copy(line),
            "self_check" => self.self_check(line),
            "halt" => self.halt(line),
            "propose" => self.propose(line),
            "approve" => self.approve(line),
            "day_roll" => self.day_roll(line),
            "known" => self.known(line),
            "readiness" => self.readiness(line),
            "ack_finding" => self.acknowledge(line),
            "expect" => self.look(line),
            other => self.fail(line, &format!("unknown step `{other}`")),
        }
    }

    fn profile(&mut self, line: &Line<'_>) {
        let path = self.file.parent().unwrap().join("profiles").join(format!("{}.scn", line.words[2]));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for line in lines(&text) {
            self.step(&line);
        }
    }

    fn define(&mut self, line: &Line<'_>) {
        let kind = match line.words[0] {
            "account" => NameKind::Account,
            "router" => NameKind::Router,
            "strategy" => NameKind::Strategy,
            "currency" => NameKind::Currency,
            _ => NameKind::Symbol,
        };
        for name in line.plain().into_iter().skip(1) {
            self.apply(Event::Define { kind, name: name.into() });
            if kind == NameKind::Symbol {
                let symbol = self.symbol(name).known().unwrap();
                let instrument = Instrument {
                    tick: Price(fixed(line.get("tick").unwrap_or("0.01")) as i64),
                    lot: Qty(whole(line.get("lot").unwrap_or("1"))),
                    multiplier: whole(line.get("multiplier").unwrap_or("1")),
                    currency: line.get("currency").map(|name| self.currency(name)),
                };
                self.apply(Event::Instrument { symbol, instrument });
                let rule = |key| line.get(key) == Some("yes");
                let (reg_sho, luld, easy_to_borrow) = (rule("reg_sho"), rule("luld"), rule("easy_to_borrow"));
                self.apply(Event::SymbolRules { symbol, rules: Rules { reg_sho, luld, easy_to_borrow } });
                let qty = line.get("adv").map(|adv| Qty(whole(adv)));
                self.apply(Event::AverageVolume { symbol, qty });
                if let Some(group) = line.get("group") {
                    self.apply(Event::Define { kind: NameKind::SecurityGroup, name: group.into() });
                    let group = self.engine.state().names.security_group(group).known().unwrap();
                    self.apply(Event::SecurityGroup { symbol, group });
                }
            }
            if kind == NameKind::Account && line.get("parent_required") == Some("no") {
                let account = self.engine.state().names.account(name).known().unwrap();
                self.apply(Event::ParentRequired { account, required: false });
            }
            if kind == NameKind::Account
                && let Some(group) = line.get("smp_group")
            {
                let account = self.engine.state().names.account(name).known().unwrap();
                let known = self.groups.iter().position(|known| known == group);
                let group = known.unwrap_or_else(|| {
                    self.groups.push(group.into());
                    self.groups.len() - 1
                });
                self.apply(Event::SelfMatchGroup { account, group: Some(group as u32) });
            }
        }
    }

    fn symbol(&self, name: &str) -> Ref<riskcore::ids::SymbolId> {
        self.engine.state().names.symbol(name)
    }

    fn currency(&self, name: &str) -> CurrencyId {
        self.engine.state().names.currency(name).known().unwrap_or_else(|| panic!("unknown currency {name}"))
    }

    fn router(&self, name: &str) -> RouterId {
        self.engine.state().names.router(name).known().unwrap_or_else(|| panic!("unknown router {name}"))
    }

    fn scope(&self, text: &str) -> Scope {
        match self.target(text) {
            LimitTarget::Scope(scope) => scope,
            LimitTarget::Default(_) => panic!("a scope, not a default: {text}"),
        }
    }

    fn target(&self, text: &str) -> LimitTarget {
        if text == "firm" {
            return LimitTarget::Scope(Scope::Firm);
        }
        let (kind, rest) = text.split_once(':').unwrap_or_else(|| panic!("not a scope: {text}"));
        let kind = ScopeKind::ALL.into_iter().find(|k| k.name() == kind).unwrap_or_else(|| panic!("no kind: {text}"));
        if rest == "*" {
            return LimitTarget::Default(kind);
        }
        let names = &self.engine.state().names;
        let (name, symbol) = rest.split_once('/').unwrap_or((rest, ""));
        let unknown = || -> ! { panic!("unknown name in scope: {text}") };
        LimitTarget::Scope(match kind {
            ScopeKind::Firm => Scope::Firm,
            ScopeKind::Account => Scope::Account(names.account(name).known().unwrap_or_else(|| unknown())),
            ScopeKind::Router => Scope::Router(names.router(name).known().unwrap_or_else(|| unknown())),
            ScopeKind::Strategy => Scope::Strategy(names.strategy(name).known().unwrap_or_else(|| unknown())),
            ScopeKind::Symbol => Scope::Symbol(names.symbol(name).known().unwrap_or_else(|| unknown())),
            ScopeKind::AccountSymbol => Scope::AccountSymbol(
                names.account(name).known().unwrap_or_else(|| unknown()),
                names.symbol(symbol).known().unwrap_or_else(|| unknown()),
            ),
            ScopeKind::RouterSymbol => Scope::RouterSymbol(
                names.router(name).known().unwrap_or_else(|| unknown()),
                names.symbol(symbol).known().unwrap_or_else(|| unknown()),
            ),
        })
    }

    fn limit(&mut self, line: &Line<'_>) {
        let target = self.target(line.words[1]);
        let principal = line.get("by").unwrap_or("config").to_string();
        for pair in line.words[2..].iter().filter(|word| !word.starts_with("by=")) {
            let (name, value) = pair.split_once('=').unwrap_or_else(|| self.fail(line, "limit=value expected"));
            let limit = LimitId::by_name(name).unwrap_or_else(|| self.fail(line, &format!("no limit `{name}`")));
            let setting = limit_setting(limit, value);
            let outcome = self.apply(Event::SetLimit { target, limit, setting, principal: principal.clone() });
            let actual = verdict(&outcome);
            match line.expect {
                Some(_) => self.expect(line, &actual),
                None if actual != "accept" => self.fail(line, &actual),
                None => {}
            }
        }
    }

    /// `flag 0 RLP version=2 [retired]`: one more line of the registry.
    fn flag(&mut self, line: &Line<'_>) {
        let bit = whole(line.words[1]) as u32;
        if line.words.contains(&"retired") {
            self.registry.retired |= 1 << bit;
        } else {
            self.registry.registered |= 1 << bit;
            self.flags.push((bit, line.words[2].into(), line.get("version").unwrap_or("1").into()));
        }
        // What has a meaning today is in use, whatever it meant before.
        self.registry.retired &= !self.registry.registered;
        self.apply(Event::Flags(self.registry));
    }

    /// `fleet [policy=quarantine] [quarantine_culprit=no]`: with a policy there is a manifest.
    fn fleet(&mut self, line: &Line<'_>) {
        let quarantine_culprit = line.get("quarantine_culprit") != Some("no");
        self.apply(Event::FleetRules(FleetRules { quarantine_culprit, halt_on_change: line.get("policy").is_some() }));
    }

    /// `attest r1 build=2012.08 [flags=RLP:2,X:1] [mismatch]`: a logon, and what the router says it runs.
    fn attest(&mut self, line: &Line<'_>) {
        let router = self.router(line.words[1]);
        let build = line.get("build").unwrap_or("").to_string();
        let said: Vec<&str> = line.get("flags").map_or(Vec::new(), |flags| flags.split(',').collect());
        let known = self.flags.iter().filter(|(_, name, version)| said.contains(&format!("{name}:{version}").as_str()));
        let known_flags = known.fold(0, |mask, (bit, _, _)| mask | 1 << bit);
        let quarantined = line.words.contains(&"mismatch");
        let mut runs = [0; 32];
        for (n, byte) in format!("{build} {said:?} {quarantined}").bytes().enumerate() {
            runs[n % 32] ^= byte.rotate_left(n as u32 / 32);
        }
        let outcome = self.apply(Event::Attested(Attested { router, build, runs, known_flags, quarantined }));
        if outcome == Outcome::Applied {
            self.apply(Event::SessionUp { router });
        }
        self.expect(line, &verdict(&outcome));
    }

    /// `permit account:ACC1 AAPL MSFT`
    fn permit(&mut self, line: &Line<'_>) {
        let scope = self.scope(line.words[1]);
        let symbols = line.words[2..].iter().map(|name| self.symbol(name).known().unwrap()).collect();
        let outcome = self.apply(Event::Permit { scope, symbols });
        self.expect(line, &verdict(&outcome));
    }

    /// `restrict AAPL opening [by=alice]`; `none` takes it off the list
    fn restrict(&mut self, line: &Line<'_>) {
        let symbol = self.symbol(line.words[1]).known().unwrap();
        let (stops, principal) = (Stops::by_name(line.words[2]), line.get("by").unwrap_or("alice").into());
        let outcome = self.apply(Event::Restrict { symbol, stops, principal, text: "scenario".into() });
        self.expect(line, &verdict(&outcome));
    }

    fn mark(&mut self, line: &Line<'_>) {
        let symbol = self.symbol(line.words[1]).known().unwrap();
        let price = |key| Price(fixed(line.get(key).unwrap()) as i64);
        self.apply(Event::Tick { symbol, bid: price("bid"), ask: price("ask") });
    }

    /// `rate EUR 1.0850`
    fn rate(&mut self, line: &Line<'_>) {
        let (currency, rate) = (self.currency(line.words[1]), Rate(fixed(line.words[2]) as i64));
        let outcome = self.apply(Event::FxRate { currency, rate });
        self.expect(line, &verdict(&outcome));
    }

    /// What the venue says beside quotes: `phase AAPL|* continuous`, `bands AAPL 95.00 105.00|none`,
    /// `prior_close AAPL 100.00`, `short_sale AAPL not_at_bid`.
    fn status(&mut self, line: &Line<'_>) {
        let price = |n: usize| Price(fixed(line.words[n]) as i64);
        let symbol = self.symbol(line.words[1]).known();
        let event = match (line.words[0], symbol) {
            ("phase", symbol) => {
                let phase = Phase::ALL.into_iter().find(|phase| phase.name() == line.words[2]);
                let phase = phase.unwrap_or_else(|| self.fail(line, "no such phase"));
                Event::Phase { symbol, phase: Some(phase) }
            }
            ("bands", Some(symbol)) => {
                Event::Bands { symbol, bands: (line.words[2] != "none").then(|| (price(2), price(3))) }
            }
            ("prior_close", Some(symbol)) => Event::PriorClose { symbol, price: price(2) },
            (_, Some(symbol)) => {
                let restriction = ShortSale::ALL.into_iter().find(|restriction| restriction.name() == line.words[2]);
                let restriction = restriction.unwrap_or_else(|| self.fail(line, "no such restriction"));
                Event::ShortSale { symbol, restriction }
            }
            _ => self.fail(line, "unknown symbol"),
        };
        let outcome = self.apply(event);
        self.expect(line, &verdict(&outcome));
    }

    fn clock(&mut self, line: &Line<'_>) {
        let text = line.words[1];
        match text.strip_prefix('+') {
            Some(forward) => self.now += span(forward),
            None => self.now -= span(text.trim_start_matches('-')),
        }
        self.apply(Event::Timer);
    }

    fn opening_position(&mut self, line: &Line<'_>) {
        let Scope::AccountSymbol(account, symbol) = self.scope(line.words[1]) else {
            self.fail(line, "account_symbol:ACCOUNT/SYMBOL expected")
        };
        let qty = Qty(whole(line.words[2]));
        let mark = Price(fixed(line.words[4]) as i64);
        self.apply(Event::OpeningPosition { account, symbol, qty, mark });
    }

    fn parent(&mut self, line: &Line<'_>) {
        let name = cl_ord_id(line.words[1]);
        let outcome = match line.words[2] {
            "amend" => {
                let parent = self.engine.parent(name.as_bytes()).known().unwrap();
                self.apply(Event::ParentAmend { parent, qty: Qty(whole(line.words[3])) })
            }
            "close" => {
                let parent = self.engine.parent(name.as_bytes()).known().unwrap();
                self.apply(Event::ParentClose { parent })
            }
            _ => {
                let plain = line.plain();
                let account = self.engine.state().names.account(line.get("account").unwrap()).known().unwrap();
                let symbol = self.symbol(plain[3]).known().unwrap();
                let (side, qty) = (side(plain[2]), Qty(whole(plain[4])));
                self.apply(Event::ParentOpen { name, account, symbol, side, qty })
            }
        };
        self.expect(line, &verdict(&outcome));
    }

    /// `order ID router=r1 account=A buy SYM 100 @ 10.00 [market] [ioc|day|gtc] [parent=P] [strategy=S]`
    fn new_order(&mut self, line: &Line<'_>, id: &str) -> NewOrder {
        let plain = line.plain();
        let names = &self.engine.state().names;
        let at = plain.iter().position(|word| *word == "@");
        let tif = |word: &&&str| matches!(**word, "ioc" | "day" | "gtc" | "opg" | "fok");
        NewOrder {
            router: self.router(line.get("router").unwrap_or("r1")),
            client_seq: self.seq + 1,
            cl_ord_id: cl_ord_id(id),
            account: names.account(line.get("account").unwrap_or("ACC1")),
            symbol: names.symbol(plain[3]),
            strategy: names.strategy(line.get("strategy").unwrap_or("")),
            parent: self.engine.parent(line.get("parent").unwrap_or("").as_bytes()),
            side: side(plain[2]),
            ord_type: if plain.contains(&"market") { OrdType::Market } else { OrdType::Limit },
            tif: match plain.iter().find(tif) {
                Some(&"ioc") => TimeInForce::ImmediateOrCancel,
                Some(&"gtc") => TimeInForce::GoodTillCancel,
                Some(&"opg") => TimeInForce::AtTheOpening,
                Some(&"fok") => TimeInForce::FillOrKill,
                _ => TimeInForce::Day,
            },
            qty: Qty(whole(plain[4])),
            price: at.map(|at| Price(fixed(plain[at + 1]) as i64)),
            flags: line.get("flags").map_or(0, |bits| bits.split(',').fold(0, |mask, bit| mask | 1 << whole(bit))),
        }
    }

    /// An explanation changes nothing, not even what time would.
    fn explain(&mut self, line: &Line<'_>, order: &NewOrder) -> Explanation {
        let before = self.engine.state_hash();
        let explained = self.engine.explain(order);
        assert_eq!(before, self.engine.state_hash(), "{}:{}: explaining changed it", self.file.display(), line.number);
        explained
    }

    /// `explain ID ... -> max_order_qty max_order_notional`: every reason there is, in order of precedence.
    fn explained(&mut self, line: &Line<'_>) {
        let order = self.new_order(line, line.words[1]);
        let explained = self.explain(line, &order);
        let refusals = explained.lines.iter().filter_map(|of_check| of_check.refusal);
        let names: Vec<String> = refusals.map(|reject| reject.reason.name.to_lowercase()).collect();
        self.expect(line, &if names.is_empty() { "nothing".into() } else { names.join(" ") });
    }

    fn order(&mut self, line: &Line<'_>) {
        let order = self.new_order(line, line.words[1]);
        self.orders.insert(line.words[1].into(), (order.router, order.cl_ord_id));
        let explained = self.explain(line, &order);
        let event = if line.words[0] == "check" { Event::CheckOrder(order) } else { Event::NewOrder(order) };
        let books = self.exposure();
        let outcome = self.apply(event);
        if let Outcome::Rejected(reject) = outcome
            && explained.duplicate.is_none()
        {
            let said = explained.refusal.map_or("nothing", |reject| reject.reason.name);
            assert_eq!(reject.reason.name, said, "{}:{}: explained", self.file.display(), line.number);
        } else if matches!(outcome, Outcome::Accepted(_) | Outcome::WouldAccept) && explained.duplicate.is_none() {
            let said = explained.refusal.map(|reject| reject.reason.name);
            assert_eq!(None, said, "{}:{}: explained", self.file.display(), line.number);
        }
        if matches!(outcome, Outcome::Rejected(_) | Outcome::WouldAccept) {
            assert_eq!(
                books,
                self.exposure(),
                "{}:{}: a refused order changed exposure",
                self.file.display(),
                line.number
            );
        }
        self.expect(line, &verdict(&outcome));
    }

    /// Everything an order could change in the books, over all scopes there are.
    fn exposure(&self) -> i128 {
        self.engine.state().books.iter().fold(0, |sum, book| {
            sum + book.open_notional
                + book.executed_notional
                + book.cash
                + i128::from(book.open_orders)
                + i128::from(book.open_buy)
                + i128::from(book.open_sell)
                + i128::from(book.position)
        })
    }

    /// `flood N every 1ms order ... -> accepted/refused`: N orders with ids of their own.
    fn flood(&mut self, line: &Line<'_>) {
        let (count, step) = (whole(line.words[1]), span(line.words[3]));
        let rest = Line { number: line.number, words: line.words[4..].to_vec(), expect: line.expect };
        let (mut accepted, mut rejected) = (0, 0);
        for n in 0..count {
            let order = self.new_order(&rest, &format!("{}-{n}", rest.words[1]));
            self.orders.insert(format!("{}-{n}", rest.words[1]), (order.router, order.cl_ord_id));
            match self.apply(Event::NewOrder(order)) {
                Outcome::Accepted(_) => accepted += 1,
                Outcome::Rejected(_) => rejected += 1,
                other => self.fail(line, &format!("{other:?}")),
            }
            self.now += step;
        }
        self.expect(line, &format!("{accepted} accepted {rejected} rejected"));
    }

    /// `dropped r1 40`: attempts that a gateway has only counted, because there were too many.
    fn dropped(&mut self, line: &Line<'_>) {
        let (router, count) = (self.router(line.words[1]), whole(line.words[2]) as u32);
        let last_client_seq = self.seq + u64::from(count);
        let books = self.exposure();
        self.apply(Event::AttemptsDropped { router, count, last_client_seq, first: Nanos(self.now) });
        self.seq = last_client_seq;
        assert_eq!(books, self.exposure(), "{}:{}: counting changed exposure", self.file.display(), line.number);
    }

    fn replace(&mut self, line: &Line<'_>) {
        let plain = line.plain();
        let (router, orig_cl_ord_id) = self.orders[plain[1]];
        let id = plain[3];
        let at = plain.iter().position(|word| *word == "@");
        let replace = Replace {
            router,
            client_seq: self.seq + 1,
            cl_ord_id: cl_ord_id(id),
            orig_cl_ord_id,
            qty: Qty(whole(plain[4])),
            price: at.map(|at| Price(fixed(plain[at + 1]) as i64)),
        };
        self.orders.insert(id.into(), (router, replace.cl_ord_id));
        let outcome = self.apply(Event::Replace(replace));
        self.expect(line, &verdict(&outcome));
    }

    fn cancel(&mut self, line: &Line<'_>) {
        let id = line.words[1];
        let router = line.get("router").map(|name| self.router(name));
        let (router, orig_cl_ord_id) =
            self.orders.get(id).copied().unwrap_or_else(|| (router.unwrap_or(RouterId(0)), cl_ord_id(id)));
        let lane = line.words.contains(&"lane");
        let outcome = self.apply(Event::Cancel(Cancel { router, client_seq: self.seq + 1, orig_cl_ord_id, lane }));
        self.expect(line, &verdict(&outcome));
    }

    fn mass_cancel(&mut self, line: &Line<'_>) {
        let router = self.router(line.words[1]);
        let symbol = line.words.get(2).map(|name| self.symbol(name).known().unwrap());
        let outcome = self.apply(Event::MassCancel(MassCancel { router, client_seq: self.seq + 1, symbol }));
        self.expect(line, &verdict(&outcome));
    }

    fn order_id(&self, line: &Line<'_>, name: &str) -> OrderId {
        let known = self.orders.get(name).and_then(|(router, id)| self.engine.find_order(*router, *id));
        known.map_or_else(|| self.fail(line, &format!("no accepted order `{name}`")), |order| order.id)
    }

    fn report(&mut self, line: &Line<'_>) {
        let order = self.order_id(line, line.words[1]);
        let trade = || (Qty(whole(line.words[2])), Price(fixed(line.words[4]) as i64));
        let text = line.get("text").map(|words| self.venue_text(&words.replace('_', " ")));
        let kind = match line.words[0] {
            "ack" => ReportKind::New,
            "fill" | "duplicate_fill" => {
                let (qty, price) = trade();
                ReportKind::Trade { qty, price }
            }
            "bust" => {
                let (qty, price) = trade();
                ReportKind::TradeCancel { qty, price }
            }
            "canceled" => ReportKind::Canceled,
            "rejected" => ReportKind::Rejected { text },
            "expired" => ReportKind::Expired,
            "replaced" => ReportKind::Replaced,
            "replace_rejected" => ReportKind::ReplaceRejected,
            _ => ReportKind::CancelRejected,
        };
        // A duplicate carries the sequence number it had the first time.
        self.venue_seq += u64::from(line.words[0] != "duplicate_fill");
        let venue_seq = self.venue_seq;
        let outcome =
            self.apply(Event::Report(Report { venue_seq, order, exec_id: venue_seq, instrument: None, kind }));
        self.expect(line, &verdict(&outcome));
    }

    /// `unknown_fill buy AAPL 100 @ 10.00`
    fn unknown_fill(&mut self, line: &Line<'_>) {
        self.venue_seq += 1;
        let symbol = self.symbol(line.words[2]).known().unwrap();
        let outcome = self.apply(Event::Report(Report {
            venue_seq: self.venue_seq,
            order: UNKNOWN_ORDER,
            exec_id: self.venue_seq,
            instrument: Some((symbol, side(line.words[1]))),
            kind: ReportKind::Trade { qty: Qty(whole(line.words[3])), price: Price(fixed(line.words[5]) as i64) },
        }));
        self.expect(line, &verdict(&outcome));
    }

    fn venue(&mut self, line: &Line<'_>) {
        let event = if line.words[1] == "up" { Event::VenueUp } else { Event::VenueDown };
        self.apply(event);
    }

    /// `mass_status A1=50 A2=0 [processed=N] [fenced]`: the open orders at the venue with their filled quantities.
    fn mass_status(&mut self, line: &Line<'_>) {
        let mut processed = self.engine.state().venue.last_client_seq;
        for pair in line.words[1..].iter().filter(|word| word.contains('=')) {
            let (name, value) = pair.split_once('=').unwrap();
            if name == "processed" {
                processed = whole(value) as u64;
                continue;
            }
            let order = self.order_id(line, name);
            let cum = Qty(whole(value));
            let leaves = Qty(self.engine.order(order).unwrap().qty.0 - cum.0);
            self.apply(Event::MassStatusEntry(MassStatusEntry { order, cum, leaves }));
        }
        self.apply(Event::MassStatusEnd(MassStatusEnd {
            last_client_seq_processed: processed,
            complete: true,
            fenced: line.words.contains(&"fenced"),
        }));
    }

    fn session_down(&mut self, line: &Line<'_>) {
        let router = self.router(line.words[1]);
        let outcome = self.apply(Event::SessionDown { router, cancel_orders: true });
        self.expect(line, &verdict(&outcome));
    }

    fn halt(&mut self, line: &Line<'_>) {
        let scope = self.scope(line.words[1]);
        let state = State::ALL.into_iter().find(|state| state.name() == line.words[2]).unwrap();
        let principal = line.get("by").unwrap_or("alice").to_string();
        let outcome = self.apply(Event::Halt { scope, state, principal, text: "scenario".into() });
        self.expect(line, &verdict(&outcome));
    }

    /// `propose reinstate SCOPE by=alice [trip=N]`, `propose limit SCOPE name=value by=alice`, `propose promote ROUTER`,
    /// `propose close_incident SCOPE`, `propose restrict SYMBOL none`
    fn propose(&mut self, line: &Line<'_>) {
        let principal = line.get("by").unwrap_or("alice").to_string();
        let change = match line.words[1] {
            "reinstate" => {
                let scope = self.scope(line.words[2]);
                let ix = self.engine.state().scopes.find(scope).unwrap();
                let newest = self.engine.state().halts.latch(ix).newest;
                Change::Reinstate { scope, trip: line.get("trip").map_or(newest, |n| whole(n) as u64) }
            }
            "override" => Change::OverrideReadiness { until: Nanos(self.now + span(line.words[2])) },
            "promote" => Change::Promote { router: self.router(line.words[2]) },
            "close_incident" => {
                let scope = self.scope(line.words[2]);
                let incidents = self.engine.state().fleet.incidents();
                Change::CloseIncident { trip: incidents.iter().find(|i| i.scope == scope).map_or(0, |i| i.trip) }
            }
            "rate" => {
                Change::FxRate { currency: self.currency(line.words[2]), rate: Rate(fixed(line.words[3]) as i64) }
            }
            "restrict" => {
                let symbol = self.symbol(line.words[2]).known().unwrap();
                Change::Restrict { symbol, stops: Stops::by_name(line.words[3]) }
            }
            "limit_override" => {
                let (limit, setting) = named_limit(line.words[3]);
                let order =
                    line.get("order").map(|id| (self.router(line.get("router").unwrap_or("r1")), cl_ord_id(id)));
                let (scope, up_to) = (self.scope(line.words[2]), setting.unwrap().value);
                Change::Override { scope, limit, up_to, order, until: self.until(line).unwrap() }
            }
            _ => {
                let (limit, setting) = named_limit(line.words[3]);
                Change::Limit { target: self.target(line.words[2]), limit, setting, until: self.until(line) }
            }
        };
        let outcome = self.apply(Event::Propose { change, principal, text: "scenario".into() });
        if let Outcome::Proposed(id) = outcome {
            self.proposal = id;
        }
        self.expect(line, &verdict(&outcome));
    }

    /// `until=+5s`.
    fn until(&self, line: &Line<'_>) -> Option<Nanos> {
        line.get("until").map(|text| Nanos(self.now + span(text.trim_start_matches('+'))))
    }

    fn approve(&mut self, line: &Line<'_>) {
        let principal = line.get("by").unwrap_or("bob").to_string();
        let outcome = self.apply(Event::Approve { proposal: self.proposal, principal });
        self.expect(line, &verdict(&outcome));
    }

    /// The id of the venue's words, as the edge gives it.
    fn venue_text(&mut self, words: &str) -> VenueTextId {
        if self.engine.state().names.venue_text(words).known().is_none() {
            self.apply(Event::Define { kind: NameKind::VenueText, name: words.into() });
        }
        self.engine.state().names.venue_text(words).known().unwrap()
    }

    /// `known venue_reject:Power_Peg_disabled`
    fn known(&mut self, line: &Line<'_>) {
        let mut text = line.words[1].to_string();
        if let Some(words) = line.words[1].strip_prefix("venue_reject:") {
            let words = words.replace('_', " ");
            self.venue_text(&words);
            text = format!("venue_reject:{words}");
        }
        let seen = Seen::parse(&text, &self.engine.state().names);
        let seen = seen.unwrap_or_else(|| self.fail(line, &format!("nothing is named `{text}`")));
        self.apply(Event::Known { seen });
    }

    /// `readiness open=14:30:05 [grace=2s] [all_routers] [symbols=AAPL,MSFT]`
    fn readiness(&mut self, line: &Line<'_>) {
        let clock = line.get("open").unwrap_or_else(|| self.fail(line, "open=HH:MM:SS expected"));
        let open = clock.split(':').map(whole).fold(0, |sum, part| sum * 60 + part);
        let symbols = line.get("symbols").unwrap_or("").split(',').filter(|name| !name.is_empty());
        let rules = ReadinessRules {
            open: Nanos::from_secs(open),
            grace: Nanos(span(line.get("grace").unwrap_or("60s"))),
            all_routers: line.words.contains(&"all_routers"),
            compare_builds: true,
            symbols: symbols.map(|name| self.symbol(name).known().unwrap()).collect(),
        };
        let outcome = self.apply(Event::Readiness(rules));
        self.expect(line, &verdict(&outcome));
    }

    /// `ack_finding 1 [by=alice]`
    fn acknowledge(&mut self, line: &Line<'_>) {
        let (finding, principal) = (whole(line.words[1]) as u64, line.get("by").unwrap_or("alice").to_string());
        let outcome = self.apply(Event::AcknowledgeFinding { finding, principal, text: "scenario".into() });
        self.expect(line, &verdict(&outcome));
    }

    fn day_roll(&mut self, line: &Line<'_>) {
        let outcome = self.apply(Event::DayRoll { date: whole(line.words[1]) as u32 });
        self.expect(line, &verdict(&outcome));
    }
}

/// `name=value[,action][,soft]`.
fn named_limit(text: &str) -> (LimitId, Option<Setting>) {
    let (name, value) = text.split_once('=').unwrap();
    let limit = LimitId::by_name(name).unwrap_or_else(|| panic!("no limit `{name}`"));
    (limit, limit_setting(limit, value))
}
