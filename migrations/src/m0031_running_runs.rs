//! How many runs of a sweep are running is counted when somebody asks, so that a run can be pending again.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &["ALTER TABLE sweep_total DROP COLUMN running"],
    down: &[],
    and: &[
        "ALTER TABLE sweep_total ADD COLUMN running bigint NOT NULL DEFAULT 0",
        "UPDATE sweep_total SET running = (SELECT count(*) FROM run WHERE run.sweep_id = sweep_total.sweep_id \
         AND run.completed_at IS NULL AND run.started_at IS NOT NULL)",
    ]
}
