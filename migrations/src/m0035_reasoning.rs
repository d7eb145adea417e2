//! What models thought, who answered for a gateway, and what servers state as the cost.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "ALTER TABLE answer ADD COLUMN reasoning text",
        "ALTER TABLE answer ADD COLUMN provider text",
        "ALTER TABLE answer ADD COLUMN stated_nano bigint",
    ],
    down: &[],
    and: &[
        "ALTER TABLE answer DROP COLUMN stated_nano",
        "ALTER TABLE answer DROP COLUMN provider",
        "ALTER TABLE answer DROP COLUMN reasoning",
    ]
}
