//! Stores of PromptLooper on SQLite and PostgreSQL.
//!
//! SQLite has one writer connection and several read-only ones, PostgreSQL a pool. On both, everything that is written
//! often goes through one group writer, where commits of many callers share a transaction.

mod accounts;
mod answers;
mod availability;
mod batch;
mod board;
mod budget;
mod calls;
mod claims;
mod columns;
mod connect;
mod deltas;
mod detached;
mod dialect;
mod endpoints;
mod event_log;
mod events;
mod experiments;
mod facts;
mod failures;
mod fault;
mod figures;
mod idempotency;
mod journal;
mod lock;
mod lookup;
mod monitor;
mod open;
mod outcomes;
mod projects;
mod rank_class;
mod rates;
mod rescoring;
mod rescoring_request;
mod rows;
mod run_claim;
mod run_list;
mod run_rows;
mod runs;
mod score_rows;
mod slots;
mod sweeps;
mod takeovers;
mod workers;
mod writer;

pub use open::{Database, OpenError, Stores};
