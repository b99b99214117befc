//! What a logon says runs there, as attributes that can be compared one by one.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tonic::Status;

use crate::proto;

/// Name and value; what was not said is absent.
pub type Attributes = BTreeMap<&'static str, String>;

/// Every attribute, in the order in which people see them.
pub const ATTRIBUTES: [&str; 12] = [
    "instance_id",
    "host",
    "build",
    "binary_sha256",
    "vcs_commit",
    "build_time",
    "config_hash",
    "feature_flags",
    "schema_revision",
    "environment",
    "deploy_id",
    "signature",
];

/// Those that say what runs. Where it runs, as which process, and what vouches for it may differ between equals.
pub const RUNS: [&str; 9] = [
    "build",
    "binary_sha256",
    "vcs_commit",
    "build_time",
    "config_hash",
    "feature_flags",
    "schema_revision",
    "environment",
    "deploy_id",
];

/// The longest value of an attribute, in bytes.
const MAX_VALUE: usize = 256;

/// The most feature flags.
const MAX_FLAGS: usize = 64;

/// The name of an attribute as a constant, if there is one of that name.
pub fn attribute(name: &str) -> Option<&'static str> {
    ATTRIBUTES.into_iter().find(|known| *known == name)
}

/// What a router said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attestation {
    /// By name.
    pub attributes: Attributes,
    /// What its build takes each flag for: name to version.
    pub flags: BTreeMap<String, String>,
}

impl Attestation {
    /// Takes it out of a logon. Refuses what no deployment writes: it is kept for the day and shown to people.
    pub fn of(logon: &proto::Logon) -> Result<Attestation, Status> {
        if logon.feature_flags.len() > MAX_FLAGS {
            let count = logon.feature_flags.len();
            return Err(Status::invalid_argument(format!(
                "logon: feature_flags has {count} entries; send at most {MAX_FLAGS}"
            )));
        }
        let flags: BTreeMap<String, String> = logon.feature_flags.clone().into_iter().collect();
        let said = [
            ("instance_id", logon.instance_id.clone()),
            ("host", logon.host.clone()),
            ("build", logon.build.clone()),
            ("binary_sha256", logon.binary_sha256.to_ascii_lowercase()),
            ("vcs_commit", logon.vcs_commit.clone()),
            ("build_time", logon.build_time.clone()),
            ("config_hash", logon.config_hash.clone()),
            ("feature_flags", flags_text(&flags)),
            ("schema_revision", logon.schema_revision.clone()),
            ("environment", logon.environment.clone()),
            ("deploy_id", logon.deploy_id.clone()),
            ("signature", hex(&logon.signature)),
        ];
        let longest = flags.iter().flat_map(|(name, version)| [name.len(), version.len()]).max().unwrap_or(0);
        for (name, value) in &said {
            // All flags together may be longer than each.
            let length = if *name == "feature_flags" { longest } else { value.len() };
            if length > MAX_VALUE {
                return Err(Status::invalid_argument(format!(
                    "logon: {name} is {length} bytes long; {MAX_VALUE} at most"
                )));
            }
        }
        let attributes = said.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        Ok(Attestation { attributes, flags })
    }

    /// An attribute; empty if it was not said.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// What names the build: the hash of the binary or, if that was not said, the build's own words.
    pub fn fingerprint(&self) -> &str {
        match self.get("binary_sha256") {
            "" => self.get("build"),
            hash => hash,
        }
    }

    /// Digest of everything that runs there.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for name in RUNS {
            let value = self.get(name);
            // The length keeps two attributes from being taken for two others.
            hash.update((value.len() as u64).to_le_bytes());
            hash.update(value.as_bytes());
        }
        hash.finalize().into()
    }
}

/// An attribute that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub attribute: &'static str,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub presented: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is {}, expected {}", self.attribute, shown(&self.presented), shown(&self.expected))
    }
}

/// What differs from what is expected, of the attributes that are expected to be something.
pub fn differences<'a>(
    expected: impl IntoIterator<Item = (&'static str, &'a str)>,
    presented: &Attestation,
) -> Vec<Difference> {
    let differing = expected.into_iter().filter(|(name, value)| presented.get(name) != *value);
    differing
        .map(|(attribute, value)| Difference {
            attribute,
            expected: value.to_owned(),
            presented: presented.get(attribute).to_owned(),
        })
        .collect()
}

/// Attributes as `differences` takes them.
pub fn pairs(attributes: &Attributes) -> impl Iterator<Item = (&'static str, &str)> {
    attributes.iter().map(|(name, value)| (*name, value.as_str()))
}

/// Differences as one sentence.
pub fn sentence(differences: &[Difference]) -> String {
    differences.iter().map(Difference::to_string).collect::<Vec<_>>().join("; ")
}

/// Flags as one value: `DARK=1 RLP=2`, by name.
pub fn flags_text(flags: &BTreeMap<String, String>) -> String {
    flags.iter().map(|(name, version)| format!("{name}={version}")).collect::<Vec<_>>().join(" ")
}

/// A value for people: long hashes cut short.
pub fn shown(value: &str) -> String {
    if value.is_empty() {
        return "missing".to_owned();
    }
    let is_hash = value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut characters = value.chars();
    let head: String = characters.by_ref().take(if is_hash { 12 } else { 80 }).collect();
    if characters.next().is_some() { format!("{head}...") } else { head }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logon() -> proto::Logon {
        proto::Logon {
            host: "h1".to_owned(),
            build: "2012.08".to_owned(),
            binary_sha256: "AB".repeat(32),
            feature_flags: [("RLP".to_owned(), "2".to_owned()), ("DARK".to_owned(), "1".to_owned())].into(),
            ..proto::Logon::default()
        }
    }

    #[test]
    fn every_difference_is_named_and_nothing_else() {
        let presented = Attestation::of(&logon()).unwrap();
        let mut expected: Attributes = presented.attributes.clone();

        assert!(differences(pairs(&expected), &presented).is_empty());
        expected.insert("binary_sha256", "cd".repeat(32));
        expected.insert("environment", "prod".to_owned());
        expected.remove("host");

        assert_eq!(
            "binary_sha256 is abababababab..., expected cdcdcdcdcdcd...; environment is missing, expected prod",
            sentence(&differences(pairs(&expected), &presented))
        );
    }

    #[test]
    fn the_digest_is_of_what_runs_and_not_of_where() {
        let one = Attestation::of(&logon()).unwrap().digest();
        let elsewhere = proto::Logon { host: "h2".to_owned(), instance_id: "i2".to_owned(), ..logon() };
        let shifted = proto::Logon { vcs_commit: "a".to_owned(), ..logon() };
        let other = proto::Logon { build_time: "a".to_owned(), ..logon() };

        assert_eq!(one, Attestation::of(&elsewhere).unwrap().digest());
        assert_ne!(one, Attestation::of(&shifted).unwrap().digest());
        assert_ne!(Attestation::of(&shifted).unwrap().digest(), Attestation::of(&other).unwrap().digest());
    }

    #[test]
    fn what_no_deployment_writes_is_refused() {
        let long = proto::Logon { host: "h".repeat(MAX_VALUE + 1), ..logon() };
        let flag = |n: usize| (format!("F{n}"), "1".to_owned());
        let many = proto::Logon { feature_flags: (0..=MAX_FLAGS).map(flag).collect(), ..logon() };

        assert_eq!("logon: host is 257 bytes long; 256 at most", Attestation::of(&long).unwrap_err().message());
        assert!(Attestation::of(&many).unwrap_err().message().contains("65 entries"));
        let full = proto::Logon { feature_flags: (0..MAX_FLAGS).map(flag).collect(), ..logon() };
        assert!(Attestation::of(&full).is_ok());
    }

    #[test]
    fn the_binary_names_the_build_before_its_own_words_do() {
        let by_hash = Attestation::of(&logon()).unwrap();
        let by_words = Attestation::of(&proto::Logon { binary_sha256: String::new(), ..logon() }).unwrap();

        assert_eq!("ab".repeat(32), by_hash.fingerprint());
        assert_eq!("2012.08", by_words.fingerprint());
    }
}
