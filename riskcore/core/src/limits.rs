//! Limits: their catalogue entries, and the values set per scope.
//!
//! A limit is set at a scope, or as the default of a kind of scope; a scope's own value wins over its kind's default.
//! An order is measured against the limits of every scope it touches, so an inner limit can tighten an outer one and
//! never loosen it.

use alloc::vec::Vec;

use crate::checks::{LIMIT_COUNT, LIMITS};
use crate::outcome::Unit;
use crate::scopes::{Scope, ScopeIx, ScopeKind};

/// A limit's place in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LimitId(pub u16);

impl LimitId {
    /// Its definition.
    pub fn def(self) -> &'static LimitDef {
        LIMITS[usize::from(self.0)]
    }

    /// The limit of this name.
    pub fn by_name(name: &str) -> Option<LimitId> {
        LIMITS.iter().position(|def| def.name == name).map(|n| LimitId(n as u16))
    }

    /// The limit of this stable code.
    pub fn by_code(code: u16) -> Option<LimitId> {
        LIMITS.iter().position(|def| def.code == code).map(|n| LimitId(n as u16))
    }
}

/// What a breach does, beyond refusing the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing more.
    Reject,
    /// The scope is halted.
    Halt,
    /// The value tunes a check and is not itself a bound.
    Parameter,
}

/// A catalogue entry.
#[derive(Debug, PartialEq, Eq)]
pub struct LimitDef {
    /// Stable number, for records.
    pub code: u16,
    /// Name in configuration, scenarios and metrics.
    pub name: &'static str,
    /// What its value counts.
    pub unit: Unit,
    /// Kinds of scope it can be set at, as bits (`ScopeKind::bit`).
    pub settable_at: u8,
    /// Kinds of scope where an order is refused while it is not set.
    pub required_at: u8,
    /// The smallest value that makes sense.
    pub min: i128,
    /// What a breach does.
    pub action: Action,
    /// What it bounds, inclusively.
    pub doc: &'static str,
}

/// A set of scope kinds, as bits.
pub const fn kinds(list: &[ScopeKind]) -> u8 {
    let mut bits = 0;
    let mut n = 0;
    while n < list.len() {
        bits |= list[n].bit();
        n += 1;
    }
    bits
}

/// Where a limit is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitTarget {
    /// At one scope.
    Scope(Scope),
    /// As the default of a kind.
    Default(ScopeKind),
}

impl LimitTarget {
    /// The kind of scope concerned.
    pub fn kind(self) -> ScopeKind {
        match self {
            LimitTarget::Scope(scope) => scope.kind(),
            LimitTarget::Default(kind) => kind,
        }
    }
}

/// The values in force at one scope.
#[derive(Clone, Debug)]
pub struct ScopeLimits {
    present: u64,
    own: u64,
    values: [i128; LIMIT_COUNT],
}

const _: () = assert!(LIMIT_COUNT <= 64, "limits are kept as bits of a u64");

impl Default for ScopeLimits {
    fn default() -> ScopeLimits {
        ScopeLimits { present: 0, own: 0, values: [0; LIMIT_COUNT] }
    }
}

impl ScopeLimits {
    /// The value in force, or `None` if the limit is not set.
    #[inline]
    pub fn get(&self, id: LimitId) -> Option<i128> {
        (self.present >> id.0 & 1 == 1).then(|| self.values[usize::from(id.0)])
    }

    /// The value of a limit that is known to be set (`Bounds::places`); spares the cache line that says so.
    #[inline]
    pub fn value(&self, id: LimitId) -> i128 {
        self.values[usize::from(id.0)]
    }

    fn put(&mut self, id: LimitId, value: Option<i128>) {
        let bit = 1 << id.0;
        self.values[usize::from(id.0)] = value.unwrap_or(0);
        self.present = if value.is_some() { self.present | bit } else { self.present & !bit };
    }

    /// Whether the value was set here and not inherited from the kind's default.
    pub fn is_own(&self, id: LimitId) -> bool {
        self.own >> id.0 & 1 == 1
    }
}

/// All limits in force.
pub struct Limits {
    scopes: Vec<ScopeLimits>,
    defaults: [ScopeLimits; ScopeKind::ALL.len() + 1],
    required: [u64; ScopeKind::ALL.len() + 1],
    /// Rises by one with every change.
    pub version: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        let mut required = [0; ScopeKind::ALL.len() + 1];
        for (n, def) in LIMITS.iter().enumerate() {
            for kind in ScopeKind::ALL {
                if def.required_at & kind.bit() != 0 {
                    required[kind as usize] |= 1 << n;
                }
            }
        }
        Limits { scopes: Vec::new(), defaults: Default::default(), required, version: 0 }
    }
}

impl Limits {
    /// A new scope starts with its kind's defaults.
    pub fn add_scope(&mut self, kind: ScopeKind) {
        self.scopes.push(ScopeLimits { own: 0, ..self.defaults[kind as usize].clone() });
    }

    /// The values at a scope.
    #[inline]
    pub fn at(&self, ix: ScopeIx) -> &ScopeLimits {
        &self.scopes[ix.at()]
    }

    /// The defaults of a kind.
    pub fn defaults(&self, kind: ScopeKind) -> &ScopeLimits {
        &self.defaults[kind as usize]
    }

    /// The first limit that is required at this kind of scope and set neither here nor as its default.
    #[inline]
    pub fn missing(&self, ix: ScopeIx, kind: ScopeKind) -> Option<LimitId> {
        let missing = self.required[kind as usize] & !self.scopes[ix.at()].present;
        (missing != 0).then(|| LimitId(missing.trailing_zeros() as u16))
    }

    /// Sets or removes a scope's own value.
    pub fn set(&mut self, ix: ScopeIx, kind: ScopeKind, id: LimitId, value: Option<i128>) {
        let inherited = self.defaults[kind as usize].get(id);
        let limits = &mut self.scopes[ix.at()];
        let bit = 1 << id.0;
        limits.own = if value.is_some() { limits.own | bit } else { limits.own & !bit };
        limits.put(id, value.or(inherited));
        self.version += 1;
    }

    /// Sets or removes a kind's default, and with it the value of every scope of the kind that has none of its own.
    pub fn set_default(
        &mut self,
        kind: ScopeKind,
        id: LimitId,
        value: Option<i128>,
        scopes: impl Iterator<Item = (ScopeIx, Scope)>,
    ) {
        self.defaults[kind as usize].put(id, value);
        for (ix, scope) in scopes {
            let limits = &mut self.scopes[ix.at()];
            if scope.kind() == kind && !limits.is_own(id) {
                limits.put(id, value);
            }
        }
        self.version += 1;
    }
}
