//! Who pays for an answer: one of the calls of a stage or of a scorer.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "ALTER TABLE answer RENAME COLUMN paid_stage TO paid_asker",
        "ALTER TABLE answer ADD COLUMN paid_by_scorer bigint NOT NULL DEFAULT 0",
        "ALTER TABLE answer ADD COLUMN paid_call bigint NOT NULL DEFAULT 0",
    ],
    down: &[],
    and: &[
        "ALTER TABLE answer DROP COLUMN paid_call",
        "ALTER TABLE answer DROP COLUMN paid_by_scorer",
        "ALTER TABLE answer RENAME COLUMN paid_asker TO paid_stage",
    ]
}
