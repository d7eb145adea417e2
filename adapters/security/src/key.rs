//! The key that secrets are sealed with.

use std::io;
use std::path::PathBuf;

use domain::call::Digest as Hex;
use domain::secret::Secret;
use sha2::{Digest, Sha256};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is too easy to guess.
    #[error("SECRET_KEY must have at least {} characters", Key::SHORTEST)]
    TooShort,
    /// Others than its owner may touch the file.
    #[error("the key file {path} may be used by others (mode {mode:03o}); fix it with: chmod 600 {path}", path = .path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file cannot be made or read.
    #[error("the key file {path} cannot be used", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

/// 256 bits, digested from a text.
pub(crate) struct Key([u8; 32]);

impl Key {
    /// Characters that a text must have at least.
    const SHORTEST: usize = 16;

    /// The key that this text stands for.
    pub(crate) fn of_text(text: &Secret) -> Result<Self, KeyError> {
        if text.expose().chars().count() < Self::SHORTEST {
            return Err(KeyError::TooShort);
        }
        Ok(Self(digest("promptlooper secret key v1", text.expose().as_bytes())))
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 16 hexadecimal digits that tell keys apart and nothing about them.
    pub(crate) fn fingerprint(&self) -> String {
        first_digits(digest("promptlooper key fingerprint v1", &self.0))
    }
}

/// 16 hexadecimal digits that tell secrets of tokens apart and nothing about them.
#[must_use]
pub fn token_secret_fingerprint(secret: &Secret) -> String {
    first_digits(digest("promptlooper token fingerprint v1", secret.expose().as_bytes()))
}

fn first_digits(digest: [u8; 32]) -> String {
    let mut digits = Hex::new(digest).to_string();
    digits.truncate(16);
    digits
}

/// The SHA-256 of bytes, for one purpose only.
fn digest(purpose: &str, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(purpose).chain_update([0]).chain_update(bytes).finalize().into()
}
