//! Limits that two people have loosened for a time: what was there before comes back by itself.

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
    /// When; `None`: when the day rolls.
    pub until: Option<Nanos>,
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
        let same = |temporary: &Temporary| (temporary.target, temporary.limit) == (target, limit);
        // A smaller loosening of what is loosened already is one all the same: it ends like the first.
        let (before, loosened) = match self.temporary.iter().position(same) {
            Some(at) => (self.temporary.remove(at).before, true),
            None => (self.own_setting(target, limit), self.loosens(target, limit, setting)),
        };
        self.put_limit(target, limit, setting);
        if loosened {
            self.temporary.push(Temporary { target, limit, before, until });
        }
    }

    /// What is set there itself, not what it inherits.
    fn own_setting(&self, target: LimitTarget, limit: LimitId) -> Option<Setting> {
        let LimitTarget::Scope(scope) = target else { return self.setting_at(target, limit) };
        let ix = self.state.scopes.find(scope)?;
        let limits = self.state.limits.at(ix);
        limits.is_own(limit).then(|| limits.setting(limit)).flatten()
    }

    /// Brings back what was there before the changes that have come to their end. A limit that has been tightened beyond it
    /// since stays as it is: time never loosens.
    pub(crate) fn end_temporary(&mut self, ended: impl Fn(Option<Nanos>) -> bool) {
        let mut n = 0;
        while n < self.temporary.len() {
            if !ended(self.temporary[n].until) {
                n += 1;
                continue;
            }
            let Temporary { target, limit, before, .. } = self.temporary.remove(n);
            let is_window = limit.def().judges == crate::limits::Judges::Nothing;
            if is_window || !self.loosens(target, limit, before) {
                self.put_limit(target, limit, before);
            }
        }
    }

    /// Settings that end by themselves.
    pub fn temporary(&self) -> &[Temporary] {
        &self.temporary
    }
}
