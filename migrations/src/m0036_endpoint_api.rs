//! Which protocol carries an endpoint's chat calls, and which header its key.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "ALTER TABLE endpoint ADD COLUMN api text NOT NULL DEFAULT 'chat'",
        "ALTER TABLE endpoint ADD COLUMN auth text",
        "UPDATE endpoint SET auth = CASE WHEN kind = 'anthropic' THEN 'x-api-key' ELSE 'bearer' END",
    ],
    down: &[],
    and: &[
        "ALTER TABLE endpoint DROP COLUMN auth",
        "ALTER TABLE endpoint DROP COLUMN api",
    ]
}
