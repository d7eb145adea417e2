//! Answers that are vectors.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &["ALTER TABLE answer ADD COLUMN vector bytea"],
    down: &[],
    and: &["ALTER TABLE answer DROP COLUMN vector"]
}
