use domain::secret::Secret;

/// Why a sealed secret could not be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The bytes are of no format that is known.
    #[error("the stored secret is of an unknown format")]
    Format,
    /// It was sealed under another key or for another place, or it was changed.
    #[error("the stored secret does not open with this key; was SECRET_KEY or the key file changed?")]
    WrongKey,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

/// Keeps secrets so that who reads the store cannot read them.
pub trait Vault: Send + Sync {
    /// Seals a secret for a place, such as `endpoint/<id>`; it opens for no other.
    ///
    /// # Errors
    /// [`VaultError::NoRandomness`] only.
    fn seal(&self, secret: &Secret, context: &str) -> Result<Vec<u8>, VaultError>;

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// Where it is no sealed secret, or not one of this key and place.
    fn open(&self, sealed: &[u8], context: &str) -> Result<Secret, VaultError>;

    /// A short name of the key that tells nothing about it: equal keys have equal ones.
    fn fingerprint(&self) -> String;
}
