//! What PromptLooper does, said without any technology: use cases, and the ports through which they meet the world.

pub mod catalog;
pub mod digest;
pub mod engine;
pub mod experiments;
pub mod exports;
mod form;
pub mod json;
pub mod leaderboard;
pub mod ports;
pub mod report;
pub mod samples;
pub mod scoring;
pub mod sweeps;
