//! Opens a database, migrates its schema, and creates the stores.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use application::ports::Vault;
use migrations::{MigrationStatus, Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr};
use thiserror::Error;

use crate::availability::Availability;
use crate::connect::{self, ANSWER_TIMEOUT, Access, within};
use crate::detached::{Detached, detached};
use crate::dialect::{Dialect, corrupt, id, text};
use crate::lock::{FolderLock, LockError};
use crate::lookup::Lookups;
use crate::rows::Row;
use crate::takeovers::{DeadWorkers, Takeovers};
use crate::writer::GroupWriter;

/// Why a database could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process uses the data folder.
    #[error("the data folder {} is in use by {holder}: stop it, or set DATA_DIR to another folder", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// What the other process wrote into the lock file.
        holder: String,
    },
    /// The data folder cannot be used.
    #[error("the data folder {} (DATA_DIR) cannot be written: {source}; DATA_DIR takes a folder that this program can make and write to", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// There is no database yet.
    #[error("there is no database in {} yet: create it with `promptlooper migrate`", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// PostgreSQL cannot be reached.
    #[error("PostgreSQL cannot be reached ({0}): is it running, and is DATABASE_URL right?")]
    Unreachable(DbErr),
    /// The database cannot be reached, or its schema cannot be migrated.
    #[error("the database cannot be used: {0}")]
    Database(#[from] DbErr),
    /// The secrets in the database are sealed with another key.
    #[error(
        "this database was used with another SECRET_KEY: give it the same one, or its secrets cannot be read"
    )]
    OtherKey,
}

/// An open database whose schema is up to date.
pub struct Database {
    pub(crate) reader: DatabaseConnection,
    pub(crate) writer: Access,
    heart: DatabaseConnection,
    _lock: Option<FolderLock>,
}

/// Every store over one database.
#[derive(Clone)]
pub struct Stores {
    pub(crate) database: Arc<Database>,
    pub(crate) group: GroupWriter,
    pub(crate) lookups: Lookups,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) takeovers: Arc<Takeovers>,
}

/// Inserts a group writer's mark, before its first transaction updates it.
const FIRST_MARK: &str = "INSERT INTO commit_mark (writer, number) VALUES ($1, 0)";

impl Database {
    /// Opens `promptlooper.db` in a folder, which is created if it is missing, for this process alone.
    ///
    /// # Errors
    /// [`OpenError`] names the obstacle.
    pub async fn sqlite(folder: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Folder { folder: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let lock = FolderLock::take(folder).map_err(|error| match error {
            LockError::Io(source) => unusable(source),
            LockError::Held(holder) => OpenError::InUse { folder: folder.to_owned(), holder },
        })?;
        let path = folder.join("promptlooper.db");
        private(&path).map_err(unusable)?;
        let writer = connect::sqlite(path.clone(), false).await?;
        Migrator::up(&writer, None).await?;
        let reader = connect::sqlite(path, true).await?;
        let writer = Access {
            connection: writer,
            dialect: Dialect::Sqlite,
            availability: Arc::new(Availability::new()),
        };
        let heart = writer.connection.clone();
        let database = Self { reader, writer, heart, _lock: Some(lock) };
        database.forget_workers(DeadWorkers::All).await?;
        Ok(database)
    }

    /// Connects to PostgreSQL.
    ///
    /// # Errors
    /// [`OpenError`] names the obstacle.
    pub async fn postgres(url: &str) -> Result<Self, OpenError> {
        let availability = Arc::new(Availability::new());
        let connect = |connections| connect::postgres(url, connections, &availability);
        let connection = connect(connect::POOL).await.map_err(OpenError::Unreachable)?;
        let heart = connect(connect::HEART_POOL).await.map_err(OpenError::Unreachable)?;
        migrate_alone(&connection).await?;
        let (writer, dialect) = (connection.clone(), Dialect::Postgres);
        let writer = Access { connection: writer, dialect, availability: Arc::clone(&availability) };
        let database = Self { reader: connection, writer, heart, _lock: None };
        database.forget_workers(DeadWorkers::Expired).await?;
        Ok(database)
    }

    /// The migrations of the database in a folder, with whether each has been applied. Changes nothing.
    ///
    /// # Errors
    /// There is no database, or it cannot be read.
    pub async fn sqlite_status(folder: &Path) -> Result<Vec<(String, bool)>, OpenError> {
        let path = folder.join("promptlooper.db");
        if !path.exists() {
            return Err(OpenError::Missing { folder: folder.to_owned() });
        }
        status(&connect::sqlite(path, true).await?).await
    }

    /// The same for PostgreSQL.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn postgres_status(url: &str) -> Result<Vec<(String, bool)>, OpenError> {
        let availability = Arc::new(Availability::new());
        status(&connect::postgres(url, 1, &availability).await.map_err(OpenError::Unreachable)?).await
    }

    /// The migrations, with whether each has been applied.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn migration_status(&self) -> Result<Vec<(String, bool)>, OpenError> {
        status(&self.writer.connection).await
    }

    /// Creates the stores, after a check that the vault's key is the one that the database's secrets were sealed
    /// with.
    ///
    /// # Errors
    /// [`OpenError::OtherKey`], or the database does not answer.
    pub async fn stores(self, vault: Arc<dyn Vault>) -> Result<Stores, OpenError> {
        self.check_key(&vault.fingerprint()).await?;
        let sql = "SELECT COALESCE(MAX(id), 0) + 1 AS next FROM answer";
        let row = self.read().one(sql, vec![]).await?;
        let next = row.map_or(Ok(1), |row| Row(&row).whole("next"))?;
        let writer = uuid::Uuid::new_v4().as_u128();
        if self.dialect() == Dialect::Postgres {
            self.write().execute(FIRST_MARK, vec![id(writer)]).await?;
        }
        let group = GroupWriter::start(self.writer.clone(), next, writer);
        let lookups = Lookups::start(self.reading());
        Ok(Stores { database: Arc::new(self), group, lookups, vault, takeovers: Arc::default() })
    }

    /// Why nothing can be written now.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.writer.availability.trouble()
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.writer.dialect
    }

    pub(crate) const fn read(&self) -> Detached<'_> {
        Detached {
            limit: ANSWER_TIMEOUT,
            connection: &self.reader,
            dialect: self.writer.dialect,
            availability: &self.writer.availability,
        }
    }

    pub(crate) const fn write(&self) -> Detached<'_> {
        let Access { connection, dialect, availability } = &self.writer;
        Detached { connection, dialect: *dialect, availability, limit: ANSWER_TIMEOUT }
    }

    /// Connections for heartbeats only.
    pub(crate) const fn heart(&self, limit: Duration) -> Detached<'_> {
        let Access { dialect, availability, .. } = &self.writer;
        Detached { connection: &self.heart, dialect: *dialect, availability, limit }
    }

    /// Runs several statements in a task of its own, to their end or to the time limit.
    pub(crate) async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
    ) -> Result<T, DbErr> {
        self.detached_within(ANSWER_TIMEOUT, work).await
    }

    /// The same with the given time limit.
    pub(crate) async fn detached_within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
    ) -> Result<T, DbErr> {
        let availability = Arc::clone(&self.writer.availability);
        detached(async move { within(limit, &availability, work).await }).await
    }

    fn reading(&self) -> Access {
        Access { connection: self.reader.clone(), ..self.writer.clone() }
    }

    async fn check_key(&self, fingerprint: &str) -> Result<(), OpenError> {
        let known = self.setting_or("secret_key_fingerprint", fingerprint).await?;
        if known == fingerprint { Ok(()) } else { Err(OpenError::OtherKey) }
    }

    /// Reads a setting, and sets it to `value` first if it has none.
    pub(crate) async fn setting_or(&self, name: &str, value: &str) -> Result<String, DbErr> {
        let insert = "INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
        self.write().execute(insert, vec![text(name), text(value)]).await?;
        let select = "SELECT value FROM setting WHERE key = $1";
        let row = self.write().one(select, vec![text(name)]).await?;
        row.map_or_else(|| Err(corrupt("a setting is gone")), |row| Row(&row).text("value"))
    }
}

async fn status(connection: &DatabaseConnection) -> Result<Vec<(String, bool)>, OpenError> {
    let steps = Migrator::get_migration_with_status(connection).await?;
    let taken = |status| matches!(status, MigrationStatus::Applied);
    Ok(steps.into_iter().map(|step| (step.name().to_owned(), taken(step.status()))).collect())
}

/// Creates the database file if it is missing, readable only for its owner, because it holds prompts and answers.
/// SQLite gives its other files the same mode.
fn private(path: &Path) -> std::io::Result<()> {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}

/// Migrates under a lock, because two processes may start at the same time.
async fn migrate_alone(connection: &DatabaseConnection) -> Result<(), DbErr> {
    use sea_orm::TransactionTrait as _;
    let guard = connection.begin().await?;
    guard.execute_unprepared("SELECT pg_advisory_xact_lock(7236187261)").await?;
    let migrated = Migrator::up(connection, None).await;
    guard.commit().await?;
    migrated
}
