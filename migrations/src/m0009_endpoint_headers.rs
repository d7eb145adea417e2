//! Headers that an endpoint is sent, sealed as its key is.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &["ALTER TABLE endpoint ADD COLUMN headers_cipher bytea"],
    down: &[],
    and: &["ALTER TABLE endpoint DROP COLUMN headers_cipher"]
}
