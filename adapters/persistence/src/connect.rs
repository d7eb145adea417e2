//! Opens connections and detects dead ones: pools, time limits, and tests before use.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Connection as _, Error as SqlError, Executor as _, PgConnection};
use sea_orm::{
    ConnAcquireErr, ConnectOptions, Database as Connector, DatabaseConnection, DatabaseTransaction, DbErr,
    RuntimeErr, TransactionTrait as _,
};

use crate::availability::Availability;
use crate::dialect::Dialect;

/// Number of read-only connections of SQLite.
const READERS: u32 = 4;
/// Number of connections to PostgreSQL: the shared pool, and that of heartbeats, which must not wait for other
/// statements.
pub(crate) const POOL: u32 = 10;
pub(crate) const HEART_POOL: u32 = 2;
/// How long the first connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to be established before callers get an error.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How often a caller waits again while all connections are busy.
const BUSY_WAITS: u32 = 6;
/// The time limit of a statement, or of a transaction of the group writer. It is longer than the server's own limit,
/// so that a working server reports the time-out itself.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(25);
/// The time limit of a ping, and the shorter one while other connections are known not to answer, so that dead
/// connections are found quickly.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
const SUSPECT_PING_TIMEOUT: Duration = Duration::from_millis(150);
/// A connection that has been idle for longer is tested before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// Settings of each PostgreSQL session: the server cancels slow statements, and releases the locks of clients that
/// are gone.
const SESSION: &str = "SET statement_timeout = 22000; SET idle_in_transaction_session_timeout = 20000; \
     SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 2; \
     SET tcp_user_timeout = 20000";

/// A connection or a pool, with the known state of the database.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) connection: DatabaseConnection,
    pub(crate) dialect: Dialect,
    pub(crate) availability: Arc<Availability>,
}

impl Access {
    /// Begins a transaction.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        acquiring(&self.connection, || bounded(&self.availability, self.connection.begin())).await
    }
}

/// Waits for the database's answer up to a time limit. Without one, a connection whose other end is gone would never
/// return.
pub(crate) async fn bounded<T>(
    availability: &Availability,
    answer: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    within(ANSWER_TIMEOUT, availability, answer).await
}

/// The same with the given time limit.
pub(crate) async fn within<T>(
    limit: Duration,
    availability: &Availability,
    answer: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.inspect_err(|error| availability.note(error)),
        Err(_) => {
            availability.note_unanswered();
            let why = format!("the database has not answered for {limit:?}");
            Err(DbErr::Conn(RuntimeErr::Internal(why)))
        }
    }
}

/// Runs `work` with a connection of a pool. The pool waits only briefly, so that an unreachable database is noticed
/// at once; while all connections are busy, the wait is repeated.
pub(crate) async fn acquiring<T, F>(connection: &DatabaseConnection, work: impl Fn() -> F) -> Result<T, DbErr>
where
    F: Future<Output = Result<T, DbErr>>,
{
    let mut waits = 0;
    loop {
        match work().await {
            Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
                if waits < BUSY_WAITS && all_busy(connection) =>
            {
                waits += 1;
            }
            done => return done,
        }
    }
}

fn all_busy(connection: &DatabaseConnection) -> bool {
    match Dialect::of(connection) {
        Dialect::Sqlite => false,
        Dialect::Postgres => {
            let pool = connection.get_postgres_connection_pool();
            pool.size() >= pool.options().get_max_connections()
        }
    }
}

/// Prepared statements that a read-only connection of SQLite keeps. Each takes tens of KiB, and every connection has
/// its own.
const KEPT_READS: usize = 48;
const KEPT_WRITES: usize = 256;
/// Rows of SQLite that may wait for their reader: with room for those of a whole lookup, a connection's thread does not
/// wait for its reader between two rows.
const WAITING_ROWS: usize = 256;

/// Opens one connection that writes to a file, or several that read it.
pub(crate) async fn sqlite(path: PathBuf, read_only: bool) -> Result<DatabaseConnection, DbErr> {
    let (connections, statements) = if read_only { (READERS, KEPT_READS) } else { (1, KEPT_WRITES) };
    let mut options = ConnectOptions::new("sqlite://");
    options.max_connections(connections).min_connections(connections).sqlx_logging(false);
    options.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
    // If SQLite itself ends a transaction after an error, the driver still counts it as open. All later transactions
    // would be nested in it and never be committed.
    options.map_sqlx_sqlite_before_acquire(|connection, _| {
        Box::pin(async move { Ok(!connection.is_in_transaction()) })
    });
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .filename(&path)
            .create_if_missing(!read_only)
            .read_only(read_only)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(CONNECT_TIMEOUT)
            .foreign_keys(true)
            .statement_cache_capacity(statements)
            .row_buffer_size(WAITING_ROWS)
    });
    Connector::connect(options).await
}

/// Opens a pool of connections to PostgreSQL.
pub(crate) async fn postgres(
    url: &str,
    connections: u32,
    availability: &Arc<Availability>,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).connect_timeout(CONNECT_TIMEOUT).acquire_timeout(ACQUIRE_TIMEOUT);
    options.test_before_acquire(false).sqlx_logging(false);
    let (before, availability) = (Arc::clone(availability), Arc::clone(availability));
    options.map_sqlx_postgres_before_acquire(move |connection, connected| {
        let availability = Arc::clone(&before);
        let trusted = connected.idle_for < TRUSTED_IDLE && !availability.is_suspect();
        Box::pin(async move { Ok(trusted || answers(connection, &availability).await) })
    });
    options.map_sqlx_postgres_pool_opts(move |pool| {
        let availability = Arc::clone(&availability);
        pool.after_connect(|connection, _| {
            Box::pin(async move { connection.execute(SESSION).await.map(drop) })
        })
        .after_release(move |connection, _| {
            let availability = Arc::clone(&availability);
            Box::pin(async move {
                if availability.is_suspect() && !answers(connection, &availability).await {
                    // Close without a goodbye message, which nothing would receive.
                    return Err(SqlError::PoolTimedOut);
                }
                Ok(true)
            })
        })
    });
    Connector::connect(options).await
}

/// Whether a connection is alive. After an abandoned statement it waits for that statement's answer first, which may
/// never arrive.
async fn answers(connection: &mut PgConnection, availability: &Availability) -> bool {
    let limit = if availability.is_suspect() { SUSPECT_PING_TIMEOUT } else { PING_TIMEOUT };
    match tokio::time::timeout(limit, connection.ping()).await {
        Ok(answered) => answered.is_ok(),
        Err(_) => {
            availability.note_unanswered();
            false
        }
    }
}
