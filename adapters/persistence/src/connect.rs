//! How connections are made and kept honest: pools, time limits, and what is done about connections that went bad.

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

/// Read-only connections of SQLite.
const READERS: u32 = 4;
/// Connections to PostgreSQL: those that everything shares, and those of heartbeats, which must not wait for any other.
pub(crate) const POOL: u32 = 10;
pub(crate) const HEART_POOL: u32 = 2;
/// How long a first connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long PostgreSQL may be away before whoever asks is told so.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How often a connection is waited for while all of them are busy.
const BUSY_WAITS: u32 = 6;
/// How long a statement, or a transaction of the group writer, may take. Longer than the server allows a statement, so
/// that a server that lives says so itself.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(25);
/// How long a connection has to answer a ping, and how long where others did not answer lately: then it must be found out
/// quickly which of them are dead.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
const SUSPECT_PING_TIMEOUT: Duration = Duration::from_millis(150);
/// A connection that has been idle for so long is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// What PostgreSQL is told on each connection: it gives up what takes too long, and lets go of clients that are gone, with
/// their locks.
const SESSION: &str = "SET statement_timeout = 22000; SET idle_in_transaction_session_timeout = 20000; \
     SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 2; \
     SET tcp_user_timeout = 20000";

/// A connection or a pool, with what is known of the database's health.
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

/// Waits for the database's answer, but not for ever: a connection whose other end is gone never answers.
pub(crate) async fn bounded<T>(
    availability: &Availability,
    answer: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    within(ANSWER_TIMEOUT, availability, answer).await
}

/// The same with a time limit of its own.
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

/// Does something with a connection of a pool. The pool waits only briefly, so that a database that is away is noticed at
/// once; while all its connections are busy that is repeated.
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

/// Prepared statements that a connection of SQLite keeps. Each takes tens of KiB, and every reader has its own.
const KEPT_READS: usize = 48;
const KEPT_WRITES: usize = 256;
/// Rows of SQLite that may wait for their reader: with room for those of a whole lookup, a connection's thread does not
/// wait for its reader between two rows.
const WAITING_ROWS: usize = 256;

/// The one connection that writes to a file, and those that read it.
pub(crate) async fn sqlite(path: PathBuf, read_only: bool) -> Result<DatabaseConnection, DbErr> {
    let (connections, statements) = if read_only { (READERS, KEPT_READS) } else { (1, KEPT_WRITES) };
    let mut options = ConnectOptions::new("sqlite://");
    options.max_connections(connections).min_connections(connections).sqlx_logging(false);
    options.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
    // After an error that ended a transaction on SQLite's side the driver goes on counting it as open, and every later
    // one would be part of it and never land.
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

/// A pool of connections to PostgreSQL.
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
                    // Nobody would hear a farewell either.
                    return Err(SqlError::PoolTimedOut);
                }
                Ok(true)
            })
        })
    });
    Connector::connect(options).await
}

/// Whether a connection is alive. One whose statement was given up waits for that answer first, which may never come.
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
