//! Limits that two people have loosened for a time: what was there before comes back by itself.
//!
//! A scope without a value of its own follows the default of its kind, which may be loosened for a time itself. What is set
//! at the scope meanwhile is looser than it looks: it ends with the default's loosening, at the latest.

use crate::engine::Engine;
use crate::limits::{LimitId, LimitTarget, Setting};
use crate::units::Nanos;

/// A setting that ends.
#[derive(Clone, Copy, Debug)]
pub struct Temporary {
    /// Where.
    pub target: LimitTarget,
    /// Which.
    pub limit: LimitId,
    /// What comes back; `None`: no value of its own.
    pub before: Option<Setting>,
    /// What was in force there before anything was loosened, of its own or by default.
    pub in_force: Option<Setting>,
    /// When; `None`: when the day rolls.
    pub until: Option<Nanos>,
}

impl Temporary {
    fn is_of(&self, target: LimitTarget, limit: LimitId) -> bool {
        (self.target, self.limit) == (target, limit)
    }
}

impl Engine {
    /// Sets a limit until a time, or until the day rolls. What was in force before the first of several loosenings comes
    /// back, not a loosened value.
    pub(crate) fn put_for_a_time(
        &mut self,
        target: LimitTarget,
        limit: LimitId,
        setting: Option<Setting>,
        until: Option<Nanos>,
    ) {
        // A smaller loosening of what is loosened already is one all the same: it ends like the first.
        let temporary = match self.temporary.iter().position(|temporary| temporary.is_of(target, limit)) {
            Some(at) => Some(Temporary { until, ..self.temporary.remove(at) }),
            None if self.loosens(target, limit, setting) => {
                let (before, in_force) = (self.own_setting(target, limit), self.setting_at(target, limit));
                Some(Temporary { target, limit, before, in_force, until })
            }
            None => self.ends_with_default(target, limit, setting),
        };
        self.put_limit(target, limit, setting);
        self.temporary.extend(temporary);
    }

    /// Sets a limit for good, as far as it is no looser than what holds there when nothing is loosened.
    pub(crate) fn put_for_good(&mut self, target: LimitTarget, limit: LimitId, setting: Option<Setting>) {
        let is_temporary = self.temporary.iter().any(|temporary| temporary.is_of(target, limit));
        let temporary = if is_temporary { None } else { self.ends_with_default(target, limit, setting) };
        self.put_limit(target, limit, setting);
        self.temporary.extend(temporary);
    }

    /// A value that is tighter than the loosened default of its kind, and looser than the default there was.
    fn ends_with_default(&self, target: LimitTarget, limit: LimitId, setting: Option<Setting>) -> Option<Temporary> {
        let default = self.loosened_default(target, limit)?;
        let in_force = default.before;
        let inherits = self.own_setting(target, limit).is_none();
        let looser = in_force.zip(setting).is_some_and(|(before, setting)| setting.loosens(before));
        (inherits && looser).then_some(Temporary { target, limit, before: None, in_force, until: default.until })
    }

    /// The loosening of the default that a scope follows where it has no value of its own.
    fn loosened_default(&self, target: LimitTarget, limit: LimitId) -> Option<Temporary> {
        let LimitTarget::Scope(scope) = target else { return None };
        let default = LimitTarget::Default(scope.kind());
        self.temporary.iter().find(|temporary| temporary.is_of(default, limit)).copied()
    }

    /// What is set there itself, not what it inherits.
    fn own_setting(&self, target: LimitTarget, limit: LimitId) -> Option<Setting> {
        let LimitTarget::Scope(scope) = target else { return self.setting_at(target, limit) };
        let ix = self.state.scopes.find(scope)?;
        let limits = self.state.limits.at(ix);
        limits.is_own(limit).then(|| limits.setting(limit)).flatten()
    }

    /// Brings back what was there before the changes that have come to their end: defaults first, because what scopes go
    /// back to may be theirs.
    pub(crate) fn end_temporary(&mut self, ended: impl Fn(Option<Nanos>) -> bool) {
        for defaults in [true, false] {
            let of_turn = |temporary: &Temporary| defaults == matches!(temporary.target, LimitTarget::Default(_));
            while let Some(at) = self.temporary.iter().position(|one| of_turn(one) && ended(one.until)) {
                let temporary = self.temporary.remove(at);
                self.bring_back(temporary);
            }
        }
    }

    /// A limit that has been tightened beyond what was there stays as it is: time never loosens. A scope that goes back to a
    /// default which is loosened itself keeps, as long as that lasts, what was in force.
    fn bring_back(&mut self, ended: Temporary) {
        let Temporary { target, limit, before, in_force, .. } = ended;
        let is_window = limit.def().judges == crate::limits::Judges::Nothing;
        if is_window || !self.loosens(target, limit, before) {
            self.put_limit(target, limit, before);
        } else if before.is_none()
            && let Some(default) = self.loosened_default(target, limit)
            && !self.loosens(target, limit, in_force)
        {
            self.put_limit(target, limit, in_force);
            self.temporary.push(Temporary { until: default.until, ..ended });
        }
    }

    /// Settings that end by themselves.
    pub fn temporary(&self) -> &[Temporary] {
        &self.temporary
    }
}
