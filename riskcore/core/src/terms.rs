//! What a router says of an order, in numbers: the same under the same id is a resend, anything else a re-use of the id.

use core::hash::{BuildHasher, Hasher};

use crate::events::{NewOrder, OrdType, Side, TimeInForce};
use crate::hash::Seeded;
use crate::orders::Order;
use crate::units::{Price, Qty};

/// All that is said of an order but its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms([u64; 6]);

impl Terms {
    /// As sent. A name that is not known is as good as none.
    pub fn sent(order: &NewOrder) -> Terms {
        let names = [
            order.account.known().map(|id| id.0),
            order.symbol.known().map(|id| id.0),
            order.strategy.known().map(|id| id.0),
            order.parent.known().map(|id| id.0),
        ];
        Terms::of(names, (order.side, order.ord_type, order.tif), (order.qty, order.price), order.flags)
    }

    /// As they are now.
    pub fn now(order: &Order) -> Terms {
        let strategy = order.strategy.map(|id| id.0);
        let names = [Some(order.account.0), Some(order.symbol.0), strategy, order.parent.map(|id| id.0)];
        Terms::of(names, (order.side, order.ord_type, order.tif), (order.qty, order.price), order.flags)
    }

    fn of(
        names: [Option<u32>; 4],
        (side, ord_type, tif): (Side, OrdType, TimeInForce),
        (qty, price): (Qty, Option<Price>),
        flags: u64,
    ) -> Terms {
        let [account, symbol, strategy, parent] = names.map(|id| u64::from(id.unwrap_or(u32::MAX)));
        let tif = match tif {
            TimeInForce::Day => 0,
            TimeInForce::GoodTillCancel => 1,
            TimeInForce::AtTheOpening => 2,
            TimeInForce::ImmediateOrCancel => 3,
            TimeInForce::FillOrKill => 4,
        };
        Terms([
            account << 32 | symbol,
            strategy << 32 | parent,
            side as u64 | (ord_type as u64) << 8 | tif << 16,
            qty.0 as u64,
            price.map_or(u64::MAX, |price| price.0 as u64),
            flags,
        ])
    }

    /// In one number, for when they are no more.
    pub fn hash(&self) -> u64 {
        let mut hasher = Seeded(0).build_hasher();
        self.0.into_iter().for_each(|word| hasher.write_u64(word));
        hasher.finish()
    }
}
