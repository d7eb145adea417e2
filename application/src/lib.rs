//! What PromptLooper does, said without any technology: use cases, and the ports through which they meet the world.

pub mod accounts;
pub mod advice;
pub mod catalog;
pub mod digest;
pub mod endpoints;
pub mod engine;
pub mod estimate;
pub mod experiments;
pub mod exports;
pub mod failures;
pub mod feed;
#[cfg(test)]
mod fixtures;
pub mod form;
pub mod installation;
pub mod json;
pub mod leaderboard;
pub mod list_prices;
pub mod live;
pub mod model_defaults;
pub mod once;
pub mod operations;
pub mod page;
pub mod parameter_support;
pub mod ports;
pub mod preview;
pub mod projects;
pub mod refusal;
pub mod report;
pub mod run_list;
pub mod runs;
pub mod samples;
pub mod scoring;
pub mod services;
pub mod sweeps;
mod throttle;
mod walk;
