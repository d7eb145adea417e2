//! A database for one test, with its folder.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::secret::Secret;
use persistence::{Database, Stores};
use sea_orm::{ConnectionTrait as _, Database as Connector, DatabaseConnection};
use security::SecretVault;
use tempfile::TempDir;

use super::postgres::OwnPostgres;

/// The two supported databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file in the folder.
    Sqlite,
    /// A database on the server that `PROMPTLOOPER_TEST_POSTGRES` names.
    Postgres,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// A folder, and on PostgreSQL a new database.
pub struct Home {
    folder: TempDir,
    url: Option<String>,
    /// The URL by way of a proxy.
    through: Option<String>,
}

/// The key of test databases.
pub const SECRET_KEY: &str = "a key for tests only";

impl Home {
    /// A new, unused home.
    ///
    /// # Panics
    /// Where there is no PostgreSQL to be had.
    pub async fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(fresh_database().await),
        };
        Self { folder, url, through: None }
    }

    /// A home with a new database on the test's own server. The program reaches it at `port`.
    ///
    /// # Panics
    /// Where the server does not answer.
    pub async fn on(server: &OwnPostgres, port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = database_on(&server.url()).await;
        let through = url.replace(&format!(":{}/", server.port()), &format!(":{port}/"));
        Self { folder, url: Some(url), through: Some(through) }
    }

    /// A home with SQLite, in a folder inside the given one.
    ///
    /// # Panics
    /// Where no folder can be made there.
    #[must_use]
    pub fn within(folder: &std::path::Path) -> Self {
        Self { folder: tempfile::tempdir_in(folder).expect("a folder"), url: None, through: None }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// The data folder of the program.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The URL of PostgreSQL for the program.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.through.as_deref().or(self.url.as_deref())
    }

    /// Its stores, opened as the program opens them.
    ///
    /// # Panics
    /// Where they do not open.
    pub async fn stores(&self) -> Stores {
        let database = match self.url() {
            None => Database::sqlite(&self.data()).await,
            Some(url) => Database::postgres(url).await,
        };
        let vault = SecretVault::from_text(&Secret::new(SECRET_KEY)).expect("a key");
        database.expect("a database").stores(Arc::new(vault)).await.expect("stores")
    }

    /// A connection for the test itself.
    ///
    /// # Panics
    /// Where there is nothing to connect to.
    pub async fn connection(&self) -> DatabaseConnection {
        let sqlite = || format!("sqlite://{}?mode=ro", self.data().join("promptlooper.db").display());
        Connector::connect(self.url.clone().unwrap_or_else(sqlite)).await.expect("a connection")
    }
}

async fn fresh_database() -> String {
    #[expect(clippy::disallowed_methods, reason = "the test command tells where its server is")]
    let server = std::env::var("PROMPTLOOPER_TEST_POSTGRES");
    let server = server.expect("PROMPTLOOPER_TEST_POSTGRES names no server: start the tests with tests/run");
    database_on(&server).await
}

async fn database_on(server: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let admin = Connector::connect(format!("{server}/postgres")).await.expect("PostgreSQL answers");
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    format!("{server}/{name}")
}
