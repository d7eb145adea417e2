//! The names of checks that the samples of a set bring, so that scores of theirs have a name without the samples.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &["ALTER TABLE sample_set ADD COLUMN check_names jsonb NOT NULL DEFAULT '{\"v\":1,\"doc\":[]}'"],
    down: &[],
    and: &["ALTER TABLE sample_set DROP COLUMN check_names"]
}
