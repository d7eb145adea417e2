use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::access::User;
use domain::id::UserId;
use domain::secret::Secret;
use domain::time::Timestamp;
use thiserror::Error;

use super::StoreError;

/// An account as it is stored.
#[derive(Debug, Clone)]
pub struct Account {
    /// Whose it is.
    pub user: User,
    /// The hash of the password.
    pub password_hash: Secret,
    /// Tokens of other versions no longer count.
    pub token_version: i64,
    /// Whether it lets nobody in.
    pub disabled: bool,
}

/// Keeps accounts.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Whether there is any account.
    async fn any(&self) -> Result<bool, StoreError>;

    /// Stores the first account; `false` where there has been one already, and then nothing is stored.
    async fn insert_first(&self, account: Account) -> Result<bool, StoreError>;

    /// The account with this username.
    async fn by_username(&self, username: &str) -> Result<Option<Account>, StoreError>;

    /// An account.
    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// Changes a password, and makes the tokens that were issued before count no longer.
    async fn set_password(&self, id: UserId, hash: Secret) -> Result<(), StoreError>;
}

/// Keeps settings of the installation by name.
#[async_trait]
pub trait SettingStore: Send + Sync {
    /// A setting.
    async fn setting(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Those of these settings that have a value, by name.
    async fn settings(&self, names: &[&'static str]) -> Result<BTreeMap<String, String>, StoreError>;

    /// Changes settings, all or none of them; one without a value is removed.
    async fn change_settings(&self, changes: Vec<(&'static str, Option<String>)>) -> Result<(), StoreError>;

    /// A setting, which is given this value where it has none.
    async fn setting_or(&self, name: &str, value: &str) -> Result<String, StoreError>;
}

/// A password could not be hashed or compared.
#[derive(Debug, Clone, Error)]
#[error("the password cannot be hashed: {0}")]
pub struct PasswordError(pub String);

/// Hashes passwords slowly.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// The hash of a password, with a salt of its own.
    async fn hash(&self, password: Secret) -> Result<Secret, PasswordError>;

    /// Whether a hash is that of this password.
    async fn verify(&self, password: Secret, hash: Secret) -> Result<bool, PasswordError>;
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whom it lets in.
    pub user: UserId,
    /// The version of the account's tokens.
    pub version: i64,
    /// Until when.
    pub expires: Timestamp,
}

/// A token could not be made.
#[derive(Debug, Clone, Error)]
#[error("no token can be signed: {0}")]
pub struct TokenError(pub String);

/// Signs tokens, and reads them.
pub trait Tokens: Send + Sync {
    /// A token that says this.
    ///
    /// # Errors
    /// Where it cannot be signed.
    fn issue(&self, claims: &Claims) -> Result<Secret, TokenError>;

    /// What a token says, where it was signed here. Whether it has expired is for the reader to find out.
    fn read(&self, token: &str) -> Option<Claims>;
}
