//! Reading a record: nothing in it is trusted.

use alloc::string::String;
use alloc::vec::Vec;

use super::{DecodeError, MAX_TEXT};
use crate::checks::self_check::Figures;
use crate::detect::first_seen::Seen;
use crate::events::{
    Attested, Cancel, Change, DropCopy, Event, FlagRegistry, FleetRules, Instrument, MassCancel, MassStatusEnd,
    MassStatusEntry, NameKind, NewOrder, OrdType, ReadinessRules, Replace, Report, ReportKind, Side, TimeInForce,
};
use crate::halts::State;
use crate::ids::{
    AccountId, ClOrdId, CurrencyId, OrderId, ParentId, Ref, RouterId, SecurityGroupId, StrategyId, SymbolId,
    VenueTextId,
};
use crate::limits::{Action, LimitId, LimitTarget, Setting};
use crate::permissions::{MAX_LIST, Stops};
use crate::reasons::Reason;
use crate::scopes::{Scope, ScopeKind};
use crate::security::{Phase, Rules, ShortSale};
use crate::units::{Nanos, Price, Qty, Rate};

/// Takes a record's fields off the front; what is left is in it.
pub struct Reader<'a>(pub &'a [u8]);

type Read<T> = Result<T, DecodeError>;

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    fn slice(&mut self, len: usize) -> Read<&[u8]> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    #[inline]
    pub fn u8(&mut self) -> Read<u8> {
        Ok(u8::from_le_bytes(self.bytes()?))
    }

    #[inline]
    pub fn u16(&mut self) -> Read<u16> {
        Ok(u16::from_le_bytes(self.bytes()?))
    }

    fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    #[inline]
    pub fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    #[inline]
    pub fn i64(&mut self) -> Read<i64> {
        Ok(i64::from_le_bytes(self.bytes()?))
    }

    fn flag(&mut self) -> Read<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::BadField("flag")),
        }
    }

    /// An absent number is written as zero; anything else there is damage.
    fn optional_i64(&mut self) -> Read<Option<i64>> {
        match (self.flag()?, self.i64()?) {
            (true, n) => Ok(Some(n)),
            (false, 0) => Ok(None),
            (false, _) => Err(DecodeError::BadField("absent number")),
        }
    }

    fn optional_i128(&mut self) -> Read<Option<i128>> {
        let present = self.flag()?;
        match (present, i128::from_le_bytes(self.bytes()?)) {
            (true, n) => Ok(Some(n)),
            (false, 0) => Ok(None),
            (false, _) => Err(DecodeError::BadField("absent number")),
        }
    }

    fn text(&mut self) -> Read<String> {
        let len = usize::from(self.u16()?);
        if len > MAX_TEXT {
            return Err(DecodeError::BadField("text length"));
        }
        core::str::from_utf8(self.slice(len)?).map(String::from).map_err(|_| DecodeError::BadField("text"))
    }

    fn cl_ord_id(&mut self) -> Read<ClOrdId> {
        let len = usize::from(self.u8()?);
        ClOrdId::new(self.slice(len)?).ok_or(DecodeError::BadField("ClOrdID"))
    }

    fn reference<T>(&mut self, id: impl Fn(u32) -> T) -> Read<Ref<T>> {
        Ok(match self.u32()? {
            u32::MAX => Ref::Absent,
            n if n == u32::MAX - 1 => Ref::Unknown,
            n => Ref::Known(id(n)),
        })
    }

    fn optional_symbol(&mut self) -> Read<Option<SymbolId>> {
        match self.reference(SymbolId)? {
            Ref::Known(symbol) => Ok(Some(symbol)),
            Ref::Absent => Ok(None),
            Ref::Unknown => Err(DecodeError::BadField("symbol")),
        }
    }

    fn phase(&mut self) -> Read<Option<Phase>> {
        match self.u8()? {
            0 => Ok(None),
            n => Phase::from_number(n).map(Some).ok_or(DecodeError::BadField("phase")),
        }
    }

    fn bands(&mut self) -> Read<Option<(Price, Price)>> {
        match (self.optional_i64()?, self.optional_i64()?) {
            (Some(low), Some(high)) => Ok(Some((Price(low), Price(high)))),
            (None, None) => Ok(None),
            _ => Err(DecodeError::BadField("bands")),
        }
    }

    fn side(&mut self) -> Read<Side> {
        match self.u8()? {
            1 => Ok(Side::Buy),
            2 => Ok(Side::Sell),
            5 => Ok(Side::SellShort),
            6 => Ok(Side::SellShortExempt),
            _ => Err(DecodeError::BadField("side")),
        }
    }

    fn kind(&mut self) -> Read<ScopeKind> {
        ScopeKind::from_number(self.u8()?).ok_or(DecodeError::BadField("scope kind"))
    }

    fn scope(&mut self) -> Read<Scope> {
        let kind = self.kind()?;
        let (a, b) = (self.u32()?, self.u32()?);
        let scope = Scope::from_parts(kind, a, b);
        // Ids that the kind does not have are written as zero; anything else there is damage.
        if scope.parts() == (a, b) { Ok(scope) } else { Err(DecodeError::BadField("scope")) }
    }

    fn target(&mut self) -> Read<LimitTarget> {
        match self.u8()? {
            0 => self.scope().map(LimitTarget::Scope),
            1 => self.kind().map(LimitTarget::Default),
            _ => Err(DecodeError::BadField("limit target")),
        }
    }

    fn limit(&mut self) -> Read<LimitId> {
        LimitId::by_code(self.u16()?).ok_or(DecodeError::BadField("limit"))
    }

    fn order(&mut self) -> Read<NewOrder> {
        Ok(NewOrder {
            router: RouterId(self.u32()?),
            client_seq: self.u64()?,
            cl_ord_id: self.cl_ord_id()?,
            account: self.reference(AccountId)?,
            symbol: self.reference(SymbolId)?,
            strategy: self.reference(StrategyId)?,
            parent: self.reference(ParentId)?,
            side: self.side()?,
            ord_type: ord_type(self.u8()?)?,
            tif: tif(self.u8()?)?,
            qty: Qty(self.i64()?),
            price: self.optional_i64()?.map(Price),
            flags: self.u64()?,
        })
    }

    fn instrument(&mut self, currency: impl Fn(&mut Self) -> Read<Option<CurrencyId>>) -> Read<Event> {
        let symbol = SymbolId(self.u32()?);
        let (tick, lot, multiplier) = (Price(self.i64()?), Qty(self.i64()?), self.i64()?);
        Ok(Event::Instrument { symbol, instrument: Instrument { tick, lot, multiplier, currency: currency(self)? } })
    }

    fn trade(&mut self) -> Read<(Qty, Price)> {
        Ok((Qty(self.i64()?), Price(self.i64()?)))
    }

    fn report(&mut self) -> Read<Report> {
        let (venue_seq, order, exec_id) = (self.u64()?, OrderId(self.u64()?), self.u64()?);
        let instrument = if self.flag()? { Some((SymbolId(self.u32()?), self.side()?)) } else { None };
        Ok(Report { venue_seq, order, exec_id, instrument, kind: self.report_kind()? })
    }

    fn report_kind(&mut self) -> Read<ReportKind> {
        Ok(match self.u8()? {
            0 => ReportKind::New,
            1 => {
                let (qty, price) = self.trade()?;
                ReportKind::Trade { qty, price }
            }
            2 => ReportKind::Canceled,
            3 => ReportKind::Replaced,
            4 => ReportKind::Rejected { text: None },
            5 => ReportKind::Expired,
            6 => ReportKind::DoneForDay,
            7 => {
                let (qty, price) = self.trade()?;
                ReportKind::TradeCancel { qty, price }
            }
            8 => {
                let ((old_qty, old_price), (qty, price)) = (self.trade()?, self.trade()?);
                ReportKind::TradeCorrect { old_qty, old_price, qty, price }
            }
            9 => ReportKind::CancelRejected,
            10 => ReportKind::ReplaceRejected,
            60 => ReportKind::Rejected { text: Some(VenueTextId(self.u32()?)) },
            _ => return Err(DecodeError::BadField("report kind")),
        })
    }

    fn seen(&mut self) -> Read<Seen> {
        let (kind, number) = (self.u8()?, self.u32()?);
        let small = || u8::try_from(number).map_err(|_| DecodeError::BadField("seen"));
        Ok(match kind {
            1 => Seen::Refusal(reason(number).ok_or(DecodeError::BadField("reason"))?),
            2 => Seen::VenueReject(VenueTextId(number)),
            3 => Seen::OrdType(ord_type(small()?)?),
            4 => Seen::TimeInForce(tif(small()?)?),
            5 if number < 64 => Seen::Flag(small()?),
            6 => Seen::Strategy(StrategyId(number)),
            7 => Seen::SecurityGroup(SecurityGroupId(number)),
            _ => return Err(DecodeError::BadField("seen")),
        })
    }

    fn stops(&mut self) -> Read<Option<Stops>> {
        match self.u8()? {
            0 => Ok(None),
            n => Stops::from_number(n).map(Some).ok_or(DecodeError::BadField("stops")),
        }
    }

    fn symbols(&mut self) -> Read<Vec<SymbolId>> {
        let len = self.u32()? as usize;
        if len > MAX_LIST + 1 || len > self.0.len() {
            return Err(DecodeError::BadField("list length"));
        }
        (0..len).map(|_| self.u32().map(SymbolId)).collect()
    }

    fn readiness(&mut self) -> Read<ReadinessRules> {
        let (open, grace) = (Nanos(self.i64()?), Nanos(self.i64()?));
        let (all_routers, compare_builds) = (self.flag()?, self.flag()?);
        Ok(ReadinessRules { open, grace, all_routers, compare_builds, symbols: self.symbols()? })
    }

    fn i128(&mut self) -> Read<i128> {
        Ok(i128::from_le_bytes(self.bytes()?))
    }

    fn setting(&mut self) -> Read<Option<Setting>> {
        let Some(value) = self.optional_i128()? else { return Ok(None) };
        let action = Action::from_number(self.u8()?).ok_or(DecodeError::BadField("action"))?;
        Ok(Some(Setting { value, action, soft: self.flag()? }))
    }

    fn change(&mut self) -> Read<Change> {
        match self.u8()? {
            0 => Ok(Change::Reinstate { scope: self.scope()?, trip: self.u64()? }),
            50 => Ok(Change::Promote { router: RouterId(self.u32()?) }),
            51 => Ok(Change::CloseIncident { trip: self.u64()? }),
            30 => Ok(Change::FxRate { currency: CurrencyId(self.u32()?), rate: Rate(self.i64()?) }),
            80 => Ok(Change::Restrict { symbol: SymbolId(self.u32()?), stops: self.stops()? }),
            60 => Ok(Change::OverrideReadiness { until: Nanos(self.i64()?) }),
            1 => Ok(Change::Limit {
                target: self.target()?,
                limit: self.limit()?,
                setting: self.setting()?,
                until: self.optional_i64()?.map(Nanos),
            }),
            2 => Ok(Change::Override {
                scope: self.scope()?,
                limit: self.limit()?,
                up_to: self.i128()?,
                order: if self.flag()? { Some((RouterId(self.u32()?), self.cl_ord_id()?)) } else { None },
                until: Nanos(self.i64()?),
            }),
            _ => Err(DecodeError::BadField("change")),
        }
    }

    pub fn event(&mut self) -> Read<Event> {
        Ok(match self.u8()? {
            1 => Event::NewOrder(self.order()?),
            2 => Event::CheckOrder(self.order()?),
            3 => Event::Replace(Replace {
                router: RouterId(self.u32()?),
                client_seq: self.u64()?,
                cl_ord_id: self.cl_ord_id()?,
                orig_cl_ord_id: self.cl_ord_id()?,
                qty: Qty(self.i64()?),
                price: self.optional_i64()?.map(Price),
            }),
            4 => Event::Cancel(Cancel {
                router: RouterId(self.u32()?),
                client_seq: self.u64()?,
                orig_cl_ord_id: self.cl_ord_id()?,
                lane: self.flag()?,
            }),
            5 => Event::MassCancel(MassCancel {
                router: RouterId(self.u32()?),
                client_seq: self.u64()?,
                symbol: self.optional_symbol()?,
            }),
            6 => Event::Malformed { router: RouterId(self.u32()?), client_seq: self.u64()? },
            7 => Event::AttemptsDropped {
                router: RouterId(self.u32()?),
                count: self.u32()?,
                last_client_seq: self.u64()?,
                first: Nanos(self.i64()?),
            },
            8 => Event::Report(self.report()?),
            9 => Event::Tick { symbol: SymbolId(self.u32()?), bid: Price(self.i64()?), ask: Price(self.i64()?) },
            10 => Event::Timer,
            11 => Event::SessionUp { router: RouterId(self.u32()?) },
            12 => Event::SessionDown { router: RouterId(self.u32()?), cancel_orders: self.flag()? },
            13 => Event::VenueUp,
            14 => Event::VenueDown,
            15 => Event::MassStatusEntry(MassStatusEntry {
                order: OrderId(self.u64()?),
                cum: Qty(self.i64()?),
                leaves: Qty(self.i64()?),
            }),
            16 => Event::MassStatusEnd(MassStatusEnd {
                last_client_seq_processed: self.u64()?,
                complete: self.flag()?,
                fenced: self.flag()?,
            }),
            17 => Event::NotSent { order: OrderId(self.u64()?) },
            18 => Event::ParentOpen {
                name: self.cl_ord_id()?,
                account: AccountId(self.u32()?),
                symbol: SymbolId(self.u32()?),
                side: self.side()?,
                qty: Qty(self.i64()?),
            },
            19 => Event::ParentAmend { parent: ParentId(self.u32()?), qty: Qty(self.i64()?) },
            20 => Event::ParentClose { parent: ParentId(self.u32()?) },
            21 => Event::Halt {
                scope: self.scope()?,
                state: State::from_number(self.u8()?).ok_or(DecodeError::BadField("state"))?,
                principal: self.text()?,
                text: self.text()?,
            },
            22 => Event::Propose { change: self.change()?, principal: self.text()?, text: self.text()? },
            23 => Event::Approve { proposal: self.u64()?, principal: self.text()? },
            24 => Event::SetLimit {
                target: self.target()?,
                limit: self.limit()?,
                setting: self.setting()?,
                principal: self.text()?,
            },
            25 => Event::Define {
                kind: match self.u8()? {
                    1 => NameKind::Account,
                    2 => NameKind::Router,
                    3 => NameKind::Strategy,
                    4 => NameKind::Symbol,
                    30 => NameKind::Currency,
                    60 => NameKind::VenueText,
                    61 => NameKind::SecurityGroup,
                    _ => return Err(DecodeError::BadField("name kind")),
                },
                name: self.text()?,
            },
            26 => self.instrument(|_| Ok(None))?,
            30 => self.instrument(|r| r.u32().map(CurrencyId).map(Some))?,
            31 => Event::FxRate { currency: CurrencyId(self.u32()?), rate: Rate(self.i64()?) },
            27 => Event::ParentRequired { account: AccountId(self.u32()?), required: self.flag()? },
            28 => Event::OpeningPosition {
                account: AccountId(self.u32()?),
                symbol: SymbolId(self.u32()?),
                qty: Qty(self.i64()?),
                mark: Price(self.i64()?),
            },
            29 => Event::DayRoll { date: self.u32()? },
            40 => Event::PhasesPublished { published: self.flag()? },
            41 => Event::SymbolRules {
                symbol: SymbolId(self.u32()?),
                rules: Rules { reg_sho: self.flag()?, luld: self.flag()?, easy_to_borrow: self.flag()? },
            },
            42 => Event::Phase { symbol: self.optional_symbol()?, phase: self.phase()? },
            43 => Event::Bands { symbol: SymbolId(self.u32()?), bands: self.bands()? },
            44 => Event::PriorClose { symbol: SymbolId(self.u32()?), price: Price(self.i64()?) },
            46 => Event::SelfMatchGroup {
                account: AccountId(self.u32()?),
                group: match (self.flag()?, self.u32()?) {
                    (true, group) => Some(group),
                    (false, 0) => None,
                    (false, _) => return Err(DecodeError::BadField("absent group")),
                },
            },
            45 => Event::ShortSale {
                symbol: SymbolId(self.u32()?),
                restriction: ShortSale::from_number(self.u8()?).ok_or(DecodeError::BadField("restriction"))?,
            },
            50 => Event::Flags(FlagRegistry { registered: self.u64()?, retired: self.u64()? }),
            51 => Event::FleetRules(FleetRules { quarantine_culprit: self.flag()?, halt_on_change: self.flag()? }),
            52 => Event::Attested(Attested {
                router: RouterId(self.u32()?),
                build: self.text()?,
                runs: self.bytes()?,
                known_flags: self.u64()?,
                quarantined: self.flag()?,
            }),
            62 => Event::Readiness(self.readiness()?),
            63 => Event::SecurityGroup { symbol: SymbolId(self.u32()?), group: SecurityGroupId(self.u32()?) },
            60 => Event::Known { seen: self.seen()? },
            61 => Event::AcknowledgeFinding { finding: self.u64()?, principal: self.text()?, text: self.text()? },
            80 => Event::AverageVolume { symbol: SymbolId(self.u32()?), qty: self.optional_i64()?.map(Qty) },
            81 => Event::Permit { scope: self.scope()?, symbols: self.symbols()? },
            82 => Event::Restrict {
                symbol: SymbolId(self.u32()?),
                stops: self.stops()?,
                principal: self.text()?,
                text: self.text()?,
            },
            70 => Event::DropCopy(DropCopy {
                drop_seq: self.u64()?,
                order: OrderId(self.u64()?),
                symbol: if self.flag()? { Some(SymbolId(self.u32()?)) } else { None },
                kind: self.report_kind()?,
            }),
            71 => Event::DropCopyUp { restarted: self.flag()? },
            72 => Event::DropCopyDown,
            73 => Event::SelfCheck(Figures {
                event_lag: Nanos(self.i64()?),
                journal_lag: Nanos(self.i64()?),
                queue_depth: self.u64()?,
            }),
            74 => Event::SessionLost { router: RouterId(self.u32()?) },
            _ => return Err(DecodeError::BadField("kind")),
        })
    }
}

fn ord_type(code: u8) -> Read<OrdType> {
    match code {
        1 => Ok(OrdType::Market),
        2 => Ok(OrdType::Limit),
        _ => Err(DecodeError::BadField("ord_type")),
    }
}

fn tif(code: u8) -> Read<TimeInForce> {
    match code {
        0 => Ok(TimeInForce::Day),
        1 => Ok(TimeInForce::GoodTillCancel),
        2 => Ok(TimeInForce::AtTheOpening),
        3 => Ok(TimeInForce::ImmediateOrCancel),
        4 => Ok(TimeInForce::FillOrKill),
        _ => Err(DecodeError::BadField("time_in_force")),
    }
}

fn reason(code: u32) -> Option<Reason> {
    crate::checks::all_reasons().into_iter().find(|reason| u32::from(reason.code) == code)
}
