//! What a request with a key made, so that it is not made again.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "ALTER TABLE idempotency ADD COLUMN reservation uuid",
        "ALTER TABLE idempotency ADD COLUMN made uuid",
    ],
    down: &[],
    and: &[
        "ALTER TABLE idempotency DROP COLUMN made",
        "ALTER TABLE idempotency DROP COLUMN reservation",
    ]
}
