//! Findings: what a person should look at, each one once. Repeated occurrences fold into the finding and make it grow.
//!
//! A finding only tells. It refuses nothing and halts nothing; an unacknowledged loud one keeps the readiness gate red.

use alloc::string::String;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::divergence::Signal;
use super::first_seen::Seen;
use crate::hash::FoldHasher;
use crate::ids::RouterId;
use crate::reasons::{OTHER, Reason, reasons};
use crate::units::Nanos;

reasons! { REASONS:
    UNKNOWN_FINDING = 980, OTHER, "No such finding: it never was, or a newer one has taken its place.";
    FINDING_ACKNOWLEDGED = 981, OTHER, "The finding was acknowledged before; `riskgate findings` shows by whom.";
}

/// Findings held at once. When they are full, acknowledged ones make room first, then quiet ones.
pub const MAX_FINDINGS: usize = 256;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Something that the fleet does not show.
    FirstSeen(Seen),
    /// A router that differs from its peers.
    Divergence {
        /// In what.
        signal: Signal,
        /// Its value when it was largest, in the signal's unit.
        value: i64,
        /// The median of its peers then.
        peers: i64,
    },
}

/// A person has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Who.
    pub principal: String,
    /// What they found.
    pub text: String,
    /// When.
    pub time: Nanos,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its number, from 1.
    pub id: u64,
    /// What it is about.
    pub about: About,
    /// The router that shows it most.
    pub router: RouterId,
    /// Occurrences at that router.
    pub count: u64,
    /// Occurrences at all routers.
    pub total: u64,
    /// The first occurrence.
    pub first: Nanos,
    /// The last one.
    pub last: Nanos,
    /// It should be looked at now; a quiet one is for the record.
    pub loud: bool,
    /// At least half of the fleet shows it by now.
    pub common: bool,
    /// Who has looked.
    pub acknowledged: Option<Acknowledged>,
}

impl Finding {
    /// Whether nobody has looked yet.
    pub fn is_open(&self) -> bool {
        self.acknowledged.is_none()
    }

    /// Whether it should be looked at now.
    pub fn is_pressing(&self) -> bool {
        self.loud && self.is_open()
    }
}

/// All findings, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    last_id: u64,
    /// Findings there was no room for.
    lost: u64,
}

impl Findings {
    /// Adds a finding under the next number; `None` if there is no room among open loud ones.
    pub fn open(&mut self, finding: Finding) -> Option<u64> {
        if self.list.len() >= MAX_FINDINGS && !self.make_room() {
            self.lost += 1;
            return None;
        }
        self.last_id += 1;
        self.list.push(Finding { id: self.last_id, ..finding });
        Some(self.last_id)
    }

    fn make_room(&mut self) -> bool {
        let oldest = |list: &[Finding], dispensable: fn(&Finding) -> bool| list.iter().position(dispensable);
        let at = oldest(&self.list, |finding| !finding.is_open()).or_else(|| oldest(&self.list, |f| !f.loud));
        if let Some(at) = at {
            self.list.remove(at);
        }
        at.is_some()
    }

    /// A finding.
    pub fn get(&self, id: u64) -> Option<&Finding> {
        self.place(id).map(|at| &self.list[at])
    }

    /// A finding, to make it grow.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut Finding> {
        self.place(id).map(|at| &mut self.list[at])
    }

    /// Numbers only rise along the list.
    fn place(&self, id: u64) -> Option<usize> {
        self.list.binary_search_by_key(&id, |finding| finding.id).ok()
    }

    /// A person has looked at a finding.
    pub fn acknowledge(&mut self, id: u64, by: Acknowledged) -> Result<(), Reason> {
        let finding = self.get_mut(id).ok_or(&UNKNOWN_FINDING)?;
        if !finding.is_open() {
            return Err(&FINDING_ACKNOWLEDGED);
        }
        finding.acknowledged = Some(by);
        Ok(())
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Finding> + '_ {
        self.list.iter()
    }

    /// Whether somebody should look now.
    pub fn any_pressing(&self) -> bool {
        self.list.iter().any(Finding::is_pressing)
    }

    /// Findings there was no room for.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// What was looked at yesterday is not shown today.
    pub(super) fn day_roll(&mut self) {
        self.list.retain(Finding::is_open);
    }

    pub(super) fn digest(&self, hasher: &mut FoldHasher) {
        for finding in &self.list {
            hasher.write_u64(finding.id);
            hasher.write_u64(finding.count);
            hasher.write_u8(u8::from(finding.is_pressing()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(loud: bool) -> Finding {
        Finding {
            id: 0,
            about: About::FirstSeen(Seen::Flag(3)),
            router: RouterId(0),
            count: 1,
            total: 1,
            first: Nanos(0),
            last: Nanos(0),
            loud,
            common: false,
            acknowledged: None,
        }
    }

    fn by(principal: &str) -> Acknowledged {
        Acknowledged { principal: principal.into(), text: "seen".into(), time: Nanos(1) }
    }

    #[test]
    fn acknowledged_findings_make_room_first_then_quiet_ones_never_open_loud_ones() {
        let mut findings = Findings::default();
        for n in 0..MAX_FINDINGS {
            findings.open(finding(n != 7));
        }
        findings.acknowledge(4, by("alice")).unwrap();
        let ids = |findings: &Findings| findings.iter().map(|finding| finding.id).collect::<Vec<_>>();

        assert_eq!(Some(257), findings.open(finding(true)));
        assert!(!ids(&findings).contains(&4));
        assert_eq!(Some(258), findings.open(finding(true)));
        assert!(!ids(&findings).contains(&8), "the quiet one");
        assert_eq!(None, findings.open(finding(true)));
        assert_eq!((MAX_FINDINGS, 1), (ids(&findings).len(), findings.lost()));
    }

    #[test]
    fn a_finding_is_acknowledged_once() {
        let mut findings = Findings::default();
        let id = findings.open(finding(true)).unwrap();
        assert!(findings.any_pressing());

        assert_eq!(Ok(()), findings.acknowledge(id, by("alice")));
        assert_eq!(Err(&FINDING_ACKNOWLEDGED), findings.acknowledge(id, by("bob")));
        assert_eq!(Err(&UNKNOWN_FINDING), findings.acknowledge(id + 1, by("bob")));
        assert!(!findings.any_pressing());
    }
}
