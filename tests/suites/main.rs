//! Suites over real databases, real HTTP and real processes.

mod architecture;
mod command_line;
mod crash;
mod files;
mod sweep;
