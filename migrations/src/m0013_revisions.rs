//! Which revision of the scoring a run's scores are of, and what is known of an experiment without its document.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "ALTER TABLE experiment ADD COLUMN scoring_rev bigint NOT NULL DEFAULT 1",
        "ALTER TABLE run ADD COLUMN scoring_rev bigint",
        "UPDATE run SET scoring_rev = 1 WHERE started_at IS NOT NULL",
        // Names and sizes, worked out of the document when they are first asked for.
        "ALTER TABLE experiment ADD COLUMN outline jsonb",
        "ALTER TABLE sweep ADD COLUMN outline jsonb",
    ],
    down: &[],
    and: &[
        "ALTER TABLE sweep DROP COLUMN outline",
        "ALTER TABLE experiment DROP COLUMN outline",
        "ALTER TABLE run DROP COLUMN scoring_rev",
        "ALTER TABLE experiment DROP COLUMN scoring_rev",
    ]
}
