//! `openpit`: its four policies as its Getting Started page sets them up, the same at every axis they have, and spot funds
//! with a position limit beside them.

use std::hint::black_box;
use std::time::Duration;

use openpit::param::{
    AccountId, AdjustmentAmount, Asset, Pnl, PositionSize, Price, Quantity, Side as Way, TradeAmount, Volume,
};
use openpit::pretrade::policies::{
    OrderSizeAccountAssetBarrier, OrderSizeAssetBarrier, OrderSizeBrokerBarrier, OrderSizeLimit, OrderSizeLimitPolicy,
    OrderSizeLimitSettings, OrderValidationPolicy, PnlBoundsAccountAssetBarrier, PnlBoundsBrokerBarrier,
    PnlBoundsKillSwitchPolicy, PnlBoundsKillSwitchSettings, RateLimit, RateLimitAccountAssetBarrier,
    RateLimitAccountBarrier, RateLimitAssetBarrier, RateLimitBrokerBarrier, RateLimitPolicy, RateLimitSettings,
    SpotFundsMarketData, SpotFundsPolicy, SpotFundsPricingSource, SpotFundsSettings,
};
use openpit::storage::NoLocking;
use openpit::{
    AccountAdjustmentAmount, AccountAdjustmentBalanceOperation, AccountAdjustmentBounds, Engine, Instrument,
    LocalEngine, LocalSync, OrderOperation, WithAccountAdjustmentBalanceOperation, WithAccountAdjustmentBounds,
    WithExecutionReportFillDetails, WithExecutionReportOperation, WithFinancialImpact,
};
use riskcore_bench::series::Round;

use crate::Side;

type Report = WithExecutionReportOperation<WithFinancialImpact<WithExecutionReportFillDetails<()>>>;
type Adjustment = WithAccountAdjustmentBalanceOperation<WithAccountAdjustmentBounds<AccountAdjustmentAmount>>;

/// Values that no order of the bench comes near.
const MANY_ORDERS: usize = 1_000_000_000;
const MONEY: &str = "1000000000000000";

fn account() -> AccountId {
    AccountId::from_u64(99_224_416)
}

fn asset(code: &str) -> Asset {
    Asset::new(code).expect("the code of an asset")
}

/// One engine, and the orders it has been given.
pub struct Pit {
    name: &'static str,
    ran: &'static str,
    engine: LocalEngine<OrderOperation, Report, Adjustment>,
    next: u64,
}

impl Side for Pit {
    fn name(&self) -> &'static str {
        self.name
    }

    fn ran(&self) -> &'static str {
        self.ran
    }

    fn round(&mut self, batch: usize) -> Round {
        let mut times = Round::default();
        let orders: Vec<OrderOperation> = (0..batch).map(|_| self.order()).collect();
        for order in orders {
            times.time(|| {
                let mut reservation = self.engine.execute_pre_trade(black_box(order)).expect("an order that passes");
                reservation.commit();
                black_box(&reservation);
            });
        }
        times
    }
}

impl Pit {
    /// Barriers of the broker, and the sizes of both assets.
    pub fn getting_started() -> Pit {
        Pit::new(
            "openpit, four policies",
            "openpit 0.11.0: order validation, order size (broker and both assets), rate limit (broker) and P&L kill \
             switch (broker), as in its Getting Started page; execute_pre_trade and commit",
            Axes::Broker,
            false,
        )
    }

    /// Every barrier that the four policies have.
    pub fn every_axis() -> Pit {
        Pit::new(
            "openpit, four policies, every axis",
            "openpit 0.11.0: order validation, order size, rate limit and P&L kill switch, each at broker, asset, account \
             and account-asset where it can be set; execute_pre_trade and commit",
            Axes::All,
            false,
        )
    }

    /// The same as at first, with spot funds and a position limit.
    pub fn with_funds() -> Pit {
        Pit::new(
            "openpit, spot funds and position limit",
            "openpit 0.11.0: the four policies as in its Getting Started page, spot funds and a position limit of the \
             account in the asset; execute_pre_trade and commit",
            Axes::Broker,
            true,
        )
    }

    fn new(name: &'static str, ran: &'static str, axes: Axes, funds: bool) -> Pit {
        let builder = Engine::builder::<OrderOperation, Report, Adjustment>().no_sync();
        let pnl = PnlBoundsKillSwitchPolicy::new(axes.pnl(), builder.storage_builder());
        let rate = RateLimitPolicy::new(axes.rate(), builder.storage_builder());
        let spot = SpotFundsPolicy::<LocalSync, LocalSync>::new(
            spot_settings(),
            None::<SpotFundsMarketData<LocalSync>>,
            builder.storage_builder(),
        );
        let builder = builder.pre_trade(OrderValidationPolicy::new()).pre_trade(pnl).pre_trade(rate);
        let builder = builder.pre_trade(OrderSizeLimitPolicy::<NoLocking>::new(axes.size()));
        let engine = if funds { builder.pre_trade(spot).build() } else { builder.build() }.expect("an engine");
        if funds {
            seed(&engine);
        }
        Pit { name, ran, engine, next: 0 }
    }

    /// Buys and sells in turn, as the core is given them.
    fn order(&mut self) -> OrderOperation {
        self.next += 1;
        let quantity = (100 + self.next / 2 % 64).to_string();
        OrderOperation {
            instrument: Instrument::new(asset("AAPL"), asset("USD")),
            account_id: account(),
            side: if self.next % 2 == 0 { Way::Buy } else { Way::Sell },
            trade_amount: TradeAmount::Quantity(Quantity::from_str(&quantity).expect("a quantity")),
            price: Some(Price::from_str("100").expect("a price")),
        }
    }
}

/// Where the policies have limits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Axes {
    Broker,
    All,
}

impl Axes {
    fn only_all<T>(self, barrier: T) -> Option<T> {
        (self == Axes::All).then_some(barrier)
    }

    fn pnl(self) -> PnlBoundsKillSwitchSettings {
        let loss = Pnl::from_str(&format!("-{MONEY}")).expect("a loss");
        let barrier =
            PnlBoundsBrokerBarrier { settlement_asset: asset("USD"), lower_bound: Some(loss), upper_bound: None };
        let of_account = PnlBoundsAccountAssetBarrier {
            barrier: barrier.clone(),
            account_id: account(),
            initial_pnl: Pnl::from_str("0").expect("nothing"),
        };
        PnlBoundsKillSwitchSettings::new([barrier], self.only_all(of_account)).expect("bounds")
    }

    fn rate(self) -> RateLimitSettings {
        let limit = RateLimit { max_orders: MANY_ORDERS, window: Duration::from_secs(1) };
        let (account_id, settlement_asset) = (account(), asset("USD"));
        let of_pair = RateLimitAccountAssetBarrier {
            limit: limit.clone(),
            account_id,
            settlement_asset: settlement_asset.clone(),
        };
        RateLimitSettings::new(
            Some(RateLimitBrokerBarrier { limit: limit.clone() }),
            self.only_all(RateLimitAssetBarrier { limit: limit.clone(), settlement_asset }),
            self.only_all(RateLimitAccountBarrier { limit, account_id }),
            self.only_all(of_pair),
        )
        .expect("rates")
    }

    fn size(self) -> OrderSizeLimitSettings {
        let most = |text| Some(Quantity::from_str(text).expect("a quantity"));
        let value = |text| Some(Volume::from_str(text).expect("a value"));
        let of_asset = |code, max_quantity, max_notional| OrderSizeAssetBarrier {
            limit: OrderSizeLimit { max_quantity, max_notional },
            asset: asset(code),
        };
        let of_pair = |code, max_quantity, max_notional| OrderSizeAccountAssetBarrier {
            limit: OrderSizeLimit { max_quantity, max_notional },
            account_id: account(),
            asset: asset(code),
        };
        let pairs = [of_pair("AAPL", most("10000"), None), of_pair("USD", None, value("10000000"))];
        OrderSizeLimitSettings::new(
            Some(OrderSizeBrokerBarrier {
                limit: OrderSizeLimit { max_quantity: most("10000"), max_notional: value("10000000") },
            }),
            [of_asset("AAPL", most("10000"), None), of_asset("USD", None, value("10000000"))],
            self.only_all(pairs).into_iter().flatten(),
        )
        .expect("sizes")
    }
}

fn spot_settings() -> SpotFundsSettings {
    let mut settings = SpotFundsSettings::new(0, SpotFundsPricingSource::Mark, []).expect("settings of spot funds");
    let limit = Quantity::from_str(MONEY).expect("a position");
    settings.set_position_limit(account(), asset("AAPL"), Some(limit));
    settings
}

/// More of both assets than all orders together need.
fn seed(engine: &LocalEngine<OrderOperation, Report, Adjustment>) {
    let half = "100000000000000";
    let adjustments = ["USD", "AAPL"].map(|code| WithAccountAdjustmentBalanceOperation {
        inner: WithAccountAdjustmentBounds {
            inner: AccountAdjustmentAmount {
                balance: Some(AdjustmentAmount::Absolute(PositionSize::from_str(half).expect("an amount"))),
                held: None,
                incoming: None,
            },
            bounds: AccountAdjustmentBounds::default(),
        },
        operation: AccountAdjustmentBalanceOperation { asset: asset(code), average_entry_price: None },
    });
    engine.apply_account_adjustment(account(), &adjustments).expect("funds");
}
