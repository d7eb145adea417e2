//! What suites and benches share.

pub mod experiment;
pub mod facts;
pub mod fake_llm;
pub mod home;
pub mod listeners;
pub mod program;
pub mod server;
