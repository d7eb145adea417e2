//! Opens a database, brings its schema up to date, and hands out the stores.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use application::ports::Vault;
use migrations::{MigrationStatus, Migrator, MigratorTrait as _};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database as Connector, DatabaseConnection, DbErr};
use thiserror::Error;

use crate::dialect::{Detached, Dialect, corrupt, text};
use crate::journal::GroupWriter;
use crate::lock::{FolderLock, LockError};
use crate::lookup::Lookups;
use crate::rows::Row;
use crate::workers::DeadWorkers;

/// Why a database could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process uses the data folder.
    #[error("the data folder {} is in use by {holder}: stop it, or set DATA_DIR to another folder", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Who uses it.
        holder: String,
    },
    /// The data folder cannot be used.
    #[error("the data folder {} cannot be written: {source}; set DATA_DIR to a folder that can", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// There is no database yet.
    #[error("there is no database in {} yet: `promptlooper migrate` makes it", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// PostgreSQL cannot be reached.
    #[error("PostgreSQL cannot be reached ({0}): is it running, and is DATABASE_URL right?")]
    Unreachable(DbErr),
    /// The database cannot be reached, or its schema cannot be brought up to date.
    #[error("the database cannot be used: {0}")]
    Database(#[from] DbErr),
    /// The secrets in the database were sealed under another key.
    #[error(
        "this database was used with another SECRET_KEY: give it the same one, or its secrets cannot be read"
    )]
    OtherKey,
}

/// An open database whose schema is up to date.
pub struct Database {
    pub(crate) reader: DatabaseConnection,
    pub(crate) writer: DatabaseConnection,
    pub(crate) dialect: Dialect,
    _lock: Option<FolderLock>,
}

/// Every store over one database.
#[derive(Clone)]
pub struct Stores {
    pub(crate) database: Arc<Database>,
    pub(crate) group: GroupWriter,
    pub(crate) lookups: Lookups,
    pub(crate) vault: Arc<dyn Vault>,
}

/// Read-only connections of SQLite.
const READERS: u32 = 4;
/// Connections to PostgreSQL.
const POOL: u32 = 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Database {
    /// Opens `promptlooper.db` in a folder, which is made where there is none, for this process alone.
    ///
    /// # Errors
    /// [`OpenError`] says what is in the way.
    pub async fn sqlite(folder: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Folder { folder: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let lock = FolderLock::take(folder).map_err(|error| match error {
            LockError::Io(source) => unusable(source),
            LockError::Held(holder) => OpenError::InUse { folder: folder.to_owned(), holder },
        })?;
        let path = folder.join("promptlooper.db");
        let writer = Connector::connect(sqlite_options(path.clone(), 1, false)).await?;
        Migrator::up(&writer, None).await?;
        let reader = Connector::connect(sqlite_options(path, READERS, true)).await?;
        let database = Self { reader, writer, dialect: Dialect::Sqlite, _lock: Some(lock) };
        database.forget_workers(DeadWorkers::All).await?;
        Ok(database)
    }

    /// Connects to PostgreSQL.
    ///
    /// # Errors
    /// [`OpenError`] says what is in the way.
    pub async fn postgres(url: &str) -> Result<Self, OpenError> {
        let connection = Connector::connect(postgres_options(url)).await.map_err(OpenError::Unreachable)?;
        migrate_alone(&connection).await?;
        let database =
            Self { reader: connection.clone(), writer: connection, dialect: Dialect::Postgres, _lock: None };
        database.forget_workers(DeadWorkers::Expired).await?;
        Ok(database)
    }

    /// Steps of the schema of the database in a folder, with whether each has been taken; changes nothing.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub async fn sqlite_status(folder: &Path) -> Result<Vec<(String, bool)>, OpenError> {
        let path = folder.join("promptlooper.db");
        if !path.exists() {
            return Err(OpenError::Missing { folder: folder.to_owned() });
        }
        let reader = Connector::connect(sqlite_options(path, 1, true)).await?;
        status(&reader).await
    }

    /// The same for PostgreSQL.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn postgres_status(url: &str) -> Result<Vec<(String, bool)>, OpenError> {
        status(&Connector::connect(postgres_options(url)).await.map_err(OpenError::Unreachable)?).await
    }

    /// Steps of the schema with whether each has been taken.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn migration_status(&self) -> Result<Vec<(String, bool)>, OpenError> {
        status(&self.writer).await
    }

    /// The stores, once the key is known to be the one that the database's secrets were sealed with.
    ///
    /// # Errors
    /// [`OpenError::OtherKey`], or where the database does not answer.
    pub async fn stores(self, vault: Arc<dyn Vault>) -> Result<Stores, OpenError> {
        self.check_key(&vault.fingerprint()).await?;
        let sql = "SELECT COALESCE(MAX(id), 0) + 1 AS next FROM answer";
        let row = self.read().one(sql, vec![]).await?;
        let next = row.map_or(Ok(1), |row| Row(&row).whole("next"))?;
        let group = GroupWriter::start(self.writer.clone(), self.dialect, next);
        let lookups = Lookups::start(self.reader.clone(), self.dialect);
        Ok(Stores { database: Arc::new(self), group, lookups, vault })
    }

    pub(crate) const fn read(&self) -> Detached<'_> {
        Detached { connection: &self.reader, dialect: self.dialect }
    }

    pub(crate) const fn write(&self) -> Detached<'_> {
        Detached { connection: &self.writer, dialect: self.dialect }
    }

    async fn check_key(&self, fingerprint: &str) -> Result<(), OpenError> {
        let known = self.setting_or("secret_key_fingerprint", fingerprint).await?;
        if known == fingerprint { Ok(()) } else { Err(OpenError::OtherKey) }
    }

    /// A setting, which is given this value where it has none.
    pub(crate) async fn setting_or(&self, name: &str, value: &str) -> Result<String, DbErr> {
        let insert = "INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
        self.write().execute(insert, vec![text(name), text(value)]).await?;
        let select = "SELECT value FROM setting WHERE key = $1";
        let row = self.write().one(select, vec![text(name)]).await?;
        row.map_or_else(|| Err(corrupt("a setting is gone")), |row| Row(&row).text("value"))
    }
}

fn sqlite_options(path: PathBuf, connections: u32, read_only: bool) -> ConnectOptions {
    use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
    let mut options = ConnectOptions::new("sqlite://");
    options.max_connections(connections).min_connections(connections).sqlx_logging(false);
    options.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .filename(&path)
            .create_if_missing(!read_only)
            .read_only(read_only)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(CONNECT_TIMEOUT)
            .foreign_keys(true)
            .statement_cache_capacity(256)
    });
    options
}

fn postgres_options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(POOL).connect_timeout(CONNECT_TIMEOUT).acquire_timeout(CONNECT_TIMEOUT);
    options.sqlx_logging(false);
    options
}

async fn status(connection: &DatabaseConnection) -> Result<Vec<(String, bool)>, OpenError> {
    let steps = Migrator::get_migration_with_status(connection).await?;
    let taken = |status| matches!(status, MigrationStatus::Applied);
    Ok(steps.into_iter().map(|step| (step.name().to_owned(), taken(step.status()))).collect())
}

/// Two processes that start together must not both change the schema.
async fn migrate_alone(connection: &DatabaseConnection) -> Result<(), DbErr> {
    use sea_orm::TransactionTrait as _;
    let guard = connection.begin().await?;
    guard.execute_unprepared("SELECT pg_advisory_xact_lock(7236187261)").await?;
    let migrated = Migrator::up(connection, None).await;
    guard.commit().await?;
    migrated
}
