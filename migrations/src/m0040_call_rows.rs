//! Calls of SQLite lie in the order in which they were claimed. In the order of their hashes, where PostgreSQL does not keep
//! them either, each claim and each answer changed a page of its own.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::ddl::{CLUSTERED, WHOLE_OR_NOT_AT_ALL, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: &str = "config_hash, answer_id, claimed_by, claim_no, sweep_id, reserved_tokens, reserved_nano, failed_kind, \
     failed_message, lost_sweep_id, lost_tokens, lost_nano";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE_OR_NOT_AT_ALL
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        lay_out(manager, "", "answer_id").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        lay_out(manager, CLUSTERED, "config_hash").await
    }
}

/// Makes the table anew, with its rows in another order.
async fn lay_out(manager: &SchemaManager<'_>, layout: &str, order: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Sqlite {
        return Ok(());
    }
    let create = format!(
        "CREATE TABLE call_row ( \
         config_hash text NOT NULL PRIMARY KEY, \
         answer_id bigint, \
         claimed_by uuid, \
         claim_no bigint NOT NULL, \
         sweep_id uuid, \
         reserved_tokens bigint NOT NULL DEFAULT 0, \
         reserved_nano bigint NOT NULL DEFAULT 0, \
         failed_kind text, \
         failed_message text, \
         lost_sweep_id uuid, \
         lost_tokens bigint NOT NULL DEFAULT 0, \
         lost_nano bigint NOT NULL DEFAULT 0) {layout}"
    );
    let copy =
        format!("INSERT INTO call_row ({COLUMNS}) SELECT {COLUMNS} FROM response_cache ORDER BY {order}");
    let statements = [
        &create,
        &copy,
        "DROP TABLE response_cache",
        "ALTER TABLE call_row RENAME TO response_cache",
        "CREATE INDEX response_cache_open ON response_cache (claimed_by) WHERE answer_id IS NULL",
    ];
    run(manager, &statements).await
}
