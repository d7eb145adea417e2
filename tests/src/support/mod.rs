//! Servers and the like that suites stand upon.

pub mod fake_llm;
