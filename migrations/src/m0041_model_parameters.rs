//! Which inference parameters the models of an endpoint take, as its list of models said when it was tested.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &["ALTER TABLE endpoint ADD COLUMN model_parameters jsonb"],
    down: &[],
    and: &["ALTER TABLE endpoint DROP COLUMN model_parameters"]
}
