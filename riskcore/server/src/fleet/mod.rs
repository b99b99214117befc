//! The fleet: what each router says it runs, compared with the signed manifest or, without one, with the others.
//!
//! [`attestation`] is what a logon says, [`admission`] decides whether it may, [`flags`] is the registry of order flags,
//! [`matrix`] shows all of it to people. None of it is on the way of an order.

pub mod admission;
pub mod attestation;
pub mod flags;
pub mod matrix;

use std::collections::BTreeMap;

use attestation::Attributes;
use flags::Flag;

/// What happens to a router that differs from the manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Its logon is refused.
    #[default]
    Refuse,
    /// It is admitted on the limits of canaries.
    Quarantine,
}

/// What the gateway expects of its fleet. The manifest's signature has been verified before it comes here.
#[derive(Clone, Debug)]
pub struct FleetSetup {
    /// See [`Policy`].
    pub policy: Policy,
    /// What this gateway trades in, such as `prod`; a router of another environment is always refused.
    pub environment: Option<String>,
    /// There is a manifest: what follows from it is enforced.
    pub has_manifest: bool,
    /// Refuse the build of a router that a check has halted.
    pub quarantine_culprit: bool,
    /// What the manifest says of each router it names.
    pub expected: BTreeMap<String, Attributes>,
    /// The registry of order flags.
    pub flags: Vec<Flag>,
}

impl Default for FleetSetup {
    fn default() -> FleetSetup {
        FleetSetup {
            policy: Policy::Refuse,
            environment: None,
            has_manifest: false,
            quarantine_culprit: true,
            expected: BTreeMap::new(),
            flags: Vec::new(),
        }
    }
}
