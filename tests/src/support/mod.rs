//! What suites and benches share.

pub mod effort;
pub mod experiment;
pub mod facts;
pub mod fake_llm;
pub mod fake_service;
pub mod home;
pub mod listeners;
pub mod many_runs;
pub mod page_load;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod racing;
pub mod server;
pub mod small_disk;
pub mod tls;
pub mod tools;
