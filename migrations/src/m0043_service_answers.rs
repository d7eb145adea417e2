//! Answers of services, which have no endpoint and no model: whether a service said that its answer is JSON.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::ddl::{WHOLE_OR_NOT_AT_ALL, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Columns that an answer of a service leaves empty. SQLite cannot change whether a column may be.
const OPTIONAL_ON_POSTGRES: [&str; 2] = [
    "ALTER TABLE answer ALTER COLUMN endpoint_id DROP NOT NULL",
    "ALTER TABLE answer ALTER COLUMN model DROP NOT NULL",
];
const OPTIONAL_ON_SQLITE: [&str; 8] = [
    "ALTER TABLE answer ADD COLUMN optional_endpoint uuid",
    "ALTER TABLE answer ADD COLUMN optional_model text",
    "UPDATE answer SET optional_endpoint = endpoint_id, optional_model = model",
    "ALTER TABLE answer DROP COLUMN endpoint_id",
    "ALTER TABLE answer DROP COLUMN model",
    "ALTER TABLE answer RENAME COLUMN optional_endpoint TO endpoint_id",
    "ALTER TABLE answer RENAME COLUMN optional_model TO model",
    "ALTER TABLE answer ADD COLUMN service_json bigint",
];

/// Without a place for them the answers of services are forgotten; their calls can be made again.
const FORGET: [&str; 3] = [
    "DELETE FROM response_cache WHERE answer_id IN (SELECT id FROM answer WHERE service_json IS NOT NULL)",
    "UPDATE stage_result SET answer_id = NULL WHERE answer_id IN (SELECT id FROM answer WHERE service_json IS NOT NULL)",
    "DELETE FROM answer WHERE service_json IS NOT NULL",
];

const REQUIRED_ON_POSTGRES: [&str; 3] = [
    "ALTER TABLE answer DROP COLUMN service_json",
    "ALTER TABLE answer ALTER COLUMN endpoint_id SET NOT NULL",
    "ALTER TABLE answer ALTER COLUMN model SET NOT NULL",
];
/// A required column is added with a default, which every row has replaced in the end.
const REQUIRED_ON_SQLITE: [&str; 8] = [
    "ALTER TABLE answer DROP COLUMN service_json",
    "ALTER TABLE answer ADD COLUMN required_endpoint uuid NOT NULL DEFAULT x''",
    "ALTER TABLE answer ADD COLUMN required_model text NOT NULL DEFAULT ''",
    "UPDATE answer SET required_endpoint = endpoint_id, required_model = model",
    "ALTER TABLE answer DROP COLUMN endpoint_id",
    "ALTER TABLE answer DROP COLUMN model",
    "ALTER TABLE answer RENAME COLUMN required_endpoint TO endpoint_id",
    "ALTER TABLE answer RENAME COLUMN required_model TO model",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE_OR_NOT_AT_ALL
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Sqlite {
            return run(manager, &OPTIONAL_ON_SQLITE).await;
        }
        run(manager, &OPTIONAL_ON_POSTGRES).await?;
        run(manager, &["ALTER TABLE answer ADD COLUMN service_json bigint"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &FORGET).await?;
        match manager.get_database_backend() {
            DbBackend::Sqlite => run(manager, &REQUIRED_ON_SQLITE).await,
            _ => run(manager, &REQUIRED_ON_POSTGRES).await,
        }
    }
}
