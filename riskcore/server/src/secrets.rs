//! Tokens: compared in constant time, drawn from the operating system.

use std::fs::File;
use std::io::Read;

/// Whether two secrets are equal, in a time that depends on the length of the first alone.
pub fn equal(given: &[u8], expected: &[u8]) -> bool {
    let mut difference = given.len() ^ expected.len();
    for (n, byte) in given.iter().enumerate() {
        let other = expected.get(n).copied().unwrap_or(0);
        difference |= usize::from(std::hint::black_box(byte ^ other));
    }
    difference == 0
}

/// 16 random bytes.
pub fn random() -> std::io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_means_equal() {
        for (a, b, same) in
            [("", "", true), ("a", "a", true), ("a", "b", false), ("a", "ab", false), ("ab", "a", false)]
        {
            assert_eq!(same, equal(a.as_bytes(), b.as_bytes()), "{a} {b}");
        }
    }
}
