//! Password hashes: bcrypt, whose cost makes guessing slow.

use application::ports::{PasswordError, Passwords};
use async_trait::async_trait;
use domain::secret::Secret;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Hashes that are computed at once; each takes a processor for a while.
const AT_ONCE: usize = 2;

/// bcrypt on threads that may take their time.
pub struct BcryptPasswords {
    cost: u32,
    permits: Semaphore,
}

impl BcryptPasswords {
    /// The cost where nothing else is said: about a quarter of a second.
    pub const USUAL_COST: u32 = 12;

    /// Hashes of a cost from 4 to 31; each step doubles the time.
    #[must_use]
    pub const fn new(cost: u32) -> Self {
        Self { cost, permits: Semaphore::const_new(AT_ONCE) }
    }

    async fn compute<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let told = |error: &dyn std::fmt::Display| PasswordError(error.to_string());
        let _permit = self.permits.acquire().await.map_err(|error| told(&error))?;
        let computed = spawn_blocking(job).await.map_err(|error| told(&error))?;
        computed.map_err(|error| told(&error))
    }
}

#[async_trait]
impl Passwords for BcryptPasswords {
    async fn hash(&self, password: Secret) -> Result<Secret, PasswordError> {
        let cost = self.cost;
        self.compute(move || bcrypt::non_truncating_hash(password.expose(), cost)).await.map(Secret::new)
    }

    async fn verify(&self, password: Secret, hash: Secret) -> Result<bool, PasswordError> {
        self.compute(move || bcrypt::non_truncating_verify(password.expose(), hash.expose())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_fits_its_password_only() {
        let passwords = BcryptPasswords::new(4);
        let hash = passwords.hash(Secret::new("correct horse")).await.unwrap();
        assert!(hash.expose().starts_with("$2b$04$"));
        for (text, fits) in [("correct horse", true), ("correct horsf", false), ("", false)] {
            assert_eq!(passwords.verify(Secret::new(text), hash.clone()).await.unwrap(), fits, "{text}");
        }
        let again = passwords.hash(Secret::new("correct horse")).await.unwrap();
        assert_ne!(again, hash, "each has a salt of its own");
        let long = Secret::new("x".repeat(72));
        assert!(passwords.hash(long).await.is_err(), "nothing is cut off silently");
        assert!(passwords.verify(Secret::new("x"), Secret::new("no hash")).await.is_err());
    }
}
