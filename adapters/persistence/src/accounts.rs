//! Accounts and settings.

use std::collections::BTreeMap;

use application::ports::{Account, AccountStore, SettingStore, StoreError};
use async_trait::async_trait;
use domain::access::User;
use domain::id::UserId;
use domain::secret::Secret;
use sea_orm::{DbErr, Value as Bound};

use crate::dialect::{Session, failed, id, text, whole};
use crate::open::Stores;
use crate::rows::{Row, read_all};

const INSERT: &str = "INSERT INTO account (id, username, password_hash, is_admin) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (username) DO NOTHING";

const FIRST: &str = "INSERT INTO first_admin (one, account_id) VALUES (1, $1) ON CONFLICT (one) DO NOTHING";

const SET: &str = "INSERT INTO setting (key, value) VALUES ($1, $2) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value";

const UNSET: &str = "DELETE FROM setting WHERE key = $1";

const SELECT: &str = "SELECT id, username, password_hash, is_admin, token_version, \
     CAST(CASE WHEN disabled_at IS NULL THEN 0 ELSE 1 END AS bigint) AS disabled FROM account";

#[async_trait]
impl AccountStore for Stores {
    async fn any(&self) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM account LIMIT 1";
        Ok(self.database.read().one(sql, vec![]).await.map_err(failed)?.is_some())
    }

    async fn insert_first(&self, account: Account) -> Result<bool, StoreError> {
        let stores = self.clone();
        self.database.detached(async move { stores.first_account(account).await }).await.map_err(failed)
    }

    async fn by_username(&self, username: &str) -> Result<Option<Account>, StoreError> {
        self.one_account("username = $1", text(username)).await
    }

    async fn account(&self, account: UserId) -> Result<Option<Account>, StoreError> {
        self.one_account("id = $1", id(account.bits())).await
    }

    async fn set_password(&self, account: UserId, hash: Secret) -> Result<(), StoreError> {
        let sql = "UPDATE account SET password_hash = $2, token_version = token_version + 1 WHERE id = $1";
        let values = vec![id(account.bits()), text(hash.expose())];
        self.database.write().execute(sql, values).await.map(drop).map_err(failed)
    }
}

impl Stores {
    async fn put_settings(&self, changes: Vec<(&'static str, Option<String>)>) -> Result<(), DbErr> {
        let transaction = self.database.writer.begin().await?;
        let session = Session { connection: &transaction, dialect: self.database.dialect() };
        for (name, value) in changes {
            match value {
                Some(value) => session.execute(SET, vec![text(name), text(value)]).await?,
                None => session.execute(UNSET, vec![text(name)]).await?,
            };
        }
        transaction.commit().await
    }

    /// Creates the first administrator. Where several transactions do this at once, one inserts the row; the others
    /// are rolled back.
    async fn first_account(&self, account: Account) -> Result<bool, DbErr> {
        let transaction = self.database.writer.begin().await?;
        let session = Session { connection: &transaction, dialect: self.database.dialect() };
        let user = account.user;
        let values = vec![
            id(user.id.bits()),
            text(user.username),
            text(account.password_hash.expose()),
            whole(i64::from(user.is_admin)),
        ];
        let made = session.execute(INSERT, values).await?.rows_affected() > 0
            && session.execute(FIRST, vec![id(user.id.bits())]).await?.rows_affected() > 0;
        if made {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(made)
    }

    async fn one_account(&self, which: &str, of: Bound) -> Result<Option<Account>, StoreError> {
        let sql = format!("{SELECT} WHERE {which}");
        let row = self.database.read().one(&sql, vec![of]).await.map_err(failed)?;
        row.map(|row| account(Row(&row))).transpose().map_err(failed)
    }
}

fn account(row: Row<'_>) -> Result<Account, DbErr> {
    let user = User {
        id: UserId::new(row.id("id")?),
        username: row.text("username")?,
        is_admin: row.whole("is_admin")? != 0,
    };
    Ok(Account {
        user,
        password_hash: Secret::new(row.text("password_hash")?),
        token_version: row.whole("token_version")?,
        disabled: row.small("disabled")? != 0,
    })
}

#[async_trait]
impl SettingStore for Stores {
    async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM setting WHERE key = $1";
        let row = self.database.read().one(sql, vec![text(name)]).await.map_err(failed)?;
        row.map(|row| Row(&row).text("value")).transpose().map_err(failed)
    }

    async fn settings(&self, names: &[&'static str]) -> Result<BTreeMap<String, String>, StoreError> {
        let places: Vec<String> = (1..=names.len()).map(|at| format!("${at}")).collect();
        let sql = format!("SELECT key, value FROM setting WHERE key IN ({})", places.join(", "));
        let names = names.iter().map(|name| text(*name)).collect();
        let rows = self.database.read().all(&sql, names).await.map_err(failed)?;
        let read = read_all(&rows, |row| Ok((row.text("key")?, row.text("value")?)));
        Ok(read.map_err(failed)?.into_iter().collect())
    }

    async fn change_settings(&self, changes: Vec<(&'static str, Option<String>)>) -> Result<(), StoreError> {
        let stores = self.clone();
        self.database.detached(async move { stores.put_settings(changes).await }).await.map_err(failed)
    }

    async fn setting_or(&self, name: &str, value: &str) -> Result<String, StoreError> {
        self.database.setting_or(name, value).await.map_err(failed)
    }
}
