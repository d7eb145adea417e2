//! The database schema, step by step. Each step is one concern, with a real way back, for SQLite and PostgreSQL alike.

mod ddl;
mod m0001_workers_endpoints;
mod m0002_experiments;
mod m0003_sweeps_runs;
mod m0004_answers;
mod m0005_events;
mod m0006_accounts;
mod m0007_history;
mod m0008_sweep_space;
mod m0009_endpoint_headers;
mod m0010_recovery;
mod m0011_ranking;
mod m0012_run_figures;
mod m0013_revisions;
mod m0020_decisions;
mod m0030_payers;
mod m0031_running_runs;
mod m0032_embeddings;
mod m0033_deeds;
mod m0034_check_names;
mod m0035_reasoning;
mod m0036_endpoint_api;
mod m0037_answer_flags;
mod m0038_pace;
mod m0039_price_day;
mod m0040_call_rows;
mod m0041_model_parameters;
mod m0042_origins;
mod m0043_service_answers;
mod m0044_rescoring;

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{MigrationStatus, MigratorTrait};

/// Every step there is, in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_workers_endpoints::Migration),
            Box::new(m0002_experiments::Migration),
            Box::new(m0003_sweeps_runs::Migration),
            Box::new(m0004_answers::Migration),
            Box::new(m0005_events::Migration),
            Box::new(m0006_accounts::Migration),
            Box::new(m0007_history::Migration),
            Box::new(m0008_sweep_space::Migration),
            Box::new(m0009_endpoint_headers::Migration),
            Box::new(m0010_recovery::Migration),
            Box::new(m0011_ranking::Migration),
            Box::new(m0012_run_figures::Migration),
            Box::new(m0013_revisions::Migration),
            Box::new(m0020_decisions::Migration),
            Box::new(m0030_payers::Migration),
            Box::new(m0031_running_runs::Migration),
            Box::new(m0032_embeddings::Migration),
            Box::new(m0033_deeds::Migration),
            Box::new(m0034_check_names::Migration),
            Box::new(m0035_reasoning::Migration),
            Box::new(m0036_endpoint_api::Migration),
            Box::new(m0037_answer_flags::Migration),
            Box::new(m0038_pace::Migration),
            Box::new(m0039_price_day::Migration),
            Box::new(m0040_call_rows::Migration),
            Box::new(m0041_model_parameters::Migration),
            Box::new(m0042_origins::Migration),
            Box::new(m0043_service_answers::Migration),
            Box::new(m0044_rescoring::Migration),
        ]
    }
}
