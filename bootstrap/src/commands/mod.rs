//! The commands of the command line.

pub(crate) mod demo;
pub(crate) mod export;
pub(crate) mod healthcheck;
pub(crate) mod import;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod worker;

use std::io::{self, Write as _};

use crate::failure::Failure;

/// Writes on stdout.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    io::stdout().write_all(text.as_bytes()).map_err(Failure::error)
}
