//! One spelling of the schema for both databases: written for PostgreSQL, in words that SQLite has stand-ins for.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// PostgreSQL's types and what SQLite keeps instead: ids as 16 bytes, times as microseconds, documents as text.
const STAND_INS: [(&str, &str); 7] = [
    (" uuid", " BLOB"),
    (" jsonb", " TEXT"),
    (" timestamptz", " INTEGER"),
    (" bytea", " BLOB"),
    (" bigint", " INTEGER"),
    (" double precision", " REAL"),
    // SQLite compares texts by their bytes anyway.
    (" COLLATE \"C\"", ""),
];

/// The database's clock.
const NOW: &str = "{now}";
const SQLITE_NOW: &str = "(CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER))";

/// What a statement begins with that SQLite does not need.
pub(crate) const POSTGRES_ONLY: &str = "/* postgres */";

/// A table whose rows lie in the order of their primary key, where the database can do that.
pub(crate) const CLUSTERED: &str = "/* clustered */";

/// A step is taken in a transaction on SQLite too: a process that is killed leaves none half taken.
pub(crate) const WHOLE_OR_NOT_AT_ALL: Option<bool> = Some(true);

/// Runs statements in order.
pub(crate) async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    for statement in statements {
        if sqlite && statement.starts_with(POSTGRES_ONLY) {
            continue;
        }
        let statement =
            if sqlite { for_sqlite(statement) } else { statement.replace(NOW, "clock_timestamp()") };
        manager.get_connection().execute_unprepared(&statement).await?;
    }
    Ok(())
}

fn for_sqlite(statement: &str) -> String {
    let replaced = STAND_INS.iter().fold(statement.to_owned(), |text, (from, to)| text.replace(from, to));
    replaced.replace(CLUSTERED, "WITHOUT ROWID").replace(NOW, SQLITE_NOW)
}

/// Drops tables, the last made first.
pub(crate) async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<(), DbErr> {
    let drops: Vec<String> = tables.iter().map(|table| format!("DROP TABLE {table}")).collect();
    run(manager, &drops.iter().map(String::as_str).collect::<Vec<_>>()).await
}

/// A migration that makes tables, and drops them on the way back.
macro_rules! tables {
    (up: $up:expr, down: $down:expr $(, and: $and:expr)?) => {
        #[derive(DeriveMigrationName)]
        pub(crate) struct Migration;

        #[async_trait::async_trait]
        impl MigrationTrait for Migration {
            fn use_transaction(&self) -> Option<bool> {
                $crate::ddl::WHOLE_OR_NOT_AT_ALL
            }

            async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                $crate::ddl::run(manager, $up).await
            }

            async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                $crate::ddl::drop_tables(manager, $down).await?;
                $($crate::ddl::run(manager, $and).await?;)?
                Ok(())
            }
        }
    };
}

pub(crate) use tables;
