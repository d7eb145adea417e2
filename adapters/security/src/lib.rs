//! Encryption of stored secrets.

mod key;
mod key_file;
mod vault;

pub use key::KeyError;
pub use vault::SecretVault;
