//! The commands, each a story of its own.

pub(crate) mod export;
pub(crate) mod migrate;
pub(crate) mod run;
pub(crate) mod worker;
