//! Limits: their catalogue entries, and the values set per scope.
//!
//! A limit is set at a scope, or as the default of a kind of scope; a scope's own value wins over its kind's default.
//! An order is measured against the limits of every scope it touches, so an inner limit can tighten an outer one and
//! never loosen it.

use alloc::vec::Vec;

use crate::checks::{LIMIT_COUNT, LIMITS, WATCHED};
use crate::halts::State as HaltState;
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

/// What a limit is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judges {
    /// Each order: a breach refuses it.
    Orders,
    /// What happens - executions, ticks, time: there is no order to refuse.
    Events,
    /// Nothing: the value tunes a check and is not itself a bound.
    Nothing,
}

/// What a breach does. The order is that of severity: a change to an earlier one loosens the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Action {
    /// It is counted, and nothing else: a new limit on trial.
    Shadow = 1,
    /// People are told; nothing is refused.
    Notify = 2,
    /// The order is refused.
    Reject = 3,
    /// The order is refused, and the scope may only reduce its position from now on.
    ReduceOnly = 4,
    /// The order is refused, and the scope takes nothing but cancels from now on.
    CancelOnly = 5,
    /// The order is refused, and the scope is halted.
    Halt = 6,
}

impl Action {
    /// Every action, by severity.
    pub const ALL: [Action; 6] =
        [Action::Shadow, Action::Notify, Action::Reject, Action::ReduceOnly, Action::CancelOnly, Action::Halt];

    /// Its name in configuration, scenarios and the catalogue.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Shadow => "shadow",
            Action::Notify => "notify",
            Action::Reject => "reject",
            Action::ReduceOnly => "reduce_only",
            Action::CancelOnly => "cancel_only",
            Action::Halt => "halt",
        }
    }

    /// The action of this name.
    pub fn by_name(name: &str) -> Option<Action> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The action of this number.
    pub fn from_number(n: u8) -> Option<Action> {
        Self::ALL.into_iter().find(|action| *action as u8 == n)
    }

    /// Whether a breach stops anything.
    pub fn blocks(self) -> bool {
        self >= Action::Reject
    }

    /// The state it puts the scope in.
    pub fn halts(self) -> Option<HaltState> {
        match self {
            Action::Shadow | Action::Notify | Action::Reject => None,
            Action::ReduceOnly => Some(HaltState::ReduceOnly),
            Action::CancelOnly => Some(HaltState::CancelOnly),
            Action::Halt => Some(HaltState::Halted),
        }
    }
}

/// A limit's value at a scope, and what its breach does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The value, in the limit's unit.
    pub value: i128,
    /// What a breach does.
    pub action: Action,
    /// Two people may let an order pass it (an override). A hard limit knows no override.
    pub soft: bool,
}

impl Setting {
    /// A hard limit with the action of its definition.
    pub fn of(limit: LimitId, value: i128) -> Setting {
        Setting { value, action: limit.def().action, soft: false }
    }

    /// Whether it lets through, or overrides, what `old` stops. What stops nothing cannot be loosened.
    pub fn loosens(self, old: Setting) -> bool {
        old.action.blocks() && (self.value > old.value || self.action < old.action || self.soft && !old.soft)
    }
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
    /// What it is held against.
    pub judges: Judges,
    /// What a breach does unless a setting says otherwise. Of no meaning where it judges nothing.
    pub action: Action,
    /// What it bounds, inclusively.
    pub doc: &'static str,
}

impl LimitDef {
    /// Whether a setting may have this action: where there is no order there is nothing to refuse.
    pub fn allows(&self, action: Action) -> bool {
        match self.judges {
            Judges::Orders => true,
            Judges::Events => action != Action::Reject,
            Judges::Nothing => action == self.action,
        }
    }
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
    present: u128,
    own: u128,
    /// Those whose breach stops nothing: on trial.
    trial: u128,
    soft: u128,
    values: [i128; LIMIT_COUNT],
    actions: [Action; LIMIT_COUNT],
}

const _: () = assert!(LIMIT_COUNT <= 128, "limits are kept as bits of a u128");

impl Default for ScopeLimits {
    fn default() -> ScopeLimits {
        let actions = core::array::from_fn(|n| LIMITS[n].action);
        ScopeLimits { present: 0, own: 0, trial: 0, soft: 0, values: [0; LIMIT_COUNT], actions }
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

    /// What its breach does.
    #[inline]
    pub fn action(&self, id: LimitId) -> Action {
        self.actions[usize::from(id.0)]
    }

    /// The value in force with its action.
    pub fn setting(&self, id: LimitId) -> Option<Setting> {
        let soft = self.soft >> id.0 & 1 == 1;
        self.get(id).map(|value| Setting { value, action: self.action(id), soft })
    }

    /// The value of a limit whose breach stops something here.
    #[inline]
    pub fn blocks(&self, id: LimitId) -> Option<i128> {
        self.get(id).filter(|_| self.trial >> id.0 & 1 == 0)
    }

    /// Whether an event can break one of them.
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.present & WATCHED != 0
    }

    /// The limits whose breach stops something, as bits.
    pub fn blocking(&self) -> u128 {
        self.present & !self.trial
    }

    /// The limits whose breach is only told or counted, as bits.
    pub fn on_trial(&self) -> u128 {
        self.present & self.trial
    }

    fn put(&mut self, id: LimitId, setting: Option<Setting>) {
        let bit = 1 << id.0;
        let put = |bits: u128, on: bool| if on { bits | bit } else { bits & !bit };
        self.present = put(self.present, setting.is_some());
        self.trial = put(self.trial, setting.is_some_and(|setting| !setting.action.blocks()));
        self.soft = put(self.soft, setting.is_some_and(|setting| setting.soft));
        let setting = setting.unwrap_or(Setting::of(id, 0));
        self.values[usize::from(id.0)] = setting.value;
        self.actions[usize::from(id.0)] = setting.action;
    }

    /// Whether the value was set here and not inherited from the kind's default.
    pub fn is_own(&self, id: LimitId) -> bool {
        self.own >> id.0 & 1 == 1
    }
}

/// The limits of a set of bits, in catalogue order.
pub fn each(mut bits: u128) -> impl Iterator<Item = LimitId> {
    core::iter::from_fn(move || {
        let id = (bits != 0).then(|| LimitId(bits.trailing_zeros() as u16))?;
        bits &= bits - 1;
        Some(id)
    })
}

/// One set per kind of scope, its defaults; scopes without values of their own share it.
const KINDS: usize = ScopeKind::ALL.len() + 1;

/// All limits in force.
pub struct Limits {
    /// The defaults by kind, then one for each scope that has, or had, values of its own.
    sets: Vec<ScopeLimits>,
    /// Per scope: which of them is in force.
    of_scope: Vec<u32>,
    required: [u128; KINDS],
    /// Rises by one with every change.
    pub version: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        let mut required = [0; KINDS];
        for (n, def) in LIMITS.iter().enumerate() {
            for kind in ScopeKind::ALL {
                if def.required_at & kind.bit() != 0 {
                    required[kind as usize] |= 1 << n;
                }
            }
        }
        Limits { sets: alloc::vec![ScopeLimits::default(); KINDS], of_scope: Vec::new(), required, version: 0 }
    }
}

impl Limits {
    /// A new scope starts with its kind's defaults.
    pub fn add_scope(&mut self, kind: ScopeKind) {
        self.of_scope.push(kind as u32);
    }

    /// Forgets the scopes added last, down to this many; none of them has values of its own.
    pub fn truncate(&mut self, scopes: usize) {
        self.of_scope.truncate(scopes);
    }

    /// The values at a scope.
    #[inline]
    pub fn at(&self, ix: ScopeIx) -> &ScopeLimits {
        &self.sets[self.of_scope[ix.at()] as usize]
    }

    /// Which set of values is in force at a scope: scopes with the same number have the same values.
    pub fn set_of(&self, ix: ScopeIx) -> u32 {
        self.of_scope[ix.at()]
    }

    /// The defaults of a kind.
    pub fn defaults(&self, kind: ScopeKind) -> &ScopeLimits {
        &self.sets[kind as usize]
    }

    /// The first limit that is required at this kind of scope and set, so that its breach stops something, neither here nor
    /// as its default.
    #[inline]
    pub fn missing(&self, ix: ScopeIx, kind: ScopeKind) -> Option<LimitId> {
        let missing = self.required[kind as usize] & !self.at(ix).blocking();
        (missing != 0).then(|| LimitId(missing.trailing_zeros() as u16))
    }

    /// Sets or removes a scope's own value.
    pub fn set(&mut self, ix: ScopeIx, kind: ScopeKind, id: LimitId, setting: Option<Setting>) {
        let inherited = self.defaults(kind).setting(id);
        let limits = self.own_set(ix);
        let bit = 1 << id.0;
        limits.own = if setting.is_some() { limits.own | bit } else { limits.own & !bit };
        limits.put(id, setting.or(inherited));
        self.version += 1;
    }

    /// The set of one scope alone.
    fn own_set(&mut self, ix: ScopeIx) -> &mut ScopeLimits {
        let mut at = self.of_scope[ix.at()] as usize;
        if at < KINDS {
            let shared = self.sets[at].clone();
            at = self.sets.len();
            self.sets.push(shared);
            self.of_scope[ix.at()] = at as u32;
        }
        &mut self.sets[at]
    }

    /// Sets or removes a kind's default, and with it the value of every scope of the kind that has none of its own.
    pub fn set_default(
        &mut self,
        kind: ScopeKind,
        id: LimitId,
        setting: Option<Setting>,
        scopes: impl Iterator<Item = (ScopeIx, Scope)>,
    ) {
        self.sets[kind as usize].put(id, setting);
        for (ix, _) in scopes.filter(|(_, scope)| scope.kind() == kind) {
            let at = self.of_scope[ix.at()] as usize;
            if at >= KINDS && !self.sets[at].is_own(id) {
                self.sets[at].put(id, setting);
            }
        }
        self.version += 1;
    }
}
