//! The day of the list that an answer was priced by, where it was priced by a list.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &["ALTER TABLE answer ADD COLUMN price_day text"],
    down: &[],
    and: &["ALTER TABLE answer DROP COLUMN price_day"]
}
