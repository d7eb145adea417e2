//! The vault: XChaCha20-Poly1305, whose nonces are long enough to be drawn at random.

use std::path::Path;

use application::ports::{Vault, VaultError};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::secret::Secret;

use crate::key::{Key, KeyError};
use crate::key_file;

/// The first byte of everything that is sealed this way.
const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 24;

/// Seals secrets under one key: a version, a nonce, and the text with its tag. The place is authenticated with it.
pub struct SecretVault {
    cipher: XChaCha20Poly1305,
    fingerprint: String,
}

impl SecretVault {
    /// A vault under the key that a text of at least 16 characters stands for.
    ///
    /// # Errors
    /// [`KeyError::TooShort`].
    pub fn from_text(text: &Secret) -> Result<Self, KeyError> {
        let key = Key::of_text(text)?;
        Ok(Self { cipher: XChaCha20Poly1305::new(key.bytes().into()), fingerprint: key.fingerprint() })
    }

    /// A vault under the key in the folder's file `secret.key`, which is made, for its owner only, where there is none.
    ///
    /// # Errors
    /// Where the file cannot be made or read, holds too short a text, or may be used by others.
    pub fn from_folder(folder: &Path) -> Result<Self, KeyError> {
        Self::from_text(&key_file::read_or_make(folder)?)
    }
}

impl Vault for SecretVault {
    fn seal(&self, secret: &Secret, context: &str) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: context.as_bytes() };
        let text = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Format)?;
        Ok([&[VERSION], &nonce[..], &text].concat())
    }

    fn open(&self, sealed: &[u8], context: &str) -> Result<Secret, VaultError> {
        let Some((&[VERSION], rest)) = sealed.split_first_chunk() else {
            return Err(VaultError::Format);
        };
        let (nonce, text) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(VaultError::Format)?;
        let payload = Payload { msg: text, aad: context.as_bytes() };
        let opened = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| VaultError::WrongKey)?;
        String::from_utf8(opened).map(Secret::new).map_err(|_| VaultError::Format)
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TEXT: &str = "a key of some length";

    fn vault(text: &str) -> SecretVault {
        SecretVault::from_text(&Secret::new(text)).unwrap()
    }

    #[test]
    fn a_secret_opens_for_its_key_and_place_only() {
        let secret = Secret::new("sk-é");
        let sealed = vault(TEXT).seal(&secret, "endpoint/1").unwrap();
        assert_eq!(vault(TEXT).open(&sealed, "endpoint/1").unwrap(), secret);
        assert_eq!(vault(TEXT).open(&sealed, "endpoint/2"), Err(VaultError::WrongKey));
        assert_eq!(vault("another key, as long").open(&sealed, "endpoint/1"), Err(VaultError::WrongKey));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault(TEXT).open(&changed, "endpoint/1").is_err(), "byte {at}");
            assert!(vault(TEXT).open(&sealed[..at], "endpoint/1").is_err(), "cut at {at}");
        }
    }

    #[test]
    fn sealing_twice_shows_nothing_in_common() {
        let seal = || vault(TEXT).seal(&Secret::new("the same"), "c").unwrap();
        assert_ne!(seal()[1..25], seal()[1..25]);
        assert_ne!(seal()[25..], seal()[25..]);
    }

    #[test]
    fn fingerprints_tell_keys_apart() {
        assert_eq!(vault(TEXT).fingerprint(), vault(TEXT).fingerprint());
        assert_ne!(vault(TEXT).fingerprint(), vault("another key, as long").fingerprint());
        assert_eq!(vault(TEXT).fingerprint().len(), 16);
    }

    #[test]
    fn what_was_sealed_long_ago_still_opens() {
        // Made by another implementation of the same construction, with the nonce 00 01 02 … 17.
        let hex = include_str!("sealed_v1.hex").trim();
        let sealed: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        assert_eq!(vault(TEXT).open(&sealed, "endpoint/1").unwrap(), Secret::new("sk-old"));
    }

    #[test]
    fn short_texts_are_no_keys() {
        for (text, fits) in [("fifteen letters", false), ("sixteen letters!", true), ("ééééééééé", false)]
        {
            assert_eq!(SecretVault::from_text(&Secret::new(text)).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn the_key_file_is_made_once_and_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let fingerprints: Vec<String> = std::thread::scope(|scope| {
            let make = || scope.spawn(|| SecretVault::from_folder(folder.path()).unwrap().fingerprint());
            let threads: Vec<_> = (0..8).map(|_| make()).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(fingerprints.iter().all(|print| *print == fingerprints[0]));
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["secret.key"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_may_use_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        SecretVault::from_folder(folder.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for (mode, refused) in [(0o640, true), (0o604, true), (0o700, false), (0o400, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let result = SecretVault::from_folder(folder.path());
            assert_eq!(result.is_err(), refused, "{mode:o}");
            if let Err(error) = result {
                assert!(error.to_string().contains("chmod 600"), "{error}");
            }
        }
    }
}
