//! What PromptLooper does, said without any technology: use cases, and the ports through which they meet the world.

pub mod catalog;
pub mod digest;
pub mod engine;
pub mod experiments;
mod form;
pub mod json;
pub mod ports;
pub mod samples;
pub mod scoring;
pub mod sweeps;
