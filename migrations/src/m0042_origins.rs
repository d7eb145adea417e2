//! Who answered: the version and tier of servers with each answer, and of each run whether its answers came from one place.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "ALTER TABLE answer ADD COLUMN system_fingerprint text",
        "ALTER TABLE answer ADD COLUMN service_tier text",
        "ALTER TABLE run ADD COLUMN origins text",
        "ALTER TABLE run ADD COLUMN mixed bigint NOT NULL DEFAULT 0",
    ],
    down: &[],
    and: &[
        "ALTER TABLE run DROP COLUMN mixed",
        "ALTER TABLE run DROP COLUMN origins",
        "ALTER TABLE answer DROP COLUMN service_tier",
        "ALTER TABLE answer DROP COLUMN system_fingerprint",
    ]
}
