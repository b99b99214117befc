//! The registry of order flags: which bit means what, in which version, and who reads it.
//!
//! Knight gave a bit that had meant Power Peg to the retail liquidity program, and one of eight servers still ran the
//! code that knew the old meaning (SEC 34-70694, paragraphs 13-16).

use riskcore::events::FlagRegistry;

use crate::fleet::attestation::Attestation;

/// One meaning of one bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// 0 to 63.
    pub bit: u32,
    /// Name.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// Who answers for it.
    pub owner: String,
    /// It has no meaning any more.
    pub retired: bool,
    /// Programs that read it.
    pub readers: Vec<String>,
}

impl Flag {
    fn mask(&self) -> u64 {
        1_u64.checked_shl(self.bit).unwrap_or(0)
    }
}

/// What the core needs of the registry: a bit with a meaning today is in use, whatever it meant before.
pub fn registry(flags: &[Flag]) -> FlagRegistry {
    let mask = |retired| flags.iter().filter(|flag| flag.retired == retired).fold(0, |mask, flag| mask | flag.mask());
    let registered = mask(false);
    FlagRegistry { registered, retired: mask(true) & !registered }
}

/// The bits whose meaning a build knows: in the very version of the registry.
pub fn known(flags: &[Flag], attestation: &Attestation) -> u64 {
    let knows = |flag: &&Flag| !flag.retired && attestation.flags.get(&flag.name) == Some(&flag.version);
    flags.iter().filter(knows).fold(0, |mask, flag| mask | flag.mask())
}

/// Bits that were given a new meaning, as sentences.
pub fn reused(flags: &[Flag]) -> Vec<String> {
    let mut found = Vec::new();
    for (n, new) in flags.iter().enumerate() {
        for old in flags.iter().take(n).filter(|old| old.bit == new.bit) {
            let (now, before) = if new.retired { (old, new) } else { (new, old) };
            found.push(format!(
                "order flag bit {} means {} {} and meant {} {} before: code that was not replaced takes it for that",
                new.bit, now.name, now.version, before.name, before.version
            ));
        }
    }
    found
}

/// What a build knows a flag for that the registry does not, as sentences.
pub fn misunderstood(flags: &[Flag], router: &str, attestation: &Attestation) -> Vec<String> {
    let mut found = Vec::new();
    for flag in flags {
        let Some(version) = attestation.flags.get(&flag.name) else { continue };
        let (bit, name) = (flag.bit, &flag.name);
        if version != &flag.version {
            found.push(format!(
                "{router}: its build takes order flag {name} (bit {bit}) for version {version}, the registry has {}",
                flag.version
            ));
        } else if flag.retired {
            found.push(format!(
                "{router}: its build still knows order flag {name} {version} (bit {bit}), which is retired"
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(bit: u32, name: &str, version: &str, retired: bool) -> Flag {
        let (name, version) = (name.to_owned(), version.to_owned());
        Flag { bit, name, version, owner: "desk".to_owned(), retired, readers: Vec::new() }
    }

    fn knows(pairs: &[(&str, &str)]) -> Attestation {
        let flags = pairs.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect();
        Attestation { flags, ..Attestation::default() }
    }

    #[test]
    fn a_bit_in_use_is_not_retired_whatever_it_meant() {
        let flags = [flag(0, "POWER_PEG", "1", true), flag(0, "RLP", "2", false), flag(3, "OLD", "1", true)];

        assert_eq!(FlagRegistry { registered: 1, retired: 8 }, registry(&flags));
        assert_eq!(
            vec![
                "order flag bit 0 means RLP 2 and meant POWER_PEG 1 before: code that was not replaced takes it for that"
            ],
            reused(&flags)
        );
    }

    #[test]
    fn a_build_knows_a_flag_in_the_registrys_version_only() {
        let flags = [flag(0, "POWER_PEG", "1", true), flag(0, "RLP", "2", false), flag(63, "TOP", "1", false)];

        assert_eq!(1 | 1 << 63, known(&flags, &knows(&[("RLP", "2"), ("TOP", "1")])));
        assert_eq!(0, known(&flags, &knows(&[("RLP", "1"), ("POWER_PEG", "1")])));
        assert_eq!(
            vec![
                "r1: its build still knows order flag POWER_PEG 1 (bit 0), which is retired",
                "r1: its build takes order flag RLP (bit 0) for version 1, the registry has 2",
            ],
            misunderstood(&flags, "r1", &knows(&[("RLP", "1"), ("POWER_PEG", "1")]))
        );
        assert!(misunderstood(&flags, "r1", &knows(&[("RLP", "2"), ("OTHER", "9")])).is_empty());
    }
}
