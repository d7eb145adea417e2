//! What is decided of trials and their runs, and the log of what runs came to.
//!
//! Trials of early releases have no point here: their guides learned nothing, so that nobody reads what was decided.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        // A run whose worker ends it when it has all that it was asked for, as the runs of early releases do.
        "ALTER TABLE run ADD COLUMN final bigint NOT NULL DEFAULT 1",
        // The trial that it was made for.
        "ALTER TABLE run ADD COLUMN trial bigint",
        "ALTER TABLE sweep ADD COLUMN asks bigint NOT NULL DEFAULT 0",
        "ALTER TABLE trial ADD COLUMN ask bigint NOT NULL DEFAULT 0",
        "ALTER TABLE trial ADD COLUMN seen_seq bigint NOT NULL DEFAULT 0",
        "ALTER TABLE trial ADD COLUMN upto bigint NOT NULL DEFAULT 0",
        "ALTER TABLE trial ADD COLUMN point jsonb",
        "ALTER TABLE trial ADD COLUMN why text",
        // Either a larger number of samples or the status of an end.
        "CREATE TABLE trial_step ( \
         sweep_id uuid NOT NULL REFERENCES sweep (id) ON DELETE CASCADE, \
         ask bigint NOT NULL, \
         trial bigint NOT NULL, \
         seen_seq bigint NOT NULL, \
         upto bigint, \
         status text, \
         diff double precision, \
         why text, \
         PRIMARY KEY (sweep_id, ask, trial)) /* clustered */",
        "ALTER TABLE block ADD COLUMN failures bigint NOT NULL DEFAULT 0",
        // How the run ended, where its worker ended it with this block.
        "ALTER TABLE block ADD COLUMN ended text",
    ],
    down: &["trial_step"],
    and: &[
        "ALTER TABLE block DROP COLUMN ended",
        "ALTER TABLE block DROP COLUMN failures",
        "ALTER TABLE trial DROP COLUMN why",
        "ALTER TABLE trial DROP COLUMN point",
        "ALTER TABLE trial DROP COLUMN upto",
        "ALTER TABLE trial DROP COLUMN seen_seq",
        "ALTER TABLE trial DROP COLUMN ask",
        "ALTER TABLE sweep DROP COLUMN asks",
        "ALTER TABLE run DROP COLUMN trial",
        "ALTER TABLE run DROP COLUMN final",
    ]
}
