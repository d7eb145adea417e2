//! What suites and benches share.

pub mod support;
