//! SHA-256 of what the domain spells.

use domain::call::Digest;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a text's UTF-8 bytes.
#[must_use]
pub fn sha256(text: &str) -> Digest {
    Digest::new(Sha256::digest(text.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_fips_180() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256("abc").to_string(), expected);
        assert_eq!(Digest::parse(expected), Some(sha256("abc")));
    }
}
