//! Names to ids and back. Accounts, routers, strategies and symbols come from configuration only; an unknown name is a
//! reject, never a new id. Only what a venue says gets ids as it is heard, so many and no more.

use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::HashMap;

use crate::events::NameKind;
use crate::hash::Seeded;
use crate::ids::{AccountId, CurrencyId, Ref, RouterId, SecurityGroupId, StrategyId, SymbolId, VenueTextId};

/// Words of the venue that get an id of their own.
pub const MAX_VENUE_TEXTS: usize = 256;

/// Groups of instruments: each is a bit of a mask.
pub const MAX_SECURITY_GROUPS: usize = 64;

/// The names of one kind.
pub struct NameTable {
    names: Vec<String>,
    ids: HashMap<String, u32, Seeded>,
}

impl NameTable {
    fn new(seed: Seeded) -> NameTable {
        NameTable { names: Vec::new(), ids: HashMap::with_hasher(seed) }
    }

    fn add(&mut self, name: &str) -> Option<u32> {
        if name.is_empty() || self.ids.contains_key(name) {
            return None;
        }
        let id = u32::try_from(self.names.len()).ok()?;
        self.names.push(name.into());
        self.ids.insert(name.into(), id);
        Some(id)
    }

    /// The id of a name.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// The name of an id; empty if there is none.
    pub fn name(&self, id: u32) -> &str {
        self.names.get(id as usize).map_or("", String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// All names.
pub struct Names {
    /// Accounts.
    pub accounts: NameTable,
    /// Routers.
    pub routers: NameTable,
    /// Words of the venue, as they were first heard.
    pub venue_texts: NameTable,
    /// Strategies.
    pub strategies: NameTable,
    /// Symbols.
    pub symbols: NameTable,
    /// Groups of instruments.
    pub security_groups: NameTable,
    /// Currencies other than the base currency.
    pub currencies: NameTable,
}

impl Names {
    /// No names yet.
    pub fn new(seed: Seeded) -> Names {
        Names {
            accounts: NameTable::new(seed),
            routers: NameTable::new(seed),
            venue_texts: NameTable::new(seed),
            strategies: NameTable::new(seed),
            symbols: NameTable::new(seed),
            security_groups: NameTable::new(seed),
            currencies: NameTable::new(seed),
        }
    }

    /// Gives a name the next id of its kind; `None` if it is empty or taken.
    pub fn define(&mut self, kind: NameKind, name: &str) -> Option<u32> {
        match kind {
            NameKind::Account => self.accounts.add(name),
            NameKind::Router => self.routers.add(name),
            NameKind::Strategy => self.strategies.add(name),
            NameKind::Symbol => self.symbols.add(name),
            NameKind::Currency => self.currencies.add(name),
            NameKind::VenueText if self.venue_texts.len() < MAX_VENUE_TEXTS => self.venue_texts.add(name),
            NameKind::SecurityGroup if self.security_groups.len() < MAX_SECURITY_GROUPS => {
                self.security_groups.add(name)
            }
            NameKind::VenueText | NameKind::SecurityGroup => None,
        }
    }

    /// The account a message names.
    pub fn account(&self, name: &str) -> Ref<AccountId> {
        resolve(&self.accounts, name, AccountId)
    }

    /// The router a message names.
    pub fn router(&self, name: &str) -> Ref<RouterId> {
        resolve(&self.routers, name, RouterId)
    }

    /// The strategy a message names.
    pub fn strategy(&self, name: &str) -> Ref<StrategyId> {
        resolve(&self.strategies, name, StrategyId)
    }

    /// The words a venue gave.
    pub fn venue_text(&self, words: &str) -> Ref<VenueTextId> {
        resolve(&self.venue_texts, words, VenueTextId)
    }

    /// The group of instruments that the configuration names.
    pub fn security_group(&self, name: &str) -> Ref<SecurityGroupId> {
        resolve(&self.security_groups, name, SecurityGroupId)
    }

    /// The currency a rate is of.
    pub fn currency(&self, name: &str) -> Ref<CurrencyId> {
        resolve(&self.currencies, name, CurrencyId)
    }

    /// The symbol a message names.
    pub fn symbol(&self, name: &str) -> Ref<SymbolId> {
        resolve(&self.symbols, name, SymbolId)
    }
}

fn resolve<T>(table: &NameTable, name: &str, id: impl Fn(u32) -> T) -> Ref<T> {
    if name.is_empty() {
        return Ref::Absent;
    }
    table.find(name).map_or(Ref::Unknown, |n| Ref::Known(id(n)))
}
