//! Overrides: two people let an order, or all orders until a time, pass a soft limit up to a value they name.
//!
//! Source: RTS 6 Art. 15(6) - for a specific order, temporary, in exceptional circumstances, verified by the risk function
//! and authorised by a designated person. A hard limit knows no override: it is loosened, which is another act (`people.rs`).

use alloc::string::String;
use alloc::vec::Vec;

use crate::candidate::Candidate;
use crate::checks::Breach;
use crate::engine::Engine;
use crate::ids::{ClOrdId, RouterId};
use crate::limits::LimitId;
use crate::scopes::ScopeIx;
use crate::units::Nanos;

/// One override in force.
#[derive(Clone, Debug)]
pub struct Override {
    /// The proposal it came from.
    pub id: u64,
    /// Where the limit is set.
    pub ix: ScopeIx,
    /// Which.
    pub limit: LimitId,
    /// The largest value that passes while it is in force.
    pub up_to: i128,
    /// Only this order.
    pub order: Option<(RouterId, ClOrdId)>,
    /// When it lapses.
    pub until: Nanos,
    /// Who proposed it, and who approved.
    pub people: (String, String),
    /// Orders it has let pass.
    pub used: u64,
}

/// All overrides in force.
#[derive(Default)]
pub struct Overrides {
    list: Vec<Override>,
}

impl Overrides {
    /// Adds one.
    pub fn add(&mut self, granted: Override) {
        self.list.push(granted);
    }

    /// Each of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Override> + '_ {
        self.list.iter()
    }

    /// Takes away what has lapsed.
    pub fn expire(&mut self, now: Nanos) {
        if !self.list.is_empty() {
            self.list.retain(|granted| granted.until > now);
        }
    }

    /// The order was accepted: an override for it alone is used up.
    #[inline(always)]
    pub fn used(&mut self, router: RouterId, cl_ord_id: &ClOrdId) {
        if !self.list.is_empty() {
            self.list.retain(|granted| granted.order != Some((router, *cl_ord_id)));
        }
    }

    /// A new day.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// The place of the one that covers what an order was refused for.
    fn covering(&self, now: Nanos, order: (RouterId, ClOrdId), breach: &Breach) -> Option<usize> {
        let by = breach.by?;
        self.list.iter().position(|granted| {
            (granted.ix, granted.limit) == by
                && breach.measured <= granted.up_to
                && granted.until > now
                && granted.order.is_none_or(|only| only == order)
        })
    }
}

impl Engine {
    /// Whether two people have allowed what a soft limit refuses. If so the order is held against it no more.
    #[inline]
    pub(crate) fn overridden(&mut self, candidate: &mut Candidate, cl_ord_id: ClOrdId, breach: &Breach) -> bool {
        if self.overrides.list.is_empty() { false } else { self.override_applies(candidate, cl_ord_id, breach) }
    }

    #[cold]
    fn override_applies(&mut self, candidate: &mut Candidate, cl_ord_id: ClOrdId, breach: &Breach) -> bool {
        let Some(granted) = self.waived(candidate, cl_ord_id, breach) else { return false };
        self.overrides.list[granted].used += 1;
        true
    }

    /// The place of the override that lets the order pass what refuses it; from now on it is not held against that.
    pub(crate) fn waived(&self, candidate: &mut Candidate, cl_ord_id: ClOrdId, breach: &Breach) -> Option<usize> {
        let (ix, limit) = breach.by?;
        // It may have been made hard since.
        self.state.limits.at(ix).setting(limit).filter(|setting| setting.soft)?;
        let place = candidate.touched.iter().position(|touched| touched == ix)?;
        let granted = self.overrides.covering(self.state.now, (candidate.router, cl_ord_id), breach)?;
        candidate.bounds.waive(limit, place);
        Some(granted)
    }

    /// What people have allowed to pass soft limits, and is still in force.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }
}
