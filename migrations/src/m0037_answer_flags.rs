//! How many answers of a run are odd, and in which way.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "ALTER TABLE run ADD COLUMN truncated bigint NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN refused bigint NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN tokens_estimated bigint NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN lossy_text bigint NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN no_output bigint NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN context_cut bigint NOT NULL DEFAULT 0",
    ],
    down: &[],
    and: &[
        "ALTER TABLE run DROP COLUMN context_cut",
        "ALTER TABLE run DROP COLUMN no_output",
        "ALTER TABLE run DROP COLUMN lossy_text",
        "ALTER TABLE run DROP COLUMN tokens_estimated",
        "ALTER TABLE run DROP COLUMN refused",
        "ALTER TABLE run DROP COLUMN truncated",
    ]
}
