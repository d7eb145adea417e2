//! Encryption of stored secrets, password hashes, tokens.

mod kept;
mod key;
mod key_file;
mod passwords;
mod tokens;
mod vault;

pub use kept::{fresh_code, fresh_secret, kept_token_secret};
pub use key::{KeyError, token_secret_fingerprint};
pub use passwords::BcryptPasswords;
pub use tokens::JwtTokens;
pub use vault::SecretVault;
