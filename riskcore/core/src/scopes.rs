//! Scopes: what a limit or a halt applies to.

use alloc::vec::Vec;
use hashbrown::HashMap;

use crate::hash::Seeded;
use crate::ids::{AccountId, RouterId, StrategyId, SymbolId};

/// The kinds of scope. The order is that of their text and wire names, not of precedence: every scope an order touches
/// is asked, and the most restrictive wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ScopeKind {
    /// The whole firm.
    Firm = 1,
    /// One account.
    Account = 2,
    /// One router.
    Router = 3,
    /// One strategy.
    Strategy = 4,
    /// One instrument, over all accounts.
    Symbol = 5,
    /// One instrument in one account.
    AccountSymbol = 6,
    /// One instrument through one router.
    RouterSymbol = 7,
}

impl ScopeKind {
    /// Every kind.
    pub const ALL: [ScopeKind; 7] = [
        ScopeKind::Firm,
        ScopeKind::Account,
        ScopeKind::Router,
        ScopeKind::Strategy,
        ScopeKind::Symbol,
        ScopeKind::AccountSymbol,
        ScopeKind::RouterSymbol,
    ];

    /// Its name in configuration, scenarios and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            ScopeKind::Firm => "firm",
            ScopeKind::Account => "account",
            ScopeKind::Router => "router",
            ScopeKind::Strategy => "strategy",
            ScopeKind::Symbol => "symbol",
            ScopeKind::AccountSymbol => "account_symbol",
            ScopeKind::RouterSymbol => "router_symbol",
        }
    }

    /// As a bit of a set of kinds.
    pub const fn bit(self) -> u8 {
        1 << (self as u8)
    }

    /// The kind of this wire number.
    pub fn from_number(n: u8) -> Option<ScopeKind> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == n)
    }
}

/// One scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The whole firm.
    Firm,
    /// One account.
    Account(AccountId),
    /// One router.
    Router(RouterId),
    /// One strategy.
    Strategy(StrategyId),
    /// One instrument, over all accounts.
    Symbol(SymbolId),
    /// One instrument in one account.
    AccountSymbol(AccountId, SymbolId),
    /// One instrument through one router.
    RouterSymbol(RouterId, SymbolId),
}

impl Scope {
    /// Its kind.
    pub fn kind(self) -> ScopeKind {
        match self {
            Scope::Firm => ScopeKind::Firm,
            Scope::Account(_) => ScopeKind::Account,
            Scope::Router(_) => ScopeKind::Router,
            Scope::Strategy(_) => ScopeKind::Strategy,
            Scope::Symbol(_) => ScopeKind::Symbol,
            Scope::AccountSymbol(..) => ScopeKind::AccountSymbol,
            Scope::RouterSymbol(..) => ScopeKind::RouterSymbol,
        }
    }

    /// Its ids, for records: the first, and the second of a pair; 0 where there is none.
    pub fn parts(self) -> (u32, u32) {
        match self {
            Scope::Firm => (0, 0),
            Scope::Account(a) => (a.0, 0),
            Scope::Router(r) => (r.0, 0),
            Scope::Strategy(s) => (s.0, 0),
            Scope::Symbol(s) => (s.0, 0),
            Scope::AccountSymbol(a, s) => (a.0, s.0),
            Scope::RouterSymbol(r, s) => (r.0, s.0),
        }
    }

    /// The scope of this kind and these ids.
    pub fn from_parts(kind: ScopeKind, a: u32, b: u32) -> Scope {
        match kind {
            ScopeKind::Firm => Scope::Firm,
            ScopeKind::Account => Scope::Account(AccountId(a)),
            ScopeKind::Router => Scope::Router(RouterId(a)),
            ScopeKind::Strategy => Scope::Strategy(StrategyId(a)),
            ScopeKind::Symbol => Scope::Symbol(SymbolId(a)),
            ScopeKind::AccountSymbol => Scope::AccountSymbol(AccountId(a), SymbolId(b)),
            ScopeKind::RouterSymbol => Scope::RouterSymbol(RouterId(a), SymbolId(b)),
        }
    }
}

/// A scope's place in the dense tables of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeIx(pub u32);

impl ScopeIx {
    /// The firm is the first scope.
    pub const FIRM: ScopeIx = ScopeIx(0);

    /// As an index.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// All scopes there are, in order of their creation. Pairs are created on first use; the others when they are defined.
pub struct ScopeIndex {
    scopes: Vec<Scope>,
    accounts: Vec<ScopeIx>,
    routers: Vec<ScopeIx>,
    strategies: Vec<ScopeIx>,
    symbols: Vec<ScopeIx>,
    /// (kind and first id, second id) of a pair.
    pairs: HashMap<(u64, u32), ScopeIx, Seeded>,
}

impl ScopeIndex {
    /// Only the firm, with room for `pairs` pairs.
    pub fn new(pairs: usize, seed: Seeded) -> ScopeIndex {
        ScopeIndex {
            scopes: alloc::vec![Scope::Firm],
            accounts: Vec::new(),
            routers: Vec::new(),
            strategies: Vec::new(),
            symbols: Vec::new(),
            pairs: HashMap::with_capacity_and_hasher(pairs, seed),
        }
    }

    /// Adds a scope that does not exist yet. Names are defined in id order, so tables stay dense.
    pub fn add(&mut self, scope: Scope) -> ScopeIx {
        let ix = ScopeIx(self.scopes.len() as u32);
        self.scopes.push(scope);
        match scope {
            Scope::Firm => {}
            Scope::Account(_) => self.accounts.push(ix),
            Scope::Router(_) => self.routers.push(ix),
            Scope::Strategy(_) => self.strategies.push(ix),
            Scope::Symbol(_) => self.symbols.push(ix),
            Scope::AccountSymbol(..) | Scope::RouterSymbol(..) => {
                self.pairs.insert(pair_key(scope), ix);
            }
        }
        ix
    }

    /// Takes back the pair that was added last; names are there for good.
    pub fn forget_last(&mut self) -> Option<Scope> {
        let scope = *self.scopes.last()?;
        self.pairs.remove(&pair_key(scope))?;
        self.scopes.pop()
    }

    /// The place of a router, if it exists.
    #[inline]
    pub fn router(&self, id: RouterId) -> Option<ScopeIx> {
        self.routers.get(id.index()).copied()
    }

    /// The place of a scope, if it exists.
    pub fn find(&self, scope: Scope) -> Option<ScopeIx> {
        match scope {
            Scope::Firm => Some(ScopeIx::FIRM),
            Scope::Account(id) => self.accounts.get(id.index()).copied(),
            Scope::Router(id) => self.router(id),
            Scope::Strategy(id) => self.strategies.get(id.index()).copied(),
            Scope::Symbol(id) => self.symbols.get(id.index()).copied(),
            Scope::AccountSymbol(..) | Scope::RouterSymbol(..) => self.pairs.get(&pair_key(scope)).copied(),
        }
    }

    /// The scope at a place.
    pub fn at(&self, ix: ScopeIx) -> Scope {
        self.scopes[ix.at()]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.scopes.len()
    }

    /// Never: the firm is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// All of them, in order of creation.
    pub fn iter(&self) -> impl Iterator<Item = (ScopeIx, Scope)> + '_ {
        self.scopes.iter().enumerate().map(|(n, scope)| (ScopeIx(n as u32), *scope))
    }

    /// Room for pairs that is left, of `capacity`.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }
}

fn pair_key(scope: Scope) -> (u64, u32) {
    let (a, b) = scope.parts();
    (u64::from(scope.kind() as u8) << 32 | u64::from(a), b)
}
