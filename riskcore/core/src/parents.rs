//! Parent orders: how much the fleet may buy or sell for each client order. The quantity comes from the OMS, never from
//! a router; what is filled comes from execution reports the gateway sees itself (rules.md, K1).

use alloc::vec::Vec;
use hashbrown::HashMap;

use crate::events::Side;
use crate::hash::Seeded;
use crate::ids::{AccountId, ClOrdId, ParentId, SymbolId};
use crate::units::Qty;

/// One parent.
#[derive(Clone, Debug)]
pub struct Parent {
    /// Its id at the OMS.
    pub name: ClOrdId,
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub symbol: SymbolId,
    /// Side.
    pub side: Side,
    /// Total quantity.
    pub qty: Qty,
    /// Filled, over all its children.
    pub cum: Qty,
    /// What its children may still fill.
    pub leaves: Qty,
    /// Children that were accepted, however they ended.
    pub children: u32,
    /// The OMS said: no further child.
    pub closed: bool,
    /// Amended below what is filled or resting: no further child until amended up.
    pub frozen: bool,
}

impl Parent {
    /// What a further child may ask for.
    pub fn headroom(&self) -> i128 {
        i128::from(self.qty.0) - i128::from(self.cum.0) - i128::from(self.leaves.0)
    }
}

/// All parents of the day.
pub struct Parents {
    list: Vec<Parent>,
    ids: HashMap<ClOrdId, ParentId, Seeded>,
    capacity: usize,
}

impl Parents {
    /// Room for `capacity` parents.
    pub fn new(capacity: usize, seed: Seeded) -> Parents {
        Parents { list: Vec::new(), ids: HashMap::with_hasher(seed), capacity }
    }

    /// Adds a parent; `None` when full. The name must be new.
    pub fn add(&mut self, parent: Parent) -> Option<ParentId> {
        if self.list.len() >= self.capacity {
            return None;
        }
        let id = ParentId(u32::try_from(self.list.len()).ok()?);
        self.ids.insert(parent.name, id);
        self.list.push(parent);
        Some(id)
    }

    /// The id of a name.
    pub fn find(&self, name: ClOrdId) -> Option<ParentId> {
        self.ids.get(&name).copied()
    }

    /// A parent.
    pub fn get(&self, id: ParentId) -> Option<&Parent> {
        self.list.get(id.index())
    }

    /// A parent, to change it.
    pub fn get_mut(&mut self, id: ParentId) -> Option<&mut Parent> {
        self.list.get_mut(id.index())
    }

    /// All of them, in order of registration.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Parent> + '_ {
        self.list.iter()
    }

    /// A new day begins without parents.
    pub fn clear(&mut self) {
        self.list.clear();
        self.ids.clear();
    }
}
