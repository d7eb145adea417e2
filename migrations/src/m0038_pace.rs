//! When endpoints are called again, and what was sent to those with limits a minute.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "ALTER TABLE endpoint ADD COLUMN breaker_until timestamptz",
        "ALTER TABLE endpoint ADD COLUMN backing_off_until timestamptz",
        "CREATE TABLE endpoint_use ( \
         endpoint_id uuid NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE, \
         second bigint NOT NULL, \
         requests bigint NOT NULL, \
         tokens bigint NOT NULL, \
         PRIMARY KEY (endpoint_id, second))",
    ],
    down: &["endpoint_use"],
    and: &[
        "ALTER TABLE endpoint DROP COLUMN backing_off_until",
        "ALTER TABLE endpoint DROP COLUMN breaker_until",
    ]
}
