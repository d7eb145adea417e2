//! The secret that tokens are signed with where nobody chose one: drawn once, and kept sealed beside what it protects,
//! so that every process of an installation has the same.

use application::ports::{SettingStore, StoreError, Vault, VaultError};
use domain::secret::Secret;

const NAME: &str = "token_secret";

/// The installation's secret for tokens, drawn where there is none yet.
///
/// # Errors
/// A store that fails, or a secret that was sealed under another key.
pub async fn kept_token_secret(settings: &dyn SettingStore, vault: &dyn Vault) -> Result<Secret, StoreError> {
    let sealed = vault.seal(&fresh_secret()?, NAME).map_err(told)?;
    let kept = settings.setting_or(NAME, &to_hex(&sealed)).await?;
    vault.open(&from_hex(&kept).ok_or(VaultError::Format).map_err(told)?, NAME).map_err(told)
}

fn told(error: VaultError) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// 256 bits that nobody knows, as text.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn fresh_secret() -> Result<Secret, StoreError> {
    drawn::<32>()
}

/// 128 bits that nobody can guess, as a text short enough for a link.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn fresh_code() -> Result<Secret, StoreError> {
    drawn::<16>()
}

fn drawn<const BYTES: usize>() -> Result<Secret, StoreError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(Secret::new(to_hex(&bytes)))
}

fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')),
        );
    }
    text
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
