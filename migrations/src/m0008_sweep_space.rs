//! The space that a sweep goes through, which stays with it when the experiment's changes.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "ALTER TABLE sweep ADD COLUMN parameter_space jsonb",
        "UPDATE sweep SET parameter_space = \
         (SELECT e.parameter_space FROM experiment e WHERE e.id = sweep.experiment_id)",
    ],
    down: &[],
    and: &["ALTER TABLE sweep DROP COLUMN parameter_space"]
}
