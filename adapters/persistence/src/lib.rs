//! Stores of PromptLooper on SQLite and PostgreSQL.
//!
//! SQLite has one writer connection and several read-only ones, PostgreSQL a pool. On both, everything that is written
//! often goes through one group writer, where units of many callers share a transaction.

mod accounts;
mod availability;
mod batch;
mod board;
mod budget;
mod calls;
mod connect;
mod dialect;
mod endpoints;
mod events;
mod experiments;
mod facts;
mod fault;
mod figures;
mod group;
mod idempotency;
mod journal;
mod lock;
mod lookup;
mod monitor;
mod open;
mod outcomes;
mod projects;
mod rows;
mod run_claim;
mod run_list;
mod runs;
mod sweeps;
mod workers;

pub use open::{Database, OpenError, Stores};
