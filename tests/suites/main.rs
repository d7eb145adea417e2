//! Suites over real databases, real HTTP and real processes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what cannot be had in a test is its failure")]

mod accounts;
mod api;
mod architecture;
mod budgets;
mod checks;
mod command_line;
mod connections;
mod crash;
mod endurance;
mod exports;
mod files;
mod full_disk;
mod gateway;
mod generated_clients;
mod laws;
mod live;
mod outages;
mod pace;
mod protocols;
mod racing;
mod refusals;
mod repeats;
mod responsiveness;
mod retrieval;
mod scorers;
mod servers;
mod serving;
mod single_runs;
mod spending;
mod standings;
mod stores;
mod sweep;
mod terminal;
mod tidy;
mod tls;
